//! The pool of connections, transactions, and migrations.

use super::change_numbers;
use super::copied::STAGING;
use super::faults::{self, Resource};
use super::group_commit;
use super::request_transaction;
use super::secrets::SecretKeys;
use crate::domain;
use crate::error::ServiceError;
use diesel::connection::{
    AnsiTransactionManager, Connection, InstrumentationEvent, SimpleConnection, TransactionManager,
};
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection};
use diesel::result::Error as DieselError;
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Db {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A connection of the pool. One whose transaction is open is not put back.
pub type StoreConnection = PooledConnection<ConnectionManager<Db>>;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Db {
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs `work` in the transaction that is open, and takes back all that it wrote.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn imagine<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.batch_execute("SAVEPOINT imagined")?;
        let done = work(self);
        self.batch_execute("ROLLBACK TO SAVEPOINT imagined; RELEASE SAVEPOINT imagined")?;
        done
    }

    /// Runs `work` in a transaction that may write; inside another one, in a savepoint. SQLite takes the write lock at once, so
    /// that it never has to give up half-way. Once the outermost transaction is committed, it outlasts a power cut.
    ///
    /// # Errors
    /// Returns the error of `work`, or of the commit; all that was written is rolled back then. It is [`StoreError::Full`] or
    /// [`StoreError::Unavailable`] if that is the cause.
    pub fn write<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.begin()?;
        match work(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(error) => {
                self.roll_back();
                Err(faults::diagnosed(self, error))
            }
        }
    }

    /// The same for a step of work that is resumed from what the database says, such as a batch of an import: on SQLite a power cut
    /// may take the last of these transactions, until one by [`write`](Self::write) is committed.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub fn write_resumable<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.begin()?;
        match work(self) {
            Ok(value) => {
                self.commit_unsynced()?;
                Ok(value)
            }
            Err(error) => {
                self.roll_back();
                Err(faults::diagnosed(self, error))
            }
        }
    }

    /// Begins a transaction, or a savepoint inside one.
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        self.begin_transaction().map_err(|error| faults::diagnosed(self, error))
    }

    fn begin_transaction(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let state = AnsiTransactionManager::transaction_manager_status_mut(&mut *sqlite);
                if state.transaction_depth()?.is_none() {
                    AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?;
                } else {
                    AnsiTransactionManager::begin_transaction(sqlite)?;
                }
            }
            Self::Postgres(postgres) => AnsiTransactionManager::begin_transaction(postgres)?,
        }
        Ok(())
    }

    /// Commits the transaction, so that it outlasts a power cut, or releases the savepoint; one that cannot be committed is rolled back.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        let is_outermost = match self {
            Self::Sqlite(sqlite) => {
                let state = AnsiTransactionManager::transaction_manager_status_mut(&mut *sqlite);
                state.transaction_depth()?.is_none_or(|depth| depth.get() == 1)
            }
            Self::Postgres(_) => false,
        };
        self.commit_unsynced()?;
        if is_outermost { group_commit::sync(self) } else { Ok(()) }
    }

    /// Commits the transaction, or releases the savepoint. On SQLite it is not on disk yet.
    fn commit_unsynced(&mut self) -> Result<(), StoreError> {
        let done = match self {
            Self::Sqlite(sqlite) => AnsiTransactionManager::commit_transaction(sqlite),
            Self::Postgres(postgres) => AnsiTransactionManager::commit_transaction(postgres),
        };
        match done {
            Ok(()) => {
                faults::note_reached();
                Ok(())
            }
            Err(error) => Err(faults::diagnosed(self, error.into())),
        }
    }

    /// Rolls back to where the transaction or savepoint began. A connection that cannot do that is not used again.
    pub(super) fn roll_back(&mut self) {
        let done = match self {
            Self::Sqlite(sqlite) => AnsiTransactionManager::rollback_transaction(sqlite),
            Self::Postgres(postgres) => AnsiTransactionManager::rollback_transaction(postgres),
        };
        if let Err(error) = done {
            log::error!("Failed to roll back: {error}");
        }
    }
}

/// What goes wrong with a database. Callers are told a reference; the log has the rest.
#[derive(Debug)]
pub enum StoreError {
    /// No connection could be had, or it was lost.
    Unavailable(String),
    /// The disk is full.
    Full(String),
    Database(DieselError),
    /// The rules refuse it.
    Refused(Box<ServiceError>),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the database cannot be reached: {why}"),
            Self::Full(why) => write!(f, "the disk is full: {why}"),
            Self::Database(error) => write!(f, "database error: {error}"),
            Self::Refused(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<ServiceError> for StoreError {
    fn from(error: ServiceError) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// The database.
#[derive(Clone)]
pub struct Store {
    pool: Pool<ConnectionManager<Db>>,
    engine: Engine,
    secrets: SecretKeys,
}

impl StoreError {
    /// The resource that is missing and may come back.
    pub fn missing(&self) -> Option<Resource> {
        match self {
            Self::Unavailable(_) => Some(Resource::Database),
            Self::Full(_) => Some(Resource::Space),
            Self::Database(error) => faults::is_lost(error).then_some(Resource::Database),
            Self::Refused(_) => None,
        }
    }

    /// The error of a file that belongs to what the database has.
    pub fn of_file(what: &str, error: &std::io::Error) -> Self {
        match Resource::missing(error) {
            Some(Resource::Space) => Self::Full(format!("{what}: {error}")),
            _ => ServiceError::internal(format!("{what}: {error}")).into(),
        }
    }
}

/// How long a caller waits for the first connection to a database before it counts as unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Statements that were sent to the database since the program began.
static STATEMENTS: AtomicU64 = AtomicU64::new(0);

/// How many statements were sent to the database since the program began.
pub fn statements() -> u64 {
    STATEMENTS.load(Ordering::Relaxed)
}

fn count(event: InstrumentationEvent<'_>) {
    if matches!(event, InstrumentationEvent::StartQuery { .. }) {
        STATEMENTS.fetch_add(1, Ordering::Relaxed);
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// A text as it is searched by. SQLite's own `lower` knows A to Z only; PostgreSQL has it by a migration.
    fn folded(text: Nullable<Text>) -> Nullable<Text>;
}

/// Sets up each connection.
#[derive(Debug)]
struct Pragmas;

impl CustomizeConnection<Db, diesel::r2d2::Error> for Pragmas {
    fn on_acquire(&self, connection: &mut Db) -> Result<(), diesel::r2d2::Error> {
        let setup = match connection.engine() {
            // What has to last is synced after its commit (`group_commit`).
            Engine::Sqlite => {
                "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000; \
                 PRAGMA foreign_keys = ON; PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY;"
            }
            // A plan that was made while a table was small would stay, and read all of it, when it is large. No statement takes
            // so long that it would be worth being compiled. What is looked up by many keys is nearly always in memory, or on a disk
            // that does not turn: by the default, tables would be read whole.
            Engine::Postgres => &format!(
                "SET TIME ZONE 'UTC'; SET client_min_messages = warning; SET plan_cache_mode = force_custom_plan; \
                 SET jit = off; SET random_page_cost = 1.1; {STAGING}"
            ),
        };
        if let Db::Sqlite(sqlite) = connection {
            folded_utils::register_impl(sqlite, |text: Option<String>| text.map(|text| domain::folded(&text)))
                .map_err(diesel::r2d2::Error::QueryError)?;
        }
        connection.set_instrumentation(count);
        connection.batch_execute(setup).map_err(diesel::r2d2::Error::QueryError)?;
        if let Db::Sqlite(sqlite) = connection {
            group_commit::require_log(sqlite).map_err(diesel::r2d2::Error::QueryError)?;
        }
        Ok(())
    }
}

impl Store {
    /// How many connections there are, and how many of them nobody uses.
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.connections, state.idle_connections)
    }

    /// Opens the database: a path is SQLite, `postgres://…` is PostgreSQL.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub fn open(url: &str, connections: u32) -> Result<Self, StoreError> {
        let postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let engine = if postgres { Engine::Postgres } else { Engine::Sqlite };
        let path = url.strip_prefix("sqlite://").unwrap_or(url);
        if !postgres
            && let Some(folder) = Path::new(path).parent()
            && !folder.as_os_str().is_empty()
        {
            std::fs::create_dir_all(folder)
                .map_err(|e| StoreError::Unavailable(format!("{}: {e}", folder.display())))?;
        }
        // The pool would try for long, and could not say what the matter is.
        let tried = match engine {
            Engine::Sqlite => SqliteConnection::establish(path).map(drop),
            Engine::Postgres => PgConnection::establish(path).map(drop),
        };
        tried.map_err(|e| StoreError::Unavailable(e.to_string().trim().to_owned()))?;
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(15))
            .connection_customizer(Box::new(Pragmas))
            .build(ConnectionManager::new(path))
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(Self { pool, engine, secrets: SecretKeys::default() })
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Encrypts and decrypts secrets with these keys.
    #[must_use]
    pub fn with_secrets(self, secrets: SecretKeys) -> Self {
        Self { secrets, ..self }
    }

    /// The keys for secrets.
    pub fn secrets(&self) -> &SecretKeys {
        &self.secrets
    }

    /// A connection.
    ///
    /// # Errors
    /// If none is free in time.
    pub fn connection(&self) -> Result<StoreConnection, StoreError> {
        // Where it is known that there is none, nobody waits for long.
        let is_missing = faults::missing() == Some(Resource::Database);
        let timeout = if is_missing { CONNECT_TIMEOUT / 6 } else { CONNECT_TIMEOUT };
        let connected = self.pool.get_timeout(timeout).or_else(|error| match self.pool.state().connections {
            // There is none, and none could be made: it is not that all are in use.
            0 => Err(error),
            _ => self.pool.get(),
        });
        connected.map_err(|e| {
            faults::note(Some(Resource::Database));
            StoreError::Unavailable(e.to_string())
        })
    }

    /// Reads, without holding up the caller's thread: in the request's transaction, if this thread runs one.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if request_transaction::is_active() {
            return request_transaction::run(work);
        }
        let store = self.clone();
        let work = move || {
            let mut db = store.connection()?;
            work(&mut db).map_err(|error| faults::diagnosed(&mut db, error))
        };
        let done = actix_web::web::block(work).await;
        done.unwrap_or_else(|e| Err(StoreError::Unavailable(e.to_string())))
    }

    /// Writes in one transaction, without holding up the caller's thread; in the request's transaction, if this thread runs one,
    /// it is a part of that.
    ///
    /// # Errors
    /// Those of `work`; nothing is written then.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read(move |connection| connection.write(work)).await
    }

    /// Brings the schema up to date; gives the names of the migrations that were run.
    ///
    /// # Errors
    /// If one fails: the schema is then as before it.
    pub fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let mut connection = self.connection()?;
        let run = |result: diesel::migration::Result<Vec<diesel::migration::MigrationVersion<'_>>>| match result {
            Ok(versions) => Ok(versions.iter().map(ToString::to_string).collect()),
            Err(e) => Err(StoreError::Unavailable(format!("migration failed: {e}"))),
        };
        match &mut *connection {
            // Two programs that start at once on a new file: the lock is taken before it is looked into.
            Db::Sqlite(connection) => {
                let mut done = Ok(Vec::new());
                connection
                    .immediate_transaction(|connection| {
                        done = run(connection.run_pending_migrations(SQLITE_MIGRATIONS));
                        if done.is_ok() { Ok(()) } else { Err(DieselError::RollbackTransaction) }
                    })
                    .or_else(|e| if matches!(e, DieselError::RollbackTransaction) { Ok(()) } else { Err(e) })?;
                done
            }
            Db::Postgres(connection) => {
                // Two nodes that start at once migrate one after the other.
                connection.batch_execute("SELECT pg_advisory_lock(7307171)")?;
                let done = run(connection.run_pending_migrations(POSTGRES_MIGRATIONS));
                let ascending = if done.is_ok() { change_numbers::keep_ascending(connection) } else { Ok(()) };
                connection.batch_execute("SELECT pg_advisory_unlock(7307171)")?;
                ascending.and(done)
            }
        }
    }

    /// The last migration that was run, and how many were.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn applied_migrations(&self) -> Result<(String, usize), StoreError> {
        let mut connection = self.connection()?;
        let told = |e: Box<dyn std::error::Error + Send + Sync>| StoreError::Unavailable(e.to_string());
        let versions = match &mut *connection {
            Db::Sqlite(connection) => connection.applied_migrations().map_err(told)?,
            Db::Postgres(connection) => connection.applied_migrations().map_err(told)?,
        };
        let last = versions.iter().map(ToString::to_string).max().unwrap_or_default();
        Ok((last, versions.len()))
    }

    /// The migrations that are still to be run.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let mut connection = self.connection()?;
        let names = |e: Box<dyn std::error::Error + Send + Sync>| StoreError::Unavailable(e.to_string());
        match &mut *connection {
            Db::Sqlite(connection) => {
                let pending = connection.pending_migrations(SQLITE_MIGRATIONS).map_err(names)?;
                Ok(pending.iter().map(|m| m.name().to_string()).collect())
            }
            Db::Postgres(connection) => {
                let pending = connection.pending_migrations(POSTGRES_MIGRATIONS).map_err(names)?;
                Ok(pending.iter().map(|m| m.name().to_string()).collect())
            }
        }
    }
}
