//! Line discounts.

use super::{Page, customer_id, decimal, value};
use crate::domain::pricing::Period;
use crate::domain::pricing::records::LineDiscount;
use crate::domain::{Defaults, compared};
use crate::store::batch::{Batch, Changed, Recorded, Stored};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::links::Links;
use crate::store::schema::{articles, customers, line_discounts};
use crate::store::search::check_keys;
use crate::store::{Db, LOOKUP, StoreError, keys, lock};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::pricing as contract;
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = line_discounts)]
struct Row {
    id: i64,
    key: String,
    customer_id: Option<i64>,
    customer_group: Option<String>,
    article_id: Option<i64>,
    article_group: Option<String>,
    minimum: String,
    percent: String,
    valid_from: Option<NaiveDateTime>,
    valid_until: Option<NaiveDateTime>,
    version: i64,
    changed_at: NaiveDateTime,
}

/// A row with the article's and the customer's number.
type Joined = (Row, Option<String>, Option<String>);

fn stored((row, sku, customer): Joined) -> Stored<LineDiscount> {
    Stored {
        id: row.id,
        version: row.version,
        changed_at: row.changed_at,
        record: LineDiscount {
            key: row.key,
            customer,
            customer_group: row.customer_group,
            sku,
            article_group: row.article_group,
            minimum: decimal(&row.minimum),
            percent: decimal(&row.percent),
            period: Period { from: row.valid_from, until: row.valid_until },
        },
    }
}

const DISCOUNTS: Table = Table {
    name: "line_discounts",
    columns: &[
        Column::Text("key"),
        Column::Integer("customer_id"),
        Column::Text("customer_group"),
        Column::Integer("article_id"),
        Column::Text("article_group"),
        Column::Text("minimum"),
        Column::Text("percent"),
        Column::Time("valid_from"),
        Column::Time("valid_until"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["key"],
};

/// Applies changes to discounts, each on its own.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::LineDiscount>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let keys: Vec<String> = changes.iter().map(|c| compared(&c.key)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "line_discounts", "key", &held)?;
    let skus = changes.iter().filter_map(|c| value(c.sku.as_ref()));
    let mut links = Links::load(connection, skus, changes.iter().filter_map(|c| value(c.customer.as_ref())))?;
    let mut before = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(LOOKUP) {
        let rows: Vec<Joined> = line_discounts::table
            .left_join(articles::table)
            .left_join(customers::table)
            .filter(line_discounts::key.eq_any(keys))
            .select((Row::as_select(), articles::sku.nullable(), customers::number.nullable()))
            .load(connection)?;
        for joined in rows {
            if let (Some(id), Some(sku)) = (joined.0.article_id, &joined.1) {
                links.add_article(id, sku);
            }
            if let (Some(id), Some(number)) = (joined.0.customer_id, &joined.2) {
                links.add_customer(id, number);
            }
            before.insert(joined.0.key.clone(), stored(joined));
        }
    }
    let mut batch = Batch::of(before);
    for (key, change) in keys.into_iter().zip(changes) {
        batch.apply(key, change.if_version, |current, issues| {
            LineDiscount::apply(current, change, &links, defaults, issues)
        });
    }
    write(connection, &batch.changed(), &links, now)?;
    Ok(batch.into_results())
}

fn write(
    connection: &mut Db,
    changed: &[Changed<'_, LineDiscount>],
    links: &Links,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    for change in changed {
        let discount = change.now;
        rows.text(change.key)
            .integer_option(discount.customer.as_deref().and_then(|number| links.customer_id(number)))
            .text_option(discount.customer_group.as_deref())
            .integer_option(discount.sku.as_deref().and_then(|sku| links.article_id(sku)))
            .text_option(discount.article_group.as_deref())
            .text(discount.minimum.to_string())
            .text(discount.percent.to_string())
            .time_option(discount.period.from)
            .time_option(discount.period.until)
            .integer(change.version)
            .time(now);
    }
    DISCOUNTS.put(connection, &rows)
}

/// What a list of discounts is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub page: Page,
    pub customer: Option<String>,
    pub customer_group: Option<String>,
}

/// A page of discounts in the order of their keys, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stored<LineDiscount>>, Option<String>), StoreError> {
    let page = &filter.page;
    let mut query = line_discounts::table
        .left_join(articles::table)
        .left_join(customers::table)
        .select((Row::as_select(), articles::sku.nullable(), customers::number.nullable()))
        .order(line_discounts::key)
        .limit(page.limit + 1)
        .into_boxed();
    if !page.keys.is_empty() {
        check_keys(page.keys.len())?;
        query = query.filter(line_discounts::key.eq_any(page.compared_keys()));
    }
    if let Some(after) = &page.after {
        query = query.filter(line_discounts::key.gt(after.clone()));
    }
    if let Some(since) = page.changed_since {
        query = query.filter(line_discounts::changed_at.ge(since));
    }
    if let Some(range) = page.changes {
        query = query.filter(range.of_table("line_discounts"));
    }
    if let Some(number) = &filter.customer {
        let id = customer_id(connection, number)?;
        query = query.filter(line_discounts::customer_id.eq(id));
    }
    if let Some(group) = &filter.customer_group {
        query = query.filter(line_discounts::customer_group.eq(group.clone()));
    }
    let found: Vec<Joined> = query.load(connection)?;
    Ok(page.cut(found.into_iter().map(stored).collect(), |d: &Stored<LineDiscount>| d.record.key.clone()))
}

/// Deletes discounts by their keys; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, keys: &[String]) -> Result<Vec<bool>, StoreError> {
    keys::delete(connection, "line_discounts", "key", keys.iter().map(|key| compared(key)))
}
