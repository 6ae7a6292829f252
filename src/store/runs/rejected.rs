//! The records that runs refused, in the form of their sources. They are written in the transaction of their batch, so that none is
//! lost, and none there twice, after a crash.

use crate::store::schema::run_rejected;
use crate::store::{Db, StoreError};
use diesel::prelude::*;

/// The number of what stands after all records.
pub const TAIL: i64 = i64::MAX;

/// Keeps refused records; `number` is how many bytes are before them.
///
/// # Errors
/// Those of the database.
pub fn keep_rejected(connection: &mut Db, run: i64, number: i64, content: &[u8]) -> Result<(), StoreError> {
    let values = (run_rejected::run_id.eq(run), run_rejected::number.eq(number), run_rejected::content.eq(content));
    let insert = diesel::insert_into(run_rejected::table).values(values).on_conflict_do_nothing();
    match connection {
        Db::Sqlite(sqlite) => insert.execute(sqlite)?,
        Db::Postgres(postgres) => insert.execute(postgres)?,
    };
    Ok(())
}

/// The first of the refused records after a number, and their number.
///
/// # Errors
/// Those of the database.
pub fn rejected_after(connection: &mut Db, run: i64, after: i64) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    Ok(run_rejected::table
        .filter(run_rejected::run_id.eq(run))
        .filter(run_rejected::number.gt(after))
        .order(run_rejected::number)
        .select((run_rejected::number, run_rejected::content))
        .first(connection)
        .optional()?)
}
