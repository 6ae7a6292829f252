//! Who is logged in to the Navigator.

use super::access::User;
use super::schema::{sessions, users};
use super::{Db, StoreError};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

/// A session that nobody used for so long is over.
pub const IDLE: TimeDelta = TimeDelta::hours(12);

/// And each one, however much it is used.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// How exactly it is kept when a session was used last: not every page is a write.
const EXACTLY: TimeDelta = TimeDelta::minutes(1);

/// Begins a session of a user, under the hash of its secret; those that are over are forgotten.
///
/// # Errors
/// Those of the database.
pub fn begin(db: &mut Db, hash: &str, user: &str, peer: Option<&str>, now: NaiveDateTime) -> Result<(), StoreError> {
    let is_over = sessions::seen_at.lt(now - IDLE).or(sessions::begun_at.lt(now - LONGEST));
    diesel::delete(sessions::table.filter(is_over)).execute(db)?;
    let id: i64 = users::table.filter(users::name.eq(user)).select(users::id).first(db)?;
    diesel::insert_into(sessions::table)
        .values((
            sessions::hash.eq(hash),
            sessions::user_id.eq(id),
            sessions::begun_at.eq(now),
            sessions::seen_at.eq(now),
            sessions::peer.eq(peer),
        ))
        .execute(db)?;
    Ok(())
}

/// The user of a session. None: it is over, never was, or its user is disabled.
///
/// # Errors
/// Those of the database.
pub fn user(db: &mut Db, hash: &str, now: NaiveDateTime) -> Result<Option<User>, StoreError> {
    let found: Option<(User, NaiveDateTime)> = sessions::table
        .inner_join(users::table)
        .filter(sessions::hash.eq(hash))
        .filter(sessions::seen_at.ge(now - IDLE))
        .filter(sessions::begun_at.ge(now - LONGEST))
        .filter(users::disabled_at.is_null())
        .select((User::as_select(), sessions::seen_at))
        .first(db)
        .optional()?;
    let Some((user, seen)) = found else { return Ok(None) };
    if now - seen >= EXACTLY {
        diesel::update(sessions::table.find(hash)).set(sessions::seen_at.eq(now)).execute(db)?;
    }
    Ok(Some(user))
}

/// Ends a session.
///
/// # Errors
/// Those of the database.
pub fn end(db: &mut Db, hash: &str) -> Result<(), StoreError> {
    diesel::delete(sessions::table.find(hash)).execute(db)?;
    Ok(())
}
