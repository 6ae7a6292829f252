//! Accepting a run: checked, safe on disk, in the database; only then "accepted" is said.

use super::channels::caller::Job;
use super::filter::Filter;
use super::formats;
use super::kinds::{KINDS, Kind};
use super::{Exchange, Initiator, Spooled};
use crate::error::ServiceError;
use crate::reporting::{Direction, Report, RunState};
use crate::store::runs::{self, NewRun};
use crate::store::{Db, StoreError};
use chrono::Utc;
use soapstone_contracts::exchange::{ImportMode, RunFormat, RunKind};

/// What somebody wants imported, and how.
#[derive(Clone, Debug)]
pub struct Request {
    pub kind: RunKind,
    pub format: RunFormat,
    pub profile: Option<String>,
    pub source_name: String,
    pub dry_run: bool,
    pub mode: ImportMode,
    /// Of a full file: what it may delete without being approved, in percent; None: as the server is set up.
    pub delete_at_most: Option<i32>,
    pub retry_of: Option<i64>,
    /// Which of the runs that wait goes first: the highest.
    pub priority: i32,
    /// Which file of a folder it is.
    pub claim: Option<String>,
    /// Nothing is written if a record is refused.
    pub all_or_nothing: bool,
    pub initiator: Initiator,
}

/// A run, and whether it is a new one.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub report: Report,
    /// The same content was sent again: this is the run of the first time.
    pub again: bool,
}

impl Accepted {
    /// The run of that number.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn new(db: &mut Db, id: i64, again: bool) -> Result<Self, StoreError> {
        let gone = || ServiceError::internal(format!("run {id} is gone right after it was accepted"));
        Ok(Self { report: crate::reporting::report(db, id)?.ok_or_else(gone)?, again })
    }
}

impl Exchange {
    /// Accepts a run for a source in the spool.
    ///
    /// # Errors
    /// If the profile is not known, the format not recognised, or the database not reached.
    pub fn accept(&self, db: &mut Db, request: &Request, source: &Spooled) -> Result<Accepted, StoreError> {
        let of_caller = match request.format {
            RunFormat::Caller => Job::of(request.kind, request.mode).map(|job| format!("caller-{}", job.name)),
            _ => None,
        };
        let named = request.profile.clone().or(of_caller);
        let (profile, filter) = match named.as_deref() {
            None => (None, None),
            Some(name) => {
                let (profile, filter) = (self.profiles.text(name), self.profiles.filter(name));
                if profile.is_none() && filter.is_none() {
                    let known = self.profiles.names().join(", ");
                    let message = format!("There is no profile \"{name}\"; known are {known}");
                    return Err(ServiceError::invalid("profile.unknown", message).of("profile", name).into());
                }
                (profile, filter)
            }
        };
        if let Some(filter) = &filter {
            Filter::compile(filter)?;
        }
        let unknown = || {
            ServiceError::invalid("import.unknown_kind", "There are no runs of that kind")
                .of("kind", request.kind.as_str())
        };
        let kind = Kind::find(request.kind.as_str()).ok_or_else(unknown)?;
        if request.mode == ImportMode::Full && kind.place.is_none() {
            let known: Vec<&str> = KINDS.iter().filter(|k| k.place.is_some()).map(|k| k.of.as_str()).collect();
            let message = format!("Files of {} are never full; those of {} can be", request.kind, known.join(", "));
            return Err(ServiceError::invalid("import.never_full", message).of("mode", request.mode.as_str()).into());
        }
        let format = formats::recognise(request.format.as_str(), profile.as_deref(), kind, source)?;
        let new = NewRun {
            kind: request.kind.as_str().to_owned(),
            format: format.to_owned(),
            profile: named,
            profile_text: profile,
            channel: request.initiator.channel.to_owned(),
            state: RunState::Queued.as_str().to_owned(),
            source_name: request.source_name.chars().take(1000).collect(),
            source_path: source.path.to_string_lossy().into_owned(),
            source_sha256: source.sha256.clone(),
            source_size: i64::try_from(source.size).unwrap_or(i64::MAX),
            dry_run: request.dry_run,
            batch_size: i32::try_from(self.batch_size).unwrap_or(i32::MAX),
            created_at: Utc::now().naive_utc(),
            mode: request.mode.as_str().to_owned(),
            delete_at_most: request.delete_at_most.unwrap_or(self.delete_at_most),
            retry_of: request.retry_of,
            direction: Direction::Import.as_str().to_owned(),
            priority: request.priority,
            all_or_nothing: request.all_or_nothing,
            filter_text: filter,
            claim: request.claim.clone(),
            client: request.initiator.client.clone(),
        };
        self.share(&source.path, &source.sha256, new.source_size)?;
        db.write(|db| {
            // Sent again while it is still at work: the same run. Done already: what it would find may have changed
            // since, so it is a run of its own, which writes nothing where nothing did.
            let same = match &new.claim {
                // Of a file in a folder it is told by which one it is.
                Some(claim) => runs::claimed(db, claim)?.map(|report| report.run),
                None => runs::same_again(db, &new)?.filter(|run| !run.state().is_final()),
            };
            let again = same.is_some();
            let id = match same {
                Some(run) => run.id,
                None => runs::accept(db, &new, None)?,
            };
            Accepted::new(db, id, again)
        })
    }
}
