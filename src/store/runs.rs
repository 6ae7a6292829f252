//! Runs: accepted, claimed by a node, their progress, their messages.

use super::bulk::{Column, Rows, Table};
use super::schema::{run_message_counts, run_messages, run_progress, run_records, run_samples, runs};
use super::{Db, Engine, StoreError, page};
use crate::reporting::{Counters, Progress, RunMessage, RunState};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// A run as it is kept.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = runs)]
pub struct Run {
    pub id: i64,
    pub kind: String,
    pub format: String,
    pub profile: Option<String>,
    pub profile_text: Option<String>,
    pub channel: String,
    pub state: String,
    pub source_name: String,
    pub source_path: String,
    pub source_sha256: String,
    pub source_size: i64,
    pub dry_run: bool,
    pub batch_size: i32,
    pub created_at: NaiveDateTime,
    pub started_at: Option<NaiveDateTime>,
    pub finished_at: Option<NaiveDateTime>,
    pub attempt: i32,
    pub node: Option<String>,
    pub heartbeat_at: Option<NaiveDateTime>,
    pub cancel_requested: bool,
    pub failure: Option<String>,
    /// `partial` or `full`.
    pub mode: String,
    /// Percent.
    pub delete_at_most: i32,
    pub approved: bool,
    pub retry_of: Option<i64>,
}

impl Run {
    pub fn state(&self) -> RunState {
        RunState::parse(&self.state)
    }
}

/// A run to be accepted.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = runs)]
pub struct NewRun {
    pub kind: String,
    pub format: String,
    pub profile: Option<String>,
    pub profile_text: Option<String>,
    pub channel: String,
    pub state: String,
    pub source_name: String,
    pub source_path: String,
    pub source_sha256: String,
    pub source_size: i64,
    pub dry_run: bool,
    pub batch_size: i32,
    pub created_at: NaiveDateTime,
    pub mode: String,
    pub delete_at_most: i32,
    pub retry_of: Option<i64>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = run_progress)]
struct ProgressRow {
    bytes_done: i64,
    read_count: i64,
    created_count: i64,
    updated_count: i64,
    unchanged_count: i64,
    skipped_count: i64,
    deleted_count: i64,
    failed_count: i64,
    warning_count: i64,
    message_count: i64,
    read_millis: i64,
    write_millis: i64,
    missing_count: Option<i64>,
    rejected_bytes: i64,
}

impl ProgressRow {
    fn into_progress(self) -> Progress {
        Progress {
            bytes: self.bytes_done,
            messages: self.message_count,
            missing: self.missing_count,
            rejected_bytes: u64::try_from(self.rejected_bytes).unwrap_or(0),
            read_time: Duration::from_millis(u64::try_from(self.read_millis).unwrap_or(0)),
            write_time: Duration::from_millis(u64::try_from(self.write_millis).unwrap_or(0)),
            counters: Counters {
                read: self.read_count,
                created: self.created_count,
                updated: self.updated_count,
                unchanged: self.unchanged_count,
                skipped: self.skipped_count,
                deleted: self.deleted_count,
                failed: self.failed_count,
                warnings: self.warning_count,
            },
        }
    }
}

/// Accepts a run.
///
/// # Errors
/// Those of the database.
pub fn accept(connection: &mut Db, run: &NewRun) -> Result<i64, StoreError> {
    // Each backend gives back the new id in its own way, so each has its own statement.
    let id: i64 = match connection {
        Db::Sqlite(sqlite) => diesel::insert_into(runs::table).values(run).returning(runs::id).get_result(sqlite)?,
        Db::Postgres(postgres) => {
            diesel::insert_into(runs::table).values(run).returning(runs::id).get_result(postgres)?
        }
    };
    diesel::sql_query(format!("INSERT INTO run_progress (run_id) VALUES ({id})")).execute(connection)?;
    Ok(id)
}

/// One run with its progress.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, id: i64) -> Result<Option<(Run, Progress)>, StoreError> {
    let found: Option<(Run, ProgressRow)> = runs::table
        .inner_join(run_progress::table)
        .filter(runs::id.eq(id))
        .select((Run::as_select(), ProgressRow::as_select()))
        .first(connection)
        .optional()?;
    Ok(found.map(|(run, progress)| (run, progress.into_progress())))
}

/// What a list of runs is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<String>,
    pub state: Option<String>,
    /// Only runs older than this one.
    pub before: Option<i64>,
    pub limit: i64,
}

/// A page of runs, the newest first; whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<(Run, Progress)>, bool), StoreError> {
    let mut query = runs::table
        .inner_join(run_progress::table)
        .select((Run::as_select(), ProgressRow::as_select()))
        .order(runs::id.desc())
        .limit(filter.limit + 1)
        .into_boxed();
    if let Some(kind) = &filter.kind {
        query = query.filter(runs::kind.eq(kind.clone()));
    }
    if let Some(state) = &filter.state {
        query = query.filter(runs::state.eq(state.clone()));
    }
    if let Some(before) = filter.before {
        query = query.filter(runs::id.lt(before));
    }
    let mut rows: Vec<(Run, ProgressRow)> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    Ok((rows.into_iter().map(|(run, progress)| (run, progress.into_progress())).collect(), more))
}

/// The newest run of that content and options, if nothing else of its kind came after it.
///
/// # Errors
/// Those of the database.
pub fn same_again(connection: &mut Db, new: &NewRun) -> Result<Option<Run>, StoreError> {
    let latest: Option<Run> = runs::table
        .filter(runs::kind.eq(&new.kind))
        .filter(runs::dry_run.eq(new.dry_run))
        .order(runs::id.desc())
        .select(Run::as_select())
        .first(connection)
        .optional()?;
    Ok(latest.filter(|run| {
        run.source_sha256 == new.source_sha256
            && run.profile_text == new.profile_text
            && run.format == new.format
            && run.mode == new.mode
    }))
}

/// The ids of runs that wait, or that a node left behind; the oldest first.
///
/// # Errors
/// Those of the database.
pub fn open(connection: &mut Db) -> Result<Vec<Run>, StoreError> {
    Ok(runs::table
        .filter(runs::state.eq_any([RunState::Queued.as_str(), RunState::Running.as_str()]))
        .order(runs::id)
        .select(Run::as_select())
        .load(connection)?)
}

/// Takes a run for a node, unless another was faster. `seen` is the run as it was when it was found open.
///
/// # Errors
/// Those of the database.
pub fn claim(connection: &mut Db, seen: &Run, node: &str, now: NaiveDateTime) -> Result<bool, StoreError> {
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
    Ok(changed == 1)
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
            run_progress::missing_count.eq(progress.missing),
            run_progress::rejected_bytes.eq(i64::try_from(progress.rejected_bytes).unwrap_or(i64::MAX)),
        ))
        .execute(connection)?;
    put_messages(connection, run, &said.messages)?;
    put_counts(connection, run, &said.counts)?;
    Ok(true)
}

/// How often something is said, by severity and code.
pub type Counts = BTreeMap<(String, String), i64>;

/// What a batch has to say.
#[derive(Debug, Default)]
pub struct Said {
    /// Those that are kept.
    pub messages: Vec<RunMessage>,
    /// How often the run said what it says in this batch, all batches together.
    pub counts: Counts,
}

const COUNTS: Table = Table {
    name: "run_message_counts",
    columns: &[Column::Integer("run_id"), Column::Text("severity"), Column::Text("code"), Column::Integer("count")],
    key: &["run_id", "severity", "code"],
};

fn put_counts(connection: &mut Db, run: i64, counts: &Counts) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    for ((severity, code), count) in counts {
        rows.integer(run).text(severity).text(code).integer(*count);
    }
    COUNTS.put(connection, &rows)
}

/// How often a run said what.
///
/// # Errors
/// Those of the database.
pub fn message_counts(connection: &mut Db, run: i64) -> Result<Counts, StoreError> {
    let found: Vec<(String, String, i64)> = run_message_counts::table
        .filter(run_message_counts::run_id.eq(run))
        .select((run_message_counts::severity, run_message_counts::code, run_message_counts::count))
        .load(connection)?;
    Ok(found.into_iter().map(|(severity, code, count)| ((severity, code), count)).collect())
}

/// The first messages of a code.
///
/// # Errors
/// Those of the database.
pub fn examples(
    connection: &mut Db,
    run: i64,
    severity: &str,
    code: &str,
    limit: i64,
) -> Result<Vec<RunMessage>, StoreError> {
    Ok(run_messages::table
        .filter(run_messages::run_id.eq(run))
        .filter(run_messages::code.eq(code))
        .filter(run_messages::severity.eq(severity))
        .order(run_messages::number)
        .limit(limit)
        .select(RunMessage::as_select())
        .load(connection)?)
}

const MESSAGES: Table = Table {
    name: "run_messages",
    columns: &[
        Column::Integer("run_id"),
        Column::Integer("number"),
        Column::Text("severity"),
        Column::Text("code"),
        Column::Text("record_key"),
        Column::Integer("record"),
        Column::Integer("line"),
        Column::Integer("col"),
        Column::Text("field"),
        Column::Text("value"),
        Column::Text("text"),
        Column::Text("suggestion"),
    ],
    key: &[],
};

fn put_messages(connection: &mut Db, run: i64, messages: &[RunMessage]) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    for message in messages {
        rows.integer(run)
            .integer(message.number)
            .text(&message.severity)
            .text(&message.code)
            .text_option(message.record_key.as_deref())
            .integer_option(message.record)
            .integer_option(message.line)
            .integer_option(message.column)
            .text_option(message.field.as_deref())
            .text_option(message.value.as_deref())
            .text(&message.text)
            .text_option(message.suggestion.as_deref());
    }
    MESSAGES.put(connection, &rows)
}

const SAMPLES: Table = Table {
    name: "run_samples",
    columns: &[Column::Integer("run_id"), Column::Time("at"), Column::Integer("records")],
    key: &["run_id", "at"],
};

/// Notes how many records are done, for the timeline.
///
/// # Errors
/// Those of the database.
pub fn sample(connection: &mut Db, run: i64, at: NaiveDateTime, records: i64) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    rows.integer(run).time(at).integer(records);
    SAMPLES.put(connection, &rows)
}

/// How many records were done when.
///
/// # Errors
/// Those of the database.
pub fn samples(connection: &mut Db, run: i64) -> Result<Vec<(NaiveDateTime, i64)>, StoreError> {
    Ok(run_samples::table
        .filter(run_samples::run_id.eq(run))
        .order(run_samples::at)
        .select((run_samples::at, run_samples::records))
        .load(connection)?)
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

/// Has a run that is this node's wait until somebody approves what it would delete.
///
/// # Errors
/// Those of the database.
pub fn wait(connection: &mut Db, run: i64, node: &str) -> Result<(), StoreError> {
    diesel::update(runs::table.filter(runs::id.eq(run)).filter(runs::node.eq(node)))
        .set((runs::state.eq(RunState::Waiting.as_str()), runs::node.eq(None::<String>)))
        .execute(connection)?;
    Ok(())
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

/// Puts a run back for the next node, as when this one shuts down.
///
/// # Errors
/// Those of the database.
pub fn release(connection: &mut Db, run: i64, node: &str) -> Result<(), StoreError> {
    diesel::update(runs::table.filter(runs::id.eq(run)).filter(runs::node.eq(node)))
        .set((runs::state.eq(RunState::Queued.as_str()), runs::node.eq(None::<String>)))
        .execute(connection)?;
    Ok(())
}

/// Asks for a run to stop: one that waits stops at once, one at work at its next batch. Gives false if it was done.
///
/// # Errors
/// Those of the database.
pub fn cancel(connection: &mut Db, run: i64, now: NaiveDateTime) -> Result<bool, StoreError> {
    let at_rest = [RunState::Queued.as_str(), RunState::Waiting.as_str()];
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

/// Whether somebody wants the run to stop.
///
/// # Errors
/// Those of the database.
pub fn cancel_requested(connection: &mut Db, run: i64) -> Result<bool, StoreError> {
    Ok(runs::table
        .filter(runs::id.eq(run))
        .select(runs::cancel_requested)
        .first(connection)
        .optional()?
        .unwrap_or(true))
}

/// A page of a run's messages, after a number.
///
/// # Errors
/// Those of the database.
pub fn messages(
    connection: &mut Db,
    run: i64,
    severity: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<(Vec<RunMessage>, bool), StoreError> {
    let mut query = run_messages::table
        .filter(run_messages::run_id.eq(run))
        .filter(run_messages::number.gt(after))
        .order(run_messages::number)
        .limit(limit + 1)
        .select(RunMessage::as_select())
        .into_boxed();
    if let Some(severity) = severity {
        query = query.filter(run_messages::severity.eq(severity.to_owned()));
    }
    let mut found: Vec<RunMessage> = query.load(connection)?;
    let more = page::cut(&mut found, limit);
    Ok((found, more))
}

/// How often each code was said, the most frequent first.
///
/// # Errors
/// Those of the database.
pub fn message_codes(connection: &mut Db, run: i64) -> Result<Vec<(String, String, i64)>, StoreError> {
    let counts = message_counts(connection, run)?;
    let mut found: Vec<_> = counts.into_iter().map(|((severity, code), count)| (severity, code, count)).collect();
    found.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.1.cmp(&b.1)));
    Ok(found)
}

/// The time on the database's own clock, which all nodes share.
///
/// # Errors
/// Those of the database.
pub fn now(connection: &mut Db) -> Result<NaiveDateTime, StoreError> {
    match connection.engine() {
        Engine::Sqlite => Ok(chrono::Utc::now().naive_utc()),
        Engine::Postgres => {
            let now = diesel::dsl::sql::<diesel::sql_types::Timestamp>("SELECT now() AT TIME ZONE 'UTC'");
            Ok(now.get_result(connection)?)
        }
    }
}

/// How many runs are in each state.
///
/// # Errors
/// Those of the database.
pub fn by_state(db: &mut Db) -> Result<Vec<(String, i64)>, StoreError> {
    let counted = runs::table.group_by(runs::state).select((runs::state, diesel::dsl::count_star()));
    Ok(counted.load(db)?)
}
