//! Files that say how a run went, for programs that see nothing but folders.

use super::claimed::as_io;
use crate::exchange::Exchange;
use crate::exchange::spool::sync_folder_of;
use crate::permissions::share;
use crate::reporting::{Report, messages_csv};
use soapstone_contracts::exchange::{ArtifactKind, Run};
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Messages in a status file.
const SHOWN: i64 = 100;

/// Writes a file so that nobody sees half of it.
///
/// # Errors
/// Those of the file system.
pub fn put(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let partial = path.with_file_name(name);
    let mut file = File::create(&partial)?;
    write(&mut file)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    sync_folder_of(path)
}

/// The same for a file that other programs are to read.
///
/// # Errors
/// Those of the file system.
pub fn put_shared(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    put(path, |file| {
        write(file)?;
        share(file)
    })
}

/// What became of the records of a run, and the first of its messages.
pub(super) fn text(exchange: &Exchange, report: &Report) -> io::Result<String> {
    let mut messages = Vec::new();
    if report.progress.messages > 0 {
        let mut db = exchange.store.connection().map_err(as_io)?;
        messages_csv(&mut db, report.run.id, Some(SHOWN), &mut messages)
            .map_err(|e| io::Error::other(e.to_string()))?;
    }
    Ok(told(&exchange.shown(report), &messages))
}

/// What became of the records of a run, with messages as CSV.
pub fn told(run: &Run, messages: &[u8]) -> String {
    let counters = &run.counters;
    let mut out = format!("run {}\nstate {}\n", run.id, run.state.as_str());
    for (name, count) in [
        ("read", counters.read),
        ("created", counters.created),
        ("updated", counters.updated),
        ("unchanged", counters.unchanged),
        ("skipped", counters.skipped),
        ("deleted", counters.deleted),
        ("refused", counters.failed),
        ("warnings", counters.warnings),
    ] {
        let _ = writeln!(out, "{name} {count}");
    }
    if let Some(failure) = &run.failure {
        let _ = writeln!(out, "failure {failure}");
    }
    if !messages.is_empty() {
        out.push('\n');
        out.push_str(&String::from_utf8_lossy(messages));
    }
    out
}

/// The refused records of a run; None: there are none.
pub(super) fn rejected(exchange: &Exchange, report: &Report) -> Option<File> {
    exchange.artifact(report, ArtifactKind::Rejected).ok().map(|(_, file)| file)
}
