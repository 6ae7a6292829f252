//! What changes of records have in common: absent keeps, nil empties, a value replaces.

use super::Issue;
use chrono::{FixedOffset, NaiveDateTime};
use soapstone_runtime::{DateTime, Nillable};

/// Absent keeps, nil empties, a value replaces.
pub(super) fn change<T, U>(
    slot: &mut Option<U>,
    given: Option<Nillable<T>>,
    convert: impl FnOnce(T) -> Result<U, Issue>,
    issues: &mut Vec<Issue>,
) {
    match given {
        None => {}
        Some(Nillable::Nil) => *slot = None,
        Some(Nillable::Value(value)) => match convert(value) {
            Ok(value) => *slot = Some(value),
            Err(issue) => issues.push(issue),
        },
    }
}

pub(super) fn as_given<T>(value: T) -> Result<T, Issue> {
    Ok(value)
}

/// How times of a kind of record are read.
#[derive(Clone, Copy)]
pub(super) struct Time {
    /// Of what is beyond the times that can be kept.
    pub code: &'static str,
    /// The zone of times that name none.
    pub zone: FixedOffset,
}

impl Time {
    pub fn instant(self, time: DateTime, field: &str) -> Result<NaiveDateTime, Issue> {
        time.to_utc(self.zone).map(|t| t.naive_utc()).ok_or_else(|| {
            Issue::error(self.code, format!("{field} is beyond the times that can be kept"))
                .of(field, &time.to_string())
                .suggest("leave it out to mean for ever")
        })
    }
}

/// The first name that stands twice.
pub(super) fn repeated<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    names.clone().enumerate().find(|(i, name)| names.clone().take(*i).any(|n| n == *name)).map(|(_, name)| name)
}
