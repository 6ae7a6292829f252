//! What hangs on records of a table: lists that are replaced as a whole.

use super::bulk::{Rows, Table, id_list};
use super::copied::Straight;
use super::{Db, StoreError};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Rows to put in, and the owners whose old rows go first.
pub(super) struct Children<'a> {
    table: Table,
    /// The column of the owner's id: the first of the table.
    owner: &'static str,
    rows: Rows<'a>,
    replaced: Vec<i64>,
    fresh: Option<Fresh<'a>>,
}

/// What is known of owners that seemed new: those that this transaction made itself, so that nothing can hang on them yet.
struct Fresh<'a> {
    owners: &'a HashSet<i64>,
    straight: Straight,
}

impl<'a> Children<'a> {
    pub fn of(table: Table, owner: &'static str) -> Self {
        Self { table, owner, rows: Rows::default(), replaced: Vec::new(), fresh: None }
    }

    /// The same, where it is known which owners are new for certain; others that seemed so have what somebody else gave them.
    pub fn of_fresh(table: Table, owner: &'static str, owners: &'a HashSet<i64>, straight: Straight) -> Self {
        let fresh = Some(Fresh { owners, straight });
        Self { fresh, ..Self::of(table, owner) }
    }

    /// Puts in one owner's list, if it is new or another than before.
    pub fn put<T: PartialEq>(
        &mut self,
        id: i64,
        now: &'a [T],
        before: Option<&[T]>,
        mut row: impl FnMut(&mut Rows<'a>, i64, &'a T),
    ) {
        if before == Some(now) {
            return;
        }
        let has_some = match before {
            Some(before) => !before.is_empty(),
            // Another transaction was faster; the last one counts.
            None => self.fresh.as_ref().is_some_and(|fresh| !fresh.owners.contains(&id)),
        };
        if has_some {
            self.replaced.push(id);
        }
        for (position, value) in (0..).zip(now) {
            self.rows.integer(id);
            row(&mut self.rows, position, value);
        }
    }

    pub fn write(self, connection: &mut Db) -> Result<(), StoreError> {
        if !self.replaced.is_empty() {
            let list = id_list(&self.replaced);
            let sql = format!("DELETE FROM {} WHERE {} IN ({list})", self.table.name, self.owner);
            diesel::sql_query(sql).execute(connection)?;
        }
        match self.fresh {
            Some(fresh) => self.table.put_new(connection, fresh.straight, &self.rows),
            None => self.table.put(connection, &self.rows),
        }
    }
}

/// Values by the id of their owner, in their order.
pub(super) fn by_owner<T>(values: impl IntoIterator<Item = (i64, T)>) -> HashMap<i64, Vec<T>> {
    let mut found: HashMap<i64, Vec<T>> = HashMap::new();
    for (id, value) in values {
        found.entry(id).or_default().push(value);
    }
    found
}
