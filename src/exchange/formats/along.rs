//! Records of other kinds that come along with a record: what it needs, and what hangs on it.

use super::Item;
use crate::domain::{Issue, Rules, Severity};
use crate::records::Record;
use crate::store::batch::{Outcome, Recorded};
use crate::store::{Db, StoreError};
use chrono::NaiveDateTime;
use soapstone_contracts::catalog::{AttributeDefinition, Category, Manufacturer};
use soapstone_contracts::orders::Shipment;
use soapstone_contracts::pricing::PriceEntry;

/// What comes along.
#[derive(Clone, Debug, Default)]
pub struct Along {
    /// Categories that must be there first; so must the definitions of attributes, and manufacturers.
    pub categories: Vec<Category>,
    pub attributes: Vec<AttributeDefinition>,
    pub manufacturers: Vec<Manufacturer>,
    /// Prices of the record.
    pub prices: Vec<PriceEntry>,
    /// What a delivery note was sent by.
    pub shipments: Vec<Shipment>,
}

/// Records with their keys, and what became of each.
type Outcomes = Vec<(String, Recorded)>;

impl Along {
    /// Adds what comes along with another one.
    pub fn extend(&mut self, other: &Self) {
        self.categories.extend_from_slice(&other.categories);
        self.attributes.extend_from_slice(&other.attributes);
        self.manufacturers.extend_from_slice(&other.manufacturers);
        self.prices.extend_from_slice(&other.prices);
        self.shipments.extend_from_slice(&other.shipments);
    }

    /// Takes what records need. What is refused of it, they are refused for.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_before(self, db: &mut Db, rules: &Rules, now: NaiveDateTime) -> Result<(), StoreError> {
        if !self.categories.is_empty() {
            Category::take(db, self.categories, rules, now)?;
        }
        if !self.attributes.is_empty() {
            AttributeDefinition::take(db, self.attributes, rules, now)?;
        }
        if !self.manufacturers.is_empty() {
            Manufacturer::take(db, self.manufacturers, rules, now)?;
        }
        Ok(())
    }

    /// Takes what hangs on records that were taken; what is refused of it, their outcome warns of.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_after(
        self,
        db: &mut Db,
        items: &[Item],
        mut taken: Outcomes,
        rules: &Rules,
        now: NaiveDateTime,
    ) -> Result<Outcomes, StoreError> {
        if self.prices.is_empty() && self.shipments.is_empty() {
            return Ok(taken);
        }
        let read = items.iter().filter(|item| item.is_in_batch());
        let (mut prices, mut shipments) = (Vec::new(), Vec::new());
        for (place, item) in read.enumerate() {
            if taken.get(place).is_some_and(|(_, recorded)| recorded.outcome != Outcome::Refused) {
                prices.extend(item.along.prices.iter().map(|price| (place, price.clone())));
                shipments.extend(item.along.shipments.iter().map(|shipment| (place, shipment.clone())));
            }
        }
        hang(db, prices, &mut taken, rules, now)?;
        hang(db, shipments, &mut taken, rules, now)?;
        Ok(taken)
    }
}

/// Takes records that hang on others, each told by its place.
fn hang<R: Record>(
    db: &mut Db,
    records: Vec<(usize, R)>,
    taken: &mut Outcomes,
    rules: &Rules,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (places, records): (Vec<usize>, Vec<R>) = records.into_iter().unzip();
    if records.is_empty() {
        return Ok(());
    }
    for (place, (key, recorded)) in places.into_iter().zip(R::take(db, records, rules, now)?) {
        if let Some((_, owner)) = taken.get_mut(place) {
            let warning = |issue: Issue| Issue {
                severity: Severity::Warning,
                text: format!("{key}, which comes along: {}", issue.text),
                ..issue
            };
            owner.issues.extend(recorded.issues.into_iter().map(warning));
            // An order or article with another price is another one.
            if owner.outcome == Outcome::Unchanged && matches!(recorded.outcome, Outcome::Created | Outcome::Updated) {
                owner.outcome = Outcome::Updated;
            }
        }
    }
    Ok(())
}
