//! Positions and namespaces for the typed documents.
//!
//! yaserde's reader does not tell where it is, so [`weave`] writes each element's line and column into it as an
//! attribute first, and [`At`] takes them out again, with the namespaces in scope, which QName values need.

use crate::problem::Problem;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Deref;
use yaserde::__xml::reader::XmlEvent;
use yaserde::YaDeserialize;
use yaserde::de::Deserializer;

/// How deep the elements of a contract may nest.
const MAX_DEPTH: usize = 250;

/// How many elements one document may have: several times what the largest contract known has.
const MAX_ELEMENTS: usize = 250_000;

/// The attribute that carries an element's position through yaserde.
const WOVEN: &str = "soapstone-at";

pub(crate) const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
pub(crate) const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// Line and column of an element, from 1; 0 when not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// A document's element as written, with where it stands and the namespaces in scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct At<T> {
    pub node: T,
    pub position: Position,
    pub namespaces: BTreeMap<String, String>,
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.node
    }
}

impl<T: YaDeserialize> YaDeserialize for At<T> {
    fn deserialize<R: Read>(reader: &mut Deserializer<R>) -> yaserde::Result<Self> {
        let (position, namespaces) = match reader.peek()? {
            XmlEvent::StartElement { attributes, namespace, .. } => {
                let at = attributes.iter().find(|a| a.name.local_name == WOVEN).map(|a| a.value.as_str());
                (at.map(position).unwrap_or_default(), namespace.0.clone())
            }
            _ => Default::default(),
        };
        Ok(Self { node: T::deserialize(reader)?, position, namespaces })
    }
}

fn position(woven: &str) -> Position {
    let (line, column) = woven.split_once(':').unwrap_or(("", ""));
    Position { line: line.parse().unwrap_or(0), column: column.parse().unwrap_or(0) }
}

/// Reads a typed document from its text.
pub(crate) fn read<T: YaDeserialize>(name: &str, text: &str) -> Result<At<T>, Problem> {
    let woven = weave(name, text)?;
    yaserde::de::from_str(&woven)
        .map_err(|e| Problem::invalid("xml.document", name, Position::default(), format!("cannot be read: {e}")))
}

/// The root element's namespace and local name: what kind of document this is.
pub(crate) fn root(name: &str, text: &str) -> Result<(String, String), Problem> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                let prefix = start.name().prefix().map_or("", |p| p.into_inner()).to_owned();
                let declaration = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
                let namespace = start
                    .try_get_attribute(declaration.as_str())
                    .ok()
                    .flatten()
                    .map(|a| a.value.as_ref().to_owned())
                    .unwrap_or_default();
                return Ok((namespace, start.local_name().into_inner().to_owned()));
            }
            Ok(Event::Eof) => {
                return Err(Problem::invalid("xml.empty", name, Position::default(), "the document has no element"));
            }
            Ok(_) => {}
            Err(e) => return Err(malformed(name, text, reader.error_position(), &e.to_string())),
        }
    }
}

/// Namespaces of extensions that are understood, or say nothing that has to be.
const KNOWN_EXTENSIONS: &[&str] = &[
    WSDL,
    XSD,
    "http://schemas.xmlsoap.org/wsdl/soap/",
    "http://schemas.xmlsoap.org/wsdl/soap12/",
    "http://schemas.xmlsoap.org/wsdl/http/",
    "http://schemas.xmlsoap.org/wsdl/mime/",
    "http://www.w3.org/2006/05/addressing/wsdl",
    "http://www.w3.org/ns/ws-policy",
    "http://schemas.xmlsoap.org/ws/2004/09/policy",
];

/// The places and names of elements with `wsdl:required="true"` in namespaces that are not known.
pub(crate) fn required_extensions(text: &str) -> Vec<(Position, String)> {
    let mut reader = Reader::from_str(text);
    let mut lines = Lines::new(text);
    let mut found = Vec::new();
    // Prefixes with what they mean, by the depth at which they were declared.
    let mut scope: Vec<(usize, String, String)> = Vec::new();
    let mut depth = 0;
    loop {
        let before = offset(reader.buffer_position());
        let (start, is_empty) = match reader.read_event() {
            Ok(Event::Start(start)) => (start, false),
            Ok(Event::Empty(start)) => (start, true),
            Ok(Event::End(_)) => {
                scope.retain(|(level, ..)| *level < depth);
                depth -= 1;
                continue;
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => continue,
        };
        depth += 1;
        for attribute in start.attributes().flatten() {
            let name = attribute.key.0;
            if let Some(prefix) = name.strip_prefix("xmlns:").or_else(|| (name == "xmlns").then_some("")) {
                scope.push((depth, prefix.to_owned(), attribute.value.into_owned()));
            }
        }
        let meaning = |prefix: &str| {
            scope.iter().rev().find(|(_, p, _)| p == prefix).map_or("", |(_, _, uri)| uri.as_str()).to_owned()
        };
        let required = start.attributes().flatten().any(|a| {
            let is_wsdl =
                a.key.0.split_once(':').is_some_and(|(prefix, local)| local == "required" && meaning(prefix) == WSDL);
            is_wsdl && matches!(a.value.trim(), "true" | "1")
        });
        let prefix = start.name().prefix().map_or("", |p| p.into_inner()).to_owned();
        let namespace = meaning(&prefix);
        if required && !KNOWN_EXTENSIONS.contains(&namespace.as_str()) {
            found.push((lines.position(before), format!("{{{namespace}}}{}", start.local_name().into_inner())));
        }
        if is_empty {
            scope.retain(|(level, ..)| *level < depth);
            depth -= 1;
        }
    }
}

/// Adds each element's position to it, and refuses what is not well-formed or has a DOCTYPE.
fn weave(name: &str, text: &str) -> Result<String, Problem> {
    let mut reader = Reader::from_str(text);
    let mut woven = String::with_capacity(text.len() + text.len() / 4);
    let mut lines = Lines::new(text);
    let mut copied = 0;
    let mut elements = 0_usize;
    let mut depth = 0_usize;
    loop {
        let before = offset(reader.buffer_position());
        let event = reader.read_event();
        if matches!(event, Ok(Event::Start(_) | Event::Empty(_))) {
            elements += 1;
            if elements > MAX_ELEMENTS {
                let text = format!("the document has more than {MAX_ELEMENTS} elements");
                return Err(Problem::invalid("xml.too_large", name, lines.position(before), text)
                    .remedy("split it, and import the parts"));
            }
        }
        match event {
            Ok(Event::Start(start)) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let at = lines.position(before);
                    let text = format!("elements nest deeper than {MAX_DEPTH}");
                    return Err(Problem::invalid("xml.too_deep", name, at, text)
                        .remedy("no contract needs that; name the inner types and refer to them"));
                }
                weave_tag(&mut woven, text, &mut copied, before, &start, &mut lines);
            }
            Ok(Event::Empty(start)) => weave_tag(&mut woven, text, &mut copied, before, &start, &mut lines),
            Ok(Event::End(_)) => depth -= 1,
            Ok(Event::DocType(_)) => {
                // Contracts of the wild carry harmless ones; entities would be another matter, so it is dropped.
                let after = offset(reader.buffer_position());
                woven.push_str(&text[copied..before]);
                copied = after;
            }
            Ok(Event::Eof) if depth == 0 => break,
            Ok(Event::Eof) => return Err(malformed(name, text, text.len() as u64, "the document ends early")),
            Ok(_) => {}
            Err(e) => return Err(malformed(name, text, reader.error_position(), &e.to_string())),
        }
    }
    woven.push_str(&text[copied..]);
    Ok(woven)
}

fn weave_tag(
    woven: &mut String,
    text: &str,
    copied: &mut usize,
    before: usize,
    start: &BytesStart<'_>,
    lines: &mut Lines<'_>,
) {
    let tag = before + text[before..].find('<').unwrap_or(0);
    let name_end = tag + 1 + start.name().into_inner().len();
    let at = lines.position(tag);
    woven.push_str(&text[*copied..name_end]);
    woven.push_str(&format!(" {WOVEN}=\"{}:{}\"", at.line, at.column));
    *copied = name_end;
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn malformed(name: &str, text: &str, at: u64, why: &str) -> Problem {
    let at = offset(at).min(text.len());
    Problem::invalid("xml.malformed", name, Lines::new(text).position(at), format!("not well-formed XML: {why}"))
        .remedy("correct the XML; an editor with XML support shows the place")
}

/// Turns rising byte offsets into lines and columns in one pass, however long the lines are.
pub(crate) struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    pub fn position(&mut self, offset: usize) -> Position {
        for byte in &self.text.as_bytes()[self.offset..offset] {
            match byte {
                b'\n' => (self.line, self.column) = (self.line + 1, 1),
                // The second and later bytes of a character.
                0x80..=0xBF => {}
                _ => self.column += 1,
            }
        }
        self.offset = offset;
        Position { line: self.line, column: self.column }
    }
}

/// The text in an element of free content, such as `documentation`, with its markup left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct FreeText(pub String);

impl YaDeserialize for FreeText {
    fn deserialize<R: Read>(reader: &mut Deserializer<R>) -> yaserde::Result<Self> {
        let depth = reader.depth();
        reader.next_event()?;
        let mut text = String::new();
        // The parent reads our end tag.
        loop {
            let outermost = reader.depth() == depth + 1;
            match reader.peek()? {
                XmlEvent::EndElement { .. } if outermost => break,
                XmlEvent::EndDocument => break,
                XmlEvent::Characters(part) => {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    text.push_str(part.trim());
                }
                _ => {}
            }
            reader.next_event()?;
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_the_weaving() {
        let woven = weave("x", "<a>\n  <b c='ü'/><d/>\n</a>").unwrap();
        let expected = "<a soapstone-at=\"1:1\">\n  <b soapstone-at=\"2:3\" c='ü'/><d soapstone-at=\"2:13\"/>\n</a>";
        assert_eq!(woven, expected);
    }

    #[test]
    fn a_wrong_end_tag_is_told_with_its_line() {
        let problem = weave("x.wsdl", "<a>\n  <b>\n</a>").unwrap_err();
        assert_eq!(problem.position.line, 3);
        assert_eq!(problem.code, "xml.malformed");
    }
}
