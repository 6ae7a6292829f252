//! Price entries, line discounts, vouchers; and all that a price is found from.

pub mod discounts;
pub mod entries;
pub mod offers;
pub mod vouchers;

use super::{ChangeRange, Db, StoreError, page, values};
use crate::domain::compared;
use crate::store::customers::resolve;
use soapstone_runtime::{Decimal, Nillable};

/// What a list is narrowed by, whatever is listed.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub keys: Vec<String>,
    pub changed_since: Option<chrono::NaiveDateTime>,
    pub changes: Option<ChangeRange>,
    /// The key after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

impl Page {
    fn compared_keys(&self) -> Vec<String> {
        self.keys.iter().map(|key| compared(key)).collect()
    }

    /// Cuts what is beyond the page; the key of the last one leads to the next page, if there is one.
    fn cut<T>(&self, mut found: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        let more = page::cut(&mut found, self.limit);
        let next = found.last().filter(|_| more).map(key);
        (found, next)
    }
}

/// A value that is given, not nil.
fn value(given: Option<&Nillable<String>>) -> Option<&str> {
    match given {
        Some(Nillable::Value(value)) => Some(value),
        _ => None,
    }
}

/// The id of a customer by number or alias; -1, that of nobody, if there is none.
fn customer_id(connection: &mut Db, number: &str) -> Result<i64, StoreError> {
    Ok(resolve(connection, &[compared(number)])?.into_values().next().map_or(-1, |customer| customer.id))
}

fn decimal(text: &str) -> Decimal {
    Decimal(values::decimal(text))
}
