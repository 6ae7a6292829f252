//! Records as scripts see them, and back.

use rhai::{Dynamic, Map};
use serde_json::Value;

/// A value as a script sees it.
pub(super) fn dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => number.to_string().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(dynamic).collect::<rhai::Array>().into(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.as_str().into(), dynamic(value))).collect::<Map>().into()
        }
    }
}

/// What a script made of it; or what it is that no record has.
pub(super) fn json(value: &Dynamic) -> Result<Value, String> {
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.as_bool() {
        return Ok(value.into());
    }
    if let Ok(whole) = value.as_int() {
        return Ok(whole.into());
    }
    if let Ok(decimal) = value.as_decimal() {
        return Ok(decimal.to_string().into());
    }
    if let Ok(float) = value.as_float() {
        // Records have exact numbers: a float is told as it is shortest.
        return Ok(float.to_string().into());
    }
    if let Ok(text) = value.clone().into_string() {
        return Ok(text.into());
    }
    if let Some(items) = value.clone().try_cast::<rhai::Array>() {
        return Ok(Value::Array(items.iter().map(json).collect::<Result<_, _>>()?));
    }
    if let Some(members) = value.clone().try_cast::<Map>() {
        let all = members.iter().map(|(name, value)| Ok((name.to_string(), json(value)?)));
        return Ok(Value::Object(all.collect::<Result<_, String>>()?));
    }
    Err(format!("a {}", value.type_name()))
}
