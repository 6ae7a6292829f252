//! Writes a message with attachments: `multipart/related`, as MTOM (XOP) or as SOAP with Attachments.

use super::Attachment;
use crate::soap::Version;
use actix_web::web::Bytes;
use std::io;

/// How a message with attachments is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packaging {
    /// Binary content stands outside of the envelope, which refers to it.
    Mtom,
    /// Attachments are parts of the message beside the envelope.
    Swa,
}

/// A message with its attachments, ready to be sent.
pub struct Package {
    boundary: String,
    packaging: Packaging,
    version: Version,
    envelope: String,
    attachments: Vec<Attachment>,
}

const START: &str = "envelope@soapstone";

impl Package {
    /// `unique` tells its boundary from all that may stand in it.
    pub fn new(
        packaging: Packaging,
        version: Version,
        envelope: String,
        attachments: Vec<Attachment>,
        unique: &str,
    ) -> Self {
        Self { boundary: format!("soapstone-{unique}"), packaging, version, envelope, attachments }
    }

    /// The content type of the whole.
    pub fn content_type(&self, action: &str) -> String {
        let own = self.version.media_type();
        let mut out = format!("multipart/related; boundary=\"{}\"; start=\"<{START}>\"; type=\"", self.boundary);
        match self.packaging {
            Packaging::Mtom => out.push_str(&format!("application/xop+xml\"; start-info=\"{own}\"")),
            Packaging::Swa => out.push_str(&format!("{own}\"")),
        }
        if self.version == Version::Soap12 && !action.is_empty() {
            out.push_str(&format!("; action=\"{action}\""));
        }
        out
    }

    /// The whole, piece by piece.
    pub fn pieces(self) -> impl Iterator<Item = io::Result<Bytes>> + Send + use<> {
        let own = self.version.media_type();
        let media = match self.packaging {
            Packaging::Mtom => format!("application/xop+xml; charset=utf-8; type=\"{own}\""),
            Packaging::Swa => format!("{own}; charset=utf-8"),
        };
        let boundary = self.boundary;
        let head = format!(
            "--{boundary}\r\nContent-Type: {media}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{START}>\r\n\r\n"
        );
        let end = format!("\r\n--{boundary}--\r\n");
        let first = [head, self.envelope].map(|text| Ok(Bytes::from(text)));
        let parts = self.attachments.into_iter().flat_map(move |attachment| {
            // A line break in it would begin another header.
            let media: String = attachment.media_type.chars().filter(|c| !c.is_control()).collect();
            let media = if media.is_empty() { "application/octet-stream" } else { &media };
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: {media}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{}>\r\n\r\n",
                attachment.id
            );
            std::iter::once(Ok(Bytes::from(head))).chain(attachment.content.pieces())
        });
        first.into_iter().chain(parts).chain(std::iter::once(Ok(Bytes::from(end))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MediaType, Receiver, Spool};
    use super::*;

    #[test]
    fn what_is_packed_is_received() {
        let attachment =
            Attachment { id: "a@b".to_owned(), ..Attachment::new("", "image/png", b"\r\n--soapstone".to_vec()) };
        let package = Package::new(Packaging::Mtom, Version::Soap12, "<e/>".to_owned(), vec![attachment.clone()], "1f");
        let media = MediaType::parse(&package.content_type("urn:do"));
        assert_eq!(media.parameter("type"), Some("application/xop+xml"));
        assert_eq!(media.parameter("start-info"), Some("application/soap+xml"));
        assert_eq!(media.parameter("action"), Some("urn:do"));
        let mut receiver = Receiver::new(&media, Spool::default()).unwrap();
        package.pieces().for_each(|piece| receiver.push(&piece.unwrap()).unwrap());
        let received = receiver.finish().unwrap();
        assert_eq!(received.envelope, b"<e/>");
        assert_eq!(received.attachments.iter().collect::<Vec<_>>(), [&attachment]);
    }
}
