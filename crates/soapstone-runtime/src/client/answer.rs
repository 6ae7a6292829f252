//! Answers of other servers.

use super::CallError;
use crate::attachment::{Attachments, Unassigned, xop};
use crate::message::{Message, Payload};
use crate::problem::{ReadError, ReadErrorKind};
use crate::soap::security::{Keys, Opened, Security, is_secured};
use crate::soap::{Envelope, Fault, Headers, Limits, ReceivedFault};
use chrono::Utc;

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
    /// Of a signed answer: the blocks of its header that are signed.
    pub(super) signed: Option<Headers>,
}

impl Answer {
    /// Opens an answer that is signed or encrypted; one that has to be signed and is not is an error.
    ///
    /// # Errors
    /// What is wrong with its security.
    pub(super) fn opened(mut self, keys: &Keys, limits: &Limits) -> Result<Self, CallError> {
        let wrong = |fault: Box<Fault>| CallError::from(*fault);
        let unsigned =
            || CallError::Answer(ReadError::new(ReadErrorKind::Forbidden, "the answer is not signed, but has to be"));
        // One-way: there is nothing that could be signed.
        if self.text.trim().is_empty() || (keys.own.is_none() && keys.trust.is_none()) {
            return Ok(self);
        }
        let opened = if is_secured(&self.text) {
            let whole = xop::filled_in(&self.text, &self.attachments, u64::MAX);
            Opened::of(&whole, keys, limits).map_err(wrong)?
        } else {
            None
        };
        let Some(opened) = opened else { return if keys.trust.is_some() { Err(unsigned()) } else { Ok(self) } };
        if opened.signer.is_none() && keys.trust.is_some() {
            return Err(unsigned());
        }
        let envelope = Envelope::parse(&opened.text, limits).map_err(|(_, fault)| CallError::from(fault))?;
        let mut headers = envelope.headers;
        let security = Security::of(&headers, true).map_err(wrong)?.unwrap_or_default();
        opened.covered(&mut headers, &security).map_err(wrong)?;
        security.holds(Utc::now()).map_err(wrong)?;
        self.signed = Some(headers);
        self.attachments = Attachments::default();
        self.text = opened.text;
        Ok(self)
    }

    /// Takes the envelope apart; one that is a fault is an error.
    ///
    /// # Errors
    /// The fault, or that it is no envelope.
    pub fn envelope(&self, limits: &Limits) -> Result<Envelope<'_>, CallError> {
        let mut envelope = Envelope::parse(&self.text, limits).map_err(|(_, fault)| CallError::from(fault))?;
        if let Some(signed) = &self.signed {
            envelope.headers = signed.clone();
        }
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
