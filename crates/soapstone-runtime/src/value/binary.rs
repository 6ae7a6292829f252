//! `xs:base64Binary` and `xs:hexBinary`.

use super::simple::{Simple, simple_value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// `xs:base64Binary`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Base64Binary(pub Vec<u8>);

/// `xs:hexBinary`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HexBinary(pub Vec<u8>);

const NOT_BASE64: &str = "is not base64 (A to Z, a to z, 0 to 9, + and /, filled up with = to a multiple of four)";

impl Simple for Base64Binary {
    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        let compact: Cow<'_, str> =
            if text.contains(' ') { text.split(' ').collect::<String>().into() } else { text.into() };
        STANDARD.decode(compact.as_bytes()).map(Self).map_err(|_| NOT_BASE64.into())
    }

    fn append(&self, out: &mut String) {
        STANDARD.encode_string(&self.0, out);
    }

    fn length(&self, _lexical: &str) -> Option<usize> {
        Some(self.0.len())
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
        assert_eq!(Base64Binary::parse("AAEC /w==").unwrap().0, [0, 1, 2, 255]);
        assert_eq!(Base64Binary(vec![0, 1, 2, 255]).lexical(), "AAEC/w==");
        assert_eq!(HexBinary::parse("0aFF").unwrap().lexical(), "0AFF");
        assert!(HexBinary::parse("0").is_err());
        assert!(Base64Binary::parse("*").is_err());
    }
}
