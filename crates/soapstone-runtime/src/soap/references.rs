//! Multi-reference values of SOAP encoding (SOAP 1.1, section 5.2.1): `href="#id"` is replaced by what has that id.

use crate::problem::{Read, ReadError, ReadErrorKind};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

/// How deep references may lead.
const MAX_DEPTH: usize = 100;

/// How many times larger than the message it may become, and at least.
const MAX_GROWTH: usize = 16;
const MIN_LIMIT: usize = 1 << 20;

/// An element that others refer to.
struct Target<'a> {
    /// Its attributes without `id`, as they stand in the tag.
    attributes: String,
    content: &'a str,
}

/// The body's first element, which is `first` bytes long, with all references in it resolved.
///
/// # Errors
/// If a reference leads nowhere, in a circle, or too deep, or if the whole grows too large.
pub(super) fn resolved(body: &str, first: usize) -> Read<Cow<'_, str>> {
    if !body.contains("href") {
        return Ok(Cow::Borrowed(&body[..first]));
    }
    let mut resolver = Resolver {
        targets: targets(body)?,
        out: String::with_capacity(body.len()),
        limit: (body.len() * MAX_GROWTH).max(MIN_LIMIT),
        path: Vec::new(),
    };
    resolver.copy(&body[..first])?;
    Ok(Cow::Owned(resolver.out))
}

fn wrong(kind: ReadErrorKind, message: impl Into<String>) -> Box<ReadError> {
    ReadError::new(kind, message)
}

fn malformed(error: &quick_xml::Error) -> Box<ReadError> {
    wrong(ReadErrorKind::Malformed, format!("not well-formed XML: {error}"))
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// The attributes of a tag but one, as they are written.
fn attributes_without(start: &BytesStart<'_>, left_out: &[&str]) -> String {
    let mut out = String::new();
    for attribute in start.attributes().flatten() {
        let name = attribute.key.0;
        let is_root = name.ends_with(":root");
        if !left_out.contains(&name) && !is_root {
            let quote = if attribute.value.contains('"') { '\'' } else { '"' };
            let _ = write!(out, " {name}={quote}{}{quote}", attribute.value);
        }
    }
    out
}

fn unqualified(start: &BytesStart<'_>, name: &str) -> Option<String> {
    if !start.attributes_raw().contains(name) {
        return None;
    }
    start.attributes().flatten().find(|a| a.key.0 == name).map(|a| a.value.trim().to_owned())
}

/// All elements that have an id.
fn targets(body: &str) -> Read<HashMap<String, Target<'_>>> {
    let mut reader = Reader::from_str(body);
    let mut found = HashMap::new();
    // Where the content of each open element with an id begins.
    let mut open: Vec<Option<(String, String, usize)>> = Vec::new();
    loop {
        let before = position(&reader);
        match reader.read_event().map_err(|e| malformed(&e))? {
            Event::Start(start) => open
                .push(unqualified(&start, "id").map(|id| (id, attributes_without(&start, &["id"]), position(&reader)))),
            Event::Empty(start) => {
                if let Some(id) = unqualified(&start, "id") {
                    found.insert(id, Target { attributes: attributes_without(&start, &["id"]), content: "" });
                }
            }
            Event::End(_) => {
                if let Some((id, attributes, begin)) = open.pop().flatten() {
                    found.insert(id, Target { attributes, content: &body[begin..before] });
                }
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

struct Resolver<'a> {
    targets: HashMap<String, Target<'a>>,
    out: String,
    limit: usize,
    /// The references being followed.
    path: Vec<String>,
}

impl Resolver<'_> {
    fn push(&mut self, text: &str) -> Read<()> {
        if self.out.len() + text.len() > self.limit {
            return Err(wrong(ReadErrorKind::Limit, "the references of the message make it too large"));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn copy(&mut self, text: &str) -> Read<()> {
        let mut reader = Reader::from_str(text);
        let mut copied = 0;
        loop {
            let before = position(&reader);
            let event = reader.read_event().map_err(|e| malformed(&e))?;
            let (start, is_empty) = match &event {
                Event::Start(start) => (start, false),
                Event::Empty(start) => (start, true),
                Event::Eof => break,
                _ => continue,
            };
            let Some(reference) = unqualified(start, "href") else { continue };
            let Some(id) = reference.strip_prefix('#') else { continue };
            let name = start.name().0.to_owned();
            let own = attributes_without(start, &["href"]);
            self.push(&text[copied..before])?;
            if !is_empty {
                reader.read_to_end(start.to_end().name()).map_err(|e| malformed(&e))?;
            }
            copied = position(&reader);
            self.follow(id, &name, &own)?;
        }
        self.push(&text[copied..])
    }

    fn follow(&mut self, id: &str, name: &str, own: &str) -> Read<()> {
        if self.path.iter().any(|open| open == id) {
            return Err(wrong(ReadErrorKind::Unexpected, format!("the reference \"#{id}\" leads in a circle")));
        }
        if self.path.len() >= MAX_DEPTH {
            return Err(wrong(ReadErrorKind::Limit, "references lead too deep"));
        }
        let Some(target) = self.targets.get(id) else {
            return Err(
                wrong(ReadErrorKind::Missing, format!("the reference \"#{id}\" leads nowhere")).of("href", Some(id))
            );
        };
        let (attributes, content) = (target.attributes.clone(), target.content);
        // Declarations of the target hold in its content; those of the reference would stand there twice.
        let own: String = if attributes.is_empty() { own.to_owned() } else { String::new() };
        self.push(&format!("<{name}{own}{attributes}>"))?;
        self.path.push(id.to_owned());
        self.copy(content)?;
        self.path.pop();
        self.push(&format!("</{name}>"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(body: &str) -> Read<String> {
        let first = body.find("</op>").unwrap() + 5;
        resolved(body, first).map(Cow::into_owned)
    }

    #[test]
    fn references_are_replaced_by_what_they_mean() {
        let body =
            "<op><a href=\"#1\"/><b href='#1'></b></op><m id=\"1\" t=\"x\"><c href=\"#2\"/></m><m id=\"2\">v</m>";
        assert_eq!(resolve(body).unwrap(), "<op><a t=\"x\"><c>v</c></a><b t=\"x\"><c>v</c></b></op>");
        assert_eq!(resolve("<op><a/></op>").unwrap(), "<op><a/></op>");
    }

    #[test]
    fn circles_and_loose_ends_are_refused() {
        let circle = "<op><a href=\"#1\"/></op><m id=\"1\"><c href=\"#1\"/></m>";
        assert!(resolve(circle).unwrap_err().message.contains("circle"));
        assert!(resolve("<op><a href=\"#9\"/></op>").unwrap_err().message.contains("nowhere"));
    }

    #[test]
    fn a_billion_laughs_are_cut_off() {
        let mut body = String::from("<op><a href=\"#0\"/></op>");
        for level in 0..40 {
            let next = level + 1;
            body.push_str(&format!("<m id=\"{level}\"><c href=\"#{next}\"/><c href=\"#{next}\"/></m>"));
        }
        body.push_str("<m id=\"40\">ha</m>");
        assert_eq!(resolve(&body).unwrap_err().kind, ReadErrorKind::Limit);
    }
}
