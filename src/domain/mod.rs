//! The rules of the shop. No HTTP, no SQL, no XML.

pub mod access;
pub mod catalog;
mod issue;
mod key;

pub use issue::{Issue, Severity};
pub use key::compared;
