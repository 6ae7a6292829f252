//! Whether two documents say the same: names by their namespace, attributes in any order, values by their value.
//!
//! Left out of account: comments, processing instructions, white space between elements, prefixes, hints where schemas
//! lie, and an `xsi:type` that says no more than the contract does.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use soapstone_runtime::xml::Scope;
use soapstone_runtime::{Date, DateTime, Decimal, Duration, Simple, Time};
use std::collections::BTreeMap;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

#[derive(Debug)]
struct Element {
    name: (String, String),
    attributes: BTreeMap<(String, String), String>,
    children: Vec<Node>,
    scope: Scope<'static>,
}

#[derive(Debug)]
enum Node {
    Element(Element),
    Text(String),
}

/// What differs first, if something does.
pub fn difference(original: &str, written: &str) -> Option<String> {
    let (original, written) = match (parse(original), parse(written)) {
        (Ok(original), Ok(written)) => (original, written),
        (Err(why), _) => return Some(format!("the original cannot be parsed: {why}")),
        (_, Err(why)) => return Some(format!("what was written cannot be parsed: {why}")),
    };
    compare(&original, &written, "")
}

fn parse(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut scope = Scope::default();
    let mut open: Vec<Element> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|e| e.to_string())?;
        match event {
            Event::Start(start) => {
                scope.push(u32::try_from(open.len()).unwrap() + 1, &start);
                open.push(element(&start, &scope)?);
            }
            Event::End(_) => {
                scope.pop(u32::try_from(open.len()).unwrap());
                let mut done = open.pop().ok_or("an end tag too many")?;
                let has_elements = done.children.iter().any(|c| matches!(c, Node::Element(_)));
                if has_elements {
                    done.children.retain(|c| !matches!(c, Node::Text(text) if text.trim().is_empty()));
                }
                match open.last_mut() {
                    Some(parent) => parent.children.push(Node::Element(done)),
                    None => return Ok(done),
                }
            }
            Event::Text(part) => add_text(&mut open, &part.xml10_content()),
            Event::CData(part) => add_text(&mut open, &part.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(|e| e.to_string())? {
                    Some(character) => character,
                    None => match reference.xml10_content().as_ref() {
                        "lt" => '<',
                        "gt" => '>',
                        "amp" => '&',
                        "quot" => '"',
                        "apos" => '\'',
                        other => return Err(format!("the entity {other}")),
                    },
                };
                add_text(&mut open, character.encode_utf8(&mut [0; 4]));
            }
            Event::Eof => return Err("it ends early".to_owned()),
            _ => {}
        }
    }
}

fn add_text(open: &mut [Element], text: &str) {
    let Some(element) = open.last_mut() else { return };
    match element.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => element.children.push(Node::Text(text.to_owned())),
    }
}

fn element(start: &BytesStart<'_>, scope: &Scope<'_>) -> Result<Element, String> {
    let qualified = |name: &str, default: bool| -> Result<(String, String), String> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if prefix.is_empty() && !default {
            return Ok((String::new(), local.to_owned()));
        }
        let uri = scope.uri(prefix).ok_or_else(|| format!("the prefix {prefix} is not declared"))?;
        Ok((uri.to_owned(), local.to_owned()))
    };
    let mut attributes = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let name = attribute.key.0;
        if name == "xmlns" || name.starts_with("xmlns:") {
            continue;
        }
        let name = qualified(name, false)?;
        if name.0 == XSI && name.1.ends_with("chemaLocation") {
            continue;
        }
        let value =
            attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|e| e.to_string())?.into_owned();
        attributes.insert(name, value);
    }
    Ok(Element { name: qualified(start.name().0, true)?, attributes, children: Vec::new(), scope: scope.outer() })
}

fn compare(original: &Element, written: &Element, path: &str) -> Option<String> {
    let path = format!("{path}/{}", original.name.1);
    if original.name != written.name {
        return Some(format!("{path} has become {{{}}}{}", written.name.0, written.name.1));
    }
    let type_name = (XSI.to_owned(), "type".to_owned());
    for (name, value) in &original.attributes {
        match written.attributes.get(name) {
            Some(found) if same(value, found, &original.scope, &written.scope) => {}
            Some(found) => return Some(format!("{path}/@{}: {value} has become {found}", name.1)),
            None if *name == type_name => {}
            None => return Some(format!("{path}/@{} is gone", name.1)),
        }
    }
    if let Some((name, _)) = written.attributes.iter().find(|(name, _)| !original.attributes.contains_key(*name)) {
        return Some(format!("{path}/@{} has been added", name.1));
    }
    let blank = |children: &[Node]| children.iter().all(|c| matches!(c, Node::Text(text) if text.trim().is_empty()));
    if blank(&original.children) && blank(&written.children) {
        return None;
    }
    let mut pairs = (original.children.iter(), written.children.iter());
    loop {
        match (pairs.0.next(), pairs.1.next()) {
            (None, None) => return None,
            (Some(Node::Element(a)), Some(Node::Element(b))) => {
                if let Some(difference) = compare(a, b, &path) {
                    return Some(difference);
                }
            }
            (Some(Node::Text(a)), Some(Node::Text(b))) if same(a, b, &original.scope, &written.scope) => {}
            (Some(Node::Text(a)), Some(Node::Text(b))) => return Some(format!("{path}: \"{a}\" has become \"{b}\"")),
            // An empty element stands for its default.
            (None, Some(Node::Text(_))) if original.children.is_empty() => return None,
            (a, b) => return Some(format!("{path}: {} has become {}", told(a), told(b))),
        }
    }
}

fn told(node: Option<&Node>) -> String {
    match node {
        None => "nothing".to_owned(),
        Some(Node::Text(text)) => format!("\"{text}\""),
        Some(Node::Element(element)) => format!("<{}>", element.name.1),
    }
}

/// Whether two texts are the same value of some type that XML Schema has.
fn same(a: &str, b: &str, a_scope: &Scope<'_>, b_scope: &Scope<'_>) -> bool {
    let (a_words, b_words): (Vec<_>, Vec<_>) =
        (a.split_ascii_whitespace().collect(), b.split_ascii_whitespace().collect());
    a == b && !a.contains(':')
        || a_words.len() == b_words.len()
            && a_words.iter().zip(&b_words).all(|(a, b)| same_word(a, b, a_scope, b_scope))
        || a_words.concat() == b_words.concat() && a_words.len() != b_words.len()
}

fn same_word(a: &str, b: &str, a_scope: &Scope<'_>, b_scope: &Scope<'_>) -> bool {
    fn equal<T: Simple + PartialEq>(a: &str, b: &str) -> bool {
        matches!((T::parse(a), T::parse(b)), (Ok(a), Ok(b)) if a == b)
    }
    let truth = |text: &str| match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    };
    let name = |text: &str, scope: &Scope<'_>| {
        let (prefix, local) = text.split_once(':').unwrap_or(("", text));
        scope.uri(prefix).map(|uri| (uri.to_owned(), local.to_owned()))
    };
    let names = (name(a, a_scope), name(b, b_scope));
    // What looks the same may be names in different namespaces.
    let other_name = a.contains(':') && matches!(&names, (Some(a), Some(b)) if a.0 != b.0);
    a == b && !other_name
        || a.eq_ignore_ascii_case(b) && a.bytes().all(|c| c.is_ascii_hexdigit())
        || truth(a).is_some_and(|a| truth(b) == Some(a))
        || equal::<Decimal>(a, b)
        || equal::<f64>(a, b)
        || equal::<DateTime>(a, b)
        || equal::<Date>(a, b)
        || equal::<Time>(a, b)
        || equal::<Duration>(a, b)
        || equal::<f32>(a, b)
        || matches!(names, (Some(a), Some(b)) if a == b)
}

#[test]
fn documents_are_compared_by_what_they_say() {
    let same = |a: &str, b: &str| assert_eq!(difference(a, b), None);
    same("<a x='1' y='2'/>", "<a y='2' x='1'></a>");
    same("<p:a xmlns:p='urn:x'><p:b>1.0</p:b></p:a>", "<a xmlns='urn:x'>\n<b>1</b>\n</a>");
    same("<a xmlns:p='urn:x'>p:b</a>", "<a xmlns:q='urn:x'>q:b</a>");
    for (a, b) in [
        ("<a/>", "<b/>"),
        ("<a/>", "<a xmlns='urn:x'/>"),
        ("<a x='1'/>", "<a/>"),
        ("<a><b/><c/></a>", "<a><c/><b/></a>"),
        ("<a>1</a>", "<a>2</a>"),
        ("<a>x<b/>y</a>", "<a>xy<b/></a>"),
        ("<a xmlns:p='urn:x'>p:b</a>", "<a xmlns:p='urn:y'>p:b</a>"),
    ] {
        assert!(difference(a, b).is_some(), "{a} {b}");
    }
}
