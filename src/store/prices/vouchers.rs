//! Vouchers.

use super::{Page, decimal, value};
use crate::domain::Defaults;
use crate::domain::customers::Money;
use crate::domain::pricing::Period;
use crate::domain::pricing::records::{Voucher, code_key};
use crate::store::batch::{Batch, Changed, Recorded, Stored};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::links::Links;
use crate::store::schema::{customers, vouchers};
use crate::store::search::check_keys;
use crate::store::{Db, LOOKUP, StoreError, keys, lock};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::pricing as contract;
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = vouchers)]
struct Row {
    id: i64,
    code: String,
    code_key: String,
    amount: Option<String>,
    currency: Option<String>,
    percent: Option<String>,
    minimum: Option<String>,
    minimum_currency: Option<String>,
    customer_id: Option<i64>,
    valid_from: Option<NaiveDateTime>,
    valid_until: Option<NaiveDateTime>,
    uses: Option<i32>,
    used: i32,
    active: bool,
    version: i64,
    changed_at: NaiveDateTime,
}

/// A row with the customer's number.
type Joined = (Row, Option<String>);

fn stored((row, customer): Joined) -> Stored<Voucher> {
    let money = |amount: Option<String>, currency: Option<String>| {
        amount.zip(currency).map(|(amount, currency)| Money { amount: decimal(&amount), currency })
    };
    Stored {
        id: row.id,
        version: row.version,
        changed_at: row.changed_at,
        record: Voucher {
            code: row.code,
            amount: money(row.amount, row.currency),
            percent: row.percent.map(|percent| decimal(&percent)),
            minimum: money(row.minimum, row.minimum_currency),
            customer,
            period: Period { from: row.valid_from, until: row.valid_until },
            uses: row.uses,
            active: row.active,
        },
    }
}

/// A voucher, and how often it was used.
pub type Counted = (Stored<Voucher>, i32);

const VOUCHERS: Table = Table {
    name: "vouchers",
    columns: &[
        Column::Text("code"),
        Column::Text("code_key"),
        Column::Text("amount"),
        Column::Text("currency"),
        Column::Text("percent"),
        Column::Text("minimum"),
        Column::Text("minimum_currency"),
        Column::Integer("customer_id"),
        Column::Time("valid_from"),
        Column::Time("valid_until"),
        Column::Integer("uses"),
        Column::Boolean("active"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["code_key"],
};

/// Applies changes to vouchers, each on its own.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::Voucher>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let keys: Vec<String> = changes.iter().map(|c| code_key(&c.code)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "vouchers", "code_key", &held)?;
    let numbers = changes.iter().filter_map(|c| value(c.customer.as_ref()));
    let mut links = Links::load(connection, std::iter::empty(), numbers)?;
    let mut before = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(LOOKUP) {
        let rows: Vec<Joined> = vouchers::table
            .left_join(customers::table)
            .filter(vouchers::code_key.eq_any(keys))
            .select((Row::as_select(), customers::number.nullable()))
            .load(connection)?;
        for joined in rows {
            if let (Some(id), Some(number)) = (joined.0.customer_id, &joined.1) {
                links.add_customer(id, number);
            }
            before.insert(joined.0.code_key.clone(), stored(joined));
        }
    }
    let mut batch = Batch::of(before);
    for (key, change) in keys.into_iter().zip(changes) {
        batch
            .apply(key, change.if_version, |current, issues| Voucher::apply(current, change, &links, defaults, issues));
    }
    write(connection, &batch.changed(), &links, now)?;
    Ok(batch.into_results())
}

fn write(
    connection: &mut Db,
    changed: &[Changed<'_, Voucher>],
    links: &Links,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    for change in changed {
        let voucher = change.now;
        let amount = |money: &Option<Money>| money.as_ref().map(|m| m.amount.to_string());
        rows.text(&voucher.code)
            .text(change.key)
            .text_option(amount(&voucher.amount))
            .text_option(voucher.amount.as_ref().map(|m| m.currency.as_str()))
            .text_option(voucher.percent.as_ref().map(ToString::to_string))
            .text_option(amount(&voucher.minimum))
            .text_option(voucher.minimum.as_ref().map(|m| m.currency.as_str()))
            .integer_option(voucher.customer.as_deref().and_then(|number| links.customer_id(number)))
            .time_option(voucher.period.from)
            .time_option(voucher.period.until)
            .integer_option(voucher.uses.map(i64::from))
            .boolean(voucher.active)
            .integer(change.version)
            .time(now);
    }
    VOUCHERS.put(connection, &rows)
}

/// A page of vouchers in the order of their codes, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, page: &Page) -> Result<(Vec<Counted>, Option<String>), StoreError> {
    let mut query = vouchers::table
        .left_join(customers::table)
        .select((Row::as_select(), customers::number.nullable()))
        .order(vouchers::code_key)
        .limit(page.limit + 1)
        .into_boxed();
    if !page.keys.is_empty() {
        check_keys(page.keys.len())?;
        let keys: Vec<String> = page.keys.iter().map(|code| code_key(code)).collect();
        query = query.filter(vouchers::code_key.eq_any(keys));
    }
    if let Some(after) = &page.after {
        query = query.filter(vouchers::code_key.gt(after.clone()));
    }
    if let Some(since) = page.changed_since {
        query = query.filter(vouchers::changed_at.ge(since));
    }
    if let Some(range) = page.changes {
        query = query.filter(range.of_table("vouchers"));
    }
    let found: Vec<Joined> = query.load(connection)?;
    let counted: Vec<Counted> =
        found.into_iter().map(|joined| (joined.0.used, joined)).map(|(used, j)| (stored(j), used)).collect();
    Ok(page.cut(counted, |(voucher, _)| code_key(&voucher.record.code)))
}

/// Deletes vouchers by their codes; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, codes: &[String]) -> Result<Vec<bool>, StoreError> {
    keys::delete(connection, "vouchers", "code_key", codes.iter().map(|key| code_key(key)))
}
