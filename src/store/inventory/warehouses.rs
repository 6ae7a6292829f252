//! Warehouses, for people: what they are called, and where they are.

use crate::domain::inventory::Warehouse;
use crate::domain::{Defaults, Issue, compared};
use crate::store::addresses::{self, AddressRow, address_columns, address_table};
use crate::store::batch::{Batch, Deletion, Recorded, Stored};
use crate::store::bulk::{Column, Rows, Table, id_list};
use crate::store::children::{Children, by_owner};
use crate::store::keys::ids_by_key;
use crate::store::schema::{article_stocks, warehouse_addresses, warehouse_names, warehouses};
use crate::store::search::{Search, check_keys};
use crate::store::{ChangeRange, Db, LOOKUP, StoreError, lock, page};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::inventory as contract;
use std::collections::HashMap;

const WAREHOUSES: Table = Table {
    name: "warehouses",
    columns: &[Column::Text("key"), Column::Integer("version"), Column::Time("changed_at")],
    key: &["key"],
};
const NAMES: Table = Table {
    name: "warehouse_names",
    columns: &[Column::Integer("warehouse_id"), Column::Text("language"), Column::Text("name")],
    key: &[],
};
const ADDRESSES: Table = address_table!("warehouse_addresses", Column::Integer("warehouse_id"));

/// What an address of a warehouse is for.
const PLACE: &str = "place";

type Row = (i64, String, i64, NaiveDateTime);

fn loaded(connection: &mut Db, rows: Vec<Row>) -> Result<Vec<Stored<Warehouse>>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let names: Vec<(i64, String, String)> = warehouse_names::table
        .filter(warehouse_names::warehouse_id.eq_any(&ids))
        .order((warehouse_names::warehouse_id, warehouse_names::language))
        .load(connection)?;
    let mut names = by_owner(names.into_iter().map(|(id, language, name)| (id, (language, name))));
    let addresses: Vec<AddressRow> = warehouse_addresses::table
        .filter(warehouse_addresses::warehouse_id.eq_any(&ids))
        .select(address_columns!(warehouse_addresses, warehouse_id))
        .load(connection)?;
    let mut addresses: HashMap<i64, _> = addresses.into_iter().map(|row| (row.owner, row.into_address())).collect();
    let stored = rows.into_iter().map(|(id, key, version, changed_at)| {
        let record = Warehouse { key, names: names.remove(&id).unwrap_or_default(), address: addresses.remove(&id) };
        Stored { id, version, changed_at, record }
    });
    Ok(stored.collect())
}

/// Applies changes to warehouses, each on its own.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::Warehouse>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let keys: Vec<String> = changes.iter().map(|w| compared(&w.key)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "warehouses", "key", &held)?;
    let mut before = HashMap::new();
    for keys in keys.chunks(LOOKUP) {
        let rows: Vec<Row> = warehouses::table.filter(warehouses::key.eq_any(keys)).load(connection)?;
        before.extend(loaded(connection, rows)?.into_iter().map(|w| (w.record.key.clone(), w)));
    }
    let mut batch = Batch::of(before);
    for (key, change) in keys.into_iter().zip(changes) {
        batch.apply(key, change.if_version, |current, issues| Warehouse::apply(current, change, defaults, issues));
    }
    let changed = batch.changed();
    let mut rows = Rows::default();
    for change in &changed {
        rows.text(change.key).integer(change.version).time(now);
    }
    WAREHOUSES.put(connection, &rows)?;
    let keys: Vec<&String> = changed.iter().map(|c| c.key).collect();
    let ids = ids_by_key!(connection, warehouses, key, keys);
    let (mut names, mut places) = (Children::of(NAMES, "warehouse_id"), Rows::default());
    for change in &changed {
        let Some(id) = ids.get(change.key) else { continue };
        let before = change.before.map(|b| &b.record.names[..]);
        names.put(*id, &change.now.names, before, |rows, _, (language, name)| {
            rows.text(language).text(name);
        });
        if let Some(address) = &change.now.address {
            places.integer(*id);
            addresses::put(&mut places, PLACE, address);
        }
    }
    names.write(connection)?;
    if !ids.is_empty() {
        let list = id_list(&ids.values().copied().collect::<Vec<_>>());
        let sql = format!("DELETE FROM warehouse_addresses WHERE warehouse_id IN ({list})");
        diesel::sql_query(sql).execute(connection)?;
    }
    ADDRESSES.put(connection, &places)?;
    drop(changed);
    Ok(batch.into_results())
}

/// A warehouse by its key.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, key: &str) -> Result<Option<Stored<Warehouse>>, StoreError> {
    let rows: Vec<Row> = warehouses::table.filter(warehouses::key.eq(compared(key))).load(connection)?;
    Ok(loaded(connection, rows)?.pop())
}

/// What a list of warehouses is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// None: all.
    pub keys: Vec<String>,
    pub changed_since: Option<NaiveDateTime>,
    pub changes: Option<ChangeRange>,
    pub text: Option<String>,
    /// The key after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of warehouses in the order of their keys, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stored<Warehouse>>, Option<String>), StoreError> {
    let mut query = warehouses::table.order(warehouses::key).limit(filter.limit + 1).into_boxed();
    if !filter.keys.is_empty() {
        check_keys(filter.keys.len())?;
        let keys: Vec<String> = filter.keys.iter().map(|key| compared(key)).collect();
        query = query.filter(warehouses::key.eq_any(keys));
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(warehouses::changed_at.ge(since));
    }
    if let Some(range) = filter.changes {
        query = query.filter(range.of_table("warehouses"));
    }
    if let Some(text) = &filter.text {
        let search = Search::new(text)?;
        let like = |column| search.is_in(column);
        let named = warehouse_names::table.filter(like("warehouse_names.name")).select(warehouse_names::warehouse_id);
        query = query.filter(like("warehouses.key").or(warehouses::id.eq_any(named)));
    }
    if let Some(after) = &filter.after {
        query = query.filter(warehouses::key.gt(after));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let next = rows.last().filter(|_| more).map(|row| row.1.clone());
    Ok((loaded(connection, rows)?, next))
}

/// Deletes warehouses by their keys; one that has stock stays.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, keys: &[String]) -> Result<Vec<Deletion>, StoreError> {
    let mut deletions = Vec::with_capacity(keys.len());
    for key in keys {
        let quantities: Vec<String> = article_stocks::table
            .filter(article_stocks::warehouse.eq(key))
            .select(article_stocks::quantity)
            .load(connection)?;
        let is_some = |quantity: &&String| quantity.parse::<BigDecimal>().is_ok_and(|q| q != BigDecimal::default());
        let with_stock = quantities.iter().filter(is_some).count();
        if with_stock > 0 {
            let text = format!("the warehouse {key} has stock of {with_stock} articles");
            let issue = Issue::error("warehouse.has_stock", text).of("key", key);
            deletions.push(Deletion::Refused(issue.suggest("book the stock to 0 first (BookStock)")));
            continue;
        }
        let one = warehouses::table.filter(warehouses::key.eq(compared(key)));
        deletions.push((diesel::delete(one).execute(connection)? > 0).into());
    }
    Ok(deletions)
}
