//! Accepting an export: what is asked for is checked, and in the database.

use super::ExportFormat;
use crate::error::ServiceError;
use crate::exchange::kinds::{KINDS, Kind};
use crate::exchange::{Accepted, Exchange, Initiator};
use crate::reporting::{Direction, RunState};
use crate::store::runs::{self, ExportOptions, NewRun};
use crate::store::{Db, StoreError};
use chrono::{NaiveDateTime, Utc};
use soapstone_contracts::exchange::{ExportMode, RunFormat, RunKind};

/// How long orders are leased to a run where nobody says, in seconds: a day, as files are fetched when it suits.
const LEASE: i32 = 24 * 3600;

/// What somebody wants exported, and how.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    pub kind: RunKind,
    pub format: RunFormat,
    pub mode: ExportMode,
    pub since: Option<NaiveDateTime>,
    /// Of an incremental one: whose increments it gives.
    pub consumer: Option<String>,
    /// Of an incremental one of orders.
    pub lease_seconds: Option<i32>,
    pub warehouse: Option<String>,
    pub packed: bool,
    pub priority: i32,
    pub initiator: Initiator,
}

impl ExportRequest {
    /// What a run keeps of it.
    fn options(&self) -> Result<ExportOptions, ServiceError> {
        let is_incremental = self.mode == ExportMode::Incremental;
        let leases = is_incremental && self.kind == RunKind::Orders;
        let wrong =
            |code, message: &str, field, value: &str| Err(ServiceError::invalid(code, message).of(field, value));
        if is_incremental && self.since.is_some() {
            let message = "An incremental export knows itself since when; leave \"since\" out, or the mode";
            return wrong("export.since", message, "since", "");
        }
        if let Some(consumer) = self.consumer.as_deref().filter(|_| !is_incremental || leases) {
            let message = "Only incremental exports have consumers, and those of orders are confirmed instead";
            return wrong("export.consumer", message, "consumer", consumer);
        }
        if !leases && (self.lease_seconds.is_some() || self.warehouse.is_some()) {
            let message = "Only incremental exports of orders are leased, and are of a warehouse";
            return wrong("export.lease", message, "mode", self.mode.as_str());
        }
        Ok(ExportOptions {
            since: self.since,
            consumer: (is_incremental && !leases).then(|| self.consumer.clone().unwrap_or_default()),
            packed: self.packed,
            lease_seconds: leases.then_some(self.lease_seconds.unwrap_or(LEASE)),
            warehouse: self.warehouse.clone(),
            export_id: None,
        })
    }
}

impl Exchange {
    /// The kinds of records that can be exported.
    pub fn exported() -> impl Iterator<Item = RunKind> {
        KINDS.iter().filter(|kind| kind.pages.is_some()).map(|kind| kind.of)
    }

    /// Accepts a run that writes records to a file.
    ///
    /// # Errors
    /// If it cannot be, or the database not reached.
    pub fn accept_export(&self, db: &mut Db, request: &ExportRequest) -> Result<Accepted, StoreError> {
        let listed = |kind: &&Kind| kind.pages.is_some();
        let Some(kind) = Kind::find(request.kind.as_str()).filter(listed) else {
            let known: Vec<&str> = Self::exported().map(RunKind::as_str).collect();
            let message = format!("{} cannot be exported; {} can be", request.kind, known.join(", "));
            return Err(ServiceError::invalid("export.kind", message).of("kind", request.kind.as_str()).into());
        };
        let Some(format) = ExportFormat::of(request.format).filter(|format| format.takes(kind)) else {
            let message = format!("{} cannot be exported as {}", request.kind, request.format);
            return Err(ServiceError::invalid("export.format", message).of("format", request.format.as_str()).into());
        };
        let options = request.options()?;
        let packed = if request.packed { ".gz" } else { "" };
        let new = NewRun {
            kind: request.kind.as_str().to_owned(),
            format: format.name().to_owned(),
            profile: None,
            profile_text: None,
            channel: request.initiator.channel.to_owned(),
            state: RunState::Queued.as_str().to_owned(),
            source_name: format!("{}.{}{packed}", request.kind, format.ending()),
            source_path: String::new(),
            source_sha256: String::new(),
            source_size: 0,
            dry_run: false,
            batch_size: i32::try_from(self.batch_size).unwrap_or(i32::MAX),
            created_at: Utc::now().naive_utc(),
            mode: if request.mode == ExportMode::Full && request.since.is_none() { "full" } else { "partial" }
                .to_owned(),
            delete_at_most: 0,
            retry_of: None,
            direction: Direction::Export.as_str().to_owned(),
            priority: request.priority,
            all_or_nothing: false,
            filter_text: None,
            claim: None,
            client: request.initiator.client.clone(),
        };
        db.write(|db| {
            let id = runs::accept(db, &new, Some(&options))?;
            Accepted::new(db, id, false)
        })
    }
}
