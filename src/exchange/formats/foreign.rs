//! Foreign XML, mapped by a profile: its elements that hold a record each become rows of a table, whose columns are the paths that
//! the profile names.

use super::encoding::Utf8File;
use super::mapping::Mapping;
use super::select::Select;
use super::tree::{Node, Trees, around};
use super::{Broken, Item};
use crate::domain::Issue;
use crate::exchange::Profile;
use crate::exchange::kinds::{Batch, Kind};
use csv::ByteRecord;
use std::io;
use std::sync::Arc;

/// Between several values of one path, as between those of a cell.
const BETWEEN: &str = "|";

pub struct ForeignFile {
    text: Arc<Utf8File>,
    trees: Trees,
    record: RecordPath,
    paths: Vec<Select>,
    mapping: Mapping,
    number: i64,
    /// Where the first record begins, and where the last one that was read ends.
    records: Option<(u64, u64)>,
}

/// Which elements are records: by their own name and those around.
#[derive(Clone)]
struct RecordPath {
    steps: Vec<String>,
    is_from_root: bool,
}

impl RecordPath {
    fn parse(path: &str) -> Self {
        let is_from_root = path.starts_with('/');
        let local = |step: &str| step.rsplit(':').next().unwrap_or(step).to_owned();
        Self { steps: path.split('/').filter(|step| !step.is_empty()).map(local).collect(), is_from_root }
    }

    fn is(&self, around: &[String], name: &str) -> bool {
        let Some((last, before)) = self.steps.split_last() else { return false };
        last == name && if self.is_from_root { around == before } else { around.ends_with(before) }
    }
}

fn not_a_path(path: &str) -> Box<Issue> {
    let issue = Issue::error("profile.invalid", format!("the profile has \"{path}\", which is no path into a record"));
    Box::new(issue.suggest("write it as Name, @id, Prices/Price[@type='net'] or Texts/Text[2]"))
}

impl ForeignFile {
    pub(super) fn open(
        text: Arc<Utf8File>,
        kind: &'static Kind,
        profile: Profile,
        record: &str,
    ) -> Result<Self, Broken> {
        let names = profile.columns();
        let paths = names.iter().map(|path| Select::parse(path).ok_or_else(|| not_a_path(path)));
        let paths = paths.collect::<Result<Vec<_>, _>>()?;
        let mut mapping = Mapping::new(kind, Some(profile), &names)?;
        let record = RecordPath::parse(record);
        if mapping.wants_survey() {
            let mut trees = Trees::open(&text)?;
            // What is broken is told where the records are read.
            while let Ok(Some(found)) = trees.next(|around, name| record.is(around, name)) {
                mapping.survey(&row(&paths, &found.node))?;
            }
        }
        let trees = Trees::open(&text)?;
        Ok(Self { text, trees, record, paths, mapping, number: 0, records: None })
    }

    pub(super) fn position(&self) -> u64 {
        self.trees.position()
    }

    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        let record = &self.record;
        let Some(found) = self.trees.next(|around, name| record.is(around, name))? else { return Ok(None) };
        self.number += 1;
        let begin = self.records.map_or(found.raw.start, |(begin, _)| begin);
        self.records = Some((begin, found.raw.end));
        let mut item = match (batch, found.wrong) {
            (None, _) => Item::at(self.number, found.raw),
            (Some(_), Some(issue)) => Item { change: Err(vec![issue]), ..Item::at(self.number, found.raw) },
            (Some(batch), None) => {
                let row = row(&self.paths, &found.node);
                self.mapping.item(&row, self.number, found.node.line, found.raw, batch, None)
            }
        };
        (item.line, item.column) = (Some(found.node.line), Some(found.node.column));
        Ok(Some(item))
    }

    /// What stands before the first record and after the last.
    pub(super) fn around(&self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        around(&self.text, self.records, &[self.record.steps.last().map_or("", String::as_str)])
    }
}

/// A record as a row of a table.
fn row(paths: &[Select], node: &Node) -> ByteRecord {
    paths.iter().map(|path| path.values(node).join(BETWEEN)).collect::<Vec<_>>().into()
}
