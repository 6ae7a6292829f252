//! PepperShop's Caller: a folder in which the ERP puts files of fixed names, a call that has them worked on, and files that say how it
//! went. An ERP that is wired to it is pointed here, and nothing else changes for it.

mod jobs;
mod orders;

pub use jobs::Job;
pub use orders::{FROM, NEW};

use super::claimed::{Claimed, as_io};
use super::status;
use crate::exchange::{Exchange, Initiator, Request};
use crate::permissions::create_shared_folder;
use crate::reporting::{Report, RunState, messages_csv};
use jobs::JOBS;
use soapstone_contracts::exchange::{Channel, RunFormat};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a call comes to.
#[derive(Debug)]
pub enum Called {
    /// This run does it.
    Run(Box<Report>),
    /// It cannot be done; why.
    Refused(String),
}

/// The folder of the exchange, and what is done in it.
#[derive(Clone, Debug)]
pub struct Caller {
    folder: PathBuf,
}

impl Caller {
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, job: &str, state: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{job}_{state}.{ending}"))
    }

    /// Has the file of an import worked on.
    ///
    /// # Errors
    /// Those of the file system and of the database.
    pub fn import(&self, exchange: &Exchange, job: &'static Job) -> io::Result<Called> {
        create_shared_folder(&self.folder)?;
        let working = self.path(job.name, "tmp", "csv");
        if !working.exists() {
            let given = job.inputs().map(|name| self.folder.join(name)).find(|path| path.is_file());
            let Some(given) = given else {
                let text = format!("{}_inp.csv is not in the exchange folder", job.name);
                return Ok(Called::Refused(text));
            };
            for state in ["ok", "err"] {
                // Of the last time.
                remove(&self.path(job.name, state, "csv"))?;
            }
            match fs::rename(&given, &working) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match Claimed::tend(exchange, &working, &self.request(job, &working)?)? {
            Claimed::Refused(why) => {
                self.fail(job, &why)?;
                Ok(Called::Refused(why))
            }
            Claimed::AtWork(report) | Claimed::Done(report) => Ok(Called::Run(report)),
            Claimed::New => self.import(exchange, job),
        }
    }

    /// The run of a file: which one it is, its time and size say.
    fn request(&self, job: &Job, working: &Path) -> io::Result<Request> {
        let about = fs::metadata(working)?;
        let changed = about.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let inode = inode(&about);
        Ok(Request {
            kind: job.kind,
            format: RunFormat::Caller,
            profile: Some(format!("caller-{}", job.name)),
            source_name: format!("{}.csv", job.name),
            dry_run: false,
            mode: job.mode,
            delete_at_most: None,
            retry_of: None,
            claim: Some(format!("caller {} {changed} {} {inode}", job.name, about.len())),
            priority: 0,
            all_or_nothing: false,
            initiator: Initiator::new(Channel::Caller, None),
        })
    }

    fn fail(&self, job: &Job, why: &str) -> io::Result<()> {
        let table = format!("severity;message\nerror;\"{}\"\n", why.trim().replace('"', "\"\""));
        status::put_shared(&self.path(job.name, "err", "csv"), |file| file.write_all(table.as_bytes()))?;
        remove(&self.path(job.name, "tmp", "csv"))
    }

    /// Looks after what is at work: once a run is done, its status file is written, and the input removed.
    pub fn tend_all(&self, exchange: &Exchange) {
        self.look(exchange);
    }

    /// The same; gives whether there are new runs.
    pub(super) fn look(&self, exchange: &Exchange) -> bool {
        if !self.folder.is_dir() {
            return false;
        }
        let mut found = false;
        for job in JOBS {
            match self.tend(exchange, job) {
                Ok(is_new) => found |= is_new,
                // It is removed by another node.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => log::error!("{}: {error}", self.folder.join(job.name).display()),
            }
        }
        if let Err(error) = self.tend_orders(exchange) {
            log::error!("{}: {error}", self.folder.display());
        }
        found
    }

    fn tend(&self, exchange: &Exchange, job: &'static Job) -> io::Result<bool> {
        let working = self.path(job.name, "tmp", "csv");
        if !working.exists() {
            return Ok(false);
        }
        let report = match Claimed::tend(exchange, &working, &self.request(job, &working)?)? {
            Claimed::New => return Ok(true),
            Claimed::Refused(why) => return self.fail(job, &why).map(|()| false),
            Claimed::Done(report) => report,
            Claimed::AtWork(report) => {
                if report.run.state() == RunState::Waiting && !self.path(job.name, "err", "csv").exists() {
                    self.tell(exchange, job, &report)?;
                }
                return Ok(false);
            }
        };
        self.tell(exchange, job, &report)?;
        remove(&working)?;
        Ok(false)
    }

    /// Writes the status file of a run.
    fn tell(&self, exchange: &Exchange, job: &Job, report: &Report) -> io::Result<()> {
        let is_well = report.run.state() == RunState::Succeeded;
        let (state, other) = if is_well { ("ok", "err") } else { ("err", "ok") };
        status::put_shared(&self.path(job.name, state, "csv"), |file| {
            if is_well {
                return summary(report, file);
            }
            let mut db = exchange.store.connection().map_err(as_io)?;
            if let Some(failure) = report.run.failure.as_ref().filter(|_| report.progress.messages == 0) {
                return writeln!(file, "severity;message\nerror;\"{}\"", failure.replace('"', "\"\""));
            }
            messages_csv(&mut db, report.run.id, Some(i64::MAX), file).map_err(|e| io::Error::other(e.to_string()))
        })?;
        remove(&self.path(job.name, other, "csv"))
    }
}

#[cfg(unix)]
fn inode(about: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(about)
}

#[cfg(not(unix))]
fn inode(_about: &fs::Metadata) -> u64 {
    0
}

/// What is gone need not be removed.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What became of the records, as a table.
fn summary(report: &Report, file: &mut File) -> io::Result<()> {
    let counters = report.progress.counters;
    writeln!(file, "run;read;created;updated;unchanged;skipped;deleted;refused;warnings")?;
    let figures = [
        report.run.id,
        counters.read,
        counters.created,
        counters.updated,
        counters.unchanged,
        counters.skipped,
        counters.deleted,
        counters.failed,
        counters.warnings,
    ];
    writeln!(file, "{}", figures.map(|figure| figure.to_string()).join(";"))
}
