//! Tells a full disk and an unreachable database from other failures. Drivers report most failures as "unknown" with a text; texts depend on
//! versions and languages. So after such a failure the storage itself is tried, whose answer is a code.

use super::{Db, Store, StoreError, group_commit};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::Text;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Bytes that a disk must have room for; else it counts as full.
const PROBE_BYTES: usize = 1 << 20;

/// What the server lacks to do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// The database cannot be reached.
    Database,
    /// The disk is full.
    Space,
}

impl Resource {
    /// The resource whose lack an error of the file system reports, if it is one that may come back.
    pub fn missing(error: &io::Error) -> Option<Self> {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge).then_some(Self::Space)
    }
}

/// What was missing last, until a write succeeds.
static MISSING: Mutex<Option<Resource>> = Mutex::new(None);

/// The resource that this process lacks at present, as far as its last access to the database showed.
pub fn missing() -> Option<Resource> {
    *MISSING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records what the last access to the database showed.
pub(super) fn note(resource: Option<Resource>) {
    *MISSING.lock().unwrap_or_else(PoisonError::into_inner) = resource;
}

/// Records that the database answered. Of space that says little: small writes find room on a disk that is as good as full.
pub(super) fn note_reached() {
    let mut missing = MISSING.lock().unwrap_or_else(PoisonError::into_inner);
    *missing = missing.filter(|resource| *resource == Resource::Space);
}

/// Tries again what was missing last; for a thread that does so from time to time.
///
/// # Errors
/// Returns a [`StoreError`] if there is still no connection.
pub fn look_again(store: &Store) -> Result<(), StoreError> {
    if missing().is_some() {
        note(probe(&mut *store.connection()?));
    }
    Ok(())
}

/// Replaces an error whose cause is a full disk or an unreachable database by the variant that says so.
pub(super) fn diagnosed(db: &mut Db, error: StoreError) -> StoreError {
    let StoreError::Database(error) = error else { return error };
    let resource = resource_of(db, &error);
    if resource.is_some() {
        note(resource);
    }
    match resource {
        Some(Resource::Space) => StoreError::Full(error.to_string()),
        Some(Resource::Database) => StoreError::Unavailable(error.to_string()),
        None => StoreError::Database(error),
    }
}

/// Whether an error says that the connection is lost.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::BrokenTransactionManager | Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => true,
        Error::RollbackErrorOnCommit { commit_error, .. } => is_lost(commit_error),
        _ => false,
    }
}

fn resource_of(db: &mut Db, error: &Error) -> Option<Resource> {
    match error {
        error if is_lost(error) => Some(Resource::Database),
        Error::RollbackErrorOnCommit { commit_error, .. } => resource_of(db, commit_error),
        Error::DatabaseError(DatabaseErrorKind::Unknown | DatabaseErrorKind::ReadOnlyTransaction, _) => probe(db),
        _ => None,
    }
}

#[derive(QueryableByName)]
struct State {
    #[diesel(sql_type = Text)]
    state: String,
}

fn probe(db: &mut Db) -> Option<Resource> {
    match db {
        Db::Sqlite(sqlite) => {
            let file = group_commit::main_file(sqlite).ok().filter(|file| !file.is_empty())?;
            probe_folder(Path::new(&file)).err().map(|error| {
                // Whatever else keeps files from being written is a matter of the disk too.
                Resource::missing(&error).unwrap_or(Resource::Database)
            })
        }
        Db::Postgres(postgres) => {
            match diesel::sql_query("SELECT probe_space() AS state").get_result::<State>(postgres) {
                Ok(State { state }) => of_sqlstate(&state),
                Err(Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _)) => Some(Resource::Database),
                Err(_) => None,
            }
        }
    }
}

/// Writes as much as a file of the database would grow, where the largest of them ends: limits on the size of files count too.
fn probe_folder(database: &Path) -> io::Result<()> {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let lengths = [database.to_owned(), PathBuf::from(log)].map(|path| path.metadata().map_or(0, |about| about.len()));
    let folder = database.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::tempfile_in(folder)?;
    file.seek(SeekFrom::Start(lengths.into_iter().max().unwrap_or(0)))?;
    file.write_all(&vec![0x55; PROBE_BYTES])?;
    file.sync_all()
}

/// The resource that a SQLSTATE reports as missing: 53100 is a full disk; the classes 08, 53, 57 and 58 are the server's own troubles.
fn of_sqlstate(state: &str) -> Option<Resource> {
    match (state, state.get(..2)) {
        ("53100", _) => Some(Resource::Space),
        (_, Some("08" | "53" | "57" | "58")) => Some(Resource::Database),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_classified_by_their_codes() {
        // ENOSPC, EDQUOT, EFBIG, EACCES.
        for (code, resource) in
            [(28, Some(Resource::Space)), (122, Some(Resource::Space)), (27, Some(Resource::Space)), (13, None)]
        {
            assert_eq!(Resource::missing(&io::Error::from_raw_os_error(code)), resource, "{code}");
        }
        for (state, resource) in [
            ("53100", Some(Resource::Space)),
            ("53200", Some(Resource::Database)),
            ("57P01", Some(Resource::Database)),
            ("08006", Some(Resource::Database)),
            ("58030", Some(Resource::Database)),
            ("42601", None),
            ("00000", None),
        ] {
            assert_eq!(of_sqlstate(state), resource, "{state}");
        }
    }

    #[test]
    fn a_folder_with_room_is_no_reason() {
        let folder = tempfile::tempdir().unwrap();
        assert!(probe_folder(&folder.path().join("x.sqlite")).is_ok());
        assert!(probe_folder(&folder.path().join("nowhere/x.sqlite")).is_err());
    }
}
