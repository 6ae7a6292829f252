//! How replies are written, for clients that are fussy about what means the same.

use quick_xml::escape::unescape;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use std::borrow::Cow;
use std::str::FromStr;

/// How replies are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Whether each element says its type (`xsi:type`), where the code was generated with that.
    pub typed: bool,
    /// Whether elements stand in lines of their own.
    pub pretty: bool,
    /// Prefixes as we write them, and others for them.
    pub prefixes: Vec<(String, String)>,
    /// Whether every fault has the status 500. In SOAP 1.2 those of the sender have 400 (part 2, section 7.5.2.2), but
    /// WCF, and CXF as it is delivered, do not read them then.
    pub always_500: bool,
    /// Whether binary values travel outside of replies (MTOM), however the request came; the contract then says so.
    pub mtom: bool,
}

impl FromStr for Output {
    type Err = String;

    /// From words: `xsi-type`, `pretty`, `fault-500`, `mtom`, `OLD=NEW` for a prefix.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut output = Self::default();
        for word in text.split_whitespace() {
            match (word, word.split_once('=')) {
                ("xsi-type", _) => output.typed = true,
                ("pretty", _) => output.pretty = true,
                ("fault-500", _) => output.always_500 = true,
                ("mtom", _) => output.mtom = true,
                (_, Some((old, new))) if is_prefix(old) && is_prefix(new) => {
                    output.prefixes.push((old.to_owned(), new.to_owned()));
                }
                _ => {
                    return Err(format!(
                        "\"{word}\" is not known: there are xsi-type, pretty, fault-500, mtom, and OLD=NEW for a prefix"
                    ));
                }
            }
        }
        Ok(output)
    }
}

/// A name without a colon that XML has no plans with (Namespaces in XML, section 3).
fn is_prefix(text: &str) -> bool {
    let mut characters = text.chars();
    let begins = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    begins
        && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !text.to_ascii_lowercase().starts_with("xml")
}

impl Output {
    /// A reply as it is wanted.
    pub(super) fn applied(&self, envelope: String) -> String {
        if !self.pretty && self.prefixes.is_empty() {
            return envelope;
        }
        // A prefix that is in use cannot get another meaning.
        let is_free = |new: &str| !envelope.contains(&format!("xmlns:{new}="));
        let renames: Vec<_> = self.prefixes.iter().filter(|(_, new)| is_free(new)).collect();
        let rewriting =
            Rewriting { renames, mixed: if self.pretty { mixed(&envelope) } else { Vec::new() }, pretty: self.pretty };
        rewriting.done(&envelope).unwrap_or(envelope)
    }
}

/// Of each element, in the order of their start tags: whether text stands beside its elements, or alone.
fn mixed(text: &str) -> Vec<bool> {
    let mut reader = Reader::from_str(text);
    let (mut found, mut open) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                open.push(found.len());
                found.push(false);
            }
            Ok(Event::Empty(_)) => found.push(false),
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)) => {
                if let Some(number) = open.last() {
                    found[*number] = true;
                }
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

/// Writes an envelope anew.
struct Rewriting<'a> {
    renames: Vec<&'a (String, String)>,
    mixed: Vec<bool>,
    pretty: bool,
}

impl Rewriting<'_> {
    /// None: it cannot be read, which no envelope of ours is.
    fn done(&self, text: &str) -> Option<String> {
        let mut reader = Reader::from_str(text);
        let mut writer = Writer::new(Vec::with_capacity(text.len() + 256));
        // Whether each open element has text; its local name.
        let mut open: Vec<(bool, String)> = Vec::new();
        let mut number = 0;
        loop {
            let event = reader.read_event().ok()?;
            let breaks = self.pretty && !open.last().is_some_and(|(is_mixed, _)| *is_mixed);
            match event {
                Event::Eof => return String::from_utf8(writer.into_inner()).ok(),
                Event::Start(start) => {
                    self.line(&mut writer, breaks, open.len());
                    open.push((self.mixed.get(number) == Some(&true), start.local_name().into_inner().to_owned()));
                    number += 1;
                    writer.write_event(Event::Start(self.start(&start))).ok()?;
                }
                Event::Empty(start) => {
                    self.line(&mut writer, breaks, open.len());
                    number += 1;
                    writer.write_event(Event::Empty(self.start(&start))).ok()?;
                }
                Event::End(end) => {
                    open.pop();
                    self.line(&mut writer, breaks, open.len());
                    writer.write_event(Event::End(BytesEnd::new(self.name(end.name().0)))).ok()?;
                }
                Event::Text(value)
                    if open.last().is_some_and(|(_, local)| local == "faultcode" || local == "Value") =>
                {
                    let name = self.name(&value);
                    writer.write_event(Event::Text(BytesText::from_escaped(name))).ok()?;
                }
                event => writer.write_event(event).ok()?,
            }
        }
    }

    fn line(&self, writer: &mut Writer<Vec<u8>>, breaks: bool, depth: usize) {
        if breaks && !writer.get_ref().is_empty() {
            let out = writer.get_mut();
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', 2 * depth));
        }
    }

    /// A name by its new prefix.
    fn name(&self, name: &str) -> String {
        match name.split_once(':') {
            Some((prefix, local)) => format!("{}:{local}", self.prefix(prefix)),
            None => name.to_owned(),
        }
    }

    fn prefix<'p>(&'p self, prefix: &'p str) -> &'p str {
        self.renames.iter().find(|(old, _)| old == prefix).map_or(prefix, |(_, new)| new)
    }

    fn start(&self, start: &BytesStart<'_>) -> BytesStart<'static> {
        let mut made = BytesStart::new(self.name(start.name().0));
        for attribute in start.attributes().flatten() {
            let name = attribute.key.0;
            let value = unescape(&attribute.value).unwrap_or(Cow::Borrowed(&attribute.value)).into_owned();
            match name.strip_prefix("xmlns:") {
                Some(prefix) => {
                    let new = self.prefix(prefix);
                    made.push_attribute((format!("xmlns:{new}").as_str(), value.as_str()));
                    // Names in values may have it still. Those of the envelope's own are known.
                    if new != prefix && prefix != "soap" {
                        made.push_attribute((name, value.as_str()));
                    }
                }
                None if name.ends_with(":type") || name == "qname" => {
                    made.push_attribute((self.name(name).as_str(), self.name(&value).as_str()));
                }
                None => made.push_attribute((self.name(name).as_str(), value.as_str())),
            }
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::{Fault, Headers, Version};

    fn written(options: &str, text: &str) -> String {
        options.parse::<Output>().unwrap().applied(text.to_owned())
    }

    #[test]
    fn prefixes_are_changed_everywhere() {
        let fault = Fault::sender("a.b", 400, "x & <y>");
        for version in [Version::Soap11, Version::Soap12] {
            let text = written("soap=SOAP-ENV s=own", &fault.envelope(version, &Headers::default(), "1"));
            assert!(!text.contains("soap:") && text.contains("x &amp; &lt;y&gt;"), "{text}");
            assert!(
                text.contains("<SOAP-ENV:Fault>") && text.contains(">SOAP-ENV:") && text.contains("<own:problem"),
                "{text}"
            );
            assert!(crate::soap::Envelope::parse(&text, &crate::soap::Limits::default()).is_ok(), "{text}");
        }
        assert_eq!(
            written("a=b", "<a:x xmlns:a='urn:a' a:y='&lt;' z:type='a:t' xmlns:z='urn:z'/>"),
            "<b:x xmlns:b=\"urn:a\" xmlns:a=\"urn:a\" b:y=\"&lt;\" z:type=\"b:t\" xmlns:z=\"urn:z\"/>"
        );
        let taken = "<a:x xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"/>";
        assert_eq!(written("a=b", taken), taken);
    }

    #[test]
    fn only_elements_are_put_in_lines() {
        let text = "<?xml version=\"1.0\"?><a><b>x</b><c>t<d/>u</c><e/><f><g> </g></f></a>";
        assert_eq!(
            written("pretty", text),
            "<?xml version=\"1.0\"?>\n<a>\n  <b>x</b>\n  <c>t<d/>u</c>\n  <e/>\n  <f>\n    <g> </g>\n  </f>\n</a>"
        );
    }

    #[test]
    fn what_is_not_known_is_told() {
        for wrong in ["ugly", "a=", "a=xmlx", "a=1", "=b", "a=b:c"] {
            assert!(wrong.parse::<Output>().is_err(), "{wrong}");
        }
        assert!("xsi-type fault-500 pretty soap=SOAP-ENV".parse::<Output>().unwrap().always_500);
    }
}
