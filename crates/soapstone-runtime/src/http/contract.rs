//! The contract as callers get it: `?wsdl`, and `?xsd=` for what it imports, with addresses that lead back to us.

use crate::service::ServiceInfo;
use crate::xml::escape_attribute;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A service's contract, published at an address.
#[derive(Clone, Copy, Debug)]
pub struct PublishedContract {
    info: &'static ServiceInfo,
}

impl PublishedContract {
    pub fn new(info: &'static ServiceInfo) -> Self {
        Self { info }
    }

    /// The WSDL, for the endpoint at `address`.
    pub fn wsdl(&self, address: &str) -> Option<String> {
        let document = self.info.documents.first()?;
        Some(rewritten(document.name, document.text, address))
    }

    /// Another document of the contract, by its name.
    pub fn document(&self, name: &str, address: &str) -> Option<String> {
        let document = self.info.documents.iter().find(|d| d.name == name)?;
        Some(rewritten(document.name, document.text, address))
    }
}

/// A document with its locations changed to addresses of ours.
fn rewritten(name: &str, text: &str, address: &str) -> String {
    let mut reader = Reader::from_str(text);
    let mut out = String::with_capacity(text.len() + 512);
    let mut copied = 0;
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = reader.read_event();
        let after = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let (start, end) = match event {
            Ok(Event::Start(start)) => (start, ">"),
            Ok(Event::Empty(start)) => (start, "/>"),
            // The documents were read when the program was built.
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => continue,
        };
        if let Some(tag) = rewritten_tag(name, &start, address) {
            out.push_str(&text[copied..before]);
            out.push('<');
            out.push_str(&tag);
            out.push_str(end);
            copied = after;
        }
    }
    out.push_str(&text[copied..]);
    out
}

fn rewritten_tag(document: &str, start: &BytesStart<'_>, address: &str) -> Option<String> {
    let attribute = match start.local_name().into_inner() {
        "address" => "location",
        "import" | "include" | "redefine" => {
            if start.attributes().flatten().any(|a| a.key.0 == "schemaLocation") {
                "schemaLocation"
            } else {
                "location"
            }
        }
        _ => return None,
    };
    let mut tag = start.name().0.to_owned();
    let mut changed = false;
    for found in start.attributes().flatten() {
        tag.push(' ');
        tag.push_str(found.key.0);
        tag.push_str("=\"");
        if found.key.0 == attribute {
            changed = true;
            let target = if attribute == "location" && start.local_name().into_inner() == "address" {
                address.to_owned()
            } else {
                linked(document, &found.value, address)
            };
            escape_attribute(&target, &mut tag);
        } else {
            tag.push_str(&found.value.replace('"', "&quot;"));
        }
        tag.push('"');
    }
    changed.then_some(tag)
}

/// The address of a document that `from` refers to as `location`.
fn linked(from: &str, location: &str, address: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in location.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let name = parts.join("/");
    let kind = if name.ends_with(".wsdl") { "wsdl" } else { "xsd" };
    format!("{address}?{kind}={name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_lead_back_to_us() {
        let text = "<d xmlns:s='x'><xs:import namespace=\"u\" schemaLocation=\"../xsd/a.xsd\"/>\n<soap:address location='REPLACED'/></d>";
        assert_eq!(
            rewritten("wsdl/c.wsdl", text, "http://h/soap/c"),
            "<d xmlns:s='x'><xs:import namespace=\"u\" schemaLocation=\"http://h/soap/c?xsd=xsd/a.xsd\"/>\n<soap:address location=\"http://h/soap/c\"/></d>"
        );
    }
}
