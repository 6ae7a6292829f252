//! The end of a full file: what is there, but not in the file, is deleted; if that is more than a share, somebody has to approve it.

use super::kinds::Place;
use super::pipeline::{End, Pipeline};
use super::telling::{Place as Whereabouts, Telling};
use crate::domain::{Issue, Severity};
use crate::store::batch::Deletion;
use crate::store::missing::{self, Place as Kept};
use crate::store::runs::{self, Counts, Run, Wish};
use crate::store::{Db, StoreError};

/// How many refusals of one pass are remembered; more are only counted.
const REMEMBERED: usize = 10_000;

/// One pass over what is missing.
#[derive(Default)]
struct Pass {
    deleted: u64,
    refused: Vec<(String, Issue)>,
    refusals: u64,
}

impl Pipeline<'_> {
    /// Deletes what a full file lacks.
    pub(super) fn delete_missing(&mut self, run: &Run, place: &Place) -> Result<End, StoreError> {
        let kept = Kept { table: place.table, column: place.column };
        if let Some(end) = self.before_deleting(&mut *self.exchange.store.connection()?, run, kept)? {
            return self.ends(end);
        }
        loop {
            let pass = match self.pass_over_missing(run, place, kept)? {
                Ok(pass) => pass,
                Err(end) => return Ok(end),
            };
            // What could not go because of something else may go once that is gone.
            if pass.deleted > 0 && pass.refusals > 0 {
                continue;
            }
            self.tell_of(&pass);
            return self.ends(End::Done);
        }
    }

    /// The same in the transaction that is open.
    pub(super) fn delete_missing_within(&mut self, db: &mut Db, run: &Run, place: &Place) -> Result<End, StoreError> {
        let kept = Kept { table: place.table, column: place.column };
        if let Some(end) = self.before_deleting(db, run, kept)? {
            return Ok(end);
        }
        loop {
            let (mut pass, mut after) = (Pass::default(), String::new());
            loop {
                let (keys, deletions) = next_deletions(db, run, place, kept, &after)?;
                let Some(last) = keys.last() else { break };
                after.clone_from(last);
                let deleted = pass.count(keys, deletions);
                self.progress.counters.deleted += deleted;
            }
            if pass.deleted > 0 && pass.refusals > 0 {
                continue;
            }
            self.tell_of(&pass);
            return Ok(End::Done);
        }
    }

    /// Whether anything is to be deleted: if not, how the run ends.
    fn before_deleting(&mut self, db: &mut Db, run: &Run, kept: Kept<'_>) -> Result<Option<End>, StoreError> {
        if missing::has_unread(db, run.id)? {
            let text = "nothing is deleted: there are refused records whose key cannot be read, so it is not known what the file lacks";
            let issue = Issue::warning("import.nothing_deleted", text);
            self.tell(&issue.suggest("correct the refused records, and send the whole file again"));
            self.progress.counters.warnings += 1;
            return Ok(Some(End::Done));
        }
        let (lacking, all) = missing::share(db, run.id, kept)?;
        self.progress.missing = Some(lacking);
        if run.dry_run {
            self.progress.counters.deleted = lacking;
            return Ok(Some(End::Done));
        }
        if !run.approved && lacking.saturating_mul(100) > all.saturating_mul(i64::from(run.delete_at_most)) {
            let percent = lacking.saturating_mul(100).checked_div(all).unwrap_or(0);
            let text = format!(
                "{lacking} of {all} records are not in the file ({percent} %), which is more than {} %: nothing is deleted until \
                 somebody approves it",
                run.delete_at_most
            );
            let issue = Issue::warning("import.much_missing", text);
            if run.all_or_nothing {
                // All is read again then, and tells again what it has to say.
                self.telling = Telling::after(0, Counts::new());
            }
            self.tell(
                &issue.suggest("approve the run, if the file is whole; or else cancel it, and send the whole file"),
            );
            self.progress.counters.warnings += 1;
            return Ok(Some(End::Waiting));
        }
        Ok(None)
    }

    fn tell_of(&mut self, pass: &Pass) {
        for (key, issue) in &pass.refused {
            let place = Whereabouts { key: Some(key.clone()), ..Whereabouts::default() };
            let issue = Issue { severity: Severity::Warning, ..issue.clone() };
            self.telling.tell(&place, &issue);
        }
        self.progress.counters.warnings += i64::try_from(pass.refusals).unwrap_or(i64::MAX);
    }

    fn pass_over_missing(&mut self, run: &Run, place: &Place, kept: Kept<'_>) -> Result<Result<Pass, End>, StoreError> {
        let mut pass = Pass::default();
        let mut after = String::new();
        loop {
            if self.exchange.is_stopping() {
                return Ok(Err(End::GivenUp));
            }
            let mut progress = self.progress;
            let mut db = self.exchange.store.connection()?;
            match runs::wish(&mut db, run.id)? {
                Wish::GoOn => {}
                Wish::Pause => return Ok(Err(End::Paused)),
                Wish::Cancel => return Ok(Err(End::Cancelled)),
            }
            let (id, node) = (self.id, self.node);
            let done = db.write_resumable(|db: &mut Db| {
                let (keys, deletions) = next_deletions(db, run, place, kept, &after)?;
                let gone = deletions.iter().filter(|deletion| **deletion == Deletion::Deleted).count();
                progress.counters.deleted += i64::try_from(gone).unwrap_or(i64::MAX);
                if gone > 0 {
                    runs::note_progress(db, id)?;
                }
                let now = runs::now(db)?;
                let is_ours = runs::advance(db, id, node, now, &progress, &runs::Said::default())?;
                Ok((keys, deletions, is_ours))
            });
            let (keys, deletions, is_ours) = done?;
            if !is_ours {
                return Ok(Err(End::GivenUp));
            }
            self.progress = progress;
            let Some(last) = keys.last() else { return Ok(Ok(pass)) };
            after.clone_from(last);
            pass.count(keys, deletions);
        }
    }
}

/// Deletes the next records that a file lacks, after a key.
fn next_deletions(
    db: &mut Db,
    run: &Run,
    place: &Place,
    kept: Kept<'_>,
    after: &str,
) -> Result<(Vec<String>, Vec<Deletion>), StoreError> {
    let keys = missing::next(db, run.id, kept, after, usize::try_from(run.batch_size).unwrap_or(1).max(1))?;
    let deletions = (place.delete)(db, &keys)?;
    Ok((keys, deletions))
}

impl Pass {
    /// Counts what became of some; gives how many are gone.
    fn count(&mut self, keys: Vec<String>, deletions: Vec<Deletion>) -> i64 {
        let mut gone = 0;
        for (key, deletion) in keys.into_iter().zip(deletions) {
            match deletion {
                Deletion::Deleted => gone += 1,
                Deletion::NotFound => {}
                Deletion::Refused(issue) => {
                    self.refusals += 1;
                    if self.refused.len() < REMEMBERED {
                        self.refused.push((key, issue));
                    }
                }
            }
        }
        self.deleted += gone;
        i64::try_from(gone).unwrap_or(i64::MAX)
    }
}
