//! What happened since a time, all runs together.

use super::super::schema::{run_progress, runs};
use super::super::{Db, StoreError};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

/// A run in short.
#[derive(Clone, Debug, Queryable)]
pub struct Lately {
    pub state: String,
    pub finished_at: Option<NaiveDateTime>,
    pub read: i64,
    pub refused: i64,
}

/// The runs that were accepted since, or have ended since.
///
/// # Errors
/// Those of the database.
pub fn lately(db: &mut Db, since: NaiveDateTime) -> Result<Vec<Lately>, StoreError> {
    let found = runs::table
        .inner_join(run_progress::table)
        .filter(runs::created_at.ge(since).or(runs::finished_at.ge(since)))
        .select((runs::state, runs::finished_at, run_progress::read_count, run_progress::failed_count));
    Ok(found.load(db)?)
}

/// A code that runs complained by.
#[derive(Clone, Debug, QueryableByName)]
pub struct Complaint {
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// The last run that did.
    #[diesel(sql_type = BigInt)]
    pub run: i64,
}

/// Why records were refused in runs accepted since, the most frequent first.
///
/// # Errors
/// Those of the database.
pub fn complaints(db: &mut Db, since: NaiveDateTime, most: i64) -> Result<Vec<Complaint>, StoreError> {
    let sql = "SELECT c.code AS code, CAST(SUM(c.count) AS BIGINT) AS count, MAX(c.run_id) AS run FROM run_message_counts c \
               JOIN runs r ON r.id = c.run_id WHERE c.severity = 'error' AND r.created_at >= $1 GROUP BY c.code \
               ORDER BY 2 DESC, 1 LIMIT $2";
    Ok(diesel::sql_query(sql).bind::<Timestamp, _>(since).bind::<BigInt, _>(most).load(db)?)
}
