//! Runs: accepted, claimed by a node, their progress, their messages.

mod changes;
mod claims;
mod exports;
mod forget;
mod lately;
mod pulse;
mod rejected;
mod said;
mod samples;

pub use changes::{Change, FieldChange, changes, last_change, put_changes};
pub use claims::{
    Wish, advance, approve, cancel, claim, finish, note_progress, only_in_turn, open, pause, rest, resume, running,
    stalled_attempts, take_over, wish,
};
pub use exports::{ExportOptions, Increment, keep_mark, next_increment, note_export, note_increment, note_result};
pub use forget::{forget, forget_files};
pub use lately::{Complaint, Lately, complaints, lately};
pub use pulse::pulse;
pub use rejected::{TAIL, keep_rejected, rejected_after};
pub use said::{Counts, Said, examples, message_codes, message_counts, messages};
pub use samples::{sample, samples};

use super::schema::{run_exports, run_progress, runs};
use super::search::Search;
use super::{Db, Engine, StoreError, page};
use crate::reporting::{Counters, Direction, Progress, Report, RunState};
use chrono::NaiveDateTime;
use diesel::prelude::*;
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
    pub direction: String,
    pub priority: i32,
    pub all_or_nothing: bool,
    pub pause_requested: bool,
    pub filter_text: Option<String>,
    pub claim: Option<String>,
    /// At whose wish it began.
    pub client: Option<String>,
}

impl Run {
    pub fn state(&self) -> RunState {
        RunState::parse(&self.state)
    }

    pub fn direction(&self) -> Direction {
        Direction::parse(&self.direction)
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
    pub direction: String,
    pub priority: i32,
    pub all_or_nothing: bool,
    pub filter_text: Option<String>,
    pub claim: Option<String>,
    /// At whose wish it began.
    pub client: Option<String>,
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
    filter_millis: i64,
}

impl ProgressRow {
    fn into_progress(self) -> Progress {
        let time = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        Progress {
            bytes: self.bytes_done,
            messages: self.message_count,
            missing: self.missing_count,
            rejected_bytes: u64::try_from(self.rejected_bytes).unwrap_or(0),
            read_time: time(self.read_millis),
            filter_time: time(self.filter_millis),
            write_time: time(self.write_millis),
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

/// Accepts a run; of an export, with what it is to give.
///
/// # Errors
/// Those of the database.
pub fn accept(connection: &mut Db, run: &NewRun, export: Option<&ExportOptions>) -> Result<i64, StoreError> {
    // Each backend gives back the new id in its own way, so each has its own statement.
    let id: i64 = match connection {
        Db::Sqlite(sqlite) => diesel::insert_into(runs::table).values(run).returning(runs::id).get_result(sqlite)?,
        Db::Postgres(postgres) => {
            diesel::insert_into(runs::table).values(run).returning(runs::id).get_result(postgres)?
        }
    };
    diesel::insert_into(run_progress::table).values(run_progress::run_id.eq(id)).execute(connection)?;
    if let Some(options) = export {
        exports::insert(connection, id, options)?;
    }
    Ok(id)
}

/// One run with its progress.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, id: i64) -> Result<Option<Report>, StoreError> {
    let found: Option<Row> = runs::table
        .inner_join(run_progress::table)
        .left_join(run_exports::table)
        .filter(runs::id.eq(id))
        .select((Run::as_select(), ProgressRow::as_select(), Option::<ExportOptions>::as_select()))
        .first(connection)
        .optional()?;
    Ok(found.map(report))
}

type Row = (Run, ProgressRow, Option<ExportOptions>);

fn report((run, progress, export): Row) -> Report {
    Report { run, progress: progress.into_progress(), export }
}

/// What a list of runs is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<String>,
    pub state: Option<String>,
    pub channel: Option<String>,
    pub client: Option<String>,
    /// `import` or `export`.
    pub direction: Option<String>,
    /// Only those whose file's name has this.
    pub text: Option<String>,
    /// Only those that were accepted from then on, and those before then.
    pub since: Option<NaiveDateTime>,
    pub until: Option<NaiveDateTime>,
    /// Only runs older than this one.
    pub before: Option<i64>,
    pub limit: i64,
}

/// A page of runs, the newest first; whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Report>, bool), StoreError> {
    let mut query = runs::table
        .inner_join(run_progress::table)
        .left_join(run_exports::table)
        .select((Run::as_select(), ProgressRow::as_select(), Option::<ExportOptions>::as_select()))
        .order(runs::id.desc())
        .limit(filter.limit + 1)
        .into_boxed();
    if let Some(kind) = &filter.kind {
        query = query.filter(runs::kind.eq(kind.clone()));
    }
    if let Some(state) = &filter.state {
        query = query.filter(runs::state.eq(state.clone()));
    }
    if let Some(channel) = &filter.channel {
        query = query.filter(runs::channel.eq(channel.clone()));
    }
    if let Some(client) = &filter.client {
        query = query.filter(runs::client.eq(client.clone()));
    }
    if let Some(direction) = &filter.direction {
        query = query.filter(runs::direction.eq(direction.clone()));
    }
    if let Some(text) = &filter.text {
        query = query.filter(Search::new(text)?.is_in("runs.source_name"));
    }
    if let Some(since) = filter.since {
        query = query.filter(runs::created_at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(runs::created_at.lt(until));
    }
    if let Some(before) = filter.before {
        query = query.filter(runs::id.lt(before));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    Ok((rows.into_iter().map(report).collect(), more))
}

/// Those at whose wish runs began, in the order of their names.
///
/// # Errors
/// Those of the database.
pub fn clients(connection: &mut Db, limit: i64) -> Result<Vec<String>, StoreError> {
    let clients = runs::table.select(runs::client.assume_not_null()).filter(runs::client.is_not_null());
    Ok(clients.distinct().order(runs::client.assume_not_null()).limit(limit).load(connection)?)
}

/// The newest run of that content and options, if nothing else of its kind came after it.
///
/// # Errors
/// Those of the database.
pub fn same_again(connection: &mut Db, new: &NewRun) -> Result<Option<Run>, StoreError> {
    let latest: Option<Run> = runs::table
        .filter(runs::kind.eq(&new.kind))
        .filter(runs::direction.eq(&new.direction))
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
            && run.all_or_nothing == new.all_or_nothing
            && run.filter_text == new.filter_text
    }))
}

/// The run of a file that was found in a folder.
///
/// # Errors
/// Those of the database.
pub fn claimed(connection: &mut Db, claim: &str) -> Result<Option<Report>, StoreError> {
    let id: Option<i64> = runs::table.filter(runs::claim.eq(claim)).select(runs::id).first(connection).optional()?;
    match id {
        Some(id) => get(connection, id),
        None => Ok(None),
    }
}

/// The runs of a kind before one that went the same way and came to their end; the latest first.
///
/// # Errors
/// Those of the database.
pub fn before(connection: &mut Db, run: &Run, limit: i64) -> Result<Vec<Report>, StoreError> {
    let ended = [RunState::Succeeded.as_str(), RunState::SucceededWithErrors.as_str()];
    let found: Vec<Row> = runs::table
        .inner_join(run_progress::table)
        .left_join(run_exports::table)
        .filter(runs::kind.eq(&run.kind))
        .filter(runs::direction.eq(&run.direction))
        .filter(runs::dry_run.eq(run.dry_run))
        .filter(runs::mode.eq(&run.mode))
        .filter(runs::state.eq_any(ended))
        .filter(runs::id.lt(run.id))
        .order(runs::id.desc())
        .limit(limit)
        .select((Run::as_select(), ProgressRow::as_select(), Option::<ExportOptions>::as_select()))
        .load(connection)?;
    Ok(found.into_iter().map(report).collect())
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
