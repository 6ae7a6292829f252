//! A secret that is used to sign or to log in elsewhere.

use std::fmt;

/// A secret. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Ready to be used.
    Plain(String),
    /// Encrypted, as the database has it: it was not needed, or the key is missing.
    Sealed(String),
}

impl Secret {
    /// The secret itself, unless it is encrypted.
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Sealed(_) => None,
        }
    }

    pub fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_sealed() { "Sealed(***)" } else { "Plain(***)" })
    }
}
