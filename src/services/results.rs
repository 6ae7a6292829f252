//! What became of records, as the contract has it.

use crate::domain::{Issue, Severity};
use crate::store::articles::Outcome;
use soapstone_contracts::common;

/// The result of one record.
pub(super) fn record(key: String, outcome: Outcome) -> common::RecordResult {
    let (outcome, issues) = match outcome {
        Outcome::Created => (common::Outcome::Created, Vec::new()),
        Outcome::Updated => (common::Outcome::Updated, Vec::new()),
        Outcome::Unchanged => (common::Outcome::Unchanged, Vec::new()),
        Outcome::Refused(issues) => (common::Outcome::Failed, issues),
    };
    common::RecordResult { key, outcome, message: issues.into_iter().map(message).collect() }
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
