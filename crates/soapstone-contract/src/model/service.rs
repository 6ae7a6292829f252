//! What WSDL adds to the schemas: messages, portTypes, bindings, services.

use super::{Place, QName, TypeRef};

/// `wsdl:message`.
#[derive(Clone, Debug)]
pub struct Message {
    pub place: Place,
    pub name: QName,
    pub parts: Vec<Part>,
}

/// `wsdl:part`.
#[derive(Clone, Debug)]
pub struct Part {
    pub place: Place,
    pub name: String,
    pub content: PartContent,
}

/// What a part carries.
#[derive(Clone, Debug)]
pub enum PartContent {
    Element(QName),
    Type(TypeRef),
}

/// `wsdl:portType`.
#[derive(Clone, Debug)]
pub struct PortType {
    pub place: Place,
    pub documentation: Option<String>,
    pub name: QName,
    pub operations: Vec<Operation>,
}

/// `wsdl:operation` of a portType.
#[derive(Clone, Debug)]
pub struct Operation {
    pub place: Place,
    pub documentation: Option<String>,
    pub name: String,
    /// The name of the input, which tells overloaded operations apart.
    pub input_name: Option<String>,
    pub input: Option<QName>,
    pub output_name: Option<String>,
    /// None: one-way.
    pub output: Option<QName>,
    pub faults: Vec<Fault>,
    /// What WS-Addressing says of requests and answers, where the contract says it.
    pub input_action: Option<String>,
    pub output_action: Option<String>,
}

/// A declared fault.
#[derive(Clone, Debug)]
pub struct Fault {
    pub name: String,
    pub message: QName,
    /// What WS-Addressing says of it, where the contract says it.
    pub action: Option<String>,
}

/// `wsdl:binding`.
#[derive(Clone, Debug)]
pub struct Binding {
    pub place: Place,
    pub name: QName,
    pub port_type: QName,
    pub protocol: Protocol,
    pub operations: Vec<BoundOperation>,
}

/// How a binding carries messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    Soap11,
    Soap12,
    /// With the verb.
    Http(String),
}

/// `style` of a SOAP operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Document,
    Rpc,
}

/// `use` of a SOAP body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Literal,
    Encoded,
}

/// `wsdl:operation` of a binding.
#[derive(Clone, Debug)]
pub struct BoundOperation {
    pub place: Place,
    pub name: String,
    /// The name of the input, which tells overloaded operations apart.
    pub input_name: Option<String>,
    pub style: Style,
    pub soap_action: Option<String>,
    pub input: BodyUse,
    pub output: BodyUse,
    /// `http:operation/@location`.
    pub location: Option<String>,
    pub http_input: HttpInput,
}

/// `soap:body`.
#[derive(Clone, Debug)]
pub struct BodyUse {
    pub use_: Use,
    pub namespace: Option<String>,
    /// The parts in the body; None: all.
    pub parts: Option<Vec<String>>,
    /// Parts that travel as attachments.
    pub attachments: Vec<Attachment>,
    pub headers: Vec<HeaderUse>,
}

/// `mime:content` of a `mime:multipartRelated`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub part: String,
    /// The types it may have; none: any.
    pub media_types: Vec<String>,
}

impl BodyUse {
    /// Whether a part of that message is in the body: one that is named, or else not in a header or attachment.
    pub fn carries(&self, message: &QName, part: &str) -> bool {
        match &self.parts {
            Some(parts) => parts.iter().any(|p| p == part),
            None => {
                let in_header = self.headers.iter().any(|h| h.message == *message && h.part == part);
                !in_header && !self.attachments.iter().any(|a| a.part == part)
            }
        }
    }
}

/// `soap:header`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderUse {
    pub message: QName,
    pub part: String,
    /// Of a part with a type: the namespace of its element.
    pub namespace: Option<String>,
    /// `soap:headerfault`: message and part of each.
    pub faults: Vec<(QName, String)>,
}

/// Where an HTTP binding puts what the location does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpInput {
    /// Nothing is left: `http:urlReplacement` alone.
    Location,
    /// In the query: `http:urlEncoded`.
    Query,
    /// In the body: `mime:content`.
    Body,
}

/// `wsdl:service`.
#[derive(Clone, Debug)]
pub struct Service {
    pub place: Place,
    pub documentation: Option<String>,
    pub name: QName,
    pub ports: Vec<Port>,
}

/// `wsdl:port`.
#[derive(Clone, Debug)]
pub struct Port {
    pub place: Place,
    pub name: String,
    pub binding: QName,
    pub address: Option<String>,
}
