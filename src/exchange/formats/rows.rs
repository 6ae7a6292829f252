//! The rows of a table, read one by one: none is built up in memory beyond what a record may have.

use super::encoding::Utf8File;
use csv::{ByteRecord, Position, Reader, ReaderBuilder};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// How large one record may be.
const MAX_RECORD: u64 = 16 << 20;

/// How large the header may be, and how many columns it may have.
pub(super) const MAX_HEADER: u64 = 1 << 20;
pub(super) const MAX_COLUMNS: usize = 10_000;

/// What is read of a file at once.
const BUFFER: usize = 64 << 10;

/// A file of which so much may be read before the next record.
struct Capped {
    file: File,
    left: u64,
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let length = self.file.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= length as u64;
        Ok(length)
    }
}

impl Seek for Capped {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowRead {
    Row,
    /// The record is larger than allowed; [`Rows::seek`] goes on after it.
    TooLarge,
    End,
}

/// A table's rows.
pub(super) struct Rows(Reader<Capped>);

impl Rows {
    pub fn open(text: &Utf8File, separator: u8) -> io::Result<Self> {
        let file = Capped { file: text.open()?, left: MAX_RECORD };
        Ok(Self(reader_of(file, separator, BUFFER)))
    }

    /// Reads the header, which is smaller than other records.
    ///
    /// # Errors
    /// Those of the file.
    pub fn read_header(&mut self, header: &mut ByteRecord) -> csv::Result<RowRead> {
        let read = self.read_up_to(header, MAX_HEADER)?;
        Ok(if header.len() > MAX_COLUMNS { RowRead::TooLarge } else { read })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Those of the file.
    pub fn read(&mut self, record: &mut ByteRecord) -> csv::Result<RowRead> {
        let start = self.position().byte();
        let read = self.read_up_to(record, MAX_RECORD)?;
        // What was in the buffer already comes on top of what was read.
        let is_large = read == RowRead::Row && self.position().byte() - start > MAX_RECORD;
        Ok(if is_large { RowRead::TooLarge } else { read })
    }

    fn read_up_to(&mut self, record: &mut ByteRecord, most: u64) -> csv::Result<RowRead> {
        self.0.get_mut().left = most;
        match self.0.read_byte_record(record) {
            Ok(true) => Ok(RowRead::Row),
            Ok(false) => Ok(RowRead::End),
            Err(error) if is_too_large(&error) => Ok(RowRead::TooLarge),
            Err(error) => Err(error),
        }
    }

    pub fn position(&self) -> &Position {
        self.0.position()
    }

    /// Goes on from a place where a record begins.
    ///
    /// # Errors
    /// Those of the file.
    pub fn seek(&mut self, to: Position) -> csv::Result<()> {
        self.0.get_mut().left = MAX_RECORD;
        self.0.seek(to)
    }
}

fn is_too_large(error: &csv::Error) -> bool {
    matches!(error.kind(), csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge)
}

pub(super) fn reader_of<R: Read>(source: R, separator: u8, buffer: usize) -> Reader<R> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(buffer)
        .from_reader(source)
}

/// Where the first line begins that is at least so many bytes after a place; the end of the file, if there is none.
///
/// # Errors
/// Those of the file.
pub(super) fn line_after(text: &Utf8File, place: &Position, bytes: u64) -> io::Result<Position> {
    let mut file = text.open()?;
    file.seek(SeekFrom::Start(place.byte()))?;
    let mut reader = BufReader::with_capacity(BUFFER, file);
    let (mut at, mut line) = (place.byte(), place.line());
    loop {
        let buffer = reader.fill_buf()?;
        let mut found = None;
        for end in memchr::memchr_iter(b'\n', buffer) {
            line += 1;
            let next = at + end as u64 + 1;
            if next >= place.byte() + bytes {
                found = Some(next);
                break;
            }
        }
        let length = buffer.len();
        let mut position = Position::new();
        if found.is_some() || length == 0 {
            position.set_byte(found.unwrap_or(at)).set_line(line).set_record(place.record() + 1);
            return Ok(position);
        }
        at += length as u64;
        reader.consume(length);
    }
}
