//! What became of records, as the contract has it.

use crate::domain::{Issue, Severity};
use crate::error::ServiceError;
use crate::store::batch::{Deletion, Outcome, Recorded, VERSION_CONFLICT};
use soapstone_contracts::common;

/// The results of changes to records of these keys.
pub(crate) fn of_changes(keys: Vec<String>, changes: Vec<Recorded>) -> Vec<common::RecordResult> {
    keys.into_iter().zip(changes).map(|(key, change)| of_change(key, change)).collect()
}

fn of_change(key: String, change: Recorded) -> common::RecordResult {
    let outcome = match change.outcome {
        Outcome::Created => common::Outcome::Created,
        Outcome::Updated => common::Outcome::Updated,
        Outcome::Unchanged => common::Outcome::Unchanged,
        Outcome::Refused => common::Outcome::Failed,
    };
    let message = change.issues.into_iter().map(message).collect();
    common::RecordResult { key, outcome, version: change.version, message }
}

/// The results of deletions of the records of these keys.
pub(super) fn of_deletions(
    keys: Vec<String>,
    deletions: impl IntoIterator<Item = impl Into<Deletion>>,
) -> Vec<common::RecordResult> {
    let result = |(key, deletion): (String, _)| {
        let (outcome, issue) = match Into::into(deletion) {
            Deletion::Deleted => (common::Outcome::Deleted, None),
            Deletion::NotFound => (common::Outcome::NotFound, None),
            Deletion::Refused(issue) => (common::Outcome::Failed, Some(issue)),
        };
        common::RecordResult { key, outcome, version: None, message: issue.into_iter().map(message).collect() }
    };
    keys.into_iter().zip(deletions).map(result).collect()
}

/// Of a change to one record alone: what is against it is an error.
pub(super) fn only(changes: impl IntoIterator<Item = Recorded>) -> Result<(), ServiceError> {
    let refused = changes.into_iter().find(|change| change.outcome == Outcome::Refused);
    let issue = refused.and_then(|change| change.issues.into_iter().find(|i| i.severity == Severity::Error));
    let Some(issue) = issue else { return Ok(()) };
    let message = match &issue.suggestion {
        None => issue.text,
        Some(suggestion) => format!("{}; {suggestion}", issue.text),
    };
    if issue.code == VERSION_CONFLICT {
        return Err(ServiceError::Conflict { code: issue.code, message });
    }
    Err(ServiceError::Invalid { code: issue.code, message, field: issue.field, value: issue.value })
}

fn message(issue: Issue) -> common::Message {
    common::Message {
        severity: match issue.severity {
            Severity::Info => common::Severity::Info,
            Severity::Warning => common::Severity::Warning,
            Severity::Error => common::Severity::Error,
        },
        code: issue.code.to_owned(),
        field: issue.field,
        value: issue.value,
        text: issue.text,
        suggestion: issue.suggestion,
    }
}
