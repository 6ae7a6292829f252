//! A run that writes all or nothing: all of its batches are one transaction, which is taken back if a record is refused. What is to be
//! said of it, and what it refused, outlasts that.

use super::pipeline::{End, HEARTBEAT, Next, Pipeline, Writing};
use super::reader::Read;
use super::telling::Place;
use crate::reporting::Progress;
use crate::store::{Db, Engine, StoreError, runs};
use std::io::{self, Read as _, Seek, SeekFrom};
use std::sync::mpsc::Receiver;
use std::time::Instant;

/// How many bytes of refused records a run that is one transaction holds in memory, and writes at once.
pub(super) const HELD_IN_MEMORY: usize = 1 << 20;
const HELD_PIECE: u64 = 1 << 20;

impl Pipeline<'_> {
    /// Writes all batches in one transaction, and takes all back if a record is refused.
    pub(super) fn write_whole(
        &mut self,
        mut writing: Writing<'_>,
        receiver: Receiver<Read>,
    ) -> Result<End, StoreError> {
        let mut end = End::Done;
        let mut db = self.exchange.store.connection()?;
        let done = db.write(|db| {
            end = self.take_whole(db, &mut writing, receiver)?;
            if let (End::Done, Some(place)) = (&end, writing.kind.place.filter(|_| writing.run.mode == "full")) {
                end = self.delete_missing_within(db, writing.run, place)?;
            }
            if !matches!(end, End::Done) {
                return Err(StoreError::Unavailable("taken back".to_owned()));
            }
            let (now, said) = (runs::now(db)?, self.telling.said());
            if !runs::advance(db, self.id, self.node, now, &self.progress, &said)? {
                end = End::GivenUp;
                return Err(StoreError::Unavailable("taken back".to_owned()));
            }
            Ok(())
        });
        drop(db);
        match done {
            Ok(()) => {
                self.rings(&writing);
                Ok(End::Done)
            }
            Err(error) if matches!(end, End::Done) => Err(error),
            Err(_) => {
                let counters = &mut self.progress.counters;
                (counters.created, counters.updated, counters.unchanged, counters.deleted) = (0, 0, 0, 0);
                counters.skipped = counters.read - counters.failed;
                self.keep_held(&mut writing)?;
                self.finish_rejected(&writing)?;
                self.ends(end)
            }
        }
    }

    /// Takes all batches in the transaction that is open.
    fn take_whole(
        &mut self,
        db: &mut Db,
        writing: &mut Writing<'_>,
        receiver: Receiver<Read>,
    ) -> Result<End, StoreError> {
        let now = runs::now(db)?;
        let mut told = Instant::now();
        loop {
            match self.next(&receiver)? {
                Next::Batch(read) => {
                    let began = Instant::now();
                    self.take(db, writing, read, now)?;
                    self.progress.write_time += began.elapsed();
                }
                Next::Broken(broken) => {
                    let place = Place { line: broken.line, column: broken.column, ..Place::default() };
                    self.telling.tell(&place, &broken.issue);
                    return Ok(End::Failed(broken.issue.text));
                }
                Next::End if self.progress.counters.failed > 0 => {
                    let counters = self.progress.counters;
                    let why = format!(
                        "{} of {} records were refused, so nothing was written",
                        counters.failed, counters.read
                    );
                    return Ok(End::Failed(why));
                }
                Next::End => return Ok(End::Done),
                Next::Stop(end) => return Ok(end),
                Next::Idle => {}
            }
            // On SQLite nobody can write beside it.
            if db.engine() == Engine::Postgres && told.elapsed() > HEARTBEAT {
                told = Instant::now();
                let mut beside = self.exchange.store.connection()?;
                let progress = Progress { messages: 0, ..self.progress };
                let is_ours = beside.write(|beside| {
                    runs::advance(beside, self.id, self.node, now, &progress, &runs::Said::default())
                })?;
                if !is_ours {
                    return Ok(End::GivenUp);
                }
            }
        }
    }

    /// Keeps the refused records of a run that was taken back.
    fn keep_held(&self, writing: &mut Writing<'_>) -> Result<(), StoreError> {
        let Some(held) = &mut writing.held else { return Ok(()) };
        let lost = |e: io::Error| StoreError::of_file("refused records that were held are lost", &e);
        held.seek(SeekFrom::Start(0)).map_err(lost)?;
        let mut db = self.exchange.store.connection()?;
        let mut number = 0;
        loop {
            let mut piece = Vec::new();
            io::Read::by_ref(held).take(HELD_PIECE).read_to_end(&mut piece).map_err(lost)?;
            if piece.is_empty() {
                return Ok(());
            }
            db.write(|db| runs::keep_rejected(db, self.id, number, &piece))?;
            number += i64::try_from(piece.len()).unwrap_or(i64::MAX);
        }
    }
}
