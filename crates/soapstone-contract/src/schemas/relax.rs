//! Counters that say nothing: in a choice that is made any number of times, a branch that occurs up to `n` times means
//! the same as one that occurs once. libxml2's automaton for the former grows beyond all bounds.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::fmt::Write;
use std::ops::Range;

/// An open element.
struct Open {
    tag: Range<usize>,
    /// Whether it is a choice without an upper bound.
    any_number: bool,
    /// Whether a branch of it may be empty.
    may_be_empty: bool,
}

/// The schema with such counters taken out.
pub(super) fn relaxed(text: &str) -> String {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = match reader.read_event() {
            Ok(Event::Eof) | Err(_) => break,
            Ok(event) => event,
        };
        let after = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let is_empty = matches!(event, Event::Empty(_));
                let (min, max) = (attribute(start, "minOccurs"), attribute(start, "maxOccurs"));
                let counted = max.as_deref().is_some_and(|m| m.parse::<u64>().is_ok_and(|m| m > 1));
                if let Some(parent) = open.last_mut()
                    && parent.any_number
                    && counted
                    && matches!(min.as_deref(), None | Some("0" | "1"))
                {
                    parent.may_be_empty |= min.as_deref() == Some("0");
                    edits.push((before..after, tag(start, None, is_empty)));
                } else if max.as_deref().is_some_and(is_beyond_counting) {
                    let min = min.as_deref().filter(|min| !is_beyond_counting(min)).unwrap_or("1");
                    edits.push((before..after, tag(start, Some((min, "unbounded")), is_empty)));
                }
                if !is_empty {
                    let is_choice = start.local_name().into_inner() == "choice";
                    open.push(Open {
                        tag: before..after,
                        any_number: is_choice && max.as_deref() == Some("unbounded"),
                        may_be_empty: false,
                    });
                }
            }
            Event::End(_) => {
                if let Some(done) = open.pop()
                    && done.may_be_empty
                {
                    let mut inner = Reader::from_str(&text[done.tag.clone()]);
                    inner.config_mut().check_end_names = false;
                    if let Ok(Event::Start(start)) = inner.read_event() {
                        edits.push((done.tag, tag(&start, Some(("0", "unbounded")), false)));
                    }
                }
            }
            _ => {}
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (range, replacement) in edits {
        // A tag that is changed twice keeps its first change.
        if range.start >= copied {
            out.push_str(&text[copied..range.start]);
            out.push_str(&replacement);
            copied = range.end;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// Whether a bound is more than libxml2 counts to.
fn is_beyond_counting(bound: &str) -> bool {
    bound.len() > 9 && bound.bytes().all(|b| b.is_ascii_digit())
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    start.try_get_attribute(name).ok().flatten().map(|a| a.value.trim().to_owned())
}

/// A start tag with other bounds, or none.
fn tag(start: &BytesStart<'_>, bounds: Option<(&str, &str)>, is_empty: bool) -> String {
    let mut out = format!("<{}", start.name().0);
    for a in start.attributes().flatten().filter(|a| !matches!(a.key.0, "minOccurs" | "maxOccurs")) {
        let quote = if a.value.contains('"') { '\'' } else { '"' };
        let _ = write!(out, " {}={quote}{}{quote}", a.key.0, a.value);
    }
    if let Some((min, max)) = bounds {
        let _ = write!(out, " minOccurs=\"{min}\" maxOccurs=\"{max}\"");
    }
    out.push_str(if is_empty { "/>" } else { ">" });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_in_endless_choices_are_taken_out() {
        let text =
            "<choice maxOccurs='unbounded'><a ref='x' minOccurs='0' maxOccurs='20'/><b maxOccurs='3'/><c/></choice>";
        assert_eq!(relaxed(text), "<choice minOccurs=\"0\" maxOccurs=\"unbounded\"><a ref=\"x\"/><b/><c/></choice>");
        let others = "<sequence maxOccurs='unbounded'><a maxOccurs='20'/></sequence>";
        assert_eq!(relaxed(others), others);
        let least = "<choice maxOccurs='unbounded'><a minOccurs='2' maxOccurs='20'/></choice>";
        assert_eq!(relaxed(least), least);
    }
}
