//! An export as a run: written under another name, page by page, and under its own once it is whole. An export that was cut off
//! begins anew; orders that it has leased stay leased to it.

use super::file::ExportFile;
use super::pages::{Pages, Selection};
use super::{ExportError, ExportFormat};
use crate::domain::{Issue, hex};
use crate::exchange::Exchange;
use crate::exchange::kinds::Kind;
use crate::exchange::pipeline::End;
use crate::exchange::telling::{Place, Telling};
use crate::reporting::{Progress, Report, RunState, kind_of};
use crate::store::runs::{self, Counts, ExportOptions, Wish};
use crate::store::{Db, StoreError, orders};
use chrono::{NaiveDateTime, TimeDelta};
use flate2::Compression;
use flate2::write::GzEncoder;
use openssl::sha::Sha256;
use soapstone_contracts::exchange::{RunFormat, RunKind};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often a node says that it is alive, and looks whether somebody wants it to stop.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// Works through an export to its end, whatever that is.
pub(in crate::exchange) fn work(exchange: &Exchange, id: i64, node: &str) {
    let mut exporting = Exporting { exchange, id, node, progress: Progress::default() };
    let (end, mark) = match exporting.run() {
        Ok(done) => done,
        Err(error) => {
            log::error!(run = id; "run {id} failed: {error}");
            let why = match error {
                ExportError::Store(_) => "the database refused to work; the log has the details".to_owned(),
                other => other.to_string(),
            };
            (End::Failed(why), None)
        }
    };
    exporting.end(&end, mark);
}

/// Up to when the consumer of an increment has all that changed, once it is handed out.
type Mark = Option<(String, NaiveDateTime)>;

struct Exporting<'a> {
    exchange: &'a Exchange,
    id: i64,
    node: &'a str,
    progress: Progress,
}

impl Exporting<'_> {
    fn run(&mut self) -> Result<(End, Mark), ExportError> {
        let exchange = self.exchange;
        let Some(report) = runs::get(&mut *exchange.store.connection()?, self.id)? else {
            return Ok((End::GivenUp, None));
        };
        let Report { run, export, .. } = report;
        let options = export.unwrap_or_default();
        let kind = Kind::find(&run.kind).ok_or(ExportError::NotListed)?;
        let format = RunFormat::ALL.iter().find(|format| format.as_str() == run.format).copied();
        let format = format.and_then(ExportFormat::of).ok_or(ExportError::NotOfFormat)?;
        let (selection, mark) = self.select(&run.kind, &options)?;
        let pages = Pages::of(kind, selection, format)?;
        let path = exchange.spool.result(run.id);
        let partial = path.with_extension("part");
        let out = Hashing { file: File::create(&partial)?, hash: Sha256::new(), size: 0 };
        let written = if options.packed {
            let packed = GzEncoder::new(out, Compression::default());
            self.write(pages, ExportFile::begin(kind, format, packed)?)?.map(GzEncoder::finish).transpose()?
        } else {
            self.write(pages, ExportFile::begin(kind, format, out)?)?
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
        sync_folder(&path)?;
        let (sha256, size) = (hex(&out.hash.finish()), i64::try_from(out.size).unwrap_or(i64::MAX));
        self.progress.bytes = size;
        exchange.share(&path, &sha256, size).map_err(StoreError::from)?;
        let mut db = exchange.store.connection()?;
        let place = path.to_string_lossy().into_owned();
        db.write(|db| runs::note_result(db, run.id, &place, &sha256, size))?;
        Ok((End::Done, mark))
    }

    /// Which records; orders are leased then.
    fn select(&self, kind: &str, options: &ExportOptions) -> Result<(Selection, Mark), StoreError> {
        let mut db = self.exchange.store.connection()?;
        if let (RunKind::Orders, Some(seconds)) = (kind_of(kind), options.lease_seconds) {
            let lease = TimeDelta::seconds(seconds.into());
            let leased = db.write(|db| {
                let now = runs::now(db)?;
                if let Some(export) = options.export_id {
                    orders::extend(db, export, now + lease, now)?;
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
        let seen = runs::seen_up_to(&mut db)?;
        let since = runs::mark(&mut db, kind, consumer)?;
        db.write(|db| runs::note_since(db, self.id, since))?;
        Ok((Selection::Changed(since), Some((consumer.clone(), seen))))
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
        db.write(|db| {
            runs::sample(db, self.id, now, self.progress.counters.read)?;
            runs::advance(db, self.id, self.node, now, &self.progress, &runs::Said::default())
        })
    }

    fn end(&mut self, end: &End, mark: Mark) {
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
        let noted = self.exchange.store.connection().and_then(|mut db| {
            let now = runs::now(&mut db)?;
            db.write(|db| {
                if !runs::advance(db, self.id, self.node, now, &self.progress, &telling.said())? {
                    return Ok(());
                }
                if !state.is_final() {
                    return runs::rest(db, self.id, self.node, state);
                }
                if let (RunState::Succeeded, Some((consumer, seen))) = (state, &mark) {
                    let report = runs::get(db, self.id)?;
                    if let Some(report) = report {
                        runs::keep_mark(db, &report.run.kind, consumer, *seen)?;
                    }
                }
                runs::sample(db, self.id, now, self.progress.counters.read)?;
                runs::finish(db, self.id, self.node, state, failure, now)
            })
        });
        match noted {
            Ok(()) => {
                log::info!(run = self.id; "run {} {}: {} written", self.id, state.label(), self.progress.counters.read)
            }
            Err(e) => log::error!(run = self.id; "the end of run {} could not be noted: {e}", self.id),
        }
    }
}

/// Orders of an export that nobody wants any more go to the next one.
fn give_back(db: &mut Db, selection: Selection) -> Result<(), StoreError> {
    let Selection::Leased(export) = selection else { return Ok(()) };
    db.write(|db| {
        let now = runs::now(db)?;
        orders::extend(db, export, now, now)
    })
}

fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
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
