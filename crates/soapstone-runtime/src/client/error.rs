//! Why a call gave no answer.

use crate::outbound::Denied;
use crate::problem::ReadError;
use crate::soap::{Fault, ReceivedFault};
use std::fmt;

/// Why a call gave no answer.
#[derive(Debug)]
pub enum CallError {
    /// The client cannot be set up: a wrong address or header.
    Setup(String),
    /// The address may not be called.
    Denied(Denied),
    /// The server was not reached, or did not answer in time.
    Transport(String),
    /// An HTTP error without a fault in it.
    Status { status: u16, text: String },
    /// The server answers with a fault.
    Fault(Box<ReceivedFault>),
    /// The answer is not what the contract says.
    Answer(Box<ReadError>),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(why) => write!(f, "the client cannot be set up: {why}"),
            Self::Denied(denied) => denied.fmt(f),
            Self::Transport(why) => write!(f, "the server cannot be reached: {why}"),
            Self::Status { status, text } => write!(f, "the server answers with HTTP status {status}: {text}"),
            Self::Fault(fault) => write!(f, "the server answers with a fault: {} ({})", fault.message, fault.code),
            Self::Answer(error) => write!(f, "the answer is not what the contract says: {error}"),
        }
    }
}

impl std::error::Error for CallError {}

impl From<Fault> for CallError {
    /// What our own readers refuse in an answer.
    fn from(fault: Fault) -> Self {
        let error = fault.problems.into_iter().next();
        let error = error.unwrap_or_else(|| *ReadError::new(crate::ReadErrorKind::Malformed, fault.message));
        Self::Answer(Box::new(error))
    }
}

/// An error with what caused it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        source = cause.source();
    }
    out
}
