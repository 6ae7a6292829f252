//! XML messages: a one-pass reader and a writer for generated types, over quick-xml.

mod encoding;
mod escape;
mod position;
mod reader;
mod scope;
mod tree;
mod writer;

pub use encoding::{declared_encoding, decode};
pub use escape::{escape_attribute, escape_text, forbidden_character};
pub(crate) use position::Forward;
pub use position::line_and_column;
pub use reader::XmlSource;
pub use scope::Scope;
pub(crate) use tree::{Element, Tree};
pub use writer::XmlSink;

use crate::attachment::Attachment;
use crate::problem::ReadError;
use crate::schema::Value;
use crate::{Field, Message};

/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Whether a text is one well-formed element with all prefixes declared.
///
/// # Errors
/// Why it is not.
pub(crate) fn check_fragment(text: &str) -> Result<(), String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut scope = Scope::default();
    let (mut depth, mut elements) = (0_u32, 0_u32);
    loop {
        match reader.read_event().map_err(|e| e.to_string())? {
            event @ (Event::Start(_) | Event::Empty(_)) => {
                let (Event::Start(start) | Event::Empty(start)) = &event else { return Ok(()) };
                elements += u32::from(depth == 0);
                scope.push(depth + 1, start);
                let prefix = start.name().0.split_once(':').map_or("", |(prefix, _)| prefix);
                if scope.uri(prefix).is_none() {
                    return Err(format!("the prefix \"{prefix}\" is not declared"));
                }
                for attribute in start.attributes() {
                    attribute.map_err(|e| e.to_string())?;
                }
                if matches!(event, Event::Start(_)) {
                    depth += 1;
                } else {
                    scope.pop(depth + 1);
                }
            }
            Event::End(_) => {
                scope.pop(depth);
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) if depth == 0 && !text.trim().is_empty() => {
                return Err("text stands outside of it".to_owned());
            }
            Event::DocType(_) => return Err("a DOCTYPE is not allowed".to_owned()),
            Event::Eof if depth > 0 => return Err("it ends early".to_owned()),
            Event::Eof if elements == 1 => return Ok(()),
            Event::Eof => return Err("it must be one element".to_owned()),
            _ => {}
        }
    }
}

/// The namespaces of SOAP and of its encoding, in both versions.
pub(crate) const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(crate) const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
pub(crate) const SOAP_ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";
pub(crate) const SOAP_12_ENCODING: &str = "http://www.w3.org/2003/05/soap-encoding";

/// The namespace of `wsu:Id`, by which signatures refer to elements.
pub(crate) const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";

/// The character that a reference stands for; None: an entity that XML does not have of itself.
pub(crate) fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Reads a whole document as a message.
///
/// # Errors
/// Where and why it is not that message.
pub fn from_str<T: Message>(text: &str) -> Result<T, Box<ReadError>> {
    XmlSource::new(text).body()
}

/// Writes a message as a document without XML declaration.
pub fn to_string<T: Message>(message: &T) -> String {
    written(message, XmlSink::new(T::NAMESPACES)).finish()
}

/// Writes a message whose elements say their types, where the code was generated with that.
pub fn to_typed_string<T: Message>(message: &T) -> String {
    written(message, XmlSink::new(T::TYPED_NAMESPACES).typed()).finish()
}

/// Writes a message with its binary values outside of it, from that size on: each refers to its attachment.
pub fn to_string_with_attachments<T: Message>(message: &T, from: u64) -> (String, Vec<Attachment>) {
    written(message, XmlSink::new(T::NAMESPACES).optimized(from)).finish_with_attachments()
}

fn written<T: Message>(message: &T, mut sink: XmlSink) -> XmlSink {
    if T::ENCODED {
        sink = sink.encoded();
    }
    if T::ELEMENT.local.is_empty() {
        message.write(&mut sink);
    } else {
        crate::Sink::element(&mut sink, T::ELEMENT, message);
    }
    sink
}

/// Writes a value as an element of any name, within a document that declares the contract's namespaces and that of `xsi`.
pub fn element_to_string<T: Value>(field: &'static Field, value: &T) -> String {
    let mut sink = XmlSink::within();
    crate::Sink::element(&mut sink, field, value);
    sink.finish()
}
