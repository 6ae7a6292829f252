//! Groups of customers, for people: what they are called.

use crate::domain::Defaults;
use crate::domain::compared;
use crate::domain::customers::Group as Record;
use crate::store::batch::{Batch, Recorded, Stored};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::children::{Children, by_owner};
use crate::store::schema::{customer_group_names, customer_groups};
use crate::store::search::Search;
use crate::store::values::one_of;
use crate::store::{Db, LOOKUP, StoreError, lock, page};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::customers as contract;
use std::collections::HashMap;

/// A group with what the database adds.
pub type Group = Stored<Record>;

const GROUPS: Table = Table {
    name: "customer_groups",
    columns: &[Column::Text("kind"), Column::Text("key"), Column::Integer("version"), Column::Time("changed_at")],
    key: &["kind", "key"],
};
const NAMES: Table = Table {
    name: "customer_group_names",
    columns: &[Column::Integer("group_id"), Column::Text("language"), Column::Text("name")],
    key: &[],
};

type Row = (i64, String, String, i64, NaiveDateTime);

/// What tells groups apart: the kind goes first, so that the order is that of kinds, then keys.
fn place(kind: contract::GroupKind, key: &str) -> String {
    format!("{} {key}", kind.as_str())
}

fn with_names(connection: &mut Db, rows: Vec<Row>) -> Result<Vec<Group>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let mut names: HashMap<i64, Vec<(String, String)>> = HashMap::new();
    for ids in ids.chunks(LOOKUP) {
        let found: Vec<(i64, String, String)> =
            customer_group_names::table.filter(customer_group_names::group_id.eq_any(ids)).load(connection)?;
        names.extend(by_owner(found.into_iter().map(|(id, language, name)| (id, (language, name)))));
    }
    let groups = rows.into_iter().filter_map(|(id, kind, key, version, changed_at)| {
        let kind = one_of(&kind)?;
        let mut names = names.remove(&id).unwrap_or_default();
        names.sort();
        Some(Stored { id, version, changed_at, record: Record { kind, key, names } })
    });
    Ok(groups.collect())
}

/// Applies changes to groups, each on its own.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::Group>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let keys: Vec<String> = changes.iter().map(|g| compared(&g.key)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "customer_groups", "key", &held)?;
    let mut rows: Vec<Row> = Vec::new();
    for keys in keys.chunks(LOOKUP) {
        let found: Vec<Row> = customer_groups::table.filter(customer_groups::key.eq_any(keys)).load(connection)?;
        rows.extend(found);
    }
    let before = with_names(connection, rows)?;
    let mut batch = Batch::of(before.into_iter().map(|g| (place(g.record.kind, &g.record.key), g)).collect());
    for (key, change) in keys.iter().zip(changes) {
        batch.apply(place(change.kind, key), change.if_version, |current, issues| {
            Record::apply(current, change, defaults, issues)
        });
    }
    let changed = batch.changed();
    let mut rows = Rows::default();
    for change in &changed {
        rows.text(change.now.kind.as_str()).text(&change.now.key).integer(change.version).time(now);
    }
    GROUPS.put(connection, &rows)?;
    let keys: Vec<&String> = changed.iter().map(|c| &c.now.key).collect();
    let mut ids: HashMap<(String, String), i64> = HashMap::new();
    for keys in keys.chunks(LOOKUP) {
        let found: Vec<(i64, String, String)> = customer_groups::table
            .filter(customer_groups::key.eq_any(keys))
            .select((customer_groups::id, customer_groups::kind, customer_groups::key))
            .load(connection)?;
        ids.extend(found.into_iter().map(|(id, kind, key)| ((kind, key), id)));
    }
    let mut names = Children::of(NAMES, "group_id");
    for change in &changed {
        let Some(id) = ids.get(&(change.now.kind.as_str().to_owned(), change.now.key.clone())) else { continue };
        let before = change.before.map(|b| &b.record.names[..]);
        names.put(*id, &change.now.names, before, |rows, _, (language, name)| {
            rows.text(language).text(name);
        });
    }
    names.write(connection)?;
    drop(changed);
    Ok(batch.into_results())
}

/// A group by its kind and key.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, kind: contract::GroupKind, key: &str) -> Result<Option<Group>, StoreError> {
    let rows: Vec<Row> = customer_groups::table
        .filter(customer_groups::kind.eq(kind.as_str()))
        .filter(customer_groups::key.eq(compared(key)))
        .load(connection)?;
    Ok(with_names(connection, rows)?.pop())
}

/// What a list of groups is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<contract::GroupKind>,
    pub changed_since: Option<NaiveDateTime>,
    pub text: Option<String>,
    /// The kind and key after which the page begins.
    pub after: Option<(String, String)>,
    pub limit: i64,
}

/// A page of groups in the order of kinds and keys; and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Group>, bool), StoreError> {
    use customer_groups::{key, kind as kinds};
    let mut query = customer_groups::table.order((kinds, key)).limit(filter.limit + 1).into_boxed();
    if let Some(since) = filter.changed_since {
        query = query.filter(customer_groups::changed_at.ge(since));
    }
    if let Some(text) = &filter.text {
        let search = Search::new(text)?;
        let like = |column| search.is_in(column);
        let named = customer_group_names::table
            .filter(like("customer_group_names.name"))
            .select(customer_group_names::group_id);
        query = query.filter(like("customer_groups.key").or(customer_groups::id.eq_any(named)));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(kinds.eq(kind.as_str()));
    }
    if let Some((last_kind, last_key)) = &filter.after {
        query = query.filter(kinds.gt(last_kind).or(kinds.eq(last_kind).and(key.gt(last_key))));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    Ok((with_names(connection, rows)?, more))
}

/// Deletes groups by their keys; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, kind: contract::GroupKind, keys: &[String]) -> Result<Vec<bool>, StoreError> {
    let mut outcomes = Vec::with_capacity(keys.len());
    for key in keys {
        let one = customer_groups::table
            .filter(customer_groups::kind.eq(kind.as_str()))
            .filter(customer_groups::key.eq(compared(key)));
        outcomes.push(diesel::delete(one).execute(connection)? > 0);
    }
    Ok(outcomes)
}
