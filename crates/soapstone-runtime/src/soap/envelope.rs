//! Takes an envelope apart in one pass: version, header blocks, the body's element. Refuses what exceeds a limit.

use super::{Fault, FaultCode, HeaderBlock, HeaderContent, Headers, Limits, references};
use crate::attachment::{Attachments, MediaType};
use crate::message::Payload;
use crate::problem::{Read, ReadError, ReadErrorKind};
use crate::xml::{Forward, SOAP_11, SOAP_12, Scope, line_and_column};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::ops::Range;

/// SOAP 1.1 or 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Soap11,
    Soap12,
}

impl Version {
    /// The version that a content type means; what it does not say is SOAP 1.1.
    pub fn of(media: &MediaType) -> Self {
        let soap12 = |text: &str| text.to_ascii_lowercase().starts_with("application/soap+xml");
        let inside = ["type", "start-info"].iter().any(|name| media.parameter(name).is_some_and(soap12));
        if soap12(&media.essence) || inside { Self::Soap12 } else { Self::Soap11 }
    }

    /// The namespace of its envelope.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Soap11 => SOAP_11,
            Self::Soap12 => SOAP_12,
        }
    }

    /// The content type of its messages.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Soap11 => "text/xml; charset=utf-8",
            Self::Soap12 => "application/soap+xml; charset=utf-8",
        }
    }

    /// Writes the header, if there is any block.
    pub(crate) fn push_headers<'b>(self, out: &mut String, mut blocks: impl Iterator<Item = &'b str>) {
        if let Some(first) = blocks.next() {
            out.push_str("<soap:Header>");
            std::iter::once(first).chain(blocks).for_each(|block| out.push_str(block));
            out.push_str("</soap:Header>");
        }
    }

    /// The media type of its messages, without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Soap11 => "text/xml",
            Self::Soap12 => "application/soap+xml",
        }
    }

    /// Writes the start of an envelope.
    pub(crate) fn open(self, out: &mut String) {
        out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"");
        out.push_str(self.namespace());
        out.push_str("\">");
    }

    /// An envelope around a body's content.
    pub fn wrap(self, body: &str) -> String {
        self.wrap_with(&Headers::default(), body)
    }

    /// An envelope around header blocks and a body's content.
    pub fn wrap_with(self, headers: &Headers, body: &str) -> String {
        let mut out = String::with_capacity(body.len() + 200);
        self.open(&mut out);
        self.push_headers(&mut out, headers.xml());
        out.push_str("<soap:Body>");
        out.push_str(body);
        out.push_str("</soap:Body></soap:Envelope>");
        out
    }
}

/// An envelope, taken apart.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    text: &'a str,
    pub version: Version,
    pub headers: Headers,
    /// Namespace and local name of the body's first element; both empty where there is none.
    pub body_name: (String, String),
    /// How many elements the body has.
    pub body_elements: u32,
    /// The body's first element.
    first: Range<usize>,
    /// All of the body's elements.
    body: Range<usize>,
    /// The namespaces around the body's elements.
    scope: Scope<'a>,
    attachments: Attachments,
    optimized: bool,
    typed: bool,
}

impl<'a> Envelope<'a> {
    /// Takes the text of a message apart.
    ///
    /// # Errors
    /// The fault to answer with, and the version to answer in.
    pub fn parse(text: &'a str, limits: &Limits) -> Result<Self, (Version, Fault)> {
        let mut scan = Scan::new(text, limits);
        scan.run().map_err(|fault| (scan.version.unwrap_or(Version::Soap11), *fault))
    }

    /// With the attachments that came with it; `optimized`: by MTOM.
    #[must_use]
    pub fn attached(mut self, attachments: Attachments, optimized: bool) -> Self {
        self.attachments = attachments;
        self.optimized = optimized;
        self
    }

    /// Whether the elements of its reply say their types.
    #[must_use]
    pub fn typed(mut self, typed: bool) -> Self {
        self.typed = typed;
        self
    }

    /// The text of the body's element, with the namespaces around it.
    pub fn body(&self) -> (&'a str, &Scope<'a>) {
        (&self.text[self.first.clone()], &self.scope)
    }

    /// Whether the body is a fault.
    pub fn is_fault(&self) -> bool {
        self.body_name.1 == "Fault" && self.body_name.0 == self.version.namespace()
    }

    /// All of the body's content, with what the prefixes around it mean that it uses: the same for two messages that ask for the
    /// same.
    pub fn content(&self) -> (&'a str, Vec<(&str, &str)>) {
        let text = &self.text[self.body.clone()];
        let mut prefixes = self.scope.in_scope();
        prefixes.retain(|(prefix, _)| prefix.is_empty() || text.contains(&format!("{prefix}:")));
        prefixes.sort_unstable();
        (text, prefixes)
    }

    /// The body's content, for the reader.
    pub fn payload(&self) -> Payload<'a> {
        self.payload_of(Cow::Borrowed(&self.text[self.body.clone()]))
    }

    /// The body's content in SOAP encoding: with what it refers to put in the places of the references.
    ///
    /// # Errors
    /// If a reference leads nowhere, or in a circle.
    pub fn decoded_payload(&self) -> Read<Payload<'a>> {
        let text = references::resolved(&self.text[self.body.clone()], self.first.end - self.first.start)?;
        Ok(self.payload_of(text))
    }

    fn payload_of(&self, text: Cow<'a, str>) -> Payload<'a> {
        let origin = line_and_column(self.text, self.body.start);
        Payload::Xml {
            text,
            scope: self.scope.clone(),
            origin,
            attachments: self.attachments.clone(),
            optimized: self.optimized,
            typed: self.typed,
        }
    }
}

/// Where the scan is in the envelope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Envelope,
    Header,
    AfterHeader,
    Body,
    AfterBody,
}

struct Body<'a> {
    name: (String, String),
    first: Range<usize>,
    all: Range<usize>,
    count: u32,
    scope: Scope<'a>,
}

struct Scan<'a, 'l> {
    text: &'a str,
    limits: &'l Limits,
    version: Option<Version>,
    scope: Scope<'a>,
    depth: u32,
    /// Children met at each depth.
    children: Vec<u32>,
    /// Elements and attributes met.
    elements: u32,
    place: Place,
    headers: Headers,
    body: Option<Body<'a>>,
    /// Where the header block or body element being read began.
    began: usize,
    forward: Forward,
}

type Step<T> = Result<T, Box<Fault>>;

impl<'a, 'l> Scan<'a, 'l> {
    fn new(text: &'a str, limits: &'l Limits) -> Self {
        Self {
            text,
            limits,
            version: None,
            scope: Scope::default(),
            depth: 0,
            children: vec![0],
            elements: 0,
            place: Place::Start,
            headers: Headers::default(),
            body: None,
            began: 0,
            forward: Forward::default(),
        }
    }

    fn problem(&self, kind: ReadErrorKind, offset: usize, message: impl Into<String>) -> Box<Fault> {
        let mut error = ReadError::new(kind, message);
        (error.line, error.column) = line_and_column(self.text, offset);
        Box::new(Fault::invalid(vec![*error]))
    }

    fn wrong(&self, subcode: &'static str, message: impl Into<String>) -> Box<Fault> {
        Box::new(Fault::sender(subcode, 400, message))
    }

    fn run(&mut self) -> Step<Envelope<'a>> {
        let mut reader = Reader::from_str(self.text);
        loop {
            let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(e) => {
                    let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                    return Err(self.problem(ReadErrorKind::Malformed, at, format!("not well-formed XML: {e}")));
                }
            };
            let after = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            match event {
                Event::Start(start) => self.start(&start, before)?,
                Event::Empty(start) => {
                    self.start(&start, before)?;
                    self.end(after);
                }
                Event::End(_) => self.end(after),
                Event::DocType(_) => {
                    return Err(self.problem(ReadErrorKind::Forbidden, before, "a DOCTYPE is not allowed in messages"));
                }
                Event::PI(_) if self.depth > 0 => {
                    let message = "processing instructions are not allowed in messages";
                    return Err(self.problem(ReadErrorKind::Forbidden, before, message));
                }
                Event::Text(text) => {
                    if text.len() > self.limits.text {
                        let message = format!("a text is longer than {} bytes", self.limits.text);
                        return Err(self.problem(ReadErrorKind::Limit, before, message));
                    }
                    if self.depth <= 2 && !text.trim().is_empty() {
                        return Err(self.problem(ReadErrorKind::Unexpected, before, "text is not allowed here"));
                    }
                }
                Event::Eof if self.depth > 0 => {
                    return Err(self.problem(ReadErrorKind::Malformed, before, "the message ends early"));
                }
                Event::Eof => return self.finish(),
                _ => {}
            }
        }
    }

    fn check_limits(&mut self, start: &BytesStart<'_>, offset: usize) -> Step<()> {
        let limits = self.limits;
        let limit = |what: String| Err(self.problem(ReadErrorKind::Limit, offset, what));
        if self.depth > limits.depth {
            return limit(format!("elements nest deeper than {}", limits.depth));
        }
        if start.name().0.len() > limits.name {
            return limit(format!("a name is longer than {} bytes", limits.name));
        }
        let mut elements = self.elements.saturating_add(1);
        if !start.attributes_raw().is_empty() {
            let mut count = 0;
            for attribute in start.attributes() {
                let attribute = match attribute {
                    Ok(attribute) => attribute,
                    Err(e) => {
                        let message = format!("not well-formed XML: {e}");
                        return Err(self.problem(ReadErrorKind::Malformed, offset, message));
                    }
                };
                count += 1;
                elements = elements.saturating_add(1);
                if count > limits.attributes {
                    return limit(format!("an element has more than {} attributes", limits.attributes));
                }
                if attribute.key.0.len() > limits.name {
                    return limit(format!("a name is longer than {} bytes", limits.name));
                }
            }
        }
        if elements > limits.elements {
            return limit(format!("the message has more than {} elements and attributes", limits.elements));
        }
        self.elements = elements;
        let siblings = self.children.last_mut();
        if let Some(siblings) = siblings {
            *siblings += 1;
            if *siblings > limits.children {
                return Err(self.problem(
                    ReadErrorKind::Limit,
                    offset,
                    format!("an element has more than {} children", limits.children),
                ));
            }
        }
        Ok(())
    }

    fn start(&mut self, start: &BytesStart<'a>, offset: usize) -> Step<()> {
        self.depth += 1;
        self.check_limits(start, offset)?;
        self.children.push(0);
        let outer = (self.depth == 3).then(|| self.scope.clone());
        self.scope.push(self.depth, start);
        if self.depth > 3 {
            return Ok(());
        }
        let name = start.name().0;
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let Some(namespace) = self.scope.uri(prefix).map(str::to_owned) else {
            let message = format!("the prefix \"{prefix}\" is not declared");
            return Err(self.problem(ReadErrorKind::Malformed, offset, message));
        };
        match self.depth {
            1 => self.envelope(&namespace, local),
            2 => self.section(&namespace, local),
            _ => {
                self.began = offset;
                match self.place {
                    Place::Header => self.header_block(start, namespace, local),
                    Place::Body => {
                        match &mut self.body {
                            Some(body) => body.count += 1,
                            None => {
                                self.body = Some(Body {
                                    name: (namespace, local.to_owned()),
                                    first: offset..offset,
                                    all: offset..offset,
                                    count: 1,
                                    scope: outer.unwrap_or_default(),
                                });
                            }
                        }
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn envelope(&mut self, namespace: &str, local: &str) -> Step<()> {
        if local != "Envelope" {
            let message = format!("The root element is \"{local}\", but a SOAP message starts with Envelope");
            return Err(self.wrong("soap.no_envelope", message));
        }
        self.version = [Version::Soap11, Version::Soap12].into_iter().find(|v| v.namespace() == namespace);
        if self.version.is_none() {
            let message = format!("The envelope's namespace \"{namespace}\" is neither that of SOAP 1.1 nor of 1.2");
            let fault = Fault::sender("soap.version_mismatch", 500, message);
            return Err(Box::new(Fault { code: FaultCode::VersionMismatch, ..fault }));
        }
        self.place = Place::Envelope;
        Ok(())
    }

    fn section(&mut self, namespace: &str, local: &str) -> Step<()> {
        let soap = self.version.is_some_and(|v| v.namespace() == namespace);
        self.place = match (soap, local, self.place) {
            (true, "Header", Place::Envelope) => Place::Header,
            (true, "Body", Place::Envelope | Place::AfterHeader) => Place::Body,
            _ => {
                let message =
                    format!("The element \"{local}\" is not allowed here in an envelope: expected Header, then Body");
                return Err(self.wrong("soap.bad_envelope", message));
            }
        };
        Ok(())
    }

    fn header_block(&mut self, start: &BytesStart<'_>, namespace: String, local: &str) -> Step<()> {
        let soap = self.version.unwrap_or(Version::Soap11).namespace();
        let mut must_understand = false;
        let mut for_us = true;
        for attribute in start.attributes().flatten() {
            let Some((prefix, name)) = attribute.key.0.split_once(':') else { continue };
            if self.scope.uri(prefix) != Some(soap) {
                continue;
            }
            match name {
                "mustUnderstand" => must_understand = matches!(attribute.value.trim(), "1" | "true"),
                "actor" | "role" => {
                    let role = attribute.value.trim().to_owned();
                    for_us = role.is_empty()
                        || role.ends_with("/soap/actor/next")
                        || role.ends_with("/role/next")
                        || role.ends_with("/role/ultimateReceiver");
                }
                _ => {}
            }
        }
        let content = HeaderContent::Xml { text: String::new(), origin: self.forward.to(self.text, self.began) };
        self.headers.0.push(HeaderBlock { must_understand, for_us, ..HeaderBlock::of(&namespace, local, content) });
        Ok(())
    }

    fn end(&mut self, after: usize) {
        match (self.depth, self.place) {
            (3, Place::Header) => {
                if let Some(HeaderBlock { content: HeaderContent::Xml { text, .. }, .. }) = self.headers.0.last_mut() {
                    *text = self.scope.within(&self.text[self.began..after], self.depth);
                }
            }
            (3, Place::Body) => {
                if let Some(body) = &mut self.body {
                    body.all.end = after;
                    if body.count == 1 {
                        body.first.end = after;
                    }
                }
            }
            (2, Place::Header) => self.place = Place::AfterHeader,
            (2, Place::Body) => self.place = Place::AfterBody,
            _ => {}
        }
        self.scope.pop(self.depth);
        self.children.pop();
        self.depth -= 1;
    }

    fn finish(&mut self) -> Step<Envelope<'a>> {
        let Some(version) = self.version else {
            return Err(self.wrong("soap.no_envelope", "The request has no SOAP envelope"));
        };
        if self.place != Place::AfterBody {
            return Err(self.wrong("soap.no_body", "The envelope has no body"));
        }
        let body = self.body.take().unwrap_or_else(|| Body {
            name: Default::default(),
            first: 0..0,
            all: 0..0,
            count: 0,
            scope: Scope::default(),
        });
        Ok(Envelope {
            text: self.text,
            version,
            headers: std::mem::take(&mut self.headers),
            body_name: body.name,
            body_elements: body.count,
            first: body.first,
            body: body.all,
            scope: body.scope,
            attachments: Attachments::default(),
            optimized: false,
            typed: false,
        })
    }
}
