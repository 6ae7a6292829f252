//! What is kept for how long: runs with all they said, and their files, which are larger and are gone before.

use super::Exchange;
use crate::store::access::prune_audit;
use crate::store::runs::{forget, forget_files};
use crate::store::{Db, StoreError, lease_clock, spooled};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::fs;
use std::io;
use std::path::Path;

/// Runs forgotten in one transaction.
const AT_ONCE: i64 = 200;

/// Lines of the audit log that are deleted in one transaction.
const AUDIT_LINES_AT_ONCE: i64 = 5_000;

/// A file that no run has yet may belong to one that is just being accepted: a step of the wall clock must not make it look old.
const YOUNG: TimeDelta = TimeDelta::hours(24);

/// For how long things are kept; None: for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    pub runs: Option<TimeDelta>,
    pub files: Option<TimeDelta>,
    pub audit: Option<TimeDelta>,
    /// Lines of the audit log; None: all.
    pub audit_lines: Option<i64>,
}

impl Retention {
    /// Runs and files for so many days each; 0: for ever.
    pub fn of_days(runs: u32, files: u32) -> Self {
        Self { runs: days(runs), files: days(files), audit: None, audit_lines: None }
    }

    /// Lines of the audit log for so many days, and so many of them; 0: all.
    #[must_use]
    pub fn with_audit(self, audit_days: u32, lines: u32) -> Self {
        Self { audit: days(audit_days), audit_lines: (lines > 0).then(|| lines.into()), ..self }
    }
}

fn days(days: u32) -> Option<TimeDelta> {
    (days > 0).then(|| TimeDelta::days(days.into()))
}

impl Exchange {
    /// Forgets what was kept long enough.
    ///
    /// # Errors
    /// Those of the database.
    pub fn tidy(&self) -> Result<(), StoreError> {
        let now = Utc::now().naive_utc();
        let mut db = self.store.connection()?;
        if let Some(keep) = self.retention.runs {
            let forgotten = in_parts(&mut db, now - keep, forget)?;
            if forgotten > 0 {
                log::info!("{forgotten} old runs were forgotten");
            }
        }
        if let Some(keep) = self.retention.files.or(self.retention.runs) {
            in_parts(&mut db, now - keep, forget_files)?;
        }
        self.prune_audit(&mut db, now)?;
        let old = db.write(lease_clock::now)? - YOUNG;
        db.write(|db| spooled::sweep(db, old).map(drop))?;
        for folder in self.spool.folders() {
            if let Err(error) = sweep(&mut db, folder, old)? {
                log::warn!("{}: {error}", folder.display());
            }
        }
        Ok(())
    }
}

impl Exchange {
    /// Deletes lines of the audit log that were kept long enough, and the oldest of too many.
    fn prune_audit(&self, db: &mut Db, now: NaiveDateTime) -> Result<(), StoreError> {
        let before = self.retention.audit.map(|keep| now - keep);
        let mut pruned = 0;
        loop {
            let some = db.write(|db| prune_audit(db, before, self.retention.audit_lines, AUDIT_LINES_AT_ONCE))?;
            pruned += some;
            if some == 0 {
                break;
            }
        }
        if pruned > 0 {
            log::info!("Pruned {pruned} lines of the audit log");
        }
        Ok(())
    }
}

/// Does something with runs that ended before a time until there are none left.
fn in_parts(
    db: &mut Db,
    before: NaiveDateTime,
    work: fn(&mut Db, NaiveDateTime, i64) -> Result<usize, StoreError>,
) -> Result<usize, StoreError> {
    let mut all = 0;
    loop {
        let done = db.write(|db| work(db, before, AT_ONCE))?;
        all += done;
        if done == 0 {
            return Ok(all);
        }
    }
}

/// Removes files that belong to no run any more: sources are called by their content, results by their run.
fn sweep(db: &mut Db, folder: &Path, old: NaiveDateTime) -> Result<io::Result<()>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return Ok(Err(error)),
    };
    for entry in entries.flatten() {
        let is_young = entry
            .metadata()
            .and_then(|about| about.modified())
            .map_or(true, |changed| DateTime::<Utc>::from(changed).naive_utc() > old);
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_used = match name.parse::<i64>() {
            Ok(run) => crate::store::runs::get(db, run)?.is_some_and(|report| !report.run.source_sha256.is_empty()),
            Err(_) => spooled::is_used(db, &name)?,
        };
        if !is_young
            && !is_used
            && let Err(error) = fs::remove_file(entry.path())
        {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}
