//! Native XML: the children of the root are records, read by the generated reader.

use super::encoding::Utf8File;
use super::{Broken, Change, Item};
use crate::domain::Issue;
use soapstone_contracts::catalog::{Article, Category};
use soapstone_runtime::records::{Record, Records};
use soapstone_runtime::{Message, ReadError, xml};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

pub(super) struct Cursor {
    records: Records<BufReader<File>>,
}

pub struct XmlFile {
    cursor: Cursor,
    kind: Kind,
    /// Kept so that a converted copy lives as long as its reader.
    _file: Utf8File,
}

#[derive(Clone, Copy)]
enum Kind {
    Articles,
    Categories,
}

impl XmlFile {
    pub(super) fn open(path: &Path, kind: &str) -> Result<Self, Box<Issue>> {
        let mut head = vec![0; 200];
        let declared = File::open(path)
            .and_then(|mut file| std::io::Read::read(&mut file, &mut head))
            .ok()
            .and_then(|length| xml::declared_encoding(&head[..length]));
        let file = Utf8File::of(path, declared.as_deref())?;
        let opened = file.open().map_err(|e| {
            log::error!("{}: {e}", path.display());
            Box::new(Issue::error("source.unreadable", "the source is gone or cannot be read"))
        })?;
        let records = Records::new(BufReader::with_capacity(256 << 10, opened));
        let kind = if kind == "categories" { Kind::Categories } else { Kind::Articles };
        Ok(Self { cursor: Cursor { records }, kind, _file: file })
    }

    pub(super) fn next_item(&mut self, skip: bool) -> Result<Option<Item>, Broken> {
        let records = &mut self.cursor.records;
        let record = match records.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(None),
            Err(error) => return Err(broken(*error)),
        };
        let mut item = Item {
            number: i64::try_from(record.number).unwrap_or(i64::MAX),
            line: Some(record.line.into()),
            column: Some(record.column.into()),
            key: None,
            change: Err(Vec::new()),
            categories: Vec::new(),
            columns: None,
        };
        if skip {
            return Ok(Some(item));
        }
        let change = match self.kind {
            Kind::Articles => Records::<BufReader<File>>::parse(records.scope(), &record, Article::ELEMENT)
                .map(|article| Change::Article(Box::new(article))),
            Kind::Categories => Records::<BufReader<File>>::parse(records.scope(), &record, Category::ELEMENT)
                .map(|category| Change::Category(Box::new(category))),
        };
        item.change = change.map_err(|error| {
            item.line = Some(error.line.into());
            item.column = Some(error.column.into());
            item.key = key_of(&record, self.kind);
            vec![issue(*error)]
        });
        Ok(Some(item))
    }

    pub(super) fn position(&self) -> u64 {
        self.cursor.records.position()
    }
}

/// The key of a record that cannot be read as a whole, for a person to find it by.
fn key_of(record: &Record, kind: Kind) -> Option<String> {
    let name = match kind {
        Kind::Articles => "sku>",
        Kind::Categories => "id>",
    };
    let (_, rest) = record.text.split_once(name)?;
    let key = rest.split('<').next()?.trim();
    (!key.is_empty() && key.len() <= 255).then(|| key.to_owned())
}

fn issue(error: ReadError) -> Issue {
    let mut text = error.message;
    if !error.expected.is_empty() {
        text.push_str(&format!("; expected {}", error.expected.join(" or ")));
    }
    Issue { field: error.field, value: error.value, ..Issue::error(error.kind.code(), text) }
        .suggest("correct the record; xsd/catalog.xsd says what it may hold")
}

fn broken(error: ReadError) -> Broken {
    let (line, column) = (Some(error.line.into()), Some(error.column.into()));
    let issue = issue(error).suggest("correct the file from this place on and send it again");
    Broken { issue, line, column }
}
