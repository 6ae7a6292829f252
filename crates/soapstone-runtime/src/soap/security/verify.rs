//! Verifies signatures (XML Signature 1.1, section 3.2, with what WS-Security 1.1 makes of it in section 8).
//!
//! A signature says which elements it covers by their IDs, and anybody on the way may put elements in other places. So
//! an ID may stand once, and what counts as signed is an element in its place: the body, a block of the header.

use super::algorithm::{self, DS, EXCLUSIVE};
use super::document::{Message, Part};
use super::keys::Trust;
use super::token::{Named, decoded, unavailable};
use super::{WSSE, fault};
use crate::soap::Fault;
use crate::xml::Element;
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{Id, PKey, Public};
use openssl::sha::sha256;
use openssl::sign::Verifier;
use openssl::x509::X509;

/// How much one signature may cover: more is work for us, and of no use.
const MAX_REFERENCES: usize = 24;

/// How many prefixes may be kept beside those that are used.
const MAX_PREFIXES: usize = 64;

/// The transform that goes from a reference to the token itself (WS-Security 1.1, section 8.3).
const TO_TOKEN: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform";

/// A signature that was found good.
pub(super) struct Verified {
    pub signer: X509,
    pub parts: Vec<Part>,
    /// What another message with the same signature would have as well.
    pub digest: [u8; 32],
}

/// Verifies a signature.
///
/// # Errors
/// The fault to answer with.
pub(super) fn verified(signature: Element<'_>, message: &Message<'_>, trust: &Trust) -> Result<Verified, Box<Fault>> {
    let broken = |what: &str| fault(&["InvalidSecurity"], &format!("The signature is not complete: {what}"));
    let info = signature.only(DS, "SignedInfo").ok_or_else(|| broken("there must be one SignedInfo"))?;
    let value = signature.only(DS, "SignatureValue").ok_or_else(|| broken("there must be one SignatureValue"))?;
    let key_info = signature.only(DS, "KeyInfo").ok_or_else(|| broken("there must be one KeyInfo"))?;
    let method = info.only(DS, "SignatureMethod").and_then(|method| method.attribute("", "Algorithm"));
    let (kind, digest) = algorithm::signature(method.as_deref())?;
    let canonical =
        info.only(DS, "CanonicalizationMethod").ok_or_else(|| broken("there is no CanonicalizationMethod"))?;
    let signed_info = info.canonical(&prefixes(canonical)?).ok_or_else(failed)?;
    let named = Named::by(key_info, message)?;
    let signer = named.find(&trust.known()).ok_or_else(|| unavailable("The signer's certificate is not known here"))?;
    trust.verify(&signer)?;
    let key = signer.public_key().map_err(|_| failed())?;
    // A key is used for what it is, whatever the message says.
    if key.id() != kind || !is_right(&key, digest, &signed_info, &decoded(&value.text())?) {
        return Err(failed());
    }
    let mut parts = Vec::new();
    for reference in info.children().filter(|child| child.is(DS, "Reference")) {
        if parts.len() == MAX_REFERENCES {
            return Err(fault(&["InvalidSecurity"], &format!("The signature covers more than {MAX_REFERENCES} parts")));
        }
        parts.push(covered(reference, message)?);
    }
    // The certificate belongs to it, as two may have the same key.
    let mut identity = signer.to_der().map_err(|_| failed())?;
    identity.extend_from_slice(&signed_info);
    Ok(Verified { signer, parts, digest: sha256(&identity) })
}

fn failed() -> Box<Fault> {
    fault(&["FailedCheck"], "The signature is wrong: the message was changed, or signed by another key")
}

/// The prefixes that exclusive canonical XML keeps beside those that are used.
fn prefixes(method: Element<'_>) -> Result<Vec<String>, Box<Fault>> {
    let name = method.attribute("", "Algorithm");
    if name.as_deref() != Some(EXCLUSIVE) {
        let message = format!(
            "The transform {} is not taken here: exclusive canonical XML without comments is ({EXCLUSIVE})",
            name.as_deref().unwrap_or("none")
        );
        return Err(fault(&["UnsupportedAlgorithm"], &message));
    }
    let list = method.only(EXCLUSIVE, "InclusiveNamespaces").and_then(|list| list.attribute("", "PrefixList"));
    let prefix = |prefix: &str| if prefix == "#default" { String::new() } else { prefix.to_owned() };
    let prefixes: Vec<String> = list.unwrap_or_default().split_ascii_whitespace().map(prefix).collect();
    if prefixes.len() > MAX_PREFIXES {
        return Err(fault(&["InvalidSecurity"], &format!("A PrefixList has more than {MAX_PREFIXES} prefixes")));
    }
    Ok(prefixes)
}

/// The part that a reference covers, if it is as it was when it was signed.
fn covered(reference: Element<'_>, message: &Message<'_>) -> Result<Part, Box<Fault>> {
    let uri = reference.attribute("", "URI").unwrap_or_default();
    let unknown =
        || fault(&["InvalidSecurity"], &format!("The signature covers \"{uri}\", which is not in the message"));
    let element = message.referred(&uri).filter(|element| !message.is_whole(*element)).ok_or_else(unknown)?;
    let transforms: Vec<Element<'_>> = match reference.only(DS, "Transforms") {
        Some(transforms) => transforms.children().collect(),
        None => Vec::new(),
    };
    // One: nothing else is to be understood, and nothing can loop.
    let [transform] = transforms.as_slice() else {
        return Err(fault(&["UnsupportedAlgorithm"], "Each reference has one transform: exclusive canonical XML"));
    };
    let octets = if transform.attribute("", "Algorithm").as_deref() == Some(TO_TOKEN) {
        token_octets(*transform, element, message)?
    } else {
        element.canonical(&prefixes(*transform)?).ok_or_else(failed)?
    };
    let method = reference.only(DS, "DigestMethod").and_then(|method| method.attribute("", "Algorithm"));
    let digest = algorithm::digest(method.as_deref())?;
    let wanted = reference.only(DS, "DigestValue").map(|value| decoded(&value.text())).transpose()?.unwrap_or_default();
    let found = hash(digest, &octets).map_err(|_| failed())?;
    let is_same = found.len() == wanted.len() && openssl::memcmp::eq(&found, &wanted);
    if is_same { Ok(message.part(element)) } else { Err(failed()) }
}

/// The token that a SecurityTokenReference means, as it is signed.
fn token_octets(transform: Element<'_>, reference: Element<'_>, message: &Message<'_>) -> Result<Vec<u8>, Box<Fault>> {
    let method = transform.only(WSSE, "TransformationParameters");
    let method = method.and_then(|parameters| parameters.only(DS, "CanonicalizationMethod"));
    let prefixes = prefixes(method.ok_or_else(failed)?)?;
    let uri = reference.only(WSSE, "Reference").and_then(|direct| direct.attribute("", "URI"));
    let token = uri.as_deref().and_then(|uri| message.referred(uri)).filter(|token| message.is_in_block(*token));
    let token = token.ok_or_else(|| unavailable("The signature covers a token that is not in the header"))?;
    let canonical = String::from_utf8(token.canonical(&prefixes).ok_or_else(failed)?).map_err(|_| failed())?;
    // Its first tag says that there is no default namespace, where there is none.
    let tag_end = canonical.find('>').unwrap_or(0);
    if canonical[..tag_end].contains(" xmlns=\"") {
        return Ok(canonical.into_bytes());
    }
    let name_end = canonical.find([' ', '>']).unwrap_or(0);
    Ok(format!("{} xmlns=\"\"{}", &canonical[..name_end], &canonical[name_end..]).into_bytes())
}

fn is_right(key: &PKey<Public>, digest: MessageDigest, signed: &[u8], value: &[u8]) -> bool {
    let verify = |value: &[u8]| {
        Verifier::new(digest, key).and_then(|mut verifier| verifier.verify_oneshot(value, signed)).unwrap_or(false)
    };
    if key.id() != Id::EC {
        return verify(value);
    }
    // XML Signature has both numbers one after the other, openssl wants them in ASN.1.
    if value.is_empty() || !value.len().is_multiple_of(2) {
        return false;
    }
    let (r, s) = value.split_at(value.len() / 2);
    let number = |bytes: &[u8]| BigNum::from_slice(bytes);
    let pair = number(r).and_then(|r| EcdsaSig::from_private_components(r, number(s)?)).and_then(|pair| pair.to_der());
    pair.is_ok_and(|der| verify(&der))
}
