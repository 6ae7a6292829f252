//! Foreign XML: elements that hold a record each are handed out as trees, one by one; what stands around them is passed over.

use super::Broken;
use super::encoding::Utf8File;
use crate::domain::Issue;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use soapstone_runtime::ReadErrorKind;
use soapstone_runtime::records::Place;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

/// How many bytes one tree may have.
const MAX_TREE: u64 = 64 << 20;

/// How many elements and attributes one tree may have: each takes many times more memory than it takes text.
const MAX_NODES: usize = 200_000;

/// How many attributes one element may have.
const MAX_ATTRIBUTES: usize = 500;

/// How deep elements may nest.
const MAX_DEPTH: usize = 100;

/// A file of which so much may be read before the next tag or text ends.
struct Capped {
    file: BufReader<File>,
    left: u64,
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Capped {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.file.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        self.left = self.left.saturating_sub(length as u64);
        self.file.consume(length);
    }
}

/// Whether so much was read without an end.
fn is_too_large(error: &quick_xml::Error) -> bool {
    matches!(error, quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge)
}

const TOO_LARGE: &str = "the record, or what stands between two, is larger than 64 MB";

/// An element with all that is in it. Names are local ones: prefixes differ from file to file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub name: String,
    attributes: Vec<(String, String)>,
    /// Its own text, whatever elements are in between.
    text: String,
    children: Vec<Node>,
    pub line: i64,
    pub column: i64,
}

impl Node {
    /// Its text without blanks around; None: it is blank.
    pub fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.trim()).filter(|v| !v.is_empty())
    }

    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// The elements at the end of a path of names, such as `ADDRESS/NAME`; `A|B` is either.
    pub fn all<'a>(&'a self, path: &str) -> Vec<&'a Self> {
        let mut found = vec![self];
        for step in path.split('/') {
            let is_wanted = |node: &&Self| step.split('|').any(|name| name == node.name);
            found = found.into_iter().flat_map(|node| node.children.iter().filter(is_wanted)).collect();
        }
        found
    }

    /// The first of them.
    pub fn first(&self, path: &str) -> Option<&Self> {
        self.all(path).first().copied()
    }

    /// The text of the first of them that has any.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.all(path).into_iter().find_map(Self::text)
    }

    /// All below it that have no elements in them, with their texts.
    pub fn leaves(&self) -> Vec<(&str, &str)> {
        if self.children.is_empty() {
            return self.text().map(|text| (self.name.as_str(), text)).into_iter().collect();
        }
        self.children.iter().flat_map(Self::leaves).collect()
    }
}

/// An element that was asked for.
#[derive(Debug)]
pub(super) struct Found {
    pub node: Node,
    /// Where it stands in the text.
    pub raw: Range<u64>,
    /// What is wrong in it, though the file can be read on.
    pub wrong: Option<Issue>,
}

pub(super) struct Trees {
    reader: Reader<Capped>,
    buffer: Vec<u8>,
    place: Place,
    /// The names of the elements around.
    around: Vec<String>,
    is_begun: bool,
}

/// An entity by its name.
fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

impl Trees {
    pub fn open(text: &Utf8File) -> Result<Self, Box<Issue>> {
        let file = text.open().map_err(|e| super::unreadable(&e))?;
        let file = BufReader::with_capacity(256 << 10, file);
        let reader = Reader::from_reader(Capped { file, left: MAX_TREE });
        let (buffer, around) = (Vec::new(), Vec::new());
        Ok(Self { reader, buffer, place: Place::default(), around, is_begun: false })
    }

    pub fn position(&self) -> u64 {
        self.reader.buffer_position()
    }

    fn broken(&self, kind: ReadErrorKind, text: String) -> Broken {
        let issue = Issue::error(kind.code(), text).suggest("correct the file from this place on and send it again");
        Broken { issue, line: Some(self.place.line.into()), column: Some(self.place.column.into()) }
    }

    /// The next element that is wanted, told by the names around it and its own; None at the end of the file.
    ///
    /// # Errors
    /// If the file cannot be read on.
    pub fn next(&mut self, wanted: impl Fn(&[String], &str) -> bool) -> Result<Option<Found>, Broken> {
        let mut open: Vec<Node> = Vec::new();
        let (mut start, mut nodes, mut wrong) = (0, 0, None);
        loop {
            self.buffer.clear();
            self.reader.get_mut().left = MAX_TREE;
            let before = self.reader.buffer_position();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(e) if is_too_large(&e) => return Err(self.broken(ReadErrorKind::Limit, TOO_LARGE.to_owned())),
                Err(e) => {
                    let text = format!("not well-formed XML: {e}");
                    return Err(self.broken(ReadErrorKind::Malformed, text));
                }
            };
            let at = self.place;
            self.place.pass(&event);
            if open.len() + self.around.len() > MAX_DEPTH {
                return Err(self.broken(ReadErrorKind::Limit, format!("elements nest deeper than {MAX_DEPTH}")));
            }
            if !open.is_empty() && self.reader.buffer_position() - start > MAX_TREE {
                return Err(self.broken(ReadErrorKind::Limit, TOO_LARGE.to_owned()));
            }
            if nodes > MAX_NODES {
                let text = format!("the record has more than {MAX_NODES} elements and attributes");
                return Err(self.broken(ReadErrorKind::Limit, text));
            }
            let complete = match event {
                Event::Start(element) => {
                    self.is_begun = true;
                    let name = element.local_name().into_inner().to_owned();
                    if open.is_empty() && !wanted(&self.around, &name) {
                        self.around.push(name);
                        continue;
                    }
                    if open.is_empty() {
                        start = before;
                    }
                    open.push(node(name, &element, at, &mut wrong));
                    nodes += 1 + open.last().map_or(0, |node| node.attributes.len());
                    continue;
                }
                Event::Empty(element) => {
                    self.is_begun = true;
                    let name = element.local_name().into_inner().to_owned();
                    if open.is_empty() && !wanted(&self.around, &name) {
                        continue;
                    }
                    if open.is_empty() {
                        start = before;
                    }
                    let empty = node(name, &element, at, &mut wrong);
                    nodes += 1 + empty.attributes.len();
                    empty
                }
                Event::End(_) => match open.pop() {
                    Some(node) => node,
                    None => {
                        self.around.pop();
                        continue;
                    }
                },
                Event::Text(text) => {
                    if let Some(node) = open.last_mut() {
                        node.text.push_str(&text.xml10_content());
                    }
                    continue;
                }
                Event::CData(text) => {
                    if let Some(node) = open.last_mut() {
                        node.text.push_str(&text);
                    }
                    continue;
                }
                Event::GeneralRef(reference) => {
                    let Some(node) = open.last_mut() else { continue };
                    match reference.resolve_char_ref().ok().flatten().or_else(|| entity(&reference)) {
                        Some(char) => node.text.push(char),
                        None => wrong = wrong.or_else(|| Some(unknown_entity(&reference))),
                    }
                    continue;
                }
                Event::DocType(declared) => {
                    // What it declares of its own would have to be taken apart; where it only names a DTD, nothing of that is read.
                    if declared.contains('[') {
                        let text = "a DOCTYPE with declarations of its own is not allowed";
                        return Err(self.broken(ReadErrorKind::Forbidden, text.to_owned()));
                    }
                    continue;
                }
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => continue,
                Event::Eof if open.is_empty() && self.around.is_empty() && self.is_begun => return Ok(None),
                Event::Eof if !self.is_begun => {
                    return Err(self.broken(ReadErrorKind::Malformed, "the file has no XML element".to_owned()));
                }
                Event::Eof => return Err(self.broken(ReadErrorKind::Malformed, "the file ends early".to_owned())),
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(complete),
                None => return Ok(Some(Found { node: complete, raw: start..self.reader.buffer_position(), wrong })),
            }
        }
    }
}

fn unknown_entity(name: &str) -> Issue {
    let text = format!("the entity &{name}; is not known");
    Issue::error(ReadErrorKind::Malformed.code(), text).suggest("write the character itself, or &amp; for &")
}

fn node(name: String, element: &BytesStart<'_>, at: Place, wrong: &mut Option<Issue>) -> Node {
    let mut attributes = Vec::new();
    for (place, attribute) in element.attributes().flatten().enumerate() {
        if place == MAX_ATTRIBUTES {
            let text = format!("{name} has more than {MAX_ATTRIBUTES} attributes");
            *wrong = wrong.take().or(Some(Issue::error(ReadErrorKind::Limit.code(), text)));
            break;
        }
        let value = quick_xml::escape::unescape(&attribute.value);
        match value {
            Ok(value) => attributes.push((attribute.key.local_name().into_inner().to_owned(), value.into_owned())),
            Err(e) => {
                let issue = Issue::error(ReadErrorKind::Malformed.code(), format!("an attribute of {name}: {e}"));
                *wrong = wrong.take().or(Some(issue));
            }
        }
    }
    Node { name, attributes, line: at.line.into(), column: at.column.into(), ..Node::default() }
}

/// How much of a file is copied before the first record and after the last, for one of some of the records.
const MAX_AROUND: u64 = 16 << 20;

/// What stands before the first record and after the last, where records are elements of these names.
pub(super) fn around(text: &Utf8File, records: Option<(u64, u64)>, names: &[&str]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let Some((begin, end)) = records else { return Ok((Vec::new(), Vec::new())) };
    let mut file = text.open()?;
    let mut head = Vec::new();
    (&mut file).take(begin.min(MAX_AROUND)).read_to_end(&mut head)?;
    let rest_begins = text.size()?.saturating_sub(MAX_AROUND).max(end);
    file.seek(SeekFrom::Start(rest_begins))?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    let rest = String::from_utf8_lossy(&rest);
    let last = names.iter().filter_map(|name| end_of_last(&rest, name)).max().unwrap_or(0);
    Ok((head, rest[last..].as_bytes().to_vec()))
}

/// Where the last element of a name ends.
fn end_of_last(text: &str, name: &str) -> Option<usize> {
    let tag = format!("{name}>");
    let is_end = |(place, _): &(usize, &str)| {
        let before = text[..*place].rsplit('<').next().unwrap_or("");
        before == "/" || (before.starts_with('/') && before.ends_with(':'))
    };
    text.rmatch_indices(&tag).find(is_end).map(|(place, _)| place + tag.len())
}
