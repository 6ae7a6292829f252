//! Namespaces in scope.

use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// Prefixes and what they mean, innermost last.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    bindings: Vec<Binding<'a>>,
}

/// Whether a prefix stands anywhere in a text, and not as a part of another name or of an address.
fn uses(text: &str, prefix: &str) -> bool {
    text.match_indices(&format!("{prefix}:")).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, ':' | '-' | '_' | '.')))
    })
}

#[derive(Clone, Debug)]
struct Binding<'a> {
    depth: u32,
    prefix: Cow<'a, str>,
    uri: Cow<'a, str>,
}

impl<'a> Scope<'a> {
    /// Takes in the declarations of a start tag.
    pub fn push(&mut self, depth: u32, start: &BytesStart<'_>) {
        if !start.attributes_raw().contains("xmlns") {
            return;
        }
        for attribute in start.attributes().flatten() {
            let name = attribute.key.0;
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) => match rest.strip_prefix(':') {
                    Some(prefix) => prefix,
                    None => continue,
                },
                None => continue,
            };
            let prefix = Cow::Owned(prefix.to_owned());
            let uri = match quick_xml::escape::unescape(&attribute.value) {
                Ok(uri) => Cow::Owned(uri.into_owned()),
                Err(_) => Cow::Owned(attribute.value.into_owned()),
            };
            self.bindings.push(Binding { depth, prefix, uri });
        }
    }

    /// Forgets the declarations of the element at that depth.
    pub fn pop(&mut self, depth: u32) {
        while self.bindings.last().is_some_and(|b| b.depth >= depth) {
            self.bindings.pop();
        }
    }

    /// What a prefix means; the empty prefix is the default namespace.
    pub fn uri(&self, prefix: &str) -> Option<&str> {
        match self.bindings.iter().rev().find(|b| b.prefix == prefix) {
            Some(binding) => Some(&binding.uri),
            None if prefix.is_empty() => Some(""),
            None if prefix == "xml" => Some("http://www.w3.org/XML/1998/namespace"),
            None => None,
        }
    }

    /// All prefixes in scope with what they mean.
    pub fn in_scope(&self) -> Vec<(&str, &str)> {
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for binding in self.bindings.iter().rev() {
            if !seen.iter().any(|(prefix, _)| *prefix == binding.prefix) {
                seen.push((&binding.prefix, &binding.uri));
            }
        }
        seen
    }

    /// An element that stands in this scope, as text of its own with all namespaces declared that it uses.
    pub fn standalone(&self, element: &str, start: &BytesStart<'_>) -> String {
        let name_end = 1 + start.name().0.len();
        let declared: Vec<String> = start.attributes().flatten().map(|a| a.key.0.to_owned()).collect();
        let mut out = element[..name_end].to_owned();
        for (prefix, uri) in self.in_scope() {
            let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
            let is_undeclared = prefix.is_empty() && uri.is_empty();
            // A prefix may be used in values as well as in names.
            let is_used = prefix.is_empty() || uses(element, prefix);
            if is_used && !is_undeclared && !declared.contains(&name) {
                out.push_str(&format!(" {name}=\""));
                super::escape_attribute(uri, &mut out);
                out.push('"');
            }
        }
        out.push_str(&element[name_end..]);
        out
    }

    /// An element at that depth in this scope, which has its declarations already, as text of its own.
    pub fn within(&self, element: &str, depth: u32) -> String {
        let outer = Scope { bindings: self.bindings.iter().filter(|b| b.depth < depth).cloned().collect() };
        let mut reader = quick_xml::Reader::from_str(element);
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => outer.standalone(element, &start),
            _ => element.to_owned(),
        }
    }

    /// The same bindings, on their own and outside of every element to come.
    pub fn outer(&self) -> Scope<'static> {
        let own = |(prefix, uri): (&str, &str)| Binding {
            depth: 0,
            prefix: Cow::Owned(prefix.to_owned()),
            uri: Cow::Owned(uri.to_owned()),
        };
        Scope { bindings: self.in_scope().into_iter().map(own).collect() }
    }
}
