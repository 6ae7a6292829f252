//! What is known of a service at build time.

use crate::schema::Field;

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
    /// The member of the request that body and location are the members of, if they are not those of the request itself:
    /// the contract's location was `/articles/(article.sku)`.
    pub within: Option<&'static str>,
    pub input: HttpInput,
}

/// One operation of a portType.
#[derive(Debug)]
pub struct OperationInfo {
    pub name: &'static str,
    pub documentation: &'static str,
    pub soap_action: &'static str,
    /// What WS-Addressing says of requests and answers.
    pub input_action: &'static str,
    pub output_action: &'static str,
    /// And of declared faults, by the element of their detail.
    pub fault_actions: &'static [(&'static Field, &'static str)],
    /// Whether a request is nothing but a list of records, and its reply a list of what became of them: such a request
    /// can be done in batches.
    pub batched: bool,
    /// Whether a request can say of which version its record must be: by an attribute `ifVersion`.
    pub conditional: bool,
    /// Whether a reply is one record that tells its version: by an attribute `version`.
    pub versioned: bool,
    /// Whether its messages are in SOAP encoding.
    pub encoded: bool,
    /// The body's element; one without a name where the message has several, or none.
    pub input: &'static Field,
    /// Of an input without an element of its own: namespaces and names of what the body may begin with.
    pub begins: &'static [(&'static str, &'static str)],
    /// None: one-way.
    pub output: Option<&'static Field>,
    /// Header blocks that a request may have.
    pub headers: &'static [&'static Field],
    /// And those of its reply.
    pub reply_headers: &'static [&'static Field],
    /// Parts of the request's message that travel as attachments.
    pub attachments: &'static [&'static str],
    /// And those of its reply.
    pub reply_attachments: &'static [&'static str],
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
    /// All of them in one, where there are several and it can be done.
    pub flat: Option<ContractDocument>,
    /// The schemas that messages are validated with: name and text.
    pub schemas: &'static [(&'static str, &'static str)],
    /// Those to start from: target namespace and name.
    pub schema_roots: &'static [(&'static str, &'static str)],
    /// `paths` and `components` of OpenAPI 3.1, as JSON.
    pub openapi: &'static str,
}
