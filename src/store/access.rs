//! Users, their tokens, and the audit log.

use super::schema::{audit_log, nonces, sessions, tokens, users};
use super::{Db, StoreError};
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// A user as it is kept.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub password: Option<String>,
    pub digest_secret: Option<String>,
    pub certificate: Option<String>,
    pub roles: String,
    pub failures: i32,
    pub locked_until: Option<NaiveDateTime>,
    pub created_at: NaiveDateTime,
}

/// A user to be.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = users)]
pub struct NewUser {
    pub name: String,
    pub password: Option<String>,
    pub certificate: Option<String>,
    pub roles: String,
    pub created_at: NaiveDateTime,
}

/// A token as it is kept.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub struct Token {
    pub id: i64,
    pub user_id: i64,
    pub name: String,
    pub public_id: String,
    pub secret: String,
    pub scopes: String,
    pub created_at: NaiveDateTime,
    pub expires_at: Option<NaiveDateTime>,
    pub revoked_at: Option<NaiveDateTime>,
    pub used_at: Option<NaiveDateTime>,
}

/// A token to be.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = tokens)]
pub struct NewToken {
    pub user_id: i64,
    pub name: String,
    pub public_id: String,
    pub secret: String,
    pub scopes: String,
    pub created_at: NaiveDateTime,
    pub expires_at: Option<NaiveDateTime>,
}

/// A line of the audit log.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log)]
pub struct Audited {
    pub at: NaiveDateTime,
    pub caller: Option<String>,
    pub action: String,
    pub outcome: String,
    pub peer: Option<String>,
    pub request_id: Option<String>,
}

/// How many users there are.
///
/// # Errors
/// Those of the database.
pub fn count(db: &mut Db) -> Result<i64, StoreError> {
    Ok(users::table.count().get_result(db)?)
}

/// All users, by name.
///
/// # Errors
/// Those of the database.
pub fn all(db: &mut Db) -> Result<Vec<User>, StoreError> {
    Ok(users::table.order(users::name).select(User::as_select()).load(db)?)
}

/// # Errors
/// Those of the database.
pub fn by_name(db: &mut Db, name: &str) -> Result<Option<User>, StoreError> {
    Ok(users::table.filter(users::name.eq(name)).select(User::as_select()).first(db).optional()?)
}

/// The user that a certificate of that common name is.
///
/// # Errors
/// Those of the database.
pub fn by_certificate(db: &mut Db, name: &str) -> Result<Option<User>, StoreError> {
    Ok(users::table.filter(users::certificate.eq(name)).select(User::as_select()).first(db).optional()?)
}

/// The token of that public part, and its user.
///
/// # Errors
/// Those of the database.
pub fn by_token(db: &mut Db, public_id: &str) -> Result<Option<(Token, User)>, StoreError> {
    let found = users::table
        .inner_join(tokens::table)
        .filter(tokens::public_id.eq(public_id))
        .select((Token::as_select(), User::as_select()));
    Ok(found.first(db).optional()?)
}

/// Adds a user; false: the name is taken.
///
/// # Errors
/// Those of the database.
pub fn add(db: &mut Db, user: &NewUser) -> Result<bool, StoreError> {
    if by_name(db, &user.name)?.is_some() {
        return Ok(false);
    }
    match db {
        Db::Sqlite(connection) => diesel::insert_into(users::table).values(user).execute(connection)?,
        Db::Postgres(connection) => diesel::insert_into(users::table).values(user).execute(connection)?,
    };
    Ok(true)
}

/// What of a user is set anew.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct Change {
    pub password: Option<String>,
    pub digest_secret: Option<String>,
    pub certificate: Option<String>,
    pub roles: Option<String>,
    pub failures: Option<i32>,
    pub locked_until: Option<Option<NaiveDateTime>>,
}

impl Token {
    /// `holds`, `expired` or `revoked`.
    pub fn state(&self, now: NaiveDateTime) -> &'static str {
        match () {
            () if self.revoked_at.is_some() => "revoked",
            () if self.expires_at.is_some_and(|at| at <= now) => "expired",
            () => "holds",
        }
    }
}

impl Change {
    /// Failures to log in are forgotten.
    pub fn unlocked() -> Self {
        Self { failures: Some(0), locked_until: Some(None), ..Self::default() }
    }
}

/// Changes a user; false: there is none of that name.
///
/// # Errors
/// Those of the database.
pub fn change(db: &mut Db, name: &str, change: &Change) -> Result<bool, StoreError> {
    if change.password.is_some() {
        // Whoever is logged in by the old one is not any more.
        let own = users::table.filter(users::name.eq(name)).select(users::id);
        diesel::delete(sessions::table.filter(sessions::user_id.eq_any(own))).execute(db)?;
    }
    Ok(diesel::update(users::table.filter(users::name.eq(name))).set(change).execute(db)? > 0)
}

/// Removes a user with his tokens; false: there is none of that name.
///
/// # Errors
/// Those of the database.
pub fn remove(db: &mut Db, name: &str) -> Result<bool, StoreError> {
    Ok(diesel::delete(users::table.filter(users::name.eq(name))).execute(db)? > 0)
}

/// # Errors
/// Those of the database.
pub fn add_token(db: &mut Db, token: &NewToken) -> Result<(), StoreError> {
    match db {
        Db::Sqlite(connection) => diesel::insert_into(tokens::table).values(token).execute(connection)?,
        Db::Postgres(connection) => diesel::insert_into(tokens::table).values(token).execute(connection)?,
    };
    Ok(())
}

/// All tokens with the names of their users.
///
/// # Errors
/// Those of the database.
pub fn all_tokens(db: &mut Db) -> Result<Vec<(Token, String)>, StoreError> {
    let all = tokens::table.inner_join(users::table).order(tokens::id).select((Token::as_select(), users::name));
    Ok(all.load(db)?)
}

/// Revokes a token; false: there is none that holds.
///
/// # Errors
/// Those of the database.
pub fn revoke(db: &mut Db, public_id: &str, now: NaiveDateTime) -> Result<bool, StoreError> {
    let holding = tokens::table.filter(tokens::public_id.eq(public_id)).filter(tokens::revoked_at.is_null());
    Ok(diesel::update(holding).set(tokens::revoked_at.eq(Some(now))).execute(db)? > 0)
}

/// Notes when a token was used.
///
/// # Errors
/// Those of the database.
pub fn used(db: &mut Db, token: i64, now: NaiveDateTime) -> Result<(), StoreError> {
    diesel::update(tokens::table.filter(tokens::id.eq(token))).set(tokens::used_at.eq(Some(now))).execute(db)?;
    Ok(())
}

/// Remembers a nonce until then, for all nodes; false: it is known already.
///
/// # Errors
/// Those of the database.
pub fn remember(db: &mut Db, nonce: &str, until: NaiveDateTime, now: NaiveDateTime) -> Result<bool, StoreError> {
    diesel::delete(nonces::table.filter(nonces::until.lt(now))).execute(db)?;
    let row = (nonces::nonce.eq(nonce), nonces::until.eq(until));
    let added = match db {
        Db::Sqlite(connection) => {
            diesel::insert_into(nonces::table).values(row).on_conflict_do_nothing().execute(connection)?
        }
        Db::Postgres(connection) => {
            diesel::insert_into(nonces::table).values(row).on_conflict_do_nothing().execute(connection)?
        }
    };
    Ok(added > 0)
}

/// Adds lines to the audit log.
///
/// # Errors
/// Those of the database.
pub fn audit(db: &mut Db, lines: &[Audited]) -> Result<(), StoreError> {
    for line in lines {
        match db {
            Db::Sqlite(connection) => diesel::insert_into(audit_log::table).values(line).execute(connection)?,
            Db::Postgres(connection) => diesel::insert_into(audit_log::table).values(line).execute(connection)?,
        };
    }
    Ok(())
}

/// The latest lines of the audit log, the last first.
///
/// # Errors
/// Those of the database.
pub fn audited(db: &mut Db, limit: i64) -> Result<Vec<Audited>, StoreError> {
    let latest = audit_log::table.order((audit_log::at.desc(), audit_log::id.desc())).limit(limit);
    Ok(latest.select(Audited::as_select()).load(db)?)
}
