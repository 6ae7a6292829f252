//! CSV with a header line. A record that is out of joint does not take its neighbours along: where the number of
//! fields is wrong, reading goes on at the next line that has the right one.

use super::encoding::Utf8File;
use super::mapping::Mapping;
use super::{Broken, Item};
use crate::domain::Issue;
use crate::exchange::Profile;
use csv::{ByteRecord, Position, Reader, ReaderBuilder};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// How far after a broken record the next whole one is looked for.
const SEARCH: u64 = 1 << 20;

/// How large one record may be.
const MAX_RECORD: u64 = 16 << 20;

pub struct CsvFile {
    reader: Reader<File>,
    file: Utf8File,
    separator: u8,
    mapping: Mapping,
    fields: usize,
    number: i64,
    record: ByteRecord,
}

fn broken(code: &'static str, text: String, suggestion: &str) -> Box<Issue> {
    Box::new(Issue::error(code, text).suggest(suggestion))
}

impl CsvFile {
    pub(super) fn open(path: &Path, kind: &str, profile: Option<Profile>) -> Result<Self, Broken> {
        let declared = profile.as_ref().and_then(|p| p.csv.encoding.clone());
        let file = Utf8File::of(path, declared.as_deref())?;
        let unreadable = |e: std::io::Error| {
            log::error!("{}: {e}", path.display());
            broken("source.unreadable", "the source cannot be read".to_owned(), "send the file again")
        };
        let separator = match profile.as_ref().and_then(|p| p.csv.separator.clone()) {
            Some(separator) => separator.bytes().next().unwrap_or(b','),
            None => guessed_separator(&file.open().map_err(unreadable)?).map_err(unreadable)?,
        };
        let mut reader = reader_of(file.open().map_err(unreadable)?, separator);
        let mut header = ByteRecord::new();
        let found = reader.read_byte_record(&mut header).map_err(|e| {
            broken(
                "csv.header",
                format!("the header line cannot be read: {e}"),
                "put the column names into the first line",
            )
        })?;
        if !found {
            return Err(broken("csv.empty", "the file is empty".to_owned(), "send a file with a header line").into());
        }
        let names: Vec<String> = header.iter().map(|n| String::from_utf8_lossy(n).trim().to_owned()).collect();
        let line = |position: &Position| i64::try_from(position.line()).ok();
        let mut mapping = Mapping::new(kind, profile, &names).map_err(|issue| Broken {
            issue: *issue,
            line: header.position().and_then(line),
            column: None,
        })?;
        if mapping.wants_survey() {
            survey(&mut mapping, &file, separator).map_err(unreadable)?;
        }
        Ok(Self { reader, file, separator, mapping, fields: names.len(), number: 0, record: ByteRecord::new() })
    }

    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    pub(super) fn next_item(&mut self, skip: bool) -> Result<Option<Item>, Broken> {
        loop {
            let start = self.reader.position().clone();
            let read = self.reader.read_byte_record(&mut self.record);
            let line = i64::try_from(self.record.position().map_or(start.line(), Position::line)).unwrap_or(i64::MAX);
            match read {
                Ok(false) => return Ok(None),
                Ok(true) => {}
                Err(e) => {
                    let issue = Issue::error("csv.unreadable", format!("the file cannot be read on: {e}"))
                        .suggest("correct the file from this place on and send it again");
                    return Err(Broken { issue, line: Some(line), column: None });
                }
            }
            if self.record.len() == 1 && self.record.iter().all(<[u8]>::is_empty) {
                continue;
            }
            self.number += 1;
            if self.record.len() != self.fields || self.reader.position().byte() - start.byte() > MAX_RECORD {
                return self.resynchronise(&start, line).map(Some);
            }
            if skip {
                return Ok(Some(self.item(line, Err(Vec::new()))));
            }
            return Ok(Some(self.mapping.item(&self.record, self.number, line)));
        }
    }

    fn item(&self, line: i64, change: Result<super::Change, Vec<Issue>>) -> Item {
        Item {
            number: self.number,
            line: Some(line),
            column: None,
            key: None,
            change,
            categories: Vec::new(),
            columns: None,
        }
    }

    /// Tells of a record that is out of joint, and goes on at the next that is whole.
    fn resynchronise(&mut self, start: &Position, line: i64) -> Result<Item, Broken> {
        let found = self.record.len();
        let first = self.record.get(0).map(|f| String::from_utf8_lossy(f).chars().take(200).collect::<String>());
        let cells: Vec<_> = self.record.iter().map(String::from_utf8_lossy).collect();
        let value = cells.join(&char::from(self.separator).to_string());
        // The first that is missing, or the last there should be.
        let name = self.mapping.column_name(found.min(self.fields - 1));
        let next = self.next_whole(start).map_err(|e| {
            log::error!("csv: {e}");
            let issue = Issue::error("csv.unreadable", "the file cannot be read on").suggest("send the file again");
            Broken { issue, line: Some(line), column: None }
        })?;
        let text = format!("the record has {found} fields, but the header has {}", self.fields);
        let suggestion = if found < self.fields {
            "look for a missing separator, or a quote that opens a field and is never closed"
        } else {
            "look for a separator inside a field that is not in quotes, or a quote that closes a field too early"
        };
        if let Some(next) = next {
            let moved = self.reader.seek(next);
            if let Err(e) = moved {
                let issue = Issue::error("csv.unreadable", format!("the file cannot be read on: {e}"));
                return Err(Broken { issue, line: Some(line), column: None });
            }
        }
        let issue = Issue::error("csv.fields", text).of(&name, &value).suggest(suggestion);
        let mut item = self.item(line, Err(vec![issue]));
        item.key = first.filter(|k| !k.is_empty());
        Ok(item)
    }

    /// Where the next record with the right number of fields begins; None if the reader is there already.
    fn next_whole(&self, start: &Position) -> std::io::Result<Option<Position>> {
        let mut file = self.file.open()?;
        file.seek(SeekFrom::Start(start.byte()))?;
        let mut window = Vec::new();
        file.take(SEARCH).read_to_end(&mut window)?;
        let mut offset = 0;
        let mut line = start.line();
        let mut record = ByteRecord::new();
        while let Some(end) = window[offset..].iter().position(|b| *b == b'\n') {
            offset += end + 1;
            line += 1;
            let mut probe = reader_of(&window[offset..], self.separator);
            let whole = probe.read_byte_record(&mut record).unwrap_or(false) && record.len() == self.fields;
            if whole && self.fields > 1 {
                let mut position = Position::new();
                position.set_byte(start.byte() + offset as u64).set_line(line).set_record(start.record() + 1);
                return Ok(Some(position));
            }
        }
        Ok(None)
    }
}

fn reader_of<R: Read>(source: R, separator: u8) -> Reader<R> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(64 << 10)
        .from_reader(source)
}

/// The separator that the header line has most of, outside of quotes.
fn guessed_separator(file: &File) -> std::io::Result<u8> {
    let mut line = Vec::new();
    BufReader::new(file.take(1 << 16)).read_until(b'\n', &mut line)?;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in line {
        quoted ^= byte == b'"';
        for (separator, count) in &mut counts {
            *count += u32::from(!quoted && byte == *separator);
        }
    }
    let best = counts.iter().rev().max_by_key(|(_, count)| *count);
    Ok(best.map_or(b',', |(separator, _)| *separator))
}

/// Reads the whole file once for what records tell of others.
fn survey(mapping: &mut Mapping, file: &Utf8File, separator: u8) -> std::io::Result<()> {
    let mut reader = reader_of(file.open()?, separator);
    let mut record = ByteRecord::new();
    let mut first = true;
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        if !std::mem::take(&mut first) {
            mapping.survey(&record);
        }
    }
    Ok(())
}
