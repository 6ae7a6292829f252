//! The rules of the shop. No HTTP, no SQL, no XML.

pub mod access;
pub mod catalog;
mod hex;
mod issue;
mod key;
pub mod pricing;
pub mod tax;

pub use hex::hex;
pub use issue::{Issue, Severity};
pub use key::compared;
