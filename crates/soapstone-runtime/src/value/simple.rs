//! Simple values: those that are written as text.

use crate::schema::WhiteSpace;
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

    /// What the length facets count: characters, or octets of binary types.
    fn length(&self, lexical: &str) -> usize {
        lexical.chars().count()
    }

    /// Compares with a bound of a facet.
    fn compare(&self, _bound: &str) -> Option<Ordering> {
        None
    }

    /// The text.
    fn lexical(&self) -> String {
        let mut out = String::new();
        self.append(&mut out);
        out
    }
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

fn collapsed(text: &str) -> String {
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

/// Simple types are values: an element with nothing but their text.
macro_rules! simple_value {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::Value for $type {
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
    )*};
}
pub(crate) use simple_value;

simple_value!(String, bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

/// `xs:list`: items separated by white space.
impl<T: Simple> Simple for Vec<T> {
    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        text.split(' ').filter(|item| !item.is_empty()).map(T::parse).collect()
    }

    fn append(&self, out: &mut String) {
        for (i, item) in self.iter().enumerate() {
            if i > 0 {
                out.push(' ');
            }
            item.append(out);
        }
    }

    fn length(&self, _lexical: &str) -> usize {
        self.len()
    }
}

impl<T: Simple> crate::Value for Vec<T> {
    fn read<S: crate::Source>(source: &mut S, facets: &'static crate::Facets) -> Result<Self, Box<crate::ReadError>> {
        source.content(facets)
    }

    fn write<K: crate::Sink>(&self, sink: &mut K) {
        sink.content(self);
    }
}

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
