//! A file that was taken from a folder, and its run.

use crate::exchange::{Exchange, Request};
use crate::reporting::Report;
use crate::store::{StoreError, runs};
use std::fs::File;
use std::io;
use std::path::Path;

/// How far a file is that was taken.
pub(super) enum Claimed {
    /// Its run was accepted just now.
    New,
    AtWork(Box<Report>),
    Done(Box<Report>),
    /// It cannot be a run; why.
    Refused(String),
}

/// The database is not of the file system, but those who watch folders tell of both alike.
pub(super) fn as_io(error: StoreError) -> io::Error {
    io::Error::other(error.to_string())
}

impl Claimed {
    /// Sees to it that the file has its run.
    ///
    /// # Errors
    /// Those of the file system and of the database: it is looked at again later.
    pub fn tend(exchange: &Exchange, path: &Path, request: &Request) -> io::Result<Self> {
        let mut db = exchange.store.connection().map_err(as_io)?;
        let claim = request.claim.as_deref().unwrap_or_default();
        if let Some(report) = runs::claimed(&mut db, claim).map_err(as_io)? {
            let report = Box::new(report);
            return Ok(if report.run.state().is_final() { Self::Done(report) } else { Self::AtWork(report) });
        }
        let before = std::fs::metadata(path)?;
        let source = exchange.spool.store(File::open(path)?)?;
        let after = std::fs::metadata(path)?;
        if (before.len(), before.modified()?) != (after.len(), after.modified()?) || source.size != after.len() {
            // Somebody still writes to it.
            return Err(io::Error::other("the file changes while it is read; it is looked at again"));
        }
        match exchange.accept(&mut db, request, &source) {
            Ok(_) => Ok(Self::New),
            Err(StoreError::Refused(error)) => Ok(Self::Refused(format!("{error}\n"))),
            // Another node was faster: its run is found the next time.
            Err(error) => Err(as_io(error)),
        }
    }
}
