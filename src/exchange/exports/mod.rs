//! Records written to files, page by page, in bounded memory.

mod table;

use super::kinds::{Kind, Spelling};
use crate::records::Wanted;
use crate::store::{Db, StoreError};
use chrono::NaiveDateTime;
use std::fmt;
use std::io::{self, BufWriter, Write};
use table::Table;

/// Records read at once.
const PAGE: i64 = 500;

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// The request that takes such records.
    Xml,
    /// A header line with the contract's names, semicolons between, UTF-8 with a byte order mark, as spreadsheets read it.
    Csv,
    /// One record a line.
    JsonLines,
}

/// What goes wrong with an export.
#[derive(Debug)]
pub enum ExportError {
    Store(StoreError),
    File(io::Error),
    /// Records of that kind cannot be listed.
    NotListed,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::File(error) => write!(f, "the file cannot be written: {error}"),
            Self::NotListed => f.write_str("records of that kind cannot be exported"),
        }
    }
}

impl std::error::Error for ExportError {}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Writes the records of a kind, those that changed since a time or all; gives how many.
///
/// # Errors
/// Those of the database and of the file.
pub fn export(
    db: &mut Db,
    kind: &Kind,
    format: ExportFormat,
    since: Option<NaiveDateTime>,
    out: impl Write,
) -> Result<u64, ExportError> {
    let mut out = BufWriter::with_capacity(256 << 10, out);
    let written = match format {
        ExportFormat::Xml => {
            let (start, end) = kind.root();
            writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{start}")?;
            let written = each(db, kind, since, Spelling::Xml, |record| Ok(writeln!(out, "{record}")?))?;
            writeln!(out, "{end}")?;
            written
        }
        ExportFormat::JsonLines => each(db, kind, since, Spelling::Json, |record| Ok(writeln!(out, "{record}")?))?,
        ExportFormat::Csv => {
            // Which columns there are is known at the end only.
            let mut table = Table::begin(kind)?;
            let written = each(db, kind, since, Spelling::Json, |record| Ok(table.add(record)?))?;
            table.write(&mut out)?;
            written
        }
    };
    out.flush()?;
    Ok(written)
}

/// Calls with each record, spelled out.
fn each(
    db: &mut Db,
    kind: &Kind,
    since: Option<NaiveDateTime>,
    spelling: Spelling,
    mut write: impl FnMut(&str) -> Result<(), ExportError>,
) -> Result<u64, ExportError> {
    let pages = kind.pages.ok_or(ExportError::NotListed)?;
    let mut wanted = Wanted { since, after: None, limit: PAGE };
    let mut written = 0;
    loop {
        let (records, next) = pages(db, kind, &wanted, spelling)?;
        for record in &records {
            write(record)?;
            written += 1;
        }
        if next.is_none() {
            return Ok(written);
        }
        wanted.after = next;
    }
}
