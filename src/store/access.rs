//! Users, their tokens, and the audit log.

use super::schema::{audit_log, authentication_required, nonces, sessions, tokens, users};
use super::secrets::{SecretError, SecretKeys, user_digest};
use super::{Db, StoreError, lock};
use crate::domain::access::{Roles, covers, permissions};
use crate::domain::printable;
use crate::error::ServiceError;
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// The lock of transactions that change users.
const USERS: &str = "users";

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
    /// Since when the user may not log in.
    pub disabled_at: Option<NaiveDateTime>,
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

/// Characters of each text in a line of the audit log: names at log-in may be anything.
const MAX_AUDITED_CHARS: usize = 500;

impl Audited {
    /// The line with its texts cut, and their control characters escaped.
    pub fn shortened(self) -> Self {
        let short = |text: String| printable(&text, MAX_AUDITED_CHARS).into_owned();
        Self {
            at: self.at,
            caller: self.caller.map(short),
            action: short(self.action),
            outcome: short(self.outcome),
            peer: self.peer.map(short),
            request_id: self.request_id.map(short),
        }
    }
}

/// Deletes at most `limit` lines of the audit log that are older than a time, or more than so many; returns their number.
///
/// # Errors
/// Returns a StoreError if a statement fails; the transaction is rolled back.
pub fn prune_audit(
    db: &mut Db,
    before: Option<NaiveDateTime>,
    most: Option<i64>,
    limit: i64,
) -> Result<usize, StoreError> {
    let mut doomed: Vec<i64> = Vec::new();
    if let Some(before) = before {
        let old = audit_log::table.filter(audit_log::at.lt(before)).select(audit_log::id);
        doomed = old.order(audit_log::at).limit(limit).load(db)?;
    }
    if let Some(most) = most {
        let first_too_many = audit_log::table.select(audit_log::id).order(audit_log::id.desc()).offset(most).limit(1);
        if let Some(last) = first_too_many.first::<i64>(db).optional()? {
            let too_many = audit_log::table.filter(audit_log::id.le(last)).select(audit_log::id);
            doomed.extend(too_many.order(audit_log::id).limit(limit).load::<i64>(db)?);
        }
    }
    Ok(diesel::delete(audit_log::table.filter(audit_log::id.eq_any(doomed))).execute(db)?)
}

/// How many lines the audit log has, and when the oldest was written.
///
/// # Errors
/// Returns a StoreError if a statement fails.
pub fn audit_extent(db: &mut Db) -> Result<(i64, Option<NaiveDateTime>), StoreError> {
    let oldest = audit_log::table.select(audit_log::at).order(audit_log::id).first(db).optional()?;
    Ok((audit_log::table.count().get_result(db)?, oldest))
}

/// Whether callers have to authenticate: from the first user on, even if all users are removed again.
///
/// # Errors
/// Returns a StoreError if the statement fails.
pub fn is_authentication_required(db: &mut Db) -> Result<bool, StoreError> {
    Ok(authentication_required::table.count().get_result::<i64>(db)? > 0)
}

impl User {
    /// Whether the user has credentials, and is not disabled.
    pub fn can_log_in(&self) -> bool {
        self.disabled_at.is_none() && (self.password.is_some() || self.certificate.is_some())
    }

    pub fn is_locked(&self, now: NaiveDateTime) -> bool {
        self.locked_until.is_some_and(|until| until > now)
    }

    /// The secret that the user's digests are made with, decrypted.
    ///
    /// # Errors
    /// Returns a `SecretError` if it cannot be decrypted.
    pub fn digest_secret(&self, secrets: &SecretKeys) -> Result<Option<String>, SecretError> {
        let stored = self.digest_secret.as_ref();
        stored.map(|stored| secrets.open(&user_digest(&self.name), stored)).transpose()
    }
}

/// The secret of a user's digests as it is stored.
///
/// # Errors
/// Returns a `SecretError` if there is no key.
pub fn sealed_digest(secrets: &SecretKeys, user: &str, secret: &str) -> Result<String, SecretError> {
    secrets.seal(&user_digest(user), secret)
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

/// The users known by one of those values of a certificate: more than one if the certificate is ambiguous.
///
/// # Errors
/// Returns a StoreError if the statement fails.
pub fn by_certificate(db: &mut Db, values: &[String]) -> Result<Vec<User>, StoreError> {
    let named = users::table.filter(users::certificate.eq_any(values.iter().map(Some)));
    Ok(named.order(users::name).select(User::as_select()).load(db)?)
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

/// Adds a user. Returns false if the name is taken.
///
/// # Errors
/// Returns `access.certificate` if another user is known by the certificate.
pub fn add(db: &mut Db, user: &NewUser) -> Result<bool, StoreError> {
    lock::alone(db, USERS)?;
    if by_name(db, &user.name)?.is_some() {
        return Ok(false);
    }
    if let Some(certificate) = &user.certificate {
        check_certificate(db, &user.name, certificate)?;
    }
    match db {
        Db::Sqlite(connection) => diesel::insert_into(users::table).values(user).execute(connection)?,
        Db::Postgres(connection) => diesel::insert_into(users::table).values(user).execute(connection)?,
    };
    Ok(true)
}

/// Adds the first user. Returns false if there ever was one.
///
/// # Errors
/// Returns a StoreError if a statement fails; the transaction is rolled back.
pub fn add_first(db: &mut Db, user: &NewUser) -> Result<bool, StoreError> {
    lock::alone(db, USERS)?;
    Ok(!is_authentication_required(db)? && add(db, user)?)
}

/// Checks that no other user is known by a certificate.
fn check_certificate(db: &mut Db, name: &str, certificate: &str) -> Result<(), StoreError> {
    match by_certificate(db, &[certificate.to_owned()])?.into_iter().find(|other| other.name != name) {
        None => Ok(()),
        Some(other) => {
            let message = format!("The certificate {certificate} belongs to the user {}", other.name);
            Err(ServiceError::invalid("access.certificate", message).into())
        }
    }
}

/// Properties of a user to change; an inner None removes one.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct Change {
    pub password: Option<Option<String>>,
    pub digest_secret: Option<Option<String>>,
    pub certificate: Option<Option<String>>,
    pub roles: Option<String>,
    pub failures: Option<i32>,
    pub locked_until: Option<Option<NaiveDateTime>>,
    pub disabled_at: Option<Option<NaiveDateTime>>,
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
    /// Resets failed log-ins.
    pub fn unlocked() -> Self {
        Self { failures: Some(0), locked_until: Some(None), ..Self::default() }
    }

    /// Disables the user.
    pub fn disabled(now: NaiveDateTime) -> Self {
        Self { disabled_at: Some(Some(now)), ..Self::default() }
    }

    /// Enables the user again.
    pub fn enabled() -> Self {
        Self { disabled_at: Some(None), ..Self::unlocked() }
    }

    /// Whether sessions that were started before must end.
    fn ends_sessions(&self) -> bool {
        self.password.is_some() || self.certificate.is_some() || matches!(self.disabled_at, Some(Some(_)))
    }
}

/// Changes a user. Returns false if there is none of that name.
///
/// # Errors
/// Returns `access.last_administrator` if no user would be left who can log in and change users, `access.certificate` if another user is
/// known by the certificate.
pub fn change(db: &mut Db, roles: &Roles, name: &str, change: &Change) -> Result<bool, StoreError> {
    keeping_an_administrator(db, roles, |db| {
        if let Some(Some(certificate)) = &change.certificate {
            check_certificate(db, name, certificate)?;
        }
        if change.ends_sessions() {
            let own = users::table.filter(users::name.eq(name)).select(users::id);
            diesel::delete(sessions::table.filter(sessions::user_id.eq_any(own))).execute(db)?;
        }
        Ok(diesel::update(users::table.filter(users::name.eq(name))).set(change).execute(db)? > 0)
    })
}

/// Removes a user with their tokens and sessions. Returns false if there is none of that name.
///
/// # Errors
/// Returns `access.last_administrator` if no user would be left who can log in and change users.
pub fn remove(db: &mut Db, roles: &Roles, name: &str) -> Result<bool, StoreError> {
    keeping_an_administrator(db, roles, |db| {
        Ok(diesel::delete(users::table.filter(users::name.eq(name))).execute(db)? > 0)
    })
}

/// Changes users, but not so that the last administrator is lost. Of two changes at the same time the second one sees the first.
fn keeping_an_administrator(
    db: &mut Db,
    roles: &Roles,
    work: impl FnOnce(&mut Db) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    db.write(|db| {
        lock::alone(db, USERS)?;
        let had = has_administrator(db, roles)?;
        let done = work(db)?;
        if had && !has_administrator(db, roles)? {
            let message =
                "This is the last user who can log in and change users; make another one an administrator first";
            return Err(
                ServiceError::Conflict { code: "access.last_administrator", message: message.to_owned() }.into()
            );
        }
        Ok(done)
    })
}

/// Whether a user can log in who may change users.
///
/// # Errors
/// Returns a StoreError if the statement fails.
pub fn has_administrator(db: &mut Db, roles: &Roles) -> Result<bool, StoreError> {
    let (service, operation) = permissions::ACCESS_CHANGE;
    let is_administrator =
        |user: &User| user.can_log_in() && covers(&roles.permissions(&user.roles), service, operation);
    Ok(all(db)?.iter().any(is_administrator))
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
        let line = line.clone().shortened();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use chrono::{TimeDelta, Utc};

    #[test]
    fn the_audit_log_is_short_and_of_one_line_each() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.sqlite").to_string_lossy(), 1).unwrap();
        store.migrate().unwrap();
        let mut db = store.connection().unwrap();
        let now = Utc::now().naive_utc();
        let line = |days: i64, action: &str| Audited {
            at: now - TimeDelta::days(days),
            caller: None,
            action: action.to_owned(),
            outcome: "refused".to_owned(),
            peer: None,
            request_id: None,
        };
        let forged = format!("log in as x\r\n2026-12-01 admin ok \u{1b}[2J{}", "y".repeat(100_000));
        audit(&mut db, &[line(0, &forged)]).unwrap();
        let kept = audited(&mut db, 1).unwrap().remove(0);
        assert!(!kept.action.contains(char::is_control), "{}", kept.action);
        assert!(kept.action.chars().count() < 600);
        // The clock was wrong for a while: only what seems old is deleted.
        audit(&mut db, &[line(10, "a"), line(0, "b"), line(1_000, "c"), line(0, "d")]).unwrap();
        let left = |db: &mut Db| audited(db, 9).unwrap().into_iter().map(|line| line.action).collect::<Vec<_>>();
        assert_eq!(prune_audit(&mut db, Some(now - TimeDelta::days(5)), None, 1).unwrap(), 1);
        assert_eq!(prune_audit(&mut db, Some(now - TimeDelta::days(5)), None, 9).unwrap(), 1);
        assert_eq!(left(&mut db).len(), 3);
        assert_eq!(audit_extent(&mut db).unwrap().0, 3);
        // Of too many lines the latest stay.
        while prune_audit(&mut db, None, Some(1), 1).unwrap() > 0 {}
        assert_eq!(left(&mut db), ["d"]);
        assert_eq!(prune_audit(&mut db, None, None, 9).unwrap(), 0);
    }
}
