//! Receives a multipart message: the envelope into memory, attachments to where they fit.

use super::multipart::{MultipartError, PartHeaders, Parts, Splitter};
use super::{Attachment, Attachments, Content, ContentWriter, MediaType};
use crate::soap::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, Write};
use std::path::PathBuf;

/// Where attachments are kept, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spool {
    /// Attachments beyond that many bytes go to files.
    pub in_memory: usize,
    /// The folder of those files.
    pub folder: PathBuf,
    /// How many parts a message may have.
    pub parts: usize,
    /// How many bytes all attachments together may have.
    pub total: u64,
    /// How many bytes the envelope may have.
    pub envelope: usize,
}

impl Default for Spool {
    fn default() -> Self {
        Self {
            in_memory: 256 << 10,
            folder: std::env::temp_dir(),
            parts: 100,
            total: 4 << 30,
            envelope: crate::soap::Limits::default().body,
        }
    }
}

/// A multipart message that has arrived.
pub struct Received {
    pub envelope: Vec<u8>,
    /// The content type of the envelope's part.
    pub media: MediaType,
    pub attachments: Attachments,
}

/// A multipart message on its way.
pub struct Receiver {
    splitter: Splitter,
    collector: Collector,
}

impl Receiver {
    /// For a body of that content type.
    ///
    /// # Errors
    /// If it names no boundary.
    pub fn new(media: &MediaType, spool: Spool) -> Result<Self, Fault> {
        let boundary = media.parameter("boundary").filter(|b| !b.is_empty() && b.len() <= 200);
        let boundary = boundary.ok_or_else(|| {
            let message = "The content type multipart/related must name its boundary: boundary=\"…\"";
            Fault::sender("soap.multipart", 400, message)
        })?;
        let collector = Collector {
            start: media.parameter("start").map(|id| bare_id(id).to_owned()),
            spool,
            part: None,
            envelope: None,
            attachments: Vec::new(),
            total: 0,
        };
        Ok(Self { splitter: Splitter::new(boundary), collector })
    }

    /// Takes what has arrived.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.splitter.push(bytes, &mut self.collector)
    }

    /// Bytes that are in memory so far.
    pub fn in_memory(&self) -> usize {
        let Collector { part, envelope, attachments, .. } = &self.collector;
        let of_part = part.as_ref().map_or(0, |part| {
            let undecoded = if let Encoding::QuotedPrintable(all) = &part.encoding { all.len() } else { 0 };
            let decoded = match &part.goes {
                Goes::Envelope(bytes) => bytes.len(),
                Goes::Attachment(_) => self.collector.spool.in_memory,
            };
            undecoded + decoded
        });
        let of_envelope = envelope.as_ref().map_or(0, |(bytes, _)| bytes.len());
        let stored = attachments.iter().map(|one| one.content.len().min(self.collector.spool.in_memory as u64));
        of_part + of_envelope + usize::try_from(stored.sum::<u64>()).unwrap_or(usize::MAX / 2)
    }

    /// The whole message.
    ///
    /// # Errors
    /// If it is not whole.
    pub fn finish(self) -> Result<Received, Fault> {
        self.splitter.finish().map_err(Fault::from)?;
        let (envelope, media) = self.collector.envelope.ok_or_else(|| {
            let message = match self.collector.start {
                Some(start) => format!("No part has the content ID <{start}> that the content type says is the start"),
                None => "The message has no part".to_owned(),
            };
            Fault::sender("soap.multipart", 400, message)
        })?;
        Ok(Received { envelope, media, attachments: self.collector.attachments.into() })
    }
}

impl From<MultipartError> for Fault {
    fn from(error: MultipartError) -> Self {
        Self::sender("soap.multipart", 400, format!("The multipart message cannot be read: {error}"))
    }
}

/// A content ID without its angle brackets.
fn bare_id(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

struct Collector {
    /// The content ID of the envelope's part; none: it is the first.
    start: Option<String>,
    spool: Spool,
    part: Option<Part>,
    envelope: Option<(Vec<u8>, MediaType)>,
    attachments: Vec<Attachment>,
    total: u64,
}

struct Part {
    id: String,
    media_type: String,
    encoding: Encoding,
    goes: Goes,
}

enum Goes {
    Envelope(Vec<u8>),
    Attachment(ContentWriter),
}

/// How a part is encoded for its way (RFC 2045, section 6).
enum Encoding {
    Identity,
    Base64 {
        /// The characters that are no whole group yet.
        rest: Vec<u8>,
        /// Whether the group that is filled up was there, which is the last.
        ended: bool,
    },
    /// All that has come of it: it is small text.
    QuotedPrintable(Vec<u8>),
}

impl Collector {
    fn too_large(what: &str, limit: u64) -> Fault {
        Fault::sender("http.too_large", 413, format!("{what} larger than {limit} bytes"))
    }

    fn store(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let Some(part) = &mut self.part else { return Ok(()) };
        match &mut part.goes {
            Goes::Envelope(bytes) => {
                if bytes.len() + piece.len() > self.spool.envelope {
                    return Err(Self::too_large("The envelope is", self.spool.envelope as u64));
                }
                bytes.extend_from_slice(piece);
            }
            Goes::Attachment(writer) => {
                self.total += piece.len() as u64;
                if self.total > self.spool.total {
                    return Err(Self::too_large("The attachments together are", self.spool.total));
                }
                writer.write_all(piece).map_err(|e| cannot_store(&e))?;
            }
        }
        Ok(())
    }
}

fn cannot_store(error: &io::Error) -> Fault {
    Fault::not_stored("the attachment", error)
}

fn undecodable(what: &str) -> Fault {
    Fault::sender("soap.multipart", 400, format!("A part says that it is encoded as {what}, but is not"))
}

impl Parts for Collector {
    type Error = Fault;

    fn begin(&mut self, headers: PartHeaders) -> Result<(), Fault> {
        if self.attachments.len() + usize::from(self.envelope.is_some()) >= self.spool.parts {
            let message = format!("The message has more than {} parts", self.spool.parts);
            return Err(Fault::sender("http.too_large", 413, message));
        }
        let header = |name: &str| headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
        let id = bare_id(header("content-id")).to_owned();
        let encoding = match header("content-transfer-encoding").to_ascii_lowercase().as_str() {
            "base64" => Encoding::Base64 { rest: Vec::new(), ended: false },
            "quoted-printable" => Encoding::QuotedPrintable(Vec::new()),
            _ => Encoding::Identity,
        };
        let is_envelope = self.envelope.is_none()
            && self.start.as_ref().map_or(self.attachments.is_empty(), |start| !id.is_empty() && *start == id);
        let goes = if is_envelope {
            Goes::Envelope(Vec::new())
        } else {
            Goes::Attachment(ContentWriter::new(self.spool.in_memory, &self.spool.folder))
        };
        self.part = Some(Part { id, media_type: header("content-type").to_owned(), encoding, goes });
        Ok(())
    }

    fn data(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let Some(part) = &mut self.part else { return Ok(()) };
        let decoded = match &mut part.encoding {
            Encoding::Identity => return self.store(piece),
            Encoding::Base64 { rest, ended } => {
                rest.extend(piece.iter().filter(|b| !b.is_ascii_whitespace()));
                if *ended && !rest.is_empty() {
                    return Err(undecodable("base64"));
                }
                let whole = rest.len() - rest.len() % 4;
                *ended = rest[..whole].ends_with(b"=");
                let decoded = STANDARD.decode(&rest[..whole]).map_err(|_| undecodable("base64"))?;
                rest.drain(..whole);
                decoded
            }
            Encoding::QuotedPrintable(all) => {
                if all.len() + piece.len() > self.spool.envelope {
                    return Err(Self::too_large("A part in quoted-printable is", self.spool.envelope as u64));
                }
                all.extend_from_slice(piece);
                return Ok(());
            }
        };
        self.store(&decoded)
    }

    fn end(&mut self) -> Result<(), Fault> {
        let rest = match self.part.as_mut().map(|part| &mut part.encoding) {
            Some(Encoding::Base64 { rest, .. }) if !rest.is_empty() => return Err(undecodable("base64")),
            Some(Encoding::QuotedPrintable(all)) => {
                quoted_printable::decode(std::mem::take(all), quoted_printable::ParseMode::Robust)
                    .map_err(|_| undecodable("quoted-printable"))?
            }
            _ => Vec::new(),
        };
        self.store(&rest)?;
        let Some(part) = self.part.take() else { return Ok(()) };
        match part.goes {
            Goes::Envelope(bytes) => self.envelope = Some((bytes, MediaType::parse(&part.media_type))),
            Goes::Attachment(writer) => {
                let content: Content = writer.finish().map_err(|e| cannot_store(&e))?;
                self.attachments.push(Attachment {
                    id: part.id,
                    part: String::new(),
                    media_type: part.media_type,
                    content,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(content_type: &str, body: &str, spool: Spool) -> Result<Received, Fault> {
        let mut receiver = Receiver::new(&MediaType::parse(content_type), spool)?;
        for piece in body.as_bytes().chunks(7) {
            receiver.push(piece)?;
        }
        receiver.finish()
    }

    const BODY: &str = "--b\r\nContent-ID: <first>\r\nContent-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n\
        --b\r\nContent-ID: <root>\r\nContent-Type: text/xml; charset=UTF-16\r\n\r\n<e/>\r\n\
        --b\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\na=3Db=\r\nc\r\n--b--\r\n";

    #[test]
    fn the_envelope_is_the_part_that_starts_and_the_others_are_decoded() {
        let received = receive("multipart/related; boundary=b; start=\"<root>\"", BODY, Spool::default()).unwrap();
        assert_eq!(received.envelope, b"<e/>");
        assert_eq!(received.media.parameter("charset"), Some("UTF-16"));
        let contents: Vec<_> = received.attachments.iter().map(|a| a.content.bytes().unwrap()).collect();
        assert_eq!(contents, ["hello", "a=bc"]);
        assert_eq!(receive("multipart/related; boundary=b", BODY, Spool::default()).unwrap().envelope, b"hello");
    }

    #[test]
    fn what_is_wrong_or_too_much_is_told() {
        let code = |content_type: &str, body: &str, spool: Spool| {
            receive(content_type, body, spool).map(drop).unwrap_err().subcode.into_owned()
        };
        let related = "multipart/related; boundary=b";
        assert_eq!(code("multipart/related", BODY, Spool::default()), "soap.multipart");
        assert_eq!(code("multipart/related; boundary=b; start=x", BODY, Spool::default()), "soap.multipart");
        assert_eq!(code(related, &BODY[..BODY.len() - 5], Spool::default()), "soap.multipart");
        assert_eq!(code(related, &BODY.replace("bG8=", "bG8"), Spool::default()), "soap.multipart");
        assert_eq!(code(related, BODY, Spool { parts: 2, ..Spool::default() }), "http.too_large");
        assert_eq!(code(related, BODY, Spool { total: 7, ..Spool::default() }), "http.too_large");
        assert_eq!(code(related, BODY, Spool { envelope: 4, ..Spool::default() }), "http.too_large");
    }
}
