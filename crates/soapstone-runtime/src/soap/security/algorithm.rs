//! The algorithms that are spoken, by the names that XML Signature and XML Encryption have for them. What is weak is not
//! among them: SHA-1 and MD5, keys that both sides share, ciphers that do not notice changes, RSA 1.5 for keys.

use super::fault;
use crate::soap::Fault;
use openssl::hash::MessageDigest;
use openssl::pkey::Id;
use openssl::symm::Cipher;

/// XML Signature.
pub(super) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Encryption 1.0 and 1.1.
pub(super) const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
pub(super) const XENC_11: &str = "http://www.w3.org/2009/xmlenc11#";
/// Exclusive XML Canonicalization, which is also its namespace.
pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

pub(super) const SHA_256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
pub(super) const RSA_SHA_256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub(super) const RSA_OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const RSA_OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
pub(super) const AES_256_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const AES_128_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
pub(super) const MGF1_SHA_256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";

fn unsupported(kind: &str, name: Option<&str>, spoken: &str) -> Box<Fault> {
    let name = name.unwrap_or("none");
    fault(&["UnsupportedAlgorithm"], &format!("The {kind} {name} is not taken here; use {spoken}"))
}

/// A digest (XML Signature 1.1, section 6.2).
///
/// # Errors
/// The fault for another.
pub(super) fn digest(name: Option<&str>) -> Result<MessageDigest, Box<Fault>> {
    match name {
        Some(SHA_256) => Ok(MessageDigest::sha256()),
        Some("http://www.w3.org/2001/04/xmldsig-more#sha384") => Ok(MessageDigest::sha384()),
        Some("http://www.w3.org/2001/04/xmlenc#sha512") => Ok(MessageDigest::sha512()),
        _ => Err(unsupported("digest", name, "SHA-256, SHA-384 or SHA-512")),
    }
}

/// How a signature is made: with which kind of key, of which digest (XML Signature 1.1, section 6.4).
///
/// # Errors
/// The fault for another.
pub(super) fn signature(name: Option<&str>) -> Result<(Id, MessageDigest), Box<Fault>> {
    let short = name.and_then(|name| name.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#"));
    match short {
        Some("rsa-sha256") => Ok((Id::RSA, MessageDigest::sha256())),
        Some("rsa-sha384") => Ok((Id::RSA, MessageDigest::sha384())),
        Some("rsa-sha512") => Ok((Id::RSA, MessageDigest::sha512())),
        Some("ecdsa-sha256") => Ok((Id::EC, MessageDigest::sha256())),
        Some("ecdsa-sha384") => Ok((Id::EC, MessageDigest::sha384())),
        Some("ecdsa-sha512") => Ok((Id::EC, MessageDigest::sha512())),
        _ => Err(unsupported("signature", name, "rsa-sha256 or ecdsa-sha256, or those with SHA-384 or SHA-512")),
    }
}

/// A cipher for content (XML Encryption 1.1, section 5.2.4).
///
/// # Errors
/// The fault for another.
pub(super) fn cipher(name: Option<&str>) -> Result<Cipher, Box<Fault>> {
    match name {
        Some(AES_128_GCM) => Ok(Cipher::aes_128_gcm()),
        Some(AES_256_GCM) => Ok(Cipher::aes_256_gcm()),
        _ => Err(unsupported("cipher", name, "aes128-gcm or aes256-gcm")),
    }
}

/// How a key is encrypted: RSA-OAEP with its digest and the digest of its mask (XML Encryption 1.1, section 5.5.2).
///
/// # Errors
/// The fault for another.
pub(super) fn key_transport(
    name: Option<&str>,
    digest_name: Option<&str>,
    mask: Option<&str>,
) -> Result<(MessageDigest, MessageDigest), Box<Fault>> {
    if !matches!(name, Some(RSA_OAEP | RSA_OAEP_MGF1P)) {
        return Err(unsupported("key transport", name, "rsa-oaep or rsa-oaep-mgf1p"));
    }
    // Within OAEP, SHA-1 has to be no more than random.
    let hash = match digest_name {
        None | Some("http://www.w3.org/2000/09/xmldsig#sha1") => MessageDigest::sha1(),
        other => digest(other)?,
    };
    let mask = match mask.filter(|_| name == Some(RSA_OAEP)) {
        None | Some("http://www.w3.org/2009/xmlenc11#mgf1sha1") => MessageDigest::sha1(),
        Some(MGF1_SHA_256) => MessageDigest::sha256(),
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha384") => MessageDigest::sha384(),
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha512") => MessageDigest::sha512(),
        other => return Err(unsupported("mask", other, "mgf1sha256")),
    };
    Ok((hash, mask))
}
