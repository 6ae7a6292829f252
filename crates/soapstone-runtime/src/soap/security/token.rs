//! Which certificate a signature, or a key, names (X.509 Token Profile 1.1.1).

use super::algorithm::DS;
use super::document::Message;
use super::{WSSE, fault};
use crate::soap::Fault;
use crate::xml::Element;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::x509::{X509, X509Ref};

/// The kinds of tokens, and of what they are known by.
pub(super) const X509_V3: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
pub(super) const THUMBPRINT: &str = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1";
const SUBJECT_KEY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509SubjectKeyIdentifier";
pub(super) const BASE_64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// A certificate as a message names it.
pub(super) enum Named {
    /// It is in the message.
    Whole(Box<X509>),
    Thumbprint(Vec<u8>),
    SubjectKey(Vec<u8>),
    /// A number that its issuer gave. The issuer's name can be written in many ways; as only certificates that are
    /// trusted anyway are looked at, the number is enough.
    Serial(String),
}

impl Named {
    /// Reads `ds:KeyInfo`. Keys that are not certificates are not taken: nobody vouches for them.
    ///
    /// # Errors
    /// The fault for what cannot be read, or is not spoken.
    pub fn by(key_info: Element<'_>, message: &Message<'_>) -> Result<Self, Box<Fault>> {
        let mut children = key_info.children();
        let (Some(child), None) = (children.next(), children.next()) else {
            return Err(invalid("KeyInfo must name one certificate"));
        };
        if child.is(DS, "X509Data") {
            return Self::by_data(child);
        }
        if !child.is(WSSE, "SecurityTokenReference") {
            let message = format!("A key cannot be named by {}: a reference to a certificate is taken", child.local());
            return Err(fault(&["UnsupportedSecurityToken"], &message));
        }
        let mut children = child.children();
        let (Some(reference), None) = (children.next(), children.next()) else {
            return Err(invalid("A SecurityTokenReference must name one certificate"));
        };
        match (reference.namespace(), reference.local()) {
            (WSSE, "Reference") => {
                let uri = reference.attribute("", "URI").unwrap_or_default();
                let token = message.referred(&uri).filter(|token| message.is_in_block(*token));
                Self::whole(token.ok_or_else(|| unavailable("The token that is referred to is not in the header"))?)
            }
            (WSSE, "KeyIdentifier") => {
                let bytes = || decoded(&reference.text());
                match reference.attribute("", "ValueType").as_deref() {
                    Some(X509_V3) => certificate(&bytes()?),
                    Some(THUMBPRINT) => bytes().map(Self::Thumbprint),
                    Some(SUBJECT_KEY) => bytes().map(Self::SubjectKey),
                    other => {
                        let message = format!("A certificate cannot be named by {}", other.unwrap_or("nothing"));
                        Err(fault(&["UnsupportedSecurityToken"], &message))
                    }
                }
            }
            (WSSE, "Embedded") => {
                let token = reference.children().next().ok_or_else(|| invalid("There is no token in Embedded"))?;
                Self::whole(token)
            }
            (DS, "X509Data") => Self::by_data(reference),
            (_, other) => {
                let message = format!("A certificate cannot be named by {other}");
                Err(fault(&["UnsupportedSecurityToken"], &message))
            }
        }
    }

    fn by_data(data: Element<'_>) -> Result<Self, Box<Fault>> {
        if let Some(element) = data.only(DS, "X509Certificate") {
            return certificate(&decoded(&element.text())?);
        }
        if let Some(serial) = data.only(DS, "X509IssuerSerial").and_then(|pair| pair.only(DS, "X509SerialNumber")) {
            return Ok(Self::Serial(serial.text().trim().to_owned()));
        }
        if let Some(element) = data.only(DS, "X509SKI") {
            return decoded(&element.text()).map(Self::SubjectKey);
        }
        Err(invalid("X509Data must have one certificate, issuer with number, or key identifier"))
    }

    fn whole(token: Element<'_>) -> Result<Self, Box<Fault>> {
        let kind = token.attribute("", "ValueType");
        let encoding = token.attribute("", "EncodingType");
        let is_certificate = token.is(WSSE, "BinarySecurityToken")
            && kind.as_deref() == Some(X509_V3)
            && encoding.as_deref().is_none_or(|encoding| encoding == BASE_64);
        if !is_certificate {
            let message = "A token must be a BinarySecurityToken of the type X509v3, in Base64Binary";
            return Err(fault(&["UnsupportedSecurityToken"], message));
        }
        certificate(&decoded(&token.text())?)
    }

    /// The certificate that is meant, where it is in the message or among those.
    pub fn find(self, known: &[X509]) -> Option<X509> {
        if let Self::Whole(certificate) = self {
            return Some(*certificate);
        }
        known.iter().find(|candidate| self.means(candidate)).cloned()
    }

    /// Whether it means that certificate.
    pub fn means(&self, certificate: &X509Ref) -> bool {
        match self {
            Self::Whole(whole) => whole.to_der().is_ok_and(|own| certificate.to_der().is_ok_and(|der| der == own)),
            Self::Thumbprint(bytes) => certificate.digest(MessageDigest::sha1()).is_ok_and(|d| *d == **bytes),
            Self::SubjectKey(bytes) => certificate.subject_key_id().is_some_and(|id| id.as_slice() == bytes),
            Self::Serial(number) => {
                let own = certificate.serial_number().to_bn().and_then(|number| number.to_dec_str());
                own.is_ok_and(|own| &**own == number.as_str())
            }
        }
    }
}

fn certificate(der: &[u8]) -> Result<Named, Box<Fault>> {
    let certificate = X509::from_der(der).map_err(|_| invalid("The certificate cannot be read"))?;
    Ok(Named::Whole(Box::new(certificate)))
}

fn invalid(message: &str) -> Box<Fault> {
    fault(&["InvalidSecurityToken"], message)
}

pub(super) fn unavailable(message: &str) -> Box<Fault> {
    fault(&["SecurityTokenUnavailable"], message)
}

/// Bytes in base64, which may be broken into lines.
///
/// # Errors
/// The fault for what is none.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, Box<Fault>> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(text).map_err(|_| fault(&["InvalidSecurity"], "A value of the security header is not base64"))
}
