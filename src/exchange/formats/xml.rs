//! Native XML: the children of the root are records, read by the generated reader.

use super::encoding::Utf8File;
use super::{Broken, Item};
use crate::domain::Issue;
use crate::exchange::kinds::{Batch, Kind};
use soapstone_runtime::ReadError;
use soapstone_runtime::records::{Record, Records};
use std::fs::File;
use std::io::BufReader;

pub struct XmlFile {
    records: Records<BufReader<File>>,
    kind: &'static Kind,
}

impl XmlFile {
    pub(super) fn open(text: &Utf8File, kind: &'static Kind) -> Result<Self, Box<Issue>> {
        let file = text.open().map_err(|e| super::unreadable(&e))?;
        Ok(Self { records: Records::new(BufReader::with_capacity(256 << 10, file)), kind })
    }

    /// The next record, read into the batch; without one, nobody will look at it.
    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        let record = match self.records.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(None),
            Err(error) => return Err(broken(*error, self.kind)),
        };
        let end = self.records.position();
        let raw = end.saturating_sub(record.text.len() as u64)..end;
        let mut item = Item::at(i64::try_from(record.number).unwrap_or(i64::MAX), raw);
        (item.line, item.column) = (Some(record.line.into()), Some(record.column.into()));
        let Some(batch) = batch else { return Ok(Some(item)) };
        if let Err(error) = batch.read_xml(self.records.scope(), &record, self.kind.element) {
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
