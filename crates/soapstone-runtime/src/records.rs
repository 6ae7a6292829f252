//! Large files record by record, with bounded memory: each record is handed out as text of its own, so that a
//! wrong one is reported and the rest go on.

use crate::problem::{Read, ReadError, ReadErrorKind};
use crate::schema::{Field, Value};
use crate::xml::{Scope, XmlSource};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::io::BufRead;

/// How large one record may be.
const MAX_RECORD: usize = 64 << 20;

/// How deep elements may nest in a record.
const MAX_DEPTH: u32 = 100;

/// One child of the root element.
#[derive(Clone, Debug)]
pub struct Record {
    pub text: String,
    pub line: u32,
    pub column: u32,
    /// From 1.
    pub number: u64,
}

/// The records of an XML file: the children of its root.
pub struct Records<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
    scope: Scope<'static>,
    number: u64,
    place: Place,
    root: Option<String>,
    /// The root's start tag, as it stands in the file.
    opening: String,
    finished: bool,
    /// Elements around the root that are still to come, and how many there are.
    around: u32,
    levels: u32,
    /// How deep we are in an element around the root that is passed over.
    passing: u32,
}

impl<R: BufRead> Records<R> {
    pub fn new(reader: R) -> Self {
        Self {
            reader: Reader::from_reader(reader),
            buffer: Vec::new(),
            scope: Scope::default(),
            number: 0,
            place: Place::default(),
            root: None,
            opening: String::new(),
            finished: false,
            around: 0,
            levels: 0,
            passing: 0,
        }
    }

    /// The records of an operation: the children of the first element in the body of an envelope.
    pub fn in_body(reader: R) -> Self {
        Self { around: 2, levels: 2, ..Self::new(reader) }
    }

    /// Sees to it that nothing but end tags comes after the last record.
    ///
    /// # Errors
    /// If something does, or the file ends early.
    pub fn tail(&mut self) -> Read<()> {
        let mut ends = 0;
        loop {
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer);
            let (kind, message) = match event {
                Ok(Event::End(_)) => {
                    ends += 1;
                    continue;
                }
                Ok(Event::Comment(_)) => continue,
                Ok(Event::Text(text)) if text.xml10_content().trim().is_empty() => continue,
                Ok(Event::Eof) if ends == self.levels => return Ok(()),
                Ok(Event::Eof) => (ReadErrorKind::Malformed, "the message ends early".to_owned()),
                Ok(_) => (ReadErrorKind::Unexpected, "something comes after the operation's element".to_owned()),
                Err(e) => (ReadErrorKind::Malformed, format!("not well-formed XML: {e}")),
            };
            return Err(at(ReadError::new(kind, message), self.place.line, self.place.column));
        }
    }

    /// The local name of the root element, once a record was asked for.
    pub fn root(&self) -> Option<&str> {
        self.root.as_deref()
    }

    /// The root's start and end tag, once a record was asked for, for a file of some of the records.
    pub fn tags(&self) -> (&str, String) {
        let name = self.opening.trim_start_matches('<').split(|c: char| c.is_whitespace() || c == '>').next();
        (&self.opening, format!("</{}>", name.unwrap_or("")))
    }

    /// How many bytes were read.
    pub fn position(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// The namespaces that the root declares, for the reader of a record.
    pub fn scope(&self) -> &Scope<'static> {
        &self.scope
    }

    /// Reads one record as a value.
    ///
    /// # Errors
    /// Where and why the record is not of that type; the file can be read on.
    pub fn parse<T: Value>(scope: &Scope<'static>, record: &Record, field: &'static Field) -> Read<T> {
        XmlSource::within(&record.text, scope.clone(), (record.line, record.column)).message(field)
    }

    /// The next record; None at the end.
    ///
    /// # Errors
    /// If the file is not well-formed from here on.
    pub fn next_record(&mut self) -> Read<Option<Record>> {
        if self.finished {
            return Ok(None);
        }
        let result = self.scan();
        if !matches!(result, Ok(Some(_))) {
            self.finished = true;
        }
        result
    }

    fn scan(&mut self) -> Read<Option<Record>> {
        let mut record: Option<Record> = None;
        let mut depth = 0_u32;
        loop {
            self.buffer.clear();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(e) => {
                    let message = format!("not well-formed XML: {e}");
                    return Err(at(
                        ReadError::new(ReadErrorKind::Malformed, message),
                        self.place.line,
                        self.place.column,
                    ));
                }
            };
            let (open, content, close) = raw(&event);
            let Place { line, column } = self.place;
            self.place.pass(&event);
            match &event {
                Event::Start(_) if self.passing > 0 => {
                    self.passing += 1;
                    continue;
                }
                Event::End(_) if self.passing > 0 => {
                    self.passing -= 1;
                    continue;
                }
                Event::Empty(_) if self.around > 0 => continue,
                Event::Start(start) if self.around > 0 => {
                    if start.local_name().into_inner() == "Header" {
                        self.passing = 1;
                    } else {
                        self.scope.push(1, start);
                        self.around -= 1;
                    }
                    continue;
                }
                Event::Start(start) if self.root.is_none() => {
                    self.root = Some(start.local_name().into_inner().to_owned());
                    self.opening = format!("{open}{content}{close}");
                    self.scope.push(1, start);
                    self.scope = self.scope.outer();
                    continue;
                }
                Event::Empty(start) if self.root.is_none() => {
                    self.root = Some(start.local_name().into_inner().to_owned());
                    return Ok(None);
                }
                Event::Start(_) | Event::Empty(_) if depth == 0 => {
                    self.number += 1;
                    record = Some(Record { text: String::with_capacity(1024), line, column, number: self.number });
                }
                Event::End(_) if depth == 0 => return Ok(None),
                Event::DocType(_) => {
                    let error = ReadError::new(ReadErrorKind::Forbidden, "a DOCTYPE is not allowed");
                    return Err(at(error, line, column));
                }
                Event::Eof if self.root.is_none() => {
                    return Err(at(
                        ReadError::new(ReadErrorKind::Malformed, "the file has no XML element"),
                        line,
                        column,
                    ));
                }
                Event::Eof => {
                    return Err(at(ReadError::new(ReadErrorKind::Malformed, "the file ends early"), line, column));
                }
                Event::Text(text) if depth == 0 && self.root.is_some() => {
                    if text.xml10_content().trim().is_empty() {
                        continue;
                    }
                    let error = ReadError::new(ReadErrorKind::Unexpected, "text is not allowed between records");
                    return Err(at(error, line, column));
                }
                _ if depth == 0 => continue,
                _ => {}
            }
            let Some(current) = &mut record else { continue };
            if current.text.len() + content.len() > MAX_RECORD {
                let error = ReadError::new(ReadErrorKind::Limit, "the record is larger than 64 MB");
                return Err(at(error, current.line, current.column));
            }
            current.text.push_str(open);
            current.text.push_str(content);
            current.text.push_str(close);
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            if depth > MAX_DEPTH {
                let error = ReadError::new(ReadErrorKind::Limit, "elements nest deeper than 100");
                return Err(at(error, line, column));
            }
            if depth == 0 {
                return Ok(record);
            }
        }
    }
}

fn at(mut error: Box<ReadError>, line: u32, column: u32) -> Box<ReadError> {
    (error.line, error.column) = (line, column);
    error
}

/// An event as it stands in the file: what opens it, what is in it, what closes it.
fn raw<'a>(event: &'a Event<'_>) -> (&'static str, &'a str, &'static str) {
    match event {
        Event::Start(e) => ("<", e, ">"),
        Event::End(e) => ("</", e, ">"),
        Event::Empty(e) => ("<", e, "/>"),
        Event::Text(e) => ("", e, ""),
        Event::CData(e) => ("<![CDATA[", e, "]]>"),
        Event::Comment(e) => ("<!--", e, "-->"),
        Event::PI(e) => ("<?", e, "?>"),
        Event::Decl(e) => ("<?", e, "?>"),
        Event::DocType(e) => ("<!DOCTYPE ", e, ">"),
        Event::GeneralRef(e) => ("&", e, ";"),
        Event::Eof => ("", "", ""),
    }
}

/// A place in a text: line and character, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

impl Default for Place {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl Place {
    /// Goes on to the end of an event that begins here.
    pub fn pass(&mut self, event: &Event<'_>) {
        let (open, content, close) = raw(event);
        let lines = content.bytes().filter(|b| *b == b'\n').count();
        if lines > 0 {
            self.line += u32::try_from(lines).unwrap_or(0);
            let last = content.rsplit('\n').next().unwrap_or("");
            self.column = 1 + u32::try_from(last.chars().count() + close.len()).unwrap_or(0);
        } else {
            self.column += u32::try_from(open.len() + content.chars().count() + close.len()).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_one_by_one_with_their_place() {
        let xml = "<?xml version=\"1.0\"?>\n<list xmlns=\"urn:x\">\n  <a n='1'>x&amp;<![CDATA[<]]></a>\n  <!-- c -->\n  <a/>\n</list>\n";
        let mut records = Records::new(xml.as_bytes());
        let first = records.next_record().unwrap().unwrap();
        assert_eq!((first.text.as_str(), first.line, first.column), ("<a n='1'>x&amp;<![CDATA[<]]></a>", 3, 3));
        assert_eq!(records.scope().uri(""), Some("urn:x"));
        let second = records.next_record().unwrap().unwrap();
        assert_eq!((second.text.as_str(), second.line, second.number), ("<a/>", 5, 2));
        assert!(records.next_record().unwrap().is_none());
        assert_eq!(records.tags(), ("<list xmlns=\"urn:x\">", "</list>".to_owned()));
    }

    #[test]
    fn a_cut_off_file_is_told() {
        let mut records = Records::new("<list>\n<a></a>\n<a>".as_bytes());
        assert!(records.next_record().unwrap().is_some());
        assert!(records.next_record().is_err());
        assert!(records.next_record().unwrap().is_none());
    }
}
