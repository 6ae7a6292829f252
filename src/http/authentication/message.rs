//! Authentication by the security header of a SOAP message (WS-Security).

use super::{Access, short, unavailable};
use crate::domain::access::MAX_NAME_LEN;
use crate::store::access::{self as kept, User};
use crate::store::{StoreError, log_ins};
use chrono::{DateTime, Utc};
use soapstone_runtime::service::{Caller, Certificate};
use soapstone_runtime::soap::Fault;
use soapstone_runtime::soap::security::Authenticator;
use std::net::IpAddr;
use std::sync::Arc;

impl Access {
    fn audit_denial(&self, action: &str, peer: Option<IpAddr>) {
        self.auditor.note(None, format!("{action} (WS-Security)"), "refused", peer.map(|peer| peer.to_string()), None);
    }

    fn caller(&self, user: &User) -> Caller {
        Caller(Arc::new(self.identity(user, None)))
    }

    /// The user that a digest is of, if it is right and the user may log in.
    fn user_by_digest(&self, name: &str, is_right: &dyn Fn(&str) -> bool) -> Result<Option<User>, StoreError> {
        let mut db = self.store.connection()?;
        let user = kept::by_name(&mut db, name)?;
        let secret = user.as_ref().map(|user| user.digest_secret(self.store.secrets())).transpose();
        let secret = secret.map_err(|why| StoreError::Unavailable(format!("the digest secret of {name}: {why}")))?;
        let secret = secret.flatten();
        // No one has an empty secret; it takes as long.
        let is_right = is_right(secret.as_deref().unwrap_or_default()) && secret.is_some();
        let Some(user) = user else { return Ok(None) };
        let now = Utc::now().naive_utc();
        if is_right {
            return Ok(log_ins::record_success(&mut db, &user, now)?.then_some(user));
        }
        // Without a secret there is nothing to be guessed.
        if secret.is_some() {
            log_ins::record_failure(&mut db, user.id, now)?;
        }
        Ok(None)
    }
}

impl Authenticator for Access {
    fn by_password(&self, name: &str, password: &str, peer: Option<IpAddr>) -> Result<Option<Caller>, Box<Fault>> {
        let found = self.user_by_password_blocking(name, password, peer)?;
        if found.is_none() {
            self.audit_denial(&format!("log in as {}", short(name)), peer);
        }
        Ok(found.map(|user| self.caller(&user)))
    }

    fn by_digest(
        &self,
        name: &str,
        is_right: &dyn Fn(&str) -> bool,
        peer: Option<IpAddr>,
    ) -> Result<Option<Caller>, Box<Fault>> {
        let found = if name.len() > MAX_NAME_LEN { Ok(None) } else { self.user_by_digest(name, is_right) };
        let found = found.map_err(|e| unavailable(&e))?;
        if found.is_none() {
            self.audit_denial(&format!("log in as {}", short(name)), peer);
        }
        Ok(found.map(|user| self.caller(&user)))
    }

    fn by_certificate(&self, certificate: &Certificate, peer: Option<IpAddr>) -> Result<Option<Caller>, Box<Fault>> {
        let found = self.store.connection().and_then(|mut db| {
            let found = self.by_certificate_of(&mut db, certificate)?;
            // As long as there is no user, no one has to be one.
            let is_needed = found.is_ok() || kept::is_authentication_required(&mut db)?;
            Ok(is_needed.then_some(found))
        });
        Ok(match found.map_err(|e| unavailable(&e))? {
            None => None,
            Some(Ok(identity)) => Some(Caller(Arc::new(identity))),
            Some(Err(denied)) => {
                self.audit_denial(&denied.action, peer);
                None
            }
        })
    }

    fn is_new(&self, nonce: &str, until: DateTime<Utc>) -> Result<bool, Box<Fault>> {
        let (until, now) = (until.naive_utc(), Utc::now().naive_utc());
        let done = self.store.connection().and_then(|mut db| db.write(|db| kept::remember(db, nonce, until, now)));
        done.map_err(|e| unavailable(&e))
    }
}
