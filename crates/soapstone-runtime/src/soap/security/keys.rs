//! Certificates and keys: our own, and those of whom we trust.

use super::fault;
use crate::service::Certificate;
use crate::soap::Fault;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContext};
use std::fmt;
use std::sync::Arc;

/// Shorter keys of RSA can be broken.
const LEAST_BITS: u32 = 2048;

/// A certificate with its key: what signs, and opens what is encrypted for us.
#[derive(Clone)]
pub struct Identity {
    pub(super) certificate: X509,
    pub(super) key: PKey<Private>,
}

impl Identity {
    /// From PEM: the certificate (more may follow it), and its key.
    ///
    /// # Errors
    /// A sentence on what is wrong.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, String> {
        let certificate = X509::from_pem(certificate).map_err(|e| format!("the certificate: {}", first(&e)))?;
        let key = PKey::private_key_from_pem(key).map_err(|e| format!("the key: {}", first(&e)))?;
        let is_its_own = certificate.public_key().is_ok_and(|public| public.public_eq(&key));
        if is_its_own {
            Ok(Self { certificate, key })
        } else {
            Err("the key is not that of the certificate".to_owned())
        }
    }
}

impl fmt::Debug for Identity {
    /// Keys are for no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&Certificate::of(&self.certificate).name).finish()
    }
}

fn first(error: &ErrorStack) -> String {
    error.errors().first().map_or_else(|| "it cannot be read".to_owned(), ToString::to_string)
}

/// Whose signatures count: authorities, and single certificates.
#[derive(Clone)]
pub struct Trust {
    store: Arc<X509Store>,
    known: Vec<X509>,
}

impl Trust {
    /// From PEM with one certificate or more.
    ///
    /// # Errors
    /// A sentence on what is wrong.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let known = X509::stack_from_pem(pem).map_err(|e| first(&e))?;
        if known.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        let store = || {
            let mut builder = X509StoreBuilder::new()?;
            // A certificate that is named itself needs nobody who vouches for it.
            builder.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
            for certificate in &known {
                builder.add_cert(certificate.clone())?;
            }
            Ok::<_, ErrorStack>(builder.build())
        };
        let store = store().map_err(|e| first(&e))?;
        Ok(Self { store: Arc::new(store), known })
    }

    /// Sees to it that a certificate holds now, and was issued by whom we trust.
    ///
    /// # Errors
    /// The fault to answer with.
    pub(super) fn vouch_for(&self, certificate: &X509) -> Result<(), Box<Fault>> {
        let refused = |why: &str| fault(&["FailedAuthentication"], &format!("The certificate is not trusted: {why}"));
        let verified = || {
            let chain = Stack::new()?;
            let mut context = X509StoreContext::new()?;
            context.init(&self.store, certificate, &chain, |context| {
                let is_good = context.verify_cert()?;
                Ok((is_good, context.error()))
            })
        };
        match verified() {
            Ok((true, _)) => {}
            Ok((false, why)) => return Err(refused(why.error_string())),
            Err(_) => return Err(refused("it cannot be verified")),
        }
        let key = certificate.public_key().map_err(|_| refused("it has no key"))?;
        if key.rsa().is_ok() && key.bits() < LEAST_BITS {
            return Err(refused(&format!("its key has less than {LEAST_BITS} bits")));
        }
        Ok(())
    }

    pub(super) fn known(&self) -> &[X509] {
        &self.known
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known.iter().map(|known| Certificate::of(known).name)).finish()
    }
}

/// What an endpoint, or a client, needs for signatures and encryption.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub own: Option<Arc<Identity>>,
    pub trust: Option<Trust>,
}
