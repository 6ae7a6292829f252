//! Header blocks of a message, and those of its answer.

use super::{Fault, FaultCode};
use crate::message::{Format, Message};
use crate::problem::Read;
use crate::xml::{Scope, XmlSource};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A child of the header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderBlock {
    pub namespace: String,
    pub local: String,
    /// Whether its receiver must understand it or refuse the message.
    pub must_understand: bool,
    /// Whether it is for us, and not for somebody on the way.
    pub for_us: bool,
    pub content: HeaderContent,
}

/// What a block says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeaderContent {
    /// Its element, with all namespaces declared; line and column in the message.
    Xml { text: String, origin: (u32, u32) },
    /// The same over REST.
    Json(Value),
}

impl HeaderBlock {
    /// A block of our own.
    pub fn new<T: Message>(format: Format, header: &T) -> Self {
        let content = match format {
            Format::Json => {
                let text = crate::json::to_string(header);
                HeaderContent::Json(serde_json::from_str(&text).unwrap_or_default())
            }
            Format::Xml | Format::TypedXml | Format::Mtom => {
                HeaderContent::Xml { text: crate::xml::to_string(header), origin: (1, 1) }
            }
        };
        Self::of(T::ELEMENT.namespace, T::ELEMENT.local, content)
    }

    /// A block with that content.
    pub fn of(namespace: &str, local: &str, content: HeaderContent) -> Self {
        Self { namespace: namespace.to_owned(), local: local.to_owned(), must_understand: false, for_us: true, content }
    }

    /// Its element, as XML.
    pub fn xml(&self) -> Option<&str> {
        match &self.content {
            HeaderContent::Xml { text, .. } => Some(text),
            HeaderContent::Json(_) => None,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Where and why it is not of that type.
    pub fn read<T: Message>(&self) -> Read<T> {
        match &self.content {
            HeaderContent::Xml { text, origin } => {
                XmlSource::within(text, Scope::default(), *origin).message(T::ELEMENT)
            }
            HeaderContent::Json(value) => crate::json::from_value(value.clone()),
        }
    }
}

/// The header blocks of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers(pub Vec<HeaderBlock>);

impl Headers {
    /// The first block of that name that is for us.
    pub fn find(&self, namespace: &str, local: &str) -> Option<&HeaderBlock> {
        self.0.iter().find(|block| block.for_us && block.local == local && block.namespace == namespace)
    }

    /// A header that the contract declares.
    ///
    /// # Errors
    /// Where and why it is not of that type.
    pub fn get<T: Message>(&self) -> Read<Option<T>> {
        self.find(T::ELEMENT.namespace, T::ELEMENT.local).map(HeaderBlock::read).transpose()
    }

    /// The fault for blocks that we must understand, and do not.
    pub fn not_understood(&self, known: impl Fn(&HeaderBlock) -> bool) -> Option<Fault> {
        let blocks = self.0.iter().filter(|h| h.must_understand && h.for_us && !known(h));
        let blocks: Vec<_> = blocks.map(|h| (h.namespace.clone(), h.local.clone())).collect();
        let (_, local) = blocks.first()?;
        let message = format!("The header \"{local}\" must be understood, but is not");
        let fault = Fault::sender("soap.must_understand", 500, message);
        Some(Fault { code: FaultCode::MustUnderstand, not_understood: blocks, ..fault })
    }

    /// The blocks as XML.
    pub fn xml(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(HeaderBlock::xml)
    }
}
