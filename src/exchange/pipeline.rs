//! One run from source to database: a thread reads and maps, this one compares and writes, batch by batch. What a
//! batch writes and how far the run is are one transaction, so that it can go on from there after a crash.

use super::Exchange;
use super::formats::{self, Change, Item, Source};
use crate::domain::{Issue, Severity};
use crate::reporting::{Progress, RunMessage, RunState};
use crate::store::articles;
use crate::store::batch::{Outcome, Recorded};
use crate::store::runs::{self, Run};
use crate::store::{Db, StoreError, categories};
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Batches that wait between reader and writer.
const AHEAD: usize = 4;

/// Messages kept of one run; more are only counted.
const MAX_MESSAGES: i64 = 10_000;

/// Characters kept of a value that is complained of.
const MAX_VALUE: usize = 200;

/// How often a node says that it is alive while it waits for its reader.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How often the timeline gets a point.
const SAMPLE: Duration = Duration::from_millis(500);

/// How often a batch is tried again when the database is busy.
const ATTEMPTS: u32 = 5;

pub(super) struct Pipeline<'a> {
    exchange: &'a Exchange,
    id: i64,
    node: &'a str,
    progress: Progress,
    /// Dry runs: categories that would be there by now.
    imagined: BTreeSet<String>,
    sampled: Option<Instant>,
}

/// What the reader hands over.
enum Read {
    Batch {
        items: Vec<Item>,
        bytes: u64,
        time: Duration,
    },
    /// The source cannot be read on.
    Broken {
        issue: Issue,
        line: Option<i64>,
        column: Option<i64>,
    },
    End,
}

/// How a run ends.
enum End {
    Done,
    Failed(String),
    Cancelled,
    /// Somebody else has the run, or this process is to end.
    GivenUp,
}

impl<'a> Pipeline<'a> {
    pub fn new(exchange: &'a Exchange, id: i64, node: &'a str) -> Self {
        Self { exchange, id, node, progress: Progress::default(), imagined: BTreeSet::new(), sampled: None }
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
            End::GivenUp => return self.put_back(),
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
                "run {} {}: {} read, {} created, {} updated, {} unchanged, {} failed",
                self.id, state.label(), counters.read, counters.created, counters.updated, counters.unchanged,
                counters.failed
            ),
            Err(e) => log::error!(run = self.id; "the end of run {} could not be noted: {e}", self.id),
        }
    }

    fn put_back(&self) {
        let released =
            self.exchange.store.connection().and_then(|mut db| db.write(|db| runs::release(db, self.id, self.node)));
        if let Err(e) = released {
            log::error!(run = self.id; "run {} could not be put back: {e}", self.id);
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
            run
        };
        let done = u64::try_from(self.progress.counters.read).unwrap_or(0);
        let (sender, receiver) = sync_channel(AHEAD);
        let batch_size = usize::try_from(run.batch_size).unwrap_or(1).max(1);
        std::thread::scope(|scope| {
            let reading = &run;
            let spawned = std::thread::Builder::new()
                .name(format!("run-{}-reader", run.id))
                .spawn_scoped(scope, move || read(reading, done, batch_size, &sender));
            if let Err(e) = spawned {
                return Ok(End::Failed(format!("no thread to read with: {e}")));
            }
            // The receiver goes along: once it is dropped, the reader ends too.
            self.write(&run, receiver)
        })
    }

    fn write(&mut self, run: &Run, receiver: Receiver<Read>) -> Result<End, StoreError> {
        loop {
            if self.exchange.is_stopping() {
                return Ok(End::GivenUp);
            }
            match receiver.recv_timeout(HEARTBEAT) {
                Ok(Read::Batch { items, bytes, time }) => {
                    self.progress.read_time += time;
                    if !self.batch(run, items, bytes)? {
                        return Ok(End::GivenUp);
                    }
                    let mut db = self.exchange.store.connection()?;
                    if runs::cancel_requested(&mut db, self.id)? {
                        return Ok(End::Cancelled);
                    }
                }
                Ok(Read::Broken { issue, line, column }) => {
                    let text = issue.text.clone();
                    let mut message = self.message(&issue, None, None);
                    (message.line, message.column) = (line, column);
                    self.store_progress(&[message])?;
                    return Ok(End::Failed(text));
                }
                Ok(Read::End) => return Ok(End::Done),
                Err(RecvTimeoutError::Timeout) => {
                    if !self.store_progress(&[])? {
                        return Ok(End::GivenUp);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(End::Failed("the reader ended without a word; the log has the details".to_owned()));
                }
            }
        }
    }

    fn store_progress(&self, messages: &[RunMessage]) -> Result<bool, StoreError> {
        let mut db = self.exchange.store.connection()?;
        let now = runs::now(&mut db)?;
        db.write(|db| runs::advance(db, self.id, self.node, now, &self.progress, messages))
    }

    /// Writes a batch; gives false if the run is no longer ours.
    fn batch(&mut self, run: &Run, items: Vec<Item>, bytes: u64) -> Result<bool, StoreError> {
        let began = Instant::now();
        let mut progress = self.progress;
        progress.bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut imagined = self.imagined.clone();
        let mut messages = Vec::new();
        let sample = self.sampled.is_none_or(|at| at.elapsed() >= SAMPLE);
        let mut db = self.exchange.store.connection()?;
        let held = db.write(|db| {
            let now = runs::now(db)?;
            let outcomes = self.apply(db, run, items, &mut imagined, now)?;
            for (place, outcome) in outcomes {
                count(&mut progress, &outcome);
                for issue in &outcome.issues {
                    progress.messages += 1;
                    if progress.messages <= MAX_MESSAGES {
                        messages.push(place.message(progress.messages, issue));
                    }
                }
            }
            progress.write_time += began.elapsed();
            if sample {
                runs::sample(db, self.id, now, progress.counters.read)?;
            }
            runs::advance(db, self.id, self.node, now, &progress, &messages)
        })?;
        if sample {
            self.sampled = Some(Instant::now());
        }
        self.progress = progress;
        self.imagined = imagined;
        Ok(held)
    }

    /// Applies the changes of a batch; gives each item's place and outcome, in order.
    fn apply(
        &self,
        db: &mut Db,
        run: &Run,
        items: Vec<Item>,
        imagined: &mut BTreeSet<String>,
        now: chrono::NaiveDateTime,
    ) -> Result<Vec<(Place, Recorded)>, StoreError> {
        let defaults = &self.exchange.defaults;
        let mut outcomes: Vec<(Place, Recorded)> = Vec::with_capacity(items.len());
        let (mut article_changes, mut article_places) = (Vec::new(), Vec::new());
        let (mut category_changes, mut category_places) = (Vec::new(), Vec::new());
        let mut needed = Vec::new();
        for item in items {
            let index = outcomes.len();
            let mut place = Place {
                record: item.number,
                line: item.line,
                column: item.column,
                key: item.key,
                columns: item.columns,
            };
            let outcome = match item.change {
                Err(issues) => Recorded::refused(issues),
                Ok(Change::Article(article)) => {
                    place.key = Some(article.sku.clone());
                    needed.extend(item.categories);
                    article_changes.push(*article);
                    article_places.push(index);
                    Recorded::refused(Vec::new())
                }
                Ok(Change::Category(category)) => {
                    place.key = Some(category.id.clone());
                    category_changes.push(*category);
                    category_places.push(index);
                    Recorded::refused(Vec::new())
                }
            };
            outcomes.push((place, outcome));
        }
        if !needed.is_empty() {
            if run.dry_run {
                imagined.extend(needed.iter().map(|c| crate::domain::compared(&c.id)));
            }
            categories::upsert(db, needed, defaults, now, run.dry_run)?;
        }
        for (index, outcome) in
            category_places.into_iter().zip(categories::upsert(db, category_changes, defaults, now, run.dry_run)?)
        {
            outcomes[index].1 = outcome;
        }
        let done = articles::upsert(db, article_changes, defaults, now, run.dry_run.then_some(&*imagined))?;
        for (index, outcome) in article_places.into_iter().zip(done) {
            outcomes[index].1 = outcome;
        }
        Ok(outcomes)
    }

    fn message(&mut self, issue: &Issue, record: Option<i64>, key: Option<String>) -> RunMessage {
        self.progress.messages += 1;
        let place = Place { record: record.unwrap_or(0), line: None, column: None, key, columns: None };
        let mut message = place.message(self.progress.messages, issue);
        message.record = record;
        message
    }
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

/// A value as far as a person wants to see it.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// Where an item stands in its source.
struct Place {
    record: i64,
    line: Option<i64>,
    column: Option<i64>,
    key: Option<String>,
    /// The source's own names for members.
    columns: Option<formats::Columns>,
}

impl Place {
    fn message(&self, number: i64, issue: &Issue) -> RunMessage {
        // What the rules call by the contract's name, the file may call otherwise.
        let field = issue.field.as_ref().map(|field| match &self.columns {
            Some(columns) => columns.name_of(field).unwrap_or_else(|| field.clone()),
            None => field.clone(),
        });
        RunMessage {
            number,
            severity: issue.severity.as_str().to_owned(),
            code: issue.code.to_owned(),
            record_key: self.key.clone(),
            record: Some(self.record),
            line: self.line,
            column: self.column,
            field,
            value: issue.value.as_deref().map(shortened),
            text: issue.text.clone(),
            suggestion: issue.suggestion.clone(),
        }
    }
}

/// The reader's side: hands over batches until the source ends, passing over what is done.
fn read(run: &Run, done: u64, batch_size: usize, sender: &SyncSender<Read>) {
    let mut source = match Source::open(run) {
        Ok(source) => source,
        Err(broken) => {
            // Nobody listens any more if the writer gave up.
            let _ = sender.send(Read::Broken { issue: broken.issue, line: broken.line, column: broken.column });
            return;
        }
    };
    let mut began = Instant::now();
    let mut items = Vec::with_capacity(batch_size);
    let mut number = 0;
    loop {
        match source.next_item(number < done) {
            Ok(Some(item)) => {
                number += 1;
                if number <= done {
                    continue;
                }
                items.push(item);
                if items.len() < batch_size {
                    continue;
                }
            }
            Ok(None) => {
                let bytes = source.position();
                if !items.is_empty() && sender.send(Read::Batch { items, bytes, time: began.elapsed() }).is_err() {
                    return;
                }
                let _ = sender.send(Read::End);
                return;
            }
            Err(broken) => {
                if !items.is_empty()
                    && sender.send(Read::Batch { items, bytes: source.position(), time: began.elapsed() }).is_err()
                {
                    return;
                }
                let _ = sender.send(Read::Broken { issue: broken.issue, line: broken.line, column: broken.column });
                return;
            }
        }
        let full = std::mem::replace(&mut items, Vec::with_capacity(batch_size));
        if sender.send(Read::Batch { items: full, bytes: source.position(), time: began.elapsed() }).is_err() {
            return;
        }
        began = Instant::now();
    }
}
