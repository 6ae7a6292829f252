//! Types with their readers and writers.

use super::{Emitter, doc, literal};
use crate::names::constant_name;
use crate::program::{
    ElementName, Field, FieldType, Item, ItemKind, Kind, Module, Poly, Simple, Struct, Variant, Wildcard,
};
use soapstone_contract::model::Occurs;
use std::fmt::Write;

impl Emitter<'_> {
    pub(super) fn item(&mut self, out: &mut String, number: usize, item: &Item) {
        match &item.kind {
            ItemKind::Pending => {}
            ItemKind::Alias(simple) => self.alias(out, item, simple),
            ItemKind::Enum(variants) => enumeration(out, item, variants),
            ItemKind::Union(members) => self.union(out, item, members),
            ItemKind::Struct(inner) => self.structure(out, number, item, inner),
            ItemKind::Group(fields) => self.group(out, number, item, fields),
            ItemKind::Choice(branches) => self.choice(out, number, item, branches),
            ItemKind::Poly(poly) => self.poly(out, item, poly),
            ItemKind::Wrapper(element, field) => self.wrapper(out, number, item, element, field),
        }
    }

    fn alias(&mut self, out: &mut String, item: &Item, simple: &Simple) {
        doc(out, item.doc.as_deref(), &item.origin);
        let _ = writeln!(out, "pub type {} = {};", item.name, self.simple_type(simple));
        if let Some((_, constant)) = &simple.named {
            let _ = writeln!(out, "#[doc = {}]", literal(&format!(" The facets of [`{}`].", item.name)));
            let text = self.facets_text(simple, constant);
            let _ = writeln!(out, "pub static {constant}: rt::Facets = {text};");
        }
    }

    fn union(&mut self, out: &mut String, item: &Item, members: &[(String, Simple)]) {
        doc(out, item.doc.as_deref(), &item.origin);
        let _ = writeln!(out, "#[derive(Clone, Debug, PartialEq)]\npub enum {} {{", item.name);
        for (name, simple) in members {
            let _ = writeln!(out, "{name}({}),", self.simple_type(simple));
        }
        out.push_str("}\n");
        let mut list = Vec::new();
        for (name, simple) in members {
            let facets = self.facets(simple, &constant_name(&format!("{} {name}", item.name)));
            let facets = facets.unwrap_or_else(|| "&rt::Facets::NONE".to_owned());
            list.push(format!("{name}({}, {facets})", self.simple_type(simple)));
        }
        let _ = writeln!(out, "rt::union!({} {{ {} }});", item.name, list.join(", "));
    }

    /// `const SKU: &rt::Field = …` for each field, and `&rt::Group` for groups that repeat.
    fn field_constants(&mut self, out: &mut String, owner: &str, fields: &[Field]) {
        for field in fields.iter().filter(|f| f.kind != Kind::Group || f.repeats()) {
            let constant = field.constant();
            if field.kind == Kind::Group {
                let Occurs { min, max } = field.occurs;
                let max = max.map_or_else(|| "u32::MAX".to_owned(), |m| m.to_string());
                let _ = writeln!(
                    out,
                    "pub(super) const {constant}: &'static rt::Group = &rt::Group {{ json: {}, occurs: rt::Occurs {{ min: {min}, max: {max} }}, mixed: {} }};",
                    literal(&field.json),
                    field.mixed
                );
                continue;
            }
            let text = self.field_text(owner, field);
            let _ = writeln!(out, "pub(super) const {constant}: &'static rt::Field = &{text};");
        }
    }

    fn field_text(&mut self, owner: &str, field: &Field) -> String {
        let mut text = match (field.kind, field.namespace) {
            (Kind::Any | Kind::AnyAttribute, _) => {
                let wildcard = match &field.wildcard {
                    Wildcard::Any => "rt::Wildcard::Any".to_owned(),
                    Wildcard::Other(own) => format!("rt::Wildcard::Other({})", literal(own)),
                    Wildcard::Of(list) => {
                        let list: Vec<_> = list.iter().map(|ns| literal(ns)).collect();
                        format!("rt::Wildcard::Of(&[{}])", list.join(", "))
                    }
                };
                format!("rt::Field::any({wildcard})")
            }
            (_, None) => format!("rt::Field::unqualified({})", literal(&field.local)),
            (_, Some(_)) => format!(
                "rt::Field::new({}, {}, {})",
                self.namespace(field.namespace),
                literal(&field.local),
                literal(&self.program.tag(field.namespace, &field.local))
            ),
        };
        if field.occurs != Occurs::ONCE {
            let max = field.occurs.max.map_or_else(|| "u32::MAX".to_owned(), |m| m.to_string());
            let _ = write!(text, ".occurs({}, {max})", field.occurs.min);
        }
        let own_json = if matches!(field.kind, Kind::Any | Kind::AnyAttribute) { "any" } else { &field.local };
        if field.json != own_json {
            let _ = write!(text, ".json({})", literal(&field.json));
        }
        if let FieldType::Simple(simple) = &field.type_
            && let Some(facets) = self.facets(simple, &constant_name(&format!("{owner} {}", field.name)))
        {
            let _ = write!(text, ".facets({facets})");
        }
        if let Some(value) = &field.default {
            let _ = write!(text, ".default_value({})", literal(value));
        }
        if let Some(value) = &field.fixed {
            let _ = write!(text, ".fixed({})", literal(value));
        }
        if let Some(name) = field.xsi_type.as_ref().filter(|_| self.program.knows_types()) {
            let name = self.type_name(name);
            let _ = write!(text, ".typed(&{name})");
        }
        text
    }

    fn members(&self, out: &mut String, fields: &[Field]) {
        for field in fields {
            let mut text = field.doc.clone().unwrap_or_default();
            if let Some(value) = &field.default {
                text.push_str(&format!("\nWhere it is absent, `{value}` is meant."));
            }
            if let Some(value) = &field.fixed {
                text.push_str(&format!("\nAlways `{value}`."));
            }
            doc(out, Some(&text), "");
            let _ = writeln!(out, "pub {}: {},", field.name, self.field_type(field));
        }
    }

    fn structure(&mut self, out: &mut String, number: usize, item: &Item, inner: &Struct) {
        let name = &item.name;
        doc(out, item.doc.as_deref(), &item.origin);
        let default = if self.defaults[number] { "Default, " } else { "" };
        let _ = writeln!(out, "#[derive(Clone, Debug, {default}PartialEq)]\npub struct {name} {{");
        self.members(out, &inner.fields);
        out.push_str("}\n");
        let has_constants = inner.fields.iter().any(|f| f.kind != Kind::Group || f.repeats());
        if has_constants || inner.all {
            let _ = writeln!(out, "impl {name} {{");
            self.field_constants(out, name, &inner.fields);
            self.default_accessors(out, &inner.fields);
            if inner.all {
                self.all_starts(out, &inner.fields);
            }
            out.push_str("}\n");
        }
        let (read, mut write) = if inner.all { all_code(&inner.fields) } else { sequence_code(&inner.fields) };
        if let Some(array) = &inner.array {
            let type_name = self.type_name(array);
            let field = &inner.fields[0].name;
            write.insert_str(0, &format!("sink.array_type(&{type_name}, self.{field}.len());"));
        }
        let _ = writeln!(
            out,
            "impl rt::Value for {name} {{
                fn read<S: rt::Source>(source: &mut S, _field: &'static rt::Field) -> rt::Read<Self> {{
                    source.begin()?;
                    {read}
                }}
                fn write<K: rt::Sink>(&self, sink: &mut K) {{
                    sink.begin();
                    {write}
                    sink.end();
                }}
            }}"
        );
        if inner.element.is_some() || inner.bare {
            self.message(out, number, name, inner.element.as_ref());
        }
    }

    fn all_starts(&self, out: &mut String, fields: &[Field]) {
        let elements = fields.iter().filter(|f| f.kind == Kind::Element).enumerate();
        let starts: Vec<_> =
            elements.map(|(number, f)| format!("rt::Start::element({number}, Self::{})", f.constant())).collect();
        let _ = writeln!(out, "const STARTS: &'static [rt::Start] = &[{}];", starts.join(", "));
    }

    /// `const STARTS` of a group or choice.
    fn starts(&self, out: &mut String, number: usize) {
        let mut starts = Vec::new();
        for begin in self.program.starts(number) {
            let (owner, index) = begin.field;
            let field = &self.program.fields(owner)[index];
            let constant = format!("{}::{}", self.path(owner), field.constant());
            let branch = begin.branch;
            starts.push(match field.kind {
                Kind::Text => format!("rt::Start::text({branch})"),
                _ if begin.later => format!("rt::Start::member({branch}, {})", literal(&field.json)),
                Kind::Any => format!("rt::Start::any({branch}, {constant})"),
                _ => format!("rt::Start::element({branch}, {constant})"),
            });
        }
        let _ = writeln!(out, "const STARTS: &'static [rt::Start] = &[{}];", starts.join(", "));
    }

    fn group(&mut self, out: &mut String, number: usize, item: &Item, fields: &[Field]) {
        let name = &item.name;
        doc(out, item.doc.as_deref().or(Some("Elements that come together.")), "");
        let default = if self.defaults[number] { "Default, " } else { "" };
        let _ = writeln!(out, "#[derive(Clone, Debug, {default}PartialEq)]\npub struct {name} {{");
        self.members(out, fields);
        let _ = writeln!(out, "}}\nimpl {name} {{");
        self.field_constants(out, name, fields);
        let _ = writeln!(out, "}}\nimpl rt::Particles for {name} {{");
        self.starts(out, number);
        let (read, write) = sequence_code(fields);
        let _ = writeln!(
            out,
            "fn read_particles<S: rt::Source>(source: &mut S) -> rt::Read<Self> {{ {read} }}
            fn write_particles<K: rt::Sink>(&self, sink: &mut K) {{ {write} }}
            }}"
        );
    }

    fn choice(&mut self, out: &mut String, number: usize, item: &Item, branches: &[Field]) {
        let name = &item.name;
        doc(out, item.doc.as_deref().or(Some("One of several elements.")), "");
        let _ = writeln!(out, "#[derive(Clone, Debug, PartialEq)]\npub enum {name} {{");
        for branch in branches {
            let origin = if branch.kind == Kind::Element { branch.local.as_str() } else { "" };
            doc(out, branch.doc.as_deref(), origin);
            let _ = writeln!(out, "{}({}),", branch.name, self.field_type(branch));
        }
        let _ = writeln!(out, "}}\nimpl {name} {{");
        self.field_constants(out, name, branches);
        let _ = writeln!(out, "}}\nimpl rt::Particles for {name} {{");
        self.starts(out, number);
        let (mut read, mut write) = (String::new(), String::new());
        for (number, branch) in branches.iter().enumerate() {
            let variant = &branch.name;
            let (reader, writer) = if branch.kind == Kind::Text {
                ("source.mixed_text()".to_owned(), "sink.mixed_text(value)".to_owned())
            } else {
                (reader(branch), writer(branch, "value"))
            };
            let _ = writeln!(read, "Some({number}) => {reader}.map(Self::{variant}),");
            let _ = writeln!(write, "Self::{variant}(value) => {writer},");
        }
        let write = if branches.is_empty() { "match *self {}".to_owned() } else { format!("match self {{ {write} }}") };
        let sink = if branches.is_empty() { "_sink" } else { "sink" };
        let _ = writeln!(
            out,
            "fn read_particles<S: rt::Source>(source: &mut S) -> rt::Read<Self> {{
                match source.branch(Self::STARTS)? {{ {read} _ => Err(source.no_branch(Self::STARTS)) }}
            }}
            fn write_particles<K: rt::Sink>(&self, {sink}: &mut K) {{ {write} }}
            }}"
        );
    }

    fn poly(&mut self, out: &mut String, item: &Item, poly: &Poly) {
        let name = &item.name;
        doc(out, item.doc.as_deref(), &format!("{} or a type derived from it", item.origin));
        let _ = writeln!(out, "#[derive(Clone, Debug, PartialEq)]\npub enum {name} {{");
        for variant in &poly.variants {
            doc(out, None, &variant.type_name.local);
            let inner = self.path(variant.item);
            let inner = if variant.boxed { format!("Box<{inner}>") } else { inner };
            let _ = writeln!(out, "{}({inner}),", variant.name);
        }
        out.push_str("/// A type that the contract does not know.\nOther(rt::AnyValue),\n}\n");
        let mut types = Vec::new();
        for variant in &poly.variants {
            types.push(format!("&{}", self.type_name(&variant.type_name)));
        }
        let declared = if poly.is_abstract {
            format!("Err(source.abstract_type({}))", literal(&poly.name.local))
        } else {
            format!("rt::Value::read(source, field).map(Self::{})", poly.variants[0].name)
        };
        let field = if poly.is_abstract && poly.variants.is_empty() { "_field" } else { "field" };
        let (mut read, mut write) = (String::new(), String::new());
        for (number, variant) in poly.variants.iter().enumerate() {
            let variant_name = &variant.name;
            let _ = writeln!(
                read,
                "rt::Typed::Known({number}) => rt::Value::read(source, field).map(Self::{variant_name}),"
            );
            let typed = if number == 0 && !poly.is_abstract {
                String::new()
            } else {
                format!("sink.typed(Self::TYPES[{number}]); ")
            };
            let _ = writeln!(write, "Self::{variant_name}(value) => {{ {typed}value.write(sink); }}");
        }
        let _ = writeln!(
            out,
            "impl {name} {{
                const TYPES: &'static [&'static rt::TypeName] = &[{}];
            }}
            impl rt::Value for {name} {{
                fn read<S: rt::Source>(source: &mut S, {field}: &'static rt::Field) -> rt::Read<Self> {{
                    match source.typed(Self::TYPES)? {{
                        rt::Typed::Declared => {declared},
                        {read}
                        _ => source.any_value().map(Self::Other),
                    }}
                }}
                fn write<K: rt::Sink>(&self, sink: &mut K) {{
                    match self {{ {write} Self::Other(value) => value.write(sink), }}
                }}
            }}",
            types.join(", ")
        );
    }

    fn wrapper(&mut self, out: &mut String, number: usize, item: &Item, element: &ElementName, field: &Field) {
        let name = &item.name;
        let inner = self.value_type(field);
        doc(out, item.doc.as_deref(), &item.origin);
        let _ = writeln!(out, "#[derive(Clone, Debug, PartialEq)]\npub struct {name}(pub {inner});");
        let text = self.field_text(name, field);
        let _ = writeln!(
            out,
            "impl {name} {{ const FIELD: &'static rt::Field = &{text}; }}
            impl rt::Value for {name} {{
                fn read<S: rt::Source>(source: &mut S, _field: &'static rt::Field) -> rt::Read<Self> {{
                    rt::Value::read(source, Self::FIELD).map(Self)
                }}
                fn write<K: rt::Sink>(&self, sink: &mut K) {{
                    self.0.write(sink);
                }}
            }}"
        );
        self.message(out, number, name, Some(element));
    }

    fn message(&mut self, out: &mut String, number: usize, name: &str, element: Option<&ElementName>) {
        let text = match element {
            None => "rt::Field::unqualified(\"\")".to_owned(),
            Some(element) if self.program.modules[element.namespace].namespace.is_empty() => {
                format!("rt::Field::unqualified({})", literal(&element.local))
            }
            Some(element) => format!(
                "rt::Field::new({}, {}, {})",
                self.namespace(Some(element.namespace)),
                literal(&element.local),
                literal(&self.program.tag(Some(element.namespace), &element.local))
            ),
        };
        let is_encoded = self.program.encoded_messages.contains(&number);
        let namespaces = self.namespaces(number, is_encoded);
        let typed = self.namespaces(number, true);
        let typed = if self.program.typed && typed != namespaces {
            format!("const TYPED_NAMESPACES: &'static [rt::Namespace] = &[{typed}];")
        } else {
            String::new()
        };
        let encoded = if is_encoded { "const ENCODED: bool = true;" } else { "" };
        let _ = writeln!(
            out,
            "impl rt::Message for {name} {{
                const ELEMENT: &'static rt::Field = &{text};
                const NAMESPACES: &'static [rt::Namespace] = &[{namespaces}];
                {typed}
                {encoded}
            }}"
        );
    }

    /// The namespaces of a message, as items of a list.
    fn namespaces(&self, number: usize, typed: bool) -> String {
        let used = self.program.namespaces_of(number, typed).into_iter().map(|used| &self.program.modules[used]);
        let used = used.filter(|module| !module.namespace.is_empty());
        let item = |module: &Module| {
            format!("rt::Namespace {{ prefix: {}, uri: {} }},", literal(&module.prefix), literal(&module.namespace))
        };
        used.map(item).collect()
    }
}

/// An expression that reads a field.
fn reader(field: &Field) -> String {
    let constant = format!("Self::{}", field.constant());
    match (field.kind, field.optional(), field.repeats()) {
        (Kind::Attribute, true, _) => format!("source.attribute({constant})"),
        (Kind::Attribute, false, _) => format!("source.required_attribute({constant})"),
        (Kind::AnyAttribute, ..) => format!("source.any_attributes({constant})"),
        (Kind::Text, ..) => format!("source.text({constant})"),
        (Kind::Items, ..) => format!("source.items({constant})"),
        (Kind::Any, _, true) => format!("source.repeated_any({constant})"),
        (Kind::Any, true, _) => format!("source.any({constant}, 0)"),
        (Kind::Any, false, _) => format!("source.required_any({constant})"),
        (Kind::Group, _, true) => format!("source.repeated_group({constant})"),
        (Kind::Group, true, _) => "source.optional_group()".to_owned(),
        (Kind::Group, false, _) => "rt::Particles::read_particles(source)".to_owned(),
        (Kind::Element, _, true) => format!("source.repeated({constant})"),
        (Kind::Element, true, _) => format!("source.optional({constant})"),
        (Kind::Element, false, _) => format!("source.required({constant})"),
    }
}

/// An expression that writes a field; `value` is a reference to it.
fn writer(field: &Field, value: &str) -> String {
    let constant = format!("Self::{}", field.constant());
    // What is behind a reference that the code has, or takes.
    let (owned, borrowed) = match value.strip_prefix('&') {
        Some(owned) => (owned, value),
        None => (value, value),
    };
    match (field.kind, field.optional(), field.repeats()) {
        (Kind::Attribute, true, _) => format!("sink.attribute({constant}, {owned}.as_ref())"),
        (Kind::Attribute, false, _) => format!("sink.attribute({constant}, Some({borrowed}))"),
        (Kind::AnyAttribute, ..) => format!("sink.any_attributes({constant}, {borrowed})"),
        (Kind::Text, ..) => format!("sink.text({borrowed})"),
        (Kind::Items, ..) => format!("sink.repeated({constant}, {borrowed})"),
        (Kind::Any, _, true) => format!("sink.repeated_any({constant}, {borrowed})"),
        (Kind::Any, true, _) => format!("if let Some(any) = {borrowed} {{ sink.any({constant}, any); }}"),
        (Kind::Any, false, _) => format!("sink.any({constant}, {borrowed})"),
        (Kind::Group, _, true) => format!("sink.repeated_group({constant}, {borrowed})"),
        (Kind::Group, true, _) => format!("sink.optional_group({owned}.as_ref())"),
        (Kind::Group, false, _) => format!("{owned}.write_particles(sink)"),
        (Kind::Element, _, true) => format!("sink.repeated({constant}, {borrowed})"),
        (Kind::Element, true, _) => format!("sink.optional({constant}, {owned}.as_ref())"),
        (Kind::Element, false, _) => format!("sink.element({constant}, {borrowed})"),
    }
}

/// Code that reads fields in their order, and code that writes them.
fn sequence_code(fields: &[Field]) -> (String, String) {
    let (mut read, mut write) = (String::new(), String::new());
    for field in fields {
        let name = &field.name;
        let _ = write!(read, "{name}: {}?,", reader(field));
        let _ = write!(write, "{};", writer(field, &format!("&self.{name}")));
    }
    let read = if fields.is_empty() { "Ok(Self {})".to_owned() } else { format!("Ok(Self {{ {read} }})") };
    (read, write)
}

/// The same where the elements may come in any order (`xs:all`).
fn all_code(fields: &[Field]) -> (String, String) {
    let (_, write) = sequence_code(fields);
    let (mut before, mut arms, mut finish) = (String::new(), String::new(), String::new());
    let mut number = 0;
    for field in fields {
        let (name, constant) = (&field.name, field.constant());
        if field.kind != Kind::Element {
            let _ = write!(before, "let {name} = {}?;", reader(field));
            let _ = write!(finish, "{name},");
            continue;
        }
        let _ = write!(before, "let mut {name} = None;");
        let _ = write!(arms, "{number} => source.once(&mut {name}, Self::{constant})?,");
        if field.optional() {
            let _ = write!(finish, "{name},");
        } else {
            let _ = write!(finish, "{name}: source.found({name}, Self::{constant})?,");
        }
        number += 1;
    }
    let read = format!(
        "{before} while let Some(found) = source.next_of(Self::STARTS)? {{ match found {{ {arms} _ => break, }} }}
        Ok(Self {{ {finish} }})"
    );
    (read, write)
}

fn enumeration(out: &mut String, item: &Item, variants: &[Variant]) {
    let name = &item.name;
    doc(out, item.doc.as_deref(), &item.origin);
    let _ = writeln!(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum {name} {{");
    for variant in variants {
        doc(out, variant.doc.as_deref(), &variant.value);
        let _ = writeln!(out, "{},", variant.name);
    }
    let values: Vec<_> = variants.iter().map(|v| format!("{} = {}", v.name, literal(&v.value))).collect();
    let _ = writeln!(out, "}}\nrt::enumeration!({name} {{ {} }});", values.join(", "));
}
