//! Secrets in the database: encrypted with keys that are not in it.

mod cipher;
mod key_file;
mod records;

pub use cipher::{SecretError, SecretKeys};
pub use records::{Encrypted, encrypt, summary};
pub(super) use records::{target_password, target_secret, user_digest};
