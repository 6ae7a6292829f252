//! What exports are to give, and up to when each consumer of increments has all that changed.

use crate::store::bulk::{Column, Rows, Table};
use crate::store::schema::{export_marks, run_exports, runs};
use crate::store::{Db, Engine, StoreError};
use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::Timestamp;

/// What an export is to give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = run_exports)]
pub struct ExportOptions {
    /// Only what changed since.
    pub since: Option<NaiveDateTime>,
    /// Of an incremental one: whose increments it gives.
    pub consumer: Option<String>,
    /// By gzip.
    pub packed: bool,
    /// Of an incremental one of orders.
    pub lease_seconds: Option<i32>,
    pub warehouse: Option<String>,
    /// Under which its orders were handed out.
    pub export_id: Option<i64>,
}

/// Keeps what an export is to give.
pub(super) fn insert(connection: &mut Db, run: i64, options: &ExportOptions) -> Result<(), StoreError> {
    diesel::insert_into(run_exports::table)
        .values((
            run_exports::run_id.eq(run),
            run_exports::since.eq(options.since),
            run_exports::consumer.eq(options.consumer.as_deref()),
            run_exports::packed.eq(options.packed),
            run_exports::lease_seconds.eq(options.lease_seconds),
            run_exports::warehouse.eq(options.warehouse.as_deref()),
            run_exports::export_id.eq(options.export_id),
        ))
        .execute(connection)?;
    Ok(())
}

/// Notes under which number a run hands out orders.
///
/// # Errors
/// Those of the database.
pub fn note_export(connection: &mut Db, run: i64, export: i64) -> Result<(), StoreError> {
    diesel::update(run_exports::table.find(run)).set(run_exports::export_id.eq(export)).execute(connection)?;
    Ok(())
}

/// Notes since when a run gives what changed.
///
/// # Errors
/// Those of the database.
pub fn note_since(connection: &mut Db, run: i64, since: Option<NaiveDateTime>) -> Result<(), StoreError> {
    diesel::update(run_exports::table.find(run)).set(run_exports::since.eq(since)).execute(connection)?;
    Ok(())
}

/// Notes where the file is that a run wrote.
///
/// # Errors
/// Those of the database.
pub fn note_result(connection: &mut Db, run: i64, path: &str, sha256: &str, size: i64) -> Result<(), StoreError> {
    diesel::update(runs::table.find(run))
        .set((runs::source_path.eq(path), runs::source_sha256.eq(sha256), runs::source_size.eq(size)))
        .execute(connection)?;
    Ok(())
}

/// Up to when a consumer has all that changed.
///
/// # Errors
/// Those of the database.
pub fn mark(connection: &mut Db, kind: &str, consumer: &str) -> Result<Option<NaiveDateTime>, StoreError> {
    let found = export_marks::table.find((kind, consumer)).select(export_marks::changed_before);
    Ok(found.first(connection).optional()?)
}

const MARKS: Table = Table {
    name: "export_marks",
    columns: &[Column::Text("kind"), Column::Text("consumer"), Column::Time("changed_before")],
    key: &["kind", "consumer"],
};

/// Keeps up to when a consumer has all that changed.
///
/// # Errors
/// Those of the database.
pub fn keep_mark(
    connection: &mut Db,
    kind: &str,
    consumer: &str,
    changed_before: NaiveDateTime,
) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    rows.text(kind).text(consumer).time(changed_before);
    MARKS.put(connection, &rows)
}

/// A clock of another machine may be that much behind.
const SKEW: TimeDelta = TimeDelta::seconds(5);

#[derive(QueryableByName)]
struct Oldest {
    #[diesel(sql_type = Timestamp)]
    at: NaiveDateTime,
}

/// A time that all changes are later than which are not to be seen yet.
///
/// # Errors
/// Those of the database.
pub fn seen_up_to(connection: &mut Db) -> Result<NaiveDateTime, StoreError> {
    match connection.engine() {
        // Whoever has the lock writes alone, and looks at the clock once he has it.
        Engine::Sqlite => connection.write(|_| Ok(Utc::now().naive_utc())),
        Engine::Postgres => {
            let sql = "SELECT LEAST(now(), min(xact_start)) AT TIME ZONE 'UTC' AS at FROM pg_stat_activity \
                       WHERE datname = current_database() AND state <> 'idle'";
            let oldest: Oldest = diesel::sql_query(sql).get_result(connection)?;
            Ok(oldest.at - SKEW)
        }
    }
}
