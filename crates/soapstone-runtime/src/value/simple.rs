//! Simple values: those that are written as text.

use crate::attachment::Content;
use crate::schema::{Facets, WhiteSpace};
use std::borrow::Cow;
use std::cmp::Ordering;

/// How a simple value stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    String,
    /// A string of digits, so that none is lost; numbers are read as well.
    Digits,
    /// A number; exact strings are read as well.
    Number,
    Boolean,
    /// A string, number or boolean, whatever the text is: unions.
    Any,
    /// An array of such values; one string with blanks between them is read as well.
    List(&'static JsonKind),
}

/// What namespaces the prefixes of QName values mean.
pub trait Prefixes {
    /// None: the prefix is not declared.
    fn namespace(&self, prefix: &str) -> Option<&str>;
}

/// Where no prefix means anything: JSON.
pub struct NoPrefixes;

impl Prefixes for NoPrefixes {
    fn namespace(&self, _prefix: &str) -> Option<&str> {
        None
    }
}

/// Finds prefixes for the namespaces of QName values, and declares them.
pub trait Declare {
    /// None: names are written with their namespace in braces (JSON).
    fn prefix(&mut self, namespace: &str) -> Option<String>;
}

/// Why a text is no value of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Whether it is a facet that forbids it.
    pub facet: bool,
    pub why: Cow<'static, str>,
}

impl Wrong {
    /// The text is no such value.
    pub fn value(why: impl Into<Cow<'static, str>>) -> Self {
        Self { facet: false, why: why.into() }
    }
}

/// The value, if its facets allow it; `lexical` is its text after white space was treated.
///
/// # Errors
/// The facet that does not.
pub fn checked<T: Simple>(value: T, lexical: &str, facets: &'static Facets) -> Result<T, Wrong> {
    if !std::ptr::eq(facets, &Facets::NONE) {
        facets.check(&value, lexical).map_err(|why| Wrong { facet: true, why: why.into() })?;
    }
    Ok(value)
}

/// A type whose values are text in XML.
pub trait Simple: Sized {
    /// How its white space is treated where no facet says otherwise.
    const WHITE_SPACE: WhiteSpace = WhiteSpace::Collapse;

    /// How it is written in JSON.
    const JSON: JsonKind = JsonKind::String;

    /// Reads the text, its white space already treated.
    ///
    /// # Errors
    /// A sentence on why the text is no such value.
    fn parse(text: &str) -> Result<Self, Cow<'static, str>>;

    /// Appends the text, without escapes.
    fn append(&self, out: &mut String);

    /// What the length facets count: characters, octets of binary types, items of lists. None: they do not count.
    fn length(&self, lexical: &str) -> Option<usize> {
        Some(lexical.chars().count())
    }

    /// Compares with a bound of a facet.
    fn compare(&self, _bound: &str) -> Option<Ordering> {
        None
    }

    /// Reads the text as it stands in a document, white space and all, and checks its facets.
    ///
    /// # Errors
    /// Why it is no such value.
    fn read_text(text: Cow<'_, str>, facets: &'static Facets, _prefixes: &dyn Prefixes) -> Result<Self, Wrong> {
        let text = treated(text, facets.white_space.unwrap_or(Self::WHITE_SPACE));
        let value = Self::parse(&text).map_err(Wrong::value)?;
        checked(value, &text, facets)
    }

    /// Appends the text, declaring what namespaces it needs.
    fn write_text(&self, out: &mut String, _prefixes: &mut dyn Declare) {
        self.append(out);
    }

    /// The value whose bytes stand outside of the envelope (XOP); None: only binary values can.
    fn from_content(_content: &Content) -> Option<Self> {
        None
    }

    /// The bytes that may stand outside of the envelope.
    fn as_content(&self) -> Option<&Content> {
        None
    }

    /// The text.
    fn lexical(&self) -> String {
        let mut out = String::new();
        self.append(&mut out);
        out
    }
}

/// Whether a value is the only one that there may be.
pub(crate) fn is_fixed<T: Simple>(value: &T, text: &str, fixed: &str, facets: &Facets) -> bool {
    // A schema's own attributes have their line breaks made blanks.
    let white_space = match facets.white_space.unwrap_or(T::WHITE_SPACE) {
        WhiteSpace::Preserve => WhiteSpace::Replace,
        other => other,
    };
    treated(Cow::Borrowed(text), white_space) == treated(Cow::Borrowed(fixed), white_space)
        || value.compare(fixed.trim()) == Some(Ordering::Equal)
}

/// White space as the facet wants it.
pub(crate) fn treated(text: Cow<'_, str>, white_space: WhiteSpace) -> Cow<'_, str> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    match white_space {
        WhiteSpace::Preserve => text,
        WhiteSpace::Replace if text.contains(['\t', '\n', '\r']) => text.replace(['\t', '\n', '\r'], " ").into(),
        WhiteSpace::Replace => text,
        WhiteSpace::Collapse => {
            let inner_runs = |t: &str| {
                t.bytes().any(|b| matches!(b, b'\t' | b'\n' | b'\r')) || t.as_bytes().windows(2).any(|w| w == b"  ")
            };
            match text {
                Cow::Borrowed(text) => {
                    let trimmed = text.trim_matches(is_space);
                    if inner_runs(trimmed) { collapsed(trimmed).into() } else { trimmed.into() }
                }
                Cow::Owned(text) => {
                    let trimmed = text.trim_matches(is_space);
                    if trimmed.len() == text.len() && !inner_runs(trimmed) {
                        return text.into();
                    }
                    collapsed(trimmed).into()
                }
            }
        }
    }
}

/// A text with white space collapsed: none around it, and each run within it one space (XSD part 2, 4.3.6).
pub fn collapsed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split([' ', '\t', '\n', '\r']).filter(|w| !w.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

impl Simple for String {
    const WHITE_SPACE: WhiteSpace = WhiteSpace::Preserve;

    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        Ok(text.to_owned())
    }

    fn append(&self, out: &mut String) {
        out.push_str(self);
    }
}

impl Simple for bool {
    const JSON: JsonKind = JsonKind::Boolean;

    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("is not a boolean (true, false, 1 or 0)".into()),
        }
    }

    fn append(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn compare(&self, bound: &str) -> Option<Ordering> {
        Some(self.cmp(&Self::parse(bound).ok()?))
    }
}

macro_rules! integers {
    ($($type:ty, $json:expr, $what:literal;)*) => {$(
        impl Simple for $type {
            const JSON: JsonKind = $json;

            fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
                text.parse().map_err(|_| concat!("is not a whole number of type ", $what).into())
            }

            fn append(&self, out: &mut String) {
                use std::fmt::Write;
                let _ = write!(out, "{self}");
            }

            fn compare(&self, bound: &str) -> Option<Ordering> {
                let bound: i128 = bound.trim_start_matches('+').parse().ok()?;
                Some(i128::from(*self).cmp(&bound))
            }
        }
    )*};
}

// Beyond 2^53 JSON's numbers are not exact in every reader, so 64-bit integers are strings.
integers! {
    i8, JsonKind::Number, "byte (-128 to 127)";
    i16, JsonKind::Number, "short (-32768 to 32767)";
    i32, JsonKind::Number, "int (-2147483648 to 2147483647)";
    i64, JsonKind::Number, "long (64 bits)";
    u8, JsonKind::Number, "unsignedByte (0 to 255)";
    u16, JsonKind::Number, "unsignedShort (0 to 65535)";
    u32, JsonKind::Number, "unsignedInt (0 to 4294967295)";
    u64, JsonKind::Number, "unsignedLong (64 bits, not negative)";
}

macro_rules! floats {
    ($($type:ty, $what:literal;)*) => {$(
        impl Simple for $type {
            const JSON: JsonKind = JsonKind::Number;

            fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
                match text {
                    "INF" => Ok(Self::INFINITY),
                    "-INF" => Ok(Self::NEG_INFINITY),
                    "NaN" => Ok(Self::NAN),
                    // Rust reads "inf" and "nan" as well; XSD does not.
                    _ if text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) => {
                        text.parse().map_err(|_| concat!("is not a ", $what).into())
                    }
                    _ => Err(concat!("is not a ", $what).into()),
                }
            }

            fn append(&self, out: &mut String) {
                use std::fmt::Write;
                let _ = match () {
                    () if self.is_nan() => write!(out, "NaN"),
                    () if *self == Self::INFINITY => write!(out, "INF"),
                    () if *self == Self::NEG_INFINITY => write!(out, "-INF"),
                    () => write!(out, "{self:?}"),
                };
            }

            fn compare(&self, bound: &str) -> Option<Ordering> {
                self.partial_cmp(&Self::parse(bound).ok()?)
            }
        }
    )*};
}

floats! { f32, "float"; f64, "double"; }

/// Makes simple types values: an element with nothing but their text.
#[macro_export]
macro_rules! simple_value {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::Value for $type {
            fn read<S: $crate::Source>(
                source: &mut S,
                field: &'static $crate::Field,
            ) -> Result<Self, Box<$crate::ReadError>> {
                source.content(field)
            }

            fn write<K: $crate::Sink>(&self, sink: &mut K) {
                sink.content(self);
            }
        }
    )*};
}
pub(crate) use simple_value;

simple_value!(String, bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_collapses() {
        assert_eq!(treated("  a \n b ".into(), WhiteSpace::Collapse), "a b");
        assert_eq!(treated("a\tb".into(), WhiteSpace::Replace), "a b");
        assert_eq!(treated(" a ".into(), WhiteSpace::Preserve), " a ");
    }

    #[test]
    fn doubles_keep_their_special_values() {
        for text in ["INF", "-INF", "NaN", "-0.0", "1e300"] {
            assert_eq!(f64::parse(text).unwrap().lexical(), text);
        }
        assert!(f64::parse("inf").is_err());
        assert!(f64::parse("infinity").is_err());
    }

    #[test]
    fn integers_do_not_overflow() {
        assert!(i32::parse("2147483648").is_err());
        assert_eq!(i32::parse("+7").unwrap(), 7);
        assert_eq!(5_i32.compare("5"), Some(Ordering::Equal));
    }
}
