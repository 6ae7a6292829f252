//! One run from source to database: a thread reads and maps, this one compares and writes, batch by batch. What a
//! batch writes and how far the run is are one transaction, so that it can go on from there after a crash.

use super::Exchange;
use super::formats::{Broken, Item, Origin, Source, Text};
use super::kinds::Kind;
use super::reader::{Around, Read, ReadBatch, read};
use super::rejected::Rejected;
use super::telling::{Place, Telling};
use crate::domain::{Issue, Severity};
use crate::records::Record;
use crate::reporting::{Progress, RunState};
use crate::store::articles;
use crate::store::batch::{Outcome, Recorded};
use crate::store::runs::{self, Counts, Run};
use crate::store::{Db, StoreError, missing};
use chrono::NaiveDateTime;
use soapstone_contracts::catalog::Category;
use soapstone_contracts::exchange::RunKind;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Batches that wait between reader and writer.
const AHEAD: usize = 4;

/// How often a node says that it is alive while it waits for its reader.
const HEARTBEAT: Duration = Duration::from_secs(5);

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
    /// Dry runs: categories that would be there by now.
    imagined: Vec<Category>,
    sampled: Option<Instant>,
}

/// How a run ends.
pub(super) enum End {
    Done,
    Failed(String),
    Cancelled,
    /// Somebody has to approve what it would delete.
    Waiting,
    /// Somebody else has the run, or this process is to end.
    GivenUp,
}

/// What a batch of a run is written with.
struct Writing<'a> {
    run: &'a Run,
    kind: &'static Kind,
    text: Option<Text>,
    rejected: Rejected,
    around: Around,
}

impl<'a> Pipeline<'a> {
    pub fn new(exchange: &'a Exchange, id: i64, node: &'a str) -> Self {
        let telling = Telling::after(0, Counts::new());
        Self { exchange, id, node, progress: Progress::default(), telling, imagined: Vec::new(), sampled: None }
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
            End::Waiting => return self.leave("could not be left waiting", runs::wait),
            End::GivenUp => return self.leave("could not be put back", runs::release),
        };
        let failure = if let End::Failed(why) = &end { Some(why.as_str()) } else { None };
        let finished = self.exchange.store.connection().and_then(|mut db| {
            let now = runs::now(&mut db)?;
            db.write(|db| {
                runs::sample(db, self.id, now, self.progress.counters.read)?;
                runs::finish(db, self.id, self.node, state, failure, now)
            })?;
            articles::analyze(&mut db)
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

    fn leave(&self, wrong: &str, how: fn(&mut Db, i64, &str) -> Result<(), StoreError>) {
        let left = self.exchange.store.connection().and_then(|mut db| db.write(|db| how(db, self.id, self.node)));
        if let Err(e) = left {
            log::error!(run = self.id; "run {} {wrong}: {e}", self.id);
        }
    }

    /// Goes through the source; where the database is only busy, again from the last batch that was written.
    fn run(&mut self) -> Result<End, StoreError> {
        let mut attempt = 0;
        loop {
            let before = self.progress.counters.read;
            match self.pass() {
                Err(StoreError::Database(error)) if attempt < ATTEMPTS && is_passing(&error) => {
                    log::warn!(run = self.id; "run {} tries its batch again: {error}", self.id);
                    attempt = if self.progress.counters.read > before { 1 } else { attempt + 1 };
                    std::thread::sleep(Duration::from_millis(100 << attempt));
                }
                other => return other,
            }
        }
    }

    /// Goes through the source from where the run stands.
    fn pass(&mut self) -> Result<End, StoreError> {
        let run = {
            let mut db = self.exchange.store.connection()?;
            let Some((run, progress)) = runs::get(&mut db, self.id)? else { return Ok(End::GivenUp) };
            self.progress = progress;
            self.telling = Telling::after(progress.messages, runs::message_counts(&mut db, self.id)?);
            run
        };
        let Some(kind) = Kind::find(&run.kind) else {
            return Ok(End::Failed(format!("this version does not know runs of {}", run.kind)));
        };
        let source = match Source::open(&Origin::of(&run), kind, &self.exchange.rules.pictures) {
            Ok(source) => source,
            Err(broken) => return self.broken(broken),
        };
        let rejected = match Rejected::resume(self.exchange.spool.rejected(run.id), self.progress.rejected_bytes) {
            Ok(rejected) => rejected,
            Err(e) => return Ok(self.unwritable(&e)),
        };
        let writing = Writing { run: &run, kind, text: source.text(), rejected, around: Around::default() };
        let done = u64::try_from(self.progress.counters.read).unwrap_or(0);
        let batch_size = match (kind.of, run.dry_run) {
            (RunKind::Categories, true) => IMAGINED_TOGETHER,
            _ => usize::try_from(run.batch_size).unwrap_or(1).max(1),
        };
        let (sender, receiver) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            let spawned = std::thread::Builder::new()
                .name(format!("run-{}-reader", run.id))
                .spawn_scoped(scope, move || read(source, kind, done, batch_size, &sender));
            if let Err(e) = spawned {
                return Ok(End::Failed(format!("no thread to read with: {e}")));
            }
            // The receiver goes along: once it is dropped, the reader ends too.
            self.write(writing, receiver)
        })
    }

    fn write(&mut self, mut writing: Writing<'_>, receiver: Receiver<Read>) -> Result<End, StoreError> {
        let end = loop {
            if self.exchange.is_stopping() {
                return Ok(End::GivenUp);
            }
            match receiver.recv_timeout(HEARTBEAT) {
                Ok(Read::Batch(read)) => {
                    self.progress.read_time += read.time;
                    match self.batch(&mut writing, read)? {
                        None => {}
                        Some(end) => return Ok(end),
                    }
                    let mut db = self.exchange.store.connection()?;
                    if runs::cancel_requested(&mut db, self.id)? {
                        break End::Cancelled;
                    }
                }
                Ok(Read::Broken(broken)) => break self.broken(broken)?,
                Ok(Read::End) => break End::Done,
                Err(RecvTimeoutError::Timeout) => {
                    if !self.store_progress()? {
                        return Ok(End::GivenUp);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(End::Failed("the reader ended without a word; the log has the details".to_owned()));
                }
            }
        };
        if let Err(e) = writing.rejected.finish(&writing.around.1) {
            return Ok(self.unwritable(&e));
        }
        match (end, writing.kind.place) {
            (End::Done, Some(place)) if writing.run.mode == "full" => self.delete_missing(writing.run, place),
            (end, _) => Ok(end),
        }
    }

    /// Tells why the source cannot be read on.
    fn broken(&mut self, broken: Broken) -> Result<End, StoreError> {
        let place = Place { line: broken.line, column: broken.column, ..Place::default() };
        self.telling.tell(&place, &broken.issue);
        self.store_progress()?;
        Ok(End::Failed(broken.issue.text))
    }

    /// The file of refused records cannot be written: no record may be lost.
    fn unwritable(&self, why: &io::Error) -> End {
        log::error!(run = self.id; "the refused records of run {} cannot be written: {why}", self.id);
        End::Failed(format!("the refused records cannot be written: {why}"))
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
        db.write(|db| runs::advance(db, self.id, self.node, now, &self.progress, &said))
    }

    /// Writes a batch; gives the end of the run, if that is it.
    fn batch(&mut self, writing: &mut Writing<'_>, read: ReadBatch) -> Result<Option<End>, StoreError> {
        let began = Instant::now();
        let ReadBatch { batch, items, bytes, around, .. } = read;
        writing.around = around;
        let mut progress = self.progress;
        progress.bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let sample = self.sampled.is_none_or(|at| at.elapsed() >= SAMPLE);
        let mut unwritable = None;
        let mut db = self.exchange.store.connection()?;
        let done = db.write(|db| {
            let now = runs::now(db)?;
            let outcomes = self.apply(db, writing, batch, &items, now)?;
            let mut refused = Vec::new();
            for (item, (key, outcome)) in items.iter().zip(&outcomes) {
                count(&mut progress, outcome);
                let place = Place { key: key.clone().or_else(|| item.key.clone()), ..Place::of(item) };
                outcome.issues.iter().for_each(|issue| self.telling.tell(&place, issue));
                if outcome.outcome == Outcome::Refused {
                    refused.push(item);
                }
            }
            if writing.run.mode == "full" {
                note_keys(db, writing, &items, &outcomes)?;
            }
            progress.messages = self.telling.number;
            match writing.keep(&refused) {
                Ok(length) => progress.rejected_bytes = length,
                Err(e) => {
                    // Nothing of the batch is written then: what is refused must not be lost.
                    unwritable = Some(e);
                    return Err(StoreError::Unavailable("the refused records cannot be kept".to_owned()));
                }
            }
            progress.write_time += began.elapsed();
            if sample {
                runs::sample(db, self.id, now, progress.counters.read)?;
            }
            let said = self.telling.said();
            runs::advance(db, self.id, self.node, now, &progress, &said)
        });
        if let Some(e) = unwritable {
            return Ok(Some(self.unwritable(&e)));
        }
        let is_ours = done.inspect_err(|_| writing.rejected.rewind(self.progress.rejected_bytes))?;
        if sample {
            self.sampled = Some(Instant::now());
        }
        self.progress = progress;
        if writing.kind.of == RunKind::Pictures {
            self.exchange.bell.ring();
        }
        Ok((!is_ours).then_some(End::GivenUp))
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
        let needed: Vec<Category> = items.iter().flat_map(|item| item.categories.iter().cloned()).collect();
        let taken = if writing.run.dry_run {
            self.imagined.extend(needed);
            db.imagine(|db| {
                Category::take(db, self.imagined.clone(), rules, now)?;
                batch.take(db, rules, now)
            })?
        } else {
            if !needed.is_empty() {
                Category::take(db, needed, rules, now)?;
            }
            batch.take(db, rules, now)?
        };
        let mut taken = taken.into_iter();
        let outcome = |item: &Item| match &item.change {
            Err(issues) => Ok((None, Recorded::refused(issues.clone()))),
            Ok(()) => match taken.next() {
                Some((key, recorded)) => Ok((Some(key), recorded)),
                None => Err(StoreError::Unavailable("nothing became of a record".to_owned())),
            },
        };
        items.iter().map(outcome).collect()
    }
}

impl Writing<'_> {
    /// Keeps refused records; gives the length of their file.
    fn keep(&mut self, refused: &[&Item]) -> io::Result<u64> {
        let records = match &self.text {
            Some(text) => text.pieces(refused.iter().map(|item| &item.raw))?,
            None => Vec::new(),
        };
        self.rejected.add(&self.around.0, &records)
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

/// Whether the same may work a moment later.
fn is_passing(error: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    match error {
        Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        Error::DatabaseError(_, information) => {
            information.message().contains("database is locked") || information.message().contains("deadlock")
        }
        _ => false,
    }
}

fn count(progress: &mut Progress, change: &Recorded) {
    let counters = &mut progress.counters;
    counters.read += 1;
    match change.outcome {
        Outcome::Created => counters.created += 1,
        Outcome::Updated => counters.updated += 1,
        Outcome::Unchanged => counters.unchanged += 1,
        Outcome::Refused => counters.failed += 1,
    }
    let warnings = change.issues.iter().filter(|i| i.severity == Severity::Warning).count();
    counters.warnings += i64::try_from(warnings).unwrap_or(0);
}
