//! Why a batch could not be written: whether it is tried again, and for how long.

use crate::store::StoreError;
use crate::store::faults::Resource;
use diesel::result::{DatabaseErrorKind, Error};

/// Why a batch was not written.
pub(super) enum Trouble {
    /// Another transaction was in the way, as far as the driver tells: the same may succeed a moment later.
    Busy,
    /// The database or space is missing, until it is back.
    Missing(Resource),
    /// It does not get better by itself.
    Lasting,
}

impl Trouble {
    pub fn of(error: &StoreError) -> Self {
        if let Some(resource) = error.missing() {
            return Self::Missing(resource);
        }
        match error {
            // Deadlocks and locks that were not given in time have no kind of their own.
            StoreError::Database(Error::DatabaseError(
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::Unknown,
                _,
            )) => Self::Busy,
            _ => Self::Lasting,
        }
    }
}
