//! Answers of other servers.

use super::CallError;
use crate::attachment::{Attachments, Unassigned};
use crate::message::{Message, Payload};
use crate::problem::{ReadError, ReadErrorKind};
use crate::soap::{Envelope, Headers, Limits, ReceivedFault};

/// An answer, read.
#[derive(Clone, Debug)]
pub struct Replied<A> {
    pub value: A,
    pub headers: Headers,
    pub attachments: Attachments,
}

/// An answer as it came: an envelope, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub text: String,
    pub attachments: Attachments,
}

impl Answer {
    /// Takes the envelope apart; one that is a fault is an error.
    ///
    /// # Errors
    /// The fault, or that it is no envelope.
    pub fn envelope(&self, limits: &Limits) -> Result<Envelope<'_>, CallError> {
        let envelope = Envelope::parse(&self.text, limits).map_err(|(_, fault)| CallError::from(fault))?;
        if envelope.is_fault() {
            let (text, scope) = envelope.body();
            return Err(CallError::Fault(Box::new(ReceivedFault::parse(text, scope))));
        }
        Ok(envelope)
    }

    /// The attachments, each with the part of the answer's message that it is.
    ///
    /// # Errors
    /// What is missing, or too much.
    pub fn assigned(&self, parts: &[&'static str]) -> Result<Attachments, CallError> {
        self.attachments.clone().assigned(&self.text, parts).map_err(|problem| {
            let (kind, message) = match problem {
                Unassigned::Part(part) => (ReadErrorKind::Missing, format!("the attachment \"{part}\" is missing")),
                Unassigned::Attachment(id) => {
                    (ReadErrorKind::Unexpected, format!("nothing refers to the attachment <{id}>"))
                }
            };
            CallError::Answer(ReadError::new(kind, message))
        })
    }

    /// Reads it.
    ///
    /// # Errors
    /// The fault, or where and why it is not what the contract says.
    pub fn read<A: Message>(&self, parts: &[&'static str], limits: &Limits) -> Result<Replied<A>, CallError> {
        let envelope = self.envelope(limits)?;
        let attachments = self.assigned(parts)?;
        let headers = envelope.headers.clone();
        let envelope = envelope.attached(attachments.clone(), false);
        let payload = if A::ENCODED { envelope.decoded_payload() } else { Ok(envelope.payload()) };
        let value = payload.and_then(Payload::read).map_err(CallError::Answer)?;
        Ok(Replied { value, headers, attachments })
    }
}
