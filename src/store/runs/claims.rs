//! Whose turn it is, who works on what, and what somebody wants of a run that is at work.

use super::Run;
use super::said::{Said, put_counts, put_messages};
use crate::reporting::{Progress, RunState};
use crate::store::schema::{run_progress, run_records, runs};
use crate::store::{Db, StoreError, lock};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// Runs that wait, and those at work; in the order in which they are taken.
///
/// # Errors
/// Those of the database.
pub fn open(connection: &mut Db) -> Result<Vec<Run>, StoreError> {
    Ok(runs::table
        .filter(runs::state.eq_any([RunState::Queued.as_str(), RunState::Running.as_str()]))
        .order((runs::priority.desc(), runs::id))
        .select(Run::as_select())
        .load(connection)?)
}

/// Lets nobody else take a run until the transaction ends.
///
/// # Errors
/// Those of the database.
pub fn only_in_turn(connection: &mut Db) -> Result<(), StoreError> {
    lock::alone(connection, "run claims")
}

/// Runs at work that move the same the same way.
///
/// # Errors
/// Those of the database.
pub fn running(connection: &mut Db, like: &Run) -> Result<Vec<Run>, StoreError> {
    Ok(runs::table
        .filter(runs::state.eq(RunState::Running.as_str()))
        .filter(runs::kind.eq(&like.kind))
        .filter(runs::direction.eq(&like.direction))
        .select(Run::as_select())
        .load(connection)?)
}

/// Takes a run for a node, unless another was faster. `seen` is the run as it was when it was found open; `stalled_attempts` counts this
/// attempt and those before it since the last progress.
///
/// # Errors
/// Those of the database.
pub fn claim(
    connection: &mut Db,
    seen: &Run,
    node: &str,
    now: NaiveDateTime,
    stalled_attempts: i32,
) -> Result<bool, StoreError> {
    let target = runs::table
        .filter(runs::id.eq(seen.id))
        .filter(runs::state.eq(&seen.state))
        .filter(runs::attempt.eq(seen.attempt));
    let changed = diesel::update(target)
        .set((
            runs::state.eq(RunState::Running.as_str()),
            runs::node.eq(Some(node)),
            runs::heartbeat_at.eq(Some(now)),
            runs::attempt.eq(seen.attempt + 1),
            runs::started_at.eq(seen.started_at.or(Some(now))),
        ))
        .execute(connection)?;
    let is_claimed = changed == 1;
    if is_claimed {
        let progress = run_progress::table.filter(run_progress::run_id.eq(seen.id));
        diesel::update(progress).set(run_progress::stalled_attempts.eq(stalled_attempts)).execute(connection)?;
    }
    Ok(is_claimed)
}

/// What a batch adds to a run, in the batch's own transaction. Gives false if the run is no longer this node's.
///
/// # Errors
/// Those of the database.
pub fn advance(
    connection: &mut Db,
    run: i64,
    node: &str,
    now: NaiveDateTime,
    progress: &Progress,
    said: &Said,
) -> Result<bool, StoreError> {
    let held = diesel::update(runs::table.filter(runs::id.eq(run)).filter(runs::node.eq(node)))
        .set(runs::heartbeat_at.eq(Some(now)))
        .execute(connection)?;
    if held == 0 {
        return Ok(false);
    }
    let counters = &progress.counters;
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    diesel::update(run_progress::table.filter(run_progress::run_id.eq(run)))
        .set((
            run_progress::bytes_done.eq(progress.bytes),
            run_progress::read_count.eq(counters.read),
            run_progress::created_count.eq(counters.created),
            run_progress::updated_count.eq(counters.updated),
            run_progress::unchanged_count.eq(counters.unchanged),
            run_progress::skipped_count.eq(counters.skipped),
            run_progress::deleted_count.eq(counters.deleted),
            run_progress::failed_count.eq(counters.failed),
            run_progress::warning_count.eq(counters.warnings),
            run_progress::message_count.eq(progress.messages),
            run_progress::read_millis.eq(millis(progress.read_time)),
            run_progress::write_millis.eq(millis(progress.write_time)),
            run_progress::filter_millis.eq(millis(progress.filter_time)),
            run_progress::missing_count.eq(progress.missing),
            run_progress::rejected_bytes.eq(i64::try_from(progress.rejected_bytes).unwrap_or(i64::MAX)),
        ))
        .execute(connection)?;
    put_messages(connection, run, &said.messages)?;
    put_counts(connection, run, &said.counts)?;
    Ok(true)
}

/// Takes a run for a node that only records how it ended, unless another was faster.
///
/// # Errors
/// Returns a [`StoreError`] if the statement fails.
pub fn take_over(connection: &mut Db, seen: &Run, node: &str) -> Result<bool, StoreError> {
    let target = runs::table
        .filter(runs::id.eq(seen.id))
        .filter(runs::state.eq(&seen.state))
        .filter(runs::attempt.eq(seen.attempt))
        .filter(runs::node.eq(seen.node.as_deref().unwrap_or_default()));
    Ok(diesel::update(target).set(runs::node.eq(Some(node))).execute(connection)? == 1)
}

/// Records that a run got on: a batch that its next attempt does not repeat is written with it.
///
/// # Errors
/// Returns a [`StoreError`] if the statement fails.
pub fn note_progress(connection: &mut Db, run: i64) -> Result<(), StoreError> {
    let stalled = run_progress::table.filter(run_progress::run_id.eq(run)).filter(run_progress::stalled_attempts.gt(0));
    diesel::update(stalled).set(run_progress::stalled_attempts.eq(0)).execute(connection)?;
    Ok(())
}

/// How often runs were started since their last progress; those that were not are left out.
///
/// # Errors
/// Returns a [`StoreError`] if the query fails.
pub fn stalled_attempts(connection: &mut Db, runs: &[i64]) -> Result<HashMap<i64, i32>, StoreError> {
    let stalled = run_progress::table
        .filter(run_progress::run_id.eq_any(runs))
        .filter(run_progress::stalled_attempts.gt(0))
        .select((run_progress::run_id, run_progress::stalled_attempts));
    Ok(stalled.load(connection)?.into_iter().collect())
}

/// Ends a run that is this node's.
///
/// # Errors
/// Those of the database.
pub fn finish(
    connection: &mut Db,
    run: i64,
    node: &str,
    state: RunState,
    failure: Option<&str>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(runs::table.filter(runs::id.eq(run)).filter(runs::node.eq(node)))
        .set((
            runs::state.eq(state.as_str()),
            runs::finished_at.eq(Some(now)),
            runs::failure.eq(failure),
            runs::node.eq(None::<String>),
        ))
        .execute(connection)?;
    diesel::delete(run_records::table.filter(run_records::run_id.eq(run))).execute(connection)?;
    Ok(())
}

/// Has a run that is this node's rest in a state: until somebody approves what it would delete, resumes it, or the next node takes it.
///
/// # Errors
/// Those of the database.
pub fn rest(connection: &mut Db, run: i64, node: &str, state: RunState) -> Result<(), StoreError> {
    diesel::update(runs::table.filter(runs::id.eq(run)).filter(runs::node.eq(node)))
        .set((runs::state.eq(state.as_str()), runs::node.eq(None::<String>), runs::pause_requested.eq(false)))
        .execute(connection)?;
    // It was put back on purpose.
    note_progress(connection, run)
}

/// Has a run that waits go on. Gives false if it does not wait.
///
/// # Errors
/// Those of the database.
pub fn approve(connection: &mut Db, run: i64) -> Result<bool, StoreError> {
    let waiting = runs::table.filter(runs::id.eq(run)).filter(runs::state.eq(RunState::Waiting.as_str()));
    let approved = diesel::update(waiting)
        .set((runs::state.eq(RunState::Queued.as_str()), runs::approved.eq(true)))
        .execute(connection)?;
    Ok(approved > 0)
}

/// Halts a run: one that waits for its turn at once, one at work at its next batch. Gives false if it is neither.
///
/// # Errors
/// Those of the database.
pub fn pause(connection: &mut Db, run: i64) -> Result<bool, StoreError> {
    let of = |state: RunState| runs::table.filter(runs::id.eq(run)).filter(runs::state.eq(state.as_str()));
    let halted =
        diesel::update(of(RunState::Queued)).set(runs::state.eq(RunState::Paused.as_str())).execute(connection)?;
    if halted > 0 {
        return Ok(true);
    }
    Ok(diesel::update(of(RunState::Running)).set(runs::pause_requested.eq(true)).execute(connection)? > 0)
}

/// Has a paused run go on, or takes back that it is to be paused. Gives false if it is neither.
///
/// # Errors
/// Those of the database.
pub fn resume(connection: &mut Db, run: i64) -> Result<bool, StoreError> {
    let of = |state: RunState| runs::table.filter(runs::id.eq(run)).filter(runs::state.eq(state.as_str()));
    let queued =
        diesel::update(of(RunState::Paused)).set(runs::state.eq(RunState::Queued.as_str())).execute(connection)?;
    if queued > 0 {
        return Ok(true);
    }
    let asked = of(RunState::Running).filter(runs::pause_requested.eq(true));
    Ok(diesel::update(asked).set(runs::pause_requested.eq(false)).execute(connection)? > 0)
}

/// Asks for a run to stop: one that waits stops at once, one at work at its next batch. Gives false if it was done.
///
/// # Errors
/// Those of the database.
pub fn cancel(connection: &mut Db, run: i64, now: NaiveDateTime) -> Result<bool, StoreError> {
    let at_rest = [RunState::Queued.as_str(), RunState::Waiting.as_str(), RunState::Paused.as_str()];
    let resting = diesel::update(runs::table.filter(runs::id.eq(run)).filter(runs::state.eq_any(at_rest)))
        .set((runs::state.eq(RunState::Cancelled.as_str()), runs::finished_at.eq(Some(now))))
        .execute(connection)?;
    if resting > 0 {
        diesel::delete(run_records::table.filter(run_records::run_id.eq(run))).execute(connection)?;
        return Ok(true);
    }
    let running =
        diesel::update(runs::table.filter(runs::id.eq(run)).filter(runs::state.eq(RunState::Running.as_str())))
            .set(runs::cancel_requested.eq(true))
            .execute(connection)?;
    Ok(running > 0)
}

/// What somebody wants of a run that is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    GoOn,
    Pause,
    Cancel,
}

/// What somebody wants of a run.
///
/// # Errors
/// Those of the database.
pub fn wish(connection: &mut Db, run: i64) -> Result<Wish, StoreError> {
    let found: Option<(bool, bool)> = runs::table
        .filter(runs::id.eq(run))
        .select((runs::cancel_requested, runs::pause_requested))
        .first(connection)
        .optional()?;
    Ok(match found {
        None | Some((true, _)) => Wish::Cancel,
        Some((_, true)) => Wish::Pause,
        Some(_) => Wish::GoOn,
    })
}
