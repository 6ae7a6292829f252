//! Writes generated types as JSON.

use crate::schema::{Field, Sink, TEXT_MEMBER, TypeName};
use crate::value::{AnyAttribute, AnyValue, Declare, JsonKind, Simple, XmlFragment};

/// JSON text in the making.
#[derive(Default)]
pub struct JsonSink {
    out: String,
    scratch: String,
    /// The type to say when the object begins.
    type_name: Option<&'static TypeName>,
}

/// Names are written with their namespace.
struct InBraces;

impl Declare for InBraces {
    fn prefix(&mut self, _namespace: &str) -> Option<String> {
        None
    }
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
}

impl Sink for JsonSink {
    fn typed(&mut self, type_name: &'static TypeName) {
        self.type_name = Some(type_name);
    }

    fn nil(&mut self) {
        self.out.push_str("null");
    }

    fn begin(&mut self) {
        self.out.push('{');
        if let Some(name) = self.type_name.take() {
            self.member("@type");
            quote(name.local, &mut self.out);
        }
    }

    fn end(&mut self) {
        self.out.push('}');
    }

    fn attribute<T: Simple>(&mut self, field: &'static Field, value: Option<&T>) {
        if let Some(value) = value {
            self.member(field.json);
            self.content(value);
        }
    }

    fn any_attributes(&mut self, field: &'static Field, attributes: &[AnyAttribute]) {
        if attributes.is_empty() {
            return;
        }
        self.member(field.json);
        self.out.push('{');
        for attribute in attributes {
            if attribute.namespace.is_empty() {
                self.member(&attribute.local);
            } else {
                self.member(&format!("{{{}}}{}", attribute.namespace, attribute.local));
            }
            quote(&attribute.value, &mut self.out);
        }
        self.out.push('}');
    }

    fn text<T: Simple>(&mut self, value: &T) {
        self.member("value");
        self.content(value);
    }

    fn content<T: Simple>(&mut self, value: &T) {
        self.scratch.clear();
        value.write_text(&mut self.scratch, &mut InBraces);
        match T::JSON {
            JsonKind::List(kind) => {
                self.out.push('[');
                for (index, item) in self.scratch.split_ascii_whitespace().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    push_value(item, kind, &mut self.out);
                }
                self.out.push(']');
            }
            kind => push_value(&self.scratch, &kind, &mut self.out),
        }
    }

    fn any_value(&mut self, value: &AnyValue) {
        let (AnyValue::Text(text) | AnyValue::Xml(text)) = value;
        quote(text, &mut self.out);
    }

    fn open(&mut self, field: &'static Field) {
        self.member(field.json);
    }

    fn close(&mut self, _field: &'static Field) {}

    fn open_list(&mut self, json: &'static str) {
        self.member(json);
        self.out.push('[');
    }

    fn close_list(&mut self) {
        self.out.push(']');
    }

    fn open_item(&mut self, _field: &'static Field) {
        self.separate();
    }

    fn close_item(&mut self, _field: &'static Field) {}

    fn open_round(&mut self) {
        self.separate();
        self.begin();
    }

    fn close_round(&mut self) {
        self.end();
    }

    fn any(&mut self, field: &'static Field, fragment: &XmlFragment) {
        self.member(field.json);
        quote(&fragment.0, &mut self.out);
    }

    fn any_item(&mut self, fragment: &XmlFragment) {
        self.separate();
        quote(&fragment.0, &mut self.out);
    }

    fn mixed_text(&mut self, text: &str) {
        self.member(TEXT_MEMBER);
        quote(text, &mut self.out);
    }

    fn array_type(&mut self, _item: &'static TypeName, _count: usize) {}
}

fn push_value(text: &str, kind: &JsonKind, out: &mut String) {
    let bare = match kind {
        JsonKind::String | JsonKind::Digits | JsonKind::Any | JsonKind::List(_) => false,
        JsonKind::Boolean => true,
        JsonKind::Number => is_exact_number(text),
    };
    if bare {
        out.push_str(text);
    } else {
        quote(text, out);
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
