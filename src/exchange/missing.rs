//! The end of a full file: what is there, but not in the file, is deleted; if that is more than a share, somebody has to approve it.

use super::kinds::Place;
use super::pipeline::{End, Pipeline};
use super::telling::Place as Whereabouts;
use crate::domain::{Issue, Severity};
use crate::store::batch::Deletion;
use crate::store::missing::{self, Place as Kept};
use crate::store::runs::{self, Run};
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
        let mut db = self.exchange.store.connection()?;
        if missing::has_unread(&mut db, run.id)? {
            let text = "nothing is deleted: there are refused records whose key cannot be read, so it is not known what the file lacks";
            let issue = Issue::warning("import.nothing_deleted", text);
            self.tell(&issue.suggest("correct the refused records, and send the whole file again"));
            self.progress.counters.warnings += 1;
            drop(db);
            return self.ends(End::Done);
        }
        let (lacking, all) = missing::share(&mut db, run.id, kept)?;
        drop(db);
        self.progress.missing = Some(lacking);
        if run.dry_run {
            self.progress.counters.deleted = lacking;
            return self.ends(End::Done);
        }
        if !run.approved && lacking.saturating_mul(100) > all.saturating_mul(i64::from(run.delete_at_most)) {
            let percent = lacking.saturating_mul(100).checked_div(all).unwrap_or(0);
            let text = format!(
                "{lacking} of {all} records are not in the file ({percent} %), which is more than {} %: nothing is deleted until \
                 somebody approves it",
                run.delete_at_most
            );
            let issue = Issue::warning("import.much_missing", text);
            self.tell(
                &issue.suggest("approve the run, if the file is whole; or else cancel it, and send the whole file"),
            );
            self.progress.counters.warnings += 1;
            return self.ends(End::Waiting);
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
            for (key, issue) in &pass.refused {
                let place = Whereabouts { key: Some(key.clone()), ..Whereabouts::default() };
                let issue = Issue { severity: Severity::Warning, ..issue.clone() };
                self.telling.tell(&place, &issue);
            }
            self.progress.counters.warnings += i64::try_from(pass.refusals).unwrap_or(i64::MAX);
            return self.ends(End::Done);
        }
    }

    fn pass_over_missing(&mut self, run: &Run, place: &Place, kept: Kept<'_>) -> Result<Result<Pass, End>, StoreError> {
        let batch_size = usize::try_from(run.batch_size).unwrap_or(1).max(1);
        let mut pass = Pass::default();
        let mut after = String::new();
        loop {
            if self.exchange.is_stopping() {
                return Ok(Err(End::GivenUp));
            }
            let mut progress = self.progress;
            let mut db = self.exchange.store.connection()?;
            if runs::cancel_requested(&mut db, run.id)? {
                return Ok(Err(End::Cancelled));
            }
            let (id, node) = (self.id, self.node);
            let done = db.write(|db: &mut Db| {
                let keys = missing::next(db, id, kept, &after, batch_size)?;
                let deletions = (place.delete)(db, &keys)?;
                let gone = deletions.iter().filter(|deletion| **deletion == Deletion::Deleted).count();
                progress.counters.deleted += i64::try_from(gone).unwrap_or(i64::MAX);
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
            for (key, deletion) in keys.into_iter().zip(deletions) {
                match deletion {
                    Deletion::Deleted => pass.deleted += 1,
                    Deletion::NotFound => {}
                    Deletion::Refused(issue) => {
                        pass.refusals += 1;
                        if pass.refused.len() < REMEMBERED {
                            pass.refused.push((key, issue));
                        }
                    }
                }
            }
        }
    }
}
