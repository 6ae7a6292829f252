//! Opens ZIP archives within bounds: their directory is read into memory as a whole, and what it claims to have is reserved for it.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zip::ZipArchive;
use zip::result::{ZipError, ZipResult};

/// How many entries an archive may have.
pub const MAX_ZIP_ENTRIES: u64 = 65_535;

/// How many bytes are read to find the directory, and to read it.
const MAX_DIRECTORY_BYTES: u64 = 32 << 20;

/// How large what follows the fields of a ZIP64 end record may be.
const MAX_END_RECORD_BYTES: u64 = 64 << 10;

/// Begins the end record of a ZIP64 directory.
const ZIP64_END: [u8; 4] = *b"PK\x06\x06";

/// An archive's file; until it is open, its directory is checked.
pub struct ZipFile<R> {
    file: R,
    /// What may still be read until it is open.
    left: u64,
    is_open: Arc<AtomicBool>,
}

/// A number of the end record.
fn number(record: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(record.get(at..at + 8)?.try_into().ok()?))
}

fn too_large(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("its directory has {what}"))
}

/// Checks the end record of a ZIP64 directory, which is read in one piece.
fn check_end_record(read: &[u8]) -> io::Result<()> {
    if !read.starts_with(&ZIP64_END) {
        return Ok(());
    }
    let (Some(size), Some(here), Some(all)) = (number(read, 4), number(read, 24), number(read, 32)) else {
        return Ok(());
    };
    if here.max(all) > MAX_ZIP_ENTRIES {
        return Err(too_large(&format!("more than {MAX_ZIP_ENTRIES} entries")));
    }
    if size > MAX_END_RECORD_BYTES { Err(too_large("an end record that is too large")) } else { Ok(()) }
}

impl<R: Read> Read for ZipFile<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_open.load(Ordering::Relaxed) {
            return self.file.read(buffer);
        }
        // As a whole, so that a record is seen as one.
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read(rest) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if filled as u64 > self.left {
                return Err(too_large(&format!("more than {MAX_DIRECTORY_BYTES} bytes, or is not where it should be")));
            }
        }
        self.left -= filled as u64;
        check_end_record(buffer.get(..filled).unwrap_or_default())?;
        Ok(filled)
    }
}

impl<R: Seek> Seek for ZipFile<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Opens an archive.
///
/// # Errors
/// If it is damaged, or its directory is larger than fits into memory.
pub fn open_zip<R: Read + Seek>(file: R) -> ZipResult<ZipArchive<ZipFile<R>>> {
    let is_open = Arc::new(AtomicBool::new(false));
    let archive = ZipArchive::new(ZipFile { file, left: MAX_DIRECTORY_BYTES, is_open: is_open.clone() })?;
    if archive.len() as u64 > MAX_ZIP_ENTRIES {
        return Err(ZipError::Io(too_large("too many entries")));
    }
    // What its entries hold has bounds of its own.
    is_open.store(true, Ordering::Relaxed);
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn archive(files: usize) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for n in 0..files {
            zip.start_file(format!("{n}.txt"), SimpleFileOptions::default()).unwrap();
            zip.write_all(b"content").unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn archives_are_opened_and_read() {
        let mut opened = open_zip(Cursor::new(archive(300))).unwrap();
        let mut text = String::new();
        opened.by_index(299).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((opened.len(), text.as_str()), (300, "content"));
        assert!(open_zip(Cursor::new(b"PK\x03\x04 nothing".to_vec())).is_err());
    }

    /// An archive that ends in a ZIP64 end record with these claims.
    fn claiming(entries: u64, record_size: u64) -> Vec<u8> {
        let start = 60_u64 << 20;
        let mut bytes = vec![0; usize::try_from(start).unwrap()];
        bytes[..4].copy_from_slice(b"PK\x03\x04");
        let end = bytes.len() as u64;
        bytes.extend(ZIP64_END);
        bytes.extend(record_size.to_le_bytes());
        bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [entries, entries, 46 * entries, 0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(b"PK\x06\x07\0\0\0\0");
        bytes.extend(end.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
        bytes
    }

    #[test]
    fn what_a_directory_claims_is_not_reserved() {
        for (entries, record_size) in [(50_000_000, 44), (1, 1 << 50), (MAX_ZIP_ENTRIES + 1, 44)] {
            let error = open_zip(Cursor::new(claiming(entries, record_size))).err().unwrap();
            assert!(error.to_string().contains("its directory has"), "{entries} {record_size}: {error}");
        }
    }
}
