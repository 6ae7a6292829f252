//! Idempotent requests: a request with a key is executed once, and a request that repeats it gets the stored answer.
//!
//! The key is an `Idempotency-Key` over REST and a `wsa:MessageID` over SOAP. The runtime derives what identifies a request; an
//! implementation of [`Idempotency`] executes it in a transaction together with its answer.

use crate::attachment::{Attachment, Attachments, xop};
use crate::message::Reply;
use crate::service::{Beside, Channel, Context, OperationInfo, Outcome};
use crate::soap::Fault;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

/// A request with the key that identifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    pub channel: Channel,
    /// The authenticated caller's name; empty without one.
    pub caller: String,
    pub service: &'static str,
    pub operation: &'static str,
    /// The key, as the caller chose it.
    pub key: String,
    /// The number of the batch, if the message is executed in batches.
    pub batch: Option<u64>,
    /// SHA-256 of what the request asks for, hexadecimal.
    pub fingerprint: String,
    pub request_id: String,
}

impl KeyedRequest {
    /// The name that the answer is stored under: SHA-256 of the caller, the service and the key, hexadecimal. A key of REST
    /// belongs to one operation; a message ID is used once, whatever the operation.
    pub fn name(&self) -> String {
        let operation = if self.channel == Channel::Rest { self.operation } else { "" };
        let batch = self.batch.map(|number| number.to_string());
        let mut hash = Fingerprint::default();
        for part in [self.channel.name(), &self.caller, self.service, operation, &self.key] {
            hash.add(part.as_bytes());
        }
        hash.add(batch.as_deref().unwrap_or_default().as_bytes());
        hash.finish()
    }
}

/// What an operation came to: its reply or fault, with header blocks and attachments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    pub outcome: Result<Reply, Fault>,
    pub beside: Beside,
}

impl Answer {
    /// Runs an operation to its end.
    pub async fn of(outcome: Outcome, context: Context) -> Self {
        let outcome = outcome.await;
        Self { outcome, beside: context.take_reply() }
    }

    /// Whether a repeated request gets the same answer. If the server failed or denied the request, the request changes nothing
    /// and may be sent again.
    pub fn is_final(&self) -> bool {
        self.outcome.as_ref().err().is_none_or(|fault| {
            // The code of another specification is not stored; handlers give none.
            fault.status < 500 && !matches!(fault.status, 401 | 403 | 429) && fault.standard.is_none()
        })
    }

    /// The answer as it is stored.
    ///
    /// # Errors
    /// Returns an error if an attachment cannot be read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|e| e.to_string())
    }

    /// Reads a stored answer.
    ///
    /// # Errors
    /// Returns an error if it is not one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|e| e.to_string())
    }
}

/// An answer, and whether it was stored before.
#[derive(Clone, Debug)]
pub struct Performed {
    pub answer: Answer,
    pub is_replayed: bool,
}

/// Why a request was not executed.
#[derive(Clone, Debug)]
pub enum Rejection {
    /// A request with the same key is in progress.
    InProgress,
    /// The key belongs to a request with another content.
    Reused,
    Failed(Box<Fault>),
}

/// Executes requests once.
pub trait Idempotency: Send + Sync {
    /// Whether messages of an operation are executed once: those that change something.
    fn covers(&self, service: &str, operation: &OperationInfo) -> bool;

    /// Executes `work` and stores its answer in one transaction, or returns the answer that is stored. The work continues when
    /// the future is dropped.
    fn perform(
        &self,
        request: KeyedRequest,
        work: BoxFuture<'static, Answer>,
    ) -> BoxFuture<'static, Result<Performed, Rejection>>;
}

/// An implementation, or none: keys have no effect then.
#[derive(Clone, Default)]
pub struct Idempotent(pub Option<Arc<dyn Idempotency>>);

impl fmt::Debug for Idempotent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Idempotent" } else { "NotIdempotent" })
    }
}

impl Idempotent {
    /// Runs an operation: once, if the request has a key. Headers and attachments of the reply are left in the context.
    ///
    /// # Errors
    /// Returns the fault of the operation, or one of `rejected`.
    pub(crate) async fn run(
        &self,
        keyed: Option<KeyedRequest>,
        outcome: Outcome,
        context: &Context,
        rejected: fn(Rejection) -> Fault,
    ) -> (Result<Reply, Fault>, bool) {
        let (Some(idempotency), Some(request)) = (&self.0, keyed) else { return (outcome.await, false) };
        let work = Answer::of(outcome, context.clone()).boxed();
        match idempotency.perform(request, work).await {
            Ok(Performed { answer, is_replayed }) => {
                context.add_to_reply(answer.beside);
                (answer.outcome, is_replayed)
            }
            Err(rejection) => (Err(rejected(rejection)), false),
        }
    }
}

/// A hash of the parts of a request, each with its length, so that no two requests run together.
#[derive(Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    pub fn add(&mut self, part: &[u8]) {
        self.0.update(&(part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    /// Adds JSON, without a copy of it.
    pub fn add_json(&mut self, value: &serde_json::Value) {
        // A hash takes all that is written to it.
        let _ = serde_json::to_writer(&mut *self, value);
        self.0.update(&[0]);
    }

    /// Adds a text that may refer to attachments, and the attachments.
    ///
    /// # Errors
    /// Returns an error if the file of an attachment cannot be read.
    pub fn add_with_attachments(&mut self, text: &str, attachments: &Attachments) -> io::Result<()> {
        let digest = |attachment: &Attachment| -> io::Result<Attachment> {
            let mut hash = Sha256::new();
            let mut reader = attachment.content.open()?;
            let mut buffer = vec![0; 64 << 10];
            loop {
                match reader.read(&mut buffer)? {
                    0 => break,
                    length => hash.update(buffer.get(..length).unwrap_or_default()),
                }
            }
            Ok(Attachment { content: hash.finish().to_vec().into(), ..attachment.clone() })
        };
        // Content IDs are different each time a message is sent.
        let digests: Attachments = attachments.iter().map(digest).collect::<io::Result<Vec<_>>>()?.into();
        self.add(xop::filled_in(text, &digests, u64::MAX).as_bytes());
        for part in digests.iter().filter(|attachment| !attachment.part.is_empty()) {
            self.add(part.part.as_bytes());
            self.add(&part.content.bytes()?);
        }
        Ok(())
    }

    /// The hash, hexadecimal.
    pub fn finish(self) -> String {
        self.0.finish().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Write for Fingerprint {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.update(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment::{Content, XOP};
    use crate::problem::{ReadError, ReadErrorKind};
    use crate::soap::{HeaderBlock, HeaderContent, Headers};

    fn request(channel: Channel, operation: &'static str, caller: &str, key: &str) -> KeyedRequest {
        KeyedRequest {
            channel,
            caller: caller.to_owned(),
            service: "S",
            operation,
            key: key.to_owned(),
            batch: None,
            fingerprint: String::new(),
            request_id: String::new(),
        }
    }

    #[test]
    fn a_key_belongs_to_a_caller_and_over_rest_to_an_operation() {
        let name = |channel, operation, caller, key| request(channel, operation, caller, key).name();
        let first = name(Channel::Rest, "A", "anna", "k");
        assert_eq!(first, name(Channel::Rest, "A", "anna", "k"));
        for other in [
            name(Channel::Rest, "B", "anna", "k"),
            name(Channel::Rest, "A", "ann", "ak"),
            name(Channel::Rest, "A", "anna", "l"),
            name(Channel::Soap, "A", "anna", "k"),
            KeyedRequest { batch: Some(0), ..request(Channel::Rest, "A", "anna", "k") }.name(),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(name(Channel::Soap, "A", "anna", "k"), name(Channel::Soap, "B", "anna", "k"));
    }

    #[test]
    fn an_answer_is_stored_complete() {
        let attachment = Attachment { id: "1@x".to_owned(), ..Attachment::new("p", "text/plain", vec![0, 255, 7]) };
        let block = |content| HeaderBlock::of("urn:h", "h", content);
        let headers = Headers(vec![
            block(HeaderContent::Xml { text: "<h/>".to_owned(), origin: (1, 2) }),
            block(HeaderContent::Json(serde_json::json!({"a": [1.50, null]}))),
        ]);
        let beside = Beside { headers, attachments: vec![attachment.clone()] };
        let mut reply = Reply::from("<r>ä</r>".to_owned());
        reply.attachments.push(attachment);
        let problem = ReadError { line: 3, ..*ReadError::new(ReadErrorKind::Facet, "no") };
        let fault = Fault { problems: vec![problem], ..Fault::sender("a.b", 409, "c") };
        let fault = fault.raw_detail("<d/>".to_owned(), None);
        for outcome in [Ok(reply), Ok(Reply::none()), Err(fault)] {
            let answer = Answer { outcome, beside: beside.clone() };
            let read = Answer::from_bytes(&answer.to_bytes().unwrap()).unwrap();
            assert_eq!((read.outcome, read.beside.headers), (answer.outcome, beside.headers.clone()));
            assert_eq!(read.beside.attachments, beside.attachments);
        }
    }

    #[test]
    fn what_the_server_failed_at_or_denied_is_not_final() {
        let is_final =
            |status| Answer { outcome: Err(Fault::sender("a", status, "b")), beside: Beside::default() }.is_final();
        assert_eq!([404, 409, 422].map(is_final), [true; 3]);
        assert_eq!([401, 403, 429, 500, 503].map(is_final), [false; 5]);
        assert!(Answer { outcome: Ok(Reply::none()), beside: Beside::default() }.is_final());
    }

    #[test]
    fn content_ids_do_not_count_and_contents_do() {
        let hash = |id: &str, content: &[u8]| {
            let text = format!("<a><i:Include xmlns:i='{XOP}' href='cid:{id}'/></a>");
            let attachment =
                Attachment { id: id.to_owned(), content: Content::from(content.to_vec()), ..Attachment::default() };
            let mut hash = Fingerprint::default();
            hash.add_with_attachments(&text, &vec![attachment].into()).unwrap();
            hash.finish()
        };
        assert_eq!(hash("1@a", b"x"), hash("2@b", b"x"));
        assert_ne!(hash("1@a", b"x"), hash("1@a", b"y"));
    }
}
