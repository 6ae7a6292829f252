//! What a full file lacks: records that are there, but not in it.

use super::bulk::{Column, Rows, Table};
use super::{Db, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// Where records are kept.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub table: &'a str,
    /// The column of the key, as it is compared.
    pub column: &'a str,
}

const RECORDS: Table =
    Table { name: "run_records", columns: &[Column::Integer("run_id"), Column::Text("key")], key: &["run_id", "key"] };

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    key: String,
}

/// Notes that a run's file has these keys; an empty one stands for a key that could not be read.
///
/// # Errors
/// Those of the database.
pub fn note<'a>(connection: &mut Db, run: i64, keys: impl Iterator<Item = &'a str>) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    let keys: std::collections::BTreeSet<&str> = keys.collect();
    for key in keys {
        rows.integer(run).text(key);
    }
    RECORDS.put(connection, &rows)
}

fn count(connection: &mut Db, sql: &str) -> Result<i64, StoreError> {
    Ok(diesel::sql_query(sql).get_result::<Count>(connection)?.count)
}

/// Whether there is a record in a run's file whose key could not be read.
///
/// # Errors
/// Those of the database.
pub fn has_unread(connection: &mut Db, run: i64) -> Result<bool, StoreError> {
    let sql = format!("SELECT count(*) AS count FROM run_records WHERE run_id = {run} AND key = ''");
    Ok(count(connection, &sql)? > 0)
}

fn lacking(run: i64, place: Place<'_>) -> String {
    let Place { table, column } = place;
    format!("NOT EXISTS (SELECT 1 FROM run_records r WHERE r.run_id = {run} AND r.key = {table}.{column})")
}

/// How many records a run's file lacks, of how many that there are.
///
/// # Errors
/// Those of the database.
pub fn share(connection: &mut Db, run: i64, place: Place<'_>) -> Result<(i64, i64), StoreError> {
    let table = place.table;
    let missing = count(connection, &format!("SELECT count(*) AS count FROM {table} WHERE {}", lacking(run, place)))?;
    Ok((missing, count(connection, &format!("SELECT count(*) AS count FROM {table}"))?))
}

/// The next keys that a run's file lacks, after one.
///
/// # Errors
/// Those of the database.
pub fn next(
    connection: &mut Db,
    run: i64,
    place: Place<'_>,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let Place { table, column } = place;
    let lacks = lacking(run, place);
    let sql =
        format!("SELECT {column} AS key FROM {table} WHERE {column} > $1 AND {lacks} ORDER BY {column} LIMIT {limit}");
    let found: Vec<Key> = diesel::sql_query(sql).bind::<Text, _>(after).load(connection)?;
    Ok(found.into_iter().map(|found| found.key).collect())
}
