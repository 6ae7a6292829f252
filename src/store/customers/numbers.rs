//! Numbers of customers: allocated, assigned, and leading to the customer that they once were of.

use crate::domain::customers::Numbering;
use crate::domain::numbers::Range;
use crate::domain::{Issue, compared};
use crate::store::batch::{Outcome, Recorded};
use crate::store::children::by_owner;
use crate::store::schema::{customer_aliases, customers};
use crate::store::{Db, LOOKUP, StoreError, lock, numbers};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::{HashMap, HashSet};

/// How often merges may follow each other: more means that the data is broken.
const MAX_MERGES: usize = 1000;

/// The customer that a number leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub id: i64,
    pub number: String,
    /// The number's compared form.
    pub key: String,
}

/// The customers that numbers (in compared form) lead to, by way of aliases and merges.
///
/// # Errors
/// Those of the database.
pub fn resolve(connection: &mut Db, keys: &[String]) -> Result<HashMap<String, Resolved>, StoreError> {
    type Found = (String, i64, String, String, Option<i64>);
    let mut found: HashMap<String, (Resolved, Option<i64>)> = HashMap::with_capacity(keys.len());
    let mut put = |rows: Vec<Found>| {
        found.extend(
            rows.into_iter().map(|(asked, id, number, key, into)| (asked, (Resolved { id, number, key }, into))),
        );
    };
    for keys in keys.chunks(LOOKUP) {
        let of_customer = (customers::id, customers::number, customers::number_key, customers::merged_into);
        put(customers::table
            .filter(customers::number_key.eq_any(keys))
            .select((customers::number_key, of_customer.0, of_customer.1, of_customer.2, of_customer.3))
            .load(connection)?);
        put(customer_aliases::table
            .inner_join(customers::table)
            .filter(customer_aliases::number_key.eq_any(keys))
            .select((customer_aliases::number_key, of_customer.0, of_customer.1, of_customer.2, of_customer.3))
            .load(connection)?);
    }
    for _ in 0..MAX_MERGES {
        let next: HashSet<i64> = found.values().filter_map(|(_, into)| *into).collect();
        if next.is_empty() {
            break;
        }
        let next: Vec<i64> = next.into_iter().collect();
        let mut others: HashMap<i64, (Resolved, Option<i64>)> = HashMap::new();
        for ids in next.chunks(LOOKUP) {
            let rows: Vec<(i64, String, String, Option<i64>)> = customers::table
                .filter(customers::id.eq_any(ids))
                .select((customers::id, customers::number, customers::number_key, customers::merged_into))
                .load(connection)?;
            others.extend(rows.into_iter().map(|(id, number, key, into)| (id, (Resolved { id, number, key }, into))));
        }
        for slot in found.values_mut() {
            if let Some(other) = slot.1.and_then(|into| others.get(&into)) {
                *slot = other.clone();
            }
        }
    }
    Ok(found.into_iter().map(|(asked, (resolved, _))| (asked, resolved)).collect())
}

/// What was merged into customers, directly or by way of others: id, number, and the customer it leads to now.
pub(super) fn merged_into(connection: &mut Db, ids: &[i64]) -> Result<Vec<(i64, String, i64)>, StoreError> {
    let mut all = Vec::new();
    // The customer that each leads to in the end.
    let mut ends: HashMap<i64, i64> = ids.iter().map(|id| (*id, *id)).collect();
    let mut level: Vec<i64> = ids.to_vec();
    while !level.is_empty() {
        let mut next = Vec::new();
        for ids in level.chunks(LOOKUP) {
            let rows: Vec<(i64, String, Option<i64>)> = customers::table
                .filter(customers::merged_into.eq_any(ids))
                .order(customers::id)
                .select((customers::id, customers::number, customers::merged_into))
                .load(connection)?;
            for (id, number, into) in rows {
                let Some(end) = into.and_then(|into| ends.get(&into).copied()) else { continue };
                if ends.insert(id, end).is_none() {
                    next.push(id);
                    all.push((id, number, end));
                }
            }
        }
        level = next;
    }
    Ok(all)
}

/// The old numbers of customers: those that were replaced, and those of the customers that were merged into them.
pub(super) fn aliases(connection: &mut Db, ids: &[i64]) -> Result<HashMap<i64, Vec<String>>, StoreError> {
    let merged = merged_into(connection, ids)?;
    let mut ends: HashMap<i64, i64> = ids.iter().map(|id| (*id, *id)).collect();
    ends.extend(merged.iter().map(|(id, _, end)| (*id, *end)));
    let holders: Vec<i64> = ends.keys().copied().collect();
    let mut found: Vec<(i64, String)> = merged.into_iter().map(|(_, number, end)| (end, number)).collect();
    for ids in holders.chunks(LOOKUP) {
        let rows: Vec<(i64, String)> = customer_aliases::table
            .filter(customer_aliases::customer_id.eq_any(ids))
            .select((customer_aliases::customer_id, customer_aliases::number))
            .load(connection)?;
        found.extend(rows.into_iter().filter_map(|(id, number)| Some((*ends.get(&id)?, number))));
    }
    found.sort();
    Ok(by_owner(found))
}

/// Takes as many customer numbers from a range as are wanted: numbers that nobody has, and nobody else gets.
///
/// # Errors
/// Those of the database; or that the range has no more.
pub fn allocate(connection: &mut Db, range: &Range, wanted: usize) -> Result<Vec<String>, StoreError> {
    let taken = |connection: &mut Db, new: &[String]| Ok(resolve(connection, new)?.into_keys().collect());
    numbers::take(connection, range, wanted, "customer.numbers_exhausted", taken)
}

/// Gives a customer another number; the one before stays as an alias.
///
/// # Errors
/// Those of the database.
pub fn assign(
    connection: &mut Db,
    number: &str,
    to: &str,
    numbering: &Numbering,
    now: NaiveDateTime,
) -> Result<Recorded, StoreError> {
    let (old_key, new_key) = (compared(number), compared(to));
    lock::records(connection, "customers", "number_key", &[(&old_key, None), (&new_key, Some(0))])?;
    let found = resolve(connection, &[old_key.clone(), new_key.clone()])?;
    let refused = |issue: Issue| Ok(Recorded::refused(vec![issue]));
    let Some(customer) = found.get(&old_key) else {
        let text = format!("there is no customer {number}");
        return refused(Issue::error("customer.not_found", text).of("number", number));
    };
    let version: i64 = customers::table.find(customer.id).select(customers::version).first(connection)?;
    if customer.key == new_key {
        return Ok(Recorded { outcome: Outcome::Unchanged, version: Some(version), issues: Vec::new() });
    }
    if let Some(holder) = found.get(&new_key) {
        let text = format!("{to} is, or was, the number of customer {}", holder.number);
        let issue = Issue::error("customer.number_taken", text).of("to", to);
        return refused(issue.suggest("assign another number, or merge the two (MergeCustomers)"));
    }
    let place = numbers::next(connection, &numbering.own)?;
    if let Some(issue) = numbering.against(to, place) {
        return refused(issue);
    }
    diesel::sql_query("INSERT INTO customer_aliases (number_key, number, customer_id) VALUES ($1, $2, $3)")
        .bind::<Text, _>(&customer.key)
        .bind::<Text, _>(&customer.number)
        .bind::<BigInt, _>(customer.id)
        .execute(connection)?;
    diesel::update(customers::table.find(customer.id))
        .set((
            customers::number.eq(to),
            customers::number_key.eq(&new_key),
            customers::version.eq(version + 1),
            customers::changed_at.eq(now),
        ))
        .execute(connection)?;
    Ok(Recorded { outcome: Outcome::Updated, version: Some(version + 1), issues: Vec::new() })
}
