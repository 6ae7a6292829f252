//! What a catalogue says of itself, and counts for all of its articles.

use super::super::encoding::Utf8File;
use super::super::language;
use super::super::tree::{Node, Trees};
use super::super::{Broken, unreadable};
use crate::domain::Issue;
use std::collections::{HashMap, HashSet};
use std::io::Read;

/// What counts for all articles.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    /// Of texts that name none.
    pub language: Option<String>,
    /// Of prices that name none.
    pub currency: Option<String>,
    /// What stands before the names of files.
    pub files: Option<String>,
    /// Classification systems whose groups are in the file: these are the categories.
    pub systems: HashSet<String>,
    /// The root of the tree of groups (1.2): it stands for the catalogue.
    pub root: Option<String>,
    /// Which groups an article is in, where the file says it after the articles.
    pub groups: HashMap<String, Vec<String>>,
}

impl Catalogue {
    /// Reads the header.
    pub fn read_header(&mut self, header: &Node) {
        let languages = header.all("CATALOG/LANGUAGE");
        let default = languages.iter().find(|node| node.attribute("default") == Some("true")).or(languages.first());
        self.language = default.and_then(|node| node.text()).map(language::tag);
        self.currency = header.text_at("CATALOG/CURRENCY").map(str::to_owned);
        self.files = header.text_at("CATALOG/MIME_ROOT").map(|root| root.trim_end_matches('/').to_owned());
    }

    /// Notes a system of the file's own.
    pub fn own_system(&mut self, name: &Node) {
        self.systems.extend(name.text().map(str::to_owned));
    }

    /// The language of a text.
    pub fn language_of(&self, node: &Node) -> Option<String> {
        node.attribute("lang").map(language::tag).or_else(|| self.language.clone())
    }
}

/// How often articles may be put into groups, and in how many bytes: all of it is remembered.
const MAX_PAIRS: usize = 2_000_000;
const MAX_PAIR_BYTES: usize = 128 << 20;

/// What tells in which groups articles are.
const MAPS: [&str; 2] = ["ARTICLE_TO_CATALOGGROUP_MAP", "PRODUCT_TO_CATALOGGROUP_MAP"];

/// Which groups each article is in. It stands after the articles, so it is looked for before they are read.
pub(super) fn groups_of_articles(text: &Utf8File) -> Result<HashMap<String, Vec<String>>, Broken> {
    let mut groups: HashMap<String, Vec<String>> = HashMap::new();
    if !has_maps(text).map_err(|e| unreadable(&e))? {
        return Ok(groups);
    }
    let mut trees = Trees::open(text)?;
    let (mut pairs, mut bytes) = (0, 0);
    // What is broken is told where the articles are read.
    while let Ok(Some(found)) = trees.next(|_, name| MAPS.contains(&name)) {
        let article = found.node.text_at("ART_ID|PROD_ID");
        if let (Some(article), Some(group)) = (article, found.node.text_at("CATALOG_GROUP_ID")) {
            pairs += 1;
            bytes += article.len() + group.len();
            if pairs > MAX_PAIRS || bytes > MAX_PAIR_BYTES {
                let text = format!("the catalogue puts articles into groups more than {MAX_PAIRS} times");
                return Err(Box::new(Issue::error("message.limit", text).suggest("split the file")).into());
            }
            groups.entry(article.to_owned()).or_default().push(group.to_owned());
        }
    }
    Ok(groups)
}

/// Whether the file has any; most have none, and need not be read twice.
fn has_maps(text: &Utf8File) -> std::io::Result<bool> {
    let finder = "_TO_CATALOGGROUP_MAP".as_bytes();
    let mut file = text.open()?;
    let mut buffer = vec![0; 1 << 20];
    let mut kept = 0;
    loop {
        let length = file.read(&mut buffer[kept..])?;
        if length == 0 {
            return Ok(false);
        }
        let filled = kept + length;
        if memchr::memmem::find(&buffer[..filled], finder).is_some() {
            return Ok(true);
        }
        // It may stand across two pieces.
        kept = filled.min(finder.len() - 1);
        buffer.copy_within(filled - kept..filled, 0);
    }
}
