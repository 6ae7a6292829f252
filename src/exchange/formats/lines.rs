//! JSON lines: one record a line, as REST takes it. A line that is wrong does not take its neighbours along.

use super::encoding::Utf8File;
use super::{Broken, Item};
use crate::domain::Issue;
use crate::exchange::kinds::{Batch, Kind};
use soapstone_runtime::ReadError;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// How large one record may be.
const MAX_RECORD: u64 = 64 << 20;

pub struct LinesFile {
    reader: BufReader<File>,
    kind: &'static Kind,
    line: i64,
    number: i64,
    position: u64,
}

impl LinesFile {
    pub(super) fn open(text: &Utf8File, kind: &'static Kind) -> Result<Self, Box<Issue>> {
        let file = text.open().map_err(|e| super::unreadable(&e))?;
        Ok(Self { reader: BufReader::with_capacity(256 << 10, file), kind, line: 0, number: 0, position: 0 })
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        let mut text = Vec::new();
        loop {
            text.clear();
            let start = self.position;
            let length = self.reader.by_ref().take(MAX_RECORD).read_until(b'\n', &mut text);
            let length = length.map_err(|e| Broken::from(super::unreadable(&e)))? as u64;
            if length == 0 {
                return Ok(None);
            }
            self.position += length;
            self.line += 1;
            let is_long = length == MAX_RECORD && !text.ends_with(b"\n");
            if is_long {
                self.position += pass_over_line(&mut self.reader).map_err(|e| Broken::from(super::unreadable(&e)))?;
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            self.number += 1;
            // What is too long is copied nowhere: it would not fit into memory.
            let mut item = Item::at(self.number, start..if is_long { start } else { self.position });
            item.line = Some(self.line);
            if let Some(batch) = batch {
                item.change = if is_long {
                    Err(vec![too_long()])
                } else {
                    self.read(&text, batch, &mut item.key, &mut item.column)
                };
            }
            return Ok(Some(item));
        }
    }

    fn read(
        &self,
        text: &[u8],
        batch: &mut dyn Batch,
        key: &mut Option<String>,
        column: &mut Option<i64>,
    ) -> Result<(), Vec<Issue>> {
        let members = soapstone_runtime::json::parse(text).map_err(|error| {
            *column = Some(error.column.into()).filter(|column| *column > 0);
            vec![issue(*error)]
        })?;
        *key = self.kind.keys.iter().find_map(|key| match &members[key] {
            serde_json::Value::String(key) => Some(key.chars().take(255).collect()),
            serde_json::Value::Number(key) => Some(key.to_string()),
            _ => None,
        });
        batch.read_json(members, None).map_err(|error| vec![issue(*error)])
    }
}

/// Reads to the end of the line.
fn pass_over_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut passed = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(passed);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(length);
        passed += length as u64;
        if end.is_some() {
            return Ok(passed);
        }
    }
}

fn too_long() -> Issue {
    Issue::error("message.limit", "the record is larger than 64 MB").suggest("split the record")
}

pub(super) fn issue(error: ReadError) -> Issue {
    let pointer = error.path.trim_start_matches('/').to_owned();
    let field = if pointer.is_empty() { error.field } else { Some(pointer) };
    let mut text = error.message;
    if !error.expected.is_empty() {
        text.push_str(&format!("; expected {}", error.expected.join(" or ")));
    }
    Issue { field, value: error.value, ..Issue::error(error.kind.code(), text) }
        .suggest("correct the record; /openapi.json says what it may hold")
}
