//! Group commit on SQLite: a commit writes to the log without syncing it, which holds the write lock for microseconds instead of
//! milliseconds; then its caller waits for a sync of the log that began after that. One sync does for all who wait.
//!
//! It is the durability of `synchronous=FULL`, but others may see a change some milliseconds before it is on disk. What they write because of
//! it is in the same log behind it, so that a power cut takes the one only with the other.

use super::{Db, StoreError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};

/// The log of each database that this process writes to.
static LOGS: LazyLock<Mutex<HashMap<String, Arc<GroupSync>>>> = LazyLock::new(Mutex::default);

#[derive(QueryableByName)]
struct MainFile {
    #[diesel(sql_type = Text)]
    file: String,
}

/// The file of a database; empty if it has none.
pub(super) fn main_file(connection: &mut SqliteConnection) -> QueryResult<String> {
    let found = diesel::sql_query("SELECT file FROM pragma_database_list WHERE name = 'main'");
    Ok(found.get_result::<MainFile>(connection)?.file)
}

#[derive(QueryableByName)]
struct Journal {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// Has a database without a write-ahead log sync each commit itself: not every file system can have the log.
pub(super) fn require_log(connection: &mut SqliteConnection) -> QueryResult<()> {
    let mode: Journal = diesel::sql_query("SELECT journal_mode FROM pragma_journal_mode").get_result(connection)?;
    if mode.journal_mode != "wal" {
        connection.batch_execute("PRAGMA synchronous = FULL")?;
    }
    Ok(())
}

/// Returns once what was committed is on disk.
pub(super) fn sync(db: &mut Db) -> Result<(), StoreError> {
    let Db::Sqlite(sqlite) = db else { return Ok(()) };
    let file = main_file(sqlite)?;
    if file.is_empty() {
        return Ok(());
    }
    let log = {
        let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
        let log = || Arc::new(GroupSync::new(PathBuf::from(format!("{file}-wal"))));
        logs.entry(file.clone()).or_insert_with(log).clone()
    };
    log.wait().map_err(|error| StoreError::of_file("the database's log cannot be synced", &error))
}

/// How many syncs of a database's log there were.
#[cfg(test)]
pub(super) fn syncs(db: &mut Db) -> u64 {
    let Db::Sqlite(sqlite) = db else { return 0 };
    let (file, logs) = (main_file(sqlite).unwrap(), LOGS.lock().unwrap());
    logs.get(&file).map_or(0, |log| log.state.lock().unwrap().done)
}

/// Syncs a file for many at once.
#[derive(Debug)]
struct GroupSync {
    path: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Syncs that were begun, and the last one that ended well.
    begun: u64,
    done: u64,
    is_running: bool,
}

impl GroupSync {
    fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits for a sync that begins after this is called: by this thread, unless another one's has just begun.
    fn wait(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // What runs already may have begun before the commit.
        let wanted = state.begun + 1;
        while state.done < wanted {
            if state.is_running {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.begun += 1;
            state.is_running = true;
            let number = state.begun;
            drop(state);
            let synced = self.sync();
            state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_running = false;
            if synced.is_ok() {
                state.done = number;
            }
            self.changed.notify_all();
            synced?;
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        match File::open(&self.path) {
            Ok(log) => log.sync_data(),
            // The last connection put it into the database, and synced that.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn each_waits_for_a_sync_that_began_after_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let group = GroupSync::new(folder.path().join("log"));
        std::fs::write(&group.path, "x").unwrap();
        let done = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let begun = group.state.lock().unwrap().begun;
                        group.wait().unwrap();
                        assert!(group.state.lock().unwrap().done > begun);
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let state = group.state.lock().unwrap();
        assert_eq!((done.into_inner(), state.begun), (320, state.done));
        assert!(state.begun <= 320, "{state:?}");
    }

    #[test]
    fn a_sync_that_fails_is_told_to_those_who_need_it() {
        let folder = tempfile::tempdir().unwrap();
        // A file where a folder is expected.
        std::fs::write(folder.path().join("x"), "x").unwrap();
        let group = GroupSync::new(folder.path().join("x/log"));
        assert!(group.wait().is_err());
        assert!(GroupSync::new(folder.path().join("none")).wait().is_ok());
    }
}
