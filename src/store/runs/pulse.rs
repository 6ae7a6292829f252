//! Whether anything moves: what pages that show runs are drawn anew for.

use super::super::schema::{run_progress, runs};
use super::super::{Db, StoreError};
use crate::reporting::RunState;
use diesel::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A number that is another one once a run came, moved on, or ended.
///
/// # Errors
/// Those of the database.
pub fn pulse(db: &mut Db) -> Result<u64, StoreError> {
    // What rests is told by how many are left of it.
    let open = [RunState::Queued, RunState::Running, RunState::Waiting, RunState::Paused].map(RunState::as_str);
    type Row = (i64, String, i64, i64, i64);
    let mut moving: Vec<Row> = runs::table
        .inner_join(run_progress::table)
        .filter(runs::state.eq_any(open))
        .select((
            runs::id,
            runs::state,
            run_progress::read_count,
            run_progress::bytes_done,
            run_progress::message_count,
        ))
        .load(db)?;
    moving.sort();
    let last: Option<i64> = runs::table.select(diesel::dsl::max(runs::id)).first(db)?;
    let mut hasher = DefaultHasher::new();
    (moving, last).hash(&mut hasher);
    Ok(hasher.finish())
}
