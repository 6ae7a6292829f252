//! Attachments of messages: SOAP with Attachments, MTOM and XOP.

mod content;
mod media;
pub(crate) mod multipart;
mod package;
mod receive;
pub(crate) mod xop;

pub use content::{Content, ContentWriter};
pub use media::MediaType;
pub use package::{Package, Packaging};
pub use receive::{Received, Receiver, Spool};

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The namespace of `xop:Include`.
pub const XOP: &str = "http://www.w3.org/2004/08/xop/include";

/// One part beside the envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its `Content-ID`, without the angle brackets.
    pub id: String,
    /// The part of the contract's message that it is; empty: none that is known.
    pub part: String,
    /// Its content type.
    pub media_type: String,
    pub content: Content,
}

impl Attachment {
    /// An attachment that is a part of the contract's message (`mime:content`).
    pub fn new(part: &str, media_type: &str, content: impl Into<Content>) -> Self {
        Self { id: String::new(), part: part.to_owned(), media_type: media_type.to_owned(), content: content.into() }
    }

    /// The same with a content ID that names its part, as the Attachments Profile has it (section 3.8); `unique` tells
    /// the message from others.
    #[must_use]
    pub(crate) fn identified(self, number: usize, unique: &str) -> Self {
        Self { id: format!("{}={number}-{unique}@soapstone", self.part), ..self }
    }
}

/// The attachments of a message. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Attachments(Arc<[Attachment]>);

impl Attachments {
    pub fn iter(&self) -> impl Iterator<Item = &Attachment> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one that a `cid:` reference means (RFC 2392).
    pub fn referred(&self, href: &str) -> Option<&Attachment> {
        let id = href.trim().strip_prefix("cid:")?;
        let decoded = percent_decoded(id);
        self.0.iter().find(|a| a.id == id || a.id == decoded)
    }

    /// The one that is that part of the message.
    pub fn part(&self, part: &str) -> Option<&Attachment> {
        self.0.iter().find(|a| a.part == part)
    }

    /// Says of each attachment which part of the message it is: those of `parts`, told apart by a content ID as the
    /// Attachments Profile has it (`<part=…@…>`, section 3.8), or else in their order. Those that the envelope refers
    /// to are none.
    ///
    /// # Errors
    /// The content ID of one that is neither a part nor referred to; or the part that is not there.
    pub fn assigned(self, envelope: &str, parts: &[&'static str]) -> Result<Self, Unassigned> {
        if self.0.is_empty() && parts.is_empty() {
            return Ok(self);
        }
        let mut list = self.0.to_vec();
        let mut open: Vec<&str> = parts.to_vec();
        for attachment in &mut list {
            let named = percent_decoded(attachment.id.split('=').next().unwrap_or_default());
            if let Some(at) = open.iter().position(|part| *part == named && attachment.id.contains('=')) {
                open.remove(at).clone_into(&mut attachment.part);
            }
        }
        for attachment in list.iter_mut().filter(|a| a.part.is_empty()) {
            if is_referred(envelope, &attachment.id) {
                continue;
            }
            if open.is_empty() {
                return Err(Unassigned::Attachment(attachment.id.clone()));
            }
            open.remove(0).clone_into(&mut attachment.part);
        }
        match open.first() {
            Some(part) => Err(Unassigned::Part((*part).to_owned())),
            None => Ok(list.into()),
        }
    }
}

impl From<Vec<Attachment>> for Attachments {
    fn from(list: Vec<Attachment>) -> Self {
        Self(list.into())
    }
}

/// What does not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unassigned {
    /// An attachment that nobody asks for.
    Attachment(String),
    /// A part without an attachment.
    Part(String),
}

/// Whether an envelope has a `cid:` reference to that content ID.
fn is_referred(envelope: &str, id: &str) -> bool {
    if id.is_empty() {
        return false;
    }
    let ends = |rest: &str| rest.starts_with(['"', '\'', '<', ' ', '\n', '\r', '\t']);
    envelope.match_indices("cid:").any(|(at, _)| {
        let rest = &envelope[at + 4..];
        let length = rest.find(['"', '\'', '<', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
        let reference = rest[..length].replace("&amp;", "&");
        (reference == id || percent_decoded(&reference) == id) && ends(&rest[length..])
    })
}

/// A text with its `%20` and the like put back.
pub(crate) fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (bytes[at], digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[&str]) -> Attachments {
        let attachment = |id: &&str| Attachment { id: (*id).to_owned(), ..Attachment::default() };
        ids.iter().map(attachment).collect::<Vec<_>>().into()
    }

    #[test]
    fn attachments_are_the_parts_that_they_are_named_after_or_stand_in_the_place_of() {
        let found = list(&["x", "two=1@h", "in%20text@h"]);
        let envelope = "<a href=\"cid:in%2520text@h\"/>";
        let found = found.assigned(envelope, &["one", "two"]).unwrap();
        assert_eq!(found.iter().map(|a| a.part.as_str()).collect::<Vec<_>>(), ["one", "two", ""]);
        assert_eq!(found.part("two").unwrap().id, "two=1@h");
        assert_eq!(found.referred("cid:in%2520text@h").unwrap().id, "in%20text@h");
        assert_eq!(list(&["x"]).assigned("", &[]).unwrap_err(), Unassigned::Attachment("x".to_owned()));
        assert_eq!(list(&["x"]).assigned("cid:xy\"", &[]).unwrap_err(), Unassigned::Attachment("x".to_owned()));
        assert_eq!(list(&[]).assigned("", &["p"]).unwrap_err(), Unassigned::Part("p".to_owned()));
    }
}
