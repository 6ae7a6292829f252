//! What is generated, before it is text: modules, types, fields, services. Also what the dynamic server works from.

use crate::names::constant_name;
use crate::service::Service;
use soapstone_contract::model::{Builtin, Facets, Occurs, QName};
use std::collections::BTreeSet;

/// All that is generated.
#[derive(Default)]
pub struct Program {
    pub modules: Vec<Module>,
    pub items: Vec<Item>,
    pub services: Vec<Service>,
    /// Whether a message is in SOAP encoding; then fields know their types' names.
    pub encoded: bool,
    pub encoded_messages: BTreeSet<usize>,
    /// Whether fields know their types' names though nothing is encoded.
    pub typed: bool,
}

/// One namespace.
pub struct Module {
    pub name: String,
    pub prefix: String,
    pub namespace: String,
}

/// A Rust type.
pub struct Item {
    pub module: usize,
    pub name: String,
    pub doc: Option<String>,
    /// The qualified name in the contract, or what it belongs to.
    pub origin: String,
    pub kind: ItemKind,
}

/// What kind of Rust type.
pub enum ItemKind {
    /// A type still to be filled in.
    Pending,
    /// A complex type.
    Struct(Struct),
    /// A sequence without an element of its own: one that repeats, is optional as a whole, or a branch of a choice.
    Group(Vec<Field>),
    /// One of several elements or groups; pieces of mixed content.
    Choice(Vec<Field>),
    /// A type with others derived from it, told apart by `xsi:type`.
    Poly(Poly),
    /// An enumeration of texts.
    Enum(Vec<Variant>),
    /// `xs:union`.
    Union(Vec<(String, Simple)>),
    /// Another simple type.
    Alias(Simple),
    /// An element whose type is also that of other elements, or simple.
    Wrapper(ElementName, Box<Field>),
}

/// A complex type.
#[derive(Default)]
pub struct Struct {
    /// Attributes, text, then elements.
    pub fields: Vec<Field>,
    /// Whether the elements may stand in any order (`xs:all`).
    pub all: bool,
    /// The one global element of this type.
    pub element: Option<ElementName>,
    /// The items' type, if it is an array of SOAP encoding.
    pub array: Option<ElementName>,
    /// A message of several parts, or none: its elements have none around them.
    pub bare: bool,
}

/// A type and those derived from it.
pub struct Poly {
    /// The type that is declared.
    pub name: ElementName,
    /// The types that can stand here, the declared one first unless it is abstract.
    pub variants: Vec<PolyVariant>,
    pub is_abstract: bool,
}

/// One of the types that can stand in a place.
pub struct PolyVariant {
    pub name: String,
    pub type_name: ElementName,
    pub item: usize,
    pub boxed: bool,
}

/// The name of a global element or type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementName {
    pub namespace: usize,
    pub local: String,
}

/// A value of an enumeration.
pub struct Variant {
    pub name: String,
    pub value: String,
    pub doc: Option<String>,
}

/// A simple type with all its facets.
#[derive(Clone)]
pub struct Simple {
    pub base: Base,
    pub builtin: Builtin,
    pub facets: Facets,
    /// The steps of patterns: each a list of alternatives.
    pub patterns: Vec<Vec<String>>,
    /// The named type's constant for its facets.
    pub named: Option<(usize, String)>,
}

/// What a simple type is made of.
#[derive(Clone)]
pub enum Base {
    /// The Rust type of a built-in type; those of the runtime start with `rt::`.
    Rust(&'static str),
    /// An enumeration or union.
    Item(usize),
    List(Box<Simple>),
}

/// Where a field stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Attribute,
    AnyAttribute,
    /// The text of simple content; in a choice, a piece of mixed content.
    Text,
    Element,
    /// The items of an encoded array, whatever their elements are called.
    Items,
    /// A choice or sequence without an element of its own.
    Group,
    Any,
}

/// What a field holds.
#[derive(Clone)]
pub enum FieldType {
    Simple(Simple),
    Item(usize),
    /// XML of a wildcard.
    Fragment,
    /// `xs:anyType`.
    AnyValue,
    AnyAttributes,
}

/// A wildcard's namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wildcard {
    Any,
    Other(String),
    Of(Vec<String>),
}

/// A field of a struct or group, or a branch of a choice.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub doc: Option<String>,
    pub kind: Kind,
    pub type_: FieldType,
    pub occurs: Occurs,
    pub nillable: bool,
    pub boxed: bool,
    /// None: unqualified.
    pub namespace: Option<usize>,
    pub local: String,
    pub json: String,
    pub default: Option<String>,
    pub fixed: Option<String>,
    pub wildcard: Wildcard,
    /// Whether text counts between the elements of this group.
    pub mixed: bool,
    /// Of mixed content: the branches that the schema asks for, in their order.
    pub needed: Vec<usize>,
    /// The type that SOAP encoding writes on the element.
    pub xsi_type: Option<ElementName>,
}

impl Field {
    pub fn new(kind: Kind, local: &str, type_: FieldType) -> Self {
        Self {
            name: crate::field_name(local),
            doc: None,
            kind,
            type_,
            occurs: Occurs::ONCE,
            nillable: false,
            boxed: false,
            namespace: None,
            local: local.to_owned(),
            json: local.to_owned(),
            default: None,
            fixed: None,
            wildcard: Wildcard::Any,
            mixed: false,
            needed: Vec::new(),
            xsi_type: None,
        }
    }

    /// The name of its constant.
    pub fn constant(&self) -> String {
        let name = constant_name(&self.name);
        // Those that readers and writers have for themselves, and a variant of one letter.
        if name == self.name
            || matches!(name.as_str(), "STARTS" | "TYPES" | "FIELD" | "ALL" | "ELEMENT" | "NAMESPACES" | "ENCODED")
        {
            return format!("{name}_FIELD");
        }
        name
    }

    pub fn repeats(&self) -> bool {
        self.occurs.repeats()
    }

    pub fn optional(&self) -> bool {
        self.occurs.min == 0 && !self.repeats()
    }

    /// The item it holds.
    pub fn item(&self) -> Option<usize> {
        match self.type_ {
            FieldType::Item(item) => Some(item),
            _ => None,
        }
    }
}

/// What a group can begin with, and to which branch that leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    pub branch: usize,
    /// The item and the number of its field.
    pub field: (usize, usize),
    /// Whether it tells the branch only in JSON, where order does not count.
    pub later: bool,
}

impl Program {
    /// The fields of an item that has some.
    pub fn fields(&self, item: usize) -> &[Field] {
        match &self.items[item].kind {
            ItemKind::Struct(inner) => &inner.fields,
            ItemKind::Group(fields) | ItemKind::Choice(fields) => fields,
            _ => &[],
        }
    }

    /// Whether an item may be there without any element.
    pub fn is_emptiable(&self, item: usize) -> bool {
        self.emptiable_within(item, 0)
    }

    fn emptiable_within(&self, item: usize, depth: u32) -> bool {
        if depth > 50 {
            return true;
        }
        let empty = |field: &Field| {
            field.occurs.min == 0
                || (field.kind == Kind::Group
                    && field.item().is_some_and(|inner| self.emptiable_within(inner, depth + 1)))
        };
        match &self.items[item].kind {
            ItemKind::Group(fields) => fields.iter().all(empty),
            ItemKind::Choice(branches) => branches.iter().any(empty),
            _ => false,
        }
    }

    /// What a group or choice can begin with.
    pub fn starts(&self, item: usize) -> Vec<Begin> {
        let mut found = Vec::new();
        match &self.items[item].kind {
            ItemKind::Choice(branches) => {
                for (number, _) in branches.iter().enumerate() {
                    self.starts_of(item, number, number, false, 0, &mut found);
                }
            }
            ItemKind::Group(_) => self.sequence_starts(item, 0, false, 0, &mut found),
            _ => {}
        }
        // What begins a branch goes before what only tells it in JSON.
        found.sort_by_key(|begin| begin.later);
        let mut unique: Vec<Begin> = Vec::new();
        for begin in found {
            if !unique.iter().any(|known| known.field == begin.field && known.branch == begin.branch) {
                unique.push(begin);
            }
        }
        unique
    }

    fn sequence_starts(&self, item: usize, branch: usize, later: bool, depth: u32, found: &mut Vec<Begin>) {
        let mut later = later;
        for (number, field) in self.fields(item).iter().enumerate() {
            self.starts_of(item, number, branch, later, depth, found);
            let may_be_absent = field.occurs.min == 0
                || (field.kind == Kind::Group && field.item().is_some_and(|inner| self.is_emptiable(inner)));
            later = later || !may_be_absent;
        }
    }

    fn starts_of(&self, item: usize, number: usize, branch: usize, later: bool, depth: u32, found: &mut Vec<Begin>) {
        let field = &self.fields(item)[number];
        match (field.kind, field.item()) {
            (Kind::Group, Some(_)) if depth > 20 => {}
            // In JSON an array of its own tells it.
            (Kind::Group, Some(inner)) => {
                match &self.items[inner].kind {
                    ItemKind::Choice(branches) => {
                        for number in 0..branches.len() {
                            self.starts_of(inner, number, branch, later, depth + 1, found);
                        }
                    }
                    _ => self.sequence_starts(inner, branch, later, depth + 1, found),
                }
                if field.repeats() {
                    found.push(Begin { branch, field: (item, number), later: true });
                }
            }
            _ => found.push(Begin { branch, field: (item, number), later }),
        }
    }

    /// Whether fields know their types' names.
    pub fn knows_types(&self) -> bool {
        self.encoded || self.typed
    }

    /// The namespaces that messages of this item are written with; `typed`: with the type on each element.
    pub fn namespaces_of(&self, item: usize, typed: bool) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![item];
        while let Some(item) = open.pop() {
            if !seen.insert(item) {
                continue;
            }
            let mut visit = |field: &Field| {
                found.extend(field.namespace);
                found.extend(field.xsi_type.as_ref().filter(|_| typed).map(|name| name.namespace));
                open.extend(field.item());
            };
            match &self.items[item].kind {
                ItemKind::Struct(inner) => {
                    inner.fields.iter().for_each(&mut visit);
                    found.extend(inner.element.iter().chain(&inner.array).map(|name| name.namespace));
                }
                ItemKind::Choice(fields) | ItemKind::Group(fields) => fields.iter().for_each(visit),
                ItemKind::Poly(poly) => {
                    for variant in &poly.variants {
                        found.insert(variant.type_name.namespace);
                        open.push(variant.item);
                    }
                }
                ItemKind::Wrapper(element, field) => {
                    visit(field);
                    found.insert(element.namespace);
                }
                _ => {}
            }
        }
        // The prefix `xml` needs no declaration.
        found.retain(|namespace| self.modules[*namespace].prefix != "xml");
        found
    }

    /// The item that is a global element's message.
    pub fn message_of(&self, element: &QName) -> Option<usize> {
        self.items.iter().position(|item| {
            let own = match &item.kind {
                ItemKind::Struct(inner) => inner.element.as_ref(),
                ItemKind::Wrapper(own, _) => Some(own),
                _ => None,
            };
            own.is_some_and(|e| e.local == element.local && self.modules[e.namespace].namespace == *element.namespace)
        })
    }

    /// What the body of a message without an element of its own may begin with: namespaces and names.
    pub fn begins(&self, item: usize) -> Vec<(&str, &str)> {
        let mut begins = Vec::new();
        if self.element_of(item).is_some() {
            return begins;
        }
        for field in self.fields(item).iter().filter(|field| field.kind == Kind::Element) {
            let namespace = field.namespace.map_or("", |module| self.modules[module].namespace.as_str());
            begins.push((namespace, field.local.as_str()));
            if !field.optional() && !field.repeats() {
                break;
            }
        }
        begins
    }

    /// Whether an operation takes nothing but a list of elements, and answers with nothing but one.
    pub fn is_batched(&self, operation: &crate::service::Operation) -> bool {
        let is_list = |item: usize| {
            let ItemKind::Struct(inner) = &self.items[item].kind else { return false };
            let [field] = inner.fields.as_slice() else { return false };
            self.element_of(item).is_some()
                && field.kind == Kind::Element
                && field.occurs.max.is_none()
                && field.occurs.min <= 1
        };
        !operation.encoded && is_list(operation.input) && operation.output.is_some_and(is_list)
    }

    /// Whether a request can say of which version its record must be: by an attribute `ifVersion` of its only record.
    pub fn is_conditional(&self, operation: &crate::service::Operation) -> bool {
        self.only_record(operation.input).is_some_and(|item| self.has_attribute(item, "ifVersion"))
    }

    /// Whether a reply is one record that tells its version: by an attribute `version`.
    pub fn is_versioned(&self, operation: &crate::service::Operation) -> bool {
        let record = operation.output.and_then(|output| self.only_record(output));
        record.is_some_and(|item| self.has_attribute(item, "version"))
    }

    /// The record of a message that is nothing but one.
    fn only_record(&self, message: usize) -> Option<usize> {
        let [field] = self.fields(message) else { return None };
        let is_one = field.kind == Kind::Element && !field.repeats() && !field.optional();
        field.item().filter(|_| is_one)
    }

    fn has_attribute(&self, item: usize, name: &str) -> bool {
        self.fields(item).iter().any(|field| field.kind == Kind::Attribute && field.local == name)
    }

    /// The global element of a message.
    pub fn element_of(&self, item: usize) -> Option<&ElementName> {
        match &self.items[item].kind {
            ItemKind::Struct(inner) => inner.element.as_ref(),
            ItemKind::Wrapper(element, _) => Some(element),
            _ => None,
        }
    }

    /// A name as it is written, with its module's prefix.
    pub fn tag(&self, namespace: Option<usize>, local: &str) -> String {
        match namespace.map(|ns| &self.modules[ns]).filter(|m| !m.namespace.is_empty()) {
            Some(module) => format!("{}:{local}", module.prefix),
            None => local.to_owned(),
        }
    }
}
