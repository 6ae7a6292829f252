//! Forgetting runs that ended long ago, and what their files were.

use crate::reporting::RunState;
use crate::store::schema::{run_progress, run_rejected, runs};
use crate::store::{Db, StoreError};
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// States that nothing follows.
const ENDED: [&str; 4] = [
    RunState::Succeeded.as_str(),
    RunState::SucceededWithErrors.as_str(),
    RunState::Failed.as_str(),
    RunState::Cancelled.as_str(),
];

/// Forgets runs that ended before a time, with all that they said; so many at once. Gives how many.
///
/// # Errors
/// Those of the database.
pub fn forget(connection: &mut Db, before: NaiveDateTime, most: i64) -> Result<usize, StoreError> {
    let old: Vec<i64> = runs::table
        .filter(runs::finished_at.lt(before))
        .filter(runs::state.eq_any(ENDED))
        .order(runs::id)
        .limit(most)
        .select(runs::id)
        .load(connection)?;
    Ok(diesel::delete(runs::table.filter(runs::id.eq_any(old))).execute(connection)?)
}

/// Forgets what the files of runs were that ended before a time; so many at once. Gives how many.
///
/// # Errors
/// Those of the database.
pub fn forget_files(connection: &mut Db, before: NaiveDateTime, most: i64) -> Result<usize, StoreError> {
    let old: Vec<i64> = runs::table
        .filter(runs::finished_at.lt(before))
        .filter(runs::state.eq_any(ENDED))
        .filter(runs::source_sha256.ne(""))
        .order(runs::id)
        .limit(most)
        .select(runs::id)
        .load(connection)?;
    diesel::delete(run_rejected::table.filter(run_rejected::run_id.eq_any(&old))).execute(connection)?;
    diesel::update(run_progress::table.filter(run_progress::run_id.eq_any(&old)))
        .set(run_progress::rejected_bytes.eq(0))
        .execute(connection)?;
    let of_old = runs::table.filter(runs::id.eq_any(&old));
    Ok(diesel::update(of_old).set((runs::source_sha256.eq(""), runs::source_path.eq(""))).execute(connection)?)
}
