//! Passwords: checked outside of the database's connections, a few at a time.
//!
//! A locked, disabled or unknown name costs the same time as any other: a password is always hashed, against a hash of no password if
//! there is none. Wrong passwords count while the name is locked, too; the right one is denied then, and does not count.

use super::gate::Turn;
use super::{Access, unavailable};
use crate::domain::access::{self, MAX_NAME_LEN, MAX_PASSWORD_LEN};
use crate::store::access::{self as kept, User};
use crate::store::{StoreError, log_ins};
use actix_web::web;
use chrono::Utc;
use openssl::sha::sha256;
use soapstone_runtime::soap::Fault;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Passwords that were found right and need not be hashed again.
const MAX_CACHED: usize = 1000;

/// How long the answer to one attempt too many is held back.
const DENIAL_DELAY: Duration = Duration::from_secs(1);

/// Digests of names with passwords that were found right, and the stored hash of each.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<[u8; 32], String>>);

impl Cache {
    fn hash_of(&self, key: &[u8; 32]) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn insert(&self, key: [u8; 32], hash: String) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() >= MAX_CACHED {
            cached.clear();
        }
        cached.insert(key, hash);
    }
}

fn cache_key(name: &str, password: &str) -> [u8; 32] {
    sha256(format!("{name}\0{password}").as_bytes())
}

/// Whether a name and a password may be right at all.
fn is_plausible(name: &str, password: &str) -> bool {
    name.len() <= MAX_NAME_LEN && password.len() <= MAX_PASSWORD_LEN
}

fn too_many_attempts() -> Box<Fault> {
    let message = "Too many log-ins are in progress for this name or from this address; try again later";
    Box::new(Fault::sender("access.too_many_attempts", 429, message))
}

impl Access {
    /// The user with that name and password, if they are right and the user may log in.
    ///
    /// # Errors
    /// Returns the fault `access.too_many_attempts`, or one for a database that cannot be reached.
    pub(super) async fn user_by_password(
        self: &Arc<Self>,
        name: String,
        password: String,
        peer: Option<IpAddr>,
    ) -> Result<Option<User>, Box<Fault>> {
        if !is_plausible(&name, &password) {
            return Ok(None);
        }
        let key = cache_key(&name, &password);
        if let Some(hash) = self.passwords.hash_of(&key) {
            let wanted = name.clone();
            let user = self.store.read(move |db| kept::by_name(db, &wanted)).await.map_err(|e| unavailable(&e))?;
            if let Some(user) = user.filter(|user| is_open(user, &hash)) {
                return Ok(Some(user));
            }
        }
        let Some(place) = self.gate.enter(peer, &name) else {
            // A client that tries again at once would keep the server busy with answers.
            actix_web::rt::time::sleep(DENIAL_DELAY).await;
            return Err(too_many_attempts());
        };
        let user = self.store.read(move |db| kept::by_name(db, &name)).await.map_err(|e| unavailable(&e))?;
        let turn = self.gate.turn(place).await;
        let own = Arc::clone(self);
        // It goes on if the caller hangs up: a guess counts, and takes its processor, in any case.
        let checked = web::block(move || own.check(user, key, &password, turn)).await;
        let checked = checked.unwrap_or_else(|e| Err(StoreError::Unavailable(e.to_string())));
        checked.map_err(|e| unavailable(&e))
    }

    /// The same, blocking this thread.
    ///
    /// # Errors
    /// Those of [`user_by_password`](Self::user_by_password).
    pub(super) fn user_by_password_blocking(
        &self,
        name: &str,
        password: &str,
        peer: Option<IpAddr>,
    ) -> Result<Option<User>, Box<Fault>> {
        if !is_plausible(name, password) {
            return Ok(None);
        }
        let user = || self.store.connection().and_then(|mut db| kept::by_name(&mut db, name));
        let key = cache_key(name, password);
        if let Some(hash) = self.passwords.hash_of(&key)
            && let Some(user) = user().map_err(|e| unavailable(&e))?.filter(|user| is_open(user, &hash))
        {
            return Ok(Some(user));
        }
        let place = self.gate.enter(peer, name).ok_or_else(too_many_attempts)?;
        let user = user().map_err(|e| unavailable(&e))?;
        let turn = self.gate.blocking_turn(place);
        self.check(user, key, password, turn).map_err(|e| unavailable(&e))
    }

    /// Hashes the password, and records the outcome.
    fn check(&self, user: Option<User>, key: [u8; 32], password: &str, turn: Turn) -> Result<Option<User>, StoreError> {
        let hash = user.as_ref().and_then(|user| user.password.as_deref());
        let is_right = access::is_password(hash, password);
        // No one waits for a processor while this one waits for the database.
        drop(turn);
        let Some(user) = user else { return Ok(None) };
        let (mut db, now) = (self.store.connection()?, Utc::now().naive_utc());
        if !is_right {
            log_ins::record_failure(&mut db, user.id, now)?;
            return Ok(None);
        }
        if !log_ins::record_success(&mut db, &user, now)? {
            return Ok(None);
        }
        self.passwords.insert(key, user.password.clone().unwrap_or_default());
        Ok(Some(user))
    }

    /// Hashes a password that a user is to have.
    ///
    /// # Errors
    /// Returns a sentence on a password that cannot be used.
    pub(crate) async fn hash(&self, password: String) -> Result<String, String> {
        let turn = self.gate.turn_of_administrator().await;
        let hashed = web::block(move || {
            let hashed = access::hashed(&password);
            drop(turn);
            hashed
        });
        hashed.await.unwrap_or_else(|e| Err(e.to_string()))
    }
}

/// Whether a user may log in by the password that was found right for a hash.
fn is_open(user: &User, hash: &str) -> bool {
    let is_same = user.password.as_deref() == Some(hash);
    is_same && user.disabled_at.is_none() && !user.is_locked(Utc::now().naive_utc())
}
