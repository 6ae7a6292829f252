//! One run from source to database: a thread reads and maps, this one compares and writes, batch by batch. What a
//! batch writes and how far the run is are one transaction, so that it can go on from there after a crash.

use super::Exchange;
use super::changes::Changes;
use super::filter::{self, Filter};
use super::formats::{Along, Broken, Item, Known, Origin, Source, Text};
use super::injected::crash_at;
use super::kinds::Kind;
use super::pace::Pace;
use super::reader::{Around, Read, ReadBatch, read};
use super::telling::{Place, Telling};
use super::trouble::Trouble;
use super::waits::Patience;
use super::whole::HELD_IN_MEMORY;
use crate::domain::{Issue, Severity};
use crate::error::ServiceError;
use crate::reporting::{Progress, RunState};
use crate::store::batch::{Deletion, Outcome, Recorded};
use crate::store::runs::{self, Counts, Run, Wish};
use crate::store::{Db, StoreError, missing, statistics};
use chrono::NaiveDateTime;
use soapstone_contracts::exchange::RunKind;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};
use tempfile::SpooledTempFile;

/// Batches that wait between reader and writer: one is read while another is written, and large ones take room.
const AHEAD: usize = 1;

/// How often a node says that it is alive while it waits for its reader.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);

/// How often the timeline gets a point.
const SAMPLE: Duration = Duration::from_millis(500);

/// How often a batch is tried again when the database is busy.
const ATTEMPTS: u32 = 5;

/// A dry run of categories is one batch, as each may be below one that is only imagined.
const IMAGINED_TOGETHER: usize = 1_000_000;

pub(super) struct Pipeline<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) id: i64,
    pub(super) node: &'a str,
    pub(super) progress: Progress,
    pub(super) telling: Telling,
    /// Dry runs: what would be there by now.
    imagined: Along,
    /// Dry runs: what they would change; None: nobody can tell.
    changes: Option<Changes>,
    sampled: Option<Instant>,
    /// Whether this attempt has written a batch.
    has_advanced: bool,
}

/// How a run ends.
pub(super) enum End {
    Done,
    Failed(String),
    Cancelled,
    /// Somebody has to approve what it would delete.
    Waiting,
    /// Somebody halted it.
    Paused,
    /// Somebody else has the run, or this process is to end.
    GivenUp,
}

/// What the writer does next.
pub(super) enum Next {
    Batch(ReadBatch),
    /// The source cannot be read on.
    Broken(Broken),
    End,
    /// The reader has nothing yet.
    Idle,
    Stop(End),
}

/// What a batch of a run is written with.
pub(super) struct Writing<'a> {
    pub(super) run: &'a Run,
    pub(super) kind: &'static Kind,
    pub(super) pace: Arc<Pace>,
    pub(super) text: Option<Text>,
    /// Refused records of a run that is one transaction: they outlast it.
    pub(super) held: Option<SpooledTempFile>,
    pub(super) around: Around,
    /// Up to where of the source refused records were kept: of a document that is several records, once.
    kept_to: u64,
}

impl<'a> Pipeline<'a> {
    pub fn new(exchange: &'a Exchange, id: i64, node: &'a str) -> Self {
        let telling = Telling::after(0, Counts::new());
        Self {
            exchange,
            id,
            node,
            progress: Progress::default(),
            telling,
            imagined: Along::default(),
            changes: None,
            sampled: None,
            has_advanced: false,
        }
    }

    /// Works through the run to its end, whatever that is.
    pub fn work(mut self) {
        let end = match self.run() {
            Ok(end) => end,
            Err(error) => {
                log::error!(run = self.id; "run {} failed: {error}", self.id);
                End::Failed("the database refused to work; the log has the details".to_owned())
            }
        };
        let state = match &end {
            End::Done if self.progress.counters.failed > 0 => RunState::SucceededWithErrors,
            End::Done => RunState::Succeeded,
            End::Failed(_) => RunState::Failed,
            End::Cancelled => RunState::Cancelled,
            End::Waiting => return self.rest(RunState::Waiting),
            End::Paused => return self.rest(RunState::Paused),
            End::GivenUp => return self.rest(RunState::Queued),
        };
        let failure = if let End::Failed(why) = &end { Some(why.as_str()) } else { None };
        let finished = self.exchange.store.connection().and_then(|mut db| {
            let now = runs::now(&mut db)?;
            db.write(|db| {
                runs::sample(db, self.id, now, self.progress.counters.read)?;
                runs::finish(db, self.id, self.node, state, failure, now)
            })?;
            statistics::refresh(&mut db)
        });
        let counters = self.progress.counters;
        match finished {
            Ok(()) => log::info!(
                run = self.id;
                "run {} {}: {} read, {} created, {} updated, {} unchanged, {} failed, {} deleted",
                self.id, state.label(), counters.read, counters.created, counters.updated, counters.unchanged,
                counters.failed, counters.deleted
            ),
            Err(e) => log::error!(run = self.id; "the end of run {} could not be noted: {e}", self.id),
        }
    }

    fn rest(&self, state: RunState) {
        let left = self
            .exchange
            .store
            .connection()
            .and_then(|mut db| db.write(|db| runs::rest(db, self.id, self.node, state)));
        if let Err(e) = left {
            log::error!(run = self.id; "run {} could not be left {}: {e}", self.id, state.label());
        }
    }

    /// Goes through the source; where the database is only busy, again from the last batch that was written.
    fn run(&mut self) -> Result<End, StoreError> {
        let mut attempt = 0;
        let mut patience = Patience::new(self.exchange, self.id);
        loop {
            let before = self.progress.counters.read;
            let error = match self.pass() {
                Err(error) => error,
                other => return other,
            };
            if self.progress.counters.read > before {
                attempt = 0;
                patience.reset();
            }
            let goes_on = match Trouble::of(&error) {
                Trouble::Busy if attempt < ATTEMPTS => {
                    let wait = Duration::from_millis(200 << attempt);
                    attempt += 1;
                    log::warn!(run = self.id; "run {} tries its batch again in {} ms: {error}", self.id, wait.as_millis());
                    self.exchange.sleep(wait)
                }
                // It is a matter of minutes, or of somebody who comes: the run resumes where it is, however long that takes.
                Trouble::Missing(resource) => patience.wait(resource, &error),
                Trouble::Busy | Trouble::Lasting => return Err(error),
            };
            if !goes_on {
                return Ok(End::GivenUp);
            }
        }
    }

    /// Goes through the source from where the run stands.
    fn pass(&mut self) -> Result<End, StoreError> {
        let run = {
            let mut db = self.exchange.store.connection()?;
            let Some(report) = runs::get(&mut db, self.id)? else { return Ok(End::GivenUp) };
            self.progress = report.progress;
            if report.run.all_or_nothing {
                // What was done before was taken back.
                let missing = self.progress.missing;
                self.progress = Progress { messages: self.progress.messages, missing, ..Progress::default() };
            }
            self.telling = Telling::after(self.progress.messages, runs::message_counts(&mut db, self.id)?);
            report.run
        };
        let Some(kind) = Kind::find(&run.kind) else {
            return Ok(End::Failed(format!("this version does not know runs of {}", run.kind)));
        };
        if run.dry_run {
            self.changes = Changes::after(runs::last_change(&mut *self.exchange.store.connection()?, run.id)?, kind);
        }
        let path = self.exchange.at_hand(&run.source_path, &run.source_sha256)?;
        let mut source = match Source::open(&Origin::of(&run, &path), kind, &self.exchange.rules) {
            Ok(source) => source,
            Err(broken) => return self.broken(broken),
        };
        let pace = Arc::new(match (kind.of, run.dry_run) {
            (RunKind::Categories, true) => Pace::steady(IMAGINED_TOGETHER),
            _ => Pace::up_to(usize::try_from(run.batch_size).unwrap_or(1)),
        });
        let (text, around) = (source.text(), Around::default());
        let held = (run.all_or_nothing && !run.dry_run).then(|| SpooledTempFile::new(HELD_IN_MEMORY));
        let writing = Writing { run: &run, kind, pace: pace.clone(), text, held, around, kept_to: 0 };
        let done = u64::try_from(self.progress.counters.read).unwrap_or(0);
        let filter = match run.filter_text.as_deref().map(Filter::compile).transpose() {
            Ok(filter) => filter,
            Err(error) => return Ok(End::Failed(error.to_string())),
        };
        // A filter wants to see each record.
        if filter.is_none()
            && let Some(known) = Known::of(&self.exchange.store, kind, &run, &self.exchange.rules)?
        {
            source.with_known(known);
        }
        let (sender, mut receiver) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            let spawned = std::thread::Builder::new()
                .name(format!("run-{}-reader", run.id))
                .spawn_scoped(scope, move || read(source, kind, done, &pace, &sender));
            if let Err(e) = spawned {
                return Ok(End::Failed(format!("no thread to read with: {e}")));
            }
            if let Some(filter) = filter {
                let (to_writer, filtered) = sync_channel(AHEAD);
                let unfiltered = std::mem::replace(&mut receiver, filtered);
                let (run, store) = (&run, &self.exchange.store);
                let spawned = std::thread::Builder::new()
                    .name(format!("run-{}-filter", run.id))
                    .spawn_scoped(scope, move || filter::filter(filter, run, kind, store, &unfiltered, &to_writer));
                if let Err(e) = spawned {
                    return Ok(End::Failed(format!("no thread to filter with: {e}")));
                }
            }
            // The receiver goes along: once it is dropped, the reader ends too.
            if run.all_or_nothing && !run.dry_run {
                self.write_whole(writing, receiver)
            } else {
                self.write(writing, receiver)
            }
        })
    }

    /// Writes batch by batch, each in a transaction of its own.
    fn write(&mut self, mut writing: Writing<'_>, receiver: Receiver<Read>) -> Result<End, StoreError> {
        let end = loop {
            match self.next(&receiver)? {
                Next::Batch(read) => match self.batch(&mut writing, read)? {
                    None => {}
                    Some(end) => return Ok(end),
                },
                Next::Broken(broken) => break self.broken(broken)?,
                Next::End => break End::Done,
                Next::Stop(End::Cancelled) => break End::Cancelled,
                Next::Stop(end) => return Ok(end),
                Next::Idle => {
                    if !self.store_progress()? {
                        return Ok(End::GivenUp);
                    }
                }
            }
        };
        self.finish_rejected(&writing)?;
        match (end, writing.kind.place) {
            (End::Done, Some(place)) if writing.run.mode == "full" => self.delete_missing(writing.run, place),
            (end, _) => Ok(end),
        }
    }

    /// What the reader has, or somebody wants.
    pub(super) fn next(&self, receiver: &Receiver<Read>) -> Result<Next, StoreError> {
        if self.exchange.is_stopping() {
            return Ok(Next::Stop(End::GivenUp));
        }
        match runs::wish(&mut *self.exchange.store.connection()?, self.id)? {
            Wish::GoOn => {}
            Wish::Pause => return Ok(Next::Stop(End::Paused)),
            Wish::Cancel => return Ok(Next::Stop(End::Cancelled)),
        }
        Ok(match receiver.recv_timeout(HEARTBEAT) {
            Ok(Read::Batch(read)) => Next::Batch(read),
            Ok(Read::Broken(broken)) => Next::Broken(broken),
            Ok(Read::End) => Next::End,
            Err(RecvTimeoutError::Timeout) => Next::Idle,
            Err(RecvTimeoutError::Disconnected) => {
                Next::Stop(End::Failed("the reader ended without a word; the log has the details".to_owned()))
            }
        })
    }

    /// Tells why the source cannot be read on.
    fn broken(&mut self, broken: Broken) -> Result<End, StoreError> {
        let place = Place { line: broken.line, column: broken.column, ..Place::default() };
        self.telling.tell(&place, &broken.issue);
        self.store_progress()?;
        Ok(End::Failed(broken.issue.text))
    }

    /// Ends the file of refused records with what stands at its end.
    pub(super) fn finish_rejected(&self, writing: &Writing<'_>) -> Result<(), StoreError> {
        if self.progress.rejected_bytes == 0 || writing.around.1.is_empty() {
            return Ok(());
        }
        let mut db = self.exchange.store.connection()?;
        db.write(|db| runs::keep_rejected(db, self.id, runs::TAIL, &writing.around.1))
    }

    /// Tells of something that has no place in the source.
    pub(super) fn tell(&mut self, issue: &Issue) {
        self.telling.tell(&Place::default(), issue);
    }

    /// Ends so, if the run is still ours.
    pub(super) fn ends(&mut self, end: End) -> Result<End, StoreError> {
        Ok(if self.store_progress()? { end } else { End::GivenUp })
    }

    pub(super) fn store_progress(&mut self) -> Result<bool, StoreError> {
        self.progress.messages = self.telling.number;
        let said = self.telling.said();
        let mut db = self.exchange.store.connection()?;
        let now = runs::now(&mut db)?;
        db.write_resumable(|db| runs::advance(db, self.id, self.node, now, &self.progress, &said))
    }

    /// Writes a batch; gives the end of the run, if that is it.
    fn batch(&mut self, writing: &mut Writing<'_>, read: ReadBatch) -> Result<Option<End>, StoreError> {
        let began = Instant::now();
        let before = self.progress;
        let sample = self.sampled.is_none_or(|at| at.elapsed() >= SAMPLE);
        let mut db = self.exchange.store.connection()?;
        // What a power cut takes of it is resumed from what is left: the source is on disk, and how far the run is, is in the transaction.
        let done = db.write_resumable(|db| {
            let now = runs::now(db)?;
            self.take(db, writing, read, now)?;
            if !self.has_advanced {
                runs::note_progress(db, self.id)?;
            }
            self.progress.write_time += began.elapsed();
            if sample {
                runs::sample(db, self.id, now, self.progress.counters.read)?;
            }
            let said = self.telling.said();
            runs::advance(db, self.id, self.node, now, &self.progress, &said)
        });
        writing.pace.took(began.elapsed());
        let is_ours = match done {
            Ok(is_ours) => is_ours,
            Err(error) => {
                self.progress = before;
                return Err(error);
            }
        };
        self.has_advanced = true;
        self.exchange.waits.clear(self.id);
        if sample {
            self.sampled = Some(Instant::now());
        }
        self.rings(writing);
        Ok((!is_ours).then_some(End::GivenUp))
    }

    /// Tells the workshop that there are pictures.
    pub(super) fn rings(&self, writing: &Writing<'_>) {
        if writing.kind.of == RunKind::Pictures {
            self.exchange.bell.ring();
        }
    }

    /// Takes a batch in the transaction that is open: counts it, tells of it, keeps what is refused. Of what could not be kept,
    /// nothing may be written.
    pub(super) fn take(
        &mut self,
        db: &mut Db,
        writing: &mut Writing<'_>,
        read: ReadBatch,
        now: NaiveDateTime,
    ) -> Result<(), StoreError> {
        let ReadBatch { batch, items, bytes, around, time, filter_time } = read;
        writing.around = around;
        self.progress.read_time += time;
        self.progress.filter_time += filter_time;
        self.progress.bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        items.iter().for_each(|item| crash_at(&writing.run.source_name, item.number));
        let outcomes = self.apply(db, writing, batch, &items, now)?;
        let mut refused = Vec::new();
        for (item, (key, outcome)) in items.iter().zip(&outcomes) {
            count(&mut self.progress, item, outcome);
            let place = Place { key: key.clone().or_else(|| item.key.clone()), ..Place::of(item) };
            outcome.issues.iter().for_each(|issue| self.telling.tell(&place, issue));
            if outcome.outcome == Outcome::Refused {
                refused.push(item);
            }
        }
        if writing.run.mode == "full" {
            note_keys(db, writing, &items, &outcomes)?;
        }
        self.progress.messages = self.telling.number;
        self.keep(db, writing, &refused)
    }

    /// Keeps refused records, in the form of their source.
    fn keep(&mut self, db: &mut Db, writing: &mut Writing<'_>, refused: &[&Item]) -> Result<(), StoreError> {
        let Some(text) = writing.text.as_ref().filter(|_| !refused.is_empty()) else { return Ok(()) };
        let lost = |e: io::Error| StoreError::of_file("the source cannot be read again", &e);
        let mut kept_to = writing.kept_to;
        let mut ranges = Vec::new();
        for item in refused {
            if item.raw.end > kept_to {
                kept_to = item.raw.end;
                ranges.push(&item.raw);
            }
        }
        let mut content = text.pieces(ranges.into_iter()).map_err(lost)?;
        writing.kept_to = kept_to;
        if content.is_empty() {
            return Ok(());
        }
        let before = self.progress.rejected_bytes;
        if before == 0 {
            content.splice(0..0, writing.around.0.iter().copied());
        }
        match &mut writing.held {
            Some(held) => held.write_all(&content).map_err(lost)?,
            None => runs::keep_rejected(db, self.id, i64::try_from(before).unwrap_or(i64::MAX), &content)?,
        }
        // What will stand at its end counts from the beginning.
        let tail = if before == 0 { writing.around.1.len() } else { 0 };
        self.progress.rejected_bytes += (content.len() + tail) as u64;
        Ok(())
    }

    /// Applies the changes of a batch; gives each item's key, where it is known by now, and what became of it.
    fn apply(
        &mut self,
        db: &mut Db,
        writing: &Writing<'_>,
        batch: Box<dyn super::kinds::Batch>,
        items: &[Item],
        now: NaiveDateTime,
    ) -> Result<Vec<(Option<String>, Recorded)>, StoreError> {
        let rules = &self.exchange.rules;
        let mut along = Along::default();
        items.iter().for_each(|item| along.extend(&item.along));
        let taken = if writing.run.dry_run {
            self.imagined.extend(&along);
            let (taken, changing, after) = db.imagine(|db| {
                self.imagined.clone().take_before(db, rules, now)?;
                let taken = batch.take(db, rules, now)?;
                let taken = along.take_after(db, items, taken, rules, now)?;
                let Some(changes) = &self.changes else { return Ok((taken, Vec::new(), HashMap::new())) };
                let read = items.iter().filter(|item| item.is_in_batch());
                let told: Vec<_> = read.zip(&taken).map(|(item, (key, r))| (item.number, key.as_str(), r)).collect();
                let changing = changes.wanted(&told);
                let after = changes.now(db, &changing)?;
                Ok((taken, changing, after))
            })?;
            if let Some(changes) = &mut self.changes {
                let before = changes.now(db, &changing)?;
                runs::put_changes(db, self.id, &changes.between(changing, &before, &after))?;
            }
            taken
        } else {
            along.clone().take_before(db, rules, now)?;
            let taken = batch.take(db, rules, now)?;
            along.take_after(db, items, taken, rules, now)?
        };
        let mut taken = taken.into_iter();
        let mut outcome = |item: &Item| match (&item.change, &item.deletes) {
            (Err(issues), _) => Ok((None, Recorded::refused(issues.clone()))),
            (Ok(()), Some(key)) => Ok((Some(key.clone()), delete(db, writing, key)?)),
            (Ok(()), None) if item.is_skipped || item.is_known => {
                Ok((item.key.clone(), Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() }))
            }
            (Ok(()), None) => match taken.next() {
                Some((key, recorded)) => Ok((Some(key), recorded)),
                None => Err(StoreError::from(ServiceError::internal("nothing became of a record"))),
            },
        };
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            let (key, mut recorded) = outcome(item)?;
            recorded.issues.extend(item.warnings.iter().cloned());
            outcomes.push((key, recorded));
        }
        Ok(outcomes)
    }
}

/// Notes which records a full file has, the refused ones too: what is refused is not missing.
fn note_keys(
    db: &mut Db,
    writing: &Writing<'_>,
    items: &[Item],
    outcomes: &[(Option<String>, Recorded)],
) -> Result<(), StoreError> {
    let Some(place) = writing.kind.place else { return Ok(()) };
    let keys: Vec<String> = items
        .iter()
        .zip(outcomes)
        .map(|(item, (key, _))| key.as_deref().or(item.key.as_deref()).map(place.key).unwrap_or_default())
        .collect();
    missing::note(db, writing.run.id, keys.iter().map(String::as_str))
}

/// Deletes a record that the source says is gone; what is not there need not go.
fn delete(db: &mut Db, writing: &Writing<'_>, key: &str) -> Result<Recorded, StoreError> {
    let gone = |outcome| Recorded { outcome, version: None, issues: Vec::new() };
    let Some(place) = writing.kind.place else { return Ok(gone(Outcome::Unchanged)) };
    let keys = [(place.key)(key)];
    let deletions =
        if writing.run.dry_run { db.imagine(|db| (place.delete)(db, &keys))? } else { (place.delete)(db, &keys)? };
    Ok(match deletions.into_iter().next() {
        Some(Deletion::Deleted) => gone(Outcome::Updated),
        Some(Deletion::Refused(issue)) => Recorded::refused(vec![issue]),
        Some(Deletion::NotFound) | None => gone(Outcome::Unchanged),
    })
}

fn count(progress: &mut Progress, item: &Item, change: &Recorded) {
    let counters = &mut progress.counters;
    counters.read += 1;
    match change.outcome {
        Outcome::Updated if item.deletes.is_some() => counters.deleted += 1,
        Outcome::Unchanged if item.is_skipped => counters.skipped += 1,
        Outcome::Created => counters.created += 1,
        Outcome::Updated => counters.updated += 1,
        Outcome::Unchanged => counters.unchanged += 1,
        Outcome::Refused => counters.failed += 1,
    }
    let warnings = change.issues.iter().filter(|i| i.severity == Severity::Warning).count();
    counters.warnings += i64::try_from(warnings).unwrap_or(0);
}
