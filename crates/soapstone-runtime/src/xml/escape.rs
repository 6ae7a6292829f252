//! Escapes, with a fast path for text that needs none.

/// Appends character data.
pub fn escape_text(text: &str, out: &mut String) {
    escape(text, out, |byte| matches!(byte, b'&' | b'<' | b'>' | b'\r') || unusual(byte));
}

/// Appends the value of an attribute that stands in double quotes.
pub fn escape_attribute(text: &str, out: &mut String) {
    escape(text, out, |byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\r' | b'\n' | b'\t') || unusual(byte));
}

/// A character that no XML document can carry, not even by a reference (XML 1.0, section 2.2).
pub fn forbidden_character(text: &str) -> Option<char> {
    if !text.bytes().any(unusual) {
        return None;
    }
    text.chars().find(|c| is_forbidden(*c))
}

fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Control characters, and the first byte of U+FFFE and U+FFFF.
fn unusual(byte: u8) -> bool {
    (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0xEF
}

fn escape(text: &str, out: &mut String, special: impl Fn(u8) -> bool) {
    if !text.bytes().any(&special) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if special(b'"') => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' if special(b'\n') => out.push_str("&#10;"),
            '\t' if special(b'\t') => out.push_str("&#9;"),
            c if is_forbidden(c) => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_be_escaped_is() {
        let mut out = String::new();
        escape_text("a < b & \"c\" > d\r\n\u{1}é", &mut out);
        assert_eq!(out, "a &lt; b &amp; \"c\" &gt; d&#13;\n\u{fffd}é");
        out.clear();
        escape_attribute("\"x\"\n", &mut out);
        assert_eq!(out, "&quot;x&quot;&#10;");
    }
}
