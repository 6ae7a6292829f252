//! The records that a run refuses, in a file of their own, in the form of its source: to be corrected and sent again. How much of
//! it counts is part of each batch's transaction, so that no record is in it twice after a crash.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

pub(super) struct Rejected {
    path: PathBuf,
    file: Option<File>,
    length: u64,
}

impl Rejected {
    /// Goes on where the run stands.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn resume(path: PathBuf, length: u64) -> io::Result<Self> {
        let file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => Some(file),
            Err(e) if e.kind() == io::ErrorKind::NotFound && length == 0 => None,
            Err(e) => return Err(e),
        };
        if let Some(file) = &file {
            file.set_len(length)?;
        }
        Ok(Self { path, file, length })
    }

    /// Adds records; before the first goes what stands at the beginning of such a file. Gives its length then.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn add(&mut self, head: &[u8], records: &[u8]) -> io::Result<u64> {
        if records.is_empty() {
            return Ok(self.length);
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create(&self.path)?),
        };
        file.seek(SeekFrom::Start(self.length))?;
        let mut length = self.length;
        for piece in [if length == 0 { head } else { b"" }, records] {
            file.write_all(piece)?;
            length += piece.len() as u64;
        }
        file.sync_data()?;
        self.length = length;
        Ok(length)
    }

    /// Takes back what was added after that length.
    pub fn rewind(&mut self, length: u64) {
        self.length = length;
    }

    /// Ends the file with what stands at its end.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(&mut self, tail: &[u8]) -> io::Result<()> {
        let Some(file) = self.file.as_mut().filter(|_| self.length > 0) else { return Ok(()) };
        file.set_len(self.length)?;
        file.seek(SeekFrom::Start(self.length))?;
        file.write_all(tail)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_counted_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("7");
        let mut rejected = Rejected::resume(path.clone(), 0).unwrap();
        assert_eq!(rejected.add(b"<a>", b"").unwrap(), 0);
        assert!(!path.exists());
        assert_eq!(rejected.add(b"<a>", b"<b/>").unwrap(), 7);
        assert_eq!(rejected.add(b"<a>", b"<lost/>").unwrap(), 14);
        drop(rejected);
        let mut rejected = Rejected::resume(path.clone(), 7).unwrap();
        rejected.add(b"<a>", b"<c/>").unwrap();
        rejected.finish(b"</a>").unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "<a><b/><c/></a>");
    }
}
