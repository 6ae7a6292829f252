//! Soapstone: a contract-first integration server. See `ARCHITECTURE.md` for the map.

pub mod cli;
pub mod client;
pub mod config;
pub mod domain;
pub mod dynamic;
pub mod error;
pub mod exchange;
pub mod history;
pub mod http;
pub mod navigator;
pub mod notices;
pub mod permissions;
pub mod pictures;
pub mod profile;
pub mod records;
pub mod reporting;
pub mod revocation;
pub mod services;
pub mod signals;
pub mod store;
