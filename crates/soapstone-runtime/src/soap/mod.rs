//! SOAP 1.1 and 1.2: envelopes and faults.

mod envelope;
mod fault;
mod limits;
mod received;
mod references;

pub use envelope::{Envelope, HeaderBlock, Version};
pub use fault::{Detail, Fault, FaultCode, NAMESPACE};
pub use limits::Limits;
pub use received::ReceivedFault;
