//! When schedules were due, and which runs that made.

use super::schema::schedule_times;
use super::{Db, StoreError};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};

/// When a schedule was due last.
///
/// # Errors
/// Those of the database.
pub fn last(connection: &mut Db, name: &str) -> Result<Option<NaiveDateTime>, StoreError> {
    let last =
        schedule_times::table.filter(schedule_times::name.eq(name)).select(diesel::dsl::max(schedule_times::due_at));
    Ok(last.first::<Option<NaiveDateTime>>(connection)?)
}

/// When a schedule began a run last, and which.
///
/// # Errors
/// Those of the database.
pub fn last_run(connection: &mut Db, name: &str) -> Result<Option<(NaiveDateTime, i64)>, StoreError> {
    let last: Option<(NaiveDateTime, Option<i64>)> = schedule_times::table
        .filter(schedule_times::name.eq(name))
        .filter(schedule_times::run_id.is_not_null())
        .order(schedule_times::due_at.desc())
        .select((schedule_times::due_at, schedule_times::run_id))
        .first(connection)
        .optional()?;
    Ok(last.and_then(|(due, run)| Some((due, run?))))
}

/// Notes that a schedule was due, with its run. Gives false if another node has noted it.
///
/// # Errors
/// Those of the database.
pub fn note(
    connection: &mut Db,
    name: &str,
    due: NaiveDateTime,
    run: Option<i64>,
    delivered: bool,
) -> Result<bool, StoreError> {
    let values = (
        schedule_times::name.eq(name),
        schedule_times::due_at.eq(due),
        schedule_times::run_id.eq(run),
        schedule_times::delivered.eq(delivered),
    );
    match diesel::insert_into(schedule_times::table).values(values).execute(connection) {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Notes which run a time made.
///
/// # Errors
/// Those of the database.
pub fn begun(connection: &mut Db, name: &str, due: NaiveDateTime, run: i64) -> Result<(), StoreError> {
    diesel::update(schedule_times::table.find((name, due))).set(schedule_times::run_id.eq(run)).execute(connection)?;
    Ok(())
}

/// Runs of a schedule whose files do not lie where they should yet.
///
/// # Errors
/// Those of the database.
pub fn undelivered(connection: &mut Db, name: &str) -> Result<Vec<(NaiveDateTime, i64)>, StoreError> {
    let found: Vec<(NaiveDateTime, Option<i64>)> = schedule_times::table
        .filter(schedule_times::name.eq(name))
        .filter(schedule_times::delivered.eq(false))
        .filter(schedule_times::run_id.is_not_null())
        .select((schedule_times::due_at, schedule_times::run_id))
        .load(connection)?;
    Ok(found.into_iter().filter_map(|(due, run)| Some((due, run?))).collect())
}

/// Notes that a file lies where it should.
///
/// # Errors
/// Those of the database.
pub fn delivered(connection: &mut Db, name: &str, due: NaiveDateTime) -> Result<(), StoreError> {
    diesel::update(schedule_times::table.find((name, due)))
        .set(schedule_times::delivered.eq(true))
        .execute(connection)?;
    Ok(())
}
