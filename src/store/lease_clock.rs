//! The clock of leases: a step of the wall clock neither ends a lease early nor extends it.
//!
//! On PostgreSQL it is the database's own clock, which all nodes share. On SQLite, whose processes share a machine, it is the time since
//! the machine was started, on top of the wall clock as it was when it was asked first after that.

use super::{Db, StoreError};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

#[derive(QueryableByName)]
struct Start {
    #[diesel(sql_type = BigInt)]
    started_at: i64,
}

/// Milliseconds since the machine was started, and a name for that start; None where the system does not tell.
fn since_start() -> Option<(String, i64)> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, rest) = uptime.split_whitespace().next()?.split_once('.')?;
    let hundredths: i64 = rest.get(..2)?.parse().ok()?;
    Some((boot.trim().to_owned(), seconds.parse::<i64>().ok()?.checked_mul(1000)? + hundredths * 10))
}

/// The time by which leases are counted, in the write transaction that is open.
///
/// # Errors
/// Returns a [`StoreError`] if a statement fails.
pub fn now(connection: &mut Db) -> Result<NaiveDateTime, StoreError> {
    let Db::Sqlite(sqlite) = connection else { return super::runs::now(connection) };
    let wall = Utc::now();
    let Some((boot, uptime)) = since_start() else { return Ok(wall.naive_utc()) };
    let find = "SELECT started_at FROM lease_clock WHERE boot = $1";
    let found: Option<Start> = diesel::sql_query(find).bind::<Text, _>(&boot).get_result(sqlite).optional()?;
    let started_at = match found {
        Some(start) => start.started_at,
        None => {
            let started_at = wall.timestamp_millis() - uptime;
            diesel::sql_query("DELETE FROM lease_clock").execute(sqlite)?;
            let insert = diesel::sql_query("INSERT INTO lease_clock (boot, started_at) VALUES ($1, $2)");
            insert.bind::<Text, _>(&boot).bind::<BigInt, _>(started_at).execute(sqlite)?;
            started_at
        }
    };
    Ok(DateTime::from_timestamp_millis(started_at + uptime).unwrap_or(wall).naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn it_goes_on_from_where_it_was_first_asked() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("clock.sqlite").to_string_lossy(), 1).unwrap();
        store.migrate().unwrap();
        let mut db = store.connection().unwrap();
        let first = db.write(now).unwrap();
        assert!((first - Utc::now().naive_utc()).num_seconds().abs() < 5);
        // As if the wall clock had been a day behind when the machine was started.
        db.write(|db| Ok(diesel::sql_query("UPDATE lease_clock SET started_at = started_at - 86400000").execute(db)?))
            .unwrap();
        let later = db.write(now).unwrap();
        assert_eq!((later + chrono::TimeDelta::days(1) - first).num_minutes(), 0);
    }
}
