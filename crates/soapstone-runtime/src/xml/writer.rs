//! The writer that generated types are written with.

use super::{SOAP_11, SOAP_ENCODING, XSI, escape_attribute, escape_text};
use crate::attachment::{Attachment, Content, XOP};
use crate::schema::{Field, Namespace, Sink, TypeName};
use crate::value::{AnyAttribute, AnyValue, Declare, Simple, XmlFragment};

/// XML text in the making.
pub struct XmlSink {
    out: String,
    /// Whether a start tag still waits for attributes or its `>`.
    open: bool,
    /// Declared on the first element.
    namespaces: &'static [Namespace],
    declared: bool,
    depth: u32,
    /// Whether each element says its type, as SOAP encoding wants it.
    encoded: bool,
    /// Whether each element says its type, though nothing wants it.
    typed: bool,
    /// The type to say on the open start tag.
    type_name: Option<&'static TypeName>,
    /// Whether the element that is open was written whole.
    replaced: bool,
    scratch: String,
    /// Binary values of that many bytes become attachments.
    optimized: Option<u64>,
    attachments: Vec<Attachment>,
}

impl XmlSink {
    pub fn new(namespaces: &'static [Namespace]) -> Self {
        Self::appending(String::with_capacity(1024), namespaces)
    }

    /// Continues a text that somebody began, such as an envelope.
    pub fn appending(out: String, namespaces: &'static [Namespace]) -> Self {
        Self {
            out,
            open: false,
            namespaces,
            declared: false,
            depth: 0,
            encoded: false,
            typed: false,
            type_name: None,
            replaced: false,
            scratch: String::new(),
            optimized: None,
            attachments: Vec::new(),
        }
    }

    /// Within an element that declares all namespaces.
    pub fn within() -> Self {
        Self { declared: true, ..Self::new(&[]) }
    }

    /// With binary values of that many bytes and more outside of the text (XOP).
    #[must_use]
    pub fn optimized(mut self, from: u64) -> Self {
        self.optimized = Some(from);
        self
    }

    /// With the type on every element (SOAP 1.1, section 5).
    #[must_use]
    pub fn encoded(mut self) -> Self {
        self.encoded = true;
        self
    }

    /// With the type on every element.
    #[must_use]
    pub fn typed(mut self) -> Self {
        self.typed = true;
        self
    }

    pub fn finish(self) -> String {
        self.out
    }

    /// The text, and what stands outside of it.
    pub fn finish_with_attachments(self) -> (String, Vec<Attachment>) {
        (self.out, self.attachments)
    }

    /// Writes a reference to an attachment.
    fn include(&mut self, content: &Content) {
        let id = format!("{}@soapstone", self.attachments.len() + 1);
        self.close_tag();
        self.out.push_str(&format!("<xop:Include xmlns:xop=\"{XOP}\" href=\"cid:{id}\"/>"));
        self.attachments.push(Attachment { id, ..Attachment::new("", "", content.clone()) });
    }

    fn write_type(&mut self) {
        if let Some(name) = self.type_name.take() {
            self.out.push_str(" xsi:type=\"");
            self.out.push_str(name.tag);
            self.out.push('"');
        }
    }

    fn close_tag(&mut self) {
        if self.open {
            self.write_type();
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
        if self.encoded {
            self.out.push_str(&format!(" xmlns:env=\"{SOAP_11}\" env:encodingStyle=\"{SOAP_ENCODING}\""));
        }
    }

    fn start(&mut self, tag: &str) {
        self.close_tag();
        self.out.push('<');
        self.out.push_str(tag);
        if !self.declared {
            self.declare();
        }
        self.open = true;
        self.depth += 1;
    }

    /// Writes an attribute whose value is in `scratch`.
    fn scratch_attribute(&mut self, tag: &str) {
        self.out.push(' ');
        self.out.push_str(tag);
        self.out.push_str("=\"");
        escape_attribute(&self.scratch, &mut self.out);
        self.out.push('"');
    }

    /// Puts a value's text into `scratch`; the namespaces that it needs are declared on the open tag.
    fn scratch_value<T: Simple>(&mut self, value: &T) {
        self.scratch.clear();
        let mut declarations = Declarations { out: &mut self.out, namespaces: self.namespaces, count: 0 };
        value.write_text(&mut self.scratch, &mut declarations);
    }
}

/// Declares namespaces on the start tag that is open.
struct Declarations<'a> {
    out: &'a mut String,
    namespaces: &'static [Namespace],
    count: u32,
}

impl Declarations<'_> {
    fn add(&mut self, stem: &str, namespace: &str) -> String {
        self.count += 1;
        let prefix = format!("{stem}{}", self.count);
        self.out.push_str(&format!(" xmlns:{prefix}=\""));
        escape_attribute(namespace, self.out);
        self.out.push('"');
        prefix
    }
}

impl Declare for Declarations<'_> {
    fn prefix(&mut self, namespace: &str) -> Option<String> {
        match namespace {
            "" => return Some(String::new()),
            "http://www.w3.org/XML/1998/namespace" => return Some("xml".to_owned()),
            _ => {}
        }
        match self.namespaces.iter().find(|known| known.uri == namespace) {
            Some(known) => Some(known.prefix.to_owned()),
            None => Some(self.add("q", namespace)),
        }
    }
}

impl Sink for XmlSink {
    fn typed(&mut self, type_name: &'static TypeName) {
        self.type_name = Some(type_name);
    }

    fn nil(&mut self) {
        self.write_type();
        self.out.push_str(" xsi:nil=\"true\"");
    }

    fn begin(&mut self) {}

    fn end(&mut self) {}

    fn attribute<T: Simple>(&mut self, field: &'static Field, value: Option<&T>) {
        let Some(value) = value else { return };
        self.scratch_value(value);
        self.scratch_attribute(field.tag);
    }

    fn any_attributes(&mut self, _field: &'static Field, attributes: &[AnyAttribute]) {
        let mut count = 0;
        for attribute in attributes {
            let tag = if attribute.namespace.is_empty() {
                attribute.local.clone()
            } else if attribute.namespace == "http://www.w3.org/XML/1998/namespace" {
                format!("xml:{}", attribute.local)
            } else {
                let mut declarations = Declarations { out: &mut self.out, namespaces: self.namespaces, count };
                let known = declarations.namespaces.iter().find(|n| n.uri == attribute.namespace);
                let prefix = known.map_or_else(|| declarations.add("a", &attribute.namespace), |n| n.prefix.to_owned());
                count = declarations.count;
                format!("{prefix}:{}", attribute.local)
            };
            self.scratch.clear();
            self.scratch.push_str(&attribute.value);
            self.scratch_attribute(&tag);
        }
    }

    fn text<T: Simple>(&mut self, value: &T) {
        self.content(value);
    }

    fn content<T: Simple>(&mut self, value: &T) {
        if let Some(from) = self.optimized
            && let Some(content) = value.as_content()
            && content.len() >= from
        {
            return self.include(content);
        }
        self.scratch_value(value);
        if !self.scratch.is_empty() {
            self.close_tag();
            escape_text(&self.scratch, &mut self.out);
        }
    }

    fn any_value(&mut self, value: &AnyValue) {
        match value {
            AnyValue::Text(text) if text.is_empty() => {}
            AnyValue::Text(text) => {
                self.close_tag();
                escape_text(text, &mut self.out);
            }
            AnyValue::Xml(xml) => {
                // The element comes with its own tags, which take the place of ours.
                if let Some(begin) = self.out.rfind('<').filter(|_| self.open) {
                    self.out.truncate(begin);
                }
                self.out.push_str(xml);
                self.open = false;
                self.type_name = None;
                self.replaced = true;
            }
        }
    }

    fn open(&mut self, field: &'static Field) {
        self.start(field.tag);
        self.type_name = if self.encoded || self.typed { field.type_name } else { None };
    }

    fn close(&mut self, field: &'static Field) {
        self.depth -= 1;
        // What comes beside the root has to declare its namespaces for itself.
        self.declared = self.depth > 0;
        if std::mem::take(&mut self.replaced) {
            return;
        }
        if self.open {
            self.write_type();
            self.open = false;
            self.out.push_str("/>");
        } else {
            self.out.push_str("</");
            self.out.push_str(field.tag);
            self.out.push('>');
        }
    }

    fn open_list(&mut self, _json: &'static str) {}

    fn close_list(&mut self) {}

    fn open_item(&mut self, field: &'static Field) {
        self.open(field);
    }

    fn close_item(&mut self, field: &'static Field) {
        self.close(field);
    }

    fn open_round(&mut self) {}

    fn close_round(&mut self) {}

    fn any(&mut self, _field: &'static Field, fragment: &XmlFragment) {
        self.any_item(fragment);
    }

    fn any_item(&mut self, fragment: &XmlFragment) {
        self.close_tag();
        self.out.push_str(&fragment.0);
    }

    fn mixed_text(&mut self, text: &str) {
        self.close_tag();
        escape_text(text, &mut self.out);
    }

    fn array_type(&mut self, item: &'static TypeName, count: usize) {
        self.out.push_str(&format!(
            " xmlns:enc=\"{SOAP_ENCODING}\" xsi:type=\"enc:Array\" enc:arrayType=\"{}[{count}]\"",
            item.tag
        ));
        self.type_name = None;
    }
}
