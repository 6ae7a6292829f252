//! What is wrong with a contract: where, what, and how to mend it.

use crate::xml::Position;
use std::fmt;

/// Whether a contract can be used in spite of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The contract is wrong.
    Invalid,
    /// The contract is right, but uses what Soapstone does not handle.
    Unsupported,
    /// The contract can be used; somebody should know all the same.
    Warning,
}

/// One problem of a contract, at its place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// Stable and documented, such as `xsd.unresolved_type`.
    pub code: &'static str,
    pub file: String,
    pub position: Position,
    pub message: String,
    /// How to mend it.
    pub remedy: String,
}

impl Problem {
    pub fn invalid(code: &'static str, file: &str, position: Position, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Invalid,
            code,
            file: file.to_owned(),
            position,
            message: message.into(),
            remedy: String::new(),
        }
    }

    pub fn unsupported(code: &'static str, file: &str, position: Position, message: impl Into<String>) -> Self {
        Self { severity: Severity::Unsupported, ..Self::invalid(code, file, position, message) }
    }

    pub fn warning(code: &'static str, file: &str, position: Position, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::invalid(code, file, position, message) }
    }

    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.position.line > 0 {
            write!(f, ":{}:{}", self.position.line, self.position.column)?;
        }
        write!(f, ": {} [{}]", self.message, self.code)?;
        if !self.remedy.is_empty() {
            write!(f, "\n  remedy: {}", self.remedy)?;
        }
        Ok(())
    }
}

/// All problems of one contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub fn push(&mut self, problem: Problem) {
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Whether the contract cannot be used.
    pub fn fatal(&self) -> bool {
        self.0.iter().any(|p| p.severity != Severity::Warning)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
