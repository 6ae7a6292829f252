//! The lines of a source around a place, for a person to see what a message means.

use super::{Broken, Origin, Source, unreadable};
use crate::domain::Rules;
use crate::exchange::kinds::Kind;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// How much of a line is shown.
const LONGEST: usize = 2_000;

/// A line of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// From 1.
    pub number: u64,
    pub text: String,
    /// Whether it goes on.
    pub is_cut: bool,
}

/// The lines around one, in the source's own order; none: it has no such line, or no text at all.
///
/// # Errors
/// If the source cannot be read.
pub fn lines_around(
    origin: &Origin<'_>,
    kind: &'static Kind,
    rules: &Rules,
    line: u64,
    around: u64,
) -> Result<Vec<SourceLine>, Broken> {
    let source = Source::open(origin, kind, rules)?;
    let Some(text) = source.text() else { return Ok(Vec::new()) };
    let found = text.0.open().and_then(|file| read(file, line.saturating_sub(around).max(1), line + around));
    found.map_err(|e| unreadable(&e).into())
}

/// The lines from one to another.
fn read(mut file: impl Read + Seek, first: u64, last: u64) -> io::Result<Vec<SourceLine>> {
    let mut number = 1;
    let mut start = 0;
    let mut buffer = vec![0; 256 << 10];
    // Most of a large file is only counted.
    'counting: while number < first {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(Vec::new());
        }
        for end in memchr::memchr_iter(b'\n', &buffer[..read]) {
            number += 1;
            if number == first {
                start += end as u64 + 1;
                break 'counting;
            }
        }
        start += read as u64;
    }
    file.seek(SeekFrom::Start(start))?;
    let mut reader = BufReader::new(file);
    let mut lines = Vec::new();
    while number <= last {
        let mut bytes = Vec::new();
        let most = LONGEST as u64 + 1;
        if reader.by_ref().take(most).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let is_whole = bytes.ends_with(b"\n") || bytes.len() <= LONGEST;
        if !is_whole {
            skip_line(&mut reader)?;
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\r', '\n', '\u{fffd}']).to_owned();
        lines.push(SourceLine { number, text, is_cut: !is_whole });
        number += 1;
    }
    Ok(lines)
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let (used, done) = match memchr::memchr(b'\n', buffer) {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn around(text: &str, first: u64, last: u64) -> Vec<(u64, String)> {
        let lines = read(Cursor::new(text.as_bytes()), first, last).unwrap();
        lines.into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn lines_are_found_by_their_numbers() {
        let text = "one\r\ntwo\n\nfour";
        assert_eq!(around(text, 1, 2), [(1, "one".to_owned()), (2, "two".to_owned())]);
        assert_eq!(around(text, 3, 9), [(3, String::new()), (4, "four".to_owned())]);
        assert!(around(text, 5, 9).is_empty());
        let many: String = (1..=200_000).map(|n| format!("line {n}\n")).collect();
        assert_eq!(around(&many, 150_000, 150_000), [(150_000, "line 150000".to_owned())]);
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = format!("{}\nnext", "ä".repeat(5_000));
        let lines = read(Cursor::new(text.as_bytes()), 1, 2).unwrap();
        assert!(lines[0].is_cut && lines[0].text.chars().all(|c| c == 'ä'), "{:?}", lines[0]);
        assert_eq!((lines[1].number, lines[1].text.as_str()), (2, "next"));
    }
}
