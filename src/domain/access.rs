//! Access control: roles, patterns of operations, tokens, lock-out.

mod operations;
pub mod permissions;

pub use operations::KnownOperations;

use super::hex;
use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{NaiveDateTime, TimeDelta};
use openssl::rand::rand_bytes;
use openssl::sha::sha256;
use std::collections::BTreeMap;

/// How many log-ins may fail in a row.
const FREE_FAILURES: i32 = 5;

/// How long a password must be: length is what counts (NIST SP 800-63B).
pub const SHORTEST_PASSWORD: usize = 12;

/// What each token begins with, so that it is known where it turns up.
const TOKEN_PREFIX: &str = "sst";

/// A pattern of operations: `Catalog.GetArticle`, `Catalog.*`, `*.Get*`; `*` is any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether an operation is meant.
    pub fn covers(&self, service: &str, operation: &str) -> bool {
        matches(self.0.as_bytes(), format!("{service}.{operation}").as_bytes())
    }
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skipped| matches(rest, &text[skipped..])),
        Some((byte, rest)) => text.split_first().is_some_and(|(first, text)| first == byte && matches(rest, text)),
    }
}

/// Reads patterns that are separated by blanks.
///
/// # Errors
/// The one that is none.
pub fn patterns(text: &str) -> Result<Vec<Pattern>, String> {
    let allowed = |c: char| c.is_alphanumeric() || "*._-".contains(c);
    text.split_whitespace()
        .map(|pattern| {
            let stars = pattern.matches('*').count();
            if pattern.chars().all(allowed) && (pattern == "*" || pattern.contains('.')) && stars <= 4 {
                Ok(Pattern(pattern.to_owned()))
            } else {
                Err(format!(
                    "\"{pattern}\" is no pattern of operations such as Catalog.GetArticle, Catalog.* or *.Get*"
                ))
            }
        })
        .collect()
}

/// The roles that there are, each with what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, Vec<Pattern>>);

impl Roles {
    /// Those that come along, and those of the configuration: `NAME=PATTERN PATTERN`, by commas.
    ///
    /// # Errors
    /// What is wrong with one.
    pub fn read(text: &str) -> Result<Self, String> {
        let own = text.split(',').map(str::trim).filter(|role| !role.is_empty());
        let built_in = [
            "viewer=*.Get* *.List* Inventory.CheckAvailability Navigator.View Metrics.Read Pricing.FindPrice Pricing.SimulateBasket",
            // All but who has access.
            "operator=*.Get* *.List* Catalog.* Customers.* Exchange.* Inventory.* Listener.* Media.* Messages.* Navigator.* \
             Metrics.* System.* Orders.* Pricing.* Profiles.* Signals.*",
            "admin=*",
        ];
        let mut roles = BTreeMap::new();
        for role in built_in.into_iter().chain(own) {
            let (name, list) =
                role.split_once('=').ok_or_else(|| format!("\"{role}\" is not of the form NAME=PATTERN"))?;
            roles.insert(name.trim().to_owned(), patterns(list)?);
        }
        Ok(Self(roles))
    }

    /// Checks that each pattern of each role covers an operation.
    ///
    /// # Errors
    /// Returns a sentence on the first one that covers none.
    pub fn check(&self, known: &KnownOperations) -> Result<(), String> {
        self.0.iter().try_for_each(|(name, list)| known.check(list).map_err(|why| format!("role {name}: {why}")))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Roles that there are, as they are kept.
    ///
    /// # Errors
    /// The one that there is not.
    pub fn known(&self, wanted: &[String]) -> Result<String, String> {
        match wanted.iter().find(|role| !self.0.contains_key(*role)) {
            None => Ok(wanted.join(" ")),
            Some(role) => {
                Err(format!("there is no role {role}; there are {}", self.names().collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// What somebody with those roles may do; a role that is not there any more allows nothing.
    pub fn permissions(&self, roles: &str) -> Vec<Pattern> {
        roles.split_whitespace().filter_map(|role| self.0.get(role)).flatten().cloned().collect()
    }
}

/// Whether any of the patterns covers an operation.
pub fn covers(patterns: &[Pattern], service: &str, operation: &str) -> bool {
    patterns.iter().any(|pattern| pattern.covers(service, operation))
}

/// Bytes of a name at log-in; longer ones are denied unread.
pub const MAX_NAME_LEN: usize = 200;

/// Bytes of a password at log-in; longer ones are denied unread.
pub const MAX_PASSWORD_LEN: usize = 1024;

/// Checks that a user can have that name: HTTP Basic has a colon after it.
///
/// # Errors
/// Returns a sentence on what is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_wrong = name.trim().is_empty() || name.contains(':') || name.chars().any(char::is_control);
    if is_wrong {
        Err("a name has characters, and no colon".to_owned())
    } else if name.len() > MAX_NAME_LEN {
        Err(format!("a name has at most {MAX_NAME_LEN} bytes"))
    } else {
        Ok(())
    }
}

/// A password as it is kept.
///
/// # Errors
/// If it is too short, or cannot be hashed.
pub fn hashed(password: &str) -> Result<String, String> {
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(format!("a password has at least {SHORTEST_PASSWORD} characters"));
    }
    if password.len() > MAX_PASSWORD_LEN {
        return Err(format!("a password has at most {MAX_PASSWORD_LEN} bytes"));
    }
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|e| format!("the password cannot be hashed: {e}"))
}

/// Whether it is the password. Without a stored one it takes as long, and is not.
pub fn is_password(kept: Option<&str>, given: &str) -> bool {
    /// Of no password that anybody knows.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29hcHN0b25lLW5vYm9keQ$gUJXGOSFZCpYcBnMRVUq8Y1qbHnTlYmvNFTKEeqsXGQ";
    let Ok(hash) = PasswordHash::new(kept.unwrap_or(NOBODY)) else { return false };
    Argon2::default().verify_password(given.as_bytes(), &hash).is_ok() && kept.is_some()
}

/// When the next log-in is tried, after so many failures in a row: each one more doubles the wait, up to an hour.
pub fn locked_until(failures: i32, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let beyond = failures - FREE_FAILURES;
    let minutes = 2_i64.pow(u32::try_from(beyond).ok()?.min(6)).min(60);
    now.checked_add_signed(TimeDelta::minutes(minutes))
}

/// A new token: what its holder gets, and what is kept of it.
#[derive(Debug)]
pub struct NewToken {
    pub text: String,
    pub public_id: String,
    pub secret_hash: String,
}

impl NewToken {
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn make() -> Result<Self, String> {
        let (mut id, mut secret) = ([0; 9], [0; 32]);
        rand_bytes(&mut id).and_then(|()| rand_bytes(&mut secret)).map_err(|e| format!("no random numbers: {e}"))?;
        let (public_id, secret) = (hex(&id), URL_SAFE_NO_PAD.encode(secret));
        Ok(Self { text: format!("{TOKEN_PREFIX}_{public_id}_{secret}"), secret_hash: hash_of(&secret), public_id })
    }
}

/// The parts of a token that somebody shows: its public part, and the hash of the other.
pub fn token_parts(text: &str) -> Option<(&str, String)> {
    let (public_id, secret) = text.strip_prefix(TOKEN_PREFIX)?.strip_prefix('_')?.split_once('_')?;
    Some((public_id, hash_of(secret)))
}

/// A log-in to the Navigator: the secret that its cookie has, of which only a hash is kept, and what its forms have to show.
#[derive(Clone, Debug)]
pub struct SessionSecret(String);

impl SessionSecret {
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn make() -> Result<Self, String> {
        let mut secret = [0; 32];
        rand_bytes(&mut secret).map_err(|e| format!("no random numbers: {e}"))?;
        Ok(Self(URL_SAFE_NO_PAD.encode(secret)))
    }

    /// As a cookie has it.
    pub fn of_cookie(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// As it is kept.
    pub fn hash(&self) -> String {
        hash_of(&self.0)
    }

    /// What forms have to show, as no page of another site can know it.
    pub fn form_token(&self) -> String {
        hash_of(&format!("form {}", self.0))
    }
}

/// Whether two hashes are the same, in a time that does not tell where they differ.
pub fn same_hash(a: &str, b: &str) -> bool {
    a.len() == b.len() && openssl::memcmp::eq(a.as_bytes(), b.as_bytes())
}

fn hash_of(secret: &str) -> String {
    hex(&sha256(secret.as_bytes()))
}

/// A password that nobody thought of.
///
/// # Errors
/// If the machine gives no random numbers.
pub fn new_password() -> Result<String, String> {
    let mut bytes = [0; 15];
    rand_bytes(&mut bytes).map_err(|e| format!("no random numbers: {e}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_they_say() {
        let all = patterns("Catalog.* *.Get* Exchange.StartImport").unwrap();
        for (service, operation, wanted) in [
            ("Catalog", "UpsertArticles", true),
            ("Exchange", "GetRun", true),
            ("Exchange", "StartImport", true),
            ("Exchange", "CancelRun", false),
            ("Catalogue", "Upsert", false),
        ] {
            assert_eq!(covers(&all, service, operation), wanted, "{service}.{operation}");
        }
        assert!(patterns("Catalog").is_err() && patterns("a.b;c").is_err() && patterns("*a*b*c*.*d*").is_err());
    }

    #[test]
    fn roles_are_those_that_come_along_and_ones_own() {
        let roles = Roles::read("shop=Catalog.Get* Catalog.Upsert*, clerk=Exchange.*").unwrap();
        assert_eq!(roles.names().collect::<Vec<_>>(), ["admin", "clerk", "operator", "shop", "viewer"]);
        assert!(covers(&roles.permissions("viewer shop"), "Catalog", "UpsertArticles"));
        assert!(!covers(&roles.permissions("viewer gone"), "Catalog", "UpsertArticles"));
        assert!(Roles::read("shop").is_err());
    }

    #[test]
    fn passwords_are_hashed_and_found_again() {
        let kept = hashed("correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$") && is_password(Some(&kept), "correct horse battery"));
        assert!(!is_password(Some(&kept), "correct horse") && !is_password(None, "correct horse battery"));
        assert!(hashed("short").is_err() && hashed(&"x".repeat(MAX_PASSWORD_LEN + 1)).is_err());
        assert!(check_name("änn ä").is_ok() && check_name("a:b").is_err() && check_name(" ").is_err());
        assert!(check_name(&"x".repeat(MAX_NAME_LEN + 1)).is_err());
        assert!(new_password().unwrap().len() >= SHORTEST_PASSWORD);
    }

    #[test]
    fn guessing_takes_longer_and_longer() {
        let now = NaiveDateTime::default();
        let minutes = |failures| locked_until(failures, now).map(|until| (until - now).num_minutes());
        let waits: Vec<_> = [4, 5, 6, 8, 30].into_iter().map(minutes).collect();
        assert_eq!(waits, [None, Some(1), Some(2), Some(8), Some(60)]);
    }

    #[test]
    fn a_token_is_known_by_its_parts() {
        let token = NewToken::make().unwrap();
        let (public_id, hash) = token_parts(&token.text).unwrap();
        assert_eq!((public_id, hash.as_str()), (token.public_id.as_str(), token.secret_hash.as_str()));
        assert!(same_hash(&hash, &token.secret_hash) && !same_hash(&hash, &hash[1..]));
        assert_eq!(token_parts("sst_1"), None);
    }
}
