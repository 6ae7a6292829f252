//! Takes a multipart body apart while it arrives (RFC 2046, section 5.1), with nothing kept but a boundary's length.

use std::fmt;

/// How long one part's header may be.
const MAX_HEADER: usize = 64 << 10;

/// How long the rest of a boundary's line may be.
const MAX_PADDING: usize = 256;

/// What is wrong with a multipart body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MultipartError {
    /// It ends before its last boundary.
    Truncated,
    /// There is no boundary in it.
    NoBoundary,
    /// A part's header is longer than allowed.
    LongHeader,
    /// A part's header is none.
    BadHeader,
}

impl fmt::Display for MultipartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "it ends before its last boundary",
            Self::NoBoundary => "its boundary is not in it",
            Self::LongHeader => "the header of a part is longer than 64 KB",
            Self::BadHeader => "the header of a part cannot be read",
        })
    }
}

/// The header of a part: names in lower case.
pub type PartHeaders = Vec<(String, String)>;

/// What a splitter finds.
pub trait Parts {
    type Error: From<MultipartError>;

    /// # Errors
    /// If there may be no further part.
    fn begin(&mut self, headers: PartHeaders) -> Result<(), Self::Error>;

    /// # Errors
    /// If there may be no more of it.
    fn data(&mut self, piece: &[u8]) -> Result<(), Self::Error>;

    /// # Errors
    /// If the part is not whole.
    fn end(&mut self) -> Result<(), Self::Error>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Preamble,
    Header,
    Body,
    Epilogue,
}

/// A multipart body on its way.
pub struct Splitter {
    /// A line break, two hyphens, and the boundary.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    state: State,
    /// Whether the buffer begins with the line break that ended a header.
    after_header: bool,
}

/// What comes after something that looks like a boundary.
enum After {
    Part(usize),
    End,
    /// It is content that begins like it.
    Nothing,
    /// More must arrive to tell.
    Unknown,
}

impl Splitter {
    pub fn new(boundary: &str) -> Self {
        // The first boundary may stand at the very start.
        let delimiter = [b"\n--", boundary.as_bytes()].concat();
        Self { delimiter, buffer: vec![b'\n'], state: State::Preamble, after_header: false }
    }

    /// Takes what has arrived.
    ///
    /// # Errors
    /// What is wrong with it, or what the parts refuse.
    pub fn push<P: Parts>(&mut self, bytes: &[u8], parts: &mut P) -> Result<(), P::Error> {
        self.buffer.extend_from_slice(bytes);
        loop {
            let goes_on = match self.state {
                State::Preamble | State::Body => self.content(parts)?,
                State::Header => self.header(parts)?,
                State::Epilogue => {
                    self.buffer.clear();
                    false
                }
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Sees to it that the last boundary has been there.
    ///
    /// # Errors
    /// If it was not.
    pub fn finish(&self) -> Result<(), MultipartError> {
        match self.state {
            State::Epilogue => Ok(()),
            State::Preamble => Err(MultipartError::NoBoundary),
            State::Header | State::Body => Err(MultipartError::Truncated),
        }
    }

    /// Content up to a boundary; whether one was found.
    fn content<P: Parts>(&mut self, parts: &mut P) -> Result<bool, P::Error> {
        let mut from = 0;
        loop {
            let Some(found) = memchr::memmem::find(&self.buffer[from..], &self.delimiter) else {
                // What may be the start of a boundary stays.
                let kept = self.buffer.len().min(self.delimiter.len() + 1);
                let given = self.buffer.len() - kept;
                self.give(given, parts)?;
                return Ok(false);
            };
            let at = from + found;
            match self.after(at + self.delimiter.len()) {
                After::Unknown => {
                    self.give(at.saturating_sub(1), parts)?;
                    return Ok(false);
                }
                After::Nothing => from = at + 1,
                after => {
                    let body_end = if at > 0 && self.buffer[at - 1] == b'\r' { at - 1 } else { at };
                    let consumed = if let After::Part(end) = after { end } else { self.buffer.len() };
                    let rest = self.buffer.split_off(consumed);
                    self.give(body_end, parts)?;
                    if self.state == State::Body {
                        parts.end()?;
                    }
                    self.buffer = rest;
                    self.after_header = false;
                    self.state = if matches!(after, After::End) { State::Epilogue } else { State::Header };
                    return Ok(true);
                }
            }
        }
    }

    /// Hands out the first bytes of the buffer.
    fn give<P: Parts>(&mut self, count: usize, parts: &mut P) -> Result<(), P::Error> {
        let skipped = usize::from(self.after_header);
        if count > skipped {
            if self.state == State::Body {
                parts.data(&self.buffer[skipped..count])?;
            }
            self.buffer.drain(..count);
            self.after_header = false;
        }
        Ok(())
    }

    fn after(&self, begin: usize) -> After {
        let rest = &self.buffer[begin..];
        if rest.starts_with(b"--") {
            return After::End;
        }
        let padding = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
        match rest.get(padding) {
            Some(b'\n') => After::Part(begin + padding + 1),
            None if rest.len() < MAX_PADDING => After::Unknown,
            Some(b'-') if padding == 0 && rest.len() == 1 => After::Unknown,
            _ => After::Nothing,
        }
    }

    fn header<P: Parts>(&mut self, parts: &mut P) -> Result<bool, P::Error> {
        let Some((end, next)) = blank_line(&self.buffer) else {
            return if self.buffer.len() > MAX_HEADER { Err(MultipartError::LongHeader.into()) } else { Ok(false) };
        };
        if end > MAX_HEADER {
            return Err(MultipartError::LongHeader.into());
        }
        let headers = parsed(&self.buffer[..end]).ok_or(MultipartError::BadHeader)?;
        parts.begin(headers)?;
        // The last line break stays: a boundary may follow at once.
        self.buffer.drain(..next - 1);
        self.after_header = true;
        self.state = State::Body;
        Ok(true)
    }
}

/// The end of the header's lines, and where what comes after the blank line begins.
fn blank_line(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut line = 0;
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'\n') {
        if matches!(&bytes[line..at], b"" | b"\r") {
            return Some((line, at + 1));
        }
        line = at + 1;
    }
    None
}

fn parsed(bytes: &[u8]) -> Option<PartHeaders> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut headers = PartHeaders::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            let (_, value) = headers.last_mut()?;
            value.push(' ');
            value.push_str(line.trim());
        } else {
            let (name, value) = line.split_once(':')?;
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Debug, PartialEq)]
    struct Found(Vec<(PartHeaders, Vec<u8>, bool)>);

    impl Parts for Found {
        type Error = MultipartError;

        fn begin(&mut self, headers: PartHeaders) -> Result<(), MultipartError> {
            self.0.push((headers, Vec::new(), false));
            Ok(())
        }

        fn data(&mut self, piece: &[u8]) -> Result<(), MultipartError> {
            self.0.last_mut().unwrap().1.extend_from_slice(piece);
            Ok(())
        }

        fn end(&mut self) -> Result<(), MultipartError> {
            self.0.last_mut().unwrap().2 = true;
            Ok(())
        }
    }

    fn split(text: &str, piece: usize) -> Result<Vec<(String, String)>, MultipartError> {
        let (mut splitter, mut found) = (Splitter::new("b=1"), Found::default());
        for piece in text.as_bytes().chunks(piece) {
            splitter.push(piece, &mut found)?;
        }
        splitter.finish()?;
        assert!(found.0.iter().all(|part| part.2));
        Ok(found
            .0
            .into_iter()
            .map(|(headers, data, _)| {
                let names: Vec<_> = headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
                (names.join(";"), String::from_utf8(data).unwrap())
            })
            .collect())
    }

    #[test]
    fn parts_are_found_however_they_arrive() {
        let text = "before\r\n--b=1\r\nContent-ID: <a>\r\nX: 1\r\n  2\r\n\r\none\r\n--b=12\r\n--b=\r\n\r\n--b=1  \r\n\r\n--b=1\r\nY: z\r\n\r\n\r\n\r\n--b=1--\r\nafter";
        let wanted = [("content-id=<a>;x=1 2", "one\r\n--b=12\r\n--b=\r\n"), ("", ""), ("y=z", "\r\n")];
        let wanted: Vec<_> = wanted.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        for piece in 1..text.len() {
            assert_eq!(split(text, piece).as_ref(), Ok(&wanted), "in pieces of {piece}");
            let unix: Vec<_> = wanted.iter().map(|(a, b)| (a.clone(), b.replace('\r', ""))).collect();
            assert_eq!(split(&text.replace('\r', ""), piece).as_ref(), Ok(&unix), "in pieces of {piece}");
        }
        assert_eq!(split("--b=1--", 1), Ok(Vec::new()));
    }

    #[test]
    fn what_is_cut_off_is_told() {
        assert_eq!(split("", 1), Err(MultipartError::NoBoundary));
        assert_eq!(split("--other\r\n", 1), Err(MultipartError::NoBoundary));
        assert_eq!(split("--b=1\r\n\r\nabc\r\n--b=1", 4), Err(MultipartError::Truncated));
        assert_eq!(split("--b=1\r\nA: b\r\n", 4), Err(MultipartError::Truncated));
        assert_eq!(split("--b=1\r\nno header\r\n\r\n--b=1--", 4), Err(MultipartError::BadHeader));
        let long = format!("--b=1\r\nA: {}", "x".repeat(70_000));
        assert_eq!(split(&long, 1000), Err(MultipartError::LongHeader));
    }
}
