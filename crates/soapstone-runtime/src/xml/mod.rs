//! XML messages: a one-pass reader and a writer for generated types, over quick-xml.

mod encoding;
mod escape;
mod position;
mod reader;
mod scope;
mod writer;

pub use encoding::{declared_encoding, decode};
pub use escape::{escape_attribute, escape_text};
pub use position::line_and_column;
pub use reader::XmlSource;
pub use scope::Scope;
pub use writer::XmlSink;

use crate::problem::ReadError;
use crate::schema::{Namespace, Value};
use crate::{Field, Message};

/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads a whole document as a message.
///
/// # Errors
/// Where and why it is not that message.
pub fn from_str<T: Message>(text: &str) -> Result<T, Box<ReadError>> {
    XmlSource::new(text).message(T::ELEMENT)
}

/// Writes a message as a document without XML declaration.
pub fn to_string<T: Message>(message: &T) -> String {
    let mut sink = XmlSink::new(T::NAMESPACES);
    crate::Sink::element(&mut sink, T::ELEMENT, message);
    sink.finish()
}

/// Writes a value as an element of any name: a record of a file.
pub fn element_to_string<T: Value>(field: &'static Field, namespaces: &'static [Namespace], value: &T) -> String {
    let mut sink = XmlSink::new(namespaces);
    crate::Sink::element(&mut sink, field, value);
    sink.finish()
}
