//! Persistence: one [`Store`] over SQLite (embedded, the default) or PostgreSQL. One file an aggregate.

pub mod access;
pub mod articles;
pub mod batch;
mod bulk;
pub mod categories;
mod children;
mod connection;
pub mod customers;
mod links;
mod lock;
pub mod messages;
pub mod prices;
pub mod runs;
pub mod schema;
mod search;

pub use connection::{Db, Engine, Store, StoreError};

/// How many keys one query looks up.
const LOOKUP: usize = 500;
