//! Persistence: one [`Store`] over SQLite (embedded, the default) or PostgreSQL. One file an aggregate.

pub mod access;
mod addresses;
pub mod articles;
pub mod attributes;
pub mod batch;
mod bulk;
pub mod categories;
pub mod change_numbers;
mod children;
mod connection;
pub mod contents;
mod copied;
pub mod customers;
pub mod durability;
pub mod faults;
pub mod files;
mod group_commit;
pub mod idempotency;
pub mod inventory;
mod keys;
pub mod lease_clock;
mod links;
mod lock;
pub mod log_ins;
pub mod masters;
pub mod messages;
pub mod missing;
pub mod notices;
mod numbers;
pub mod orders;
mod page;
pub mod pictures;
pub mod prices;
mod request_transaction;
pub mod runs;
pub mod schedules;
pub mod schema;
mod search;
pub mod secrets;
pub mod serials;
pub mod sessions;
pub mod signals;
pub mod size;
pub mod spooled;
pub mod statistics;
mod values;

pub use change_numbers::ChangeRange;
pub use connection::{Db, Engine, Store, StoreConnection, StoreError, statements};
pub use request_transaction::{RequestTransaction, after_commit};

/// How many keys one query looks up.
const LOOKUP: usize = 500;
