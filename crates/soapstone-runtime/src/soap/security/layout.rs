//! Where things stand in an envelope that we have written, to put a header block and IDs in.

use super::{WSSE, WSU};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::ops::Range;

/// Where things stand in an envelope.
pub(super) struct Layout {
    /// The envelope's prefix.
    pub prefix: String,
    /// The end of the envelope's name: declarations go there.
    envelope_name: usize,
    /// The end of its start tag.
    envelope: usize,
    /// The end of the header's start tag; None: there is no header.
    header: Option<usize>,
    /// Where IDs of header blocks go, or what those are that they have.
    blocks: Vec<(usize, Option<String>)>,
    /// The end of the body's name.
    body_name: usize,
    /// What is in it.
    content: Range<usize>,
    /// The start of the body.
    body: usize,
}

/// The envelope up to the body, around the block to come.
pub(super) struct Head {
    pub before_block: String,
    pub after_block: String,
}

/// The body, and what comes after it.
pub(super) struct Body<'a> {
    pub start: String,
    pub content: &'a str,
    pub end: String,
}

/// The ID that an element has already.
fn own_id(start: &BytesStart<'_>) -> Option<String> {
    let declared = |prefix: &str| {
        let name = format!("xmlns:{prefix}");
        start.attributes().flatten().any(|a| a.key.0 == name && &*a.value == WSU)
    };
    let mut attributes = start.attributes().flatten();
    let own = attributes
        .find(|a| a.key.0.split_once(':').is_some_and(|(prefix, local)| local == "Id" && declared(prefix)))?;
    Some(own.value.into_owned())
}

impl Layout {
    /// Finds it all; None: it is no envelope, or one with an empty header or body tag, as we write none.
    pub fn of(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let (mut depth, mut in_header) = (0, false);
        let mut layout = Self {
            prefix: String::new(),
            envelope_name: 0,
            envelope: 0,
            header: None,
            blocks: Vec::new(),
            body_name: 0,
            content: 0..0,
            body: 0,
        };
        loop {
            let before = usize::try_from(reader.buffer_position()).ok()?;
            let event = reader.read_event().ok()?;
            let after = usize::try_from(reader.buffer_position()).ok()?;
            match &event {
                Event::Start(start) | Event::Empty(start) => {
                    let is_empty = matches!(event, Event::Empty(_));
                    let name_end = before + 1 + start.name().0.len();
                    match (depth, start.local_name().into_inner()) {
                        (0, "Envelope") if !is_empty => {
                            layout.prefix = start.name().0.split_once(':')?.0.to_owned();
                            (layout.envelope_name, layout.envelope) = (name_end, after);
                        }
                        (1, "Header") if !is_empty => (layout.header, in_header) = (Some(after), true),
                        (1, "Body") if !is_empty => {
                            let content = reader.read_to_end(start.to_end().name()).ok()?;
                            let content = usize::try_from(content.start).ok()?..usize::try_from(content.end).ok()?;
                            return Some(Self { body_name: name_end, content, body: before, ..layout });
                        }
                        (2, _) if in_header => layout.blocks.push((name_end, own_id(start))),
                        _ => {}
                    }
                    depth += usize::from(!is_empty);
                }
                Event::End(_) => {
                    depth -= 1;
                    in_header &= depth >= 2;
                }
                Event::Eof => return None,
                _ => {}
            }
        }
    }

    /// The envelope in pieces, with an ID for each block of the header and for the body; adds those to `signed`.
    pub fn with_ids<'a>(&self, text: &'a str, unique: &str, signed: &mut Vec<String>) -> (Head, Body<'a>) {
        let mut before_block = format!(
            "{} xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\"{}",
            &text[..self.envelope_name],
            &text[self.envelope_name..self.envelope]
        );
        let prefix = &self.prefix;
        let mut after_block = String::new();
        match self.header {
            None => {
                before_block.push_str(&format!("<{prefix}:Header>"));
                after_block.push_str(&format!("</{prefix}:Header>"));
                after_block.push_str(&text[self.envelope..self.body]);
            }
            Some(header) => {
                before_block.push_str(&text[self.envelope..header]);
                let mut copied = header;
                for (number, (at, own)) in self.blocks.iter().enumerate() {
                    after_block.push_str(&text[copied..*at]);
                    copied = *at;
                    let id = own.clone().unwrap_or_else(|| format!("header-{number}-{unique}"));
                    if own.is_none() {
                        after_block.push_str(&format!(" wsu:Id=\"{id}\""));
                    }
                    signed.push(id);
                }
                after_block.push_str(&text[copied..self.body]);
            }
        }
        let id = format!("body-{unique}");
        let start = format!(
            "{} wsu:Id=\"{id}\"{}",
            &text[self.body..self.body_name],
            &text[self.body_name..self.content.start]
        );
        signed.push(id);
        let (content, end) = (&text[self.content.clone()], text[self.content.end..].to_owned());
        (Head { before_block, after_block }, Body { start, content, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_put_in_their_places() {
        for header in ["", "<s:Header></s:Header>", "<s:Header><a/><b:c xmlns:b='urn:b' x='1'><d/></b:c></s:Header>"] {
            let text =
                format!("<?xml version='1.0'?><s:Envelope xmlns:s='urn:s'>{header}<s:Body><x/></s:Body></s:Envelope>");
            let mut signed = Vec::new();
            let (head, body) = Layout::of(&text).unwrap().with_ids(&text, "u", &mut signed);
            let whole =
                [&head.before_block, "<BLOCK/>", &head.after_block, &body.start, body.content, &body.end].concat();
            assert!(
                whole.contains("<s:Header><BLOCK/>") && whole.contains("<s:Body wsu:Id=\"body-u\"><x/></s:Body>"),
                "{whole}"
            );
            assert!(crate::xml::Tree::parse(&whole).is_ok(), "{whole}");
            assert_eq!(signed.len(), if header.contains("<a/>") { 3 } else { 1 });
        }
        let text = format!(
            "<s:Envelope xmlns:s='urn:s'><s:Header><a xmlns:u='{WSU}' u:Id='mine'/></s:Header><s:Body></s:Body></s:Envelope>"
        );
        let mut signed = Vec::new();
        Layout::of(&text).unwrap().with_ids(&text, "u", &mut signed);
        assert_eq!(signed, ["mine", "body-u"]);
    }
}
