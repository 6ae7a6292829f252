//! AES-256-GCM for secrets in the database. The stored text names the key, and is bound to its table and row.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use std::fmt;
use std::sync::Arc;

/// How encrypted secrets begin. The key's id and the base64 of nonce, ciphertext and tag follow, separated by colons.
pub(super) const PREFIX: &str = "enc:v1:";

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Bytes of the key's digest that are its id.
const ID_LEN: usize = 4;

/// Why a secret cannot be encrypted or decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// There is no key at all.
    NoKey,
    /// It was encrypted with a key that is not given.
    UnknownKey(String),
    /// It was not encrypted, or was changed or moved.
    Damaged,
    /// openssl failed.
    Failed,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("no key for secrets is configured; set secrets-key-file"),
            Self::UnknownKey(id) => write!(f, "the key {id} of the secret is missing; add it to secrets-key-file"),
            Self::Damaged => f.write_str("the encrypted secret is damaged, or belongs to another record; set it again"),
            Self::Failed => f.write_str("encryption failed"),
        }
    }
}

impl std::error::Error for SecretError {}

#[derive(Clone)]
struct Key {
    id: String,
    bytes: [u8; KEY_LEN],
}

/// The keys for secrets: the first one encrypts, all of them decrypt.
#[derive(Clone, Default)]
pub struct SecretKeys(Arc<[Key]>);

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl SecretKeys {
    /// Reads keys of 32 bytes in base64, separated by white space or commas; `#` begins a comment.
    ///
    /// # Errors
    /// Returns which key is wrong, without showing it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(|line| line.split_once('#').map_or(line, |(keys, _)| keys));
        let words = lines.flat_map(|line| line.split([' ', '\t', ',', '\r'])).filter(|word| !word.is_empty());
        let mut keys: Vec<Key> = Vec::new();
        for (place, word) in words.enumerate() {
            let bytes = STANDARD.decode(word).ok().and_then(|bytes| <[u8; KEY_LEN]>::try_from(bytes).ok());
            let bytes = bytes.ok_or_else(|| {
                format!("key {} is not {KEY_LEN} bytes in base64; `soapstone secret key` makes one", place + 1)
            })?;
            if bytes == [0; KEY_LEN] {
                return Err(format!("key {} is all zeros; `soapstone secret key` makes one", place + 1));
            }
            keys.push(Key { id: id(&bytes), bytes });
        }
        Ok(Self(keys.into()))
    }

    /// Generates a key, as text.
    ///
    /// # Errors
    /// Returns `SecretError::Failed` if the system has no random numbers.
    pub fn generate() -> Result<String, SecretError> {
        let mut bytes = [0; KEY_LEN];
        rand_bytes(&mut bytes).map_err(|_| SecretError::Failed)?;
        Ok(STANDARD.encode(bytes))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids of the keys, the one that encrypts first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.id.as_str())
    }

    /// Encrypts a secret for its place: table, row and column.
    ///
    /// # Errors
    /// Returns `SecretError::NoKey` without a key.
    pub fn seal(&self, place: &str, secret: &str) -> Result<String, SecretError> {
        let key = self.0.first().ok_or(SecretError::NoKey)?;
        let mut nonce = [0; NONCE_LEN];
        rand_bytes(&mut nonce).map_err(|_| SecretError::Failed)?;
        let mut tag = [0; TAG_LEN];
        let sealed = encrypt_aead(
            Cipher::aes_256_gcm(),
            &key.bytes,
            Some(&nonce),
            place.as_bytes(),
            secret.as_bytes(),
            &mut tag,
        );
        let sealed = sealed.map_err(|_| SecretError::Failed)?;
        Ok(format!("{PREFIX}{}:{}", key.id, STANDARD.encode([&nonce[..], &sealed, &tag].concat())))
    }

    /// Decrypts a secret of its place.
    ///
    /// # Errors
    /// Returns `SecretError` if the key is missing, or the text is not what was encrypted for this place.
    pub fn open(&self, place: &str, stored: &str) -> Result<String, SecretError> {
        let id = key_of(stored).ok_or(SecretError::Damaged)?;
        if self.is_empty() {
            return Err(SecretError::NoKey);
        }
        let key = self.0.iter().find(|key| key.id == id).ok_or_else(|| SecretError::UnknownKey(id.to_owned()))?;
        let encoded = stored.rsplit(':').next().unwrap_or_default();
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretError::Damaged)?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or(SecretError::Damaged)?;
        let length = rest.len().checked_sub(TAG_LEN).ok_or(SecretError::Damaged)?;
        let (sealed, tag) = rest.split_at(length);
        let opened = decrypt_aead(Cipher::aes_256_gcm(), &key.bytes, Some(nonce), place.as_bytes(), sealed, tag);
        opened.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(SecretError::Damaged)
    }
}

fn id(key: &[u8]) -> String {
    crate::domain::hex(sha256(key).get(..ID_LEN).unwrap_or_default())
}

/// The id of the key that a stored text was encrypted with; `None`: it is not encrypted.
pub(super) fn key_of(stored: &str) -> Option<&str> {
    let (id, encoded) = stored.strip_prefix(PREFIX)?.split_once(':')?;
    let is_id = id.len() == 2 * ID_LEN && id.bytes().all(|b| b.is_ascii_hexdigit());
    (is_id && STANDARD.decode(encoded).is_ok_and(|bytes| bytes.len() >= NONCE_LEN + TAG_LEN)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> SecretKeys {
        SecretKeys::parse(&SecretKeys::generate().unwrap()).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_in_its_place_only() {
        let keys = keys();
        for secret in ["", "s", "geheim\u{fc}", &"x".repeat(10_000)] {
            let sealed = keys.seal("a/1/secret", secret).unwrap();
            assert!(sealed.starts_with(PREFIX) && !sealed.contains("geheim"));
            assert_eq!(keys.open("a/1/secret", &sealed).as_deref(), Ok(secret));
            assert_eq!(keys.open("a/2/secret", &sealed), Err(SecretError::Damaged));
            assert_eq!(keys.open("a/1/password", &sealed), Err(SecretError::Damaged));
        }
        assert_ne!(keys.seal("a", "s"), keys.seal("a", "s"), "a nonce was used twice");
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let keys = keys();
        let sealed = keys.seal("a", "secret").unwrap();
        let start = sealed.rfind(':').unwrap() + 1;
        let bytes = STANDARD.decode(&sealed[start..]).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            let changed = format!("{}{}", &sealed[..start], STANDARD.encode(changed));
            assert_eq!(keys.open("a", &changed), Err(SecretError::Damaged), "byte {place}");
        }
        for text in ["", "secret", "enc:v1:", "enc:v1:00000000:", "enc:v1:00000000:AAAA", "enc:v2:00000000:AAAA"] {
            assert_eq!(keys.open("a", text), Err(SecretError::Damaged), "{text}");
        }
    }

    #[test]
    fn the_first_key_encrypts_and_all_decrypt() {
        let (old, new) = (SecretKeys::generate().unwrap(), SecretKeys::generate().unwrap());
        let before = SecretKeys::parse(&old).unwrap();
        let both = SecretKeys::parse(&format!("# since December\n{new}\n{old} # until then\n")).unwrap();
        let after = SecretKeys::parse(&new).unwrap();
        let sealed = before.seal("a", "secret").unwrap();
        assert_eq!(both.open("a", &sealed).as_deref(), Ok("secret"));
        assert!(matches!(after.open("a", &sealed), Err(SecretError::UnknownKey(_))));
        assert_eq!(after.open("a", &both.seal("a", "secret").unwrap()).as_deref(), Ok("secret"));
        assert_eq!(SecretKeys::default().seal("a", "secret"), Err(SecretError::NoKey));
        assert_eq!(SecretKeys::parse(&format!("{new},{old}")).unwrap().ids().count(), 2);
    }

    #[test]
    fn wrong_keys_are_rejected_without_being_shown() {
        for text in ["c2hvcnQ=", "geheim", &STANDARD.encode([0; 32])] {
            let why = SecretKeys::parse(text).unwrap_err();
            assert!(why.starts_with("key 1") && !why.contains(text), "{why}");
        }
        assert!(SecretKeys::parse("").unwrap().is_empty());
    }
}
