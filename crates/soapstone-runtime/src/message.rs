//! Messages: values with a root element, read and written in either format.

use crate::json::{JsonSink, JsonSource};
use crate::problem::ReadError;
use crate::schema::{Field, Namespace, Value};
use crate::xml::{Scope, XmlSource};
use std::borrow::Cow;

/// A value that can be the body of a message: it has a global element.
pub trait Message: Value {
    /// Without a name where the message is several elements, or none.
    const ELEMENT: &'static Field;
    /// The namespaces that its XML declares.
    const NAMESPACES: &'static [Namespace];
    /// Whether it is written in SOAP encoding: every element with its type.
    const ENCODED: bool = false;
}

/// A format of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Xml,
    Json,
}

/// A request's content, before it is read as the type of an operation.
pub enum Payload<'a> {
    /// The body's element, with the namespaces around it and its line and column in the document.
    Xml { text: Cow<'a, str>, scope: Scope<'a>, origin: (u32, u32) },
    /// A JSON object.
    Json(serde_json::Value),
    /// Members from a path and a query, where a list of one looks like a value.
    Query(serde_json::Value),
}

impl Payload<'_> {
    /// Reads the request.
    ///
    /// # Errors
    /// Where and why it is not that message.
    pub fn read<T: Message>(self) -> Result<T, Box<ReadError>> {
        match self {
            Self::Xml { text, scope, origin } => XmlSource::within(&text, scope.outer(), origin).body(),
            Self::Json(value) => JsonSource::new(value).root(T::ELEMENT),
            Self::Query(value) => JsonSource::from_query(value).root(T::ELEMENT),
        }
    }

    /// The format that the reply is written in.
    pub fn format(&self) -> Format {
        match self {
            Self::Xml { .. } => Format::Xml,
            Self::Json(_) | Self::Query(_) => Format::Json,
        }
    }
}

/// A written message: the body's element, or a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply(pub String);

impl Reply {
    /// There is nothing to answer: the operation is one-way.
    pub fn none() -> Self {
        Self(String::new())
    }

    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    pub fn new<T: Message>(format: Format, message: &T) -> Self {
        match format {
            Format::Xml => Self(crate::xml::to_string(message)),
            Format::Json => {
                let mut sink = JsonSink::default();
                message.write(&mut sink);
                Self(sink.finish())
            }
        }
    }
}
