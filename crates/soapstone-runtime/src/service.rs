//! What generated servers implement: a service that is called by operation, whoever asks.

use crate::message::{Payload, Reply};
use crate::problem::ReadError;
use crate::schema::Field;
use crate::soap::Fault;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// How a request reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Soap,
    Rest,
}

impl Channel {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Soap => "soap",
            Self::Rest => "rest",
        }
    }
}

/// Who asks, and how: what a handler may want to know of a request beyond its content.
#[derive(Clone, Debug)]
pub struct Context {
    pub channel: Channel,
    /// Names this request in the log and in faults.
    pub request_id: String,
    /// The caller's address.
    pub peer: Option<std::net::IpAddr>,
}

/// Where the members that a location does not name are put (WSDL 1.1, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpInput {
    /// There are none: `http:urlReplacement`.
    Location,
    /// In the query: `http:urlEncoded`.
    Query,
    /// In a JSON body: `mime:content`.
    Body,
}

/// One HTTP binding of an operation.
#[derive(Debug)]
pub struct Route {
    pub verb: &'static str,
    /// Such as `/articles/(sku)`.
    pub location: &'static str,
    pub input: HttpInput,
}

/// One operation of a portType.
#[derive(Debug)]
pub struct OperationInfo {
    pub name: &'static str,
    pub documentation: &'static str,
    pub soap_action: &'static str,
    /// Whether its messages are in SOAP encoding.
    pub encoded: bool,
    /// The body's element; one without a name where the message has several, or none.
    pub input: &'static Field,
    /// None: one-way.
    pub output: Option<&'static Field>,
    pub routes: &'static [Route],
    /// A valid request, as the body's element.
    pub sample_request: &'static str,
    /// A valid response.
    pub sample_response: &'static str,
}

/// One document of a contract, for serving and for validating.
#[derive(Debug)]
pub struct ContractDocument {
    /// Its path, relative to the contract's folder.
    pub name: &'static str,
    pub text: &'static str,
    /// Its locations as written, and the names of the documents that they lead to.
    pub links: &'static [(&'static str, &'static str)],
    /// Of a schema that came with Soapstone: what imports of it name, whatever location they give.
    pub namespace: Option<&'static str>,
    pub ports: &'static [ContractPort],
}

/// A port of a contract, whose address is where its portType is served.
#[derive(Debug)]
pub struct ContractPort {
    pub name: &'static str,
    /// The namespace of its portType.
    pub namespace: &'static str,
    pub port_type: &'static str,
    /// Whether it is bound to plain HTTP, not to SOAP.
    pub http: bool,
}

/// What is known of a service at build time.
#[derive(Debug)]
pub struct ServiceInfo {
    /// The portType.
    pub name: &'static str,
    pub namespace: &'static str,
    pub documentation: &'static str,
    pub operations: &'static [OperationInfo],
    /// The WSDL first, then all that it imports.
    pub documents: &'static [ContractDocument],
    /// The schemas that messages are validated with: name and text.
    pub schemas: &'static [(&'static str, &'static str)],
    /// Those to start from: target namespace and name.
    pub schema_roots: &'static [(&'static str, &'static str)],
    /// `paths` and `components` of OpenAPI 3.1, as JSON.
    pub openapi: &'static str,
}

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
