//! The forms of files: each reads records of a kind into a batch, and tells of each where it stands.

mod along;
mod archive;
mod bmecat;
mod cells;
mod columns;
mod csv;
mod encoding;
mod foreign;
mod guess;
mod known;
mod language;
mod lines;
mod lines_around;
mod mapping;
mod opentrans;
mod packed;
mod recognised;
mod rows;
mod select;
mod tree;
mod xml;

pub use along::Along;
pub use columns::Shape;
pub use csv::{Form, form};
pub use guess::{Guess, guess};
pub(super) use known::Known;
pub(super) use language::three_letters;
pub use lines_around::{SourceLine, lines_around};
pub use mapping::Columns;
pub(super) use opentrans::CHARGE;
pub use recognised::recognise;

use super::Profile;
use super::kinds::{Batch, Kind};
use crate::domain::{Issue, Rules};
use crate::store::runs::Run;
use encoding::Utf8File;
use packed::Unpacked;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// One record of a source.
#[derive(Debug)]
pub struct Item {
    /// From 1.
    pub number: i64,
    pub line: Option<i64>,
    pub column: Option<i64>,
    /// The record's key, where it could be read.
    pub key: Option<String>,
    /// Whether it is in the batch, or why not.
    pub change: Result<(), Vec<Issue>>,
    /// The key of a record that is to be deleted; it is in no batch then.
    pub deletes: Option<String>,
    /// A filter passes over it; it is in no batch then.
    pub is_skipped: bool,
    /// Its text made the record what it is; it is in no batch then.
    pub is_known: bool,
    /// What a filter warns of.
    pub warnings: Vec<Issue>,
    /// Records of other kinds that come along.
    pub along: Along,
    /// What the source calls the contract's members.
    pub columns: Option<Columns>,
    /// Where it stands in the text of the source.
    pub raw: Range<u64>,
    /// Bytes that it keeps in memory.
    pub weight: usize,
}

impl Item {
    fn at(number: i64, raw: Range<u64>) -> Self {
        let weight = usize::try_from(raw.end - raw.start).unwrap_or(usize::MAX);
        let (line, column, key, columns) = (None, None, None, None);
        Self {
            number,
            line,
            column,
            key,
            change: Ok(()),
            deletes: None,
            is_skipped: false,
            is_known: false,
            warnings: Vec::new(),
            along: Along::default(),
            columns,
            raw,
            weight,
        }
    }
}

impl Item {
    /// Whether it is in the batch.
    pub fn is_in_batch(&self) -> bool {
        self.change.is_ok() && self.deletes.is_none() && !self.is_skipped && !self.is_known
    }
}

/// A source that cannot be read on.
#[derive(Debug)]
pub struct Broken {
    pub issue: Issue,
    pub line: Option<i64>,
    pub column: Option<i64>,
}

/// No place in the source is to blame.
impl From<Box<Issue>> for Broken {
    fn from(issue: Box<Issue>) -> Self {
        Self { issue: *issue, line: None, column: None }
    }
}

fn unreadable(why: &io::Error) -> Box<Issue> {
    log::error!("a source: {why}");
    let issue = Issue::error("source.unreadable", "the source is gone or cannot be read");
    Box::new(issue.suggest("send the file again; the log has the details"))
}

enum Reader {
    Xml(Box<xml::XmlFile>),
    Csv(Box<csv::CsvFile>),
    Lines(lines::LinesFile),
    Archive(archive::ArchiveFile),
    Bmecat(Box<bmecat::BmecatFile>),
    OpenTrans(Box<opentrans::OpenTransFile>),
    Foreign(Box<foreign::ForeignFile>),
}

/// Where records come from.
pub struct Origin<'a> {
    pub path: &'a Path,
    /// Bytes.
    pub size: u64,
    /// As the contract calls it.
    pub format: &'a str,
    pub profile: Option<&'a str>,
}

impl<'a> Origin<'a> {
    /// The source of a run, which lies there.
    pub fn of(run: &'a Run, path: &'a Path) -> Self {
        let size = u64::try_from(run.source_size).unwrap_or(0);
        Self { path, size, format: &run.format, profile: run.profile_text.as_deref() }
    }
}

/// A source of records.
pub struct Source {
    reader: Reader,
    /// None: its records are files of an archive.
    text: Option<Arc<Utf8File>>,
    /// Bytes of the source, and of its text.
    sizes: (u64, u64),
}

impl Source {
    /// Opens a source.
    ///
    /// # Errors
    /// Why it cannot be read at all.
    pub fn open(origin: &Origin<'_>, kind: &'static Kind, rules: &Rules) -> Result<Self, Broken> {
        if origin.format == "zip" {
            let reader = Reader::Archive(archive::ArchiveFile::open(origin.path, &rules.pictures)?);
            return Ok(Self { reader, text: None, sizes: (origin.size, origin.size) });
        }
        if origin.format == "openTrans" {
            return Self::open_trans(origin, kind);
        }
        let profile = match origin.profile {
            Some(text) => Some(Profile::parse(text).map_err(|e| Box::new(Issue::from(e)))?),
            None => None,
        };
        let unpacked = Unpacked::of(origin.path)?;
        let declared = match origin.format {
            "xml" | "bmecat" => {
                let head = packed::head(&unpacked.path).map_err(|e| unreadable(&e))?;
                soapstone_runtime::xml::declared_encoding(&head)
            }
            _ => profile.as_ref().and_then(|p| p.csv.encoding.clone()),
        };
        let text = Arc::new(Utf8File::of(unpacked, declared.as_deref())?);
        let size = text.size().map_err(|e| unreadable(&e))?;
        let reader = match origin.format {
            "csv" | "caller" => Reader::Csv(Box::new(csv::CsvFile::open(text.clone(), kind, profile)?)),
            "bmecat" => Reader::Bmecat(Box::new(bmecat::BmecatFile::open(text.clone(), kind, rules)?)),
            "jsonLines" => Reader::Lines(lines::LinesFile::open(&text, kind)?),
            _ => match profile.map(|profile| (profile.xml.clone(), profile)) {
                Some((Some(form), profile)) => {
                    Reader::Foreign(Box::new(foreign::ForeignFile::open(text.clone(), kind, profile, &form.record)?))
                }
                _ => Reader::Xml(Box::new(xml::XmlFile::open(&text, kind)?)),
            },
        };
        Ok(Self { reader, text: Some(text), sizes: (origin.size, size.max(1)) })
    }

    /// Opens a business document, or a ZIP of some.
    fn open_trans(origin: &Origin<'_>, kind: &'static Kind) -> Result<Self, Broken> {
        let mut texts = Vec::new();
        for unpacked in opentrans::files(origin.path)? {
            let head = packed::head(&unpacked.path).map_err(|e| unreadable(&e))?;
            let declared = soapstone_runtime::xml::declared_encoding(&head);
            texts.push(Arc::new(Utf8File::of(unpacked, declared.as_deref())?));
        }
        let mut size = 0;
        for text in &texts {
            size += text.size().map_err(|e| unreadable(&e))?;
        }
        // Of several, each is a file of its own: they are not copied into one.
        let text = if texts.len() == 1 { texts.first().cloned() } else { None };
        let reader = Reader::OpenTrans(Box::new(opentrans::OpenTransFile::open(texts, kind)?));
        Ok(Self { reader, text, sizes: (origin.size, size.max(1)) })
    }

    /// Reads no more than it must of records that are known. Forms that take each record for a new one do as before.
    pub fn with_known(&mut self, known: Known) {
        match &mut self.reader {
            Reader::Xml(file) => file.with_known(known),
            Reader::Csv(file) => file.with_known(known),
            _ => {}
        }
    }

    /// The next record, read into the batch; None at the end. Without a batch it is passed over.
    ///
    /// # Errors
    /// If the source cannot be read on.
    pub fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        match &mut self.reader {
            Reader::Xml(file) => file.next_item(batch),
            Reader::Csv(file) => file.next_item(batch),
            Reader::Lines(file) => file.next_item(batch),
            Reader::Archive(file) => file.next_item(batch),
            Reader::Bmecat(file) => file.next_item(batch),
            Reader::OpenTrans(file) => file.next_item(batch),
            Reader::Foreign(file) => file.next_item(batch),
        }
    }

    /// How many bytes of the source were read; of a packed one, about.
    pub fn position(&self) -> u64 {
        let position = match &self.reader {
            Reader::Xml(file) => file.position(),
            Reader::Csv(file) => file.position(),
            Reader::Lines(file) => file.position(),
            Reader::Archive(file) => file.position(),
            Reader::Bmecat(file) => file.position(),
            Reader::OpenTrans(file) => file.position(),
            Reader::Foreign(file) => file.position(),
        };
        let (source, text) = self.sizes;
        if source == text {
            return position;
        }
        u64::try_from(u128::from(position) * u128::from(source) / u128::from(text)).unwrap_or(source)
    }

    /// The text that the records stand in, to copy them from; None if it has none.
    pub fn text(&self) -> Option<Text> {
        self.text.clone().map(Text)
    }

    /// What stands before and after records in a file of some of them, once the first was read.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn around(&self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let (head, tail) = match &self.reader {
            Reader::Xml(file) => file.around(),
            Reader::Bmecat(file) => file.around()?,
            Reader::Foreign(file) => file.around()?,
            Reader::Csv(file) => (file.head()?, Vec::new()),
            Reader::Lines(_) | Reader::Archive(_) | Reader::OpenTrans(_) => (Vec::new(), Vec::new()),
        };
        // What was in another encoding is in UTF-8 from here on, and says so.
        let is_converted = self.text.as_ref().is_some_and(|text| text.is_converted());
        let mark: &[u8] = if is_converted { "\u{feff}".as_bytes() } else { b"" };
        Ok(([mark, &head].concat(), tail))
    }
}

/// The text of a source.
pub struct Text(Arc<Utf8File>);

impl Text {
    /// Pieces of it, each with a line's end after it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn pieces<'a>(&self, ranges: impl Iterator<Item = &'a Range<u64>>) -> io::Result<Vec<u8>> {
        let mut ranges = ranges.peekable();
        let mut pieces = Vec::new();
        if ranges.peek().is_some() {
            let mut file = self.0.open()?;
            for range in ranges.filter(|range| !range.is_empty()) {
                pieces.extend(Self::piece(&mut file, range)?);
            }
        }
        Ok(pieces)
    }

    fn piece(file: &mut File, range: &Range<u64>) -> io::Result<Vec<u8>> {
        file.seek(SeekFrom::Start(range.start))?;
        let mut piece = Vec::new();
        file.take(range.end - range.start).read_to_end(&mut piece)?;
        // A reader stops within CR LF.
        let begin = piece.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
        piece.drain(..begin);
        if !piece.ends_with(b"\n") {
            piece.push(b'\n');
        }
        Ok(piece)
    }
}
