//! The reader that generated types are read with: one pass, strict in order, with line and column.

use super::{SOAP_11, SOAP_12, SOAP_12_ENCODING, SOAP_ENCODING, Scope, WSU, XSI, line_and_column};
use crate::attachment::{Attachments, Content, XOP};
use crate::problem::{Read, ReadError, ReadErrorKind};
use crate::schema::{Beginning, Field, Group, Source, Start, TypeName, Typed, Value, allowed};
use crate::value::{AnyAttribute, AnyValue, Prefixes, Simple, XmlFragment, is_fixed, treated};
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
    /// Where that tag begins.
    entered_at: usize,
    attributes: Vec<Attribute<'a>>,
    path: Vec<(&'static str, u32)>,
    /// Elements that were asked for since the last one found.
    expected: Vec<&'static str>,
    /// Where the last event began.
    offset: usize,
    /// What comes after a text that is next.
    after_text: Option<Next<'a>>,
    /// Line and column of the text's first character in its document.
    origin: (u32, u32),
    attachments: Attachments,
}

/// What stands at the reader's place.
enum Next<'a> {
    Unread,
    Start(BytesStart<'a>),
    End,
    /// Text in mixed content; what comes after it is unread.
    Text(String),
}

struct Attribute<'a> {
    /// The name as written.
    name: String,
    value: Cow<'a, str>,
}

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
            entered_at: 0,
            attributes: Vec::new(),
            path: Vec::new(),
            expected: Vec::new(),
            offset: 0,
            after_text: None,
            origin,
            attachments: Attachments::default(),
        }
    }

    /// With attachments that the text may refer to.
    #[must_use]
    pub fn attached(mut self, attachments: Attachments) -> Self {
        self.attachments = attachments;
        self
    }

    /// Reads the root element.
    ///
    /// # Errors
    /// If it is another element, or wrong inside.
    pub fn message<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        let value = self.required(field)?;
        self.finish()?;
        Ok(value)
    }

    /// Reads a message: its element, or those that have none around them.
    ///
    /// # Errors
    /// If it is another message, or wrong inside.
    pub fn body<T: crate::Message>(&mut self) -> Read<T> {
        if T::ELEMENT.local.is_empty() { self.elements(T::ELEMENT) } else { self.message(T::ELEMENT) }
    }

    /// Reads elements that have none around them.
    ///
    /// # Errors
    /// If one is wrong, or there is another.
    fn elements<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        let value = T::read(self, field)?;
        self.end_of_elements()?;
        Ok(value)
    }

    /// Sees to it that no element is left.
    ///
    /// # Errors
    /// If there is one.
    pub fn end_of_elements(&mut self) -> Read<()> {
        self.advance()?;
        match &self.next {
            Next::Start(start) => Err(self.unexpected(start.name().0)),
            _ => Ok(()),
        }
    }

    /// Sees to it that nothing comes after the root element.
    ///
    /// # Errors
    /// If something does.
    pub fn finish(&mut self) -> Read<()> {
        match self.event()? {
            Event::Eof => Ok(()),
            Event::Text(text) if is_blank(&text.xml10_content()) => self.finish(),
            _ => Err(self.fault(ReadErrorKind::Malformed, "there is something after the end of the message")),
        }
    }

    fn fault(&self, kind: ReadErrorKind, message: impl Into<String>) -> Box<ReadError> {
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
                    return Err(self.fault(ReadErrorKind::Forbidden, "a DOCTYPE is not allowed in messages"));
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
                Event::Text(text) if is_blank(&text.xml10_content()) => {}
                Event::Eof if self.path.is_empty() => {
                    self.next = Next::End;
                    return Ok(());
                }
                Event::Eof => return Err(self.fault(ReadErrorKind::Malformed, "the document ends early")),
                _ => return Err(self.fault(ReadErrorKind::Unexpected, "text is not allowed here")),
            }
        }
    }

    /// Moves to the next tag or text, where text counts.
    fn advance_mixed(&mut self) -> Read<()> {
        if !matches!(self.next, Next::Unread) {
            return Ok(());
        }
        let mut text = String::new();
        loop {
            match self.event()? {
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(reference) => text.push(self.resolve(&reference)?),
                Event::Start(start) => {
                    self.depth += 1;
                    self.scope.push(self.depth, &start);
                    self.next = Next::Start(start);
                    break;
                }
                Event::End(_) => {
                    self.next = Next::End;
                    break;
                }
                _ => return Err(self.fault(ReadErrorKind::Malformed, "the document ends early")),
            }
        }
        self.permitted(&text, self.offset)?;
        if !text.is_empty() {
            let after = std::mem::replace(&mut self.next, Next::Text(text));
            self.after_text = Some(after);
        }
        Ok(())
    }

    fn is_next(&self, field: &Field) -> bool {
        let Next::Start(start) = &self.next else { return false };
        let name = start.name().0;
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        local == field.local && self.scope.uri(prefix) == Some(field.namespace)
    }

    fn is_any_next(&self, field: &Field) -> bool {
        let Next::Start(start) = &self.next else { return false };
        let prefix = start.name().0.split_once(':').map_or("", |(prefix, _)| prefix);
        self.scope.uri(prefix).is_some_and(|namespace| allowed(field, namespace))
    }

    /// The branch that what comes next begins.
    fn branch_of(&self, starts: &[Start]) -> Option<usize> {
        let found = starts.iter().find(|start| match start.what {
            Beginning::Element(field) => self.is_next(field),
            Beginning::Any(field) => self.is_any_next(field),
            Beginning::Text => matches!(self.next, Next::Text(_)),
            Beginning::Member(_) => false,
        });
        found.map(|start| start.branch)
    }

    /// Goes into the element that comes next.
    fn go_in(&mut self, name: &'static str, index: u32) -> Read<()> {
        self.refuse_attributes()?;
        if let Next::Start(start) = std::mem::replace(&mut self.next, Next::Unread) {
            self.entered = Some(start);
            self.entered_at = self.offset;
        }
        self.expected.clear();
        self.path.push((name, index));
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
        let mut error = self.fault(ReadErrorKind::Unexpected, message).of(local, None);
        error.expected = self.expected.iter().map(|e| (*e).to_owned()).collect();
        error
    }

    /// Attributes nobody asked for, unless they are for SOAP and its security, as on header blocks.
    fn refuse_attributes(&mut self) -> Read<()> {
        let is_content = |attribute: &&Attribute<'_>| match attribute.name.split_once(':') {
            Some((prefix, "mustUnderstand" | "actor" | "role" | "relay")) => {
                !matches!(self.scope.uri(prefix), Some(SOAP_11 | SOAP_12))
            }
            Some((prefix, "Id")) => self.scope.uri(prefix) != Some(WSU),
            _ => true,
        };
        let name = self.attributes.iter().find(is_content).map(|attribute| attribute.name.clone());
        self.attributes.clear();
        match name {
            None => Ok(()),
            Some(name) => {
                let message = format!("the attribute \"{name}\" is not allowed here");
                Err(self.fault(ReadErrorKind::Unexpected, message).of(&name, None))
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
                attribute.map_err(|e| self.fault(ReadErrorKind::Malformed, format!("not well-formed XML: {e}")))?;
            let name = attribute.key.0;
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            if let Some((prefix, _)) = name.split_once(':') {
                match self.scope.uri(prefix) {
                    // What SOAP encoding says of an element is not its content (SOAP 1.1, section 5).
                    Some(XSI | SOAP_ENCODING | SOAP_12_ENCODING) => continue,
                    Some(SOAP_11 | SOAP_12) if name.ends_with(":encodingStyle") => continue,
                    Some(_) => {}
                    None => {
                        let message = format!("the prefix \"{prefix}\" is not declared");
                        return Err(self.fault(ReadErrorKind::Malformed, message));
                    }
                }
            }
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|e| self.fault(ReadErrorKind::Malformed, format!("not well-formed XML: {e}")))?;
            self.permitted(&value, self.offset)?;
            let name = name.to_owned();
            self.attributes.push(Attribute { name, value: Cow::Owned(value.into_owned()) });
        }
        Ok(())
    }

    /// The content that an `xop:Include` stands for; the start tag was just read.
    fn included(&mut self, start: &BytesStart<'a>) -> Read<Content> {
        let offset = self.offset;
        let href = start.attributes().flatten().find(|a| a.key.0 == "href").map(|a| a.value.into_owned());
        let href = href.as_deref().and_then(|href| quick_xml::escape::unescape(href).ok()).unwrap_or_default();
        self.reader.read_to_end(start.to_end().name()).map_err(|e| self.malformed(&e))?;
        loop {
            match self.event()? {
                Event::End(_) => break,
                Event::Text(text) if is_blank(&text.xml10_content()) => {}
                _ => return Err(self.fault(ReadErrorKind::Unexpected, "nothing may stand beside xop:Include")),
            }
        }
        self.next = Next::End;
        self.content_of(&href, offset)
    }

    fn content_of(&self, href: &str, offset: usize) -> Read<Content> {
        match self.attachments.referred(href) {
            Some(attachment) => Ok(attachment.content.clone()),
            None => {
                let message = format!("no attachment is there for \"{href}\"");
                Err(self.error_at(offset, ReadErrorKind::Missing, message).of(self.here(), Some(href)))
            }
        }
    }

    /// The error for an element where text must be.
    fn no_text(&self, start: &BytesStart<'_>) -> Box<ReadError> {
        let name = start.name().0;
        if self.attachments.is_empty() && start.local_name().into_inner() == "Include" {
            let message = "an attachment is referred to, but the message has none";
            return self.fault(ReadErrorKind::Missing, message).of(self.here(), None);
        }
        let message = format!("the element \"{name}\" stands where only text is allowed");
        self.fault(ReadErrorKind::Unexpected, message)
    }

    /// The attachment that stands for the content of the element entered: by `xop:Include` in it, or by its `href` as
    /// SOAP with Attachments has it.
    fn outside(&mut self) -> Read<Option<Content>> {
        self.take_attributes()?;
        let by_attribute = |a: &Attribute<'_>| a.name == "href" && a.value.starts_with("cid:");
        if let Some(at) = self.attributes.iter().position(by_attribute) {
            let href = self.attributes.remove(at).value;
            let content = self.content_of(&href, self.entered_at)?;
            self.advance()?;
            return Ok(Some(content));
        }
        let rest = self.text.get(usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)..);
        let child = rest.and_then(|rest| rest.trim_start().strip_prefix('<'));
        if child.is_none_or(|child| child.starts_with(['/', '!', '?'])) {
            return Ok(None);
        }
        self.advance()?;
        let Next::Start(start) = &self.next else { return Ok(None) };
        let name = start.name().0;
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if local != "Include" || self.scope.uri(prefix) != Some(XOP) {
            return Ok(None);
        }
        let Next::Start(start) = std::mem::replace(&mut self.next, Next::Unread) else { return Ok(None) };
        let content = self.included(&start)?;
        self.scope.pop(self.depth);
        self.depth -= 1;
        Ok(Some(content))
    }

    /// The text up to the end tag.
    fn characters(&mut self) -> Read<Cow<'a, str>> {
        match &self.next {
            Next::End => return Ok(Cow::Borrowed("")),
            Next::Start(start) => return Err(self.no_text(start)),
            Next::Unread | Next::Text(_) => {}
        }
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
                Event::Start(start) => return Err(self.no_text(&start)),
                _ => return Err(self.fault(ReadErrorKind::Malformed, "the document ends early")),
            };
            if text.is_empty() {
                text = part;
            } else {
                text.to_mut().push_str(&part);
            }
        }
    }

    fn resolve(&self, reference: &quick_xml::events::BytesRef<'_>) -> Read<char> {
        super::character(reference).ok_or_else(|| {
            let name = reference.xml10_content();
            self.fault(ReadErrorKind::Forbidden, format!("the entity \"&{name};\" is not known"))
        })
    }

    fn simple<T: Simple>(&self, text: Cow<'_, str>, field: &'static Field, name: &str, offset: usize) -> Read<T> {
        let wrong = |kind, why: &str, text: &str| {
            let shown = treated(Cow::Borrowed(text), field.facets.white_space.unwrap_or(T::WHITE_SPACE));
            self.error_at(offset, kind, format!("\"{name}\" {why}")).of(name, Some(&shown))
        };
        // What the reading takes is kept only where there is something to complain of.
        let value = match T::read_text(Cow::Borrowed(&text), field.facets, &self.scope) {
            Ok(value) => value,
            Err(problem) => {
                let kind = if problem.facet { ReadErrorKind::Facet } else { ReadErrorKind::Type };
                return Err(wrong(kind, &problem.why, &text));
            }
        };
        if let Some(fixed) = field.fixed
            && !is_fixed::<T>(&value, &text, fixed, field.facets)
        {
            return Err(wrong(ReadErrorKind::Facet, &format!("must be the fixed value {fixed}"), &text));
        }
        Ok(value)
    }

    fn binary<T: Simple>(&self, content: &Content, field: &'static Field) -> Read<T> {
        let name = self.here();
        let Some(value) = T::from_content(content) else {
            let message = format!("\"{name}\" is not binary, so that no attachment can stand for it");
            return Err(self.fault(ReadErrorKind::Type, message).of(name, None));
        };
        crate::value::checked(value, "", field.facets)
            .map_err(|wrong| self.fault(ReadErrorKind::Facet, format!("\"{name}\" {}", wrong.why)).of(name, None))
    }

    /// Refuses what no XML document can carry.
    fn permitted(&self, text: &str, offset: usize) -> Read<()> {
        match super::forbidden_character(text) {
            None => Ok(()),
            Some(character) => {
                let message = format!("not well-formed XML: the character U+{:04X}", u32::from(character));
                Err(self.error_at(offset, ReadErrorKind::Malformed, message))
            }
        }
    }

    fn here(&self) -> &'static str {
        self.path.last().map_or("", |(name, _)| name)
    }

    /// The element that was just read past, from its start tag on, as text of its own with all namespaces declared.
    fn standalone(&self, start: &BytesStart<'a>, begin: usize) -> String {
        let end = usize::try_from(self.reader.buffer_position()).unwrap_or(begin);
        self.scope.standalone(&self.text[begin..end], start)
    }

    /// The element that comes next as text of its own.
    fn fragment(&mut self) -> Read<XmlFragment> {
        let Next::Start(start) = std::mem::replace(&mut self.next, Next::Unread) else {
            return Err(self.fault(ReadErrorKind::Missing, "an element is missing"));
        };
        let begin = self.offset;
        self.reader.read_to_end(start.to_end().name()).map_err(|e| self.malformed(&e))?;
        let out = self.standalone(&start, begin);
        self.permitted(&out, begin)?;
        self.scope.pop(self.depth);
        self.depth -= 1;
        Ok(XmlFragment(out))
    }

    /// The value of an attribute of `xsi` on the element entered.
    fn instance_attribute(&self, local: &str) -> Option<String> {
        let start = self.entered.as_ref()?;
        if !start.attributes_raw().contains(local) {
            return None;
        }
        start.attributes().flatten().find_map(|attribute| {
            let (prefix, name) = attribute.key.0.split_once(':')?;
            (name == local && self.scope.uri(prefix) == Some(XSI))
                .then(|| treated(Cow::Borrowed(attribute.value.as_ref()), crate::WhiteSpace::Collapse).into_owned())
        })
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}

impl Prefixes for Scope<'_> {
    fn namespace(&self, prefix: &str) -> Option<&str> {
        self.uri(prefix)
    }
}

impl Source for XmlSource<'_> {
    fn nil(&mut self) -> Read<bool> {
        match self.instance_attribute("nil") {
            None => Ok(false),
            Some(text) => bool::parse(&text).map_err(|why| {
                self.fault(ReadErrorKind::Type, format!("\"xsi:nil\" {why}")).of("xsi:nil", Some(&text))
            }),
        }
    }

    fn typed(&mut self, types: &'static [&'static TypeName]) -> Read<Typed> {
        let Some(text) = self.instance_attribute("type") else { return Ok(Typed::Declared) };
        let (prefix, local) = text.split_once(':').unwrap_or(("", &text));
        let Some(namespace) = self.scope.uri(prefix) else {
            let message = format!("the prefix of xsi:type \"{text}\" is not declared");
            return Err(self.fault(ReadErrorKind::Type, message).of("xsi:type", Some(&text)));
        };
        let known = types.iter().position(|t| t.local == local && t.namespace == namespace);
        Ok(known.map_or(Typed::Unknown, Typed::Known))
    }

    fn begin(&mut self) -> Read<()> {
        self.take_attributes()
    }

    fn attribute<T: Simple>(&mut self, field: &'static Field) -> Read<Option<T>> {
        let matches = |a: &Attribute<'_>| match a.name.split_once(':') {
            None => a.name == field.local && field.namespace.is_empty(),
            Some((prefix, local)) => local == field.local && self.scope.uri(prefix) == Some(field.namespace),
        };
        let Some(index) = self.attributes.iter().position(matches) else { return Ok(None) };
        let attribute = self.attributes.remove(index);
        self.simple(attribute.value, field, field.local, self.offset).map(Some)
    }

    fn any_attributes(&mut self, field: &'static Field) -> Read<Vec<AnyAttribute>> {
        let mut found = Vec::new();
        for attribute in std::mem::take(&mut self.attributes) {
            let (namespace, local) = match attribute.name.split_once(':') {
                None => ("", attribute.name.as_str()),
                Some((prefix, local)) => (self.scope.uri(prefix).unwrap_or(""), local),
            };
            if !allowed(field, namespace) {
                let message = format!("the attribute \"{}\" is not allowed here", attribute.name);
                return Err(self.fault(ReadErrorKind::Unexpected, message).of(&attribute.name, None));
            }
            found.push(AnyAttribute {
                namespace: namespace.to_owned(),
                local: local.to_owned(),
                value: attribute.value.into_owned(),
            });
        }
        Ok(found)
    }

    fn text<T: Simple>(&mut self, field: &'static Field) -> Read<T> {
        if !self.attachments.is_empty()
            && T::from_content(&Content::default()).is_some()
            && let Some(content) = self.outside()?
        {
            self.refuse_attributes()?;
            return self.binary(&content, field);
        }
        self.refuse_attributes()?;
        let offset = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let text = self.characters()?;
        self.permitted(&text, offset)?;
        match field.default.or(field.fixed) {
            Some(default) if text.is_empty() => self.simple(Cow::Borrowed(default), field, self.here(), offset),
            _ => self.simple(text, field, self.here(), offset),
        }
    }

    fn content<T: Simple>(&mut self, field: &'static Field) -> Read<T> {
        if self.entered.as_ref().is_some_and(|start| !start.attributes_raw().is_empty()) {
            self.take_attributes()?;
        }
        self.text(field)
    }

    fn any_value(&mut self) -> Read<AnyValue> {
        let Some(start) = self.entered.take() else { return Ok(AnyValue::default()) };
        let says_nothing =
            |name: &str| name == "xmlns" || name.starts_with("xmlns:") || name.ends_with(":encodingStyle");
        let plain = start.attributes().flatten().all(|a| says_nothing(a.key.0));
        let inner = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let span = self.reader.read_to_end(start.to_end().name()).map_err(|e| self.malformed(&e))?;
        self.next = Next::End;
        let end = usize::try_from(span.end).unwrap_or(inner);
        let text = self.text.get(inner..end).unwrap_or_default();
        self.permitted(text, inner)?;
        if plain && !text.contains('<') {
            let text = quick_xml::escape::unescape(text)
                .map_err(|e| self.fault(ReadErrorKind::Malformed, format!("not well-formed XML: {e}")))?;
            return Ok(AnyValue::Text(text.into_owned()));
        }
        Ok(AnyValue::Xml(self.standalone(&start, self.entered_at)))
    }

    fn enter(&mut self, field: &'static Field, index: u32) -> Read<bool> {
        self.advance()?;
        if !self.is_next(field) {
            self.expected.push(field.local);
            return Ok(false);
        }
        self.go_in(field.local, index)?;
        Ok(true)
    }

    fn enter_any(&mut self, field: &'static Field, index: u32) -> Read<bool> {
        self.advance()?;
        if !matches!(self.next, Next::Start(_)) {
            return Ok(false);
        }
        self.go_in(field.local, index)?;
        Ok(true)
    }

    fn leave(&mut self) -> Read<()> {
        self.refuse_attributes()?;
        self.entered = None;
        self.advance()?;
        match &self.next {
            Next::Start(start) => {
                let name = start.name().0.to_owned();
                return Err(self.unexpected(&name));
            }
            Next::Text(_) => return Err(self.fault(ReadErrorKind::Unexpected, "text is not allowed here")),
            Next::Unread | Next::End => {}
        }
        self.next = Next::Unread;
        self.expected.clear();
        self.path.pop();
        self.scope.pop(self.depth);
        self.depth -= 1;
        Ok(())
    }

    fn enter_round(&mut self, group: &'static Group, starts: &'static [Start], _index: u32) -> Read<bool> {
        if group.mixed {
            self.refuse_attributes()?;
            self.advance_mixed()?;
        }
        Ok(self.branch(starts)?.is_some())
    }

    fn leave_round(&mut self) -> Read<()> {
        Ok(())
    }

    fn branch(&mut self, starts: &'static [Start]) -> Read<Option<usize>> {
        self.advance()?;
        let branch = self.branch_of(starts);
        if branch.is_none() {
            self.expected.extend(starts.iter().map(Start::name));
        }
        Ok(branch)
    }

    fn next_of(&mut self, starts: &'static [Start]) -> Read<Option<usize>> {
        self.branch(starts)
    }

    fn any(&mut self, field: &'static Field, _index: u32) -> Read<Option<XmlFragment>> {
        self.advance()?;
        if !self.is_any_next(field) {
            self.expected.push("any element");
            return Ok(None);
        }
        self.refuse_attributes()?;
        self.expected.clear();
        self.fragment().map(Some)
    }

    fn mixed_text(&mut self) -> Read<String> {
        let after = self.after_text.take().unwrap_or(Next::Unread);
        match std::mem::replace(&mut self.next, after) {
            Next::Text(text) => Ok(text),
            _ => Ok(String::new()),
        }
    }

    fn missing(&self, field: &'static Field) -> Box<ReadError> {
        if let Next::Start(start) = &self.next {
            return self.unexpected(start.name().0);
        }
        self.fault(ReadErrorKind::Missing, format!("the element \"{}\" is missing", field.local)).of(field.local, None)
    }

    fn no_branch(&self, starts: &'static [Start]) -> Box<ReadError> {
        if let Next::Start(start) = &self.next {
            return self.unexpected(start.name().0);
        }
        let mut names: Vec<_> = starts.iter().map(Start::name).collect();
        names.dedup();
        let name = names.first().copied().unwrap_or_default();
        let message = match names.as_slice() {
            [only] => format!("the element \"{only}\" is missing"),
            _ => format!("one of the elements {} is missing", names.join(", ")),
        };
        self.fault(ReadErrorKind::Missing, message).of(name, None)
    }

    fn error(&self, kind: ReadErrorKind, message: String) -> Box<ReadError> {
        self.fault(kind, message)
    }
}
