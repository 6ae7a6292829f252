//! A request as it arrives: what its HTTP headers say, its envelope, its attachments.

use super::EndpointOptions;
use crate::attachment::{Attachments, MediaType, Receiver, Spool};
use crate::http::body;
use crate::soap::{Fault, Version};
use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};

/// Messages beyond this size are read on a thread of their own, so that they hold up nobody else.
const LARGE: usize = 256 << 10;

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
        begun: Vec<Bytes>,
        mut pieces: impl Stream<Item = Result<Bytes, Fault>> + Unpin,
        options: &EndpointOptions,
    ) -> Result<Self, Fault> {
        let media = media_of(request.headers());
        let action = action_of(request.headers(), &media);
        match media.essence.as_str() {
            essence if PLAIN.contains(&essence) => {
                let envelope = body::gather(begun, pieces, options.limits.body).await?;
                let charset = media.parameter("charset").map(str::to_owned);
                Ok(Self { envelope, charset, action, attachments: Attachments::default(), optimized: false })
            }
            "multipart/related" => {
                let spool = Spool { envelope: options.limits.body, ..options.spool.clone() };
                let mut receiver = Receiver::new(&media, spool)?;
                while let Some(piece) = pieces.next().await {
                    receiver.push(&piece?)?;
                }
                let received = receiver.finish()?;
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

    pub fn is_large(&self) -> bool {
        self.envelope.len() > LARGE
    }
}

/// Media types of a message without attachments.
const PLAIN: [&str; 4] = ["", "text/xml", "application/soap+xml", "application/xml"];

/// Whether the message has no attachments.
pub(super) fn is_plain(headers: &HeaderMap) -> bool {
    PLAIN.contains(&media_of(headers).essence.as_str())
}

/// What the headers say of the message: its charset and its action.
pub(super) fn described(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let media = media_of(headers);
    let action = action_of(headers, &media);
    (media.parameter("charset").map(str::to_owned), action)
}

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

fn media_of(headers: &HeaderMap) -> MediaType {
    MediaType::parse(headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or(""))
}

/// The version to answer in when the request cannot be read.
pub(super) fn version_of(headers: &HeaderMap) -> Version {
    let media = media_of(headers);
    let soap12 = |text: &str| text.to_ascii_lowercase().starts_with("application/soap+xml");
    let inside = ["type", "start-info"].iter().any(|name| media.parameter(name).is_some_and(soap12));
    if soap12(&media.essence) || inside { Version::Soap12 } else { Version::Soap11 }
}

/// The action: a header in SOAP 1.1, a parameter of the content type in 1.2; quoted or not.
fn action_of(headers: &HeaderMap, media: &MediaType) -> Option<String> {
    let header = headers.get("soapaction").and_then(|v| v.to_str().ok());
    let header = header.map(|value| value.trim().trim_matches('"').to_owned());
    header.or_else(|| media.parameter("action").map(str::to_owned))
}
