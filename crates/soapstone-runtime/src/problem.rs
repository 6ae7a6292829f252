//! What is wrong with a message: where, what, and what was expected instead.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How much of a field's name and of its value is told.
const MAX_VALUE_CHARS: usize = 200;

/// How long the text of an error is.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// What kind of mistake a message has; each has a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadErrorKind {
    /// Not well-formed, or not JSON.
    Malformed,
    /// An element or member that is not allowed here.
    Unexpected,
    /// An element, attribute or member that must be there.
    Missing,
    /// Text that is no value of the type.
    Type,
    /// A value that a facet forbids.
    Facet,
    /// More than a configured limit allows.
    Limit,
    /// What XML allows, but messages must not have: DOCTYPE, entities.
    Forbidden,
}

impl ReadErrorKind {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "message.malformed",
            Self::Unexpected => "message.unexpected",
            Self::Missing => "message.missing",
            Self::Type => "message.type",
            Self::Facet => "message.facet",
            Self::Limit => "message.limit",
            Self::Forbidden => "message.forbidden",
        }
    }
}

/// A message, or a record of a file, that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadError {
    pub kind: ReadErrorKind,
    pub message: String,
    /// XML: a path such as `/UpsertArticles/article[3]/price`. JSON: a pointer (RFC 6901).
    pub path: String,
    /// The element, attribute or member concerned.
    pub field: Option<String>,
    /// The offending value as given.
    pub value: Option<String>,
    /// From 1; 0 where there is no line (JSON).
    pub line: u32,
    pub column: u32,
    /// The elements that could stand here.
    pub expected: Vec<String>,
}

/// What reading gives.
pub type Read<T> = Result<T, Box<ReadError>>;

impl ReadError {
    pub fn new(kind: ReadErrorKind, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind,
            message: shortened(message.into(), MAX_MESSAGE_CHARS),
            path: String::new(),
            field: None,
            value: None,
            line: 0,
            column: 0,
            expected: Vec::new(),
        })
    }

    /// Adds the field and its value, shortened to what a person reads.
    #[must_use]
    pub fn of(mut self: Box<Self>, field: &str, value: Option<&str>) -> Box<Self> {
        self.field = Some(shortened(field.to_owned(), MAX_VALUE_CHARS));
        self.value = value.map(|value| shortened(value.to_owned(), MAX_VALUE_CHARS));
        self
    }
}

/// A text as far as a person reads it: names and values from outside may be of any length.
fn shortened(mut text: String, max_chars: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max_chars) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.expected.is_empty() {
            write!(f, "; expected {}", self.expected.join(" or "))?;
        }
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        if self.line > 0 {
            write!(f, " (line {}, column {})", self.line, self.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for ReadError {}
