//! What a run leaves behind: its source, and the records that it refused.

use super::{Accepted, Exchange, Initiator, Request, Spooled};
use crate::error::ServiceError;
use crate::reporting::{Direction, Report, RunState, TableError, kind_of, messages_csv, report_html, summary};
use crate::store::runs::Run;
use crate::store::{Db, StoreError, faults};
use soapstone_contracts::exchange::{Artifact, ArtifactKind, ImportMode, Resource, Run as RunReport, RunFormat};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How many examples of each code a printed report has.
const EXAMPLES: i64 = 10;

impl Exchange {
    /// The report of a run as the contract has it, with its files.
    pub fn shown(&self, report: &Report) -> RunReport {
        let waiting_for = self.waits.of(report.run.id).map(|resource| match resource {
            faults::Resource::Database => Resource::Database,
            faults::Resource::Space => Resource::Space,
        });
        RunReport { artifact: self.artifacts(report), waiting_for, ..report.to_contract() }
    }

    /// The files of a run that are there.
    fn artifacts(&self, report: &Report) -> Vec<Artifact> {
        let of = |kind: &ArtifactKind| {
            let is_there = match kind {
                // Files are gone before their runs.
                _ if report.run.state().is_final() && report.run.source_path.is_empty() => false,
                ArtifactKind::Source => report.run.direction() == Direction::Import,
                ArtifactKind::Result_ => {
                    report.run.direction() == Direction::Export && report.run.state() == RunState::Succeeded
                }
                ArtifactKind::Rejected => has_rejected(report),
                ArtifactKind::Messages | ArtifactKind::Report => false,
            };
            let size = match kind {
                ArtifactKind::Rejected => report.progress.rejected_bytes,
                _ => u64::try_from(report.run.source_size).unwrap_or(0),
            };
            is_there.then(|| described(&report.run, *kind, size))
        };
        ArtifactKind::ALL.iter().filter_map(of).collect()
    }

    /// Where a file of a run lies; None: it has none. What is still written to is none yet.
    fn path(&self, report: &Report, kind: ArtifactKind) -> Option<PathBuf> {
        match kind {
            // They are made when somebody asks for them.
            ArtifactKind::Rejected | ArtifactKind::Messages | ArtifactKind::Report => None,
            ArtifactKind::Source if report.run.direction() == Direction::Export => None,
            ArtifactKind::Source => self.lies_at(report),
            ArtifactKind::Result_ => {
                let is_done = report.run.direction() == Direction::Export && report.run.state() == RunState::Succeeded;
                if is_done { self.lies_at(report) } else { None }
            }
        }
    }

    /// Where the source or result of a run lies.
    fn lies_at(&self, report: &Report) -> Option<PathBuf> {
        match self.at_hand(&report.run.source_path, &report.run.source_sha256) {
            Ok(path) => Some(path),
            Err(error) => {
                log::error!(run = report.run.id; "a file of run {} cannot be fetched: {error:?}", report.run.id);
                None
            }
        }
    }

    /// Opens a file of a run.
    ///
    /// # Errors
    /// If there is none.
    pub fn artifact(&self, report: &Report, kind: ArtifactKind) -> Result<(Artifact, File), ServiceError> {
        let missing = || ServiceError::NotFound { kind: "artifact", key: format!("{}/{kind}", report.run.id) };
        if kind == ArtifactKind::Rejected && !has_rejected(report) {
            return Err(missing());
        }
        if matches!(kind, ArtifactKind::Rejected | ArtifactKind::Messages | ArtifactKind::Report) {
            let file = self.made(report, kind).map_err(ServiceError::internal)?;
            let size = file.metadata().map_err(ServiceError::internal)?.len();
            return Ok((described(&report.run, kind, size), file));
        }
        let file = File::open(self.path(report, kind).ok_or_else(missing)?).map_err(|_| missing())?;
        let size = file.metadata().map_err(ServiceError::internal)?.len();
        Ok((described(&report.run, kind, size), file))
    }

    /// Makes a file of what the database has of a run.
    fn made(&self, report: &Report, kind: ArtifactKind) -> Result<File, TableError> {
        let mut db = self.store.connection()?;
        let mut file = tempfile::tempfile()?;
        if kind == ArtifactKind::Rejected {
            self.write_rejected(report.run.id, &mut file).map_err(StoreError::from)?;
        } else if kind == ArtifactKind::Messages {
            messages_csv(&mut db, report.run.id, None, &file)?;
        } else if let Some(summary) = summary(&mut db, report.run.id, EXAMPLES)? {
            file.write_all(report_html(&summary).as_bytes())?;
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// Accepts a run of the records that another one refused.
    ///
    /// # Errors
    /// If it is not done, or refused none that could be kept.
    pub fn retry(&self, db: &mut Db, report: &Report, initiator: Initiator) -> Result<Accepted, StoreError> {
        not_done(report)?;
        if report.progress.rejected_bytes == 0 {
            let message = format!("The run {} keeps no refused records that could be taken again", report.run.id);
            return Err(ServiceError::Conflict { code: "run.nothing_refused", message }.into());
        }
        self.again(db, report, ArtifactKind::Rejected, initiator)
    }

    /// Accepts a run that writes what a dry run has told.
    ///
    /// # Errors
    /// If it was no dry run, or is not done.
    pub fn carry_out(&self, db: &mut Db, report: &Report, initiator: Initiator) -> Result<Accepted, StoreError> {
        let run = &report.run;
        if !run.dry_run || !run.state().is_final() {
            let message = format!("The run {} is no dry run that is done", run.id);
            return Err(ServiceError::Conflict { code: "run.no_dry_run", message }.into());
        }
        self.again(db, report, ArtifactKind::Source, initiator)
    }

    /// Accepts a run like another one, of one of its files.
    fn again(
        &self,
        db: &mut Db,
        report: &Report,
        of: ArtifactKind,
        initiator: Initiator,
    ) -> Result<Accepted, StoreError> {
        let (artifact, file) = self.artifact(report, of)?;
        let source = self.spool.store(file).map_err(ServiceError::internal)?;
        let is_retry = of == ArtifactKind::Rejected;
        let request = like(&report.run, artifact.name, is_retry, initiator);
        self.accept(db, &Request { dry_run: is_retry && report.run.dry_run, ..request }, &source)
    }

    /// Accepts a dry run of a run's source.
    ///
    /// # Errors
    /// If it is no import, is not done, or its source is not kept any more.
    pub fn try_again(&self, db: &mut Db, report: &Report, initiator: Initiator) -> Result<Accepted, StoreError> {
        not_done(report)?;
        let (artifact, file) = self.artifact(report, ArtifactKind::Source)?;
        let source = self.spool.store(file).map_err(ServiceError::internal)?;
        let request = like(&report.run, artifact.name, false, initiator);
        self.accept(db, &Request { dry_run: true, ..request }, &source)
    }

    /// Accepts a run like another one, of a file that somebody corrected.
    ///
    /// # Errors
    /// If it is no import, or is not done.
    pub fn corrected(
        &self,
        db: &mut Db,
        report: &Report,
        source: &Spooled,
        source_name: String,
        initiator: Initiator,
    ) -> Result<Accepted, StoreError> {
        not_done(report)?;
        if report.run.direction() != Direction::Import {
            let message = format!("The run {} is no import", report.run.id);
            return Err(ServiceError::Conflict { code: "run.no_import", message }.into());
        }
        let request = like(&report.run, source_name, true, initiator);
        self.accept(db, &Request { dry_run: report.run.dry_run, ..request }, source)
    }
}

/// Refuses a run that is not done yet.
fn not_done(report: &Report) -> Result<(), StoreError> {
    if report.run.state().is_final() {
        return Ok(());
    }
    let message = format!("The run {} is not done yet", report.run.id);
    Err(ServiceError::Conflict { code: "run.not_finished", message }.into())
}

/// What was asked for with a run; of some of its records, it is not full.
fn like(run: &Run, source_name: String, is_some: bool, initiator: Initiator) -> Request {
    let format = RunFormat::ALL.iter().find(|format| format.as_str() == run.format);
    Request {
        kind: kind_of(&run.kind),
        format: format.copied().unwrap_or(RunFormat::Auto),
        profile: run.profile.clone(),
        source_name,
        dry_run: false,
        mode: if run.mode == "full" && !is_some { ImportMode::Full } else { ImportMode::Partial },
        delete_at_most: (!is_some).then_some(run.delete_at_most),
        retry_of: is_some.then_some(run.id),
        claim: None,
        priority: run.priority,
        all_or_nothing: run.all_or_nothing,
        initiator,
    }
}

fn has_rejected(report: &Report) -> bool {
    report.run.state().is_final() && report.progress.rejected_bytes > 0
}

fn described(run: &Run, kind: ArtifactKind, size: u64) -> Artifact {
    Artifact { kind, name: name(run, kind), size: i64::try_from(size).unwrap_or(i64::MAX) }
}

/// What a file is called for people: `articles.csv`, `articles-rejected.csv`.
fn name(run: &Run, kind: ArtifactKind) -> String {
    let source = Path::new(&run.source_name);
    if matches!(kind, ArtifactKind::Source | ArtifactKind::Result_) {
        return run.source_name.clone();
    }
    match kind {
        ArtifactKind::Messages => return format!("run-{}-messages.csv", run.id),
        ArtifactKind::Report => return format!("run-{}.html", run.id),
        _ => {}
    }
    let ending = match run.format.as_str() {
        "jsonLines" => "jsonl",
        other => other,
    };
    // Of `articles.csv.gz` too.
    let stem = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.split('.').find(|part| !part.is_empty()).unwrap_or("records").to_owned();
    format!("{stem}-rejected.{ending}")
}
