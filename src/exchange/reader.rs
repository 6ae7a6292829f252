//! The reader's side of a run: hands over batches until the source ends, passing over what is done.

use super::formats::{Broken, Item, Source};
use super::kinds::{Batch, Kind};
use super::pace::Pace;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

/// How many bytes a batch holds in memory at most, but for its last record.
const MAX_WEIGHT: usize = 16 << 20;

/// What stands around records in a file of some of them.
pub(super) type Around = Arc<(Vec<u8>, Vec<u8>)>;

/// Records that were read together.
pub(super) struct ReadBatch {
    pub batch: Box<dyn Batch>,
    pub items: Vec<Item>,
    /// How much of the source is read.
    pub bytes: u64,
    pub time: Duration,
    pub filter_time: Duration,
    pub around: Around,
}

/// What the reader hands over.
pub(super) enum Read {
    Batch(ReadBatch),
    /// The source cannot be read on.
    Broken(Broken),
    End,
}

/// Reads a source from the record after those that are done.
pub(super) fn read(mut source: Source, kind: &'static Kind, done: u64, pace: &Pace, sender: &SyncSender<Read>) {
    let mut reading = Reading { kind, batch: kind.begin(), items: Vec::new(), began: Instant::now(), around: None };
    let mut passed = 0;
    let mut weight = 0;
    loop {
        let is_done = passed < done;
        let batch: Option<&mut dyn Batch> = if is_done { None } else { Some(&mut *reading.batch) };
        let end = match source.next_item(batch) {
            Ok(Some(_)) if is_done => {
                passed += 1;
                continue;
            }
            Ok(Some(item)) => {
                weight += item.weight;
                reading.items.push(item);
                if reading.items.len() < pace.size() && weight < MAX_WEIGHT {
                    continue;
                }
                None
            }
            Ok(None) => Some(Read::End),
            Err(broken) => Some(Read::Broken(broken)),
        };
        weight = 0;
        // Nobody listens any more if the writer gave up.
        if !reading.items.is_empty() && sender.send(Read::Batch(reading.hand_over(&source))).is_err() {
            return;
        }
        if let Some(end) = end {
            let _ = sender.send(end);
            return;
        }
    }
}

/// A batch that is being read.
struct Reading {
    kind: &'static Kind,
    batch: Box<dyn Batch>,
    items: Vec<Item>,
    began: Instant,
    around: Option<Around>,
}

impl Reading {
    fn hand_over(&mut self, source: &Source) -> ReadBatch {
        let around = self.around.get_or_insert_with(|| {
            let around = source.around();
            Arc::new(around.unwrap_or_else(|e| {
                log::error!("what stands around records cannot be read: {e}");
                (Vec::new(), Vec::new())
            }))
        });
        ReadBatch {
            batch: std::mem::replace(&mut self.batch, self.kind.begin()),
            items: std::mem::take(&mut self.items),
            bytes: source.position(),
            time: std::mem::replace(&mut self.began, Instant::now()).elapsed(),
            filter_time: Duration::ZERO,
            around: around.clone(),
        }
    }
}
