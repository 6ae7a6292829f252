//! WS-Security 1.1: what a message says of who sends it, and until when it holds; signatures and encryption.

mod algorithm;
mod decrypt;
mod document;
mod header;
mod keys;
mod layout;
mod opened;
mod policy;
mod protect;
mod token;
mod verify;

pub use header::{Password, Security, Timestamp, UsernameToken};
pub use keys::{Identity, Keys, Trust, check_revocation};
pub use opened::{Opened, is_secured};
pub use policy::{Policy, Username};
pub use protect::{Credentials, ProtectError, Protection};

use super::{Fault, StandardCode};
use crate::service::{Caller, Certificate};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use openssl::hash::{Hasher, MessageDigest};
use std::net::IpAddr;
use std::sync::Arc;

/// The namespaces of WS-Security and of its utilities.
pub const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
pub(crate) const WSU: &str = crate::xml::WSU;

/// How far clocks may be apart.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// How long a message holds that does not say it.
const HOLDS: TimeDelta = TimeDelta::minutes(5);

/// Authenticates callers by what their messages say. It counts failed attempts, records them in its log, and rejects callers who have
/// too many.
pub trait Authenticator: Send + Sync {
    /// The user with that name and password, if they are right. May wait for its turn.
    ///
    /// # Errors
    /// Returns a fault if it cannot be found out now, or too many attempts are in progress.
    fn by_password(&self, name: &str, password: &str, peer: Option<IpAddr>) -> Result<Option<Caller>, Box<Fault>>;

    /// The user with that name, if `is_right` returns true for the secret of their digests. It is called in any case, with an invalid
    /// secret for unknown users.
    ///
    /// # Errors
    /// Returns a fault if it cannot be found out now.
    fn by_digest(
        &self,
        name: &str,
        is_right: &dyn Fn(&str) -> bool,
        peer: Option<IpAddr>,
    ) -> Result<Option<Caller>, Box<Fault>>;

    /// The user with that certificate, which was verified.
    ///
    /// # Errors
    /// Returns a fault if it cannot be found out now.
    fn by_certificate(&self, certificate: &Certificate, peer: Option<IpAddr>) -> Result<Option<Caller>, Box<Fault>>;

    /// Stores a nonce until then. Returns false if it was there before, so that the message is a replay.
    ///
    /// # Errors
    /// Returns a fault if it cannot be stored.
    fn is_new(&self, nonce: &str, until: DateTime<Utc>) -> Result<bool, Box<Fault>>;
}

/// An authenticator, or none.
#[derive(Clone, Default)]
pub struct Authentication(pub Option<Arc<dyn Authenticator>>);

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Authentication" } else { "None" })
    }
}

/// A fault with a code of WS-Security. It says no more than the specification wants: who guesses learns nothing.
fn fault(codes: &'static [&'static str], message: &str) -> Box<Fault> {
    let mut fault = Fault::sender("soap.security", 401, message);
    fault.standard = Some(Box::new(StandardCode { namespace: WSSE, prefix: "wsse", codes, detail: String::new() }));
    Box::new(fault)
}

fn expired() -> Box<Fault> {
    let mut fault = Fault::sender("soap.security", 401, "The message has expired, or is from the future");
    let codes = &["MessageExpired"];
    fault.standard = Some(Box::new(StandardCode { namespace: WSU, prefix: "wsu", codes, detail: String::new() }));
    Box::new(fault)
}

impl Security {
    /// Sees to it that the message holds now.
    ///
    /// # Errors
    /// The fault that says that it does not.
    pub(crate) fn holds(&self, now: DateTime<Utc>) -> Result<(), Box<Fault>> {
        self.timestamp.as_ref().map_or(Ok(()), |timestamp| timestamp.holds(now))
    }

    /// Sees to it that the message holds now, and finds out who sends it: by name, or else by the certificate that it
    /// was signed with. None: it does not say.
    ///
    /// # Errors
    /// The fault to answer with.
    pub fn caller(
        &self,
        opened: Option<&Opened>,
        authentication: &dyn Authenticator,
        (is_secure, peer): (bool, Option<IpAddr>),
        now: DateTime<Utc>,
    ) -> Result<Option<Caller>, Box<Fault>> {
        self.holds(now)?;
        let signed_by = opened.and_then(|opened| opened.signer.as_ref().zip(opened.digest));
        if let Some((_, digest)) = signed_by {
            // A signature covers a timestamp, so that it need not be remembered forever.
            let until = self.timestamp.as_ref().map_or(now + HOLDS, Timestamp::end) + SKEW;
            if !authentication.is_new(&format!("signature\n{}", STANDARD.encode(digest)), until)? {
                return Err(fault(&["InvalidSecurity"], "The message was there before"));
            }
        }
        let Some(token) = &self.token else {
            return match signed_by {
                Some((signer, _)) => authentication.by_certificate(&Certificate::of(signer), peer),
                None => Ok(None),
            };
        };
        let found = match &token.password {
            Password::Text(_) if !is_secure => {
                let message = "A password goes over TLS only; without TLS send a digest of it";
                return Err(fault(&["FailedAuthentication"], message));
            }
            Password::Text(password) => authentication.by_password(&token.name, password, peer)?,
            Password::Digest(digest) => token.by_digest(digest, authentication, peer, now)?,
        };
        if found.is_none() {
            return Err(fault(&["FailedAuthentication"], "The name or the password in the message is wrong"));
        }
        Ok(found)
    }
}

impl Timestamp {
    /// Until when the message holds.
    fn end(&self) -> DateTime<Utc> {
        self.expires.unwrap_or(self.created + HOLDS)
    }

    fn holds(&self, now: DateTime<Utc>) -> Result<(), Box<Fault>> {
        let expires = self.end();
        if self.created > now + SKEW || expires + SKEW < now || expires < self.created {
            return Err(expired());
        }
        Ok(())
    }
}

impl UsernameToken {
    /// Who made the digest (UsernameToken Profile 1.1.1, section 3.1).
    fn by_digest(
        &self,
        digest: &str,
        authentication: &dyn Authenticator,
        peer: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Option<Caller>, Box<Fault>> {
        let invalid = |message: &str| fault(&["InvalidSecurityToken"], message);
        let (Some(nonce), Some(created)) = (&self.nonce, &self.created) else {
            return Err(invalid("A password's digest needs a Nonce and the time when it was Created"));
        };
        let at = header::time(created).ok_or_else(|| invalid("Created is no time"))?;
        Timestamp { created: at, expires: None }.holds(now)?;
        let bytes = STANDARD.decode(nonce).map_err(|_| invalid("The Nonce is not base64"))?;
        let is_right = |secret: &str| {
            let made = digest_of(&bytes, created, secret).unwrap_or_default();
            !made.is_empty() && made.len() == digest.len() && openssl::memcmp::eq(made.as_bytes(), digest.as_bytes())
        };
        let Some(caller) = authentication.by_digest(&self.name, &is_right, peer)? else { return Ok(None) };
        // Only what is right is remembered: nobody can fill the memory with nonsense.
        if !authentication.is_new(&format!("{}\n{nonce}", self.name), at + HOLDS + SKEW)? {
            return Err(invalid("The message was there before"));
        }
        Ok(Some(caller))
    }
}

/// `Base64(SHA-1(nonce + created + password))`.
fn digest_of(nonce: &[u8], created: &str, secret: &str) -> Result<String, openssl::error::ErrorStack> {
    let mut hasher = Hasher::new(MessageDigest::sha1())?;
    hasher.update(nonce)?;
    hasher.update(created.as_bytes())?;
    hasher.update(secret.as_bytes())?;
    Ok(STANDARD.encode(hasher.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Permissions;
    use crate::soap::{Envelope, Limits};
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    #[derive(Debug)]
    struct Anna;

    impl Permissions for Anna {
        fn name(&self) -> &str {
            "anna"
        }

        fn allows(&self, _service: &str, _operation: &str) -> bool {
            true
        }
    }

    #[derive(Default)]
    struct Known(Mutex<BTreeSet<String>>);

    impl Authenticator for Known {
        fn by_password(&self, name: &str, password: &str, _: Option<IpAddr>) -> Result<Option<Caller>, Box<Fault>> {
            Ok((name == "anna" && password == "sesame").then(|| Caller(Arc::new(Anna))))
        }

        fn by_digest(
            &self,
            name: &str,
            is_right: &dyn Fn(&str) -> bool,
            _: Option<IpAddr>,
        ) -> Result<Option<Caller>, Box<Fault>> {
            Ok((is_right("sesame") && name == "anna").then(|| Caller(Arc::new(Anna))))
        }

        fn by_certificate(&self, certificate: &Certificate, _: Option<IpAddr>) -> Result<Option<Caller>, Box<Fault>> {
            Ok((certificate.name == "anna").then(|| Caller(Arc::new(Anna))))
        }

        fn is_new(&self, nonce: &str, _until: DateTime<Utc>) -> Result<bool, Box<Fault>> {
            Ok(self.0.lock().unwrap().insert(nonce.to_owned()))
        }
    }

    fn judged(known: &Known, content: &str, is_secure: bool) -> Result<Option<String>, String> {
        let text = format!(
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header><o:Security xmlns:o='{WSSE}' xmlns:u='{WSU}'>{content}</o:Security></s:Header><s:Body/></s:Envelope>"
        );
        let envelope = Envelope::parse(&text, &Limits::default()).unwrap();
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let code = |fault: Box<Fault>| fault.standard.map_or_else(String::new, |s| s.codes.concat());
        let security = Security::of(&envelope.headers, false).map_err(code)?.unwrap();
        let caller = security.caller(None, known, (is_secure, None), now).map_err(code)?;
        Ok(caller.map(|caller| caller.0.name().to_owned()))
    }

    fn token(password: &str) -> String {
        format!("<o:UsernameToken><o:Username>anna</o:Username>{password}</o:UsernameToken>")
    }

    #[test]
    fn what_a_client_writes_is_taken() {
        let known = Known::default();
        let now = Utc::now();
        for (as_digest, secret, wanted) in
            [(true, "sesame", Some("anna")), (false, "sesame", Some("anna")), (true, "<wrong>", None)]
        {
            let (name, secret) = ("anna".to_owned(), secret.to_owned());
            let credentials = Some(Credentials { name, secret, as_digest });
            let protection = Protection { credentials, ..Protection::default() };
            let text = protection.applied(&crate::soap::Version::Soap12.wrap(""), now).unwrap();
            let envelope = Envelope::parse(&text, &Limits::default()).unwrap();
            assert!(envelope.headers.0[0].must_understand);
            let security = Security::of(&envelope.headers, false).unwrap().unwrap();
            let found = security.caller(None, &known, (true, None), now).ok().flatten();
            assert_eq!(found.as_ref().map(|caller| caller.0.name()), wanted);
        }
    }

    #[test]
    fn passwords_go_over_tls_only() {
        let known = Known::default();
        let right = token("<o:Password>sesame</o:Password>");
        assert_eq!(judged(&known, &right, true), Ok(Some("anna".to_owned())));
        assert_eq!(judged(&known, &right, false), Err("FailedAuthentication".to_owned()));
        assert_eq!(judged(&known, &right.replace("sesame", "x"), true), Err("FailedAuthentication".to_owned()));
        assert_eq!(judged(&known, "", false), Ok(None));
    }

    #[test]
    fn a_digest_is_taken_once() {
        let known = Known::default();
        let digest = |created: &str, secret: &str| {
            let digest = digest_of(b"nonce", created, secret).unwrap();
            let kind =
                "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
            token(&format!(
                "<o:Password Type='{kind}'>{digest}</o:Password><o:Nonce>bm9uY2U=</o:Nonce><u:Created>{created}</u:Created>"
            ))
        };
        let now = "2026-11-24T11:59:00Z";
        assert_eq!(judged(&known, &digest(now, "wrong"), false), Err("FailedAuthentication".to_owned()));
        assert_eq!(judged(&known, &digest(now, "sesame"), false), Ok(Some("anna".to_owned())));
        assert_eq!(judged(&known, &digest(now, "sesame"), false), Err("InvalidSecurityToken".to_owned()));
        assert_eq!(judged(&known, &digest("2026-11-24T11:00:00Z", "sesame"), false), Err("MessageExpired".to_owned()));
        let without = digest(now, "sesame").replace("bm9uY2U=", "");
        assert_eq!(judged(&known, &without, false), Err("InvalidSecurityToken".to_owned()));
    }

    #[test]
    fn a_message_holds_for_a_while() {
        let known = Known::default();
        let stamp = |created: &str, expires: &str| {
            format!("<u:Timestamp><u:Created>{created}</u:Created><u:Expires>{expires}</u:Expires></u:Timestamp>")
        };
        let judged = |content: &str| judged(&known, content, false);
        assert_eq!(judged(&stamp("2026-11-24T11:58:00Z", "2026-11-24T12:03:00.123Z")), Ok(None));
        for (created, expires) in [
            ("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"),
            ("2026-11-24T12:30:00Z", "2026-11-24T12:40:00Z"),
            ("2026-11-24T12:01:00Z", "2026-11-24T11:59:00Z"),
        ] {
            assert_eq!(judged(&stamp(created, expires)), Err("MessageExpired".to_owned()), "{created} {expires}");
        }
        assert_eq!(judged(&stamp("yesterday", "")), Err("InvalidSecurity".to_owned()));
        let stamped = stamp("2026-11-24T12:00:00Z", "2026-11-24T12:05:00Z");
        assert_eq!(judged(&(stamped.clone() + &stamped)), Err("InvalidSecurity".to_owned()));
    }

    #[test]
    fn what_we_do_not_speak_is_told() {
        let known = Known::default();
        let kind = token("<o:Password Type='urn:x#PasswordPlain'>x</o:Password>");
        assert_eq!(judged(&known, &kind, true), Err("UnsupportedSecurityToken".to_owned()));
        assert_eq!(
            judged(&known, "<o:BinarySecurityToken>AAAA</o:BinarySecurityToken>", true),
            Err("UnsupportedSecurityToken".to_owned())
        );
        assert_eq!(
            judged(&known, "<e:EncryptedKey xmlns:e='http://www.w3.org/2001/04/xmlenc#'/>", true),
            Err("UnsupportedSecurityToken".to_owned())
        );
    }
}
