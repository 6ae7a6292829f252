//! openTRANS 2.1: ORDER as orders; ORDERRESPONSE, DISPATCHNOTIFICATION and INVOICE as documents of orders, one for each order that
//! they name; DISPATCHNOTIFICATION as shipments too. `docs/mapping.md` says where each element goes.

mod document;
mod order;
mod party;

pub(in crate::exchange) use order::CHARGE;

use super::encoding::Utf8File;
use super::packed::{self, Packing, Unpacked};
use super::tree::{Found, Node, Trees};
use super::{Along, Broken, Item, unreadable};
use crate::domain::Issue;
use crate::exchange::kinds::{Batch, Kind};
use serde_json::Value;
use soapstone_contracts::exchange::RunKind;
use soapstone_contracts::orders::Shipment;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

/// Business documents that are read.
const DOCUMENTS: [&str; 5] = ["ORDER", "ORDERCHANGE", "ORDERRESPONSE", "DISPATCHNOTIFICATION", "INVOICE"];

/// What a document is read as.
pub(super) struct Record {
    key: Option<String>,
    change: Result<Value, Vec<Issue>>,
    shipments: Vec<Shipment>,
}

impl Record {
    fn refused(key: Option<String>, issue: Issue) -> Self {
        Self { key, change: Err(vec![issue]), shipments: Vec::new() }
    }
}

pub struct OpenTransFile {
    texts: VecDeque<Arc<Utf8File>>,
    open: Option<Trees>,
    of: RunKind,
    number: i64,
    /// Records of the document that was read last, and where it stands.
    waiting: VecDeque<Record>,
    found: Option<Found>,
    /// Bytes of the files that are done.
    done: u64,
}

/// The files of a source: itself, or those that are in it.
pub(super) fn files(path: &Path) -> Result<Vec<Unpacked>, Box<Issue>> {
    let head = packed::head(path).map_err(|e| unreadable(&e))?;
    if Packing::of(&head) == Packing::Zip { Unpacked::all(path) } else { Ok(vec![Unpacked::of(path)?]) }
}

impl OpenTransFile {
    pub(super) fn open(texts: Vec<Arc<Utf8File>>, kind: &'static Kind) -> Result<Self, Broken> {
        if !matches!(kind.of, RunKind::Orders | RunKind::Documents | RunKind::DeliveryStatus) {
            let text = format!("openTRANS has orders and their documents, and no {}", kind.of);
            let issue = Issue::error("opentrans.kind", text);
            return Err(Box::new(issue.suggest("import it as orders, documents or deliveryStatus")).into());
        }
        let (open, waiting, found) = (None, VecDeque::new(), None);
        Ok(Self { texts: texts.into(), open, of: kind.of, number: 0, waiting, found, done: 0 })
    }

    pub(super) fn position(&self) -> u64 {
        self.done + self.open.as_ref().map_or(0, Trees::position)
    }

    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        while self.waiting.is_empty() {
            if !self.read_document()? {
                return Ok(None);
            }
        }
        let (Some(record), Some(found)) = (self.waiting.pop_front(), &self.found) else { return Ok(None) };
        self.number += 1;
        let mut item = Item::at(self.number, found.raw.clone());
        (item.line, item.column, item.key) = (Some(found.node.line), Some(found.node.column), record.key);
        let Some(batch) = batch else { return Ok(Some(item)) };
        item.change = record
            .change
            .and_then(|value| batch.read_json(value, None).map_err(|error| vec![super::lines::issue(*error)]));
        item.along = Along { shipments: record.shipments, ..Along::default() };
        Ok(Some(item))
    }

    /// Reads the next document; false: there are no more.
    fn read_document(&mut self) -> Result<bool, Broken> {
        loop {
            let trees = match &mut self.open {
                Some(trees) => trees,
                None => match self.texts.pop_front() {
                    None => return Ok(false),
                    Some(text) => self.open.insert(Trees::open(&text)?),
                },
            };
            if let Some(found) = trees.next(|around, name| around.len() <= 1 && DOCUMENTS.contains(&name))? {
                self.waiting = match &found.wrong {
                    Some(issue) => VecDeque::from([Record::refused(None, issue.clone())]),
                    None => records(&found.node, self.of).into(),
                };
                self.found = Some(found);
                return Ok(true);
            }
            self.done += trees.position();
            self.open = None;
        }
    }
}

/// A document as records of a kind.
fn records(node: &Node, of: RunKind) -> Vec<Record> {
    match (node.name.as_str(), of) {
        ("ORDER", RunKind::Orders) => vec![order::record(node)],
        ("ORDERRESPONSE" | "DISPATCHNOTIFICATION" | "INVOICE", RunKind::Documents) => document::records(node),
        ("DISPATCHNOTIFICATION", RunKind::DeliveryStatus) => document::shipments(node),
        (name, of) => {
            let text = format!("{name} brings no {of}");
            let hint = match name {
                "ORDER" => "import it as orders",
                "ORDERCHANGE" => "orders do not change once they are placed: cancel it, and send another one",
                _ => "import it as documents",
            };
            vec![Record::refused(None, Issue::error("opentrans.kind", text).suggest(hint))]
        }
    }
}

/// A date or time as xs:dateTime.
fn date_time(text: &str) -> String {
    if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00") }
}

/// The number of a line: 00001 is the first.
fn line_number(text: &str) -> Option<i32> {
    text.trim().parse().ok().filter(|number| *number > 0)
}
