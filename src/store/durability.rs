//! What a power cut may take, as the database is set up.

use super::{Db, Store, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::fmt;

/// How commits reach the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Durability {
    Sqlite { journal: String, synchronous: i64 },
    Postgres { fsync: bool, synchronous_commit: String },
}

#[derive(QueryableByName)]
struct SqliteMode {
    #[diesel(sql_type = Text)]
    journal: String,
    #[diesel(sql_type = BigInt)]
    synchronous: i64,
}

#[derive(QueryableByName)]
struct PostgresMode {
    #[diesel(sql_type = Text)]
    fsync: String,
    #[diesel(sql_type = Text)]
    synchronous_commit: String,
}

impl Store {
    /// How commits of this store's connections reach the disk.
    ///
    /// # Errors
    /// Returns a [`StoreError`] if the database does not tell.
    pub fn durability(&self) -> Result<Durability, StoreError> {
        match &mut *self.connection()? {
            Db::Sqlite(sqlite) => {
                let query = "SELECT j.journal_mode AS journal, s.synchronous AS synchronous \
                             FROM pragma_journal_mode j, pragma_synchronous s";
                let SqliteMode { journal, synchronous } = diesel::sql_query(query).get_result(sqlite)?;
                Ok(Durability::Sqlite { journal, synchronous })
            }
            Db::Postgres(postgres) => {
                let query = "SELECT current_setting('fsync') AS fsync, \
                             current_setting('synchronous_commit') AS synchronous_commit";
                let mode: PostgresMode = diesel::sql_query(query).get_result(postgres)?;
                Ok(Durability::Postgres { fsync: mode.fsync == "on", synchronous_commit: mode.synchronous_commit })
            }
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { journal, synchronous } => {
                let mode = match synchronous {
                    0 => "OFF",
                    1 => "NORMAL",
                    2 => "FULL",
                    _ => "EXTRA",
                };
                // The log is synced after each commit, for many at once.
                let synced = if journal == "wal" { " with group commit" } else { "" };
                write!(f, "journal {journal}, synchronous {mode}{synced}: ")?;
                if journal == "wal" || *synchronous >= 2 {
                    f.write_str("what is accepted outlasts a power cut; imports resume from their last synced batch")
                } else {
                    f.write_str("a power cut may take what was accepted last")
                }
            }
            Self::Postgres { fsync, synchronous_commit } => {
                let fsync_mode = if *fsync { "on" } else { "off" };
                write!(f, "fsync {fsync_mode}, synchronous_commit {synchronous_commit}: ")?;
                match (fsync, synchronous_commit.as_str()) {
                    (false, _) => {
                        f.write_str("a power cut may take what was accepted, or damage the database; turn fsync on")
                    }
                    (true, "off") => {
                        f.write_str("a power cut may take what was accepted last; turn synchronous_commit on")
                    }
                    (true, _) => f.write_str("what is accepted outlasts a power cut"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::group_commit;

    #[test]
    fn each_commit_of_sqlite_is_synced_but_those_that_are_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("durability.sqlite").to_string_lossy(), 1).unwrap();
        store.migrate().unwrap();
        assert_eq!(store.durability().unwrap(), Durability::Sqlite { journal: "wal".to_owned(), synchronous: 1 });
        let mut db = store.connection().unwrap();
        let change = |db: &mut Db| Ok(diesel::sql_query("UPDATE change_sequence SET number = number + 1").execute(db)?);
        let before = group_commit::syncs(&mut db);
        db.write(change).unwrap();
        assert_eq!(group_commit::syncs(&mut db), before + 1);
        // What is within is synced with what is around it.
        db.write(|db| db.write(change)).unwrap();
        assert_eq!(group_commit::syncs(&mut db), before + 2);
        db.write_resumable(change).unwrap();
        assert!(db.write(|_| Err::<(), _>(StoreError::Unavailable("no".to_owned()))).is_err());
        assert_eq!(group_commit::syncs(&mut db), before + 2);
    }
}
