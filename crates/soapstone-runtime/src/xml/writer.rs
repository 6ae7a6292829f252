//! The writer that generated types are written with.

use super::{XSI, escape_attribute, escape_text};
use crate::schema::{Choice, Field, Namespace, Sink, Value};
use crate::value::{Simple, XmlFragment};

/// XML text in the making.
pub struct XmlSink {
    out: String,
    /// Whether a start tag still waits for attributes or its `>`.
    open: bool,
    /// Declared on the first element.
    namespaces: &'static [Namespace],
    declared: bool,
    scratch: String,
}

impl XmlSink {
    pub fn new(namespaces: &'static [Namespace]) -> Self {
        Self::appending(String::with_capacity(1024), namespaces)
    }

    /// Continues a text that somebody began, such as an envelope.
    pub fn appending(out: String, namespaces: &'static [Namespace]) -> Self {
        Self { out, open: false, namespaces, declared: false, scratch: String::new() }
    }

    pub fn finish(self) -> String {
        self.out
    }

    fn close_tag(&mut self) {
        if self.open {
            self.out.push('>');
            self.open = false;
        }
    }

    fn declare(&mut self) {
        self.declared = true;
        for namespace in self.namespaces {
            self.out.push_str(" xmlns:");
            self.out.push_str(namespace.prefix);
            self.out.push_str("=\"");
            escape_attribute(namespace.uri, &mut self.out);
            self.out.push('"');
        }
        self.out.push_str(" xmlns:xsi=\"");
        self.out.push_str(XSI);
        self.out.push('"');
    }
}

impl Sink for XmlSink {
    fn begin(&mut self) {}

    fn end(&mut self) {}

    fn element<T: Value>(&mut self, field: &'static Field, value: &T) {
        self.close_tag();
        self.out.push('<');
        self.out.push_str(field.tag);
        if !self.declared {
            self.declare();
        }
        self.open = true;
        value.write(self);
        if self.open {
            self.open = false;
            self.out.push_str("/>");
        } else {
            self.out.push_str("</");
            self.out.push_str(field.tag);
            self.out.push('>');
        }
    }

    fn repeated<T: Value>(&mut self, field: &'static Field, values: &[T]) {
        for value in values {
            self.element(field, value);
        }
    }

    fn choices<T: Choice>(&mut self, _field: &'static Field, values: &[T]) {
        for value in values {
            value.write_branch(self);
        }
    }

    fn any(&mut self, _field: &'static Field, fragments: &[XmlFragment]) {
        for fragment in fragments {
            self.close_tag();
            self.out.push_str(&fragment.0);
        }
    }

    fn attribute<T: Simple>(&mut self, field: &'static Field, value: Option<&T>) {
        let Some(value) = value else { return };
        self.scratch.clear();
        value.append(&mut self.scratch);
        self.out.push(' ');
        self.out.push_str(field.tag);
        self.out.push_str("=\"");
        escape_attribute(&self.scratch, &mut self.out);
        self.out.push('"');
    }

    fn text<T: Simple>(&mut self, value: &T) {
        self.content(value);
    }

    fn content<T: Simple>(&mut self, value: &T) {
        self.scratch.clear();
        value.append(&mut self.scratch);
        if !self.scratch.is_empty() {
            self.close_tag();
            escape_text(&self.scratch, &mut self.out);
        }
    }

    fn nil(&mut self) {
        self.out.push_str(" xsi:nil=\"true\"");
    }
}
