//! The rules of the shop. No HTTP, no SQL, no XML.

pub mod access;
pub mod attributes;
pub mod basket;
pub mod catalog;
mod change;
pub mod customers;
mod defaults;
pub mod files;
mod hex;
pub mod inventory;
mod issue;
mod key;
pub mod masters;
mod named;
mod names;
pub mod numbers;
pub mod orders;
pub mod pictures;
pub mod pricing;
mod printable;
mod rules;
mod secret;
pub mod serials;
pub mod signals;
pub mod spreadsheet;
pub mod tax;

pub use defaults::Defaults;
pub use hex::hex;
pub use issue::{Issue, Severity};
pub use key::{base_name, compared, folded};
pub use named::Named;
pub use names::Names;
pub use printable::printable;
pub use rules::Rules;
pub use secret::Secret;
