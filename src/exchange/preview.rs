//! The first records of a file as a run would read them, for somebody who writes a mapping profile.

use super::formats::{Broken, Origin, Source};
use super::kinds::Kind;
use crate::domain::{Issue, Rules};
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
}

/// Reads the first records.
///
/// # Errors
/// If the file cannot be read at all, or not so far.
pub fn preview(
    origin: &Origin<'_>,
    kind: &'static Kind,
    rules: &Rules,
    limit: usize,
) -> Result<Vec<Previewed>, Broken> {
    let mut source = Source::open(origin, kind, rules)?;
    let mut previewed = Vec::new();
    while previewed.len() < limit {
        let mut batch = kind.begin();
        let Some(item) = source.next_item(Some(&mut *batch))? else { break };
        let record = item.change.map(|()| batch.last().unwrap_or_default());
        let categories = item.along.categories.into_iter().map(|category| category.id).collect();
        previewed.push(Previewed { line: item.line, key: item.key, record, categories });
    }
    Ok(previewed)
}
