//! The schemas of a contract as documents of their own, for a validator: those inside a WSDL are taken out of it.

use crate::model::Contract;
use crate::xml::{WSDL, XSD};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A schema document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDocument {
    pub namespace: String,
    /// Unique; a relative `schemaLocation` in another of these documents leads to it.
    pub name: String,
    pub text: String,
}

/// All schemas with a namespace of their own, inline ones first.
pub fn schema_documents(contract: &Contract) -> Vec<SchemaDocument> {
    let mut found = Vec::new();
    for document in &contract.documents {
        if document.text.contains(WSDL) {
            found.extend(inline(&document.name, &document.text));
        }
    }
    let inline_names: Vec<_> = found.iter().map(|d| (d.namespace.clone(), d.name.clone())).collect();
    for document in &mut found {
        document.text = located(&document.text, &document.name, &inline_names);
    }
    for document in &contract.documents {
        if let Some(namespace) = target_namespace(&document.text) {
            found.push(SchemaDocument { namespace, name: document.name.clone(), text: document.text.clone() });
        }
    }
    found
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    start.try_get_attribute(name).ok().flatten().map(|a| a.value.into_owned())
}

/// The target namespace, if the document is a schema.
fn target_namespace(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                let schema = start.local_name().into_inner() == "schema";
                return schema.then(|| attribute(&start, "targetNamespace").unwrap_or_default());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// The schemas inside a WSDL, with the namespaces declared around them.
fn inline(name: &str, text: &str) -> Vec<SchemaDocument> {
    let mut reader = Reader::from_str(text);
    let mut scope: Vec<(usize, String, String)> = Vec::new();
    let mut depth = 0;
    let mut found: Vec<SchemaDocument> = Vec::new();
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                depth += 1;
                let declarations = |a: quick_xml::events::attributes::Attribute<'_>| {
                    (a.key.0 == "xmlns" || a.key.0.starts_with("xmlns:"))
                        .then(|| (depth, a.key.0.to_owned(), a.value.into_owned()))
                };
                scope.extend(start.attributes().flatten().filter_map(declarations));
                let prefix = start.name().prefix().map(|p| format!("xmlns:{}", p.into_inner()));
                let prefix = prefix.unwrap_or_else(|| "xmlns".to_owned());
                let namespace = scope.iter().rev().find(|(_, name, _)| *name == prefix).map(|(_, _, uri)| uri.as_str());
                if start.local_name().into_inner() == "schema" && namespace == Some(XSD) {
                    if reader.read_to_end(start.to_end().name()).is_err() {
                        return found;
                    }
                    let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
                    if let Some(namespace) = attribute(&start, "targetNamespace") {
                        let name_end = before + 1 + start.name().0.len();
                        let mut out = text[before..name_end].to_owned();
                        let mut declared: Vec<&str> = Vec::new();
                        for (level, prefix, uri) in scope.iter().rev() {
                            if *level < depth
                                && !declared.contains(&prefix.as_str())
                                && attribute(&start, prefix).is_none()
                            {
                                out.push_str(&format!(" {prefix}=\"{uri}\""));
                                declared.push(prefix);
                            }
                        }
                        out.push_str(&text[name_end..end]);
                        let name = format!("{name}.{}.xsd", found.len() + 1);
                        found.push(SchemaDocument { namespace, name, text: out });
                    }
                    scope.retain(|(level, ..)| *level < depth);
                    depth -= 1;
                }
            }
            Ok(Event::End(_)) => {
                scope.retain(|(level, ..)| *level < depth);
                depth -= 1;
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

/// Imports of inline schemas get a location.
fn located(text: &str, own: &str, inline: &[(String, String)]) -> String {
    let mut reader = Reader::from_str(text);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) if start.local_name().into_inner() == "import" => {
                let namespace = attribute(&start, "namespace").unwrap_or_default();
                let target = inline.iter().find(|(ns, name)| *ns == namespace && name != own);
                if let Some((_, name)) = target
                    && attribute(&start, "schemaLocation").is_none()
                {
                    let name = name.strip_prefix(folder).map_or(name.as_str(), |n| n.trim_start_matches('/'));
                    let end = before + 1 + start.name().0.len();
                    out.push_str(&text[copied..end]);
                    out.push_str(&format!(" schemaLocation=\"{name}\""));
                    copied = end;
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    out.push_str(&text[copied..]);
    out
}
