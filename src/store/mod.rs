//! Persistence: one [`Store`] over SQLite (embedded, the default) or PostgreSQL. One file an aggregate.

pub mod access;
pub mod articles;
mod bulk;
pub mod categories;
mod connection;
pub mod messages;
pub mod runs;
pub mod schema;

pub use connection::{Db, Engine, Store, StoreError};
