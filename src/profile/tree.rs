//! A document as a tree whose elements know their line, and what prefixes mean to them.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use soapstone_runtime::xml::Scope;

pub const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
pub const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// An element.
#[derive(Debug)]
pub struct Element {
    pub namespace: String,
    pub local: String,
    /// Namespace, name and value of each.
    pub attributes: Vec<(String, String, String)>,
    /// What is declared here: prefix and namespace.
    pub declared: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
    pub line: u32,
    /// All prefixes in scope.
    scope: Vec<(String, String)>,
}

impl Element {
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace == namespace
    }

    /// An attribute without a namespace.
    pub fn attribute(&self, local: &str) -> Option<&str> {
        self.attribute_of("", local)
    }

    pub fn attribute_of(&self, namespace: &str, local: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, name, _)| own == namespace && name == local);
        found.map(|(_, _, value)| value.as_str())
    }

    /// The children of that name.
    pub fn all<'a>(&'a self, namespace: &'a str, local: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(namespace, local))
    }

    pub fn first<'a>(&'a self, namespace: &'a str, local: &'a str) -> Option<&'a Self> {
        self.all(namespace, local).next()
    }

    /// It and everything in it.
    pub fn deep(&self) -> Vec<&Self> {
        let mut found = vec![self];
        let mut at = 0;
        while let Some(element) = found.get(at).copied() {
            found.extend(&element.children);
            at += 1;
        }
        found
    }

    /// Namespace and local name of a QName that stands here.
    pub fn resolved(&self, name: &str) -> (String, String) {
        let (prefix, local) = name.trim().split_once(':').unwrap_or(("", name.trim()));
        let uri = self.scope.iter().find(|(own, _)| own == prefix).map_or("", |(_, uri)| uri);
        (uri.to_owned(), local.to_owned())
    }

    /// The same for an attribute; None: there is none.
    pub fn name_in(&self, attribute: &str) -> Option<(String, String)> {
        self.attribute(attribute).map(|value| self.resolved(value))
    }
}

/// Reads a document; None: it is no XML, which others have told already.
pub fn parse(text: &str) -> Option<Element> {
    let mut reader = Reader::from_str(text);
    let mut scope = Scope::default();
    let mut open: Vec<Element> = Vec::new();
    let (mut line, mut counted) = (1, 0);
    loop {
        let before = usize::try_from(reader.buffer_position()).ok()?;
        line += u32::try_from(text[counted..before].bytes().filter(|byte| *byte == b'\n').count()).ok()?;
        counted = before;
        let event = reader.read_event().ok()?;
        let depth = u32::try_from(open.len()).ok()?;
        match event {
            Event::Start(start) => {
                scope.push(depth + 1, &start);
                open.push(element(&start, &scope, line)?);
            }
            Event::Empty(start) => {
                scope.push(depth + 1, &start);
                let made = element(&start, &scope, line)?;
                scope.pop(depth + 1);
                match open.last_mut() {
                    Some(parent) => parent.children.push(made),
                    None => return Some(made),
                }
            }
            Event::End(_) => {
                scope.pop(depth);
                let done = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Some(done),
                }
            }
            Event::Text(value) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&value.xml10_content());
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn element(start: &BytesStart<'_>, scope: &Scope<'_>, line: u32) -> Option<Element> {
    let (prefix, local) = start.name().0.split_once(':').unwrap_or(("", start.name().0));
    let mut attributes = Vec::new();
    let mut declared = Vec::new();
    for attribute in start.attributes().flatten() {
        let value = quick_xml::escape::unescape(&attribute.value).ok()?.into_owned();
        let name = attribute.key.0;
        match (name, name.split_once(':')) {
            ("xmlns", _) => declared.push((String::new(), value)),
            (_, Some(("xmlns", prefix))) => declared.push((prefix.to_owned(), value)),
            (_, Some((prefix, local))) => {
                attributes.push((scope.uri(prefix).unwrap_or_default().to_owned(), local.to_owned(), value));
            }
            (_, None) => attributes.push((String::new(), name.to_owned(), value)),
        }
    }
    Some(Element {
        namespace: scope.uri(prefix)?.to_owned(),
        local: local.to_owned(),
        attributes,
        declared,
        children: Vec::new(),
        text: String::new(),
        line,
        scope: scope.in_scope().into_iter().map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned())).collect(),
    })
}
