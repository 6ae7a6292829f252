//! A contract with all names resolved: what the generator, the server and the explainer work with.

mod builtin;
mod schema;
mod service;

pub use builtin::Builtin;
pub use schema::{
    Attribute, AttributeUse, ComplexType, Content, Derivation, DerivationKind, Element, Facets, Form, GroupKind,
    Occurs, Particle, SchemaSet, SimpleType, Term, Type, TypeRef, Variety, WhiteSpace, Wildcard,
};
pub use service::{
    Attachment, Binding, BodyUse, BoundOperation, Fault, HeaderUse, HttpInput, Message, Operation, Part, PartContent,
    Port, PortType, Protocol, Service, Style, Use,
};

use crate::problem::{Problem, Problems};
use crate::source::Document;
use crate::xml::Position;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// An XML qualified name. The empty namespace means none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QName {
    pub namespace: Arc<str>,
    pub local: String,
}

impl QName {
    pub fn new(namespace: impl Into<Arc<str>>, local: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), local: local.into() }
    }
}

impl fmt::Display for QName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.local)
        } else {
            write!(f, "{{{}}}{}", self.namespace, self.local)
        }
    }
}

/// Where something is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub file: Arc<str>,
    pub position: Position,
}

impl Place {
    pub fn invalid(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::invalid(code, &self.file, self.position, message)
    }

    pub fn unsupported(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::unsupported(code, &self.file, self.position, message)
    }

    pub fn warning(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::warning(code, &self.file, self.position, message)
    }
}

/// What an `import` or `include` of a document resolved to, for serving it under another address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The document that has the link.
    pub from: String,
    /// The location as written.
    pub location: String,
    /// The name of the document it leads to.
    pub to: String,
}

/// A schema that is there in its own right: inline, imported, or what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRoot {
    pub namespace: String,
    /// Its document.
    pub document: String,
    /// Where its element begins in that document: several may stand in one WSDL.
    pub position: Position,
}

/// One contract: all documents reached from its entry, and what they declare.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// The name of the document that was asked for.
    pub entry: String,
    /// In the order they were reached, the entry first.
    pub documents: Vec<Document>,
    pub links: Vec<Link>,
    /// The schemas that are not part of another: target namespace and place.
    pub schema_roots: Vec<SchemaRoot>,
    pub documentation: Option<String>,
    pub target_namespace: Arc<str>,
    pub schemas: SchemaSet,
    pub messages: BTreeMap<QName, Message>,
    pub port_types: BTreeMap<QName, PortType>,
    pub bindings: BTreeMap<QName, Binding>,
    pub services: Vec<Service>,
    /// Warnings; a contract with anything worse is not handed out.
    pub warnings: Problems,
}

impl Contract {
    /// The operations of a portType with the message of each direction.
    pub fn port_type(&self, name: &QName) -> Option<&PortType> {
        self.port_types.get(name)
    }

    /// The bindings of one portType, in name order.
    pub fn bindings_of<'a>(&'a self, port_type: &'a QName) -> impl Iterator<Item = &'a Binding> {
        self.bindings.values().filter(move |b| b.port_type == *port_type)
    }
}
