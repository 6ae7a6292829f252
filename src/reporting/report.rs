//! The report of a run, put together from what the store keeps.

use super::{Direction, Progress, RunMessage, RunState};
use crate::store::runs::{self, ExportOptions, Run};
use crate::store::{Db, StoreError};
use chrono::{NaiveDateTime, Utc};
use soapstone_contracts::exchange as contract;
use soapstone_runtime::DateTime;

/// A run with its progress.
#[derive(Clone, Debug)]
pub struct Report {
    pub run: Run,
    pub progress: Progress,
    /// Of an export: what it is to give.
    pub export: Option<ExportOptions>,
}

/// The report of a run; None if there is no such run.
///
/// # Errors
/// Those of the database.
pub fn report(connection: &mut Db, id: i64) -> Result<Option<Report>, StoreError> {
    runs::get(connection, id)
}

impl Report {
    /// How much of the source is done, in percent.
    pub fn percent(&self) -> i64 {
        let size = self.run.source_size.max(1);
        match self.run.state() {
            RunState::Succeeded | RunState::SucceededWithErrors => 100,
            _ => (self.progress.bytes.saturating_mul(100) / size).clamp(0, 100),
        }
    }

    /// Seconds from start to end, or to now.
    pub fn seconds(&self) -> Option<f64> {
        let end = self.run.finished_at.unwrap_or_else(|| Utc::now().naive_utc());
        let millis = (end - self.run.started_at?).num_milliseconds().max(0);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
        Some(millis as f64 / 1000.0)
    }

    /// Records a second over the whole run.
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.seconds().filter(|s| *s > 0.0)?;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        Some(self.progress.counters.read as f64 / seconds)
    }

    /// Seconds until it ends, if it goes on as it does; None: it is not at work, or has just begun.
    pub fn remaining(&self) -> Option<f64> {
        if self.run.state() != RunState::Running || self.progress.bytes <= 0 {
            return None;
        }
        let left = (self.run.source_size - self.progress.bytes).max(0);
        #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
        self.seconds().map(|seconds| seconds * left as f64 / self.progress.bytes as f64)
    }

    /// The run as the contract has it.
    pub fn to_contract(&self) -> contract::Run {
        let run = &self.run;
        let counters = self.progress.counters;
        let time = |at: Option<NaiveDateTime>| at.map(DateTime::from_utc);
        let export = self.export.as_ref();
        contract::Run {
            id: run.id,
            kind: kind_of(&run.kind),
            format: find(contract::RunFormat::ALL, |f| f.as_str() == run.format, contract::RunFormat::Auto),
            profile: run.profile.clone(),
            channel: find(contract::Channel::ALL, |c| c.as_str() == run.channel, contract::Channel::CommandLine),
            state: find(contract::RunState::ALL, |s| s.as_str() == run.state, contract::RunState::Failed),
            source_name: run.source_name.clone(),
            source_sha256: run.source_sha256.clone(),
            source_size: run.source_size,
            dry_run: run.dry_run,
            created_at: DateTime::from_utc(run.created_at),
            started_at: time(run.started_at),
            finished_at: time(run.finished_at),
            attempt: run.attempt,
            progress: i32::try_from(self.percent()).unwrap_or(0),
            counters: contract::Counters {
                read: counters.read,
                created: counters.created,
                updated: counters.updated,
                unchanged: counters.unchanged,
                skipped: counters.skipped,
                deleted: counters.deleted,
                failed: counters.failed,
                warnings: counters.warnings,
            },
            failure: run.failure.clone(),
            mode: find(contract::ImportMode::ALL, |m| m.as_str() == run.mode, contract::ImportMode::Partial),
            missing: self.progress.missing,
            retry_of: run.retry_of,
            client: run.client.clone(),
            artifact: Vec::new(),
            direction: match run.direction() {
                Direction::Import => contract::Direction::Import,
                Direction::Export => contract::Direction::Export,
            },
            priority: run.priority,
            all_or_nothing: run.all_or_nothing,
            since: time(export.and_then(|export| export.since)),
            consumer: export.and_then(|export| export.consumer.clone()),
            export_number: export.and_then(|export| export.export_id).map(|id| id.to_string()),
            waiting_for: None,
        }
    }
}

fn find<T: Copy>(all: &[T], wanted: impl Fn(&T) -> bool, otherwise: T) -> T {
    all.iter().copied().find(|value| wanted(value)).unwrap_or(otherwise)
}

/// The kind of that name.
pub fn kind_of(name: &str) -> contract::RunKind {
    find(contract::RunKind::ALL, |k| k.as_str() == name, contract::RunKind::Articles)
}

impl RunMessage {
    /// The message as the contract has it.
    pub fn to_contract(&self) -> contract::RunMessage {
        use soapstone_contracts::common::Severity;
        contract::RunMessage {
            number: self.number,
            severity: find(Severity::ALL, |s| s.as_str() == self.severity, Severity::Error),
            code: self.code.clone(),
            record_key: self.record_key.clone(),
            record: self.record,
            line: self.line,
            column: self.column,
            field: self.field.clone(),
            value: self.value.clone(),
            text: self.text.clone(),
            suggestion: self.suggestion.clone(),
        }
    }
}
