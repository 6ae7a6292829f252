//! The forms of files: each yields changes of the contract's own types, one item a record.

mod csv;
mod encoding;
mod mapping;
mod xml;

pub use mapping::Columns;

use super::{Profile, Spooled};
use crate::domain::Issue;
use crate::error::ServiceError;
use crate::store::runs::Run;
use soapstone_contracts::catalog as contract;
use std::io::Read;
use std::path::Path;

/// What a record asks for.
#[derive(Debug)]
pub enum Change {
    Article(Box<contract::Article>),
    Category(Box<contract::Category>),
}

/// One record of a source.
#[derive(Debug)]
pub struct Item {
    /// From 1.
    pub number: i64,
    pub line: Option<i64>,
    pub column: Option<i64>,
    /// The record's key, where it could be read.
    pub key: Option<String>,
    pub change: Result<Change, Vec<Issue>>,
    /// Categories that must be there first.
    pub categories: Vec<contract::Category>,
    /// What the source calls the contract's members.
    pub columns: Option<Columns>,
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

/// A source of items.
pub enum Source {
    Xml(Box<xml::XmlFile>),
    Csv(Box<csv::CsvFile>),
}

impl Source {
    /// Opens the source of a run.
    ///
    /// # Errors
    /// Why it cannot be read at all.
    pub fn open(run: &Run) -> Result<Self, Broken> {
        let path = Path::new(&run.source_path);
        let profile = match &run.profile_text {
            Some(text) => Some(Profile::parse(text).map_err(|e| Box::new(Issue::from(e)))?),
            None => None,
        };
        match run.format.as_str() {
            "csv" => csv::CsvFile::open(path, &run.kind, profile).map(|file| Self::Csv(Box::new(file))),
            _ => xml::XmlFile::open(path, &run.kind).map(|file| Self::Xml(Box::new(file))).map_err(Into::into),
        }
    }

    /// The next record; None at the end. With `skip`, nobody will look at it.
    ///
    /// # Errors
    /// If the source cannot be read on.
    pub fn next_item(&mut self, skip: bool) -> Result<Option<Item>, Broken> {
        match self {
            Self::Xml(file) => file.next_item(skip),
            Self::Csv(file) => file.next_item(skip),
        }
    }

    /// How many bytes of the source were read.
    pub fn position(&self) -> u64 {
        match self {
            Self::Xml(file) => file.position(),
            Self::Csv(file) => file.position(),
        }
    }
}

/// The format of a source: as asked for, as the profile says, or by its first bytes.
///
/// # Errors
/// If it cannot be told.
pub fn recognise(asked: &str, profile: Option<&str>, source: &Spooled) -> Result<&'static str, ServiceError> {
    if let Some(text) = profile {
        // Only tables are mapped.
        return Profile::parse(text)
            .map(|_| "csv")
            .map_err(|e| ServiceError::invalid("profile.invalid", e.to_string()));
    }
    match asked {
        "xml" => return Ok("xml"),
        "csv" => return Ok("csv"),
        _ => {}
    }
    let mut head = [0; 512];
    let length = std::fs::File::open(&source.path)
        .and_then(|mut file| file.read(&mut head))
        .map_err(|e| ServiceError::internal(format!("{}: {e}", source.path.display())))?;
    if length == 0 {
        return Err(ServiceError::invalid("import.empty", "The file is empty"));
    }
    let text: String = head[..length].iter().filter(|b| b.is_ascii() && **b != 0).map(|b| char::from(*b)).collect();
    let text = text.trim_start();
    if text.starts_with('<') {
        return Ok("xml");
    }
    let first = text.lines().next().unwrap_or("");
    if first.contains([',', ';', '\t', '|']) || first.trim().eq_ignore_ascii_case("sku") {
        return Ok("csv");
    }
    let message = "The file is neither XML nor CSV with a header line: its format cannot be recognised";
    Err(ServiceError::invalid("import.unknown_format", message).of("format", asked))
}
