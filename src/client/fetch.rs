//! What the shop has for the ERP: exported, fetched, put where the ERP looks, and only then confirmed.

use super::journal::Journal;
use super::server::Server;
use super::settings::Fetch;
use super::{Event, Standing, Tell, Trouble};
use crate::domain::hex;
use crate::permissions::share;
use chrono::Local;
use serde::{Deserialize, Serialize};
use soapstone_contracts::exchange::{ArtifactKind, Run, RunState};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where what is not all there yet is kept.
const WORKING: &str = ".working";

/// How far an export is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    /// Under which it is asked for.
    key: Option<String>,
    run: Option<i64>,
    /// All of it is there, under the name that it is to have.
    landing: Option<String>,
}

/// A folder that is fetched into.
pub(super) struct Fetching {
    fetch: Fetch,
    journal: Journal,
    begun: Option<Instant>,
    /// The run of which it was told that it waits.
    waiting: Option<i64>,
}

impl Fetching {
    pub fn new(fetch: Fetch) -> Self {
        let journal = Journal::at(fetch.path.join(WORKING).join(format!("{}.json", fetch.kind)));
        Self { fetch, journal, begun: None, waiting: None }
    }

    /// Goes on with what was begun; begins, where it is time.
    pub async fn look(&mut self, server: &Server, begins: bool, tell: &mut Tell<'_>) -> Result<Standing, Trouble> {
        fs::create_dir_all(self.fetch.path.join(WORKING))?;
        let mut note: Note = self.journal.read()?;
        if note.key.is_none() {
            let is_due = self.begun.is_none_or(|at| at.elapsed() >= self.fetch.every());
            if !begins && !is_due {
                return Ok(Standing::Idle);
            }
            if self.is_in_the_way() {
                // The ERP has not taken the last one.
                return Ok(Standing::Idle);
            }
            self.begun = Some(Instant::now());
            let mut random = [0; 16];
            openssl::rand::rand_bytes(&mut random).map_err(|e| Trouble::Later(e.to_string()))?;
            note.key = Some(hex(&random));
            self.journal.write(&note)?;
        }
        let done = self.go_on(server, &mut note, tell).await;
        if let Err(Trouble::Refused(_)) = done {
            // Asked for again, it is asked for anew.
            self.journal.forget()?;
        }
        done
    }

    /// Whether a file is there that the new one would take the place of.
    fn is_in_the_way(&self) -> bool {
        self.fetch.fixed_name().is_some_and(|name| self.fetch.path.join(name).exists())
    }

    async fn go_on(&mut self, server: &Server, note: &mut Note, tell: &mut Tell<'_>) -> Result<Standing, Trouble> {
        let id = match (note.run, &note.key) {
            (Some(run), _) => run,
            (None, Some(key)) => server.export(key, &self.fetch.wanted()?).await?,
            (None, None) => return Ok(Standing::Idle),
        };
        note.run = Some(id);
        self.journal.write(note)?;
        let Some(run) = server.run(id).await? else {
            self.journal.forget()?;
            return Err(Trouble::Later(format!("the server does not know run {id} any more")));
        };
        match run.state {
            RunState::Queued | RunState::Running => return Ok(Standing::AtWork),
            RunState::Waiting | RunState::Paused => {
                if self.waiting.replace(id) != Some(id) {
                    let text = "somebody paused it".to_owned();
                    tell(Event::Waits { file: run.source_name.clone(), run: id, text });
                }
                return Ok(Standing::Rests);
            }
            RunState::Failed | RunState::Cancelled => {
                self.journal.forget()?;
                let why = run.failure.as_deref().unwrap_or("somebody stopped it");
                return Err(Trouble::Later(format!("run {id} did not get to its end: {why}")));
            }
            RunState::Succeeded | RunState::SucceededWithErrors => {}
        }
        if run.counters.read == 0 && !self.fetch.keep_empty {
            self.journal.forget()?;
            return Ok(Standing::Idle);
        }
        let file = self.land(server, note, &run).await?;
        if let Some(number) = &run.export_number {
            server.confirm(number).await?;
        }
        self.journal.forget()?;
        tell(Event::Fetched { file, run: id, records: run.counters.read });
        Ok(Standing::Idle)
    }

    /// Puts the file where the ERP looks, whole, and once.
    async fn land(&self, server: &Server, note: &mut Note, run: &Run) -> Result<String, Trouble> {
        let partial = self.fetch.path.join(WORKING).join(format!("{}-{}", run.id, self.fetch.kind));
        let name = match &note.landing {
            Some(name) => name.clone(),
            None => {
                download(server, run, &partial).await?;
                let name = self.fetch.file_name(run, Local::now());
                note.landing = Some(name.clone());
                self.journal.write(note)?;
                name
            }
        };
        // Not there: it was put in its place before a crash, and the ERP may have taken it since.
        if partial.exists() {
            let place = self.fetch.path.join(&name);
            if place.exists() {
                let told = format!("{} is still there; it is not overwritten", place.display());
                return Err(Trouble::Later(told));
            }
            fs::rename(&partial, place)?;
        }
        Ok(name)
    }
}

async fn download(server: &Server, run: &Run, to: &PathBuf) -> Result<(), Trouble> {
    let mut file = File::create(to)?;
    let found = server.artifact(run.id, ArtifactKind::Result_, &mut file).await?;
    let Some(hash) = found else {
        return Err(Trouble::Refused(format!("the file of run {} is not there any more", run.id)));
    };
    if hex(&hash) != run.source_sha256 {
        return Err(Trouble::Later(format!("the file of run {} did not come whole", run.id)));
    }
    share(&file)?;
    file.sync_all()?;
    sync_folder(to.parent())
}

/// Sees to it that the file's name is on disk, too; only Unix can be asked to.
fn sync_folder(folder: Option<&Path>) -> Result<(), Trouble> {
    #[cfg(unix)]
    if let Some(folder) = folder {
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
