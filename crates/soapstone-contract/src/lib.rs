//! WSDL 1.1 and XSD 1.0 contracts: read, resolved, checked and explained. Knows nothing of Rust code.
//!
//! The journey of a contract: [`source`] fetches and decodes documents, [`xml`] weaves positions into them,
//! [`wsdl`] and [`xsd`] are their typed form as written (yaserde), [`resolve`] follows imports and names, and
//! [`model`] is what the rest of Soapstone works with.

mod bundled;
pub mod diff;
pub mod explain;
mod flat;
pub mod model;
mod problem;
mod resolve;
mod schemas;
mod source;
mod wsdl;
mod xml;
mod xsd;

pub use bundled::brought_along;
pub use flat::flat;
pub use model::Contract;
pub use problem::{Problem, Problems, Severity};
pub use schemas::{ValidationSet, validation_set};
pub use source::{Document, Files, Memory, Sources};
pub use xml::Position;

/// Reads the contract that starts at `entry` (a WSDL or an XSD) with all that it imports and includes.
///
/// # Errors
/// Every problem found, each with file, line and column, and what to do about it.
pub fn load(sources: &dyn Sources, entry: &str) -> Result<Contract, Problems> {
    resolve::load(sources, entry)
}
