//! Writes generated types as JSON.

use crate::schema::{Choice, Field, Sink, Value};
use crate::value::{JsonKind, Simple, XmlFragment};

/// JSON text in the making.
#[derive(Default)]
pub struct JsonSink {
    out: String,
    scratch: String,
}

/// Integers up to here are exact in every reader of JSON (2^53).
const EXACT: u64 = 1 << 53;

impl JsonSink {
    pub fn finish(self) -> String {
        self.out
    }

    fn separate(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(['{', '[', ':']) {
            self.out.push(',');
        }
    }

    fn member(&mut self, name: &str) {
        self.separate();
        quote(name, &mut self.out);
        self.out.push(':');
    }

    fn array<T>(&mut self, name: &str, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.member(name);
        self.out.push('[');
        for item in items {
            self.separate();
            write(self, item);
        }
        self.out.push(']');
    }
}

impl Sink for JsonSink {
    fn begin(&mut self) {
        self.out.push('{');
    }

    fn end(&mut self) {
        self.out.push('}');
    }

    fn element<T: Value>(&mut self, field: &'static Field, value: &T) {
        self.member(field.json);
        value.write(self);
    }

    fn repeated<T: Value>(&mut self, field: &'static Field, values: &[T]) {
        self.array(field.json, values, |sink, value| value.write(sink));
    }

    fn choices<T: Choice>(&mut self, field: &'static Field, values: &[T]) {
        self.array(field.json, values, |sink, value| {
            sink.begin();
            value.write_branch(sink);
            sink.end();
        });
    }

    fn any(&mut self, field: &'static Field, fragments: &[XmlFragment]) {
        self.array(field.json, fragments, |sink, fragment| quote(&fragment.0, &mut sink.out));
    }

    fn attribute<T: Simple>(&mut self, field: &'static Field, value: Option<&T>) {
        if let Some(value) = value {
            self.member(field.json);
            self.content(value);
        }
    }

    fn text<T: Simple>(&mut self, value: &T) {
        self.member("value");
        self.content(value);
    }

    fn content<T: Simple>(&mut self, value: &T) {
        self.scratch.clear();
        value.append(&mut self.scratch);
        let bare = match T::JSON {
            JsonKind::String | JsonKind::Digits => false,
            JsonKind::Boolean => true,
            JsonKind::Number => is_exact_number(&self.scratch),
        };
        if bare {
            self.out.push_str(&self.scratch);
        } else {
            quote(&self.scratch, &mut self.out);
        }
    }

    fn nil(&mut self) {
        self.out.push_str("null");
    }
}

fn is_exact_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits.parse::<u64>().is_ok_and(|n| n <= EXACT);
    }
    // INF and NaN have no number in JSON.
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Appends a JSON string.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut copied = 0;
    for (i, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[copied..i]);
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        copied = i + 1;
    }
    out.push_str(&text[copied..]);
    out.push('"');
}
