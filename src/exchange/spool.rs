//! Sources are safe on disk before a run is accepted, named by their content.

use crate::domain::hex;
use openssl::sha::Sha256;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The folders of sources, and of what exports wrote.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
    results: PathBuf,
}

/// A source in the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spooled {
    pub path: PathBuf,
    /// Hexadecimal.
    pub sha256: String,
    pub size: u64,
}

/// A source on its way into the spool; gone again unless it is finished.
pub struct Incoming {
    file: File,
    temporary: PathBuf,
    folder: PathBuf,
    hash: Sha256,
    size: u64,
    kept: bool,
}

impl Spool {
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let folder = data_dir.join("sources");
        let results = data_dir.join("results");
        for folder in [&folder, &results] {
            fs::create_dir_all(folder)?;
        }
        Ok(Self { folder, results })
    }

    /// Where a source lies, if it is there.
    pub fn source(&self, sha256: &str) -> PathBuf {
        self.folder.join(sha256)
    }

    /// The folders of files of runs.
    pub fn folders(&self) -> [&Path; 2] {
        [&self.folder, &self.results]
    }

    /// Where an export lies.
    pub fn result(&self, run: i64) -> PathBuf {
        self.results.join(run.to_string())
    }

    /// Begins a source that comes piece by piece.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn begin(&self) -> io::Result<Incoming> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!(".incoming-{}-{number}", std::process::id()));
        let file = File::create(&temporary)?;
        Ok(Incoming { file, temporary, folder: self.folder.clone(), hash: Sha256::new(), size: 0, kept: false })
    }

    /// Takes over a file that is whole: it is gone from where it was.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn adopt(&self, file: &Path) -> io::Result<Spooled> {
        let mut reader = File::open(file)?;
        let (mut hash, mut size) = (Sha256::new(), 0);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    hash.update(&buffer[..length]);
                    size += length as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        reader.sync_all()?;
        let sha256 = hex(&hash.finish());
        let path = self.folder.join(&sha256);
        fs::rename(file, &path)?;
        sync_folder_of(&path)?;
        Ok(Spooled { path, sha256, size })
    }

    /// Takes in all that a reader has.
    ///
    /// # Errors
    /// Those of the reader and of the file system.
    pub fn store(&self, mut source: impl Read) -> io::Result<Spooled> {
        let mut incoming = self.begin()?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return incoming.finish(),
                Ok(length) => incoming.write(&buffer[..length])?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

impl Incoming {
    /// # Errors
    /// Those of the file system.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.hash.update(piece);
        self.size += piece.len() as u64;
        self.file.write_all(piece)
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes it safe on disk, under its name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(mut self) -> io::Result<Spooled> {
        self.file.sync_all()?;
        let hash = std::mem::take(&mut self.hash).finish();
        let sha256 = hex(&hash);
        let path = self.folder.join(&sha256);
        fs::rename(&self.temporary, &path)?;
        self.kept = true;
        sync_folder_of(&path)?;
        Ok(Spooled { path, sha256, size: self.size })
    }
}

/// Makes a rename last: the folder of a file is synced.
///
/// # Errors
/// Those of the file system.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.kept {
            // What was cut off is of no use; if it cannot be removed, nobody mistakes it for a source.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
