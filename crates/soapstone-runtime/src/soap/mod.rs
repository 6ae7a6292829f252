//! SOAP 1.1 and 1.2: envelopes and faults.

mod addressing;
mod envelope;
mod fault;
mod headers;
mod limits;
mod received;
mod references;
pub mod security;

pub use addressing::{Addressing, FAULT_ACTION, Reference, Route, WSA, fault_action};
pub use envelope::{Envelope, Version};
pub use fault::{Detail, Fault, FaultCode, NAMESPACE, StandardCode};
pub use headers::{HeaderBlock, HeaderContent, Headers};
pub use limits::Limits;
pub use received::ReceivedFault;
