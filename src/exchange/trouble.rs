//! Why a batch could not be written: whether it is tried again, and for how long.

use crate::store::StoreError;

/// Why a batch was not written.
pub(super) enum Trouble {
    /// Another was faster: the same works a moment later.
    Busy,
    /// The database or its disk is not there, or is full.
    Away,
    /// It does not get better by itself.
    Lasting,
}

impl Trouble {
    pub fn of(error: &StoreError) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        let StoreError::Database(error) = error else {
            return if matches!(error, StoreError::Unavailable(_)) { Self::Away } else { Self::Lasting };
        };
        let Error::DatabaseError(kind, information) = error else {
            return if matches!(error, Error::BrokenTransactionManager) { Self::Away } else { Self::Lasting };
        };
        let message = information.message();
        let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        match kind {
            DatabaseErrorKind::SerializationFailure => Self::Busy,
            _ if says(&["database is locked", "deadlock"]) => Self::Busy,
            DatabaseErrorKind::ClosedConnection => Self::Away,
            _ if says(AWAY_SAYS) => Self::Away,
            _ => Self::Lasting,
        }
    }
}

/// How databases say that they, or their disks, are away.
const AWAY_SAYS: &[&str] = &[
    "disk is full",
    "disk I/O error",
    "unable to open database",
    "No space left",
    "could not extend file",
    "server closed the connection",
    "terminating connection",
    "connection to server",
    "could not connect",
    "no connection to the server",
    "the database system is",
    "SSL connection has been closed",
    "Connection refused",
    "Connection reset",
    "Broken pipe",
    "could not receive data",
    "could not send data",
];
