//! Folders that are watched: what is put there is imported. A file's run is told by the name that it was taken under, so that there is
//! one however many look.

use super::claimed::Claimed;
use super::inbox::{Fate, HotFolder, Inbox, Taken};
use super::status;
use crate::exchange::Exchange;
use crate::reporting::RunState;
use serde::Deserialize;
use std::io::{self, Read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Folders {
    #[serde(default)]
    folder: Vec<HotFolder>,
}

/// Reads a file of folders.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read_folders(text: &str) -> Result<Vec<HotFolder>, String> {
    let folders: Folders = toml::from_str(text).map_err(|e| e.to_string().trim().to_owned())?;
    folders.folder.iter().try_for_each(HotFolder::check)?;
    Ok(folders.folder)
}

/// A folder that is watched.
pub(super) struct Watched {
    inbox: Inbox,
    /// What could not be done, so that it is told once.
    trouble: Option<String>,
}

impl Watched {
    pub fn new(folder: HotFolder) -> Self {
        Self { inbox: Inbox::new(folder), trouble: None }
    }

    /// Looks at the folder once. Gives whether there are new runs.
    pub fn look(&mut self, exchange: &Exchange) -> bool {
        match self.take_and_tend(exchange) {
            Ok(found) => {
                self.trouble = None;
                found
            }
            Err(error) => {
                let told = format!("{}: {error}", self.inbox.folder.path.display());
                if self.trouble.as_ref() != Some(&told) {
                    log::error!("a folder cannot be watched: {told}");
                }
                self.trouble = Some(told);
                false
            }
        }
    }

    fn take_and_tend(&mut self, exchange: &Exchange) -> io::Result<bool> {
        let mut found = false;
        for taken in self.inbox.take()? {
            found |= self.tend(exchange, &taken)?;
        }
        Ok(found)
    }

    /// Sees to it that a file that was taken has its run, and is filed once that is done.
    fn tend(&self, exchange: &Exchange, taken: &Taken) -> io::Result<bool> {
        let request = self.inbox.folder.request(taken.name.clone(), format!("folder {}", taken.token));
        let mut rejected = None;
        let (state, text) = match Claimed::tend(exchange, &taken.path, &request)? {
            Claimed::New => return Ok(true),
            Claimed::AtWork(_) => return Ok(false),
            Claimed::Refused(fault) => (RunState::Failed, fault),
            Claimed::Done(report) => {
                rejected = status::rejected(exchange, &report);
                (report.run.state(), status::text(exchange, &report)?)
            }
        };
        let rejected = rejected.as_mut().map(|file| file as &mut dyn Read);
        self.inbox.file(taken, Fate { state, text: &text, rejected })?;
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_of_folders_is_told() {
        let wrong = |text: &str| read_folders(text).unwrap_err();
        assert!(wrong("[[folder]]\npath = \"x\"\nkind = \"colours\"\n").contains("colours"));
        assert!(wrong("[[folder]]\npath = \"x\"\nkind = \"articles\"\nwrong = 1\n").contains("line 4"));
        assert_eq!(read_folders("[[folder]]\npath = \"x\"\nkind = \"stock\"\n").map(|folders| folders.len()), Ok(1));
    }
}
