//! Certificates and keys: the server's own, and those of trusted signers.

use super::fault;
use crate::service::Certificate;
use crate::soap::Fault;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslFiletype;
use openssl::stack::Stack;
use openssl::x509::store::{X509Lookup, X509Store, X509StoreBuilder, X509StoreBuilderRef};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509ExtendedKeyUsage, X509KeyUsage, X509StoreContext};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

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

/// Whose signatures are verified, which decides what their certificates must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signers {
    /// Callers that sign requests.
    Clients,
    /// Servers that sign replies.
    Servers,
}

/// Trusted signers: authorities and single certificates, and what was revoked of them. Clones share them.
#[derive(Clone)]
pub struct Trust {
    anchors: Arc<RwLock<Arc<Anchors>>>,
    signers: Signers,
}

struct Anchors {
    /// Checks revocation, if there are revocation lists.
    store: X509Store,
    /// Does not: a certificate that is listed itself is revoked by removing it.
    listed: X509Store,
    known: Vec<X509>,
}

impl Anchors {
    fn load(pem: &[u8], revoked: Option<&Path>) -> Result<Self, String> {
        let known = X509::stack_from_pem(pem).map_err(|e| first(&e))?;
        if known.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        let store = |revoked: Option<&Path>| {
            let mut builder = X509StoreBuilder::new()?;
            // A certificate that is listed itself needs no issuer.
            builder.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
            for certificate in &known {
                builder.add_cert(certificate.clone())?;
            }
            if let Some(path) = revoked {
                check_revocation(&mut builder, path)?;
            }
            Ok::<_, ErrorStack>(builder.build())
        };
        let listed = store(None).map_err(|e| first(&e))?;
        let store = match revoked {
            None => store(None).map_err(|e| first(&e))?,
            Some(path) => {
                store(revoked).map_err(|e| format!("the revocation list {}: {}", path.display(), first(&e)))?
            }
        };
        Ok(Self { store, listed, known })
    }
}

/// Has a store refuse certificates that the revocation lists of a PEM file name, and those whose issuers have no current list in it.
///
/// # Errors
/// Returns OpenSSL's errors if the file has no revocation list.
pub fn check_revocation(store: &mut X509StoreBuilderRef, path: &Path) -> Result<(), ErrorStack> {
    store.add_lookup(X509Lookup::file())?.load_crl_file(path, SslFiletype::PEM)?;
    store.set_flags(X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL)
}

impl Trust {
    /// Trusts the certificates of a PEM text: authorities, and single certificates.
    ///
    /// # Errors
    /// Returns a sentence on what is wrong with it.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        Self::load(pem, None)
    }

    /// The same, but for what the revocation lists of a PEM file name. There must be a list of every issuer, none of them expired.
    ///
    /// # Errors
    /// Returns a sentence on what is wrong with one of them.
    pub fn load(pem: &[u8], revoked: Option<&Path>) -> Result<Self, String> {
        let anchors = Arc::new(Anchors::load(pem, revoked)?);
        Ok(Self { anchors: Arc::new(RwLock::new(anchors)), signers: Signers::Clients })
    }

    /// Replaces what is trusted, for all clones.
    ///
    /// # Errors
    /// Returns a sentence on what is wrong; what was trusted before stays so.
    pub fn reload(&self, pem: &[u8], revoked: Option<&Path>) -> Result<(), String> {
        let anchors = Arc::new(Anchors::load(pem, revoked)?);
        *self.anchors.write().unwrap_or_else(PoisonError::into_inner) = anchors;
        Ok(())
    }

    /// For signatures of replies: certificates of servers are accepted, too.
    #[must_use]
    pub fn for_replies(self) -> Self {
        Self { signers: Signers::Servers, ..self }
    }

    fn anchors(&self) -> Arc<Anchors> {
        Arc::clone(&self.anchors.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Checks that a certificate is valid now, was issued by a trusted authority, is not revoked, and may sign messages.
    ///
    /// # Errors
    /// Returns the fault to answer with.
    pub(super) fn verify(&self, certificate: &X509) -> Result<(), Box<Fault>> {
        let refused = |why: &str| fault(&["FailedAuthentication"], &format!("The certificate is not trusted: {why}"));
        let anchors = self.anchors();
        let der = certificate.to_der().map_err(|_| refused("it cannot be read"))?;
        let is_listed = anchors.known.iter().any(|known| known.to_der().is_ok_and(|known| known == der));
        let store = if is_listed { &anchors.listed } else { &anchors.store };
        let verified = || {
            let chain = Stack::new()?;
            let mut context = X509StoreContext::new()?;
            context.init(store, certificate, &chain, |context| {
                let is_good = context.verify_cert()?;
                Ok((is_good, context.error()))
            })
        };
        match verified() {
            Ok((true, _)) => {}
            Ok((false, why)) => return Err(refused(why.error_string())),
            Err(_) => return Err(refused("it cannot be verified")),
        }
        if let Some(why) = self.forbidden_use(certificate) {
            return Err(refused(why));
        }
        let key = certificate.public_key().map_err(|_| refused("it has no key"))?;
        if key.rsa().is_ok() && key.bits() < LEAST_BITS {
            return Err(refused(&format!("its key has less than {LEAST_BITS} bits")));
        }
        Ok(())
    }

    /// Why a certificate may not sign messages. Its key usage, if it has one, must include digitalSignature or nonRepudiation; its
    /// extended key usage, if it has one, clientAuth, emailProtection or anyExtendedKeyUsage, for replies also serverAuth.
    fn forbidden_use(&self, certificate: &X509) -> Option<&'static str> {
        let signs = X509KeyUsage::DIGITAL_SIGNATURE | X509KeyUsage::NON_REPUDIATION;
        if certificate.key_usage().is_some_and(|usage| !usage.intersects(signs)) {
            return Some("its key usage does not include digital signatures");
        }
        let purposes = X509ExtendedKeyUsage::SSL_CLIENT | X509ExtendedKeyUsage::SMIME | X509ExtendedKeyUsage::ANYEKU;
        let purposes = match self.signers {
            Signers::Clients => purposes,
            Signers::Servers => purposes | X509ExtendedKeyUsage::SSL_SERVER,
        };
        if certificate.extended_key_usage().is_some_and(|usage| !usage.intersects(purposes)) {
            return Some("its extended key usage is for other purposes");
        }
        None
    }

    pub(super) fn known(&self) -> Vec<X509> {
        self.anchors().known.clone()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known().iter().map(|known| Certificate::of(known).name)).finish()
    }
}

/// What an endpoint, or a client, needs for signatures and encryption.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub own: Option<Arc<Identity>>,
    pub trust: Option<Trust>,
}
