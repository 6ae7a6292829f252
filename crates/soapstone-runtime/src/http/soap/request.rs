//! A request as it arrives: what its HTTP headers say, its envelope, its attachments.

use super::EndpointOptions;
use crate::attachment::{Attachments, MediaType, Receiver, Spool};
use crate::http::body;
use crate::soap::Fault;
use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};

/// Messages beyond this size are read on a thread of their own, so that they hold up nobody else.
const LARGE: usize = 256 << 10;

/// What the HTTP headers say of a message.
pub(super) struct Announced {
    pub media: MediaType,
    /// A header in SOAP 1.1, a parameter of the content type in 1.2; quoted or not.
    pub action: Option<String>,
}

impl Announced {
    pub fn by(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let media = MediaType::parse(text("content-type").unwrap_or(""));
        let header = text("soapaction").map(|value| value.trim().trim_matches('"').to_owned());
        let action = header.or_else(|| media.parameter("action").map(str::to_owned));
        Self { media, action }
    }

    /// Whether the message has no attachments.
    pub fn is_plain(&self) -> bool {
        PLAIN.contains(&self.media.essence.as_str())
    }
}

/// A message that has arrived.
pub(super) struct Incoming {
    pub envelope: Bytes,
    pub charset: Option<String>,
    pub action: Option<String>,
    pub attachments: Attachments,
    /// Whether it came by MTOM.
    pub optimized: bool,
}

impl Incoming {
    /// Receives the whole of a message.
    ///
    /// # Errors
    /// The fault to answer with: not a message, cut off, or too large.
    pub async fn collect(
        request: &HttpRequest,
        announced: Announced,
        begun: Vec<Bytes>,
        mut pieces: impl Stream<Item = Result<Bytes, Fault>> + Unpin,
        options: &EndpointOptions,
    ) -> Result<Self, Fault> {
        let Announced { media, action } = announced;
        match media.essence.as_str() {
            essence if PLAIN.contains(&essence) => {
                let envelope = body::gather(request, begun, pieces, options.limits.body).await?;
                body::reserve_parsed(request, &envelope).await?;
                let charset = media.parameter("charset").map(str::to_owned);
                Ok(Self { envelope, charset, action, attachments: Attachments::default(), optimized: false })
            }
            "multipart/related" => {
                let spool = Spool { envelope: options.limits.body, ..options.spool.clone() };
                let mut receiver = Receiver::new(&media, spool)?;
                while let Some(piece) = pieces.next().await {
                    receiver.push(&piece?)?;
                    body::reserve(request, receiver.in_memory() as u64).await?;
                }
                let received = receiver.finish()?;
                body::reserve_parsed(request, &received.envelope).await?;
                let inner = received.media.parameter("action").map(str::to_owned);
                Ok(Self {
                    envelope: received.envelope.into(),
                    charset: received.media.parameter("charset").map(str::to_owned),
                    action: action.or(inner),
                    attachments: received.attachments,
                    optimized: is_xop(&media) || received.media.essence == "application/xop+xml",
                })
            }
            other => {
                let message = format!(
                    "The content type is {other}; SOAP is text/xml (1.1), application/soap+xml (1.2), or \
                     multipart/related with one of them"
                );
                Err(Fault::sender("http.media_type", 415, message))
            }
        }
    }

    /// Whether WS-Security may be in it, whose passwords take long to compare.
    pub fn has_security(&self) -> bool {
        memchr::memmem::find(&self.envelope, b"wssecurity-secext").is_some()
    }

    /// Whether reading its attachments means reading files.
    pub fn has_stored_attachments(&self) -> bool {
        self.attachments.iter().any(|attachment| attachment.content.is_stored())
    }

    pub fn is_large(&self) -> bool {
        self.envelope.len() > LARGE
    }
}

/// Media types of a message without attachments.
const PLAIN: [&str; 4] = ["", "text/xml", "application/soap+xml", "application/xml"];

/// Takes in more than `enough` bytes of a message, or all of it.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn begin(
    pieces: &mut (impl Stream<Item = Result<Bytes, Fault>> + Unpin),
    begun: &mut Vec<Bytes>,
    enough: usize,
) -> Result<(), Fault> {
    let mut length = 0;
    while length <= enough
        && let Some(piece) = pieces.next().await
    {
        let piece = piece?;
        length += piece.len();
        begun.push(piece);
    }
    Ok(())
}

/// What has come, if it is more than `enough` bytes.
pub(super) fn beginning(begun: &[Bytes], enough: usize) -> Option<Vec<u8>> {
    let length: usize = begun.iter().map(Bytes::len).sum();
    (length > enough).then(|| begun.concat())
}

fn is_xop(media: &MediaType) -> bool {
    media.parameter("type").is_some_and(|inner| inner.eq_ignore_ascii_case("application/xop+xml"))
}
