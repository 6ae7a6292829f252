//! What generated code says of a contract, and the two interfaces it is written against.
//!
//! Generated types implement [`Value`] once; a [`Source`] (XML text or JSON) reads them and a [`Sink`] writes them.

use crate::problem::ReadError;
use crate::value::Simple;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// A namespace of a contract with the prefix that it is written with.
#[derive(Debug, PartialEq, Eq)]
pub struct Namespace {
    pub prefix: &'static str,
    pub uri: &'static str,
}

/// `minOccurs` and `maxOccurs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurs {
    pub min: u32,
    /// `u32::MAX` is `unbounded`.
    pub max: u32,
}

/// An element or attribute of a generated type.
#[derive(Debug)]
pub struct Field {
    /// The namespace URI; empty for an unqualified name.
    pub namespace: &'static str,
    /// The local name in XML.
    pub local: &'static str,
    /// The name with its prefix, as it is written.
    pub tag: &'static str,
    /// The member name in JSON.
    pub json: &'static str,
    pub occurs: Occurs,
    pub facets: &'static Facets,
}

impl Field {
    /// An element or attribute that occurs once, with its JSON member named as in XML.
    pub const fn new(namespace: &'static str, local: &'static str, tag: &'static str) -> Self {
        Self { namespace, local, tag, json: local, occurs: Occurs { min: 1, max: 1 }, facets: &Facets::NONE }
    }

    #[must_use]
    pub const fn occurs(mut self, min: u32, max: u32) -> Self {
        self.occurs = Occurs { min, max };
        self
    }

    #[must_use]
    pub const fn json(mut self, json: &'static str) -> Self {
        self.json = json;
        self
    }

    #[must_use]
    pub const fn facets(mut self, facets: &'static Facets) -> Self {
        self.facets = facets;
        self
    }
}

/// How white space in a value is treated before it is looked at (XSD part 2, section 4.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhiteSpace {
    Preserve,
    Replace,
    Collapse,
}

/// The facets of a simple type with those of its bases (XSD part 2, section 4.3).
#[derive(Debug)]
pub struct Facets {
    pub length: Option<u32>,
    pub min_length: Option<u32>,
    pub max_length: Option<u32>,
    /// Each step of derivation has its alternatives; a value must match one of every step.
    pub patterns: &'static [&'static [&'static str]],
    pub enumeration: &'static [&'static str],
    pub min_inclusive: Option<&'static str>,
    pub max_inclusive: Option<&'static str>,
    pub min_exclusive: Option<&'static str>,
    pub max_exclusive: Option<&'static str>,
    pub total_digits: Option<u32>,
    pub fraction_digits: Option<u32>,
    /// None: as the built-in type has it.
    pub white_space: Option<WhiteSpace>,
}

impl Facets {
    pub const NONE: Self = Self {
        length: None,
        min_length: None,
        max_length: None,
        patterns: &[],
        enumeration: &[],
        min_inclusive: None,
        max_inclusive: None,
        min_exclusive: None,
        max_exclusive: None,
        total_digits: None,
        fraction_digits: None,
        white_space: None,
    };

    /// A text whose white space is collapsed, such as `xs:token`.
    pub const COLLAPSED: Self = Self { white_space: Some(WhiteSpace::Collapse), ..Self::NONE };

    /// Checks a value against the facets; `lexical` is its text after white space was treated.
    ///
    /// # Errors
    /// A sentence that names the facet.
    pub fn check<T: Simple>(&self, value: &T, lexical: &str) -> Result<(), String> {
        if self.length.is_some() || self.min_length.is_some() || self.max_length.is_some() {
            self.check_length(value.length(lexical))?;
        }
        for alternatives in self.patterns {
            if !alternatives.iter().any(|pattern| pattern_matches(pattern, lexical)) {
                return Err(format!("does not match the pattern {}", alternatives.join(" | ")));
            }
        }
        if !self.enumeration.is_empty() && !self.enumeration.contains(&lexical) {
            return Err(format!("is none of the enumeration {}", self.enumeration.join(", ")));
        }
        self.check_bounds(value)?;
        if self.total_digits.is_some() || self.fraction_digits.is_some() {
            self.check_digits(lexical)?;
        }
        Ok(())
    }

    fn check_length(&self, length: usize) -> Result<(), String> {
        let limit = |facet: Option<u32>| facet.map(|f| f as usize);
        match () {
            () if limit(self.length).is_some_and(|l| length != l) => {
                Err(format!("is {length} long, but length is {}", self.length.unwrap_or_default()))
            }
            () if limit(self.min_length).is_some_and(|l| length < l) => {
                Err(format!("is {length} long, shorter than minLength {}", self.min_length.unwrap_or_default()))
            }
            () if limit(self.max_length).is_some_and(|l| length > l) => {
                Err(format!("is {length} long, longer than maxLength {}", self.max_length.unwrap_or_default()))
            }
            () => Ok(()),
        }
    }

    fn check_bounds<T: Simple>(&self, value: &T) -> Result<(), String> {
        let against = |bound: Option<&'static str>| bound.and_then(|b| Some((b, value.compare(b)?)));
        if let Some((bound, Ordering::Less)) = against(self.min_inclusive) {
            return Err(format!("is less than minInclusive {bound}"));
        }
        if let Some((bound, Ordering::Greater)) = against(self.max_inclusive) {
            return Err(format!("is greater than maxInclusive {bound}"));
        }
        if let Some((bound, Ordering::Less | Ordering::Equal)) = against(self.min_exclusive) {
            return Err(format!("is not greater than minExclusive {bound}"));
        }
        if let Some((bound, Ordering::Greater | Ordering::Equal)) = against(self.max_exclusive) {
            return Err(format!("is not less than maxExclusive {bound}"));
        }
        Ok(())
    }

    fn check_digits(&self, lexical: &str) -> Result<(), String> {
        let digits = lexical.trim_start_matches(['+', '-']);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        if let Some(most) = self.fraction_digits
            && fraction.len() > most as usize
        {
            return Err(format!("has {} decimal places, more than fractionDigits {most}", fraction.len()));
        }
        if let Some(most) = self.total_digits
            && whole.len() + fraction.len() > most as usize
        {
            return Err(format!("has {} digits, more than totalDigits {most}", whole.len() + fraction.len()));
        }
        Ok(())
    }
}

/// Whether the whole text matches an XSD regular expression (part 2, appendix F).
fn pattern_matches(pattern: &'static str, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<&'static str, Option<regex::Regex>>>> = LazyLock::new(Mutex::default);
    let Ok(mut compiled) = COMPILED.lock() else { return true };
    match compiled.entry(pattern).or_insert_with(|| regex::Regex::new(&translated(pattern)).ok()) {
        Some(regex) => regex.is_match(text),
        // An expression that cannot be translated is left to libxml2.
        None => true,
    }
}

/// An XSD regular expression in the syntax of the `regex` crate.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    out.push_str("^(?s:");
    let mut chars = pattern.chars().peekable();
    let mut in_class = 0;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('i') => out.push_str(if in_class > 0 { "\\p{L}_:" } else { "[\\p{L}_:]" }),
                Some('c') => out.push_str(if in_class > 0 { "\\p{L}\\p{N}\\-._:" } else { "[\\p{L}\\p{N}\\-._:]" }),
                Some('I') => out.push_str("[^\\p{L}_:]"),
                Some('C') => out.push_str("[^\\p{L}\\p{N}\\-._:]"),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push_str("\\\\"),
            },
            '[' => {
                in_class += 1;
                out.push('[');
            }
            ']' => {
                in_class -= 1;
                out.push(']');
            }
            '-' if in_class > 0 && chars.peek() == Some(&'[') => out.push_str("--"),
            '.' if in_class == 0 => out.push_str("[^\\n\\r]"),
            '^' if in_class == 0 => out.push_str("\\^"),
            '$' => out.push_str("\\$"),
            '&' | '~' if in_class > 0 => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out.push_str(")$");
    out
}

/// A type of a contract: readable from any source, writable to any sink.
pub trait Value: Sized {
    /// Reads the value of the element or member that the source has entered.
    ///
    /// # Errors
    /// Where and why the input is not of this type.
    fn read<S: Source>(source: &mut S, facets: &'static Facets) -> Result<Self, Box<ReadError>>;

    /// Writes the value into the element or member that the sink has opened.
    fn write<K: Sink>(&self, sink: &mut K);
}

/// One of several elements: an enum with a variant for each.
pub trait Choice: Sized {
    /// The elements, in the order of the variants.
    const BRANCHES: &'static [&'static Field];

    /// Reads the branch with that index.
    ///
    /// # Errors
    /// As [`Value::read`].
    fn read_branch<S: Source>(source: &mut S, branch: usize) -> Result<Self, Box<ReadError>>;

    /// Writes the element.
    fn write_branch<K: Sink>(&self, sink: &mut K);
}

/// Where a value is read from.
pub trait Source: Sized {
    /// Starts a value with fields.
    ///
    /// # Errors
    /// If there is no such value here.
    fn begin(&mut self) -> Result<(), Box<ReadError>>;

    /// An element that must be there.
    ///
    /// # Errors
    /// If it is missing, or wrong.
    fn required<T: Value>(&mut self, field: &'static Field) -> Result<T, Box<ReadError>>;

    /// An element that may be there.
    ///
    /// # Errors
    /// If it is wrong.
    fn optional<T: Value>(&mut self, field: &'static Field) -> Result<Option<T>, Box<ReadError>>;

    /// An element that may repeat.
    ///
    /// # Errors
    /// If one is wrong, or there are too few or too many.
    fn repeated<T: Value>(&mut self, field: &'static Field) -> Result<Vec<T>, Box<ReadError>>;

    /// One of several elements; `name` is what a person calls the choice.
    ///
    /// # Errors
    /// If it is wrong.
    fn choice<T: Choice>(&mut self) -> Result<Option<T>, Box<ReadError>>;

    /// Several of several elements, in order. In JSON an array of one-member objects named by the field.
    ///
    /// # Errors
    /// If one is wrong, or there are too few or too many.
    fn choices<T: Choice>(&mut self, field: &'static Field) -> Result<Vec<T>, Box<ReadError>>;

    /// Elements of a wildcard, kept as XML.
    ///
    /// # Errors
    /// If they are not well-formed.
    fn any(&mut self, field: &'static Field) -> Result<Vec<crate::value::XmlFragment>, Box<ReadError>>;

    /// An attribute.
    ///
    /// # Errors
    /// If its value is wrong.
    fn attribute<T: Simple>(&mut self, field: &'static Field) -> Result<Option<T>, Box<ReadError>>;

    /// An attribute that must be there.
    ///
    /// # Errors
    /// If it is missing, or its value is wrong.
    fn required_attribute<T: Simple>(&mut self, field: &'static Field) -> Result<T, Box<ReadError>>;

    /// The text of an element that has attributes as well (`simpleContent`).
    ///
    /// # Errors
    /// If it is wrong.
    fn text<T: Simple>(&mut self, facets: &'static Facets) -> Result<T, Box<ReadError>>;

    /// The value of an element that is nothing but a value.
    ///
    /// # Errors
    /// If it is wrong.
    fn content<T: Simple>(&mut self, facets: &'static Facets) -> Result<T, Box<ReadError>>;

    /// Whether the element entered is nil.
    ///
    /// # Errors
    /// If `xsi:nil` is no boolean.
    fn nil(&mut self) -> Result<bool, Box<ReadError>>;
}

/// What a value is written to.
pub trait Sink: Sized {
    /// Starts a value with fields.
    fn begin(&mut self);

    /// Ends it.
    fn end(&mut self);

    fn element<T: Value>(&mut self, field: &'static Field, value: &T);

    fn optional<T: Value>(&mut self, field: &'static Field, value: Option<&T>) {
        if let Some(value) = value {
            self.element(field, value);
        }
    }

    fn repeated<T: Value>(&mut self, field: &'static Field, values: &[T]);

    fn choice<T: Choice>(&mut self, value: Option<&T>) {
        if let Some(value) = value {
            value.write_branch(self);
        }
    }

    fn choices<T: Choice>(&mut self, field: &'static Field, values: &[T]);

    fn any(&mut self, field: &'static Field, fragments: &[crate::value::XmlFragment]);

    fn attribute<T: Simple>(&mut self, field: &'static Field, value: Option<&T>);

    fn text<T: Simple>(&mut self, value: &T);

    fn content<T: Simple>(&mut self, value: &T);

    fn nil(&mut self);
}

/// A choice that must be made.
///
/// # Errors
/// If none of its elements is there, or it is wrong.
pub fn required_choice<T: Choice, S: Source>(source: &mut S) -> Result<T, Box<ReadError>> {
    match source.choice()? {
        Some(value) => Ok(value),
        // Asking for the first says what is missing, and where.
        None => match T::BRANCHES.first() {
            Some(_) => T::read_branch(source, 0),
            None => Err(ReadError::new(crate::ReadErrorKind::Missing, "a choice has no elements")),
        },
    }
}

/// Makes a generated enumeration a simple type.
#[macro_export]
macro_rules! enumeration {
    ($name:ident) => {
        impl $crate::Simple for $name {
            fn parse(text: &str) -> Result<Self, std::borrow::Cow<'static, str>> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let values: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    format!("is none of the enumeration {}", values.join(", ")).into()
                })
            }

            fn append(&self, out: &mut String) {
                out.push_str(self.as_str());
            }
        }

        impl $crate::Value for $name {
            fn read<S: $crate::Source>(
                source: &mut S,
                facets: &'static $crate::Facets,
            ) -> Result<Self, Box<$crate::ReadError>> {
                source.content(facets)
            }

            fn write<K: $crate::Sink>(&self, sink: &mut K) {
                sink.content(self);
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xsd_patterns_match_whole_values() {
        assert!(pattern_matches("[A-Z]{2}-\\d+", "CH-12"));
        assert!(!pattern_matches("[A-Z]{2}-\\d+", "CH-12x"));
        assert!(pattern_matches("[a-z-[aeiou]]+", "xyz"));
        assert!(!pattern_matches("[a-z-[aeiou]]+", "xaz"));
        assert!(pattern_matches("\\i\\c*", "_a-1"));
        assert!(pattern_matches("a$b", "a$b"));
    }

    #[test]
    fn digits_are_counted_without_padding_zeros() {
        let facets = Facets { total_digits: Some(5), fraction_digits: Some(2), ..Facets::NONE };
        assert!(facets.check_digits("00123.4500").is_ok());
        assert!(facets.check_digits("1.234").unwrap_err().contains("fractionDigits 2"));
        assert!(facets.check_digits("12345.6").unwrap_err().contains("totalDigits 5"));
    }
}
