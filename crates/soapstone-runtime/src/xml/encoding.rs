//! The text of a message in any encoding old systems send: byte order mark, then charset, then XML declaration.

use crate::problem::{ReadError, ReadErrorKind};
use encoding_rs::{Encoding, UTF_8};
use std::borrow::Cow;

/// Decodes a document. `charset` is that of the transport, which goes before the document's own (RFC 7303).
///
/// # Errors
/// If the charset is not known, or the bytes are not valid in it.
pub fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, Box<ReadError>> {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, &bytes[length..]),
        None => (transport_or_declared(bytes, charset)?, bytes),
    };
    if encoding == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(e) => {
                let valid = String::from_utf8_lossy(&bytes[..e.valid_up_to()]);
                let (line, column) = super::line_and_column(&valid, valid.len());
                let mut error = ReadError::new(ReadErrorKind::Malformed, "the bytes are not valid UTF-8");
                (error.line, error.column) = (line, column);
                Err(error)
            }
        };
    }
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| ReadError::new(ReadErrorKind::Malformed, format!("the bytes are not valid {}", encoding.name())))
}

fn transport_or_declared(bytes: &[u8], charset: Option<&str>) -> Result<&'static Encoding, Box<ReadError>> {
    let charset = charset.map(|c| c.trim_matches(['"', '\'', ' '])).filter(|c| !c.is_empty());
    let label = match charset {
        Some(charset) => charset.to_owned(),
        None => match declared_encoding(bytes) {
            Some(label) => label,
            None => return Ok(UTF_8),
        },
    };
    // A declaration that can be read byte by byte is not in UTF-16, whatever it says.
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding.is_ascii_compatible() || !bytes.starts_with(b"<") => Ok(encoding),
        Some(_) => Ok(UTF_8),
        None => Err(ReadError::new(ReadErrorKind::Malformed, format!("the encoding \"{label}\" is not known"))),
    }
}

/// The encoding named in the XML declaration, if there is one.
pub fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(200)];
    if !head.starts_with(b"<?xml") {
        return None;
    }
    let head = String::from_utf8_lossy(head);
    let declaration = head.split("?>").next()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_encodings_are_read() {
        assert_eq!(
            decode(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4</a>", None).unwrap(),
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>ä</a>"
        );
        assert_eq!(decode(b"<a>\x80</a>", Some("windows-1252")).unwrap(), "<a>€</a>");
        assert_eq!(decode(b"\xff\xfe<\0a\0/\0>\0", None).unwrap(), "<a/>");
        assert_eq!(decode(b"\xef\xbb\xbf<a/>", None).unwrap(), "<a/>");
        assert_eq!(decode(b"<a/>", Some("utf-16")).unwrap(), "<a/>");
        assert_eq!(decode(b"<a>\n\xff</a>", None).unwrap_err().line, 2);
        assert!(decode(b"<a/>", Some("klingon")).is_err());
    }
}
