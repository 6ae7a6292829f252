//! Names of contracts as names of Rust: its style, its keywords, no collisions, stable when the contract grows.

use std::collections::HashMap;

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Type names that generated code uses itself.
const TAKEN_TYPES: &[&str] = &[
    "Self",
    "Box",
    "Option",
    "Vec",
    "String",
    "Result",
    "Ok",
    "Err",
    "Some",
    "None",
    "Into",
    "Future",
    "Default",
    "Clone",
    "Debug",
    "PartialEq",
    "Eq",
    "Hash",
    "Send",
    "Sync",
    "Copy",
    "PartialOrd",
    "Ord",
    "From",
    "Iterator",
];

/// A character that names in Rust cannot have, or had better not: it is written as its number.
fn is_exotic(c: char) -> bool {
    !c.is_ascii() && !('\u{c0}'..='\u{24f}').contains(&c) && !('\u{370}'..='\u{4ff}').contains(&c)
}

/// The words of a name: at changes of case, digits kept with their word, other characters dropped.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let chars: Vec<char> = name.chars().collect();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() && !is_exotic(c) {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let previous = i.checked_sub(1).map(|p| chars[p]);
        let next_is_lower = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        let starts = c.is_uppercase()
            && previous.is_some_and(|p| p.is_lowercase() || (next_is_lower && (p.is_numeric() || p.is_uppercase())));
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if is_exotic(c) {
            word.push_str(&format!("u{:x}", u32::from(c)));
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `ArticleGroup` for `articleGroup`.
pub fn type_name(name: &str) -> String {
    let mut out = String::new();
    for word in words(name) {
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            out.extend(first.to_uppercase());
            let rest: String = chars.collect();
            let acronym = word.len() > 1 && word.chars().all(|c| c.is_uppercase() || c.is_numeric());
            out.push_str(&if acronym { rest.to_lowercase() } else { rest });
        }
    }
    if out.is_empty() || out.starts_with(|c: char| c.is_numeric()) {
        out.insert(0, 'N');
    }
    if TAKEN_TYPES.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// `article_group` for `articleGroup`.
pub fn field_name(name: &str) -> String {
    let mut out = words(name).iter().map(|w| w.to_lowercase()).collect::<Vec<_>>().join("_");
    if out.is_empty() || out.starts_with(|c: char| c.is_numeric()) {
        out.insert_str(0, "n_");
    }
    if KEYWORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// `ARTICLE_GROUP` for `articleGroup`.
pub(crate) fn constant_name(name: &str) -> String {
    field_name(name).trim_end_matches('_').to_uppercase()
}

/// The module of a namespace: its last telling part, `catalog` for `urn:soapstone:catalog/v1`.
pub fn module_name(namespace: &str) -> String {
    let is_version = |part: &str| {
        let digits = part.trim_start_matches(['v', 'V']);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '_'))
    };
    let parts: Vec<&str> =
        namespace.split(['/', ':', '#', '?']).filter(|p| !p.is_empty() && *p != "http" && *p != "https").collect();
    let telling = parts.iter().rev().find(|p| !is_version(p)).copied().unwrap_or("unqualified");
    // A host name tells by its first label.
    let telling = if telling.contains('.') && parts.len() == 1 {
        telling.split('.').find(|p| *p != "www").unwrap_or(telling)
    } else {
        telling
    };
    field_name(telling.split('.').next().unwrap_or(telling))
}

/// Hands out names that do not collide.
#[derive(Debug, Default)]
pub(crate) struct Unique(HashMap<String, usize>);

impl Unique {
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn take(&mut self, wanted: String) -> String {
        let count = self.0.entry(wanted.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            return wanted;
        }
        let mut number = *count;
        loop {
            let candidate = format!("{wanted}{number}");
            if !self.0.contains_key(&candidate) {
                self.0.insert(candidate.clone(), 1);
                return candidate;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_style_of_rust() {
        assert_eq!(type_name("upsertArticles"), "UpsertArticles");
        assert_eq!(type_name("BUYER_PARTY"), "BuyerParty");
        assert_eq!(type_name("HTTPHeader"), "HttpHeader");
        assert_eq!(type_name("3D"), "N3d");
        assert_eq!(field_name("changedSince"), "changed_since");
        assert_eq!(field_name("type"), "type_");
        assert_eq!(field_name("Größe-cm"), "größe_cm");
        assert_eq!(field_name("SKU"), "sku");
        assert_eq!(module_name("urn:soapstone:catalog/v1"), "catalog");
        assert_eq!(module_name("http://www.example.com/schema/2.0/"), "schema");
        assert_eq!(module_name("http://www.example.com"), "example");
    }

    #[test]
    fn colliding_names_are_numbered() {
        let mut unique = Unique::default();
        assert_eq!(unique.take("A".into()), "A");
        assert_eq!(unique.take("A".into()), "A2");
        assert_eq!(unique.take("A2".into()), "A22");
    }
}
