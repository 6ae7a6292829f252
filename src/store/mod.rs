//! Persistence: one [`Store`] over SQLite (embedded, the default) or PostgreSQL. One file an aggregate.

pub mod access;
mod addresses;
pub mod articles;
pub mod attributes;
pub mod batch;
mod bulk;
pub mod categories;
mod children;
mod connection;
pub mod contents;
mod copied;
pub mod customers;
pub mod files;
pub mod idempotency;
pub mod inventory;
mod keys;
mod links;
mod lock;
pub mod masters;
pub mod messages;
pub mod missing;
pub mod notices;
mod numbers;
pub mod orders;
mod page;
pub mod pictures;
pub mod prices;
pub mod runs;
pub mod schedules;
pub mod schema;
mod search;
pub mod serials;
pub mod sessions;
pub mod signals;
pub mod size;
pub mod spooled;
pub mod statistics;
mod values;

pub use connection::{Db, Engine, Store, StoreError, statements};

/// How many keys one query looks up.
const LOOKUP: usize = 500;
