//! What runs have to say: the first messages of each code, and how often each was said.

use crate::reporting::RunMessage;
use crate::store::bulk::{Column, Rows, Table};
use crate::store::schema::{run_message_counts, run_messages};
use crate::store::{Db, StoreError, page};
use diesel::prelude::*;
use std::collections::BTreeMap;

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

pub(super) fn put_counts(connection: &mut Db, run: i64, counts: &Counts) -> Result<(), StoreError> {
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

pub(super) fn put_messages(connection: &mut Db, run: i64, messages: &[RunMessage]) -> Result<(), StoreError> {
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

/// A page of a run's messages, after a number; those of a severity or code only, where one is given.
///
/// # Errors
/// Those of the database.
pub fn messages(
    connection: &mut Db,
    run: i64,
    severity: Option<&str>,
    code: Option<&str>,
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
    if let Some(code) = code {
        query = query.filter(run_messages::code.eq(code.to_owned()));
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
