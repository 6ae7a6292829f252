//! Authentication: by password, token, session, or client certificate.

mod credentials;
mod gate;
mod identity;
mod message;
mod passwords;

pub(super) use credentials::Credentials;
pub(super) use identity::Identity;

use super::audit::Auditor;
use crate::config::Config;
use crate::domain::access::{self, Roles, SessionSecret};
use crate::error::ServiceError;
use crate::revocation::Revoked;
use crate::store::access::{self as kept, User};
use crate::store::{Db, Store, StoreError, sessions};
use chrono::Utc;
use gate::Gate;
use passwords::Cache;
use soapstone_runtime::service::{Certificate, CertificateField};
use soapstone_runtime::soap::Fault;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it is believed that there are no users.
const NO_USERS_TTL: Duration = Duration::from_secs(2);

/// Characters of a name in the audit log.
const MAX_AUDITED_NAME: usize = 100;

/// A failed authentication.
struct Denied {
    /// The action for the audit log; empty: not recorded.
    action: String,
}

/// Authenticates callers against the users of the database.
pub(crate) struct Access {
    store: Store,
    roles: Roles,
    certificate_field: CertificateField,
    /// Certificates of clients that were revoked.
    revoked: Arc<Revoked>,
    auditor: Auditor,
    /// Whether there ever was a user: for good.
    has_users: AtomicBool,
    had_no_users_at: Mutex<Option<Instant>>,
    gate: Gate,
    passwords: Cache,
}

impl Access {
    pub(super) fn new(store: Store, config: &Config, auditor: Auditor, revoked: Arc<Revoked>) -> Self {
        Self {
            store,
            roles: config.roles.clone(),
            certificate_field: config.certificate_field,
            revoked,
            auditor,
            has_users: AtomicBool::default(),
            had_no_users_at: Mutex::default(),
            gate: Gate::new(),
            passwords: Cache::default(),
        }
    }

    /// Whether callers have to authenticate: for ever once the database had a user, even if all are removed.
    ///
    /// # Errors
    /// Returns a StoreError if the database cannot be reached.
    pub(crate) async fn has_users(&self) -> Result<bool, StoreError> {
        if self.has_users.load(Ordering::Acquire) {
            return Ok(true);
        }
        let checked_at = *self.had_no_users_at.lock().unwrap_or_else(PoisonError::into_inner);
        if checked_at.is_some_and(|at| at.elapsed() < NO_USERS_TTL) {
            return Ok(false);
        }
        let has_users = self.store.read(kept::is_authentication_required).await?;
        if has_users {
            self.has_users.store(true, Ordering::Release);
        } else {
            *self.had_no_users_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        Ok(has_users)
    }

    /// Starts a session of the user with that name and password. None: they are wrong, or the user may not log in now.
    ///
    /// # Errors
    /// Returns the fault `access.too_many_attempts`, or one for a database that cannot be reached.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        name: String,
        password: String,
        peer: Option<IpAddr>,
    ) -> Result<Option<SessionSecret>, Box<Fault>> {
        let action = format!("log in as {} (Navigator)", short(&name));
        let found = self.user_by_password(name, password, peer).await?;
        let from = peer.map(|peer| peer.to_string());
        let Some(user) = found else {
            self.auditor.note(None, action, "refused", from, None);
            return Ok(None);
        };
        let secret = SessionSecret::make().map_err(|why| unavailable(&StoreError::Unavailable(why)))?;
        let (hash, name, session_peer) = (secret.hash(), user.name.clone(), from.clone());
        let begun =
            move |db: &mut Db| sessions::begin(db, &hash, &name, session_peer.as_deref(), Utc::now().naive_utc());
        self.store.write(begun).await.map_err(|e| unavailable(&e))?;
        self.auditor.note(Some(user.name), action, "ok", from, None);
        Ok(Some(secret))
    }

    /// Adds the first user, as an administrator. Returns false if there ever was one.
    ///
    /// # Errors
    /// Returns `access.password` if the password cannot be used, or a StoreError if the database cannot be reached.
    pub(crate) async fn add_first(&self, name: String, password: &str) -> Result<bool, StoreError> {
        let rejected = |message: String| ServiceError::invalid("access.password", message).of("password", "");
        let password = Some(self.hash(password.to_owned()).await.map_err(rejected)?);
        let (roles, created_at) = ("admin".to_owned(), Utc::now().naive_utc());
        let user = kept::NewUser { name, password, certificate: None, roles, created_at };
        let added = self.store.write(move |db| kept::add_first(db, &user)).await?;
        *self.had_no_users_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(added)
    }

    pub(crate) fn roles(&self) -> &Roles {
        &self.roles
    }

    pub(crate) fn certificate_field(&self) -> CertificateField {
        self.certificate_field
    }

    /// Records an action in the audit log.
    pub(crate) fn note(&self, caller: Option<String>, action: String, outcome: &str, peer: Option<String>) {
        self.auditor.note(caller, action, outcome, peer, None);
    }

    /// Authenticates the caller by the credentials of a request. None: they are wrong, which is recorded in the audit log.
    ///
    /// # Errors
    /// Returns the fault `access.too_many_attempts`, or one for a database that cannot be reached.
    pub(super) async fn identify(
        self: &Arc<Self>,
        credentials: Credentials,
        peer: Option<IpAddr>,
    ) -> Result<Option<Identity>, Box<Fault>> {
        let found = match credentials {
            Credentials::Password { name, password } => {
                let action = format!("log in as {}", short(&name));
                let user = self.user_by_password(name, password, peer).await?;
                user.map(|user| self.identity(&user, None)).ok_or(Denied { action })
            }
            credentials => {
                let own = Arc::clone(self);
                let found = self.store.read(move |db| own.look_up(db, credentials)).await;
                found.map_err(|error| unavailable(&error))?
            }
        };
        match found {
            Ok(identity) => Ok(Some(identity)),
            Err(denied) => {
                if !denied.action.is_empty() {
                    self.auditor.note(None, denied.action, "refused", peer.map(|peer| peer.to_string()), None);
                }
                Ok(None)
            }
        }
    }

    /// Looks up who has credentials that are no password.
    fn look_up(&self, db: &mut Db, credentials: Credentials) -> Result<Result<Identity, Denied>, StoreError> {
        let denied = |action: String| Ok(Err(Denied { action }));
        match credentials {
            // Passwords are hashed without a connection.
            Credentials::None | Credentials::Password { .. } => denied(String::new()),
            Credentials::Certificate(certificate) if self.revoked.contains(&certificate) => {
                denied(format!("log in by the revoked certificate {}", short(&certificate.subject)))
            }
            Credentials::Certificate(certificate) => self.by_certificate_of(db, &certificate),
            Credentials::Session(secret) => match sessions::user(db, &secret.hash(), Utc::now().naive_utc())? {
                Some(user) => Ok(Ok(self.identity(&user, None))),
                // It is over, which is no event.
                None => denied(String::new()),
            },
            Credentials::Token(text) => {
                let Some((public_id, hash)) = access::token_parts(&text) else {
                    return denied("log in by a token".to_owned());
                };
                let now = Utc::now().naive_utc();
                let found = kept::by_token(db, public_id)?.filter(|(token, user)| {
                    access::same_hash(&token.secret, &hash)
                        && token.revoked_at.is_none()
                        && token.expires_at.is_none_or(|at| at > now)
                        && user.disabled_at.is_none()
                });
                let Some((token, user)) = found else {
                    return denied(format!("log in by the token {}", short(public_id)));
                };
                // A minute is exact enough, and does not make every request a write.
                if token.used_at.is_none_or(|at| (now - at).num_seconds() >= 60) {
                    kept::used(db, token.id, now)?;
                }
                // Malformed scopes, which this program does not write, allow nothing.
                let scopes = (!token.scopes.is_empty()).then(|| access::patterns(&token.scopes).unwrap_or_default());
                Ok(Ok(self.identity(&user, scopes)))
            }
        }
    }

    /// The user that a verified certificate belongs to: the only one whose value is among those of the certificate's field.
    fn by_certificate_of(
        &self,
        db: &mut Db,
        certificate: &Certificate,
    ) -> Result<Result<Identity, Denied>, StoreError> {
        let values = certificate.values(self.certificate_field);
        let found = kept::by_certificate(db, &values)?;
        let shown = values.first().unwrap_or(&certificate.subject);
        Ok(match found.as_slice() {
            [user] if user.disabled_at.is_none() => Ok(self.identity(user, None)),
            [_, _, ..] => {
                Err(Denied { action: format!("log in by the ambiguous certificate {}", short(&certificate.subject)) })
            }
            _ => Err(Denied { action: format!("log in by the certificate {}", short(shown)) }),
        })
    }

    fn identity(&self, user: &User, scopes: Option<Vec<access::Pattern>>) -> Identity {
        Identity::new(user, &self.roles, scopes)
    }
}

/// A name for the audit log.
fn short(name: &str) -> String {
    match name.char_indices().nth(MAX_AUDITED_NAME) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

/// The fault for a caller who cannot be looked up now.
pub(super) fn unavailable(error: &StoreError) -> Box<Fault> {
    log::error!("Authentication unavailable: {error}");
    Box::new(Fault::receiver("server.unavailable", 503, "Callers cannot be authenticated now; try again later"))
}
