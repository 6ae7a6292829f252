//! Files that the ERP writes: sent, and told of once their run is done.

use super::journal::Journal;
use super::server::{Server, Uploaded};
use super::{Event, Standing, Tell, Trouble};
use crate::exchange::channels::{Fate, HotFolder, Inbox, Taken, told};
use crate::reporting::RunState;
use serde::{Deserialize, Serialize};
use soapstone_contracts::exchange::{self as contract, ArtifactKind, Run};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// How far a file is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    upload: Option<String>,
    run: Option<i64>,
}

/// A folder that is sent.
pub(super) struct Sending {
    inbox: Inbox,
    /// Runs of which it was told that they wait.
    waiting: Vec<i64>,
}

impl Sending {
    pub fn new(folder: HotFolder) -> Self {
        Self { inbox: Inbox::new(folder), waiting: Vec::new() }
    }

    /// Goes on with each file, as far as it goes now.
    pub async fn look(&mut self, server: &Server, tell: &mut Tell<'_>) -> Result<Standing, Trouble> {
        let taken = self.inbox.take()?;
        let mut standing = if self.inbox.is_settling() { Standing::AtWork } else { Standing::Idle };
        for taken in &taken {
            match self.tend(server, taken, tell).await? {
                Standing::AtWork => standing = Standing::AtWork,
                Standing::Rests if standing == Standing::Idle => standing = Standing::Rests,
                Standing::Rests | Standing::Idle => {}
            }
        }
        Ok(standing)
    }

    async fn tend(&mut self, server: &Server, taken: &Taken, tell: &mut Tell<'_>) -> Result<Standing, Trouble> {
        let journal = Journal::beside(&taken.path);
        let mut note: Note = journal.read()?;
        let id = match note.run {
            Some(run) => run,
            None => match self.send(server, taken, &journal, &mut note, tell).await {
                Ok(run) => {
                    tell(Event::Sent { file: taken.name.clone(), run });
                    run
                }
                Err(Trouble::Refused(text)) => {
                    self.inbox
                        .file(taken, Fate { state: RunState::Failed, text: &format!("{text}\n"), rejected: None })?;
                    journal.forget()?;
                    tell(Event::Done { file: taken.name.clone(), run: None, is_well: false, text });
                    return Ok(Standing::Idle);
                }
                Err(trouble) => return Err(trouble),
            },
        };
        let Some(run) = server.run(id).await? else {
            // The server forgot it, which is long after it was done.
            let text = format!("the server does not know run {id} any more");
            self.inbox.file(taken, Fate { state: RunState::Failed, text: &format!("{text}\n"), rejected: None })?;
            journal.forget()?;
            tell(Event::Done { file: taken.name.clone(), run: Some(id), is_well: false, text });
            return Ok(Standing::Idle);
        };
        match run.state {
            contract::RunState::Queued | contract::RunState::Running => return Ok(Standing::AtWork),
            contract::RunState::Waiting | contract::RunState::Paused => {
                if !self.waiting.contains(&id) {
                    self.waiting.push(id);
                    let text = waits(&run);
                    tell(Event::Waits { file: taken.name.clone(), run: id, text });
                }
                return Ok(Standing::Rests);
            }
            _ => {}
        }
        self.finish(server, taken, &run).await?;
        journal.forget()?;
        self.waiting.retain(|waiting| *waiting != id);
        let is_well = run.state == contract::RunState::Succeeded;
        tell(Event::Done { file: taken.name.clone(), run: Some(id), is_well, text: summed(&run) });
        Ok(Standing::Idle)
    }

    /// Sends a file, from where it stands; gives its run.
    async fn send(
        &self,
        server: &Server,
        taken: &Taken,
        journal: &Journal,
        note: &mut Note,
        tell: &mut Tell<'_>,
    ) -> Result<i64, Trouble> {
        let mut file = File::open(&taken.path)?;
        let length = file.metadata()?.len();
        let mut stands = match &note.upload {
            Some(upload) => server.stands(upload).await?,
            None => Uploaded::Gone,
        };
        loop {
            let upload = match (stands, &note.upload) {
                (Uploaded::Run(run), _) => {
                    note.run = Some(run);
                    journal.write(note)?;
                    return Ok(run);
                }
                (Uploaded::UpTo(offset), Some(upload)) => {
                    stands = server.go_on(upload, &mut file, offset).await?;
                    if let Uploaded::UpTo(sent) = stands {
                        tell(Event::Sending { file: taken.name.clone(), sent, length });
                    }
                    continue;
                }
                _ => server.begin(&self.inbox.folder.fields(&taken.name), length).await?,
            };
            note.upload = Some(upload);
            journal.write(note)?;
            stands = Uploaded::UpTo(0);
        }
    }

    /// Tells beside the folder how the run went, with what it refused.
    async fn finish(&self, server: &Server, taken: &Taken, run: &Run) -> Result<(), Trouble> {
        let messages = server.text_artifact(run.id, ArtifactKind::Messages).await?;
        let text = told(run, &messages);
        let mut rejected = tempfile::tempfile()?;
        let has_rejected = run.artifact.iter().any(|artifact| artifact.kind == ArtifactKind::Rejected)
            && server.artifact(run.id, ArtifactKind::Rejected, &mut rejected).await?.is_some();
        rejected.seek(SeekFrom::Start(0))?;
        let rejected = has_rejected.then_some(&mut rejected as &mut dyn Read);
        let is_well = run.state == contract::RunState::Succeeded;
        let state = if is_well { RunState::Succeeded } else { RunState::Failed };
        self.inbox.file(taken, Fate { state, text: &text, rejected })?;
        Ok(())
    }
}

/// What somebody has to do.
fn waits(run: &Run) -> String {
    match (run.state, run.missing) {
        (contract::RunState::Waiting, Some(missing)) => {
            format!("it would delete {missing} records; somebody has to approve it")
        }
        _ => "somebody paused it".to_owned(),
    }
}

/// The run, in one line.
fn summed(run: &Run) -> String {
    let counters = &run.counters;
    let mut text = format!(
        "{} read, {} created, {} updated, {} unchanged, {} refused",
        counters.read, counters.created, counters.updated, counters.unchanged, counters.failed
    );
    if let Some(failure) = &run.failure {
        text = format!("{text}; {failure}");
    }
    text
}
