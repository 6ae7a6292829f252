//! JSON for the same generated types: the REST facade's mapping of XML Schema.

mod reader;
mod strict;
mod writer;

pub use reader::JsonSource;
pub use writer::{JsonSink, quote};

use crate::problem::{ReadError, ReadErrorKind};
use crate::schema::{Field, Value};
use ::serde::de::DeserializeSeed;
use std::cell::Cell;

/// What a value without an element is read as.
static ROOT: Field = Field::unqualified("value");

/// Reads a value of a generated type.
///
/// # Errors
/// Where (as a JSON pointer) and why it is not of that type.
pub fn from_slice<T: Value>(bytes: &[u8]) -> Result<T, Box<ReadError>> {
    from_value(parse(bytes)?)
}

/// Reads a value of a generated type from parsed JSON.
///
/// # Errors
/// As [`from_slice`].
pub fn from_value<T: Value>(value: serde_json::Value) -> Result<T, Box<ReadError>> {
    JsonSource::new(value).root(&ROOT)
}

/// Parses JSON text.
///
/// # Errors
/// With line and column of what is not JSON.
pub fn parse(bytes: &[u8]) -> Result<serde_json::Value, Box<ReadError>> {
    let left = Cell::new(strict::MAX_VALUES);
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let parsed = strict::Strict(&left).deserialize(&mut source).and_then(|value| source.end().map(|()| value));
    parsed.map_err(|e| {
        let text = e.to_string();
        // The place has fields of its own.
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        let kind = if left.get() == 0 { ReadErrorKind::Limit } else { ReadErrorKind::Malformed };
        let mut error = ReadError::new(kind, format!("not JSON that can be read: {text}"));
        error.line = u32::try_from(e.line()).unwrap_or(0);
        error.column = u32::try_from(e.column()).unwrap_or(0);
        error
    })
}

/// Writes a value of a generated type.
pub fn to_string<T: Value>(value: &T) -> String {
    let mut sink = JsonSink::default();
    value.write(&mut sink);
    sink.finish()
}

/// Gives generated types `serde`'s traits, by the same mapping.
#[macro_export]
macro_rules! serde_impl {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::json::serde::Serialize for $type {
            fn serialize<S: $crate::json::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::json::serialize(self, serializer)
            }
        }

        impl<'de> $crate::json::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::json::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::deserialize(deserializer)
            }
        }
    )*};
}

pub use serde;

/// `serde::Serialize` for a generated type.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T: Value, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let text = to_string(value);
    let value: serde_json::Value = serde_json::from_str(&text).map_err(serde::ser::Error::custom)?;
    serde::Serialize::serialize(&value, serializer)
}

/// `serde::Deserialize` for a generated type.
///
/// # Errors
/// Where and why the input is not of that type.
pub fn deserialize<'de, T: Value, D: serde::Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
    from_value(value).map_err(serde::de::Error::custom)
}
