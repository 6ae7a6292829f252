//! What customers have to the good: bookings, and their sums.

use super::numbers::resolve;
use crate::domain::customers::Money;
use crate::domain::{Issue, compared};
use crate::store::batch::{Outcome, Recorded};
use crate::store::children::by_owner;
use crate::store::schema::credit_bookings;
use crate::store::{Db, LOOKUP, StoreError, page};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_runtime::Decimal;
use std::collections::{BTreeMap, HashMap};

/// An amount that a customer got or used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    pub key: String,
    /// The customer's number, or an alias.
    pub customer: String,
    pub money: Money,
    pub reason: Option<String>,
}

/// Books an amount, once a key.
///
/// # Errors
/// Those of the database.
pub fn book(connection: &mut Db, credit: &Credit, now: NaiveDateTime) -> Result<Recorded, StoreError> {
    let key = compared(&credit.key);
    let number = compared(&credit.customer);
    let Some(customer) = resolve(connection, &[number])?.into_values().next() else {
        let text = format!("there is no customer {}", credit.customer);
        return Ok(Recorded::refused(vec![Issue::error("customer.not_found", text).of("customer", &credit.customer)]));
    };
    let inserted = diesel::insert_into(credit_bookings::table)
        .values((
            credit_bookings::key.eq(&key),
            credit_bookings::customer_id.eq(customer.id),
            credit_bookings::amount.eq(credit.money.amount.to_string()),
            credit_bookings::currency.eq(&credit.money.currency),
            credit_bookings::reason.eq(&credit.reason),
            credit_bookings::booked_at.eq(now),
        ))
        .on_conflict_do_nothing();
    let inserted = match connection {
        Db::Sqlite(sqlite) => inserted.execute(sqlite)?,
        Db::Postgres(postgres) => inserted.execute(postgres)?,
    };
    if inserted > 0 {
        return Ok(Recorded { outcome: Outcome::Created, version: None, issues: Vec::new() });
    }
    let before: (i64, String, String) = credit_bookings::table
        .filter(credit_bookings::key.eq(&key))
        .select((credit_bookings::customer_id, credit_bookings::amount, credit_bookings::currency))
        .first(connection)?;
    let same_amount = before.1.parse::<Decimal>().is_ok_and(|amount| amount == credit.money.amount);
    if before.0 == customer.id && same_amount && before.2 == credit.money.currency {
        return Ok(Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() });
    }
    let text = format!("another amount was booked under the key {}: {} {}", credit.key, before.1, before.2);
    let issue = Issue::error("credit.key_used", text).of("key", &credit.key);
    Ok(Recorded::refused(vec![issue.suggest("use another key for another booking")]))
}

/// What customers have to the good, one a currency; nothing where it comes to nothing.
///
/// # Errors
/// Those of the database.
pub fn balances(connection: &mut Db, ids: &[i64]) -> Result<HashMap<i64, Vec<Money>>, StoreError> {
    let mut sums: BTreeMap<(i64, String), Decimal> = BTreeMap::new();
    for ids in ids.chunks(LOOKUP) {
        let bookings: Vec<(i64, String, String)> = credit_bookings::table
            .filter(credit_bookings::customer_id.eq_any(ids))
            .select((credit_bookings::customer_id, credit_bookings::currency, credit_bookings::amount))
            .load(connection)?;
        for (id, currency, amount) in bookings {
            if let Ok(amount) = amount.parse::<Decimal>() {
                sums.entry((id, currency)).or_default().0 += amount.0;
            }
        }
    }
    let sums = sums.into_iter().filter(|(_, amount)| *amount != Decimal::default());
    Ok(by_owner(sums.map(|((id, currency), amount)| (id, Money { amount, currency }))))
}

/// A booking with its id and time.
pub type Booked = (i64, Credit, NaiveDateTime);

/// A page of a customer's bookings, the latest first; and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Db,
    customer: (i64, &str),
    before: Option<i64>,
    limit: i64,
) -> Result<(Vec<Booked>, bool), StoreError> {
    type Row = (i64, String, String, String, Option<String>, NaiveDateTime);
    let (id, number) = customer;
    let mut rows: Vec<Row> = credit_bookings::table
        .filter(credit_bookings::customer_id.eq(id))
        .filter(credit_bookings::id.lt(before.unwrap_or(i64::MAX)))
        .order(credit_bookings::id.desc())
        .limit(limit + 1)
        .select((
            credit_bookings::id,
            credit_bookings::key,
            credit_bookings::amount,
            credit_bookings::currency,
            credit_bookings::reason,
            credit_bookings::booked_at,
        ))
        .load(connection)?;
    let more = page::cut(&mut rows, limit);
    let booked = rows.into_iter().filter_map(|(id, key, amount, currency, reason, at)| {
        let money = Money { amount: amount.parse().ok()?, currency };
        Some((id, Credit { key, customer: number.to_owned(), money, reason }, at))
    });
    Ok((booked.collect(), more))
}
