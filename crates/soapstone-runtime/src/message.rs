//! Messages: values with a root element, read and written in either format.

use crate::attachment::{Attachment, Attachments};
use crate::json::JsonSource;
use crate::problem::ReadError;
use crate::schema::{Field, Namespace, Value};
use crate::xml::{Scope, XmlSource};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A value that can be the body of a message: it has a global element.
pub trait Message: Value {
    /// Without a name where the message is several elements, or none.
    const ELEMENT: &'static Field;
    /// The namespaces that its XML declares.
    const NAMESPACES: &'static [Namespace];
    /// And those of its XML in which each element says its type.
    const TYPED_NAMESPACES: &'static [Namespace] = Self::NAMESPACES;
    /// Whether it is written in SOAP encoding: every element with its type.
    const ENCODED: bool = false;
}

/// A format of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Xml,
    /// XML in which each element says its type.
    TypedXml,
    /// XML with its binary values outside of it.
    Mtom,
    Json,
}

/// A request's content, before it is read as the type of an operation.
pub enum Payload<'a> {
    /// The body's element, with the namespaces around it and its line and column in the document.
    Xml {
        text: Cow<'a, str>,
        scope: Scope<'a>,
        origin: (u32, u32),
        attachments: Attachments,
        /// Whether it came by MTOM, so that the reply goes the same way.
        optimized: bool,
        /// Whether the elements of the reply say their types.
        typed: bool,
    },
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
            Self::Xml { text, scope, origin, attachments, .. } => {
                XmlSource::within(&text, scope.outer(), origin).attached(attachments).body()
            }
            Self::Json(value) => JsonSource::new(value).root(T::ELEMENT),
            Self::Query(value) => JsonSource::from_query(value).root(T::ELEMENT),
        }
    }

    /// The format that the reply is written in.
    pub fn format(&self) -> Format {
        match self {
            Self::Xml { optimized: true, .. } => Format::Mtom,
            Self::Xml { typed: true, .. } => Format::TypedXml,
            Self::Xml { .. } => Format::Xml,
            Self::Json(_) | Self::Query(_) => Format::Json,
        }
    }
}

/// Binary values of that many bytes travel as parts of their own in MTOM.
pub const OPTIMIZED_FROM: u64 = 1024;

/// A written message: the body's element, or a JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub text: String,
    /// What the text refers to.
    pub attachments: Vec<Attachment>,
    one_way: bool,
}

impl From<String> for Reply {
    /// An answer, which may be empty.
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl Reply {
    /// There is nothing to answer: the operation is one-way.
    pub fn none() -> Self {
        Self { one_way: true, ..Self::default() }
    }

    pub fn is_none(&self) -> bool {
        self.one_way
    }

    pub fn new<T: Message>(format: Format, message: &T) -> Self {
        match format {
            Format::Xml => crate::xml::to_string(message).into(),
            Format::TypedXml => crate::xml::to_typed_string(message).into(),
            Format::Mtom => {
                let (text, attachments) = crate::xml::to_string_with_attachments(message, OPTIMIZED_FROM);
                Self { text, attachments, one_way: false }
            }
            Format::Json => crate::json::to_string(message).into(),
        }
    }
}
