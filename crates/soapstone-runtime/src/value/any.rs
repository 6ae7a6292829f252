//! What a contract leaves open: elements of wildcards, attributes of wildcards, `xs:anyType`.

use crate::problem::ReadError;
use crate::schema::{Field, Sink, Source, Value};

/// A well-formed element of `xs:any`, kept as it came, with all namespace declarations that it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XmlFragment(pub String);

/// An attribute of `xs:anyAttribute`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnyAttribute {
    pub namespace: String,
    pub local: String,
    pub value: String,
}

/// An element of `xs:anyType`: with any attributes, and anything in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyValue {
    /// Nothing but text.
    Text(String),
    /// The whole element, its tags among it, with all namespace declarations that it needs.
    Xml(String),
}

impl Default for AnyValue {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Value for AnyValue {
    fn read<S: Source>(source: &mut S, _field: &'static Field) -> Result<Self, Box<ReadError>> {
        source.any_value()
    }

    fn write<K: Sink>(&self, sink: &mut K) {
        sink.any_value(self);
    }
}
