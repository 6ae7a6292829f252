//! Content types, read leniently: many clients leave out quotes that RFC 2045 asks for.

/// A content type with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaType {
    /// Such as `text/xml`, in lower case.
    pub essence: String,
    /// Names in lower case, with their values.
    pub parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads the value of a `Content-Type` header.
    pub fn parse(text: &str) -> Self {
        let (essence, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let mut parameters = Vec::new();
        while let Some((name, after)) = rest.split_once('=') {
            let after = after.trim_start();
            let (value, remaining) = match after.strip_prefix('"') {
                Some(quoted) => unquoted(quoted),
                None => {
                    let (value, remaining) = after.split_once(';').unwrap_or((after, ""));
                    (value.trim().to_owned(), remaining)
                }
            };
            parameters.push((name.trim_matches([';', ' ', '\t']).to_ascii_lowercase(), value));
            rest = remaining;
        }
        Self { essence: essence.trim().to_ascii_lowercase(), parameters }
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A quoted value, and what comes after it.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => {
                value.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => {
                let rest = &text[at + 1..];
                return (value, rest.split_once(';').map_or("", |(_, rest)| rest));
            }
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_with_and_without_quotes() {
        let media = MediaType::parse(
            "Multipart/Related; boundary=\"--=_a;b\"; Type=text/xml;start=\"<r\\\"x>\" ; charset = utf-8",
        );
        assert_eq!(media.essence, "multipart/related");
        let wanted =
            [("boundary", Some("--=_a;b")), ("type", Some("text/xml")), ("start", Some("<r\"x>")), ("none", None)];
        for (name, value) in wanted {
            assert_eq!(media.parameter(name), value);
        }
        assert_eq!(media.parameter("charset"), Some("utf-8"));
        assert_eq!(MediaType::parse("text/xml"), MediaType { essence: "text/xml".to_owned(), parameters: Vec::new() });
        assert_eq!(MediaType::parse("a/b; x=\"open").parameter("x"), Some("open"));
    }
}
