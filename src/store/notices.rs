//! Who was told of which run.

use super::runs::{Run, get};
use super::schema::{run_notices, runs};
use super::{Db, StoreError};
use crate::reporting::{Report, RunState};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

/// What a run is told of for.
pub const ENDED: &str = "ended";
pub const WAITING: &str = "waiting";

/// Something to be told.
#[derive(Clone, Debug)]
pub struct Notice {
    pub report: Report,
    pub rule: String,
    pub event: String,
    pub attempts: i32,
}

/// Which ends of runs are told: those after a time, and of all that had not ended when the process started. The latter do not depend on
/// the clock.
#[derive(Clone, Debug)]
pub struct Baseline {
    since: NaiveDateTime,
    /// The last run that there was.
    last: i64,
    /// Those that had not ended.
    open: Vec<i64>,
}

/// The state of the runs now.
///
/// # Errors
/// Returns a [`StoreError`] if a query fails.
pub fn baseline(connection: &mut Db, since: NaiveDateTime) -> Result<Baseline, StoreError> {
    let last: Option<i64> = runs::table.select(diesel::dsl::max(runs::id)).first(connection)?;
    let open = runs::table.filter(runs::finished_at.is_null()).select(runs::id).load(connection)?;
    Ok(Baseline { since, last: last.unwrap_or(0), open })
}

/// Runs that ended after a time, or wait, and of which a rule has not heard; with what they are told of for.
///
/// # Errors
/// Those of the database.
pub fn unheard(connection: &mut Db, rule: &str, from: &Baseline) -> Result<Vec<(Run, &'static str)>, StoreError> {
    let mut found = Vec::new();
    for event in [ENDED, WAITING] {
        let heard = run_notices::table
            .filter(run_notices::rule.eq(rule.to_owned()))
            .filter(run_notices::event.eq(event))
            .select(run_notices::run_id);
        let query =
            runs::table.filter(runs::id.ne_all(heard)).select(Run::as_select()).order(runs::id).limit(100).into_boxed();
        let query = match event {
            ENDED => query
                .filter(runs::finished_at.is_not_null())
                .filter(runs::finished_at.ge(from.since).or(runs::id.gt(from.last)).or(runs::id.eq_any(&from.open))),
            _ => query.filter(runs::state.eq(RunState::Waiting.as_str())),
        };
        let rows: Vec<Run> = query.load(connection)?;
        found.extend(rows.into_iter().map(|run| (run, event)));
    }
    Ok(found)
}

/// Notes that a rule has heard of a run: whether it is to be told, or need not be.
///
/// # Errors
/// Those of the database.
pub fn hear(
    connection: &mut Db,
    run: i64,
    rule: &str,
    event: &str,
    is_wanted: bool,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let values = (
        run_notices::run_id.eq(run),
        run_notices::rule.eq(rule),
        run_notices::event.eq(event),
        run_notices::done.eq(!is_wanted),
        run_notices::attempts.eq(0),
        run_notices::due_at.eq(now),
    );
    let insert = diesel::insert_into(run_notices::table).values(values).on_conflict_do_nothing();
    match connection {
        Db::Sqlite(sqlite) => insert.execute(sqlite)?,
        Db::Postgres(postgres) => insert.execute(postgres)?,
    };
    Ok(())
}

/// Takes what is due of a rule; nobody else tells it before the lease is over.
///
/// # Errors
/// Those of the database.
pub fn take(connection: &mut Db, rule: &str, now: NaiveDateTime, lease: TimeDelta) -> Result<Vec<Notice>, StoreError> {
    let due: Vec<(i64, String, i32)> = run_notices::table
        .filter(run_notices::rule.eq(rule))
        .filter(run_notices::done.eq(false))
        .filter(run_notices::due_at.le(now))
        .select((run_notices::run_id, run_notices::event, run_notices::attempts))
        .limit(20)
        .load(connection)?;
    let mut taken = Vec::new();
    for (run, event, attempts) in due {
        let own = run_notices::table.find((run, rule, &event)).filter(run_notices::due_at.le(now));
        let own = own.filter(run_notices::attempts.eq(attempts));
        let held = diesel::update(own)
            .set((run_notices::due_at.eq(now + lease), run_notices::attempts.eq(attempts + 1)))
            .execute(connection)?;
        if held == 0 {
            continue;
        }
        if let Some(report) = get(connection, run)? {
            taken.push(Notice { report, rule: rule.to_owned(), event, attempts: attempts + 1 });
        }
    }
    Ok(taken)
}

/// Writes down what came of it: told, or why not, and when it is tried again (None: never).
///
/// # Errors
/// Those of the database.
pub fn told(
    connection: &mut Db,
    notice: &Notice,
    error: Option<&str>,
    again: Option<NaiveDateTime>,
) -> Result<(), StoreError> {
    let own = run_notices::table.find((notice.report.run.id, &notice.rule, &notice.event));
    let changed = diesel::update(own).set((run_notices::done.eq(again.is_none()), run_notices::error.eq(error)));
    changed.execute(connection)?;
    if let Some(again) = again {
        let own = run_notices::table.find((notice.report.run.id, &notice.rule, &notice.event));
        diesel::update(own).set(run_notices::due_at.eq(again)).execute(connection)?;
    }
    Ok(())
}
