//! Native XML: the children of the root are records, read by the generated reader. Those that are known are only looked at.

use super::encoding::Utf8File;
use super::known::{Ahead, Known, Looked, Text};
use super::{Broken, Item};
use crate::domain::Issue;
use crate::exchange::kinds::{Batch, Kind};
use soapstone_runtime::ReadError;
use soapstone_runtime::records::{Record, Records};
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;

pub struct XmlFile {
    records: Records<BufReader<File>>,
    kind: &'static Kind,
    ahead: Option<Ahead<Cut>>,
}

/// A record that was cut out of the file.
struct Cut {
    record: Record,
    raw: Range<u64>,
}

impl XmlFile {
    pub(super) fn open(text: &Utf8File, kind: &'static Kind) -> Result<Self, Box<Issue>> {
        let file = text.open().map_err(|e| super::unreadable(&e))?;
        let records = Records::new(BufReader::with_capacity(256 << 10, file));
        Ok(Self { records, kind, ahead: None })
    }

    pub(super) fn with_known(&mut self, known: Known) {
        self.ahead = Some(Ahead::of(known));
    }

    /// The next record, read into the batch; without one, nobody will look at it.
    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        let (records, kind) = (&mut self.records, self.kind);
        let next = match &mut self.ahead {
            Some(ahead) if batch.is_some() => ahead.next(|known| {
                let Some(cut) = cut(records, kind)? else { return Ok(None) };
                let text = text_of(known, records.start_tag(), kind, &cut.record);
                Ok(Some((cut, Some(text))))
            })?,
            _ => cut(records, kind)?.map(Looked::unknown),
        };
        let Some(Looked { cut: Cut { record, raw }, key, digest, is_known }) = next else { return Ok(None) };
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

    pub(super) fn position(&self) -> u64 {
        self.records.position()
    }

    /// What stands around records in a file of its own.
    pub(super) fn around(&self) -> (Vec<u8>, Vec<u8>) {
        let (start, end) = self.records.tags();
        (format!("{start}\n").into_bytes(), format!("{end}\n").into_bytes())
    }
}

/// Cuts the next record out.
fn cut(records: &mut Records<BufReader<File>>, kind: &Kind) -> Result<Option<Cut>, Broken> {
    let record = records.next_record().map_err(|error| broken(*error, kind))?;
    Ok(record.map(|record| {
        let end = records.position();
        let raw = end.saturating_sub(record.text.len() as u64)..end;
        Cut { record, raw }
    }))
}

/// What a record says of itself; the tag of its root declares namespaces.
fn text_of(known: &Known, root: &str, kind: &Kind, record: &Record) -> Text {
    let key = kind.keys.first().and_then(|key| record.first_member(key));
    Text { key, digest: known.digest([root.as_bytes(), record.text.as_bytes()]), length: record.text.len() }
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
