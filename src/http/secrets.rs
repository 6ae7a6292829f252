//! Messages without their secrets, for those who look at them.

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use serde_json::Value;
use std::borrow::Cow;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// The names of what is secret, in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// From names separated by blanks.
    pub fn named(names: &str) -> Self {
        Self(names.split_whitespace().map(str::to_lowercase).collect())
    }

    /// Whether an element, an attribute or a member is secret: by its name, whatever its prefix and case.
    fn is_secret(&self, name: &str) -> bool {
        let local = name.rsplit(':').next().unwrap_or(name).to_lowercase();
        self.0.contains(&local)
    }

    /// A message without its secrets. What cannot be read is left out from there on: nobody knows what is in it.
    pub fn hidden(&self, text: &str) -> String {
        match text.trim_start().bytes().next() {
            Some(b'<') => self.in_xml(text),
            Some(b'{' | b'[') => self.in_json(text),
            _ => String::new(),
        }
    }

    /// Verb, path and query without secrets in the query.
    pub fn hidden_in_target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
        let pair = |pair: &str| match pair.split_once('=') {
            Some((name, _)) if self.is_secret(name) => format!("{name}={HIDDEN}"),
            _ => pair.to_owned(),
        };
        format!("{path}?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))
    }

    fn in_xml(&self, text: &str) -> String {
        let mut reader = Reader::from_str(text);
        let mut writer = Writer::new(Vec::with_capacity(text.len()));
        // How deep we are, and where the secret began.
        let (mut depth, mut secret) = (0_usize, None);
        while let Ok(event) = reader.read_event() {
            let written = match event {
                Event::Eof => break,
                Event::Start(start) => {
                    depth += 1;
                    let is_new = secret.is_none();
                    if is_new && self.is_secret(start.name().0) {
                        secret = Some(depth);
                    }
                    if is_new { writer.write_event(Event::Start(self.without(&start))) } else { Ok(()) }
                }
                Event::Empty(start) if secret.is_none() => writer.write_event(Event::Empty(self.without(&start))),
                Event::End(end) => {
                    let ends = secret == Some(depth);
                    depth = depth.saturating_sub(1);
                    if ends {
                        secret = None;
                        writer
                            .write_event(Event::Text(BytesText::new(HIDDEN)))
                            .and_then(|()| writer.write_event(Event::End(end)))
                    } else if secret.is_none() {
                        writer.write_event(Event::End(end))
                    } else {
                        Ok(())
                    }
                }
                event if secret.is_none() => writer.write_event(event),
                _ => Ok(()),
            };
            if written.is_err() {
                break;
            }
        }
        String::from_utf8(writer.into_inner()).unwrap_or_default()
    }

    /// A start tag without secrets in its attributes.
    fn without<'a>(&self, start: &BytesStart<'a>) -> BytesStart<'a> {
        let is_secret = |name: &str| !name.starts_with("xmlns") && self.is_secret(name);
        if !start.attributes().flatten().any(|attribute| is_secret(attribute.key.0)) {
            return start.clone();
        }
        let mut made = BytesStart::new(start.name().0.to_owned());
        for attribute in start.attributes().flatten() {
            let name = attribute.key.0.to_owned();
            let own = || unescape(&attribute.value).unwrap_or(Cow::Borrowed(&attribute.value));
            let value = if is_secret(&name) { Cow::Borrowed(HIDDEN) } else { own() };
            made.push_attribute((name.as_str(), &*value));
        }
        made
    }

    fn in_json(&self, text: &str) -> String {
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                self.hide(&mut value);
                value.to_string()
            }
            Err(_) => String::new(),
        }
    }

    fn hide(&self, value: &mut Value) {
        match value {
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| {
                if self.is_secret(name) {
                    *value = Value::String(HIDDEN.to_owned());
                } else {
                    self.hide(value);
                }
            }),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::named("password token")
    }

    #[test]
    fn secrets_in_xml_are_hidden() {
        for (text, wanted) in [
            (
                "<a><w:Password Type='x'>secret</w:Password><b>open</b></a>",
                "<a><w:Password Type='x'>***</w:Password><b>open</b></a>",
            ),
            ("<a><token><b>in it</b><token>twice</token></token>c</a>", "<a><token>***</token>c</a>"),
            ("<a password=\"x\" b=\"&lt;\"/>", "<a password=\"***\" b=\"&lt;\"/>"),
            ("<a>open<Password>cut o", "<a>open<Password>"),
            ("<a>open</b><Password>x</Password>", "<a>open"),
            ("<a xmlns:token='urn:t'>&amp;<![CDATA[<]]></a>", "<a xmlns:token='urn:t'>&amp;<![CDATA[<]]></a>"),
            ("neither", ""),
        ] {
            assert_eq!(secrets().hidden(text), wanted);
        }
    }

    #[test]
    fn secrets_in_json_are_hidden() {
        assert_eq!(
            secrets().hidden("{\"a\": [{\"Password\": \"x\", \"b\": 1}], \"token\": {\"c\": 2}}"),
            "{\"a\":[{\"Password\":\"***\",\"b\":1}],\"token\":\"***\"}"
        );
        assert_eq!(secrets().hidden("{\"password\": \"cut o"), "");
        assert_eq!(secrets().hidden_in_target("GET /a?b=1&token=x"), "GET /a?b=1&token=***");
    }
}
