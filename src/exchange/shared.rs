//! Sources and results where nodes have folders of their own: kept in the database too, and fetched by the node that needs them.

use super::Exchange;
use crate::store::{Engine, StoreError, runs, spooled};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// What goes wrong with a file that is shared.
#[derive(Debug)]
pub enum SharedError {
    Store(StoreError),
    File(io::Error),
}

impl From<StoreError> for SharedError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for SharedError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<SharedError> for StoreError {
    fn from(error: SharedError) -> Self {
        match error {
            SharedError::Store(error) => error,
            SharedError::File(error) => Self::of_file("a source cannot be shared", &error),
        }
    }
}

impl Exchange {
    /// Whether other nodes may need what lies in a folder of this one. SQLite has one machine.
    fn shares(&self) -> bool {
        self.shares_sources && self.store.engine() == Engine::Postgres
    }

    /// Puts a file where all nodes reach it, if there are others.
    pub(super) fn share(&self, path: &Path, sha256: &str, size: i64) -> Result<(), SharedError> {
        if !self.shares() {
            return Ok(());
        }
        let mut db = self.store.connection()?;
        if spooled::has(&mut db, sha256)? {
            return Ok(());
        }
        db.write(|db| {
            let now = runs::now(db)?;
            spooled::begin(db, sha256, size, now)
        })?;
        let mut file = File::open(path)?;
        for number in 0.. {
            let mut piece = Vec::with_capacity(spooled::PIECE);
            (&mut file).take(spooled::PIECE as u64).read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            db.write(|db| spooled::put(db, sha256, number, &piece))?;
        }
        db.write(|db| spooled::complete(db, sha256))?;
        Ok(())
    }

    /// Where a file of a run lies on this node: as the run says, or fetched into the spool.
    pub fn at_hand(&self, path: &str, sha256: &str) -> Result<PathBuf, SharedError> {
        let named = PathBuf::from(path);
        if named.is_file() || !self.shares() {
            return Ok(named);
        }
        let own = self.spool.source(sha256);
        if own.is_file() {
            return Ok(own);
        }
        let mut db = self.store.connection()?;
        if !spooled::has(&mut db, sha256)? {
            return Ok(named);
        }
        let mut incoming = self.spool.begin()?;
        for number in 0.. {
            match spooled::piece(&mut db, sha256, number)? {
                Some(piece) => incoming.write(&piece)?,
                None => break,
            }
        }
        Ok(incoming.finish()?.path)
    }

    /// Writes the records that a run refused.
    pub(super) fn write_rejected(&self, run: i64, out: &mut impl Write) -> Result<(), SharedError> {
        let mut db = self.store.connection()?;
        let mut after = -1;
        while let Some((number, content)) = crate::store::runs::rejected_after(&mut db, run, after)? {
            out.write_all(&content)?;
            after = number;
        }
        Ok(())
    }
}
