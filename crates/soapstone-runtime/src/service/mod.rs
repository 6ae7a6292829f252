//! What generated servers implement: a service that is called by operation, whoever asks.

mod certificate;
mod context;
mod info;

pub use certificate::{Certificate, CertificateField, distinguished_name, serial_number};
pub use context::{AnonymousAccess, Beside, Caller, Channel, Context, Permissions, agent};
pub use info::{ContractDocument, ContractPort, HttpInput, OperationInfo, Route, ServiceInfo};

use crate::message::{Payload, Reply};
use crate::problem::ReadError;
use crate::soap::Fault;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// The outcome of an operation, when it is there.
pub type Outcome = BoxFuture<'static, Result<Reply, Fault>>;

/// The error for an operation that a service does not have.
pub fn no_such_operation(_context: Context, _payload: Payload<'_>) -> Box<ReadError> {
    ReadError::new(crate::ReadErrorKind::Unexpected, "there is no such operation")
}

/// A service that answers by operation: generated from a portType, over a person's handlers.
pub trait Service: Send + Sync + 'static {
    fn info(&self) -> &'static ServiceInfo;

    /// Reads the request of the operation with that index and starts its handler.
    ///
    /// # Errors
    /// Where and why the request is not what the contract says.
    fn call(
        self: Arc<Self>,
        context: Context,
        operation: usize,
        payload: Payload<'_>,
    ) -> Result<Outcome, Box<ReadError>>;
}
