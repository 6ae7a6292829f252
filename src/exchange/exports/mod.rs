//! Records written to files, page by page, in bounded memory: by a run, or at once for the command line.

mod accept;
mod caller;
mod file;
mod opentrans;
mod pages;
mod run;
mod table;

pub use accept::ExportRequest;
pub use file::ExportFormat;
pub(super) use run::work;

use super::kinds::Kind;
use crate::store::faults::Resource;
use crate::store::{Db, StoreError};
use chrono::NaiveDateTime;
use file::ExportFile;
use pages::{Pages, Selection};
use std::fmt;
use std::io::{self, Write};

/// What goes wrong with an export.
#[derive(Debug)]
pub enum ExportError {
    Store(StoreError),
    File(io::Error),
    /// Records of that kind cannot be listed.
    NotListed,
    /// That form has no place for records of that kind.
    NotOfFormat,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::File(error) => write!(f, "the file cannot be written: {error}"),
            Self::NotListed => f.write_str("records of that kind cannot be exported"),
            Self::NotOfFormat => f.write_str("records of that kind cannot be exported in that format"),
        }
    }
}

impl ExportError {
    /// The resource that is missing and may come back.
    pub fn missing(&self) -> Option<Resource> {
        match self {
            Self::Store(error) => error.missing(),
            Self::File(error) => Resource::missing(error),
            Self::NotListed | Self::NotOfFormat => None,
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
    kind: &'static Kind,
    format: ExportFormat,
    since: Option<NaiveDateTime>,
    is_for_spreadsheets: bool,
    out: impl Write,
) -> Result<u64, ExportError> {
    let mut pages = Pages::of(kind, Selection::Changed(since), format)?;
    let mut file = ExportFile::begin(kind, format, is_for_spreadsheets, out)?;
    let mut written = 0;
    while let Some(records) = pages.next(db)? {
        for record in &records {
            file.add(record)?;
            written += 1;
        }
    }
    file.finish()?;
    Ok(written)
}
