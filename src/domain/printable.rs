//! Texts from outside for logs, terminals and people: cut, and without characters that do something else than to be seen.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is not seen, but does something: control characters with ANSI escapes and line breaks among them, and
/// those that turn the direction of writing or break lines.
fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of at most so many characters, its active characters as `\n` or `\u{1b}`.
pub fn printable(text: &str, max_chars: usize) -> Cow<'_, str> {
    let end = text.char_indices().nth(max_chars).map(|(end, _)| end);
    let shown = end.and_then(|end| text.get(..end)).unwrap_or(text);
    if end.is_none() && !shown.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(shown.len() + 16);
    for character in shown.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            active if is_active(active) => {
                // Writing to a text does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(active));
            }
            plain => out.push(plain),
        }
    }
    if end.is_some() {
        out.push('…');
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_escaped_and_what_is_long_is_cut() {
        for (text, max, shown) in [
            ("Größe 'x'", 100, "Größe 'x'"),
            ("a\r\nb\tc", 100, "a\\r\\nb\\tc"),
            ("\u{1b}[31mred\u{7}\u{0}\u{9b}", 100, "\\u{1b}[31mred\\u{7}\\u{0}\\u{9b}"),
            ("user\u{202e}nimda", 100, "user\\u{202e}nimda"),
            ("äöü", 3, "äöü"),
            ("äöüß", 3, "äöü…"),
            ("", 0, ""),
        ] {
            assert_eq!(printable(text, max), shown);
        }
    }
}
