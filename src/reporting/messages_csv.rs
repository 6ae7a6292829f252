//! What a run had to say, as a table.

use crate::domain::spreadsheet::marked;
use crate::store::runs;
use crate::store::{Db, StoreError};
use std::fmt;
use std::io::{self, Write};

/// Messages read at once.
const PAGE: i64 = 500;

/// What goes wrong with it.
#[derive(Debug)]
pub enum TableError {
    Store(StoreError),
    File(io::Error),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TableError {}

impl From<StoreError> for TableError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<csv::Error> for TableError {
    fn from(error: csv::Error) -> Self {
        Self::File(error.into())
    }
}

impl From<io::Error> for TableError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Writes the messages that are kept of a run, all or so many; for spreadsheets, with a byte order mark.
///
/// # Errors
/// Those of the database, and of where it is written to.
pub fn messages_csv(db: &mut Db, run: i64, most: Option<i64>, mut out: impl Write) -> Result<(), TableError> {
    if most.is_none() {
        out.write_all("\u{feff}".as_bytes())?;
    }
    let mut table = csv::WriterBuilder::new().delimiter(b';').from_writer(out);
    table.write_record([
        "severity",
        "line",
        "column",
        "record",
        "key",
        "field",
        "value",
        "code",
        "message",
        "suggestion",
    ])?;
    let (mut after, mut left) = (0, most.unwrap_or(i64::MAX));
    loop {
        let (messages, more) = runs::messages(db, run, None, None, after, PAGE.min(left))?;
        for message in &messages {
            let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
            // What a file says is from anybody: a spreadsheet must not take it for a formula.
            let text = |text: &Option<String>| marked(text.as_deref().unwrap_or_default()).into_owned();
            table.write_record([
                message.severity.clone(),
                number(message.line),
                number(message.column),
                number(message.record),
                text(&message.record_key),
                text(&message.field),
                text(&message.value),
                message.code.clone(),
                marked(&message.text).into_owned(),
                text(&message.suggestion),
            ])?;
            after = message.number;
        }
        left -= i64::try_from(messages.len()).unwrap_or(i64::MAX);
        if !more || left <= 0 {
            table.flush()?;
            return Ok(());
        }
    }
}
