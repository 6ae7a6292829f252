//! Many changes at once, each on its own: one that is refused leaves the others alone.

use crate::domain::{Issue, Severity};
use chrono::NaiveDateTime;
use std::collections::{BTreeMap, HashMap};

/// The code of a change to another version than the one that is there.
pub const VERSION_CONFLICT: &str = "record.version_conflict";

/// A record with what the database adds.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    pub id: i64,
    /// Counts the changes, from 1.
    pub version: i64,
    pub changed_at: NaiveDateTime,
    pub record: T,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Created,
    Updated,
    Unchanged,
    Refused,
}

/// What became of a change, with all that is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub outcome: Outcome,
    /// The record's version afterwards; none where there is no record.
    pub version: Option<i64>,
    pub issues: Vec<Issue>,
}

impl Recorded {
    pub fn refused(issues: Vec<Issue>) -> Self {
        Self { outcome: Outcome::Refused, version: None, issues }
    }
}

/// What became of a record that was to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    Deleted,
    NotFound,
    Refused(Issue),
}

impl From<bool> for Deletion {
    fn from(was_there: bool) -> Self {
        if was_there { Self::Deleted } else { Self::NotFound }
    }
}

/// A record on its way through a batch.
struct Slot<T> {
    before: Option<Stored<T>>,
    /// None: as before.
    now: Option<T>,
    version: i64,
    /// Which record of the batch it was first.
    place: usize,
}

/// A record that a batch changed.
pub(super) struct Changed<'a, T> {
    /// Which record of the batch it was first.
    pub place: usize,
    pub key: &'a String,
    pub before: Option<&'a Stored<T>>,
    pub now: &'a T,
    pub version: i64,
}

/// A batch of changes to records of one kind, on top of what is stored of them.
pub(super) struct Batch<T> {
    stored: HashMap<String, Stored<T>>,
    /// In the order of their keys on all nodes, so that two batches never wait for each other.
    slots: BTreeMap<String, Slot<T>>,
    results: Vec<(String, Recorded)>,
}

impl<T: Clone + PartialEq> Batch<T> {
    pub fn of(stored: HashMap<String, Stored<T>>) -> Self {
        Self { stored, slots: BTreeMap::new(), results: Vec::new() }
    }

    /// A record as the changes so far have it.
    pub fn current(&self, key: &str) -> Option<&T> {
        match self.slots.get(key) {
            Some(slot) => slot.now.as_ref().or(slot.before.as_ref().map(|b| &b.record)),
            None => self.stored.get(key).map(|b| &b.record),
        }
    }

    /// Applies a change by the rules: they make the new record from the old one, and say what they have against it.
    /// `expected` is the version that the record must have; 0: there must be none.
    pub fn apply(
        &mut self,
        key: String,
        expected: Option<i64>,
        rules: impl FnOnce(Option<T>, &mut Vec<Issue>) -> Option<T>,
    ) {
        let stored = &mut self.stored;
        let place = self.results.len();
        let slot = self.slots.entry(key.clone()).or_insert_with(|| {
            let before = stored.remove(&key);
            Slot { version: before.as_ref().map_or(0, |b| b.version), before, now: None, place }
        });
        // The same record may come twice: the second change applies to what the first made.
        let current = slot.now.as_ref().or(slot.before.as_ref().map(|b| &b.record));
        let mut issues = Vec::new();
        let made = match expected.filter(|version| *version != slot.version) {
            Some(expected) => {
                issues.push(conflict(expected, slot.version));
                None
            }
            None => rules(current.cloned(), &mut issues),
        };
        let is_refused = issues.iter().any(|issue| issue.severity == Severity::Error);
        let outcome = match made.filter(|_| !is_refused) {
            None => Outcome::Refused,
            Some(made) => match current {
                Some(same) if *same == made => Outcome::Unchanged,
                current => {
                    let outcome = if current.is_some() { Outcome::Updated } else { Outcome::Created };
                    slot.now = Some(made);
                    slot.version += 1;
                    outcome
                }
            },
        };
        let version = Some(slot.version).filter(|version| *version > 0);
        self.results.push((key, Recorded { outcome, version, issues }));
    }

    /// Takes back what the batch did to a record, as it turned out later that it cannot be.
    pub fn take_back(&mut self, index: usize, issue: Issue) {
        let Some((key, result)) = self.results.get_mut(index) else { return };
        let before = self.slots.get_mut(key).and_then(|slot| {
            slot.now = None;
            slot.version = slot.before.as_ref().map_or(0, |b| b.version);
            slot.before.as_ref().map(|b| b.version)
        });
        *result = Recorded { version: before, ..Recorded::refused(vec![issue]) };
    }

    /// What is to be written, in the order of the keys.
    pub fn changed(&self) -> Vec<Changed<'_, T>> {
        let changed = self.slots.iter().filter_map(|(key, slot)| {
            let (now, before) = (slot.now.as_ref()?, slot.before.as_ref());
            let is_new = before.is_none_or(|b| b.record != *now);
            is_new.then_some(Changed { place: slot.place, key, before, now, version: slot.version })
        });
        changed.collect()
    }

    /// Of what changes were read from, in their order, what records are from now on: of changes that were taken without a
    /// word, and are the only ones of their record.
    pub fn last_of<'a>(&'a self, read_from: &'a [Option<String>]) -> HashMap<&'a str, &'a str> {
        let mut last = HashMap::with_capacity(read_from.len());
        for ((key, result), from) in self.results.iter().zip(read_from) {
            let is_taken = result.outcome != Outcome::Refused && result.issues.is_empty();
            let from = from.as_deref().filter(|_| is_taken);
            last.entry(key.as_str()).and_modify(|other| *other = None).or_insert(from);
        }
        last.into_iter().filter_map(|(key, from)| Some((key, from?))).collect()
    }

    /// The records that stay as they are, of those that something is known of.
    pub fn unchanged<'a>(&self, known: &HashMap<&'a str, &'a str>) -> Vec<(&'a str, &'a str)> {
        let stays = |key: &str| self.slots.get(key).is_some_and(|slot| slot.now.is_none() && slot.before.is_some());
        let mut unchanged: Vec<_> = known.iter().map(|(key, of)| (*key, *of)).filter(|(key, _)| stays(key)).collect();
        // On all nodes in one order.
        unchanged.sort_unstable();
        unchanged
    }

    /// What became of the changes, in their order.
    pub fn into_results(self) -> Vec<Recorded> {
        self.results.into_iter().map(|(_, result)| result).collect()
    }
}

/// A change on its own: the record as it is to be written, none if it stays as it is, and what became of the change.
pub(super) fn single<T: Clone + PartialEq>(
    key: &str,
    stored: Option<Stored<T>>,
    expected: Option<i64>,
    rules: impl FnOnce(Option<T>, &mut Vec<Issue>) -> Option<T>,
) -> (Option<T>, Recorded) {
    let mut batch = Batch::of(stored.map(|stored| (key.to_owned(), stored)).into_iter().collect());
    batch.apply(key.to_owned(), expected, rules);
    let made = batch.changed().pop().map(|changed| changed.now.clone());
    let nothing = Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() };
    (made, batch.into_results().pop().unwrap_or(nothing))
}

/// What is said of a change to another version than the one that is there; 0: there is none.
pub(super) fn conflict(expected: i64, version: i64) -> Issue {
    let is = if version == 0 { "there is none".to_owned() } else { format!("it is at version {version}") };
    let wanted = if expected == 0 { "none".to_owned() } else { format!("version {expected}") };
    Issue::error(VERSION_CONFLICT, format!("{is}, where {wanted} is expected"))
        .of("ifVersion", &expected.to_string())
        .suggest("read it again, and change what is there now")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: &str) -> impl FnOnce(Option<String>, &mut Vec<Issue>) -> Option<String> {
        let value = value.to_owned();
        move |_, _| Some(value)
    }

    fn batch() -> Batch<String> {
        let stored = Stored { id: 7, version: 3, changed_at: NaiveDateTime::default(), record: "old".to_owned() };
        Batch::of(HashMap::from([("a".to_owned(), stored)]))
    }

    fn results(batch: Batch<String>) -> Vec<(Outcome, Option<i64>)> {
        batch.into_results().into_iter().map(|r| (r.outcome, r.version)).collect()
    }

    #[test]
    fn versions_count_each_change() {
        let mut batch = batch();
        batch.apply("a".to_owned(), None, set("old"));
        batch.apply("a".to_owned(), Some(3), set("new"));
        batch.apply("a".to_owned(), Some(4), set("newer"));
        batch.apply("b".to_owned(), Some(0), set("new"));
        assert_eq!(
            batch.changed().iter().map(|c| (c.key.as_str(), c.version)).collect::<Vec<_>>(),
            [("a", 5), ("b", 1)]
        );
        let expected = [(Outcome::Unchanged, 3), (Outcome::Updated, 4), (Outcome::Updated, 5), (Outcome::Created, 1)];
        assert_eq!(results(batch), expected.map(|(outcome, version)| (outcome, Some(version))));
    }

    #[test]
    fn another_version_is_refused() {
        let mut batch = batch();
        batch.apply("a".to_owned(), Some(2), set("new"));
        batch.apply("a".to_owned(), Some(0), set("new"));
        batch.apply("b".to_owned(), Some(1), set("new"));
        assert!(batch.changed().is_empty());
        let refused = |version| (Outcome::Refused, version);
        assert_eq!(results(batch), [refused(Some(3)), refused(Some(3)), refused(None)]);
    }

    #[test]
    fn what_a_record_was_read_from_is_known_of_the_only_change_that_was_taken() {
        let mut batch = batch();
        batch.apply("a".to_owned(), None, set("old"));
        batch.apply("b".to_owned(), None, set("new"));
        batch.apply("twice".to_owned(), None, set("new"));
        batch.apply("twice".to_owned(), None, set("newer"));
        batch.apply("refused".to_owned(), Some(4), set("new"));
        batch.apply("warned".to_owned(), None, |_, issues| {
            issues.push(Issue::warning("a.warning", "of something"));
            Some("new".to_owned())
        });
        let from: Vec<_> = ["1", "2", "3", "4", "5", "6"].map(|text| Some(text.to_owned())).into();
        let known = batch.last_of(&from);
        assert_eq!(known, HashMap::from([("a", "1"), ("b", "2")]));
        assert_eq!(batch.unchanged(&known), [("a", "1")]);
    }

    #[test]
    fn there_and_back_writes_nothing() {
        let mut batch = batch();
        batch.apply("a".to_owned(), None, set("new"));
        batch.apply("a".to_owned(), None, set("old"));
        assert!(batch.changed().is_empty());
    }

    #[test]
    fn what_is_taken_back_is_as_before() {
        let mut batch = batch();
        batch.apply("a".to_owned(), None, set("new"));
        batch.take_back(0, Issue::error("category.cycle", "no"));
        assert!(batch.changed().is_empty());
        assert_eq!(results(batch), [(Outcome::Refused, Some(3))]);
    }
}
