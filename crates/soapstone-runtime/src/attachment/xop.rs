//! `xop:Include` for those who know nothing of it: libxml2 validates what it stands for.

use super::{Attachments, XOP};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::borrow::Cow;

/// How large content may be that is validated: only facets of length would need more, and the reader checks those.
pub(crate) const VALIDATED: u64 = 1 << 20;

/// The envelope with the content of attachments in the places that refer to them, if it is not larger than that; lines
/// stay where they are.
pub(crate) fn filled_in<'a>(envelope: &'a str, attachments: &Attachments, largest: u64) -> Cow<'a, str> {
    if !envelope.contains(XOP) {
        return Cow::Borrowed(envelope);
    }
    let mut reader = Reader::from_str(envelope);
    let mut out = String::with_capacity(envelope.len());
    let mut copied = 0;
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let (start, has_end) = match reader.read_event() {
            Ok(Event::Empty(start)) => (start, false),
            Ok(Event::Start(start)) => (start, true),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => continue,
        };
        if start.local_name().into_inner() != "Include" {
            continue;
        }
        let href = start.attributes().flatten().find(|a| a.key.0 == "href").map(|a| a.value.into_owned());
        let href = href.as_deref().and_then(|href| quick_xml::escape::unescape(href).ok()).unwrap_or_default();
        if has_end && reader.read_to_end(start.to_end().name()).is_err() {
            break;
        }
        let after = usize::try_from(reader.buffer_position()).unwrap_or(before);
        out.push_str(&envelope[copied..before]);
        // What is missing the reader tells.
        let small = attachments.referred(&href).filter(|attachment| attachment.content.len() <= largest);
        let bytes = small.and_then(|attachment| attachment.content.bytes().ok());
        match bytes {
            Some(bytes) => STANDARD.encode_string(&bytes, &mut out),
            None => out.push_str("AAAA"),
        }
        out.extend(envelope[before..after].chars().filter(|c| *c == '\n'));
        copied = after;
    }
    out.push_str(&envelope[copied..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::Attachment;
    use super::*;

    #[test]
    fn references_give_way_to_what_they_mean() {
        let attachment = Attachment { id: "a".to_owned(), ..Attachment::new("", "", b"abc".to_vec()) };
        let envelope = format!("<e><x><i:Include xmlns:i='{XOP}'\n href='cid:a'/></x><Include href='cid:b'/></e>");
        assert_eq!(filled_in(&envelope, &vec![attachment].into(), VALIDATED), "<e><x>YWJj\n</x>AAAA</e>");
    }
}
