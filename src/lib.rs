//! Soapstone: a contract-first integration server. See `ARCHITECTURE.md` for the map.

pub mod domain;
pub mod error;
pub mod reporting;
pub mod store;
