//! Native XML: the children of the root are records, read by the generated reader. Those that are known are only looked at.

use super::encoding::Utf8File;
use super::known::{Known, Text};
use super::{Broken, Item};
use crate::domain::Issue;
use crate::exchange::kinds::{Batch, Kind};
use soapstone_runtime::ReadError;
use soapstone_runtime::records::{Record, Records};
use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;

/// How many records are looked up together, and of how many bytes at most, but for the last of them.
const TOGETHER: usize = 500;
const TOGETHER_BYTES: usize = 4 << 20;

pub struct XmlFile {
    records: Records<BufReader<File>>,
    kind: &'static Kind,
    known: Option<Known>,
    /// Records that were cut out and looked up, and why there are no more.
    ahead: VecDeque<Cut>,
    broken: Option<Broken>,
}

/// A record that was cut out of the file.
struct Cut {
    record: Record,
    raw: Range<u64>,
    key: Option<String>,
    digest: Option<String>,
    is_known: bool,
}

impl XmlFile {
    pub(super) fn open(text: &Utf8File, kind: &'static Kind) -> Result<Self, Box<Issue>> {
        let file = text.open().map_err(|e| super::unreadable(&e))?;
        let records = Records::new(BufReader::with_capacity(256 << 10, file));
        Ok(Self { records, kind, known: None, ahead: VecDeque::new(), broken: None })
    }

    pub(super) fn with_known(&mut self, known: Known) {
        self.known = Some(known);
    }

    /// The next record, read into the batch; without one, nobody will look at it.
    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        let next = if batch.is_some() && self.known.is_some() { self.looked_up()? } else { self.cut()? };
        let Some(Cut { record, raw, key, digest, is_known }) = next else { return Ok(None) };
        let mut item = Item::at(i64::try_from(record.number).unwrap_or(i64::MAX), raw);
        (item.line, item.column) = (Some(record.line.into()), Some(record.column.into()));
        let Some(batch) = batch else { return Ok(Some(item)) };
        if is_known {
            (item.is_known, item.key, item.weight) = (true, key, 0);
            return Ok(Some(item));
        }
        if let Err(error) = batch.read_xml(self.records.scope(), &record, self.kind.element, digest) {
            record.well_formed().map_err(|error| broken(*error, self.kind))?;
            (item.line, item.column) = (Some(error.line.into()), Some(error.column.into()));
            item.key = key_of(&record, self.kind);
            item.change = Err(vec![issue(*error, self.kind)]);
        }
        Ok(Some(item))
    }

    fn cut(&mut self) -> Result<Option<Cut>, Broken> {
        let record = self.records.next_record().map_err(|error| broken(*error, self.kind))?;
        Ok(record.map(|record| {
            let end = self.records.position();
            let raw = end.saturating_sub(record.text.len() as u64)..end;
            Cut { record, raw, key: None, digest: None, is_known: false }
        }))
    }

    /// The next record, with what is known of it.
    fn looked_up(&mut self) -> Result<Option<Cut>, Broken> {
        if self.ahead.is_empty() && self.broken.is_none() {
            self.look_up();
        }
        match self.ahead.pop_front() {
            None => self.broken.take().map_or(Ok(None), Err),
            cut => Ok(cut),
        }
    }

    fn look_up(&mut self) {
        let mut bytes = 0;
        while self.ahead.len() < TOGETHER && bytes < TOGETHER_BYTES {
            match self.cut() {
                Ok(Some(cut)) => {
                    bytes += cut.record.text.len();
                    self.ahead.push_back(cut);
                }
                Ok(None) => break,
                Err(broken) => {
                    self.broken = Some(broken);
                    break;
                }
            }
        }
        let Some(known) = &mut self.known else { return };
        let root = self.records.tags().0;
        for cut in &mut self.ahead {
            cut.key = self.kind.keys.first().and_then(|key| cut.record.first_member(key));
            cut.digest = Some(known.digest(root, &cut.record.text));
        }
        let text = |cut: &Cut| Text { key: cut.key.clone(), digest: cut.digest.clone().unwrap_or_default() };
        let texts: Vec<_> = self.ahead.iter().map(text).collect();
        let are_known = known.are_there(&texts);
        self.ahead.iter_mut().zip(are_known).for_each(|(cut, is_known)| cut.is_known = is_known);
    }

    pub(super) fn position(&self) -> u64 {
        self.records.position()
    }

    /// What stands around records in a file of its own.
    pub(super) fn around(&self) -> (Vec<u8>, Vec<u8>) {
        let (start, end) = self.records.tags();
        (format!("{start}\n").into_bytes(), format!("{end}\n").into_bytes())
    }
}

/// The key of a record that cannot be read as a whole, for a person to find it by.
fn key_of(record: &Record, kind: &Kind) -> Option<String> {
    let key = kind.keys.iter().find_map(|key| {
        let (_, rest) = record.text.split_once(&format!("{key}>"))?;
        Some(rest.split('<').next()?.trim())
    });
    key.filter(|key| !key.is_empty() && key.len() <= 255).map(str::to_owned)
}

fn issue(error: ReadError, kind: &Kind) -> Issue {
    let mut text = error.message;
    if !error.expected.is_empty() {
        text.push_str(&format!("; expected {}", error.expected.join(" or ")));
    }
    Issue { field: error.field, value: error.value, ..Issue::error(error.kind.code(), text) }
        .suggest(format!("correct the record; {} says what it may hold", kind.schema_file()))
}

fn broken(error: ReadError, kind: &Kind) -> Broken {
    let (line, column) = (Some(error.line.into()), Some(error.column.into()));
    let issue = issue(error, kind).suggest("correct the file from this place on and send it again");
    Broken { issue, line, column }
}
