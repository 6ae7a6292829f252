//! Requests too large for memory: an operation on many records is done batch by batch while the records arrive.
//!
//! Each batch is handled as a request of its own. What the handler answers is gathered, in a file if it is much, and
//! is one answer in the end. A record that does not fit the contract ends the request; the fault says how many records
//! were done before.

use super::Endpoint;
use super::dispatch::Begun;
use super::reply::Replier;
use crate::attachment::{Attachments, Content, ContentWriter};
use crate::http::keyed;
use crate::idempotency::KeyedRequest;
use crate::message::{Payload as Message, Reply};
use crate::observe::Working;
use crate::problem::Read;
use crate::records::Records;
use crate::service::{Context, OperationInfo};
use crate::soap::security::is_secured;
use crate::soap::{Addressing, Envelope, Fault, Route, Version};
use crate::xml::{Scope, declared_encoding};
use actix_web::HttpResponse;
use actix_web::web::{self, Bytes};
use futures_util::{Stream, StreamExt};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::borrow::Cow;
use std::io::{self, BufRead, Write};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// When a request is streamed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streaming {
    /// The operations that may be done in batches: not in one transaction.
    pub operations: Vec<String>,
    /// Requests beyond that many bytes are streamed.
    pub from: usize,
    /// How many bytes such a request may have.
    pub limit: u64,
    /// How many records make a batch.
    pub batch: usize,
}

impl Default for Streaming {
    fn default() -> Self {
        Self { operations: Vec::new(), from: 1 << 20, limit: 4 << 30, batch: 500 }
    }
}

/// A batch ends at that many bytes, however few records it has.
const BATCH_BYTES: usize = 1 << 20;

/// The pieces of a request that wait to be read, and the batches that wait to be handled.
const PIECES: usize = 16;
const BATCHES: usize = 2;

/// Everything before the first record.
pub(super) struct Head {
    /// The envelope, as if the operation's element were empty.
    pub envelope: String,
    /// The operation's start tag, with all namespaces.
    start: String,
    /// And its end tag.
    end: String,
}

impl Head {
    /// Looks for the operation's element in the first bytes of a message; None: it is not there, or not in UTF-8.
    pub fn find(bytes: &[u8], charset: Option<&str>) -> Option<Self> {
        let encoding = charset.map_or_else(|| declared_encoding(bytes), |charset| Some(charset.to_owned()));
        if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
            return None;
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
        };
        let mut reader = Reader::from_str(text);
        let mut scope = Scope::default();
        let mut outer: Vec<String> = Vec::new();
        loop {
            let before = usize::try_from(reader.buffer_position()).ok()?;
            let Event::Start(start) = reader.read_event().ok()? else {
                if reader.buffer_position() >= text.len() as u64 {
                    return None;
                }
                continue;
            };
            if outer.len() == 1 && start.local_name().into_inner() == "Header" {
                reader.read_to_end(start.to_end().name()).ok()?;
                continue;
            }
            scope.push(u32::try_from(outer.len()).ok()? + 1, &start);
            outer.push(start.name().0.to_owned());
            if outer.len() == 3 {
                let after = usize::try_from(reader.buffer_position()).ok()?;
                let mut envelope = text[..after].to_owned();
                outer.iter().rev().for_each(|name| envelope.push_str(&format!("</{name}>")));
                let end = format!("</{}>", outer[2]);
                return Some(Self { envelope, start: scope.standalone(&text[before..after], &start), end });
            }
        }
    }
}

/// Records that are handled together: the operation's element with them in it.
struct Batch {
    text: String,
    /// The line that it begins in.
    line: u32,
    records: u64,
}

/// Bytes as they arrive.
struct Arriving {
    receiver: Receiver<Bytes>,
    piece: Bytes,
}

impl io::Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Arriving {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => break,
            }
        }
        Ok(&self.piece)
    }

    fn consume(&mut self, length: usize) {
        // Bytes cannot be advanced beyond their end.
        self.piece = self.piece.slice(length.min(self.piece.len())..);
    }
}

/// Cuts what arrives into batches; ends when nobody takes them any more. `whole`: a batch that something wrong ends is left out, so
/// that the batches of a message that was cut off are those of the message when it is sent again.
fn cut(
    receiver: Receiver<Bytes>,
    (start, end): (&str, &str),
    (size, whole): (usize, bool),
    batches: &Sender<Read<Batch>>,
) {
    let mut records = Records::in_body(Arriving { receiver, piece: Bytes::new() });
    loop {
        let mut batch = Batch { text: start.to_owned(), line: 0, records: 0 };
        let mut line = 0;
        let outcome = loop {
            let next = records.next_record().and_then(|record| match record {
                // It must not close what is around it.
                Some(record) => record.well_formed().map(|()| Some(record)),
                None => Ok(None),
            });
            match next {
                Ok(Some(record)) => {
                    if batch.records == 0 {
                        (batch.line, line) = (record.line, record.line);
                    }
                    // Problems are told by the lines of the request.
                    while line < record.line {
                        batch.text.push('\n');
                        line += 1;
                    }
                    line += u32::try_from(record.text.bytes().filter(|b| *b == b'\n').count()).unwrap_or(0);
                    batch.text.push_str(&record.text);
                    batch.records += 1;
                    if batch.records >= size as u64 || batch.text.len() > BATCH_BYTES {
                        break Ok(true);
                    }
                }
                Ok(None) => break records.tail().map(|()| false),
                Err(error) => break Err(error),
            }
        };
        batch.text.push_str(end);
        let go_on = matches!(outcome, Ok(true));
        // What came before something that is wrong is done first.
        let is_done = batch.records > 0 && (outcome.is_ok() || !whole);
        if is_done && batches.blocking_send(Ok(batch)).is_err() {
            return;
        }
        if let Err(error) = outcome {
            // Nobody may be there to hear it.
            let _ = batches.blocking_send(Err(error));
            return;
        }
        if !go_on {
            return;
        }
    }
}

impl Endpoint {
    /// Whether a request that begins like this is streamed.
    pub(super) fn streams(&self, operation: &OperationInfo) -> bool {
        operation.batched && self.options.streaming.operations.iter().any(|name| name == operation.name)
    }

    /// Whether any request may be.
    pub(super) fn may_stream(&self) -> bool {
        !self.options.streaming.operations.is_empty()
    }

    /// Answers a request whose records come after `begun`.
    pub(super) async fn stream(
        &self,
        begun: Vec<Bytes>,
        pieces: impl Stream<Item = Result<Bytes, Fault>> + Unpin,
        head: Begun,
        context: Context,
        mut replier: Replier,
        working: &mut Working,
    ) -> HttpResponse {
        if let Some(first) = begun.first() {
            working.said(first);
        }
        let (bytes, receiver) = channel(PIECES);
        let (sender, batches) = channel(BATCHES);
        let (start, end, size) = (head.head.start, head.head.end, self.options.streaming.batch);
        let context = context.beside(head.headers, Attachments::default());
        // It ends by itself when one of its channels is closed.
        let whole = self.is_keyed(head.operation, head.addressing.as_ref());
        drop(web::block(move || cut(receiver, (&start, &end), (size, whole), &sender)));
        let feed = feed(begun, pieces, bytes, self.options.streaming.limit);
        let work = self.work(batches, head.operation, &context, head.addressing.as_ref());
        let (fed, worked) = futures_util::future::join(feed, work).await;
        let (Ok(total) | Err((total, _))) = &fed;
        working.received(*total);
        replier.addressing = head.addressing;
        replier.beside = context.take_reply();
        match (fed, worked) {
            // What cut the request off is what its caller must hear of.
            (Err((_, fault)), Ok((_, _, done)) | Err((_, done))) => replier.refuse(&after(fault, done), working),
            (Ok(_), Err((fault, done))) => replier.refuse(&after(fault, done), working),
            (Ok(_), Ok((start, content, _))) => replier.answer_in_pieces(&start, content),
        }
    }

    /// Handles the batches: gives the answer's start tag, its content, and how many records were done.
    async fn work(
        &self,
        mut batches: Receiver<Read<Batch>>,
        index: usize,
        context: &Context,
        addressing: Option<&Addressing>,
    ) -> Result<(String, Content, u64), (Fault, u64)> {
        let spool = &self.options.spool;
        let mut writer = ContentWriter::new(spool.in_memory, &spool.folder);
        let (mut start, mut done, mut number) = (String::new(), 0, 0);
        while let Some(batch) = batches.recv().await {
            let batch = batch.map_err(|error| (Fault::invalid(vec![*error]), done))?;
            let records = batch.records;
            let reply = self.batch(batch, number, index, context, addressing).await.map_err(|fault| (fault, done))?;
            number += 1;
            let (own_start, content) = taken_apart(&reply.text);
            start = own_start;
            done += records;
            writer.write_all(content.as_bytes()).map_err(|e| (cannot_store(&e), done))?;
        }
        if done == 0 {
            let batch = Batch { text: String::new(), line: 1, records: 0 };
            let reply = self.batch(batch, 0, index, context, addressing).await.map_err(|fault| (fault, 0))?;
            start = taken_apart(&reply.text).0;
        }
        let content = writer.finish().map_err(|e| (cannot_store(&e), done))?;
        Ok((start, content, done))
    }

    /// Handles the batch of that number. With a `wsa:MessageID` each batch is executed once: a message that is sent again gets the
    /// stored answers of the batches that were done, and resumes behind them.
    async fn batch(
        &self,
        batch: Batch,
        number: u64,
        index: usize,
        context: &Context,
        addressing: Option<&Addressing>,
    ) -> Result<Reply, Fault> {
        let keyed = self.keyed(index, context, addressing, |fingerprint| {
            fingerprint.add(batch.text.as_bytes());
            Ok(())
        });
        let keyed = keyed.map_err(|fault| *fault)?.map(|keyed| KeyedRequest { batch: Some(number), ..keyed });
        let endpoint = self.clone();
        let own = context.clone();
        let started = web::block(move || endpoint.start_batch(&batch, index, own)).await.map_err(|_| super::busy())?;
        let outcome = self.clone().checked_outcome(index, Version::Soap11, started?);
        self.options.idempotent.run(keyed, outcome, context, keyed::message_fault).await.0
    }

    fn start_batch(&self, batch: &Batch, index: usize, context: Context) -> Result<crate::service::Outcome, Fault> {
        let operation = &self.service.info().operations[index];
        let empty;
        let text = if batch.text.is_empty() {
            let declaration = format!("xmlns:o=\"{}\"", operation.input.namespace);
            empty = format!("<o:{} {declaration}/>", operation.input.local);
            &empty
        } else {
            &batch.text
        };
        let call = || {
            let payload = Message::Xml {
                text: Cow::Borrowed(text.as_str()),
                scope: Scope::default(),
                origin: (batch.line, 1),
                attachments: Attachments::default(),
                optimized: false,
                typed: self.options.output.typed,
            };
            self.service.clone().call(context.clone(), index, payload)
        };
        let validated = !self.options.skip_validation && !operation.encoded;
        self.begun(validated.then_some((text.as_str(), 0)), batch.line, call).map_err(|fault| *fault)
    }

    /// Reads the head of a request that may be streamed; None: it is read as others are.
    pub(super) fn read_head(&self, head: Head, incoming_action: Option<&str>) -> Option<Begun> {
        let envelope = Envelope::parse(&head.envelope, &self.options.limits).ok()?;
        let addressing = Addressing::of(&envelope).ok()?;
        let operation = self.operation_of(&envelope, incoming_action, addressing.as_ref()).ok()?;
        let info = &self.service.info().operations[operation];
        let goes_back =
            addressing.as_ref().is_none_or(|a| a.route(false) == Route::Back && a.route(true) == Route::Back);
        // What is signed has to be there as a whole before it is worked with.
        let is_whole = self.options.authentication.0.is_some() && is_secured(&head.envelope);
        if !self.streams(info) || !goes_back || is_whole {
            return None;
        }
        let (version, headers) = (envelope.version, envelope.headers);
        Some(Begun { version, operation, addressing, headers, head })
    }
}

/// Passes on what arrives; gives how much it was.
async fn feed(
    begun: Vec<Bytes>,
    mut pieces: impl Stream<Item = Result<Bytes, Fault>> + Unpin,
    bytes: Sender<Bytes>,
    limit: u64,
) -> Result<u64, (u64, Fault)> {
    let mut total = 0;
    let mut wanted = true;
    for piece in begun {
        total += piece.len() as u64;
        wanted = wanted && bytes.send(piece).await.is_ok();
    }
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|fault| (total, fault))?;
        total += piece.len() as u64;
        if total > limit {
            let message = format!("The body is larger than {limit} bytes");
            return Err((total, Fault::sender("http.too_large", 413, message)));
        }
        // What nobody reads any more is taken all the same: most callers hear nothing while they still speak.
        wanted = wanted && bytes.send(piece).await.is_ok();
    }
    Ok(total)
}

/// A fault, with how far it came.
fn after(mut fault: Fault, done: u64) -> Fault {
    if done > 0 {
        fault.message.push_str(&format!(" (the {done} records before are done)"));
    }
    fault
}

fn cannot_store(error: &io::Error) -> Fault {
    Fault::not_stored("the answer", error)
}

/// The start tag of an element, and what is in it.
fn taken_apart(text: &str) -> (String, &str) {
    let mut reader = Reader::from_str(text);
    match reader.read_event() {
        Ok(Event::Start(start)) => {
            let begin = usize::try_from(reader.buffer_position()).unwrap_or(0);
            let end = text.rfind("</").unwrap_or(begin);
            (format!("<{}>", &*start), text.get(begin..end).unwrap_or_default())
        }
        Ok(Event::Empty(start)) => (format!("<{}>", &*start), ""),
        _ => (String::new(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_all_before_the_first_record() {
        let text = "\u{feff}<s:Envelope xmlns:s='urn:s'><s:Header><a/></s:Header><s:Body><o xmlns='urn:o' b='>'><r/><r";
        let head = Head::find(text.as_bytes(), None).unwrap();
        assert!(head.envelope.ends_with("<o xmlns='urn:o' b='>'></o></s:Body></s:Envelope>"), "{}", head.envelope);
        assert_eq!((head.start.as_str(), head.end.as_str()), ("<o xmlns='urn:o' b='>'>", "</o>"));
        assert!(Head::find(b"<s:Envelope xmlns:s='urn:s'><s:Body><o", None).is_none());
        assert!(Head::find(text.as_bytes(), Some("iso-8859-1")).is_none());
    }

    #[test]
    fn an_answer_is_taken_apart() {
        assert_eq!(taken_apart("<a b='>'><c>1</c></a>"), ("<a b='>'>".to_owned(), "<c>1</c>"));
        assert_eq!(taken_apart("<a/>"), ("<a>".to_owned(), ""));
    }
}
