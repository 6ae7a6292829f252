//! Packed sources: gzip, and a ZIP of one file. They are unpacked once, beside the source, so that all readers can seek.

use crate::domain::Issue;
use crate::error::ServiceError;
use crate::pictures::{ZipFile, open_zip};
use flate2::read::MultiGzDecoder;
use soapstone_runtime::http::{FREE_EXPANSION_BYTES, MAX_COMPRESSION_RATIO};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is in a source may have that many bytes, whatever its size.
const MOST_SMALL: u64 = FREE_EXPANSION_BYTES;

/// How many files of a ZIP are unpacked: each becomes a file of its own.
const MAX_FILES: usize = 10_000;

/// How a source is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    Zip,
}

impl Packing {
    /// As the first bytes say.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            _ => Self::Plain,
        }
    }
}

/// The first bytes of a file.
pub fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(4096).read_to_end(&mut head)?;
    Ok(head)
}

/// A name for a copy beside a source, which nobody else has: a run and somebody who looks at its source may both need one.
pub fn beside(path: &Path, what: &str) -> PathBuf {
    static COPIES: AtomicU64 = AtomicU64::new(0);
    let number = COPIES.fetch_add(1, Ordering::Relaxed);
    path.with_extension(format!("{what}-{}-{number}", std::process::id()))
}

/// A source that is not packed any more; removed again if it is a copy.
pub struct Unpacked {
    pub path: PathBuf,
    is_copy: bool,
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if self.is_copy {
            // A left-over copy is overwritten by the next attempt.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Unpacked {
    /// A source as it is, packed or not.
    pub fn plain(path: &Path) -> Self {
        Self { path: path.to_owned(), is_copy: false }
    }

    /// Unpacks a source, if it is packed.
    ///
    /// # Errors
    /// If it is damaged, has several files, or is far larger than it looks.
    pub fn of(path: &Path) -> Result<Self, Box<Issue>> {
        let unreadable = |e: io::Error| {
            log::error!("{}: {e}", path.display());
            let issue = Issue::error("source.unreadable", "the source is gone or cannot be read");
            Box::new(issue.suggest("send the file again; the log has the details"))
        };
        let packing = Packing::of(&head(path).map_err(unreadable)?);
        if packing == Packing::Plain {
            return Ok(Self::plain(path));
        }
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let most = size.saturating_mul(MAX_COMPRESSION_RATIO).max(MOST_SMALL);
        let copy = Self { path: beside(path, "unpacked"), is_copy: true };
        let out = File::create(&copy.path).map_err(unreadable)?;
        match packing {
            Packing::Zip => {
                let mut archive = open_zip(file).map_err(|e| damaged(&e))?;
                let place = only_file(&mut archive)?;
                let mut entry = archive.by_index(place).map_err(|e| damaged(&e))?;
                pass(&mut entry, out, most)?;
            }
            _ => pass(MultiGzDecoder::new(file), out, most)?,
        }
        Ok(copy)
    }
}

impl Unpacked {
    /// Unpacks all files of a ZIP, in the order of their names.
    ///
    /// # Errors
    /// If it is damaged, or far larger than it looks.
    pub fn all(path: &Path) -> Result<Vec<Self>, Box<Issue>> {
        let unreadable = |e: io::Error| super::unreadable(&e);
        let file = File::open(path).map_err(unreadable)?;
        let mut left = file.metadata().map_err(unreadable)?.len().saturating_mul(MAX_COMPRESSION_RATIO).max(MOST_SMALL);
        let mut archive = open_zip(file).map_err(|e| damaged(&e))?;
        let mut names: Vec<String> =
            archive.file_names().filter(|name| !crate::pictures::is_rubbish(name)).map(str::to_owned).collect();
        names.retain(|name| !name.ends_with('/'));
        if names.len() > MAX_FILES {
            let text = format!("the ZIP has more than {MAX_FILES} files");
            return Err(Box::new(Issue::error("source.packed", text).suggest("send several archives")));
        }
        names.sort_unstable();
        let mut all = Vec::new();
        for (name, place) in names.iter().zip(0_u32..) {
            let mut entry = archive.by_name(name).map_err(|e| damaged(&e))?;
            let copy =
                Self { path: path.with_extension(format!("unpacked-{}-{place}", std::process::id())), is_copy: true };
            pass(&mut entry, File::create(&copy.path).map_err(unreadable)?, left)?;
            left = left.saturating_sub(std::fs::metadata(&copy.path).map_err(unreadable)?.len());
            all.push(copy);
        }
        Ok(all)
    }
}

/// Reads the beginning of what is packed.
///
/// # Errors
/// If it is damaged, or has several files.
pub fn unpacked_head(path: &Path) -> Result<Vec<u8>, ServiceError> {
    let failed = |e: io::Error| ServiceError::internal(format!("{}: {e}", path.display()));
    let wrong = |issue: Box<Issue>| ServiceError::invalid(issue.code, issue.text);
    let plain = head(path).map_err(failed)?;
    let mut unpacked = Vec::new();
    match Packing::of(&plain) {
        Packing::Plain => return Ok(plain),
        Packing::Gzip => {
            let file = File::open(path).map_err(failed)?;
            MultiGzDecoder::new(file).take(4096).read_to_end(&mut unpacked).map_err(|e| wrong(damaged(&e)))?;
        }
        Packing::Zip => {
            let file = File::open(path).map_err(failed)?;
            let mut archive = open_zip(file).map_err(|e| wrong(damaged(&e)))?;
            let place = files_of(&mut archive).map_err(wrong)?.first().copied();
            let place = place.ok_or_else(|| ServiceError::invalid("import.empty", "The ZIP is empty"))?;
            let entry = archive.by_index(place).map_err(|e| wrong(damaged(&e)))?;
            entry.take(4096).read_to_end(&mut unpacked).map_err(|e| wrong(damaged(&e)))?;
        }
    }
    Ok(unpacked)
}

fn damaged(why: &dyn std::fmt::Display) -> Box<Issue> {
    let issue = Issue::error("source.packed", format!("the source cannot be unpacked: {why}"));
    Box::new(issue.suggest("pack it again, without encryption, and send it again"))
}

/// Which entries of an archive are files.
fn files_of(archive: &mut zip::ZipArchive<ZipFile<File>>) -> Result<Vec<usize>, Box<Issue>> {
    let mut files = Vec::new();
    for place in 0..archive.len() {
        let entry = archive.by_index(place).map_err(|e| damaged(&e))?;
        if !entry.is_dir() && !crate::pictures::is_rubbish(entry.name()) {
            files.push(place);
        }
    }
    Ok(files)
}

/// Which entry of an archive is its only file.
fn only_file(archive: &mut zip::ZipArchive<ZipFile<File>>) -> Result<usize, Box<Issue>> {
    let files = files_of(archive)?;
    match files[..] {
        [place] => Ok(place),
        _ => {
            let text = format!("the ZIP has {} files, where one is expected", files.len());
            Err(Box::new(Issue::error("source.packed", text).suggest("pack each file on its own")))
        }
    }
}

fn pass(source: impl Read, mut out: File, most: u64) -> Result<(), Box<Issue>> {
    let passed = io::copy(&mut source.take(most + 1), &mut out).map_err(|e| damaged(&e))?;
    if passed > most {
        let text = format!("what is packed has more than {most} bytes, far more than such a source should have");
        return Err(Box::new(Issue::error("source.packed", text).suggest("send it without packing it")));
    }
    out.flush().map_err(|e| damaged(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn packings_are_told_by_their_first_bytes() {
        assert_eq!(Packing::of(&[0x1f, 0x8b, 8]), Packing::Gzip);
        assert_eq!(Packing::of(b"PK\x03\x04..."), Packing::Zip);
        assert_eq!(Packing::of(b"<a/>"), Packing::Plain);
    }

    #[test]
    fn what_swells_beyond_measure_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.gz");
        let mut out = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::best());
        for _ in 0..(MOST_SMALL >> 20) + 1 {
            out.write_all(&[b' '; 1 << 20]).unwrap();
        }
        out.finish().unwrap();
        assert_eq!(Unpacked::of(&path).err().map(|issue| issue.code), Some("source.packed"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the copy stays");
    }
}
