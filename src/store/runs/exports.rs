//! What exports are to give, and up to when each consumer of increments has all that changed.

use crate::store::bulk::{Column, Rows, Table};
use crate::store::schema::{export_marks, run_exports, runs};
use crate::store::{ChangeRange, Db, StoreError, change_numbers, lock};
use chrono::NaiveDateTime;
use diesel::prelude::*;

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

/// Stores which changes an incremental run exports, and when the consumer's last increment was taken.
///
/// # Errors
/// Returns a [`StoreError`] if the statement fails.
pub fn note_increment(connection: &mut Db, run: i64, increment: &Increment) -> Result<(), StoreError> {
    diesel::update(run_exports::table.find(run))
        .set((
            run_exports::since.eq(increment.since),
            run_exports::after_change.eq(increment.range.after),
            run_exports::until_change.eq(increment.range.until),
        ))
        .execute(connection)?;
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

/// What an incremental run exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    pub consumer: String,
    /// After the consumer's mark, up to what is complete.
    pub range: ChangeRange,
    /// When the consumer's last increment was taken, for people.
    pub since: Option<NaiveDateTime>,
    taken_at: NaiveDateTime,
    /// The consumer's mark as it was.
    mark: Option<i64>,
}

/// The consumer's next increment: what changed after its mark, up to what is complete now.
///
/// # Errors
/// Returns a [`StoreError`] if a query fails.
pub fn next_increment(connection: &mut Db, kind: &str, consumer: &str) -> Result<Increment, StoreError> {
    let (mark, since) = mark(connection, kind, consumer)?.unzip();
    let until = change_numbers::complete_until(connection)?;
    // A mark beyond what is complete was made in another database: everything is exported again rather than something never.
    let after = mark.filter(|mark| *mark <= until).unwrap_or(-1);
    let (range, taken_at) = (ChangeRange { after, until }, super::now(connection)?);
    Ok(Increment { consumer: consumer.to_owned(), range, since, taken_at, mark })
}

fn mark(connection: &mut Db, kind: &str, consumer: &str) -> Result<Option<(i64, NaiveDateTime)>, StoreError> {
    let found = export_marks::table.find((kind, consumer));
    Ok(found.select((export_marks::change_number, export_marks::changed_before)).first(connection).optional()?)
}

const MARKS: Table = Table {
    name: "export_marks",
    columns: &[
        Column::Text("kind"),
        Column::Text("consumer"),
        Column::Time("changed_before"),
        Column::Integer("change_number"),
    ],
    key: &["kind", "consumer"],
};

/// Moves the consumer's mark to the end of an increment. Returns false if the mark is no longer where the increment began: another run
/// exported some of the same, and this one has to select again.
///
/// # Errors
/// Returns a [`StoreError`] if a statement fails; the transaction is to be rolled back.
pub fn keep_mark(connection: &mut Db, kind: &str, increment: &Increment) -> Result<bool, StoreError> {
    lock::alone(connection, "export marks")?;
    if mark(connection, kind, &increment.consumer)?.map(|(number, _)| number) != increment.mark {
        return Ok(false);
    }
    let mut rows = Rows::default();
    rows.text(kind).text(&increment.consumer).time(increment.taken_at).integer(increment.range.until);
    MARKS.put(connection, &rows)?;
    Ok(true)
}
