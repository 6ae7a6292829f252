//! Price entries.

use super::{Page, customer_id, decimal, value};
use crate::domain::catalog::Price;
use crate::domain::pricing::Period;
use crate::domain::pricing::records::PriceEntry;
use crate::domain::{Defaults, compared};
use crate::store::batch::{Batch, Changed, Recorded, Stored};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::links::Links;
use crate::store::schema::{articles, customers, price_entries};
use crate::store::search::check_keys;
use crate::store::{Db, LOOKUP, StoreError, keys, lock};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::pricing as contract;
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = price_entries)]
struct Row {
    id: i64,
    key: String,
    article_id: i64,
    customer_id: Option<i64>,
    price_group: Option<String>,
    campaign: Option<String>,
    minimum: String,
    amount: String,
    currency: String,
    gross: bool,
    unit: Option<String>,
    valid_from: Option<NaiveDateTime>,
    valid_until: Option<NaiveDateTime>,
    allow_line_discount: bool,
    version: i64,
    changed_at: NaiveDateTime,
}

/// A row with the article's and the customer's number.
type Joined = (Row, String, Option<String>);

fn stored((row, sku, customer): Joined) -> Stored<PriceEntry> {
    Stored {
        id: row.id,
        version: row.version,
        changed_at: row.changed_at,
        record: PriceEntry {
            key: row.key,
            sku,
            customer,
            price_group: row.price_group,
            campaign: row.campaign,
            minimum: decimal(&row.minimum),
            price: Price { amount: decimal(&row.amount), currency: row.currency, gross: row.gross },
            unit: row.unit,
            period: Period { from: row.valid_from, until: row.valid_until },
            allow_line_discount: row.allow_line_discount,
        },
    }
}

const ENTRIES: Table = Table {
    name: "price_entries",
    columns: &[
        Column::Text("key"),
        Column::Integer("article_id"),
        Column::Integer("customer_id"),
        Column::Text("price_group"),
        Column::Text("campaign"),
        Column::Text("minimum"),
        Column::Text("amount"),
        Column::Text("currency"),
        Column::Boolean("gross"),
        Column::Text("unit"),
        Column::Time("valid_from"),
        Column::Time("valid_until"),
        Column::Boolean("allow_line_discount"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["key"],
};

/// Applies changes to entries, each on its own.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::PriceEntry>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let keys: Vec<String> = changes.iter().map(|c| compared(&c.key)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "price_entries", "key", &held)?;
    let skus = changes.iter().filter_map(|c| c.sku.as_deref());
    let mut links = Links::load(connection, skus, changes.iter().filter_map(|c| value(c.customer.as_ref())))?;
    let mut before = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(LOOKUP) {
        let rows: Vec<Joined> = price_entries::table
            .inner_join(articles::table)
            .left_join(customers::table)
            .filter(price_entries::key.eq_any(keys))
            .select((Row::as_select(), articles::sku, customers::number.nullable()))
            .load(connection)?;
        for joined in rows {
            links.add_article(joined.0.article_id, &joined.1);
            if let (Some(id), Some(number)) = (joined.0.customer_id, &joined.2) {
                links.add_customer(id, number);
            }
            before.insert(joined.0.key.clone(), stored(joined));
        }
    }
    let mut batch = Batch::of(before);
    for (key, change) in keys.into_iter().zip(changes) {
        batch.apply(key, change.if_version, |current, issues| {
            PriceEntry::apply(current, change, &links, defaults, issues)
        });
    }
    write(connection, &batch.changed(), &links, now)?;
    Ok(batch.into_results())
}

fn write(
    connection: &mut Db,
    changed: &[Changed<'_, PriceEntry>],
    links: &Links,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    for change in changed {
        let entry = change.now;
        rows.text(change.key)
            .integer_option(links.article_id(&entry.sku))
            .integer_option(entry.customer.as_deref().and_then(|number| links.customer_id(number)))
            .text_option(entry.price_group.as_deref())
            .text_option(entry.campaign.as_deref())
            .text(entry.minimum.to_string())
            .text(entry.price.amount.to_string())
            .text(&entry.price.currency)
            .boolean(entry.price.gross)
            .text_option(entry.unit.as_deref())
            .time_option(entry.period.from)
            .time_option(entry.period.until)
            .boolean(entry.allow_line_discount)
            .integer(change.version)
            .time(now);
    }
    ENTRIES.put(connection, &rows)
}

/// What a list of entries is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub page: Page,
    pub sku: Option<String>,
    pub customer: Option<String>,
    pub price_group: Option<String>,
}

/// A page of entries in the order of their keys, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stored<PriceEntry>>, Option<String>), StoreError> {
    let page = &filter.page;
    let mut query = price_entries::table
        .inner_join(articles::table)
        .left_join(customers::table)
        .select((Row::as_select(), articles::sku, customers::number.nullable()))
        .order(price_entries::key)
        .limit(page.limit + 1)
        .into_boxed();
    if !page.keys.is_empty() {
        check_keys(page.keys.len())?;
        query = query.filter(price_entries::key.eq_any(page.compared_keys()));
    }
    if let Some(after) = &page.after {
        query = query.filter(price_entries::key.gt(after.clone()));
    }
    if let Some(since) = page.changed_since {
        query = query.filter(price_entries::changed_at.ge(since));
    }
    if let Some(range) = page.changes {
        query = query.filter(range.of_table("price_entries"));
    }
    if let Some(sku) = &filter.sku {
        query = query.filter(articles::sku_key.eq(compared(sku)));
    }
    if let Some(number) = &filter.customer {
        let id = customer_id(connection, number)?;
        query = query.filter(price_entries::customer_id.eq(id));
    }
    if let Some(group) = &filter.price_group {
        query = query.filter(price_entries::price_group.eq(group.clone()));
    }
    let found: Vec<Joined> = query.load(connection)?;
    Ok(page.cut(found.into_iter().map(stored).collect(), |entry: &Stored<PriceEntry>| entry.record.key.clone()))
}

/// Deletes entries by their keys; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, keys: &[String]) -> Result<Vec<bool>, StoreError> {
    keys::delete(connection, "price_entries", "key", keys.iter().map(|key| compared(key)))
}
