//! Secures a message on its way out: who sends it, a signature, encryption.

use super::algorithm::{AES_256_GCM, DS, EXCLUSIVE, MGF1_SHA_256, RSA_OAEP, RSA_SHA_256, SHA_256, XENC, XENC_11};
use super::keys::Identity;
use super::layout::Layout;
use super::token::{BASE_64, THUMBPRINT, X509_V3};
use super::{HOLDS, WSU, digest_of};
use crate::xml::{Tree, escape_text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use openssl::ecdsa::EcdsaSig;
use openssl::encrypt::Encrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::Id;
use openssl::rand::rand_bytes;
use openssl::rsa::Padding;
use openssl::sha::sha256;
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt_aead};
use openssl::x509::X509;
use std::fmt;
use std::sync::Arc;

const PASSWORD: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0";
const ECDSA: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha";

/// Who a client says that it is, in every message.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub name: String,
    pub secret: String,
    /// Whether a digest of the secret is sent, and not itself.
    pub as_digest: bool,
}

impl fmt::Debug for Credentials {
    /// Secrets are for no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("name", &self.name).field("as_digest", &self.as_digest).finish()
    }
}

/// What a message is secured with. Each holds for a few minutes, and once.
#[derive(Clone, Debug, Default)]
pub struct Protection {
    pub credentials: Option<Credentials>,
    /// Who signs the body, the header and the time.
    pub signer: Option<Arc<Identity>>,
    /// Who alone can open the body.
    pub receiver: Option<X509>,
}

/// Why a message cannot be secured.
#[derive(Debug)]
pub enum ProtectError {
    /// It is no envelope as we write them.
    Envelope,
    Crypto(ErrorStack),
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope => f.write_str("the message is no envelope that can be secured"),
            Self::Crypto(error) => write!(f, "openssl: {error}"),
        }
    }
}

impl std::error::Error for ProtectError {}

impl From<ErrorStack> for ProtectError {
    fn from(error: ErrorStack) -> Self {
        Self::Crypto(error)
    }
}

impl Protection {
    /// Whether it changes anything.
    pub fn is_none(&self) -> bool {
        self.credentials.is_none() && self.signer.is_none() && self.receiver.is_none()
    }

    /// An envelope with a header block `wsse:Security`.
    ///
    /// # Errors
    /// If it is no envelope, or openssl does not do it.
    pub fn applied(&self, envelope: &str, now: DateTime<Utc>) -> Result<String, ProtectError> {
        if self.is_none() {
            return Ok(envelope.to_owned());
        }
        let layout = Layout::of(envelope).ok_or(ProtectError::Envelope)?;
        let unique = crate::http::request_id();
        let id = |what: &str| format!("{what}-{unique}");
        let mut signed = vec![id("time")];
        let mut block = format!("<wsse:Security {}:mustUnderstand=\"1\">", layout.prefix);
        // What is here is known before anything is signed.
        let after_keys = block.len();
        if let Some(signer) = &self.signer {
            block.push_str(&token(signer, &id("token"))?);
            signed.push(id("token"));
        }
        block.push_str(&timestamp(now, &id("time")));
        if let Some(credentials) = &self.credentials {
            block.push_str(&username_token(credentials, now, &id("user"))?);
            signed.push(id("user"));
        }
        let (head, body) = layout.with_ids(envelope, &unique, &mut signed);
        let whole = |block: &str, content: &str| {
            [&head.before_block, block, "</wsse:Security>", &head.after_block, &body.start, content, &body.end].concat()
        };
        if let Some(signer) = &self.signer {
            let signature = signature(&whole(&block, body.content), &signed, signer, &id("token"))?;
            block.push_str(&signature);
        }
        let Some(receiver) = &self.receiver else { return Ok(whole(&block, body.content)) };
        let (key, data) = encrypted(body.content, receiver, &unique)?;
        // Whoever reads it opens the body first.
        block.insert_str(after_keys, &key);
        Ok(whole(&block, &data))
    }
}

fn timestamp(now: DateTime<Utc>, id: &str) -> String {
    let (created, expires) = (written(now), written(now + HOLDS));
    format!(
        "<wsu:Timestamp wsu:Id=\"{id}\"><wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>"
    )
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn username_token(credentials: &Credentials, now: DateTime<Utc>, id: &str) -> Result<String, ErrorStack> {
    let created = written(now);
    let mut nonce = [0; 16];
    rand_bytes(&mut nonce)?;
    let mut text = format!("<wsse:UsernameToken wsu:Id=\"{id}\"><wsse:Username>");
    escape_text(&credentials.name, &mut text);
    let kind = if credentials.as_digest { "PasswordDigest" } else { "PasswordText" };
    text.push_str(&format!("</wsse:Username><wsse:Password Type=\"{PASSWORD}#{kind}\">"));
    if credentials.as_digest {
        text.push_str(&digest_of(&nonce, &created, &credentials.secret)?);
    } else {
        escape_text(&credentials.secret, &mut text);
    }
    text.push_str(&format!(
        "</wsse:Password><wsse:Nonce EncodingType=\"{BASE_64}\">{}</wsse:Nonce><wsu:Created>{created}</wsu:Created>\
         </wsse:UsernameToken>",
        STANDARD.encode(nonce)
    ));
    Ok(text)
}

fn token(signer: &Identity, id: &str) -> Result<String, ErrorStack> {
    let certificate = STANDARD.encode(signer.certificate.to_der()?);
    Ok(format!(
        "<wsse:BinarySecurityToken wsu:Id=\"{id}\" EncodingType=\"{BASE_64}\" ValueType=\"{X509_V3}\">{certificate}\
         </wsse:BinarySecurityToken>"
    ))
}

/// The signature of the elements with those IDs.
fn signature(envelope: &str, ids: &[String], signer: &Identity, token: &str) -> Result<String, ProtectError> {
    let tree = Tree::parse(envelope).map_err(|_| ProtectError::Envelope)?;
    let elements = tree.root().ok_or(ProtectError::Envelope)?.all();
    let mut info = String::from("<ds:SignedInfo xmlns:ds=\"");
    info.push_str(DS);
    let method = method_of(signer);
    info.push_str(&format!(
        "\"><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/><ds:SignatureMethod Algorithm=\"{method}\"/>"
    ));
    for id in ids {
        let element = elements.iter().find(|e| e.attribute(WSU, "Id").as_deref() == Some(id));
        let octets = element.and_then(|e| e.canonical(&[])).ok_or(ProtectError::Envelope)?;
        let digest = STANDARD.encode(sha256(&octets));
        info.push_str(&format!(
            "<ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform Algorithm=\"{EXCLUSIVE}\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{SHA_256}\"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
        ));
    }
    info.push_str("</ds:SignedInfo>");
    let alone = Tree::parse(&info).map_err(|_| ProtectError::Envelope)?;
    let octets = alone.root().and_then(|root| root.canonical(&[])).ok_or(ProtectError::Envelope)?;
    let value = STANDARD.encode(signed(&octets, signer)?);
    Ok(format!(
        "<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo>\
         <wsse:SecurityTokenReference><wsse:Reference URI=\"#{token}\" ValueType=\"{X509_V3}\"/>\
         </wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>"
    ))
}

/// The digest that a key of an elliptic curve is used with: as long as the key.
fn digest_for(signer: &Identity) -> (u32, MessageDigest) {
    match signer.key.bits() {
        ..=256 => (256, MessageDigest::sha256()),
        257..=384 => (384, MessageDigest::sha384()),
        _ => (512, MessageDigest::sha512()),
    }
}

fn method_of(signer: &Identity) -> String {
    if signer.key.id() == Id::EC { format!("{ECDSA}{}", digest_for(signer).0) } else { RSA_SHA_256.to_owned() }
}

fn signed(octets: &[u8], signer: &Identity) -> Result<Vec<u8>, ErrorStack> {
    if signer.key.id() != Id::EC {
        return Signer::new(MessageDigest::sha256(), &signer.key)?.sign_oneshot_to_vec(octets);
    }
    let der = Signer::new(digest_for(signer).1, &signer.key)?.sign_oneshot_to_vec(octets)?;
    let pair = EcdsaSig::from_der(&der)?;
    let length = i32::try_from(signer.key.bits().div_ceil(8)).unwrap_or(i32::MAX);
    let mut both = pair.r().to_vec_padded(length)?;
    both.extend(pair.s().to_vec_padded(length)?);
    Ok(both)
}

/// A content encrypted for a receiver: the key for the header, and what stands in the body.
fn encrypted(content: &str, receiver: &X509, unique: &str) -> Result<(String, String), ErrorStack> {
    let (mut key, mut vector, mut tag) = ([0; 32], [0; 12], [0; 16]);
    rand_bytes(&mut key)?;
    rand_bytes(&mut vector)?;
    let data = encrypt_aead(Cipher::aes_256_gcm(), &key, Some(&vector), &[], content.as_bytes(), &mut tag)?;
    let data = STANDARD.encode([vector.as_slice(), &data, &tag].concat());
    let public = receiver.public_key()?;
    let mut encrypter = Encrypter::new(&public)?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    encrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut for_receiver = vec![0; encrypter.encrypt_len(&key)?];
    let length = encrypter.encrypt(&key, &mut for_receiver)?;
    for_receiver.truncate(length);
    let thumbprint = STANDARD.encode(receiver.digest(MessageDigest::sha1())?);
    let key = format!(
        "<xenc:EncryptedKey xmlns:xenc=\"{XENC}\" Id=\"key-{unique}\"><xenc:EncryptionMethod Algorithm=\"{RSA_OAEP}\">\
         <ds:DigestMethod xmlns:ds=\"{DS}\" Algorithm=\"{SHA_256}\"/><xenc11:MGF xmlns:xenc11=\"{XENC_11}\" \
         Algorithm=\"{MGF1_SHA_256}\"/></xenc:EncryptionMethod><ds:KeyInfo xmlns:ds=\"{DS}\">\
         <wsse:SecurityTokenReference><wsse:KeyIdentifier EncodingType=\"{BASE_64}\" ValueType=\"{THUMBPRINT}\">\
         {thumbprint}</wsse:KeyIdentifier></wsse:SecurityTokenReference></ds:KeyInfo><xenc:CipherData>\
         <xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData><xenc:ReferenceList>\
         <xenc:DataReference URI=\"#data-{unique}\"/></xenc:ReferenceList></xenc:EncryptedKey>",
        STANDARD.encode(for_receiver)
    );
    let data = format!(
        "<xenc:EncryptedData xmlns:xenc=\"{XENC}\" Id=\"data-{unique}\" Type=\"{XENC}Content\">\
         <xenc:EncryptionMethod Algorithm=\"{AES_256_GCM}\"/><ds:KeyInfo xmlns:ds=\"{DS}\">\
         <wsse:SecurityTokenReference><wsse:Reference URI=\"#key-{unique}\"/></wsse:SecurityTokenReference>\
         </ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{data}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedData>"
    );
    Ok((key, data))
}
