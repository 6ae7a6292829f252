//! What a dry run would change: each record beside what is there, member by member. Of a run the first are kept.

use super::formats::Shape;
use super::kinds::{Kind, Spelling};
use crate::domain::compared;
use crate::records::Wanted;
use crate::store::batch::{Outcome, Recorded};
use crate::store::runs::{Change, FieldChange};
use crate::store::{Db, StoreError};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// How many records of a run are kept.
const KEPT: usize = 1000;

/// Members that change with every change.
const OWN: [&str; 2] = ["version", "changedAt"];

/// Records by their keys.
type ByKey = HashMap<String, Value>;

/// The changes of a run.
pub(super) struct Changes {
    kind: &'static Kind,
    shape: Shape,
    number: usize,
}

/// A record that would change: which one of the source it is, its key, and what would become of it.
pub(super) struct Changing {
    record: i64,
    key: String,
    outcome: Outcome,
}

impl Changes {
    /// Goes on after so many; None: records of that kind cannot be compared.
    pub fn after(number: i64, kind: &'static Kind) -> Option<Self> {
        // What can be full is listed by its keys.
        kind.pages.and(kind.place)?;
        Some(Self { kind, shape: Shape::of(kind), number: usize::try_from(number).unwrap_or(KEPT) })
    }

    /// Which of the records that were taken, each with its number in the source, are to be kept.
    pub fn wanted(&self, taken: &[(i64, &str, &Recorded)]) -> Vec<Changing> {
        let changes = taken.iter().filter(|(_, _, r)| matches!(r.outcome, Outcome::Created | Outcome::Updated));
        let changing = |&(record, key, recorded): &(i64, &str, &Recorded)| Changing {
            record,
            key: key.to_owned(),
            outcome: recorded.outcome,
        };
        changes.take(KEPT.saturating_sub(self.number)).map(changing).collect()
    }

    /// The records as they are now.
    ///
    /// # Errors
    /// Those of the database.
    pub fn now(&self, db: &mut Db, changing: &[Changing]) -> Result<ByKey, StoreError> {
        let keys: Vec<String> = changing.iter().map(|change| change.key.clone()).collect();
        let Some(pages) = self.kind.pages.filter(|_| !keys.is_empty()) else { return Ok(ByKey::new()) };
        let limit = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let (records, _) = pages(db, self.kind, &Wanted { keys, limit, ..Wanted::default() }, Spelling::Json)?;
        let keyed = |record: String| {
            let record: Value = serde_json::from_str(&record).ok()?;
            let key = self.kind.keys.iter().find_map(|key| record[*key].as_str())?;
            Some((compared(key), record))
        };
        Ok(records.into_iter().filter_map(keyed).collect())
    }

    /// The changes from what is to what would be.
    pub fn between(&mut self, changing: Vec<Changing>, before: &ByKey, after: &ByKey) -> Vec<Change> {
        let change = |changing: Changing| {
            let key = compared(&changing.key);
            let (before, after) = (before.get(&key), after.get(&key));
            self.number += 1;
            Change {
                number: i64::try_from(self.number).unwrap_or(i64::MAX),
                record: changing.record,
                key: changing.key,
                outcome: if changing.outcome == Outcome::Created { "created" } else { "updated" }.to_owned(),
                fields: differences(&self.cells(before), &self.cells(after)),
            }
        };
        changing.into_iter().map(change).collect()
    }

    /// A record as the cells of a table; several of one column in their order.
    fn cells(&self, record: Option<&Value>) -> BTreeMap<String, String> {
        let mut cells: BTreeMap<String, String> = BTreeMap::new();
        let Some(record) = record else { return cells };
        self.shape.flatten(record, "", &mut |column, cell| {
            if OWN.contains(&column.as_str()) {
                return;
            }
            let there = cells.entry(column).or_default();
            if !there.is_empty() {
                there.push('|');
            }
            there.push_str(&cell);
        });
        cells
    }
}

fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<FieldChange> {
    let mut columns: Vec<&String> = before.keys().chain(after.keys()).collect();
    columns.sort_unstable();
    columns.dedup();
    let change = |column: &String| {
        let (before, after) = (before.get(column), after.get(column));
        (before != after).then(|| FieldChange { field: column.clone(), before: before.cloned(), after: after.cloned() })
    };
    columns.into_iter().filter_map(change).collect()
}
