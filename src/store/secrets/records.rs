//! All records that have a secret: encrypted where they are not, and again with the key that is first now.

use super::cipher::{SecretError, SecretKeys, key_of};
use crate::store::schema::{signal_targets, users};
use crate::store::{Db, Engine, StoreError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::collections::BTreeMap;

/// The place of a target's secret that it is encrypted for.
pub fn target_secret(key: &str) -> String {
    format!("signal_targets/{key}/secret")
}

/// The place of a target's password.
pub fn target_password(key: &str) -> String {
    format!("signal_targets/{key}/password")
}

/// The place of the secret that a user's digests are made with.
pub fn user_digest(name: &str) -> String {
    format!("users/{name}/digest_secret")
}

/// What was encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encrypted {
    /// Secrets that were stored as plain text before.
    pub plain: usize,
    /// Secrets that another key encrypted before.
    pub other_key: usize,
    /// Places of secrets that cannot be decrypted, each with the reason.
    pub unreadable: Vec<(String, SecretError)>,
}

/// A secret as it is stored.
struct Record {
    place: String,
    column: Column,
    key: String,
    stored: String,
}

#[derive(Clone, Copy)]
enum Column {
    TargetSecret,
    TargetPassword,
    UserDigest,
}

fn records(db: &mut Db) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    let mut push = |place: String, column: Column, key: &str, stored: Option<String>| {
        records.extend(stored.map(|stored| Record { place, column, key: key.to_owned(), stored }));
    };
    let targets: Vec<(String, Option<String>, Option<String>)> = signal_targets::table
        .filter(signal_targets::secret.is_not_null().or(signal_targets::password.is_not_null()))
        .select((signal_targets::key, signal_targets::secret, signal_targets::password))
        .load(db)?;
    for (key, secret, password) in targets {
        push(target_secret(&key), Column::TargetSecret, &key, secret);
        push(target_password(&key), Column::TargetPassword, &key, password);
    }
    let digests: Vec<(String, Option<String>)> =
        users::table.filter(users::digest_secret.is_not_null()).select((users::name, users::digest_secret)).load(db)?;
    for (name, secret) in digests {
        push(user_digest(&name), Column::UserDigest, &name, secret);
    }
    Ok(records)
}

impl Record {
    /// Replaces the stored text, unless somebody else changed it meanwhile.
    fn replace(&self, db: &mut Db, sealed: &str) -> Result<usize, StoreError> {
        let (key, stored) = (&self.key, &self.stored);
        let changed = match self.column {
            Column::TargetSecret => diesel::update(
                signal_targets::table.filter(signal_targets::key.eq(key)).filter(signal_targets::secret.eq(stored)),
            )
            .set(signal_targets::secret.eq(sealed))
            .execute(db)?,
            Column::TargetPassword => diesel::update(
                signal_targets::table.filter(signal_targets::key.eq(key)).filter(signal_targets::password.eq(stored)),
            )
            .set(signal_targets::password.eq(sealed))
            .execute(db)?,
            Column::UserDigest => {
                diesel::update(users::table.filter(users::name.eq(key)).filter(users::digest_secret.eq(stored)))
                    .set(users::digest_secret.eq(sealed))
                    .execute(db)?
            }
        };
        Ok(changed)
    }
}

/// How many secrets each key encrypted, by its id; those that are stored as plain text are under the empty id.
///
/// # Errors
/// Returns a `StoreError` if the database cannot be read.
pub fn summary(db: &mut Db) -> Result<BTreeMap<String, usize>, StoreError> {
    let mut counts = BTreeMap::new();
    for record in records(db)? {
        *counts.entry(key_of(&record.stored).unwrap_or_default().to_owned()).or_default() += 1;
    }
    Ok(counts)
}

/// Encrypts the secrets that are stored as plain text; with `rotate` also those that another key than the first encrypted. SQLite
/// overwrites the plain text in its file.
///
/// # Errors
/// Returns a `StoreError` if a statement fails; then nothing is written.
pub fn encrypt(db: &mut Db, keys: &SecretKeys, rotate: bool) -> Result<Encrypted, StoreError> {
    let mut done = Encrypted::default();
    let first = keys.ids().next().map(str::to_owned);
    let is_due = |record: &Record| match key_of(&record.stored) {
        None => true,
        Some(id) => rotate && first.as_deref() != Some(id),
    };
    if !records(db)?.iter().any(is_due) {
        return Ok(done);
    }
    let is_sqlite = db.engine() == Engine::Sqlite;
    if is_sqlite {
        db.batch_execute("PRAGMA secure_delete = ON")?;
    }
    let outcome = db.write(|db| {
        for record in records(db)?.iter().filter(|record| is_due(record)) {
            let is_plain = key_of(&record.stored).is_none();
            let plain = if is_plain { Ok(record.stored.clone()) } else { keys.open(&record.place, &record.stored) };
            match plain.and_then(|plain| keys.seal(&record.place, &plain)) {
                Ok(sealed) => {
                    let changed = record.replace(db, &sealed)?;
                    if is_plain { done.plain += changed } else { done.other_key += changed }
                }
                Err(why) => done.unreadable.push((record.place.clone(), why)),
            }
        }
        Ok(())
    });
    if is_sqlite {
        // The log of changes has the pages as they were.
        db.batch_execute("PRAGMA secure_delete = OFF; PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    outcome.map(|()| done)
}
