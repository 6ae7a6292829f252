//! The filter's side of a run: takes batches from the reader, runs the script on each record, and hands them on.

use super::lookup::key_of;
use super::{Filter, Filtered, Lookup};
use crate::domain::{Issue, compared};
use crate::exchange::formats::Item;
use crate::exchange::kinds::{Batch, Kind};
use crate::exchange::reader::{Around, Read, ReadBatch};
use crate::store::Store;
use crate::store::runs::Run;
use rhai::Dynamic;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

/// Runs the script on all that the reader has.
pub(in crate::exchange) fn filter(
    filter: Filter,
    run: &Run,
    kind: &'static Kind,
    store: &Store,
    receiver: &Receiver<Read>,
    sender: &SyncSender<Read>,
) {
    let lookup = Lookup::of(store.clone());
    let filter = filter.with(lookup.clone());
    let known = known(&run.kind, &run.source_name, run.dry_run);
    while let Ok(read) = receiver.recv() {
        let read = match read {
            Read::Batch(batch) => Read::Batch(filtered(&filter, &known, kind, &lookup, batch)),
            other => other,
        };
        let is_last = !matches!(read, Read::Batch(_));
        // Nobody listens any more if the writer gave up.
        if sender.send(read).is_err() || is_last {
            return;
        }
    }
}

/// What a script may know of its run.
fn known(kind: &str, source: &str, dry_run: bool) -> rhai::Map {
    let members =
        [("kind", Dynamic::from(kind.to_owned())), ("source", source.to_owned().into()), ("dryRun", dry_run.into())];
    members.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// Runs the script on a few records that no run is about.
pub(in crate::exchange) fn on_some(
    filter: Filter,
    kind: &'static Kind,
    store: &Store,
    batch: Box<dyn Batch>,
    items: Vec<Item>,
) -> (Box<dyn Batch>, Vec<Item>) {
    let lookup = Lookup::of(store.clone());
    let filter = filter.with(lookup.clone());
    let (bytes, time, around) = (0, Duration::ZERO, Around::default());
    let read = ReadBatch { batch, items, bytes, time, filter_time: time, around };
    let read = filtered(&filter, &known(kind.of.as_str(), "", true), kind, &lookup, read);
    (read.batch, read.items)
}

fn filtered(
    filter: &Filter,
    known: &rhai::Map,
    kind: &'static Kind,
    lookup: &Lookup,
    mut read: ReadBatch,
) -> ReadBatch {
    let began = Instant::now();
    let mut existing = existing(filter, kind, lookup, &*read.batch);
    let mut place = 0;
    for item in read.items.iter_mut().filter(|item| item.is_in_batch()) {
        let record = read.batch.at(place).unwrap_or_default();
        let key = key_of(kind, &record).map(str::to_owned);
        let there = key.as_deref().and_then(|key| existing.remove(&compared(key)));
        let mut run = known.clone();
        run.insert("line".into(), item.line.unwrap_or(0).into());
        let (outcome, warnings) = filter.apply(&record, &run, there);
        item.warnings = warnings;
        item.key = item.key.take().or(key);
        let put = match outcome {
            Filtered::Kept(None) => Ok(()),
            Filtered::Kept(Some(changed)) => read.batch.put(place, changed).map_err(|error| {
                let issue =
                    Issue { field: error.field, value: error.value, ..Issue::error("filter.failed", error.message) };
                Some(issue.suggest("the filter made it so: correct the script"))
            }),
            Filtered::Skipped => Err(None),
            Filtered::Refused(issue) => Err(Some(issue)),
        };
        match put {
            Ok(()) => place += 1,
            Err(refused) => {
                read.batch.remove(place);
                item.is_skipped = refused.is_none();
                item.change = refused.map_or(Ok(()), |issue| Err(vec![issue]));
            }
        }
    }
    read.filter_time = began.elapsed();
    read
}

/// What is there of the records of a batch, if the script asks.
fn existing(filter: &Filter, kind: &'static Kind, lookup: &Lookup, batch: &dyn Batch) -> HashMap<String, Value> {
    if !filter.wants_existing {
        return HashMap::new();
    }
    let records = (0..).map_while(|place| batch.at(place));
    let keys: Vec<String> = records.filter_map(|record| key_of(kind, &record).map(str::to_owned)).collect();
    lookup.existing(kind, &keys).unwrap_or_else(|error| {
        log::error!("what is there cannot be looked up for a filter: {error}");
        HashMap::new()
    })
}
