//! The timelines of runs.

use crate::store::bulk::{Column, Rows, Table};
use crate::store::schema::run_samples;
use crate::store::{Db, StoreError};
use chrono::NaiveDateTime;
use diesel::prelude::*;

const SAMPLES: Table = Table {
    name: "run_samples",
    columns: &[Column::Integer("run_id"), Column::Time("at"), Column::Integer("records")],
    key: &["run_id", "at"],
};

/// Notes how many records are done, for the timeline.
///
/// # Errors
/// Those of the database.
pub fn sample(connection: &mut Db, run: i64, at: NaiveDateTime, records: i64) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    rows.integer(run).time(at).integer(records);
    SAMPLES.put(connection, &rows)
}

/// How many records were done when.
///
/// # Errors
/// Those of the database.
pub fn samples(connection: &mut Db, run: i64) -> Result<Vec<(NaiveDateTime, i64)>, StoreError> {
    Ok(run_samples::table
        .filter(run_samples::run_id.eq(run))
        .order(run_samples::at)
        .select((run_samples::at, run_samples::records))
        .load(connection)?)
}
