//! What is kept for how long: runs with all they said, and their files, which are larger and are gone before.

use super::Exchange;
use crate::store::runs::{forget, forget_files};
use crate::store::{Db, StoreError, spooled};
use chrono::{NaiveDateTime, TimeDelta, Utc};
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Runs forgotten in one transaction.
const AT_ONCE: i64 = 200;

/// A file that no run has yet may belong to one that is just being accepted.
const YOUNG: Duration = Duration::from_secs(24 * 3600);

/// For how long things are kept; None: for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    pub runs: Option<TimeDelta>,
    pub files: Option<TimeDelta>,
}

impl Retention {
    /// Of so many days each; 0: for ever.
    pub fn of_days(runs: u32, files: u32) -> Self {
        let days = |days: u32| (days > 0).then(|| TimeDelta::days(days.into()));
        Self { runs: days(runs), files: days(files) }
    }
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
        let young = TimeDelta::from_std(YOUNG).unwrap_or_default();
        db.write(|db| spooled::sweep(db, now - young).map(drop))?;
        for folder in self.spool.folders() {
            if let Err(error) = sweep(&mut db, folder)? {
                log::warn!("{}: {error}", folder.display());
            }
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
fn sweep(db: &mut Db, folder: &Path) -> Result<io::Result<()>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return Ok(Err(error)),
    };
    for entry in entries.flatten() {
        let is_young = entry
            .metadata()
            .and_then(|about| about.modified())
            .map_or(true, |changed| SystemTime::now().duration_since(changed).unwrap_or_default() < YOUNG);
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
