//! What was begun, on disk: read again after a crash.

use crate::exchange::channels::put;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// One note, in a file.
pub(super) struct Journal(PathBuf);

impl Journal {
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Beside a file that was taken; its name begins with a point, as it is none to be sent.
    pub fn beside(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self(path.with_file_name(format!(".{name}.json")))
    }

    /// What is noted; nothing, if there is nothing, or nothing that can be read.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn read<T: DeserializeOwned + Default>(&self) -> io::Result<T> {
        match fs::read(&self.0) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(T::default()),
            Err(error) => Err(error),
        }
    }

    /// Notes it for good.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, note: &impl Serialize) -> io::Result<()> {
        let bytes = serde_json::to_vec(note)?;
        put(&self.0, |file| file.write_all(&bytes))
    }

    /// Forgets it: it is done.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
