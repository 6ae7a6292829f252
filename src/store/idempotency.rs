//! Answers of requests that may be sent again, kept for a day.

use super::schema::idempotency_keys;
use super::{Db, StoreError};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

/// How long an answer is kept.
const RETENTION: TimeDelta = TimeDelta::days(1);

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was not used.
    Unused,
    /// A request with it is in progress in another process.
    InProgress,
    /// It was used by a request with another content.
    Reused,
    /// The answer.
    Answered(Vec<u8>),
}

#[derive(diesel::QueryableByName)]
struct Lock {
    #[diesel(sql_type = Bool)]
    is_held: bool,
}

/// Looks a key up.
///
/// # Errors
/// Returns a StoreError if the statement fails.
pub fn find(db: &mut Db, key: &str, fingerprint: &str, now: NaiveDateTime) -> Result<Known, StoreError> {
    let row: Option<(String, Vec<u8>)> = idempotency_keys::table
        .find(key)
        .filter(idempotency_keys::answered_at.ge(now - RETENTION))
        .select((idempotency_keys::fingerprint, idempotency_keys::answer))
        .first(db)
        .optional()?;
    Ok(match row {
        None => Known::Unused,
        Some((known, answer)) if known == fingerprint => Known::Answered(answer),
        Some(_) => Known::Reused,
    })
}

/// Looks a key up and holds it until the transaction ends, without waiting for another that holds it. On SQLite a transaction that
/// writes holds all of the database.
///
/// # Errors
/// Returns a StoreError if a statement fails.
pub fn claim(db: &mut Db, key: &str, fingerprint: &str, now: NaiveDateTime) -> Result<Known, StoreError> {
    if let Db::Postgres(postgres) = db {
        let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_held";
        let name = format!("idempotency_keys {key}");
        let lock: Lock = diesel::sql_query(sql).bind::<Text, _>(name).get_result(postgres)?;
        if !lock.is_held {
            return Ok(Known::InProgress);
        }
    }
    find(db, key, fingerprint, now)
}

/// Keeps the answer of a request whose key was claimed in the same transaction.
///
/// # Errors
/// Returns a StoreError if a statement fails.
pub fn keep(db: &mut Db, key: &str, fingerprint: &str, answer: &[u8], now: NaiveDateTime) -> Result<(), StoreError> {
    let is_expired = idempotency_keys::answered_at.lt(now - RETENTION);
    diesel::delete(idempotency_keys::table.find(key).filter(is_expired)).execute(db)?;
    let row = (
        idempotency_keys::key.eq(key),
        idempotency_keys::fingerprint.eq(fingerprint),
        idempotency_keys::answered_at.eq(now),
        idempotency_keys::answer.eq(answer),
    );
    diesel::insert_into(idempotency_keys::table).values(row).execute(db)?;
    Ok(())
}

/// Deletes at most `limit` answers that were kept long enough; returns their number.
///
/// # Errors
/// Returns a StoreError if a statement fails.
pub fn prune(db: &mut Db, now: NaiveDateTime, limit: i64) -> Result<usize, StoreError> {
    let expired: Vec<String> = idempotency_keys::table
        .filter(idempotency_keys::answered_at.lt(now - RETENTION))
        .select(idempotency_keys::key)
        .limit(limit)
        .load(db)?;
    let is_expired = idempotency_keys::answered_at.lt(now - RETENTION);
    let chosen = idempotency_keys::table.filter(idempotency_keys::key.eq_any(expired)).filter(is_expired);
    Ok(diesel::delete(chosen).execute(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use chrono::Utc;

    #[test]
    fn an_answer_is_kept_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.sqlite").to_string_lossy(), 1).unwrap();
        store.migrate().unwrap();
        let mut db = store.connection().unwrap();
        let now = Utc::now().naive_utc();
        let later = now + RETENTION + TimeDelta::seconds(1);
        keep(&mut db, "k", "f", b"a", now).unwrap();
        assert_eq!(find(&mut db, "k", "f", now).unwrap(), Known::Answered(b"a".to_vec()));
        assert_eq!(find(&mut db, "k", "g", now).unwrap(), Known::Reused);
        assert_eq!(claim(&mut db, "k", "f", later).unwrap(), Known::Unused);
        keep(&mut db, "k", "g", b"b", later).unwrap();
        assert_eq!(find(&mut db, "k", "g", later).unwrap(), Known::Answered(b"b".to_vec()));
        // A key that is used is not overwritten.
        assert!(keep(&mut db, "k", "g", b"c", later).is_err());
        keep(&mut db, "old", "f", b"a", now).unwrap();
        assert_eq!(prune(&mut db, now, 10).unwrap(), 0);
        assert_eq!(prune(&mut db, later, 10).unwrap(), 1);
        assert_eq!(find(&mut db, "k", "g", later).unwrap(), Known::Answered(b"b".to_vec()));
    }
}
