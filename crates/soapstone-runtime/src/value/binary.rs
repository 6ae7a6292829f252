//! `xs:base64Binary` and `xs:hexBinary`.

use super::simple::{Simple, simple_value};
use crate::attachment::Content;
use actix_web::web::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::io;

/// `xs:base64Binary`. Over MTOM its bytes stand outside of the envelope, and in a file if there are many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Base64Binary(pub Content);

impl Base64Binary {
    /// All bytes in memory.
    ///
    /// # Errors
    /// If they lie in a file that cannot be read.
    pub fn bytes(&self) -> io::Result<Bytes> {
        self.0.bytes()
    }
}

impl From<Vec<u8>> for Base64Binary {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// `xs:hexBinary`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HexBinary(pub Vec<u8>);

const NOT_BASE64: &str = "is not base64 (A to Z, a to z, 0 to 9, + and /, filled up with = to a multiple of four)";

impl Simple for Base64Binary {
    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        let compact: Cow<'_, str> =
            if text.contains(' ') { text.split(' ').collect::<String>().into() } else { text.into() };
        STANDARD.decode(compact.as_bytes()).map(Self::from).map_err(|_| NOT_BASE64.into())
    }

    fn append(&self, out: &mut String) {
        let mut encoder = base64::write::EncoderStringWriter::from_consumer(out, &STANDARD);
        // Only content in a file can fail: that is ours, and lives as long as the value.
        if let Err(error) = self.0.open().and_then(|mut content| io::copy(&mut content, &mut encoder)) {
            log::error!("an attachment cannot be read: {error}");
        }
    }

    fn length(&self, _lexical: &str) -> Option<usize> {
        usize::try_from(self.0.len()).ok()
    }

    fn from_content(content: &Content) -> Option<Self> {
        Some(Self(content.clone()))
    }

    fn as_content(&self) -> Option<&Content> {
        Some(&self.0)
    }
}

impl Simple for HexBinary {
    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let bytes = text.as_bytes();
        if !bytes.len().is_multiple_of(2) {
            return Err("has an odd number of hexadecimal digits".into());
        }
        bytes
            .chunks_exact(2)
            .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| "is not hexadecimal".into())
    }

    fn append(&self, out: &mut String) {
        use std::fmt::Write;
        for byte in &self.0 {
            let _ = write!(out, "{byte:02X}");
        }
    }

    fn length(&self, _lexical: &str) -> Option<usize> {
        Some(self.0.len())
    }
}

simple_value!(Base64Binary, HexBinary);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_round_trip() {
        assert_eq!(Base64Binary::parse("AAEC /w==").unwrap().bytes().unwrap()[..], [0, 1, 2, 255]);
        assert_eq!(Base64Binary::from(vec![0, 1, 2, 255]).lexical(), "AAEC/w==");
        assert_eq!(HexBinary::parse("0aFF").unwrap().lexical(), "0AFF");
        assert!(HexBinary::parse("0").is_err());
        assert!(Base64Binary::parse("*").is_err());
    }
}
