//! JSON text to values, refusing what `serde_json` lets pass: a member that stands twice would be lost silently.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// The member under which `serde_json` hands over a number with all its digits.
const NUMBER: &str = "$serde_json::private::Number";

/// How many values one text may have: each takes many times more memory than it takes text.
pub(super) const MAX_VALUES: usize = 1_000_000;

/// How much of a member's name is told.
const SHOWN_CHARS: usize = 100;

/// Reads a value without repeated members, and counts down how many values may still come.
#[derive(Clone, Copy)]
pub(super) struct Strict<'c>(pub &'c Cell<usize>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.ok_or_else(|| D::Error::custom(format!("there are more than {MAX_VALUES} values")))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER && values.is_empty() {
                let digits: String = members.next_value()?;
                return digits.parse::<Number>().map(Value::Number).map_err(A::Error::custom);
            }
            let value = members.next_value_seed(self)?;
            if values.contains_key(&name) {
                let shown: String = name.chars().take(SHOWN_CHARS).collect();
                return Err(A::Error::custom(format!("the member \"{shown}\" stands twice in one object")));
            }
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::MAX_VALUES;
    use crate::json::parse;
    use crate::problem::ReadErrorKind;

    #[test]
    fn values_are_those_of_serde_json() {
        let text = r#"{"a":[1,-2.50,1e5,123456789012345678901234567890,"x\u00e4",true,null],"b":{"c":{}}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap());
    }

    #[test]
    fn a_repeated_member_is_refused_where_it_stands() {
        let error = parse(b"{\"a\": 1,\n \"b\": {\"x\": 1, \"x\": 2}}").unwrap_err();
        assert!(error.message.contains("\"x\" stands twice"), "{}", error.message);
        assert_eq!(error.line, 2);
    }

    #[test]
    fn more_values_than_memory_is_meant_for_are_rejected() {
        let array = |values: usize| format!("[{}1]", "1,".repeat(values - 2)).into_bytes();
        assert!(parse(&array(MAX_VALUES)).is_ok());
        let error = parse(&array(MAX_VALUES + 1)).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::Limit, "{}", error.message);
        assert_eq!(parse(b"{} x").unwrap_err().kind, ReadErrorKind::Malformed);
    }
}
