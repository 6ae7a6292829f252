//! Serial numbers of articles.

use super::batch::{Batch, Recorded, Stored};
use super::bulk::{Column, Rows, Table, id_list};
use super::links::Links;
use super::schema::{articles, serial_numbers};
use super::{Db, LOOKUP, StoreError, lock, page};
use crate::domain::pricing::records::Known;
use crate::domain::serials::Serial;
use crate::domain::{Defaults, Issue, compared};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use soapstone_contracts::catalog as contract;
use std::collections::HashMap;

const SERIALS: Table = Table {
    name: "serial_numbers",
    columns: &[
        Column::Integer("article_id"),
        Column::Text("number"),
        Column::Text("number_key"),
        Column::Text("warehouse"),
        Column::Text("order_number"),
        Column::Text("order_key"),
        Column::Time("sold_at"),
        Column::Date("warranty_until"),
        Column::Text("note"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["article_id", "number_key"],
};

type Row = (
    (i64, i64, String, String),
    (Option<String>, Option<String>, Option<NaiveDateTime>, Option<NaiveDate>, Option<String>),
    (i64, NaiveDateTime),
);

macro_rules! columns {
    () => {
        (
            (serial_numbers::id, serial_numbers::article_id, articles::sku, serial_numbers::number),
            (
                serial_numbers::warehouse,
                serial_numbers::order_number,
                serial_numbers::sold_at,
                serial_numbers::warranty_until,
                serial_numbers::note,
            ),
            (serial_numbers::version, serial_numbers::changed_at),
        )
    };
}

fn stored(row: Row) -> Stored<Serial> {
    let ((id, _, sku, number), (warehouse, order, sold_at, warranty_until, note), (version, changed_at)) = row;
    let record = Serial { sku, number, warehouse, order, sold_at, warranty_until, note };
    Stored { id, version, changed_at, record }
}

/// What tells pieces apart.
fn place(article: i64, number: &str) -> String {
    format!("{article} {number}")
}

/// Applies changes to pieces, each on its own.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::SerialNumber>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let links = Links::load(connection, changes.iter().map(|c| c.sku.as_str()), std::iter::empty())?;
    let article = |sku: &str| links.article_id(sku).zip(links.article(sku));
    let ids: Vec<Option<(i64, String)>> = changes.iter().map(|change| article(&change.sku)).collect();
    let keys: Vec<String> = changes.iter().map(|change| compared(&change.number)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "serial_numbers", "number_key", &held)?;
    let mut before: HashMap<String, Stored<Serial>> = HashMap::new();
    for keys in keys.chunks(LOOKUP) {
        let rows: Vec<Row> = serial_numbers::table
            .inner_join(articles::table)
            .filter(serial_numbers::number_key.eq_any(keys))
            .select(columns!())
            .load(connection)?;
        before.extend(rows.into_iter().map(|row| (place(row.0.1, &compared(&row.0.3)), stored(row))));
    }
    let mut batch = Batch::of(before);
    let mut owners: HashMap<String, i64> = HashMap::new();
    for ((change, key), article) in changes.into_iter().zip(keys).zip(ids) {
        let id = article.as_ref().map_or(0, |(id, _)| *id);
        let place = place(id, &key);
        owners.insert(place.clone(), id);
        let expected = change.if_version;
        batch.apply(place, expected, |current, issues| {
            let Some((_, sku)) = &article else {
                let issue =
                    Issue::error("serial_number.unknown_article", format!("there is no article {}", change.sku));
                issues.push(issue.of("sku", &change.sku).suggest("import the article first, or correct its number"));
                return None;
            };
            Serial::apply(current, sku, change, defaults, issues)
        });
    }
    let changed = batch.changed();
    let mut rows = Rows::default();
    for change in &changed {
        let serial = change.now;
        rows.integer(owners.get(change.key).copied().unwrap_or_default())
            .text(&serial.number)
            .text(compared(&serial.number))
            .text_option(serial.warehouse.as_deref())
            .text_option(serial.order.as_deref())
            .text_option(serial.order.as_deref().map(compared))
            .time_option(serial.sold_at)
            .date_option(serial.warranty_until)
            .text_option(serial.note.as_deref())
            .integer(change.version)
            .time(now);
    }
    SERIALS.put(connection, &rows)?;
    drop(changed);
    Ok(batch.into_results())
}

/// A piece by its article and number.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, sku: &str, number: &str) -> Result<Option<Stored<Serial>>, StoreError> {
    let row: Option<Row> = serial_numbers::table
        .inner_join(articles::table)
        .filter(articles::sku_key.eq(compared(sku)))
        .filter(serial_numbers::number_key.eq(compared(number)))
        .select(columns!())
        .first(connection)
        .optional()?;
    Ok(row.map(stored))
}

/// What a list of pieces is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub sku: Option<String>,
    pub number: Option<String>,
    pub order: Option<String>,
    pub warranty_from: Option<NaiveDate>,
    pub warranty_until: Option<NaiveDate>,
    pub changed_since: Option<NaiveDateTime>,
    /// The id after which the page begins.
    pub after: i64,
    pub limit: i64,
}

/// A page of pieces in the order in which they came, and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stored<Serial>>, bool), StoreError> {
    let mut query = serial_numbers::table
        .inner_join(articles::table)
        .filter(serial_numbers::id.gt(filter.after))
        .order(serial_numbers::id)
        .limit(filter.limit + 1)
        .select(columns!())
        .into_boxed();
    if let Some(sku) = &filter.sku {
        query = query.filter(articles::sku_key.eq(compared(sku)));
    }
    if let Some(number) = &filter.number {
        query = query.filter(serial_numbers::number_key.eq(compared(number)));
    }
    if let Some(order) = &filter.order {
        query = query.filter(serial_numbers::order_key.eq(compared(order)));
    }
    if let Some(day) = filter.warranty_from {
        query = query.filter(serial_numbers::warranty_until.ge(day));
    }
    if let Some(day) = filter.warranty_until {
        query = query.filter(serial_numbers::warranty_until.le(day));
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(serial_numbers::changed_at.ge(since));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    Ok((rows.into_iter().map(stored).collect(), more))
}

/// Deletes pieces of an article; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, sku: &str, numbers: &[String]) -> Result<Vec<bool>, StoreError> {
    let mut outcomes = Vec::with_capacity(numbers.len());
    for number in numbers {
        let found = get(connection, sku, number)?;
        if let Some(found) = &found {
            let sql = format!("DELETE FROM serial_numbers WHERE id IN ({})", id_list(&[found.id]));
            diesel::sql_query(sql).execute(connection)?;
        }
        outcomes.push(found.is_some());
    }
    Ok(outcomes)
}
