//! What is to be said of a record: the same in a response, a run's report, and the log.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub severity: Severity,
    /// Stable, such as `article.unknown_category`.
    pub code: &'static str,
    pub field: Option<String>,
    pub value: Option<String>,
    pub text: String,
    pub suggestion: Option<String>,
}

impl Issue {
    pub fn error(code: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, field: None, value: None, text: text.into(), suggestion: None }
    }

    pub fn warning(code: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, text) }
    }

    /// Names the field and its value.
    #[must_use]
    pub fn of(mut self, field: &str, value: &str) -> Self {
        self.field = Some(field.to_owned());
        self.value = Some(value.to_owned());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.severity.as_str(), self.text, self.code)
    }
}
