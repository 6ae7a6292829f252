//! Answers to requests that may be sent again, for a day.

use super::schema::idempotency_keys;
use super::{Db, StoreError};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

/// For how long an answer is remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(1);

/// A request that is at work for so long was broken off with its server.
const BROKEN_OFF: TimeDelta = TimeDelta::minutes(10);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub status: i32,
    pub content_type: Option<String>,
    pub etag: Option<String>,
    pub location: Option<String>,
    pub body: Vec<u8>,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is to be done.
    New,
    Done(Kept),
    /// Somebody does it.
    AtWork,
    /// The key belongs to another request.
    Another,
}

type Row = (String, NaiveDateTime, Option<i32>, (Option<String>, Option<String>, Option<String>), Option<Vec<u8>>);

/// Begins a request, or tells what came of it.
///
/// # Errors
/// Those of the database.
pub fn begin(connection: &mut Db, key: &str, fingerprint: &str, now: NaiveDateTime) -> Result<Begun, StoreError> {
    let old = idempotency_keys::begun_at.lt(now - REMEMBERED);
    let broken_off = idempotency_keys::status.is_null().and(idempotency_keys::begun_at.lt(now - BROKEN_OFF));
    diesel::delete(idempotency_keys::table.filter(old.or(broken_off))).execute(connection)?;
    let values = (
        idempotency_keys::key.eq(key),
        idempotency_keys::fingerprint.eq(fingerprint),
        idempotency_keys::begun_at.eq(now),
    );
    let insert = diesel::insert_into(idempotency_keys::table).values(values).on_conflict_do_nothing();
    let inserted = match connection {
        Db::Sqlite(sqlite) => insert.execute(sqlite)?,
        Db::Postgres(postgres) => insert.execute(postgres)?,
    };
    if inserted > 0 {
        return Ok(Begun::New);
    }
    let row: Option<Row> = idempotency_keys::table
        .find(key)
        .select((
            idempotency_keys::fingerprint,
            idempotency_keys::begun_at,
            idempotency_keys::status,
            (idempotency_keys::content_type, idempotency_keys::etag, idempotency_keys::location),
            idempotency_keys::body,
        ))
        .first(connection)
        .optional()?;
    Ok(match row {
        Some((known, ..)) if known != fingerprint => Begun::Another,
        Some((_, _, Some(status), (content_type, etag, location), body)) => {
            Begun::Done(Kept { status, content_type, etag, location, body: body.unwrap_or_default() })
        }
        _ => Begun::AtWork,
    })
}

/// Remembers the answer.
///
/// # Errors
/// Those of the database.
pub fn finish(connection: &mut Db, key: &str, kept: &Kept) -> Result<(), StoreError> {
    diesel::update(idempotency_keys::table.find(key))
        .set((
            idempotency_keys::status.eq(kept.status),
            idempotency_keys::content_type.eq(&kept.content_type),
            idempotency_keys::etag.eq(&kept.etag),
            idempotency_keys::location.eq(&kept.location),
            idempotency_keys::body.eq(&kept.body),
        ))
        .execute(connection)?;
    Ok(())
}

/// Forgets a request, so that it can be sent again.
///
/// # Errors
/// Those of the database.
pub fn forget(connection: &mut Db, key: &str) -> Result<(), StoreError> {
    diesel::delete(idempotency_keys::table.find(key)).execute(connection)?;
    Ok(())
}
