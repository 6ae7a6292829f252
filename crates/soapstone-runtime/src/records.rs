//! Large files record by record, with bounded memory: each record is handed out as text of its own, so that a
//! wrong one is reported and the rest go on.

mod tokens;

use self::tokens::{Token, Tokens};
use crate::problem::{Read, ReadError, ReadErrorKind};
use crate::schema::{Field, Value};
use crate::value::collapsed;
use crate::xml::{Scope, XmlSource};
use quick_xml::events::Event;
use std::io::{self, BufRead};

/// How large one record may be.
const MAX_RECORD: usize = 64 << 20;

const TOO_LARGE: &str = "the record, or what stands between two, is larger than 64 MB";

/// How many elements one record may have: each takes many times more memory than it takes text.
const MAX_ELEMENTS: u32 = 200_000;

/// How many attributes one element may have, and how long a tag is whose attributes are counted: each is compared with all others.
const MAX_ATTRIBUTES: usize = 500;
const COUNTED_TAG_BYTES: usize = 4 << 10;

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

impl Record {
    /// Sees to it that each tag of the record is closed where it should be. What is between its first tag and its last
    /// is found by counting: only who reads it sees whether they match.
    ///
    /// # Errors
    /// The first place that is not well-formed XML; where a record ends cannot be trusted then.
    pub fn well_formed(&self) -> Read<()> {
        well_formed(&self.text, Place { line: self.line, column: self.column })
    }

    /// What the record's first child holds, if it has that name: its text, each run of white space one space. Nothing
    /// after it is read.
    pub fn first_member(&self, local: &str) -> Option<String> {
        let mut reader = quick_xml::Reader::from_str(&self.text);
        let mut depth = 0;
        let mut text = String::new();
        loop {
            match reader.read_event().ok()? {
                Event::Start(_) if depth == 0 => depth = 1,
                Event::Start(start) if depth == 1 && start.local_name().into_inner() == local => depth = 2,
                Event::Text(part) if depth == 2 => text.push_str(&part),
                Event::CData(part) if depth == 2 => text.push_str(&part),
                Event::GeneralRef(reference) if depth == 2 => text.push(crate::xml::character(&reference)?),
                Event::End(_) if depth == 2 => {
                    return Some(collapsed(&text));
                }
                Event::Text(_) | Event::Comment(_) | Event::PI(_) if depth < 2 => {}
                Event::Comment(_) | Event::PI(_) => {}
                _ => return None,
            }
        }
    }
}

/// The records of an XML file: the children of its root.
pub struct Records<R> {
    tokens: Tokens<R>,
    scope: Scope<'static>,
    number: u64,
    root: Option<String>,
    /// The root's start tag, as it stands in the file.
    opening: String,
    finished: bool,
    /// Elements around the root that are still to come.
    around: u32,
    /// The names of the elements that are open around records.
    open: Vec<String>,
    /// How deep we are in an element around the root that is passed over.
    passing: u32,
}

impl<R: BufRead> Records<R> {
    pub fn new(reader: R) -> Self {
        Self {
            tokens: Tokens::new(reader),
            scope: Scope::default(),
            number: 0,
            root: None,
            opening: String::new(),
            finished: false,
            around: 0,
            open: Vec::new(),
            passing: 0,
        }
    }

    /// The records of an operation: the children of the first element in the body of an envelope.
    pub fn in_body(reader: R) -> Self {
        Self { around: 2, ..Self::new(reader) }
    }

    /// Sees to it that nothing but end tags comes after the last record.
    ///
    /// # Errors
    /// If something does, or the file ends early.
    pub fn tail(&mut self) -> Read<()> {
        loop {
            match self.token(0)? {
                Some((Token::End, end)) => self.close(end)?,
                Some((Token::Aside, end)) => self.tokens.take(end),
                Some((Token::Text, end)) if is_blank(self.tokens.at_hand(end)) => self.tokens.take(end),
                None if self.open.is_empty() => return Ok(()),
                None => return Err(self.wrong(ReadErrorKind::Malformed, "the message ends early")),
                Some(_) => {
                    let message = "something comes after the operation's element";
                    return Err(self.wrong(ReadErrorKind::Unexpected, message));
                }
            }
        }
    }

    /// The local name of the root element, once a record was asked for.
    pub fn root(&self) -> Option<&str> {
        self.root.as_deref()
    }

    /// The root's start tag, once a record was asked for.
    pub fn start_tag(&self) -> &str {
        &self.opening
    }

    /// The root's start and end tag, once a record was asked for, for a file of some of the records.
    pub fn tags(&self) -> (&str, String) {
        let name = self.opening.trim_start_matches('<').split(|c: char| c.is_whitespace() || c == '>').next();
        (&self.opening, format!("</{}>", name.unwrap_or("")))
    }

    /// How many bytes were read.
    pub fn position(&self) -> u64 {
        self.tokens.position()
    }

    /// The namespaces that the root declares, for the reader of a record.
    pub fn scope(&self) -> &Scope<'static> {
        &self.scope
    }

    /// Reads one record as a value.
    ///
    /// # Errors
    /// Where and why the record is not of that type; the file can be read on if the record is well-formed.
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
        loop {
            let Some((token, end)) = self.token(0)? else {
                let message = if self.root.is_none() { "the file has no XML element" } else { "the file ends early" };
                return Err(self.wrong_at(self.tokens.place_of(usize::MAX), ReadErrorKind::Malformed, message));
            };
            match token {
                Token::Start if self.passing > 0 => self.passing += 1,
                Token::End if self.passing > 0 => self.passing -= 1,
                Token::Start if self.around > 0 || self.root.is_none() => {
                    self.enter(end)?;
                    continue;
                }
                Token::Empty if self.passing > 0 || self.around > 0 => {}
                Token::Empty if self.root.is_none() => {
                    self.enter(end)?;
                    return Ok(None);
                }
                Token::Start | Token::Empty => return self.record(token, end).map(Some),
                Token::End => {
                    self.close(end)?;
                    return Ok(None);
                }
                Token::DocType => return Err(self.wrong(ReadErrorKind::Forbidden, "a DOCTYPE is not allowed")),
                Token::Text | Token::CData if self.root.is_some() && !is_blank(self.tokens.at_hand(end)) => {
                    return Err(self.wrong(ReadErrorKind::Unexpected, "text is not allowed between records"));
                }
                Token::Text | Token::CData | Token::Aside => {}
            }
            self.tokens.take(end);
        }
    }

    /// Returns an error if a tag has too many attributes.
    fn check_tag(&self, token: Token, from: usize, to: usize) -> Read<()> {
        if to - from <= COUNTED_TAG_BYTES || !matches!(token, Token::Start | Token::Empty) {
            return Ok(());
        }
        let tag = String::from_utf8_lossy(self.tokens.at_hand(to).get(from..).unwrap_or_default());
        let has_many = match quick_xml::Reader::from_str(&tag).read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                start.attributes().with_checks(false).nth(MAX_ATTRIBUTES).is_some()
            }
            // Whoever reads the record is told.
            _ => false,
        };
        if has_many {
            let message = format!("an element has more than {MAX_ATTRIBUTES} attributes");
            return Err(self.wrong_at(self.tokens.place_of(from), ReadErrorKind::Limit, message));
        }
        Ok(())
    }

    /// Goes into an element around the records.
    fn enter(&mut self, end: usize) -> Read<()> {
        self.check_tag(Token::Start, 0, end)?;
        let place = self.tokens.place();
        let tag = text_of(self.tokens.at_hand(end), place)?.to_owned();
        let (start, is_empty) = match quick_xml::Reader::from_str(&tag).read_event() {
            Ok(Event::Start(start)) => (start, false),
            Ok(Event::Empty(start)) => (start, true),
            _ => return Err(self.wrong(ReadErrorKind::Malformed, "not well-formed XML: a tag has no name")),
        };
        let local = start.local_name().into_inner();
        if self.around > 0 && local == "Header" {
            self.passing = 1;
        } else {
            self.scope.push(1, &start);
            if !is_empty {
                self.open.push(start.name().0.to_owned());
            }
            if self.around > 0 {
                self.around -= 1;
            } else {
                self.root = Some(local.to_owned());
                self.scope = self.scope.outer();
                self.opening.clone_from(&tag);
            }
        }
        self.tokens.take(end);
        Ok(())
    }

    /// Leaves an element around the records.
    fn close(&mut self, end: usize) -> Read<()> {
        let tag = self.tokens.at_hand(end);
        let name = tag.get(2..tag.len() - 1).unwrap_or_default().trim_ascii_end();
        match self.open.pop() {
            Some(open) if open.as_bytes() == name => {}
            open => {
                let name = String::from_utf8_lossy(name);
                let message = match open {
                    Some(open) => format!("not well-formed XML: expected `</{open}>`, but `</{name}>` was found"),
                    None => format!("not well-formed XML: `</{name}>` closes what was not opened"),
                };
                return Err(self.wrong(ReadErrorKind::Malformed, message));
            }
        }
        self.tokens.take(end);
        Ok(())
    }

    /// The record that begins here with a tag.
    fn record(&mut self, first: Token, mut end: usize) -> Read<Record> {
        self.check_tag(first, 0, end)?;
        let place = self.tokens.place();
        let mut depth = u32::from(first == Token::Start);
        let mut elements = 1;
        while depth > 0 {
            let Some((token, next)) = self.token(end)? else {
                // A tag that is not closed is found at the end of the file only.
                well_formed(text_of(self.tokens.at_hand(usize::MAX), place)?, place)?;
                let at = self.tokens.place_of(usize::MAX);
                return Err(self.wrong_at(at, ReadErrorKind::Malformed, "the file ends early"));
            };
            elements += u32::from(matches!(token, Token::Start | Token::Empty));
            if elements > MAX_ELEMENTS {
                let message = format!("the record has more than {MAX_ELEMENTS} elements");
                return Err(self.wrong(ReadErrorKind::Limit, message));
            }
            match token {
                Token::Start => depth += 1,
                Token::End => depth -= 1,
                Token::DocType => {
                    let at = self.tokens.place_of(end);
                    return Err(self.wrong_at(at, ReadErrorKind::Forbidden, "a DOCTYPE is not allowed"));
                }
                _ => {}
            }
            self.check_tag(token, end, next)?;
            if depth > MAX_DEPTH {
                let at = self.tokens.place_of(end);
                return Err(self.wrong_at(at, ReadErrorKind::Limit, "elements nest deeper than 100"));
            }
            end = next;
            if end > MAX_RECORD {
                well_formed(text_of(self.tokens.at_hand(end), place)?, place)?;
                return Err(self.wrong(ReadErrorKind::Limit, TOO_LARGE));
            }
        }
        self.number += 1;
        let text = text_of(self.tokens.at_hand(end), place)?.to_owned();
        self.tokens.take(end);
        Ok(Record { text, line: place.line, column: place.column, number: self.number })
    }

    fn token(&mut self, from: usize) -> Read<Option<(Token, usize)>> {
        self.tokens.token(from).map_err(|e| match e.kind() {
            io::ErrorKind::FileTooLarge => self.wrong(ReadErrorKind::Limit, TOO_LARGE),
            _ => self.wrong(ReadErrorKind::Malformed, format!("cannot be read: {e}")),
        })
    }

    fn wrong(&self, kind: ReadErrorKind, message: impl Into<String>) -> Box<ReadError> {
        self.wrong_at(self.tokens.place(), kind, message)
    }

    fn wrong_at(&self, place: Place, kind: ReadErrorKind, message: impl Into<String>) -> Box<ReadError> {
        at(ReadError::new(kind, message.into()), place)
    }
}

fn at(mut error: Box<ReadError>, place: Place) -> Box<ReadError> {
    (error.line, error.column) = (place.line, place.column);
    error
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.trim_ascii().is_empty()
}

fn text_of(bytes: &[u8], mut place: Place) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|e| {
        place.go_over(&bytes[..e.valid_up_to()]);
        at(ReadError::new(ReadErrorKind::Malformed, "not well-formed XML: a character is not UTF-8"), place)
    })
}

fn well_formed(text: &str, mut place: Place) -> Read<()> {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return Ok(()),
            Ok(event) => place.pass(&event),
            Err(e) => {
                return Err(at(ReadError::new(ReadErrorKind::Malformed, format!("not well-formed XML: {e}")), place));
            }
        }
    }
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
        for part in [open, content, close] {
            self.go_over(part.as_bytes());
        }
    }

    /// Goes on to the end of UTF-8 text that begins here.
    fn go_over(&mut self, text: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', text).count();
        let last = match memchr::memrchr(b'\n', text) {
            Some(end) => &text[end + 1..],
            None => text,
        };
        let characters = last.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        self.column = u32::try_from(characters).unwrap_or(0) + if lines > 0 { 1 } else { self.column };
        self.line += u32::try_from(lines).unwrap_or(0);
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
    fn the_first_member_is_told_without_the_rest() {
        let first = |text: &str| {
            let record = Record { text: text.to_owned(), line: 1, column: 1, number: 1 };
            record.first_member("sku")
        };
        assert_eq!(first("<a><sku>A-1</sku><b"), Some("A-1".to_owned()));
        assert_eq!(
            first("<c:a> <!-- <sku>x</sku> --><c:sku n='1'>\n A &amp;<!-- -->&#66; <![CDATA[<C> ]]> </c:sku>"),
            Some("A &B <C>".to_owned())
        );
        for other in [
            "<a><name>A</name><sku>A</sku></a>",
            "<a/>",
            "<a><sku/></a>",
            "<a><sku><b/></sku></a>",
            "<a><sku>A&x;</sku>",
        ] {
            assert_eq!(first(other), None, "{other}");
        }
    }

    #[test]
    fn a_record_whose_tags_do_not_match_is_told() {
        let mut records = Records::new("<list>\n<a><b></a></b>\n<a/></list>".as_bytes());
        let error = records.next_record().unwrap().unwrap().well_formed().unwrap_err();
        assert_eq!((error.line, error.column), (2, 7), "{error:?}");
        // One that is not closed seems to go on to the end of the file, or beyond.
        let mut records = Records::new("<list>\n<a><b></a>\n<a/></list>".as_bytes());
        let error = records.next_record().unwrap().unwrap().well_formed().unwrap_err();
        assert_eq!((error.line, error.column), (2, 7), "{error:?}");
        let mut records = Records::new("<list>\n<a><b><c></a>\n<a/></list>".as_bytes());
        let error = records.next_record().unwrap_err();
        assert_eq!((error.line, error.column), (2, 10), "{error:?}");
        assert!(Records::new("<list></lost>".as_bytes()).next_record().is_err());
    }

    #[test]
    fn a_cut_off_file_is_told() {
        let mut records = Records::new("<list>\n<a></a>\n<a>".as_bytes());
        assert!(records.next_record().unwrap().is_some());
        assert!(records.next_record().is_err());
        assert!(records.next_record().unwrap().is_none());
    }

    /// Text without end, in memory nowhere.
    struct Endless {
        head: &'static [u8],
        fill: &'static [u8],
        given: usize,
    }

    impl io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let available = self.fill_buf()?;
            let length = available.len().min(buffer.len());
            buffer[..length].copy_from_slice(&available[..length]);
            self.consume(length);
            Ok(length)
        }
    }

    impl BufRead for Endless {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            Ok(if self.given < self.head.len() { &self.head[self.given..] } else { self.fill })
        }

        fn consume(&mut self, length: usize) {
            self.given += length;
        }
    }

    #[test]
    fn nothing_is_read_without_an_end() {
        static TEXT: [u8; 1 << 16] = [b'x'; 1 << 16];
        static BLANKS: [u8; 1 << 16] = [b' '; 1 << 16];
        for (head, fill) in [
            (&b"<list><a>"[..], &TEXT),
            (b"<list><a b=\"", &TEXT),
            (b"<list><!-- ", &TEXT),
            (b"<list><a><![CDATA[", &TEXT),
            (b"<list>", &BLANKS),
            (b"<", &TEXT),
        ] {
            let mut records = Records::new(Endless { head, fill, given: 0 });
            let error = records.next_record().unwrap_err();
            assert_eq!(error.kind, ReadErrorKind::Limit, "{}: {error:?}", String::from_utf8_lossy(head));
            assert!(records.tokens.position() < MAX_RECORD as u64);
        }
        let attributes: String = (0..20_000).map(|n| format!(" a{n}=''")).collect();
        for xml in [
            format!("<list{attributes}/>"),
            format!("<list><a{attributes}/></list>"),
            format!("<list><a><b{attributes}/></a></list>"),
        ] {
            assert_eq!(Records::new(xml.as_bytes()).next_record().unwrap_err().kind, ReadErrorKind::Limit);
        }
        let many = format!("<list><a>{}</a></list>", "<b/>".repeat(MAX_ELEMENTS as usize));
        assert_eq!(Records::new(many.as_bytes()).next_record().unwrap_err().kind, ReadErrorKind::Limit);
    }
}
