//! The reader that generated types are read with: one pass, strict in order, with line and column.

use super::{Scope, XSI, line_and_column};
use crate::problem::{ReadError, ReadErrorKind};
use crate::schema::{Choice, Facets, Field, Source, Value};
use crate::value::{Simple, XmlFragment, treated};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// XML text, read forward.
pub struct XmlSource<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    scope: Scope<'a>,
    depth: u32,
    next: Next<'a>,
    /// The start tag entered last, until its attributes are read.
    entered: Option<BytesStart<'a>>,
    attributes: Vec<Attribute<'a>>,
    path: Vec<(&'static str, u32)>,
    /// Elements that were asked for since the last one found.
    expected: Vec<&'static str>,
    /// Where the last event began.
    offset: usize,
    /// Line and column of the text's first character in its document.
    origin: (u32, u32),
}

/// What stands at the reader's place.
enum Next<'a> {
    Unread,
    Start(BytesStart<'a>),
    End,
}

struct Attribute<'a> {
    /// The name as written.
    name: String,
    value: Cow<'a, str>,
}

type Read<T> = Result<T, Box<ReadError>>;

impl<'a> XmlSource<'a> {
    pub fn new(text: &'a str) -> Self {
        Self::within(text, Scope::default(), (1, 1))
    }

    /// A part of a document: the namespaces around it, and the line and column where it begins.
    pub fn within(text: &'a str, scope: Scope<'a>, origin: (u32, u32)) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self {
            text,
            reader,
            scope,
            depth: 0,
            next: Next::Unread,
            entered: None,
            attributes: Vec::new(),
            path: Vec::new(),
            expected: Vec::new(),
            offset: 0,
            origin,
        }
    }

    /// Reads the root element.
    ///
    /// # Errors
    /// If it is another element, or wrong inside.
    pub fn message<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        let value = self.required(field)?;
        match self.event()? {
            Event::Eof => Ok(value),
            _ => Err(self.error(ReadErrorKind::Malformed, "there is something after the end of the message")),
        }
    }

    fn error(&self, kind: ReadErrorKind, message: impl Into<String>) -> Box<ReadError> {
        self.error_at(self.offset, kind, message)
    }

    fn error_at(&self, offset: usize, kind: ReadErrorKind, message: impl Into<String>) -> Box<ReadError> {
        let mut error = ReadError::new(kind, message);
        let (line, column) = line_and_column(self.text, offset);
        error.column = if line == 1 { column + self.origin.1 - 1 } else { column };
        error.line = line + self.origin.0 - 1;
        error.path = self.path_text();
        error
    }

    fn path_text(&self) -> String {
        let mut path = String::new();
        for (name, index) in &self.path {
            path.push('/');
            path.push_str(name);
            if *index > 0 {
                path.push_str(&format!("[{index}]"));
            }
        }
        path
    }

    fn malformed(&self, error: &quick_xml::Error) -> Box<ReadError> {
        let offset = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
        self.error_at(offset, ReadErrorKind::Malformed, format!("not well-formed XML: {error}"))
    }

    /// The next event that means something here.
    fn event(&mut self) -> Read<Event<'a>> {
        loop {
            self.offset = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
            match self.reader.read_event() {
                Ok(Event::Comment(_) | Event::PI(_) | Event::Decl(_)) => {}
                Ok(Event::DocType(_)) => {
                    return Err(self.error(ReadErrorKind::Forbidden, "a DOCTYPE is not allowed in messages"));
                }
                Ok(event) => return Ok(event),
                Err(e) => return Err(self.malformed(&e)),
            }
        }
    }

    /// Moves to the next tag; text between is white space.
    fn advance(&mut self) -> Read<()> {
        if !matches!(self.next, Next::Unread) {
            return Ok(());
        }
        loop {
            match self.event()? {
                Event::Start(start) => {
                    self.depth += 1;
                    self.scope.push(self.depth, &start);
                    self.next = Next::Start(start);
                    return Ok(());
                }
                Event::End(_) => {
                    self.next = Next::End;
                    return Ok(());
                }
                Event::Text(text) if text.xml10_content().trim_matches([' ', '\t', '\r', '\n']).is_empty() => {}
                Event::Eof if self.path.is_empty() => {
                    self.next = Next::End;
                    return Ok(());
                }
                Event::Eof => return Err(self.error(ReadErrorKind::Malformed, "the document ends early")),
                _ => return Err(self.error(ReadErrorKind::Unexpected, "text is not allowed here")),
            }
        }
    }

    fn is_next(&self, field: &Field) -> bool {
        let Next::Start(start) = &self.next else { return false };
        let name = start.name().0;
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        local == field.local && self.scope.uri(prefix) == Some(field.namespace)
    }

    /// Goes into the element, if it is the one that comes next. `index` is for the path: 0 means it does not repeat.
    fn enter(&mut self, field: &'static Field, index: u32) -> Read<bool> {
        self.advance()?;
        if !self.is_next(field) {
            self.expected.push(field.local);
            return Ok(false);
        }
        self.refuse_attributes()?;
        if let Next::Start(start) = std::mem::replace(&mut self.next, Next::Unread) {
            self.entered = Some(start);
        }
        self.expected.clear();
        self.path.push((field.local, index));
        Ok(true)
    }

    /// Leaves the element entered.
    fn leave(&mut self) -> Read<()> {
        self.refuse_attributes()?;
        self.entered = None;
        self.advance()?;
        if let Next::Start(start) = &self.next {
            let name = start.name().0.to_owned();
            return Err(self.unexpected(&name));
        }
        self.next = Next::Unread;
        self.expected.clear();
        self.path.pop();
        self.scope.pop(self.depth);
        self.depth -= 1;
        Ok(())
    }

    /// The error for an element that is not one of those asked for.
    fn unexpected(&self, name: &str) -> Box<ReadError> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let message = if self.expected.contains(&local) {
            match self.scope.uri(prefix) {
                Some("") => format!("the element \"{local}\" is not in the right namespace: it has none"),
                Some(uri) => format!("the element \"{local}\" is in the wrong namespace \"{uri}\""),
                None => format!("the prefix of \"{name}\" is not declared"),
            }
        } else {
            format!("the element \"{name}\" is not allowed here")
        };
        let mut error = self.error(ReadErrorKind::Unexpected, message).of(local, None);
        error.expected = self.expected.iter().map(|e| (*e).to_owned()).collect();
        error
    }

    fn missing(&self, field: &'static Field) -> Box<ReadError> {
        if let Next::Start(start) = &self.next {
            return self.unexpected(start.name().0);
        }
        self.error(ReadErrorKind::Missing, format!("the element \"{}\" is missing", field.local)).of(field.local, None)
    }

    fn value<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        let value = T::read(self, field.facets)?;
        self.leave()?;
        Ok(value)
    }

    /// Attributes nobody asked for, unless they are of XML itself.
    fn refuse_attributes(&mut self) -> Read<()> {
        match self.attributes.first() {
            None => Ok(()),
            Some(attribute) => {
                let name = attribute.name.clone();
                let message = format!("the attribute \"{name}\" is not allowed here");
                Err(self.error(ReadErrorKind::Unexpected, message).of(&name, None))
            }
        }
    }

    /// Takes the attributes of the element entered, without declarations and those of `xsi`.
    fn take_attributes(&mut self) -> Read<()> {
        let Some(start) = self.entered.take() else { return Ok(()) };
        if start.attributes_raw().is_empty() {
            return Ok(());
        }
        for attribute in start.attributes() {
            let attribute =
                attribute.map_err(|e| self.error(ReadErrorKind::Malformed, format!("not well-formed XML: {e}")))?;
            let name = attribute.key.0;
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            if let Some((prefix, _)) = name.split_once(':') {
                match self.scope.uri(prefix) {
                    Some(XSI) => continue,
                    Some(_) => {}
                    None => {
                        let message = format!("the prefix \"{prefix}\" is not declared");
                        return Err(self.error(ReadErrorKind::Malformed, message));
                    }
                }
            }
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|e| self.error(ReadErrorKind::Malformed, format!("not well-formed XML: {e}")))?;
            let name = name.to_owned();
            self.attributes.push(Attribute { name, value: Cow::Owned(value.into_owned()) });
        }
        Ok(())
    }

    /// The text up to the end tag.
    fn characters(&mut self) -> Read<Cow<'a, str>> {
        let mut text: Cow<'a, str> = Cow::Borrowed("");
        loop {
            let part = match self.event()? {
                Event::Text(part) => part.xml10_content(),
                Event::CData(part) => part.xml10_content(),
                Event::GeneralRef(reference) => Cow::Owned(self.resolve(&reference)?.to_string()),
                Event::End(_) => {
                    self.next = Next::End;
                    return Ok(text);
                }
                Event::Start(start) => {
                    let message = format!("the element \"{}\" stands where only text is allowed", start.name().0);
                    return Err(self.error(ReadErrorKind::Unexpected, message));
                }
                _ => return Err(self.error(ReadErrorKind::Malformed, "the document ends early")),
            };
            if text.is_empty() {
                text = part;
            } else {
                text.to_mut().push_str(&part);
            }
        }
    }

    fn resolve(&self, reference: &quick_xml::events::BytesRef<'_>) -> Read<char> {
        if let Ok(Some(character)) = reference.resolve_char_ref() {
            return Ok(character);
        }
        match reference.xml10_content().as_ref() {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            other => Err(self.error(ReadErrorKind::Forbidden, format!("the entity \"&{other};\" is not known"))),
        }
    }

    fn simple<T: Simple>(&self, text: Cow<'_, str>, facets: &'static Facets, name: &str, offset: usize) -> Read<T> {
        let text = treated(text, facets.white_space.unwrap_or(T::WHITE_SPACE));
        let wrong = |kind, why: &str| self.error_at(offset, kind, format!("\"{name}\" {why}")).of(name, Some(&text));
        let value = T::parse(&text).map_err(|why| wrong(ReadErrorKind::Type, &why))?;
        if !std::ptr::eq(facets, &Facets::NONE) {
            facets.check(&value, &text).map_err(|why| wrong(ReadErrorKind::Facet, &why))?;
        }
        Ok(value)
    }

    fn here(&self) -> &'static str {
        self.path.last().map_or("", |(name, _)| name)
    }

    /// The element that comes next as text of its own, with all namespaces declared.
    fn fragment(&mut self) -> Read<XmlFragment> {
        let Next::Start(start) = std::mem::replace(&mut self.next, Next::Unread) else {
            return Err(self.error(ReadErrorKind::Missing, "an element is missing"));
        };
        let begin = self.offset;
        let name_end = begin + 1 + start.name().0.len();
        self.reader.read_to_end(start.to_end().name()).map_err(|e| self.malformed(&e))?;
        let end = usize::try_from(self.reader.buffer_position()).unwrap_or(begin);
        let declared: Vec<String> = start.attributes().flatten().map(|a| a.key.0.to_owned()).collect();
        let mut out = self.text[begin..name_end].to_owned();
        for (prefix, uri) in self.scope.in_scope() {
            let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
            let is_undeclared = prefix.is_empty() && uri.is_empty();
            if !is_undeclared && !declared.contains(&name) {
                out.push_str(&format!(" {name}=\""));
                super::escape_attribute(uri, &mut out);
                out.push('"');
            }
        }
        out.push_str(&self.text[name_end..end]);
        self.scope.pop(self.depth);
        self.depth -= 1;
        Ok(XmlFragment(out))
    }

    fn too_many(&self, field: &'static Field) -> Box<ReadError> {
        let message = format!("more than {} elements \"{}\"", field.occurs.max, field.local);
        self.error(ReadErrorKind::Unexpected, message).of(field.local, None)
    }

    fn enough(&self, found: usize, field: &'static Field) -> Read<()> {
        if found < field.occurs.min as usize { Err(self.missing(field)) } else { Ok(()) }
    }
}

impl Source for XmlSource<'_> {
    fn begin(&mut self) -> Read<()> {
        self.take_attributes()
    }

    fn required<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        if self.enter(field, 0)? { self.value(field) } else { Err(self.missing(field)) }
    }

    fn optional<T: Value>(&mut self, field: &'static Field) -> Read<Option<T>> {
        if self.enter(field, 0)? { self.value(field).map(Some) } else { Ok(None) }
    }

    fn repeated<T: Value>(&mut self, field: &'static Field) -> Read<Vec<T>> {
        let mut values = Vec::new();
        loop {
            let index = u32::try_from(values.len()).unwrap_or(u32::MAX - 1) + 1;
            if !self.enter(field, index)? {
                break;
            }
            if index > field.occurs.max {
                return Err(self.too_many(field));
            }
            values.push(self.value(field)?);
        }
        self.enough(values.len(), field)?;
        Ok(values)
    }

    fn choice<T: Choice>(&mut self) -> Read<Option<T>> {
        self.advance()?;
        match T::BRANCHES.iter().position(|field| self.is_next(field)) {
            Some(branch) => T::read_branch(self, branch).map(Some),
            None => {
                self.expected.extend(T::BRANCHES.iter().map(|field| field.local));
                Ok(None)
            }
        }
    }

    fn choices<T: Choice>(&mut self, field: &'static Field) -> Read<Vec<T>> {
        let mut values = Vec::new();
        while let Some(value) = self.choice()? {
            if values.len() >= field.occurs.max as usize {
                return Err(self.too_many(field));
            }
            values.push(value);
        }
        self.enough(values.len(), field)?;
        Ok(values)
    }

    fn any(&mut self, field: &'static Field) -> Read<Vec<XmlFragment>> {
        let mut fragments = Vec::new();
        loop {
            self.advance()?;
            if !matches!(self.next, Next::Start(_)) || fragments.len() >= field.occurs.max as usize {
                break;
            }
            self.refuse_attributes()?;
            fragments.push(self.fragment()?);
        }
        self.enough(fragments.len(), field)?;
        Ok(fragments)
    }

    fn attribute<T: Simple>(&mut self, field: &'static Field) -> Read<Option<T>> {
        let matches = |a: &Attribute<'_>| match a.name.split_once(':') {
            None => a.name == field.local && field.namespace.is_empty(),
            Some((prefix, local)) => local == field.local && self.scope.uri(prefix) == Some(field.namespace),
        };
        let Some(index) = self.attributes.iter().position(matches) else { return Ok(None) };
        let attribute = self.attributes.remove(index);
        self.simple(attribute.value, field.facets, field.local, self.offset).map(Some)
    }

    fn required_attribute<T: Simple>(&mut self, field: &'static Field) -> Read<T> {
        self.attribute(field)?.ok_or_else(|| {
            let message = format!("the attribute \"{}\" is missing", field.local);
            self.error(ReadErrorKind::Missing, message).of(field.local, None)
        })
    }

    fn text<T: Simple>(&mut self, facets: &'static Facets) -> Read<T> {
        self.refuse_attributes()?;
        let offset = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let text = self.characters()?;
        self.simple(text, facets, self.here(), offset)
    }

    fn content<T: Simple>(&mut self, facets: &'static Facets) -> Read<T> {
        if self.entered.as_ref().is_some_and(|start| !start.attributes_raw().is_empty()) {
            self.take_attributes()?;
        }
        self.text(facets)
    }

    fn nil(&mut self) -> Read<bool> {
        let Some(start) = &self.entered else { return Ok(false) };
        if !start.attributes_raw().contains("nil") {
            return Ok(false);
        }
        for attribute in start.attributes().flatten() {
            if let Some((prefix, "nil")) = attribute.key.0.split_once(':')
                && self.scope.uri(prefix) == Some(XSI)
            {
                let text = treated(Cow::Borrowed(attribute.value.as_ref()), crate::WhiteSpace::Collapse);
                return bool::parse(&text).map_err(|why| {
                    self.error(ReadErrorKind::Type, format!("\"xsi:nil\" {why}")).of("xsi:nil", Some(&text))
                });
            }
        }
        Ok(false)
    }
}
