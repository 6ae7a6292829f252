//! Samples of messages, in XML and in JSON, that the contract calls valid.

mod pattern;
mod value;

use crate::program::{Field, FieldType, ItemKind, Kind, Program, Wildcard};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How deep a sample goes into what may as well be left out.
const MAX_DEPTH: usize = 7;

/// How many elements that may as well be left out a sample shows.
const MAX_ELEMENTS: usize = 250;

/// The message of an item as XML, indented.
pub fn xml(program: &Program, item: usize) -> String {
    written(program, item, false)
}

fn written(program: &Program, item: usize, in_wildcard: bool) -> String {
    let (nodes, _) = message(program, item, in_wildcard);
    let mut declarations: Vec<(String, String)> = program
        .namespaces_of(item, program.encoded_messages.contains(&item))
        .into_iter()
        .map(|used| &program.modules[used])
        .filter(|m| !m.namespace.is_empty())
        .map(|m| (format!("xmlns:{}", m.prefix), m.namespace.clone()))
        .collect();
    let mut out = String::new();
    for mut node in nodes {
        if node_has_instance_attribute(&node) {
            declarations.retain(|(name, _)| name != "xmlns:xsi");
            declarations.push(("xmlns:xsi".to_owned(), "http://www.w3.org/2001/XMLSchema-instance".to_owned()));
        }
        if let Node::Element { attributes, .. } = &mut node {
            attributes.splice(0..0, declarations.iter().cloned());
        }
        node.write(&mut out, 0);
    }
    out
}

/// The message of an item as JSON.
pub fn json(program: &Program, item: usize) -> Value {
    message(program, item, false).1
}

fn message(program: &Program, item: usize, in_wildcard: bool) -> (Vec<Node>, Value) {
    let mut sampler = Sampler {
        program,
        heights: heights(program),
        left: MAX_ELEMENTS,
        ids: 0,
        encoded: program.encoded_messages.contains(&item),
        in_wildcard,
    };
    let content = sampler.item(item, 0);
    let nodes = match program.element_of(item) {
        Some(element) => vec![Node::Element {
            tag: program.tag(Some(element.namespace), &element.local),
            attributes: content.attributes,
            children: content.nodes,
        }],
        None => content.nodes,
    };
    (nodes, content.json)
}

/// A piece of XML.
enum Node {
    Element {
        tag: String,
        attributes: Vec<(String, String)>,
        children: Vec<Node>,
    },
    Text(String),
    /// An element that declares its own namespaces.
    Raw(String),
}

fn node_has_instance_attribute(node: &Node) -> bool {
    match node {
        Node::Element { attributes, children, .. } => {
            attributes.iter().any(|(name, _)| name.starts_with("xsi:"))
                || children.iter().any(node_has_instance_attribute)
        }
        _ => false,
    }
}

impl Node {
    fn write(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        match self {
            Self::Text(text) => out.push_str(&escaped(text)),
            Self::Raw(xml) => out.push_str(&format!("{indent}{xml}\n")),
            Self::Element { tag, attributes, children } => {
                out.push_str(&format!("{indent}<{tag}"));
                for (name, value) in attributes {
                    out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
                }
                if children.is_empty() {
                    out.push_str("/>\n");
                } else if children.iter().any(|child| matches!(child, Self::Text(_))) {
                    // White space would be part of the text.
                    out.push('>');
                    for child in children {
                        let mut inner = String::new();
                        child.write(&mut inner, 0);
                        out.push_str(inner.trim_end_matches('\n'));
                    }
                    out.push_str(&format!("</{tag}>\n"));
                } else {
                    out.push_str(">\n");
                    children.iter().for_each(|child| child.write(out, depth + 1));
                    out.push_str(&format!("{indent}</{tag}>\n"));
                }
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What stands in an element, in both forms.
struct Content {
    attributes: Vec<(String, String)>,
    nodes: Vec<Node>,
    json: Value,
}

impl Content {
    fn text(text: String, json: Value) -> Self {
        let nodes = if text.is_empty() { Vec::new() } else { vec![Node::Text(text)] };
        Self { attributes: Vec::new(), nodes, json }
    }
}

/// Where the fields of a type are put.
#[derive(Default)]
struct Parts {
    attributes: Vec<(String, String)>,
    nodes: Vec<Node>,
    members: Map<String, Value>,
}

struct Sampler<'a> {
    program: &'a Program,
    heights: Vec<u32>,
    /// Elements that may still be shown though they may as well be left out.
    left: usize,
    ids: u32,
    encoded: bool,
    /// Whether this is what stands for a wildcard already: a wildcard in it gets no more of that kind.
    in_wildcard: bool,
}

impl Parts {
    /// What repeats is an array in JSON, even where there is none of it.
    fn none_of(&mut self, field: &Field) {
        if field.repeats() && !matches!(field.kind, Kind::Attribute | Kind::AnyAttribute | Kind::Text) {
            self.members.insert(field.json.clone(), Value::Array(Vec::new()));
        }
    }
}

impl Sampler<'_> {
    fn item(&mut self, item: usize, depth: usize) -> Content {
        let program = self.program;
        match &program.items[item].kind {
            ItemKind::Struct(inner) => {
                let mut parts = Parts::default();
                if let Some(array) = &inner.array {
                    let enc = "http://schemas.xmlsoap.org/soap/encoding/".to_owned();
                    parts.attributes.push(("xmlns:enc".to_owned(), enc));
                    parts.attributes.push(("xsi:type".to_owned(), "enc:Array".to_owned()));
                    let type_ = format!("{}[1]", program.tag(Some(array.namespace), &array.local));
                    parts.attributes.push(("enc:arrayType".to_owned(), type_));
                }
                self.fields(&inner.fields, depth, &mut parts);
                Content { attributes: parts.attributes, nodes: parts.nodes, json: Value::Object(parts.members) }
            }
            ItemKind::Poly(poly) => {
                let easiest = poly.variants.iter().enumerate().min_by_key(|(_, v)| self.heights[v.item]);
                let Some((number, variant)) = easiest else { return Content::text(String::new(), Value::Null) };
                let mut content = self.item(variant.item, depth);
                if number > 0 || poly.is_abstract {
                    let name = &variant.type_name;
                    let tag = program.tag(Some(name.namespace), &name.local);
                    content.attributes.retain(|(name, _)| name != "xsi:type");
                    content.attributes.push(("xsi:type".to_owned(), tag));
                    if let Value::Object(members) = &mut content.json {
                        members.shift_insert(0, "@type".to_owned(), Value::String(name.local.clone()));
                    }
                }
                content
            }
            ItemKind::Wrapper(_, field) => self.content(field, depth),
            _ => Content::text(String::new(), Value::Null),
        }
    }

    fn content(&mut self, field: &Field, depth: usize) -> Content {
        let mut content = match &field.type_ {
            FieldType::Item(item) => self.item(*item, depth + 1),
            FieldType::Simple(simple) => {
                let (text, json) = self.simple(simple, field);
                Content::text(text, json)
            }
            FieldType::AnyValue => Content::text("text".to_owned(), Value::String("text".to_owned())),
            FieldType::Fragment | FieldType::AnyAttributes => Content::text(String::new(), Value::Null),
        };
        if self.encoded
            && let Some(name) = &field.xsi_type
            && !content.attributes.iter().any(|(name, _)| name == "xsi:type")
        {
            content.attributes.push(("xsi:type".to_owned(), self.program.tag(Some(name.namespace), &name.local)));
        }
        content
    }

    fn fields(&mut self, fields: &[Field], depth: usize, parts: &mut Parts) {
        for field in fields {
            let height = field.item().map_or(0, |item| self.heights[item]) as usize;
            if field.occurs.min == 0 && field.kind != Kind::Items {
                let too_much = depth + height > MAX_DEPTH || self.left == 0;
                let is_reference = matches!(&field.type_, FieldType::Simple(simple) if value::is_reference(simple));
                if too_much || is_reference {
                    parts.none_of(field);
                    continue;
                }
                self.left -= 1;
            }
            self.field(field, depth, parts);
        }
    }

    fn field(&mut self, field: &Field, depth: usize, parts: &mut Parts) {
        // One shows what several are like.
        let count = usize::try_from(field.occurs.min.clamp(1, 1000)).unwrap_or(1);
        match (field.kind, field.item()) {
            (Kind::Attribute, _) => {
                if let FieldType::Simple(simple) = &field.type_ {
                    let (text, json) = self.simple(simple, field);
                    parts.attributes.push((self.attribute_name(field), text));
                    parts.members.insert(field.json.clone(), json);
                }
            }
            (Kind::AnyAttribute, _) => {}
            (Kind::Text, _) => {
                if let FieldType::Simple(simple) = &field.type_ {
                    let (text, json) = self.simple(simple, field);
                    if !text.is_empty() {
                        parts.nodes.push(Node::Text(text));
                    }
                    parts.members.insert("value".to_owned(), json);
                }
            }
            (Kind::Any, _) => {
                if field.occurs.min > 0 {
                    let fragments: Vec<String> = (0..count).map(|_| self.fragment(&field.wildcard)).collect();
                    parts.nodes.extend(fragments.iter().cloned().map(Node::Raw));
                    let mut values: Vec<Value> = fragments.into_iter().map(Value::String).collect();
                    let json = if field.repeats() { Value::Array(values) } else { values.swap_remove(0) };
                    parts.members.insert(field.json.clone(), json);
                } else {
                    parts.none_of(field);
                }
            }
            (Kind::Group, Some(item)) if !field.needed.is_empty() && depth < MAX_DEPTH => {
                parts.nodes.extend(field.mixed.then(|| Node::Text(String::new())));
                let mut rounds = Vec::new();
                for branch in &field.needed {
                    let mut round = Parts::default();
                    let branch = self.program.fields(item)[*branch].clone();
                    self.field(&branch, depth + 1, &mut round);
                    parts.nodes.append(&mut round.nodes);
                    rounds.push(Value::Object(round.members));
                }
                parts.members.insert(field.json.clone(), Value::Array(rounds));
            }
            (Kind::Group, Some(item)) if field.repeats() => {
                // White space between the elements would be content.
                parts.nodes.extend(field.mixed.then(|| Node::Text(String::new())));
                let mut rounds = Vec::new();
                for _ in 0..count {
                    let mut round = Parts::default();
                    self.group(item, depth + 1, &mut round);
                    parts.nodes.append(&mut round.nodes);
                    rounds.push(Value::Object(round.members));
                }
                parts.members.insert(field.json.clone(), Value::Array(rounds));
            }
            (Kind::Group, Some(item)) => self.group(item, depth + 1, parts),
            _ => {
                let tag = self.program.tag(field.namespace, &field.local);
                let mut values = Vec::new();
                for _ in 0..count {
                    let content = self.content(field, depth);
                    let (attributes, children) = (content.attributes, content.nodes);
                    parts.nodes.push(Node::Element { tag: tag.clone(), attributes, children });
                    values.push(content.json);
                }
                let json = if field.repeats() { Value::Array(values) } else { values.swap_remove(0) };
                parts.members.insert(field.json.clone(), json);
            }
        }
    }

    fn group(&mut self, item: usize, depth: usize, parts: &mut Parts) {
        match &self.program.items[item].kind {
            ItemKind::Group(fields) => self.fields(fields, depth, parts),
            ItemKind::Choice(branches) => {
                let cost = |branch: &&Field| branch.item().map_or(0, |item| self.heights[item]);
                let text = branches.iter().find(|b| b.kind == Kind::Text);
                let first = branches.first().filter(|b| cost(b) as usize + depth <= MAX_DEPTH && b.kind != Kind::Any);
                let Some(branch) = text.or(first).or_else(|| branches.iter().min_by_key(cost)) else { return };
                if branch.kind == Kind::Text {
                    parts.nodes.push(Node::Text("text".to_owned()));
                    parts.members.insert("#text".to_owned(), Value::String("text".to_owned()));
                } else {
                    self.field(branch, depth, parts);
                }
            }
            _ => {}
        }
    }

    fn attribute_name(&self, field: &Field) -> String {
        self.program.tag(field.namespace, &field.local)
    }

    /// Whether a wildcard may stand anywhere in an item.
    fn reaches_wildcard(&self, item: usize, seen: &mut BTreeSet<usize>) -> bool {
        seen.insert(item)
            && self.program.fields(item).iter().any(|field| {
                field.kind == Kind::Any || field.item().is_some_and(|inner| self.reaches_wildcard(inner, seen))
            })
    }

    /// An element that a wildcard lets stand: one that the contract knows, where there is one.
    fn fragment(&self, wildcard: &Wildcard) -> String {
        let program = self.program;
        let allows = |namespace: &str| match wildcard {
            Wildcard::Any => true,
            Wildcard::Other(own) => !namespace.is_empty() && namespace != own,
            Wildcard::Of(list) => list.iter().any(|ns| ns == namespace),
        };
        // The simplest that needs no wildcard itself.
        let simplest = (0..program.items.len())
            .filter(|item| {
                program.element_of(*item).is_some_and(|e| allows(&program.modules[e.namespace].namespace))
                    && self.heights[*item] <= 2
                    && !program
                        .fields(*item)
                        .iter()
                        .any(|f| !f.needed.is_empty() || (f.kind == Kind::Any && f.occurs.min > 0))
            })
            .min_by_key(|item| {
                let has_wildcard = self.reaches_wildcard(*item, &mut BTreeSet::new());
                (has_wildcard, self.heights[*item], program.fields(*item).len(), *item)
            });
        if let Some(item) = simplest.filter(|_| !self.in_wildcard) {
            return written(program, item, true).split('\n').map(str::trim).collect();
        }
        let namespace = match wildcard {
            Wildcard::Of(list) => list.first().cloned().unwrap_or_default(),
            _ => "urn:example".to_owned(),
        };
        if namespace.is_empty() { "<any/>".to_owned() } else { format!("<x:any xmlns:x=\"{}\"/>", escaped(&namespace)) }
    }
}

/// How many levels each item needs at least.
fn heights(program: &Program) -> Vec<u32> {
    const ENDLESS: u32 = 1_000_000;
    let mut heights = vec![ENDLESS; program.items.len()];
    loop {
        let mut changed = false;
        for (index, item) in program.items.iter().enumerate() {
            let of =
                |field: &Field| if field.occurs.min == 0 { 0 } else { field.item().map_or(0, |item| heights[item]) };
            let height = match &item.kind {
                ItemKind::Struct(inner) => inner.fields.iter().map(of).max().unwrap_or(0) + 1,
                ItemKind::Group(fields) => fields.iter().map(of).max().unwrap_or(0),
                ItemKind::Choice(branches) => {
                    branches.iter().map(|b| b.item().map_or(0, |item| heights[item])).min().unwrap_or(0)
                }
                ItemKind::Poly(poly) => poly.variants.iter().map(|v| heights[v.item]).min().unwrap_or(0),
                ItemKind::Wrapper(_, field) => of(field),
                _ => 0,
            };
            if height < heights[index] {
                heights[index] = height;
                changed = true;
            }
        }
        if !changed {
            return heights;
        }
    }
}
