//! The first records of a file as a run would read them, for somebody who writes a mapping profile or a filter, or is about to import.

use super::filter::{self, Filter};
use super::formats::{Broken, Origin, Source};
use super::kinds::Kind;
use crate::domain::{Issue, Rules};
use crate::store::Store;
use serde_json::Value;

/// One record of a file.
#[derive(Debug)]
pub struct Previewed {
    pub line: Option<i64>,
    pub key: Option<String>,
    /// The record as REST shows it, or what is against it.
    pub record: Result<Value, Vec<Issue>>,
    /// Categories that would be made for it.
    pub categories: Vec<String>,
    /// A filter passes over it.
    pub is_skipped: bool,
    /// What a filter warns of.
    pub warnings: Vec<Issue>,
}

/// Reads the first records; a filter sees them as it would in a run.
///
/// # Errors
/// If the file cannot be read at all, or not so far.
pub fn preview(
    origin: &Origin<'_>,
    kind: &'static Kind,
    rules: &Rules,
    limit: usize,
    filter: Option<(Filter, &Store)>,
) -> Result<Vec<Previewed>, Broken> {
    let mut source = Source::open(origin, kind, rules)?;
    let (mut batch, mut items) = (kind.begin(), Vec::new());
    while items.len() < limit {
        let Some(item) = source.next_item(Some(&mut *batch))? else { break };
        items.push(item);
    }
    if let Some((script, store)) = filter {
        (batch, items) = filter::on_some(script, kind, store, batch, items);
    }
    let mut place = 0;
    let previewed = items.into_iter().map(|item| {
        let is_there = item.is_in_batch();
        let found = if is_there { batch.at(place) } else { None };
        place += usize::from(is_there);
        Previewed {
            line: item.line,
            key: item.key,
            record: item.change.map(|()| found.unwrap_or_default()),
            categories: item.along.categories.into_iter().map(|category| category.id).collect(),
            is_skipped: item.is_skipped,
            warnings: item.warnings,
        }
    });
    Ok(previewed.collect())
}
