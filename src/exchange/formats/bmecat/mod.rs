//! BMEcat 1.2 and 2005: catalogues of articles, with the categories, attributes and prices that they have. `docs/mapping.md` says
//! where each element goes.

mod article;
mod header;
mod prices;

use super::encoding::Utf8File;
use super::tree::{Found, Node, Trees, around};
use super::{Along, Broken, Item};
use crate::domain::{Issue, Rules};
use crate::exchange::kinds::{Batch, Kind};
use article::{Reading, category};
pub(super) use article::{decimal, number};
use header::{Catalogue, groups_of_articles};
use soapstone_contracts::catalog::Category;
use soapstone_contracts::exchange::RunKind;
use std::io;
use std::sync::Arc;

pub struct BmecatFile {
    text: Arc<Utf8File>,
    trees: Trees,
    reading: Reading,
    of: RunKind,
    /// Categories that no record brought along yet.
    categories: Vec<Category>,
    /// How many groups there were, and in how many bytes.
    groups: (usize, u64),
    number: i64,
    /// Where the first record begins, and where the last one that was read ends.
    records: Option<(u64, u64)>,
}

/// How many groups a catalogue may have, and how many bytes of them.
const MAX_GROUPS: usize = 500_000;
const MAX_GROUP_BYTES: u64 = 256 << 20;

/// What records are called.
const ARTICLES: [&str; 2] = ["ARTICLE", "PRODUCT"];
const CATEGORIES: [&str; 2] = ["CLASSIFICATION_GROUP", "CATALOG_STRUCTURE"];

/// Elements that are read as a whole.
fn is_wanted(around: &[String], name: &str) -> bool {
    match name {
        "HEADER" => around.len() == 1,
        "ARTICLE" | "PRODUCT" => around.len() == 2,
        "CLASSIFICATION_GROUP" | "CLASSIFICATION_SYSTEM_NAME" | "CATALOG_STRUCTURE" => true,
        _ => false,
    }
}

impl BmecatFile {
    pub(super) fn open(text: Arc<Utf8File>, kind: &'static Kind, rules: &Rules) -> Result<Self, Broken> {
        if !matches!(kind.of, RunKind::Articles | RunKind::Categories) {
            let text = format!("a BMEcat catalogue holds articles and categories, and no {}", kind.of);
            let issue = Issue::error("bmecat.kind", text)
                .suggest("import it as articles; its categories and prices come along");
            return Err(Box::new(issue).into());
        }
        let catalogue = Catalogue { groups: groups_of_articles(&text)?, ..Catalogue::default() };
        let trees = Trees::open(&text)?;
        let reading = Reading::new(catalogue, rules);
        Ok(Self { text, trees, reading, of: kind.of, categories: Vec::new(), groups: (0, 0), number: 0, records: None })
    }

    pub(super) fn position(&self) -> u64 {
        self.trees.position()
    }

    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        loop {
            let Some(found) = self.trees.next(is_wanted)? else { return Ok(None) };
            match found.node.name.as_str() {
                "HEADER" => self.reading.catalogue.read_header(&found.node),
                "CLASSIFICATION_SYSTEM_NAME" => {
                    self.count_group(&found)?;
                    self.reading.catalogue.own_system(&found.node);
                }
                "CLASSIFICATION_GROUP" | "CATALOG_STRUCTURE" => {
                    self.count_group(&found)?;
                    let Some(category) = category(&found.node, &mut self.reading.catalogue) else { continue };
                    if self.of == RunKind::Categories {
                        return Ok(Some(self.category(&found, category, batch)));
                    }
                    self.categories.push(category);
                }
                _ if self.of == RunKind::Categories => {}
                _ => return Ok(Some(self.article(&found, batch))),
            }
        }
    }

    /// Counts what is remembered until an article brings it along.
    fn count_group(&mut self, found: &Found) -> Result<(), Box<Issue>> {
        self.groups.0 += 1;
        self.groups.1 += found.raw.end - found.raw.start;
        if self.groups.0 <= MAX_GROUPS && self.groups.1 <= MAX_GROUP_BYTES {
            return Ok(());
        }
        let text = format!("the catalogue has more than {MAX_GROUPS} groups, or {MAX_GROUP_BYTES} bytes of them");
        Err(Box::new(Issue::error("message.limit", text).suggest("split the file")))
    }

    fn item(&mut self, found: &Found) -> Item {
        self.number += 1;
        let begin = self.records.map_or(found.raw.start, |(begin, _)| begin);
        self.records = Some((begin, found.raw.end));
        let mut item = Item::at(self.number, found.raw.clone());
        (item.line, item.column) = (Some(found.node.line), Some(found.node.column));
        item
    }

    fn category(&mut self, found: &Found, category: Category, batch: Option<&mut dyn Batch>) -> Item {
        let mut item = self.item(found);
        item.key = Some(category.id.clone());
        if let Some(batch) = batch {
            item.change = match &found.wrong {
                Some(issue) => Err(vec![issue.clone()]),
                None => read(batch, article::value(&category)),
            };
        }
        item
    }

    fn article(&mut self, found: &Found, batch: Option<&mut dyn Batch>) -> Item {
        let mut item = self.item(found);
        let categories = std::mem::take(&mut self.categories);
        let Some(batch) = batch else { return item };
        item.key = sku(&found.node).map(str::to_owned);
        item.along.categories = categories;
        if let Some(issue) = &found.wrong {
            item.change = Err(vec![issue.clone()]);
            return item;
        }
        match item.key.as_deref() {
            None => item.change = Err(vec![no_number(&found.node)]),
            Some(sku) if found.node.attribute("mode") == Some("delete") => item.deletes = Some(sku.to_owned()),
            Some(sku) => match self.reading.article(&found.node, sku) {
                Err(issues) => item.change = Err(issues),
                Ok((value, along)) => {
                    item.change = read(batch, value);
                    item.along = Along { categories: std::mem::take(&mut item.along.categories), ..along };
                }
            },
        }
        item
    }

    /// What stands before the first record and after the last.
    pub(super) fn around(&self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let names = if self.of == RunKind::Categories { CATEGORIES } else { ARTICLES };
        around(&self.text, self.records, &names)
    }
}

/// The number of an article.
fn sku(node: &Node) -> Option<&str> {
    node.text_at("SUPPLIER_AID|SUPPLIER_PID")
}

fn no_number(node: &Node) -> Issue {
    let name = if node.name == "ARTICLE" { "SUPPLIER_AID" } else { "SUPPLIER_PID" };
    Issue::error("bmecat.number", format!("the article has no {name}")).of(name, "").suggest("give it its number")
}

/// Reads a record as REST has it.
fn read(batch: &mut dyn Batch, value: serde_json::Value) -> Result<(), Vec<Issue>> {
    batch.read_json(value, None).map_err(|error| vec![super::lines::issue(*error)])
}
