//! Manufacturers, units and accounting groups: three tables of one shape.

use super::batch::{Batch, Recorded, Stored};
use super::bulk::{Column, Rows, Table, id_list};
use super::children::{Children, by_owner};
use super::search::{check_keys, pattern};
use super::{ChangeRange, Db, StoreError, keys, lock, page};
use crate::domain::masters::{Given, Kind, Master};
use crate::domain::{Defaults, compared};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
use serde_json::json;
use std::collections::HashMap;

/// Where records of a kind are kept.
struct Place {
    table: Table,
    names: Table,
    /// The column of the names that leads to their record.
    owner: &'static str,
    details: [&'static str; 2],
}

impl Place {
    fn of(kind: Kind) -> Self {
        const VERSION: Column = Column::Integer("version");
        const CHANGED: Column = Column::Time("changed_at");
        const KEY: Column = Column::Text("key");
        macro_rules! place {
            ($table:literal, $names:literal, $owner:literal, $first:literal, $second:literal, $column:ident) => {
                Place {
                    table: Table {
                        name: $table,
                        columns: &[KEY, Column::Text($first), Column::$column($second), VERSION, CHANGED],
                        key: &["key"],
                    },
                    names: Table {
                        name: $names,
                        columns: &[Column::Integer($owner), Column::Text("language"), Column::Text("name")],
                        key: &[],
                    },
                    owner: $owner,
                    details: [$first, $second],
                }
            };
        }
        match kind {
            Kind::Manufacturer => {
                place!("manufacturers", "manufacturer_names", "manufacturer_id", "website", "country", Text)
            }
            Kind::Unit => place!("units", "unit_names", "unit_id", "code", "decimals", Integer),
            Kind::AccountingGroup => place!(
                "accounting_groups",
                "accounting_group_names",
                "accounting_group_id",
                "revenue_account",
                "expense_account",
                Text
            ),
        }
    }

    fn select(&self) -> String {
        let [first, second] = self.details;
        let table = self.table.name;
        format!("SELECT id, key, {first} AS first, CAST({second} AS TEXT) AS second, version, changed_at FROM {table}")
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Nullable<Text>)]
    first: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    second: Option<String>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamp)]
    changed_at: NaiveDateTime,
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = BigInt)]
    owner: i64,
    #[diesel(sql_type = Text)]
    language: String,
    #[diesel(sql_type = Text)]
    name: String,
}

fn loaded(connection: &mut Db, place: &Place, rows: Vec<Row>) -> Result<Vec<Stored<Master>>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = id_list(&rows.iter().map(|row| row.id).collect::<Vec<_>>());
    let (owner, table) = (place.owner, place.names.name);
    let sql = format!("SELECT {owner} AS owner, language, name FROM {table} WHERE {owner} IN ({ids}) ORDER BY 1, 2");
    let names: Vec<NameRow> = diesel::sql_query(sql).load(connection)?;
    let mut names = by_owner(names.into_iter().map(|row| (row.owner, (row.language, row.name))));
    let stored = rows.into_iter().map(|row| {
        let names = names.remove(&row.id).unwrap_or_default();
        let record = Master { key: row.key, names, details: [row.first, row.second] };
        Stored { id: row.id, version: row.version, changed_at: row.changed_at, record }
    });
    Ok(stored.collect())
}

/// The values of a JSON array that is bound there.
fn values_of(connection: &Db, bound: &str) -> String {
    match connection {
        Db::Postgres(_) => format!("SELECT json_array_elements_text(CAST({bound} AS json))"),
        Db::Sqlite(_) => format!("SELECT value FROM json_each({bound})"),
    }
}

fn by_keys(connection: &mut Db, place: &Place, keys: &[String]) -> Result<Vec<Stored<Master>>, StoreError> {
    let sql = format!("{} WHERE key IN ({})", place.select(), values_of(connection, "$1"));
    let rows: Vec<Row> = diesel::sql_query(sql).bind::<Text, _>(json!(keys).to_string()).load(connection)?;
    loaded(connection, place, rows)
}

/// Applies changes, each on its own.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    kind: Kind,
    changes: Vec<Given>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let place = Place::of(kind);
    let keys: Vec<String> = changes.iter().map(|change| compared(&change.key)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, place.table.name, "key", &held)?;
    let before = by_keys(connection, &place, &keys)?;
    let mut batch = Batch::of(before.into_iter().map(|master| (master.record.key.clone(), master)).collect());
    for (key, change) in keys.into_iter().zip(changes) {
        batch.apply(key, change.if_version, |current, issues| Master::apply(current, kind, change, defaults, issues));
    }
    let changed = batch.changed();
    let mut rows = Rows::default();
    for change in &changed {
        let [first, second] = &change.now.details;
        rows.text(change.key).text_option(first.as_deref());
        match kind {
            Kind::Unit => rows.integer_option(second.as_ref().and_then(|count| count.parse().ok())),
            _ => rows.text_option(second.as_deref()),
        };
        rows.integer(change.version).time(now);
    }
    place.table.put(connection, &rows)?;
    let keys: Vec<String> = changed.iter().map(|c| c.key.clone()).collect();
    let ids: HashMap<String, i64> =
        by_keys(connection, &place, &keys)?.into_iter().map(|master| (master.record.key, master.id)).collect();
    let Place { names, owner, .. } = place;
    let mut names = Children::of(names, owner);
    for change in &changed {
        let Some(id) = ids.get(change.key) else { continue };
        let before = change.before.map(|b| &b.record.names[..]);
        names.put(*id, &change.now.names, before, |rows, _, (language, name)| {
            rows.text(language).text(name);
        });
    }
    names.write(connection)?;
    drop(changed);
    Ok(batch.into_results())
}

/// One, by its key.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, kind: Kind, key: &str) -> Result<Option<Stored<Master>>, StoreError> {
    Ok(by_keys(connection, &Place::of(kind), &[compared(key)])?.pop())
}

/// What a list is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// None: all.
    pub keys: Vec<String>,
    pub text: Option<String>,
    pub changed_since: Option<NaiveDateTime>,
    pub changes: Option<ChangeRange>,
    pub after: Option<String>,
    pub limit: i64,
}

/// A page in the order of keys, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Db,
    kind: Kind,
    filter: &Filter,
) -> Result<(Vec<Stored<Master>>, Option<String>), StoreError> {
    let place = Place::of(kind);
    let (table, names, owner) = (place.table.name, place.names.name, place.owner);
    let sql = format!(
        "{} WHERE key > $1 AND changed_at >= $2 AND ($3 = '' OR folded(key) LIKE $3 ESCAPE '\\' \
         OR EXISTS (SELECT 1 FROM {names} n WHERE n.{owner} = {table}.id AND folded(n.name) LIKE $3 ESCAPE '\\')) \
         AND ($4 = '[]' OR key IN ({})) AND change_number > $5 AND change_number <= $6 ORDER BY key LIMIT $7",
        place.select(),
        values_of(connection, "$4")
    );
    let changes = filter.changes.unwrap_or(ChangeRange { after: -1, until: i64::MAX });
    let text = filter.text.as_deref().map(pattern).transpose()?.unwrap_or_default();
    let since = filter.changed_since.unwrap_or_default();
    check_keys(filter.keys.len())?;
    let keys: Vec<String> = filter.keys.iter().map(|key| compared(key)).collect();
    let mut rows: Vec<Row> = diesel::sql_query(sql)
        .bind::<Text, _>(filter.after.as_deref().unwrap_or(""))
        .bind::<Timestamp, _>(since)
        .bind::<Text, _>(text)
        .bind::<Text, _>(json!(keys).to_string())
        .bind::<BigInt, _>(changes.after)
        .bind::<BigInt, _>(changes.until)
        .bind::<BigInt, _>(filter.limit + 1)
        .load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let next = rows.last().filter(|_| more).map(|row| row.key.clone());
    Ok((loaded(connection, &place, rows)?, next))
}

/// Deletes by keys; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, kind: Kind, given: &[String]) -> Result<Vec<bool>, StoreError> {
    keys::delete(connection, Place::of(kind).table.name, "key", given.iter().map(|key| compared(key)))
}
