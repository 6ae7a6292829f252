//! Failed log-ins: counted, and the name locked for a while.

use super::access::User;
use super::schema::users;
use super::{Db, StoreError};
use crate::domain::access::locked_until;
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// Failures beyond this are not counted.
const MAX_FAILURES: i32 = 1_000_000;

/// Counts a failed log-in and locks the user accordingly. Failures at the same time all count.
///
/// # Errors
/// Returns a StoreError if a statement fails; the transaction is rolled back.
pub fn record_failure(db: &mut Db, user: i64, now: NaiveDateTime) -> Result<(), StoreError> {
    db.write(|db| {
        // It holds the row until the end of the transaction.
        let counted = users::table.find(user).filter(users::failures.lt(MAX_FAILURES));
        diesel::update(counted).set(users::failures.eq(users::failures + 1)).execute(db)?;
        let failures: Option<i32> = users::table.find(user).select(users::failures).first(db).optional()?;
        if let Some(until) = failures.and_then(|failures| locked_until(failures, now)) {
            diesel::update(users::table.find(user)).set(users::locked_until.eq(Some(until))).execute(db)?;
        }
        Ok(())
    })
}

/// Records that credentials of the user were found right, which resets the failures. Returns false if the user may not log in after all:
/// is locked, disabled, removed, or has another password or digest secret by now.
///
/// # Errors
/// Returns a StoreError if a statement fails; the transaction is rolled back.
pub fn record_success(db: &mut Db, found: &User, now: NaiveDateTime) -> Result<bool, StoreError> {
    let may = |user: &User| {
        let is_same = user.password == found.password && user.digest_secret == found.digest_secret;
        is_same && user.disabled_at.is_none() && !user.is_locked(now)
    };
    let read = |db: &mut Db| -> Result<Option<User>, StoreError> {
        let row = users::table.find(found.id).select(User::as_select()).first(db).optional()?;
        Ok(row.filter(|user| may(user)))
    };
    match read(db)? {
        None => Ok(false),
        Some(user) if user.failures == 0 && user.locked_until.is_none() => Ok(true),
        Some(_) => db.write(|db| {
            let is_open = users::locked_until.is_null().or(users::locked_until.le(now));
            let own = users::table.find(found.id).filter(users::disabled_at.is_null()).filter(is_open);
            let reset = (users::failures.eq(0), users::locked_until.eq(None::<NaiveDateTime>));
            Ok(diesel::update(own).set(reset).execute(db)? > 0)
        }),
    }
}
