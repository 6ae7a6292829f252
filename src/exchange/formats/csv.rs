//! CSV with a header line. A record that is out of joint does not take its neighbours along: where the number of
//! fields is wrong, reading goes on at the next line that has the right one.

use super::cells::decimal_mark;
use super::encoding::Utf8File;
use super::known::{Ahead, Known, Looked, Text};
use super::mapping::Mapping;
use super::packed::Unpacked;
use super::rows::{MAX_COLUMNS, MAX_HEADER, RowRead, Rows, line_after, reader_of};
use super::{Broken, Item};
use crate::domain::Issue;
use crate::domain::spreadsheet::MARK;
use crate::exchange::Profile;
use crate::exchange::kinds::{Batch, Kind};
use csv::{ByteRecord, Position};
use soapstone_runtime::value::collapsed;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

/// How far after a broken record the next whole one is looked for: near first, and then farther.
const SEARCHES: [u64; 2] = [32 << 10, SEARCH];
const SEARCH: u64 = 1 << 20;

/// How many bytes are read in one search to see whether a record is whole.
const MAX_PROBED: u64 = 32 << 20;

/// What is read of a record at once to see whether it is whole.
const PROBE_BUFFER: usize = 1 << 10;

/// How much is looked at to see how decimals are written.
const SAMPLE: u64 = 1 << 20;

/// What is read of a sample at once.
const SAMPLE_BUFFER: usize = 64 << 10;

/// How much of a record that is out of joint is shown.
const SHOWN_BYTES: usize = 1_000;

pub struct CsvFile {
    rows: Rows,
    text: Arc<Utf8File>,
    separator: u8,
    mapping: Mapping,
    fields: usize,
    /// Whether cells that a spreadsheet would take for formulas are marked.
    is_marked: bool,
    /// Where the header ends.
    begins: u64,
    /// Its size, and whether its last line ends.
    size: u64,
    ends_line: bool,
    /// Whether lines end in CR LF: the reader stops between both, and has not counted the line yet.
    within_crlf: bool,
    number: i64,
    record: ByteRecord,
    /// Up to where, and in which line that is, no whole record was found.
    searched: (u64, u64),
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
        let Opened { rows, separator, header, names, is_marked, begins } = Opened::of(&text, given)?;
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
            survey(&mut mapping, &text, separator, is_marked)?;
        }
        let fields = names.len();
        let within_crlf = two_at(&text, begins.saturating_sub(1)).map_err(unreadable)? == b"\r\n";
        let size = text.size().map_err(unreadable)?;
        let ends_line = two_at(&text, size.saturating_sub(1)).map_err(unreadable)? == b"\n";
        Ok(Self {
            rows,
            text,
            separator,
            mapping,
            fields,
            is_marked,
            begins,
            size,
            ends_line,
            within_crlf,
            number: 0,
            record: ByteRecord::new(),
            searched: (0, 0),
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
        self.rows.position().byte()
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
            let start = self.rows.position().clone();
            match self.rows.read(&mut self.record).map_err(|e| broken_at(&start, &e))? {
                RowRead::End => return Ok(None),
                RowRead::Row => {}
                RowRead::TooLarge => {
                    self.number += 1;
                    return self.pass_over(&start).map(|item| Some(Cut::Odd(item)));
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
            if self.record.len() != self.fields {
                return self.resynchronise(&start, line).map(|item| Some(Cut::Odd(item)));
            }
            let raw = start.byte()..self.rows.position().byte();
            let mut record = std::mem::take(&mut self.record);
            if self.is_marked {
                unmark(&mut record);
            }
            return Ok(Some(Cut::Row(Row { record, number: self.number, line, raw })));
        }
    }

    /// Where the record begins that was read last: empty lines before it are not its own.
    fn line(&self) -> i64 {
        let content = self.record.as_slice();
        let within = content.iter().filter(|byte| **byte == b'\n').count() as u64;
        let place = self.rows.position();
        let is_ended = place.byte() < self.size || (self.ends_line && !content.ends_with(b"\n"));
        let own = within + u64::from(is_ended && !self.within_crlf);
        i64::try_from(place.line().saturating_sub(own)).unwrap_or(i64::MAX)
    }

    /// Tells of a record that is out of joint, and goes on at the next that is whole.
    fn resynchronise(&mut self, start: &Position, line: i64) -> Result<Item, Broken> {
        let found = self.record.len();
        let first = self.record.get(0).map(|f| String::from_utf8_lossy(f).chars().take(200).collect::<String>());
        let value = self.shown();
        // The first that is missing, or the last there should be.
        let name = self.mapping.column_name(found.min(self.fields - 1));
        if let Some(next) = self.next_whole(start).map_err(|e| broken_at(start, &e))? {
            self.rows.seek(next).map_err(|e| broken_at(start, &e))?;
        }
        let text = format!("the record has {found} fields, but the header has {}", self.fields);
        let suggestion = if found < self.fields {
            "look for a missing separator, or a quote that opens a field and is never closed"
        } else {
            "look for a separator inside a field that is not in quotes, or a quote that closes a field too early"
        };
        let issue = Issue::error("csv.fields", text).of(&name, &value).suggest(suggestion);
        let mut item = Item::at(self.number, start.byte()..self.rows.position().byte());
        item.line = Some(line);
        item.change = Err(vec![issue]);
        item.key = first.filter(|k| !k.is_empty());
        Ok(item)
    }

    /// The beginning of a record that is out of joint.
    fn shown(&self) -> String {
        let mut shown = String::new();
        for (place, cell) in self.record.iter().enumerate().take_while(|(place, _)| *place < SHOWN_BYTES) {
            if place > 0 {
                shown.push(char::from(self.separator));
            }
            shown.push_str(&String::from_utf8_lossy(cell.get(..SHOWN_BYTES).unwrap_or(cell)));
            if shown.len() > SHOWN_BYTES {
                break;
            }
        }
        shown
    }

    /// Tells of a record that is larger than allowed, and goes on after it: where a whole one begins, or else in the next line.
    fn pass_over(&mut self, start: &Position) -> Result<Item, Broken> {
        let line = start.line() + u64::from(self.within_crlf);
        let next = match self.next_whole(start) {
            Ok(None) => line_after(&self.text, start, SEARCH),
            Ok(Some(next)) => Ok(next),
            Err(error) => Err(error),
        };
        let next = next.map_err(|e| broken_at(start, &e))?;
        // It is copied nowhere: it would not fit into memory.
        let mut item = Item::at(self.number, start.byte()..start.byte());
        self.rows.seek(next).map_err(|e| broken_at(start, &e))?;
        item.line = i64::try_from(line).ok();
        let issue = Issue::error("message.limit", "the record is larger than 16 MB");
        item.change =
            Err(vec![issue.suggest("look for a quote that opens a field and is never closed, or split the record")]);
        Ok(item)
    }

    /// Where the next record with the right number of fields begins; None if none is near.
    fn next_whole(&mut self, start: &Position) -> std::io::Result<Option<Position>> {
        if self.fields < 2 {
            return Ok(None);
        }
        // What was searched for an earlier record is not searched again.
        let (from, first_line) =
            if self.searched.0 > start.byte() { self.searched } else { (start.byte(), start.line()) };
        let mut file = self.text.open()?;
        let mut record = ByteRecord::new();
        for search in SEARCHES {
            let mut window = Vec::new();
            file.seek(SeekFrom::Start(from))?;
            file.by_ref().take((start.byte() + search).saturating_sub(from)).read_to_end(&mut window)?;
            let (mut line, mut last, mut probed) = (first_line, None, 0);
            for end in memchr::memchr_iter(b'\n', &window) {
                line += 1;
                let rest = window.get(end + 1..).unwrap_or_default();
                last = Some((from + end as u64 + 1, line));
                if probed > MAX_PROBED {
                    break;
                }
                let mut probe = reader_of(rest, self.separator, PROBE_BUFFER);
                let is_whole = probe.read_byte_record(&mut record).unwrap_or(false) && record.len() == self.fields;
                probed += probe.position().byte();
                if is_whole {
                    let mut position = Position::new();
                    let byte = from + end as u64 + 1;
                    position.set_byte(byte).set_line(line).set_record(start.record() + 1);
                    return Ok(Some(position));
                }
            }
            if search == SEARCH
                && let Some(last) = last
            {
                self.searched = last;
            }
        }
        Ok(None)
    }
}

/// A file that cannot be read on from a place.
fn broken_at(start: &Position, error: &dyn std::fmt::Display) -> Broken {
    log::error!("csv: {error}");
    let issue = Issue::error("csv.unreadable", format!("the file cannot be read on: {error}"));
    let issue = issue.suggest("correct the file from this place on and send it again");
    Broken { issue, line: i64::try_from(start.line()).ok(), column: None }
}

/// Takes the marks for spreadsheets off the cells of a record.
fn unmark(record: &mut ByteRecord) {
    const MARKED: u8 = MARK as u8;
    if record.iter().any(|cell| cell.first() == Some(&MARKED)) {
        let mut plain: ByteRecord = record.iter().map(|cell| cell.strip_prefix(&[MARKED]).unwrap_or(cell)).collect();
        plain.set_position(record.position().cloned());
        *record = plain;
    }
}

/// A table whose header was read.
struct Opened {
    rows: Rows,
    separator: u8,
    header: ByteRecord,
    names: Vec<String>,
    /// Whether it says that its cells are marked for spreadsheets.
    is_marked: bool,
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
        let mut rows = Rows::open(text, separator).map_err(unreadable)?;
        let mut header = ByteRecord::new();
        let unread = |e: csv::Error| {
            let text = format!("the header line cannot be read: {e}");
            broken("csv.header", text, "put the column names into the first line")
        };
        if let Some((_, length)) = hint {
            let mut place = Position::new();
            place.set_byte(length).set_line(2).set_record(0);
            rows.seek(place).map_err(unread)?;
        }
        match rows.read_header(&mut header).map_err(unread)? {
            RowRead::Row => {}
            RowRead::End => {
                return Err(broken("csv.empty", "the file is empty".to_owned(), "send a file with a header line"));
            }
            RowRead::TooLarge => {
                let text = format!("the header line has more than {MAX_COLUMNS} columns, or {MAX_HEADER} bytes");
                return Err(broken("csv.header", text, "put the column names into the first line"));
            }
        }
        let begins = rows.position().byte();
        let is_marked = header.get(0).is_some_and(|name| name.starts_with(&[MARK as u8]));
        if is_marked {
            unmark(&mut header);
        }
        let names = header.iter().map(|n| String::from_utf8_lossy(n).trim().to_owned()).collect();
        Ok(Self { rows, separator, header, names, is_marked, begins })
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
    let mut reader = reader_of(file.take(SAMPLE), separator, SAMPLE_BUFFER);
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
fn survey(mapping: &mut Mapping, text: &Utf8File, separator: u8, is_marked: bool) -> Result<(), Box<Issue>> {
    let unreadable = |e: std::io::Error| super::unreadable(&e);
    let mut rows = Rows::open(text, separator).map_err(unreadable)?;
    let mut record = ByteRecord::new();
    let mut is_first = true;
    loop {
        let start = rows.position().clone();
        // What is broken is told where the records are read.
        let read = match rows.read(&mut record) {
            Ok(RowRead::End) | Err(_) => return Ok(()),
            Ok(read) => read,
        };
        if read == RowRead::TooLarge {
            let next = line_after(text, &start, SEARCH).map_err(unreadable)?;
            if rows.seek(next).is_err() {
                return Ok(());
            }
        } else if !std::mem::take(&mut is_first) {
            if is_marked {
                unmark(&mut record);
            }
            mapping.survey(&record)?;
        }
    }
}
