//! What dry runs would change, record by record.

use crate::store::bulk::{Column, Rows, Table};
use crate::store::schema::{run_change_fields, run_changes};
use crate::store::{Db, StoreError, page};
use diesel::prelude::*;

/// What a run would do to one member of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// As a column of CSV is called.
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What a run would do to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place among the changes, from 1.
    pub number: i64,
    /// Which record of the source it was, from 1.
    pub record: i64,
    pub key: String,
    /// `created` or `updated`.
    pub outcome: String,
    pub fields: Vec<FieldChange>,
}

const CHANGES: Table = Table {
    name: "run_changes",
    columns: &[
        Column::Integer("run_id"),
        Column::Integer("number"),
        Column::Integer("record"),
        Column::Text("record_key"),
        Column::Text("outcome"),
    ],
    key: &[],
};

const FIELDS: Table = Table {
    name: "run_change_fields",
    columns: &[
        Column::Integer("run_id"),
        Column::Integer("number"),
        Column::Integer("place"),
        Column::Text("field"),
        Column::Text("before"),
        Column::Text("after"),
    ],
    key: &[],
};

/// Keeps changes of a run.
///
/// # Errors
/// Those of the database.
pub fn put_changes(connection: &mut Db, run: i64, changes: &[Change]) -> Result<(), StoreError> {
    let (mut rows, mut fields) = (Rows::default(), Rows::default());
    for change in changes {
        rows.integer(run).integer(change.number).integer(change.record).text(&change.key).text(&change.outcome);
        for (field, place) in change.fields.iter().zip(1..) {
            fields
                .integer(run)
                .integer(change.number)
                .integer(place)
                .text(&field.field)
                .text_option(field.before.as_deref())
                .text_option(field.after.as_deref());
        }
    }
    CHANGES.put(connection, &rows)?;
    FIELDS.put(connection, &fields)
}

/// How many changes of a run are kept.
///
/// # Errors
/// Those of the database.
pub fn last_change(connection: &mut Db, run: i64) -> Result<i64, StoreError> {
    let last = run_changes::table.filter(run_changes::run_id.eq(run)).select(diesel::dsl::max(run_changes::number));
    Ok(last.first::<Option<i64>>(connection)?.unwrap_or(0))
}

/// A page of changes, after a number; whether there are more.
///
/// # Errors
/// Those of the database.
pub fn changes(connection: &mut Db, run: i64, after: i64, limit: i64) -> Result<(Vec<Change>, bool), StoreError> {
    let mut rows: Vec<(i64, i64, String, String)> = run_changes::table
        .filter(run_changes::run_id.eq(run))
        .filter(run_changes::number.gt(after))
        .order(run_changes::number)
        .limit(limit + 1)
        .select((run_changes::number, run_changes::record, run_changes::record_key, run_changes::outcome))
        .load(connection)?;
    let more = page::cut(&mut rows, limit);
    let last = rows.last().map_or(after, |(number, ..)| *number);
    let fields: Vec<(i64, String, Option<String>, Option<String>)> = run_change_fields::table
        .filter(run_change_fields::run_id.eq(run))
        .filter(run_change_fields::number.gt(after))
        .filter(run_change_fields::number.le(last))
        .order((run_change_fields::number, run_change_fields::place))
        .select((
            run_change_fields::number,
            run_change_fields::field,
            run_change_fields::before,
            run_change_fields::after,
        ))
        .load(connection)?;
    let mut fields = fields.into_iter().peekable();
    let change = |(number, record, key, outcome): (i64, i64, String, String)| {
        let mut own = Vec::new();
        while let Some((_, field, before, after)) = fields.next_if(|field| field.0 == number) {
            own.push(FieldChange { field, before, after });
        }
        Change { number, record, key, outcome, fields: own }
    };
    Ok((rows.into_iter().map(change).collect(), more))
}
