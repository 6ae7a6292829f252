//! An export as a run: written under another name, page by page, and under its own once it is whole. An export that was cut off
//! begins anew; orders that it has leased stay leased to it.

use super::file::ExportFile;
use super::pages::{Pages, Selection};
use super::{ExportError, ExportFormat};
use crate::domain::{Issue, hex};
use crate::exchange::Exchange;
use crate::exchange::kinds::Kind;
use crate::exchange::pipeline::End;
use crate::exchange::spool::sync_folder_of;
use crate::exchange::telling::{Place, Telling};
use crate::exchange::waits::Patience;
use crate::reporting::{Progress, Report, RunState, kind_of};
use crate::store::runs::{self, Counts, ExportOptions, Increment, Wish};
use crate::store::{Db, StoreError, orders};
use chrono::TimeDelta;
use flate2::Compression;
use flate2::write::GzEncoder;
use openssl::sha::Sha256;
use soapstone_contracts::exchange::{RunFormat, RunKind};
use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// How often a node says that it is alive, and looks whether somebody wants it to stop.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// Works through an export to its end, whatever that is.
pub(in crate::exchange) fn work(exchange: &Exchange, id: i64, node: &str) {
    let mut patience = Patience::new(exchange, id);
    loop {
        let mut exporting = Exporting { exchange, id, node, progress: Progress::default() };
        let (end, increment) = match exporting.run() {
            Ok(done) => done,
            Err(error) => match error.missing() {
                Some(resource) if patience.wait(resource, &error) => continue,
                Some(_) => (End::GivenUp, None),
                None => {
                    log::error!(run = id; "run {id} failed: {error}");
                    let why = match error {
                        ExportError::Store(_) => "the database refused to work; the log has the details".to_owned(),
                        other => other.to_string(),
                    };
                    (End::Failed(why), None)
                }
            },
        };
        match exporting.end(&end, increment.as_ref()) {
            Ok(Ended::Recorded) => return,
            Ok(Ended::Overlaps) => {
                log::info!(run = id; "Run {id} starts again: another run exported some of the same changes")
            }
            Err(error) => match error.missing() {
                Some(resource) if patience.wait(resource, &error) => {}
                _ => {
                    log::error!(run = id; "Failed to record the outcome of run {id}: {error}");
                    return;
                }
            },
        }
    }
}

/// What came of recording the end of a run.
enum Ended {
    Recorded,
    /// Another run of the same consumer ended since the changes were selected, and has some of them.
    Overlaps,
}

struct Exporting<'a> {
    exchange: &'a Exchange,
    id: i64,
    node: &'a str,
    progress: Progress,
}

impl Exporting<'_> {
    fn run(&mut self) -> Result<(End, Option<Increment>), ExportError> {
        let exchange = self.exchange;
        let Some(report) = runs::get(&mut *exchange.store.connection()?, self.id)? else {
            return Ok((End::GivenUp, None));
        };
        let Report { run, export, .. } = report;
        let options = export.unwrap_or_default();
        let kind = Kind::find(&run.kind).ok_or(ExportError::NotListed)?;
        let format = RunFormat::ALL.iter().find(|format| format.as_str() == run.format).copied();
        let format = format.and_then(ExportFormat::of).ok_or(ExportError::NotOfFormat)?;
        let (selection, increment) = self.select(&run.kind, &options)?;
        let pages = Pages::of(kind, selection, format)?;
        let path = exchange.spool.result(run.id);
        let partial = path.with_extension("part");
        let out = Hashing { file: File::create(&partial)?, hash: Sha256::new(), size: 0 };
        let written = if options.packed {
            let packed = GzEncoder::new(out, Compression::default());
            self.write(pages, ExportFile::begin(kind, format, exchange.marks_formulas, packed)?)?
                .map(GzEncoder::finish)
                .transpose()?
        } else {
            self.write(pages, ExportFile::begin(kind, format, exchange.marks_formulas, out)?)?
        };
        let Some(out) = written else {
            std::fs::remove_file(&partial)?;
            let mut db = exchange.store.connection()?;
            if exchange.is_stopping() {
                return Ok((End::GivenUp, None));
            }
            return Ok(match runs::wish(&mut db, run.id)? {
                Wish::Pause => (End::Paused, None),
                Wish::Cancel => {
                    give_back(&mut db, selection)?;
                    (End::Cancelled, None)
                }
                Wish::GoOn => (End::GivenUp, None),
            });
        };
        out.file.sync_all()?;
        std::fs::rename(&partial, &path)?;
        sync_folder_of(&path)?;
        let (sha256, size) = (hex(&out.hash.finish()), i64::try_from(out.size).unwrap_or(i64::MAX));
        self.progress.bytes = size;
        exchange.share(&path, &sha256, size).map_err(StoreError::from)?;
        let mut db = exchange.store.connection()?;
        let place = path.to_string_lossy().into_owned();
        db.write(|db| runs::note_result(db, run.id, &place, &sha256, size))?;
        Ok((End::Done, increment))
    }

    /// Which records; orders are leased then.
    fn select(&self, kind: &str, options: &ExportOptions) -> Result<(Selection, Option<Increment>), StoreError> {
        let mut db = self.exchange.store.connection()?;
        if let (RunKind::Orders, Some(seconds)) = (kind_of(kind), options.lease_seconds) {
            let lease = TimeDelta::seconds(seconds.into());
            let leased = db.write(|db| {
                let now = runs::now(db)?;
                if let Some(export) = options.export_id {
                    orders::extend(db, export, lease, now)?;
                    return Ok(Some(export));
                }
                let leased = orders::lease(db, i64::MAX, lease, options.warehouse.as_deref(), now)?;
                if let Some(export) = leased {
                    runs::note_export(db, self.id, export)?;
                }
                Ok(leased)
            })?;
            return Ok((leased.map_or(Selection::Nothing, Selection::Leased), None));
        }
        let Some(consumer) = &options.consumer else { return Ok((Selection::Changed(options.since), None)) };
        let increment = runs::next_increment(&mut db, kind, consumer)?;
        db.write(|db| runs::note_increment(db, self.id, &increment))?;
        Ok((Selection::Increment(increment.range), Some(increment)))
    }

    /// Writes all pages; None: somebody wants it to stop.
    fn write<W: Write>(&mut self, mut pages: Pages, mut file: ExportFile<W>) -> Result<Option<W>, ExportError> {
        let mut told = Instant::now();
        loop {
            let began = Instant::now();
            let mut db = self.exchange.store.connection()?;
            let Some(records) = pages.next(&mut db)? else { break };
            self.progress.read_time += began.elapsed();
            let began = Instant::now();
            for record in &records {
                file.add(record)?;
            }
            self.progress.write_time += began.elapsed();
            self.exchange.waits.clear(self.id);
            self.progress.counters.read += i64::try_from(records.len()).unwrap_or(0);
            if told.elapsed() >= HEARTBEAT {
                told = Instant::now();
                if self.exchange.is_stopping() || !self.tell(&mut db)? || runs::wish(&mut db, self.id)? != Wish::GoOn {
                    return Ok(None);
                }
            }
        }
        let began = Instant::now();
        let out = file.finish()?;
        self.progress.write_time += began.elapsed();
        Ok(Some(out))
    }

    /// Says how far it is. Gives false if the run is somebody else's.
    fn tell(&self, db: &mut Db) -> Result<bool, StoreError> {
        let now = runs::now(db)?;
        db.write_resumable(|db| {
            runs::sample(db, self.id, now, self.progress.counters.read)?;
            runs::advance(db, self.id, self.node, now, &self.progress, &runs::Said::default())
        })
    }

    fn end(&mut self, end: &End, increment: Option<&Increment>) -> Result<Ended, StoreError> {
        let state = match end {
            End::Done => RunState::Succeeded,
            End::Failed(_) => RunState::Failed,
            End::Cancelled => RunState::Cancelled,
            End::Paused => RunState::Paused,
            End::Waiting | End::GivenUp => RunState::Queued,
        };
        let mut telling = Telling::after(0, Counts::new());
        let failure = if let End::Failed(why) = end { Some(why.as_str()) } else { None };
        if let Some(why) = failure {
            telling.tell(&Place::default(), &Issue::error("export.failed", why.to_owned()));
            self.progress.messages = telling.number;
        }
        let mut db = self.exchange.store.connection()?;
        let now = runs::now(&mut db)?;
        let ended = db.write(|db| {
            if !runs::advance(db, self.id, self.node, now, &self.progress, &telling.said())? {
                return Ok(Ended::Recorded);
            }
            if !state.is_final() {
                runs::rest(db, self.id, self.node, state)?;
                return Ok(Ended::Recorded);
            }
            if let (RunState::Succeeded, Some(increment)) = (state, increment)
                && let Some(report) = runs::get(db, self.id)?
                && !runs::keep_mark(db, &report.run.kind, increment)?
            {
                return Ok(Ended::Overlaps);
            }
            runs::sample(db, self.id, now, self.progress.counters.read)?;
            runs::finish(db, self.id, self.node, state, failure, now)?;
            Ok(Ended::Recorded)
        })?;
        if matches!(ended, Ended::Recorded) {
            log::info!(run = self.id; "run {} {}: {} written", self.id, state.label(), self.progress.counters.read);
        }
        Ok(ended)
    }
}

/// Orders of an export that nobody wants any more go to the next one.
fn give_back(db: &mut Db, selection: Selection) -> Result<(), StoreError> {
    let Selection::Leased(export) = selection else { return Ok(()) };
    db.write(|db| {
        let now = runs::now(db)?;
        orders::extend(db, export, TimeDelta::zero(), now)
    })
}

/// A file whose content is summed up as it is written.
struct Hashing {
    file: File,
    hash: Sha256,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let length = self.file.write(piece)?;
        self.hash.update(&piece[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
