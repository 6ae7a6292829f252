//! `xs:QName` and `xs:NOTATION`: names whose prefix means the namespace in scope.

use super::simple::{Declare, Prefixes, Simple, Wrong, checked, simple_value, treated};
use crate::schema::{Facets, WhiteSpace};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A qualified name. In JSON it is written as `{namespace}local`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QName {
    /// Empty: none.
    pub namespace: String,
    pub local: String,
}

const NOT_A_NAME: &str = "is not a qualified name (prefix:local)";

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '\u{b7}') || c > '\u{2ff}')
}

impl fmt::Display for QName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.local)
        } else {
            write!(f, "{{{}}}{}", self.namespace, self.local)
        }
    }
}

impl Simple for QName {
    /// Reads `{namespace}local` or `local`.
    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        let (namespace, local) = match text.strip_prefix('{').and_then(|rest| rest.rsplit_once('}')) {
            Some((namespace, local)) => (namespace, local),
            None => ("", text),
        };
        if !is_name(local) {
            return Err("is not a qualified name ({namespace}local)".into());
        }
        Ok(Self { namespace: namespace.to_owned(), local: local.to_owned() })
    }

    fn append(&self, out: &mut String) {
        out.push_str(&self.to_string());
    }

    fn read_text(text: Cow<'_, str>, facets: &'static Facets, prefixes: &dyn Prefixes) -> Result<Self, Wrong> {
        let text = treated(text, WhiteSpace::Collapse);
        if text.starts_with('{') {
            // Patterns are for names with prefixes.
            let facets = if facets.patterns.is_empty() { facets } else { &Facets::NONE };
            return checked(Self::parse(&text).map_err(Wrong::value)?, &text, facets);
        }
        let (prefix, local) = text.split_once(':').unwrap_or(("", &text));
        if !is_name(local) || (!prefix.is_empty() && !is_name(prefix)) {
            return Err(Wrong::value(NOT_A_NAME));
        }
        let namespace = match prefixes.namespace(prefix) {
            Some(namespace) => namespace.to_owned(),
            None if prefix.is_empty() => String::new(),
            None => return Err(Wrong::value(format!("has the prefix \"{prefix}\", which is not declared"))),
        };
        checked(Self { namespace, local: local.to_owned() }, &text, facets)
    }

    fn write_text(&self, out: &mut String, prefixes: &mut dyn Declare) {
        match prefixes.prefix(&self.namespace) {
            Some(prefix) if prefix.is_empty() => out.push_str(&self.local),
            Some(prefix) => {
                out.push_str(&prefix);
                out.push(':');
                out.push_str(&self.local);
            }
            None => self.append(out),
        }
    }

    /// How long a prefix is says nothing (XSD 1.0, erratum E2-36).
    fn length(&self, _lexical: &str) -> Option<usize> {
        None
    }

    fn compare(&self, bound: &str) -> Option<Ordering> {
        // An enumeration has names as its schema writes them, whose prefixes are not known here.
        let local = bound.rsplit([':', '}']).next().unwrap_or(bound);
        (local == self.local).then_some(Ordering::Equal)
    }
}

simple_value!(QName);

#[cfg(test)]
mod tests {
    use super::*;

    struct One;

    impl Prefixes for One {
        fn namespace(&self, prefix: &str) -> Option<&str> {
            (prefix == "p").then_some("urn:x")
        }
    }

    #[test]
    fn a_prefix_means_what_is_in_scope() {
        let read = |text: &str| QName::read_text(text.into(), &Facets::NONE, &One);
        assert_eq!(read(" p:a ").unwrap(), QName { namespace: "urn:x".into(), local: "a".into() });
        assert_eq!(read("a").unwrap(), QName { namespace: String::new(), local: "a".into() });
        assert!(read("q:a").unwrap_err().why.contains("not declared"));
        assert!(read("1:a").is_err());
        assert_eq!(QName::parse("{urn:x}a").unwrap().lexical(), "{urn:x}a");
    }
}
