//! CSV with a header line. A record that is out of joint does not take its neighbours along: where the number of
//! fields is wrong, reading goes on at the next line that has the right one.

use super::cells::decimal_mark;
use super::encoding::Utf8File;
use super::known::{Ahead, Known, Looked, Text};
use super::mapping::Mapping;
use super::packed::Unpacked;
use super::{Broken, Item};
use crate::domain::Issue;
use crate::exchange::Profile;
use crate::exchange::kinds::{Batch, Kind};
use csv::{ByteRecord, Position, Reader, ReaderBuilder};
use soapstone_runtime::value::collapsed;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

/// How far after a broken record the next whole one is looked for.
const SEARCH: u64 = 1 << 20;

/// How much is looked at to see how decimals are written.
const SAMPLE: u64 = 1 << 20;

/// How large one record may be.
const MAX_RECORD: u64 = 16 << 20;

pub struct CsvFile {
    reader: Reader<File>,
    text: Arc<Utf8File>,
    separator: u8,
    mapping: Mapping,
    fields: usize,
    /// Where the header ends.
    begins: u64,
    /// Its size, and whether its last line ends.
    size: u64,
    ends_line: bool,
    /// Whether lines end in CR LF: the reader stops between both, and has not counted the line yet.
    within_crlf: bool,
    number: i64,
    record: ByteRecord,
    ahead: Option<Ahead<Cut>>,
}

/// What was cut out of a table.
enum Cut {
    Row(Row),
    /// Out of joint.
    Odd(Item),
}

/// A row with as many fields as the header.
struct Row {
    record: ByteRecord,
    number: i64,
    line: i64,
    raw: Range<u64>,
}

fn broken(code: &'static str, text: String, suggestion: &str) -> Box<Issue> {
    Box::new(Issue::error(code, text).suggest(suggestion))
}

impl CsvFile {
    pub(super) fn open(text: Arc<Utf8File>, kind: &'static Kind, profile: Option<Profile>) -> Result<Self, Broken> {
        let unreadable = |e: std::io::Error| super::unreadable(&e);
        let given = profile.as_ref().and_then(|p| p.csv.separator.clone()).map(|s| s.bytes().next().unwrap_or(b','));
        let Opened { reader, separator, header, names, begins } = Opened::of(&text, given)?;
        let line = |position: &Position| i64::try_from(position.line()).ok();
        let mut mapping = Mapping::new(kind, profile, &names).map_err(|issue| Broken {
            issue: *issue,
            line: header.position().and_then(line),
            column: None,
        })?;
        if let Some(mark) = guessed_mark(&mapping.numbers(), &text, separator, begins).map_err(unreadable)? {
            mapping.set_mark(mark);
        }
        if mapping.wants_survey() {
            survey(&mut mapping, &text, separator).map_err(unreadable)?;
        }
        let fields = names.len();
        let within_crlf = two_at(&text, begins.saturating_sub(1)).map_err(unreadable)? == b"\r\n";
        let size = text.size().map_err(unreadable)?;
        let ends_line = two_at(&text, size.saturating_sub(1)).map_err(unreadable)? == b"\n";
        Ok(Self {
            reader,
            text,
            separator,
            mapping,
            fields,
            begins,
            size,
            ends_line,
            within_crlf,
            number: 0,
            record: ByteRecord::new(),
            ahead: None,
        })
    }

    /// Nothing is known of rows that lead to other ones.
    pub(super) fn with_known(&mut self, known: Known) {
        self.ahead = self.mapping.stands_alone().then(|| Ahead::of(known.within(&self.mapping.around())));
    }

    /// What stands before records in a file of its own: all until the first.
    pub(super) fn head(&self) -> std::io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.text.open()?.take(self.begins).read_to_end(&mut head)?;
        if !head.ends_with(b"\n") {
            head.push(b'\n');
        }
        Ok(head)
    }

    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next record, read into the batch; without one, nobody will look at it.
    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        let next = match self.ahead.take() {
            Some(mut ahead) if batch.is_some() => {
                let next = ahead.next(|known| {
                    let Some(cut) = self.cut()? else { return Ok(None) };
                    let text = match &cut {
                        Cut::Row(row) => Some(self.text_of(known, &row.record)),
                        Cut::Odd(_) => None,
                    };
                    Ok(Some((cut, text)))
                });
                self.ahead = Some(ahead);
                next?
            }
            ahead => {
                self.ahead = ahead;
                self.cut()?.map(Looked::unknown)
            }
        };
        let Some(Looked { cut, key, digest, is_known }) = next else { return Ok(None) };
        let Row { record, number, line, raw } = match cut {
            Cut::Row(row) => row,
            Cut::Odd(item) => return Ok(Some(item)),
        };
        let Some(batch) = batch else { return Ok(Some(Item::at(number, raw))) };
        if is_known {
            let item = Item::at(number, raw);
            return Ok(Some(Item { line: Some(line), key, is_known, weight: 0, ..item }));
        }
        let item = self.mapping.item(&record, number, line, raw, batch, digest);
        self.record = record;
        Ok(Some(item))
    }

    /// What a row says of itself.
    fn text_of(&self, known: &Known, record: &ByteRecord) -> Text {
        let key = self.mapping.key_of(record).map(|key| collapsed(&key));
        let digest = known.digest(record.iter());
        Text { key, digest, length: record.as_slice().len() }
    }

    fn cut(&mut self) -> Result<Option<Cut>, Broken> {
        loop {
            let start = self.reader.position().clone();
            let read = self.reader.read_byte_record(&mut self.record);
            match read {
                Ok(false) => return Ok(None),
                Ok(true) => {}
                Err(e) => {
                    let issue = Issue::error("csv.unreadable", format!("the file cannot be read on: {e}"))
                        .suggest("correct the file from this place on and send it again");
                    return Err(Broken { issue, line: i64::try_from(start.line()).ok(), column: None });
                }
            }
            let line = self.line();
            if self.record.len() == 1 && self.record.iter().all(<[u8]>::is_empty) {
                continue;
            }
            self.number += 1;
            // Spreadsheets leave empty cells behind the last column.
            let excess = self.record.len().saturating_sub(self.fields);
            if excess > 0 && self.record.iter().skip(self.fields).all(<[u8]>::is_empty) {
                self.record.truncate(self.fields);
            }
            if self.record.len() != self.fields || self.reader.position().byte() - start.byte() > MAX_RECORD {
                return self.resynchronise(&start, line).map(|item| Some(Cut::Odd(item)));
            }
            let raw = start.byte()..self.reader.position().byte();
            let record = std::mem::take(&mut self.record);
            return Ok(Some(Cut::Row(Row { record, number: self.number, line, raw })));
        }
    }

    /// Where the record begins that was read last: empty lines before it are not its own.
    fn line(&self) -> i64 {
        let content = self.record.as_slice();
        let within = content.iter().filter(|byte| **byte == b'\n').count() as u64;
        let place = self.reader.position();
        let is_ended = place.byte() < self.size || (self.ends_line && !content.ends_with(b"\n"));
        let own = within + u64::from(is_ended && !self.within_crlf);
        i64::try_from(place.line().saturating_sub(own)).unwrap_or(i64::MAX)
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
        let mut item = Item::at(self.number, start.byte()..self.reader.position().byte());
        item.line = Some(line);
        item.change = Err(vec![issue]);
        item.key = first.filter(|k| !k.is_empty());
        Ok(item)
    }

    /// Where the next record with the right number of fields begins; None if the reader is there already.
    fn next_whole(&self, start: &Position) -> std::io::Result<Option<Position>> {
        let mut file = self.text.open()?;
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

/// A table whose header was read.
struct Opened {
    reader: Reader<File>,
    separator: u8,
    header: ByteRecord,
    names: Vec<String>,
    /// Where the header ends.
    begins: u64,
}

impl Opened {
    /// Reads the header; the separator is recognised, if none is given.
    fn of(text: &Utf8File, separator: Option<u8>) -> Result<Self, Box<Issue>> {
        let unreadable = |e: std::io::Error| super::unreadable(&e);
        let hint = separator_hint(&text.open().map_err(unreadable)?).map_err(unreadable)?;
        let separator = match (separator, &hint) {
            (Some(separator), _) => separator,
            (None, Some((separator, _))) => *separator,
            (None, None) => guessed_separator(&text.open().map_err(unreadable)?).map_err(unreadable)?,
        };
        let mut reader = reader_of(text.open().map_err(unreadable)?, separator);
        let mut header = ByteRecord::new();
        let unread = |e: csv::Error| {
            let text = format!("the header line cannot be read: {e}");
            broken("csv.header", text, "put the column names into the first line")
        };
        if let Some((_, length)) = hint {
            let mut place = Position::new();
            place.set_byte(length).set_line(2).set_record(0);
            reader.seek(place).map_err(unread)?;
        }
        if !reader.read_byte_record(&mut header).map_err(unread)? {
            return Err(broken("csv.empty", "the file is empty".to_owned(), "send a file with a header line"));
        }
        let begins = reader.position().byte();
        let names = header.iter().map(|n| String::from_utf8_lossy(n).trim().to_owned()).collect();
        Ok(Self { reader, separator, header, names, begins })
    }
}

/// The form of a table.
pub struct Form {
    /// The columns.
    pub names: Vec<String>,
    pub separator: char,
    pub encoding: &'static str,
    /// Of decimals.
    pub mark: char,
}

/// The form of a table, as far as its beginning tells it.
pub fn form(path: &std::path::Path) -> Result<Form, Box<Issue>> {
    let text = Utf8File::of(Unpacked::of(path)?, None)?;
    let Opened { separator, names, begins, .. } = Opened::of(&text, None)?;
    let all: Vec<usize> = (0..names.len()).collect();
    let mark = guessed_mark(&all, &text, separator, begins).map_err(|e| super::unreadable(&e))?.unwrap_or('.');
    Ok(Form { names, separator: char::from(separator), encoding: text.encoding, mark })
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

fn two_at(text: &Utf8File, place: u64) -> std::io::Result<Vec<u8>> {
    let mut file = text.open()?;
    file.seek(SeekFrom::Start(place))?;
    let mut two = Vec::new();
    file.take(2).read_to_end(&mut two)?;
    Ok(two)
}

/// The separator that a first line `sep=;` names, and how long that line is.
fn separator_hint(file: &File) -> std::io::Result<Option<(u8, u64)>> {
    let mut line = Vec::new();
    BufReader::new(file.take(16)).read_until(b'\n', &mut line)?;
    let length = line.len() as u64;
    let hint = line.trim_ascii_end().strip_prefix(b"sep=");
    Ok(hint.and_then(|hint| hint.first()).map(|separator| (*separator, length)))
}

/// How decimals are written, as far as the beginning of the file says it in the columns of numbers.
fn guessed_mark(columns: &[usize], text: &Utf8File, separator: u8, begins: u64) -> std::io::Result<Option<char>> {
    if columns.is_empty() {
        return Ok(None);
    }
    let mut file = text.open()?;
    file.seek(SeekFrom::Start(begins))?;
    let mut reader = reader_of(file.take(SAMPLE), separator);
    let mut record = ByteRecord::new();
    let (mut commas, mut points) = (0_u32, 0_u32);
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        for cell in columns.iter().filter_map(|column| std::str::from_utf8(record.get(*column)?).ok()) {
            match decimal_mark(cell) {
                Some(',') => commas += 1,
                Some(_) => points += 1,
                None => {}
            }
        }
    }
    Ok((commas > points).then_some(','))
}

/// Reads the whole file once for what records tell of others.
fn survey(mapping: &mut Mapping, text: &Utf8File, separator: u8) -> std::io::Result<()> {
    let mut reader = reader_of(text.open()?, separator);
    let mut record = ByteRecord::new();
    let mut first = true;
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        if !std::mem::take(&mut first) {
            mapping.survey(&record);
        }
    }
    Ok(())
}
