//! Where the tags of a large file are, and nothing else about them: what is between is looked at once, by whoever reads
//! a record. Quick, as most of a file is passed over by it.

use super::Place;
use memchr::{memchr, memchr3, memmem};
use std::io::{self, BufRead};

/// How much may be looked through for the end of something, or for that of a record.
const MAX_AHEAD: usize = super::MAX_RECORD + (1 << 20);

/// How much of what is done may stay in memory before it is dropped.
const DONE: usize = 1 << 20;

/// What stands between two places of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Start,
    Empty,
    End,
    Text,
    CData,
    /// A comment or a processing instruction.
    Aside,
    DocType,
}

/// The tokens of a file; places are bytes from the first that is not taken.
pub(super) struct Tokens<R> {
    input: R,
    bytes: Vec<u8>,
    /// The first byte that is not taken.
    at: usize,
    /// How many bytes were dropped before.
    dropped: u64,
    place: Place,
}

impl<R: BufRead> Tokens<R> {
    pub fn new(input: R) -> Self {
        Self { input, bytes: Vec::new(), at: 0, dropped: 0, place: Place::default() }
    }

    /// How many bytes are taken.
    pub fn position(&self) -> u64 {
        self.dropped + self.at as u64
    }

    /// Where the first byte stands that is not taken.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Where a byte stands.
    pub fn place_of(&self, byte: usize) -> Place {
        let mut place = self.place;
        place.go_over(self.at_hand(byte));
        place
    }

    /// The bytes up to there, as far as they are at hand.
    pub fn at_hand(&self, to: usize) -> &[u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.get(..to).unwrap_or(rest)
    }

    /// Goes on to there.
    pub fn take(&mut self, to: usize) {
        self.place = self.place_of(to);
        self.at = (self.at + to).min(self.bytes.len());
    }

    /// What begins at a byte, and the byte after it; None: the file ends there, or before it is complete.
    pub fn token(&mut self, from: usize) -> io::Result<Option<(Token, usize)>> {
        if !self.reaches(from + 1)? {
            return Ok(None);
        }
        if self.bytes[self.at + from] != b'<' {
            let end = self.find(from, 1, |bytes| memchr(b'<', bytes))?;
            return Ok(Some((Token::Text, end.unwrap_or(self.bytes.len() - self.at))));
        }
        if !self.reaches(from + 2)? {
            return Ok(None);
        }
        let second = self.bytes[self.at + from + 1];
        let (token, end) = match second {
            b'/' => (Token::End, self.find(from + 2, 1, |bytes| memchr(b'>', bytes))?.map(|end| end + 1)),
            b'?' => (Token::Aside, self.after(from + 2, b"?>")?),
            b'!' if self.begins(from, b"<!--")? => (Token::Aside, self.after(from + 4, b"-->")?),
            b'!' if self.begins(from, b"<![CDATA[")? => (Token::CData, self.after(from + 9, b"]]>")?),
            b'!' => (Token::DocType, Some(from + 2)),
            _ => {
                let end = self.end_of_tag(from + 1)?;
                let is_empty = end.is_some_and(|end| self.bytes[self.at + end - 2] == b'/');
                (if is_empty { Token::Empty } else { Token::Start }, end)
            }
        };
        Ok(end.map(|end| (token, end)))
    }

    /// The byte after a start tag; a `>` in an attribute's value does not end it.
    fn end_of_tag(&mut self, mut from: usize) -> io::Result<Option<usize>> {
        loop {
            let Some(found) = self.find(from, 1, |bytes| memchr3(b'>', b'"', b'\'', bytes))? else { return Ok(None) };
            let byte = self.bytes[self.at + found];
            if byte == b'>' {
                return Ok(Some(found + 1));
            }
            let Some(closing) = self.find(found + 1, 1, |bytes| memchr(byte, bytes))? else { return Ok(None) };
            from = closing + 1;
        }
    }

    /// The byte after what ends something.
    fn after(&mut self, from: usize, end: &[u8]) -> io::Result<Option<usize>> {
        Ok(self.find(from, end.len(), |bytes| memmem::find(bytes, end))?.map(|found| found + end.len()))
    }

    fn begins(&mut self, from: usize, with: &[u8]) -> io::Result<bool> {
        self.reaches(from + with.len())?;
        Ok(self.bytes[self.at + from..].starts_with(with))
    }

    /// Where something of that length is.
    fn find(
        &mut self,
        mut from: usize,
        length: usize,
        search: impl Fn(&[u8]) -> Option<usize>,
    ) -> io::Result<Option<usize>> {
        loop {
            if let Some(found) = self.bytes.get(self.at + from..).and_then(&search) {
                return Ok(Some(from + found));
            }
            from = from.max((self.bytes.len() - self.at).saturating_sub(length - 1));
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Whether there are so many bytes.
    fn reaches(&mut self, count: usize) -> io::Result<bool> {
        while self.bytes.len() - self.at < count {
            if !self.more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn more(&mut self) -> io::Result<bool> {
        if self.bytes.len() - self.at > MAX_AHEAD {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.at >= DONE {
            self.bytes.drain(..self.at);
            self.dropped += self.at as u64;
            self.at = 0;
        }
        let read = loop {
            match self.input.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let length = read.len();
        self.bytes.extend_from_slice(read);
        self.input.consume(length);
        Ok(length > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// A text's tokens, read in pieces of that size.
    fn tokens(text: &str, pieces: usize) -> Vec<(Token, String)> {
        let mut tokens = Tokens::new(BufReader::with_capacity(pieces, text.as_bytes()));
        let mut found = Vec::new();
        while let Some((token, end)) = tokens.token(0).unwrap() {
            found.push((token, String::from_utf8(tokens.at_hand(end).to_vec()).unwrap()));
            tokens.take(end);
        }
        assert_eq!(tokens.position() + tokens.at_hand(usize::MAX).len() as u64, text.len() as u64);
        found
    }

    #[test]
    fn a_file_is_cut_at_its_tags_however_it_arrives() {
        use Token::{Aside, CData, Empty, End, Start, Text};
        let text = "<?xml version='1.0'?>\n<a b='>' c=\"/>\"><!-- <x> --->ä<![CDATA[]]</a>]]]><d/></a >\n<cut";
        let expected = [
            (Aside, "<?xml version='1.0'?>"),
            (Text, "\n"),
            (Start, "<a b='>' c=\"/>\">"),
            (Aside, "<!-- <x> --->"),
            (Text, "ä"),
            (CData, "<![CDATA[]]</a>]]]>"),
            (Empty, "<d/>"),
            (End, "</a >"),
            (Text, "\n"),
        ];
        let expected: Vec<_> = expected.iter().map(|(token, text)| (*token, (*text).to_owned())).collect();
        for pieces in [1, 2, 3, 7, 1000] {
            assert_eq!(tokens(text, pieces), expected, "in pieces of {pieces}");
        }
    }

    #[test]
    fn a_doctype_is_told_before_it_is_read() {
        assert_eq!(tokens("<!DOCTYPE a [<!ENTITY", 4)[0], (Token::DocType, "<!".to_owned()));
    }

    #[test]
    fn places_are_lines_and_characters() {
        let mut tokens = Tokens::new("<a>\n äö<b/>".as_bytes());
        let mut places = Vec::new();
        while let Some((_, end)) = tokens.token(0).unwrap() {
            places.push((tokens.place().line, tokens.place().column));
            tokens.take(end);
        }
        assert_eq!(places, [(1, 1), (1, 4), (2, 4)]);
    }
}
