//! The records of an export, page by page.

use super::{ExportError, ExportFormat};
use crate::exchange::kinds::Kind;
use crate::records::Wanted;
use crate::store::{ChangeRange, Db, StoreError};
use chrono::NaiveDateTime;

/// Records read at once.
const PAGE: i64 = 500;

/// Which records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// Those that changed since a time, or all.
    Changed(Option<NaiveDateTime>),
    /// Those that changed within a range of change numbers.
    Increment(ChangeRange),
    /// The orders that were handed out under a number.
    Leased(i64),
    Nothing,
}

pub(super) struct Pages {
    kind: &'static Kind,
    format: ExportFormat,
    /// None: there are no more.
    wanted: Option<Wanted>,
}

impl Pages {
    /// # Errors
    /// If records of that kind cannot be listed.
    pub fn of(kind: &'static Kind, selection: Selection, format: ExportFormat) -> Result<Self, ExportError> {
        if kind.pages.is_none() {
            return Err(ExportError::NotListed);
        }
        let wanted = |since, changes, leased| Wanted { since, changes, leased, limit: PAGE, ..Wanted::default() };
        let wanted = match selection {
            Selection::Changed(since) => Some(wanted(since, None, None)),
            Selection::Increment(range) => Some(wanted(None, Some(range), None)),
            Selection::Leased(export) => Some(wanted(None, None, Some(export))),
            Selection::Nothing => None,
        };
        Ok(Self { kind, format, wanted })
    }

    /// The next page, spelled out; None after the last.
    ///
    /// # Errors
    /// Those of the database.
    pub fn next(&mut self, db: &mut Db) -> Result<Option<Vec<String>>, StoreError> {
        let (Some(pages), Some(mut wanted)) = (self.kind.pages, self.wanted.take()) else { return Ok(None) };
        let (records, next) = pages(db, self.kind, &wanted, self.format.spelling())?;
        self.wanted = next.map(|next| {
            wanted.after = Some(next);
            wanted
        });
        Ok(Some(records))
    }
}
