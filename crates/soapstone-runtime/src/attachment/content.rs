//! Bytes of any size: in memory, or in a file once there are many.

use actix_web::web::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::{NamedTempFile, TempPath};

/// What is compared, or read from a file, at once.
const CHUNK: usize = 64 << 10;

/// Bytes. Cheap to clone; a file behind them goes with the last clone.
#[derive(Clone, Default)]
pub struct Content(Kept);

#[derive(Clone)]
enum Kept {
    Memory(Bytes),
    File(Arc<Stored>),
}

struct Stored {
    path: TempPath,
    size: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self::Memory(Bytes::new())
    }
}

impl Content {
    pub fn len(&self) -> u64 {
        match &self.0 {
            Kept::Memory(bytes) => bytes.len() as u64,
            Kept::File(stored) => stored.size,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it lies in a file.
    pub fn is_stored(&self) -> bool {
        matches!(self.0, Kept::File(_))
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn bytes(&self) -> io::Result<Bytes> {
        match &self.0 {
            Kept::Memory(bytes) => Ok(bytes.clone()),
            Kept::File(stored) => std::fs::read(&stored.path).map(Bytes::from),
        }
    }

    /// A reader of it from the start.
    ///
    /// # Errors
    /// If its file cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.0 {
            Kept::Memory(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Kept::File(stored) => Box::new(File::open(&stored.path)?),
        })
    }

    /// It piece by piece, none large.
    pub fn pieces(&self) -> Box<dyn Iterator<Item = io::Result<Bytes>> + Send> {
        match &self.0 {
            Kept::Memory(bytes) => Box::new(std::iter::once(Ok(bytes.clone()))),
            Kept::File(_) => {
                let mut reader = match self.open() {
                    Ok(reader) => reader,
                    Err(error) => return Box::new(std::iter::once(Err(error))),
                };
                Box::new(std::iter::from_fn(move || {
                    let mut chunk = Vec::with_capacity(CHUNK);
                    match reader.by_ref().take(CHUNK as u64).read_to_end(&mut chunk) {
                        Ok(0) => None,
                        Ok(_) => Some(Ok(Bytes::from(chunk))),
                        Err(error) => Some(Err(error)),
                    }
                }))
            }
        }
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self(Kept::Memory(bytes))
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Kept::Memory(bytes.into()))
    }
}

impl From<&'static [u8]> for Content {
    fn from(bytes: &'static [u8]) -> Self {
        Self(Kept::Memory(Bytes::from_static(bytes)))
    }
}

/// As base64.
impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.bytes().map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(STANDARD.decode(text).map_err(serde::de::Error::custom)?.into())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.len())
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        match (&self.0, &other.0) {
            (Kept::Memory(a), Kept::Memory(b)) => a == b,
            (Kept::File(a), Kept::File(b)) if Arc::ptr_eq(a, b) => true,
            _ => same_bytes(self, other).unwrap_or(false),
        }
    }
}

impl Eq for Content {}

impl Hash for Content {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // What is in files is told apart by more than this when it matters.
        state.write_u64(self.len());
        if let Kept::Memory(bytes) = &self.0 {
            state.write(&bytes[..bytes.len().min(CHUNK)]);
        }
    }
}

fn same_bytes(a: &Content, b: &Content) -> io::Result<bool> {
    let (mut a, mut b) = (a.open()?, b.open()?);
    loop {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        a.by_ref().take(CHUNK as u64).read_to_end(&mut left)?;
        b.by_ref().take(CHUNK as u64).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

/// Content in the making.
pub struct ContentWriter {
    folder: PathBuf,
    /// How many bytes stay in memory.
    in_memory: usize,
    memory: Vec<u8>,
    file: Option<NamedTempFile>,
    size: u64,
}

impl ContentWriter {
    /// Keeps that many bytes in memory; more go to a file in that folder.
    pub fn new(in_memory: usize, folder: &Path) -> Self {
        Self { folder: folder.to_owned(), in_memory, memory: Vec::new(), file: None, size: 0 }
    }

    /// What was written.
    ///
    /// # Errors
    /// If the file could not be written.
    pub fn finish(mut self) -> io::Result<Content> {
        self.flush()?;
        Ok(match self.file {
            None => Content::from(self.memory),
            Some(file) => Content(Kept::File(Arc::new(Stored { path: file.into_temp_path(), size: self.size }))),
        })
    }
}

impl Write for ContentWriter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.size += piece.len() as u64;
        if self.file.is_none() && self.memory.len() + piece.len() > self.in_memory {
            let mut file = tempfile::Builder::new().prefix("attachment-").tempfile_in(&self.folder)?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(piece)?,
            None => self.memory.extend_from_slice(piece),
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_goes_to_a_file_that_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let written = |bytes: &[u8]| {
            let mut writer = ContentWriter::new(4, folder.path());
            bytes.chunks(3).for_each(|piece| writer.write_all(piece).unwrap());
            writer.finish().unwrap()
        };
        let (little, much) = (written(b"1234"), written(b"12345678"));
        assert!(!little.is_stored() && much.is_stored());
        assert_eq!((much.len(), &much.bytes().unwrap()[..]), (8, &b"12345678"[..]));
        assert_eq!(much, Content::from(b"12345678".to_vec()));
        assert_ne!(much, Content::from(b"12345679".to_vec()));
        let pieces: Vec<u8> = much.pieces().flat_map(|piece| piece.unwrap().to_vec()).collect();
        assert_eq!(pieces, b"12345678");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(much);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
