//! What generated code says of a contract, and the two interfaces it is written against.
//!
//! Generated types implement [`Value`] once; a [`Source`] (XML text or JSON) reads them and a [`Sink`] writes them.

mod facets;
mod field;
mod pattern;
mod sink;
mod source;

pub use facets::{Facets, WhiteSpace};
pub use field::{Beginning, Field, Group, Namespace, Occurs, Start, TEXT_MEMBER, TypeName, Wildcard};
pub use pattern::Pattern;
pub use sink::Sink;
pub(crate) use source::allowed;
pub use source::{Particles, Source, Typed, Value};

/// Makes a generated enumeration a simple type: its variants with the values that they are written as.
#[macro_export]
macro_rules! enumeration {
    ($name:ident { $($variant:ident = $value:literal),* $(,)? }) => {
        impl $name {
            /// All values, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value as it is written.
            pub fn as_str(self) -> &'static str {
                const VALUES: &[&str] = &[$($value),*];
                VALUES[self as usize]
            }
        }

        impl $crate::Simple for $name {
            fn parse(text: &str) -> Result<Self, std::borrow::Cow<'static, str>> {
                match text {
                    $($value => Ok(Self::$variant),)*
                    _ => Err($crate::not_enumerated(Self::ALL.iter().map(|value| value.as_str())).into()),
                }
            }

            fn append(&self, out: &mut String) {
                out.push_str(self.as_str());
            }
        }

        $crate::simple_value!($name);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// What is said of a text that is no value of an enumeration: with those that are, as far as a person reads.
#[doc(hidden)]
pub fn not_enumerated(values: impl ExactSizeIterator<Item = &'static str>) -> String {
    const SHOWN: usize = 40;
    let count = values.len();
    let mut text = format!("is none of the enumeration {}", values.take(SHOWN).collect::<Vec<_>>().join(", "));
    if count > SHOWN {
        text.push_str(&format!(" and {} more", count - SHOWN));
    }
    text
}

/// Makes a generated union a simple type: the first member that takes a text has it.
#[macro_export]
macro_rules! union {
    ($name:ident { $($variant:ident($type:ty, $facets:expr)),* $(,)? }) => {
        impl $crate::Simple for $name {
            const JSON: $crate::JsonKind = $crate::JsonKind::Any;
            const WHITE_SPACE: $crate::WhiteSpace = $crate::WhiteSpace::Preserve;

            fn parse(text: &str) -> Result<Self, std::borrow::Cow<'static, str>> {
                Self::read_text(text.into(), &$crate::Facets::NONE, &$crate::NoPrefixes).map_err(|wrong| wrong.why)
            }

            fn read_text(
                text: std::borrow::Cow<'_, str>,
                facets: &'static $crate::Facets,
                prefixes: &dyn $crate::Prefixes,
            ) -> Result<Self, $crate::Wrong> {
                $(
                    if let Ok(value) = <$type as $crate::Simple>::read_text(text.clone(), $facets, prefixes) {
                        let value = Self::$variant(value);
                        return $crate::checked(value, text.trim(), facets);
                    }
                )*
                Err($crate::Wrong::value(concat!("is of no type of the union ", $(stringify!($variant), " "),*)))
            }

            fn append(&self, out: &mut String) {
                match self { $(Self::$variant(value) => $crate::Simple::append(value, out),)* }
            }

            fn write_text(&self, out: &mut String, prefixes: &mut dyn $crate::Declare) {
                match self { $(Self::$variant(value) => $crate::Simple::write_text(value, out, prefixes),)* }
            }

            fn length(&self, lexical: &str) -> Option<usize> {
                match self { $(Self::$variant(value) => $crate::Simple::length(value, lexical),)* }
            }

            fn compare(&self, bound: &str) -> Option<std::cmp::Ordering> {
                match self { $(Self::$variant(value) => $crate::Simple::compare(value, bound),)* }
            }
        }

        $crate::simple_value!($name);
    };
}
