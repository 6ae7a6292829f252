//! Schema components to Rust items: names given, content flattened, recursion boxed.

use crate::names::{Unique, constant_name, field_name, module_name, type_name};
use crate::service::{self, Service};
use soapstone_contract::model::{
    AttributeUse, Builtin, ComplexType, Content, DerivationKind, Element, Facets, GroupKind, Occurs, Particle, QName,
    SchemaSet, Term, Type, TypeRef, Variety, WhiteSpace,
};
use soapstone_contract::{Contract, Problems};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// All that is generated.
#[derive(Default)]
pub(crate) struct Program {
    pub modules: Vec<Module>,
    pub items: Vec<Item>,
    pub services: Vec<Service>,
}

/// One namespace.
pub(crate) struct Module {
    pub name: String,
    pub prefix: String,
    pub namespace: String,
}

/// A Rust type.
pub(crate) struct Item {
    pub module: usize,
    pub name: String,
    pub doc: Option<String>,
    /// The qualified name in the contract.
    pub origin: String,
    pub kind: ItemKind,
}

pub(crate) enum ItemKind {
    /// A type still to be filled in.
    Pending,
    Struct(Struct),
    Enum(Vec<Variant>),
    Alias(Simple),
    Choice(Vec<Field>),
    /// An element whose type is also that of other elements, or simple.
    Wrapper(ElementName, Box<Field>),
}

/// A complex type.
#[derive(Default)]
pub(crate) struct Struct {
    pub fields: Vec<Field>,
    /// The one global element of this type.
    pub element: Option<ElementName>,
}

/// A global element.
#[derive(Clone)]
pub(crate) struct ElementName {
    pub namespace: usize,
    pub local: String,
}

/// A value of an enumeration.
pub(crate) struct Variant {
    pub name: String,
    pub value: String,
    pub doc: Option<String>,
}

/// A simple type, down to what is built in.
#[derive(Clone)]
pub(crate) struct Simple {
    /// The Rust type, without a path for items.
    pub rust: &'static str,
    pub builtin: Builtin,
    pub facets: Facets,
    /// The steps of patterns: each a list of alternatives.
    pub patterns: Vec<Vec<String>>,
    /// The item of an enumeration.
    pub item: Option<usize>,
    pub list: bool,
    /// The named type's constant for its facets.
    pub named: Option<(usize, String)>,
}

/// Where a field stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Attribute,
    Text,
    Element,
    Choice,
    Any,
}

/// What a field holds.
#[derive(Clone)]
pub(crate) enum FieldType {
    Simple(Simple),
    Item(usize),
    Fragment,
}

/// A field of a struct, or a branch of a choice.
#[derive(Clone)]
pub(crate) struct Field {
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
}

impl Field {
    pub fn constant(&self) -> String {
        constant_name(&self.name)
    }

    pub fn repeats(&self) -> bool {
        self.occurs.repeats()
    }

    pub fn optional(&self) -> bool {
        self.occurs.min == 0 && !self.repeats()
    }
}

/// Turns contracts into items.
pub(crate) fn lower(contracts: &[Contract]) -> Result<Program, Problems> {
    let mut set = SchemaSet::default();
    for contract in contracts {
        for (name, type_) in &contract.schemas.types {
            set.types.entry(name.clone()).or_insert_with(|| type_.clone());
        }
        for (name, element) in &contract.schemas.elements {
            set.elements.entry(name.clone()).or_insert_with(|| element.clone());
        }
    }
    let mut lowerer = Lowerer {
        set: &set,
        program: Program::default(),
        by_type: BTreeMap::new(),
        names: HashMap::new(),
        problems: Problems::default(),
        filled: BTreeSet::new(),
        simple_depth: 0,
    };
    lowerer.modules(contracts);
    lowerer.declare();
    lowerer.fill();
    lowerer.elements();
    lowerer.program.box_recursion();
    let Lowerer { mut program, mut problems, .. } = lowerer;
    service::lower(contracts, &mut program, &mut problems);
    if problems.fatal() { Err(problems) } else { Ok(program) }
}

struct Lowerer<'a> {
    set: &'a SchemaSet,
    program: Program,
    by_type: BTreeMap<QName, usize>,
    /// Names taken in each module.
    names: HashMap<usize, Unique>,
    problems: Problems,
    filled: BTreeSet<usize>,
    simple_depth: u32,
}

impl Lowerer<'_> {
    fn modules(&mut self, contracts: &[Contract]) {
        let mut names = Unique::default();
        let mut prefixes = Unique::default();
        let mut add = |namespace: &str, program: &mut Program| {
            if program.modules.iter().any(|m| m.namespace == namespace) {
                return;
            }
            let name = names.take(module_name(namespace));
            let short: String = name.chars().filter(char::is_ascii_alphabetic).take(3).collect();
            let prefix = prefixes.take(if short.is_empty() || short == "xml" { "ns".to_owned() } else { short });
            program.modules.push(Module { name, prefix, namespace: namespace.to_owned() });
        };
        for contract in contracts {
            for namespace in &contract.schemas.namespaces {
                add(namespace, &mut self.program);
            }
            for port_type in contract.port_types.keys() {
                add(&port_type.namespace, &mut self.program);
            }
        }
        // Names in no declared namespace: global attributes of XML itself and its like.
        for name in self.set.types.keys().chain(self.set.elements.keys()) {
            add(&name.namespace, &mut self.program);
        }
    }

    fn module_of(&self, namespace: &str) -> Option<usize> {
        self.program.modules.iter().position(|m| m.namespace == namespace)
    }

    fn take_name(&mut self, module: usize, wanted: &str) -> String {
        self.names.entry(module).or_default().take(type_name(wanted))
    }

    fn add_item(&mut self, module: usize, wanted: &str, origin: &str, doc: Option<String>, kind: ItemKind) -> usize {
        let name = self.take_name(module, wanted);
        self.program.items.push(Item { module, name, doc, origin: origin.to_owned(), kind });
        self.program.items.len() - 1
    }

    /// Names for all named types, before any is looked into. Types of their own name come before those that are
    /// named after an element.
    fn declare(&mut self) {
        let (named, anonymous): (Vec<_>, Vec<_>) = self.set.types.keys().partition(|n| !n.local.ends_with("#type"));
        for name in named.into_iter().chain(anonymous) {
            let Some(module) = self.module_of(&name.namespace) else { continue };
            let local = name.local.trim_end_matches("#type");
            let doc = match &self.set.types[name] {
                Type::Simple(simple) => simple.documentation.clone(),
                Type::Complex(complex) => complex.documentation.clone(),
            };
            let doc = doc.or_else(|| {
                let element = QName::new(name.namespace.clone(), local);
                self.set.elements.get(&element).and_then(|e| e.documentation.clone())
            });
            let origin = QName::new(name.namespace.clone(), local).to_string();
            let index = self.add_item(module, local, &origin, doc, ItemKind::Pending);
            self.by_type.insert(name.clone(), index);
        }
    }

    fn fill(&mut self) {
        for (name, index) in self.by_type.clone() {
            self.fill_type(&name, index);
        }
    }

    fn fill_type(&mut self, name: &QName, index: usize) {
        if !self.filled.insert(index) {
            return;
        }
        let set = self.set;
        match &set.types[name] {
            Type::Complex(complex) => {
                let parent = name.local.trim_end_matches("#type").to_owned();
                let fields = self.struct_fields(complex, self.program.items[index].module, &parent);
                self.program.items[index].kind = ItemKind::Struct(Struct { fields, element: None });
            }
            Type::Simple(simple) => {
                let module = self.program.items[index].module;
                if let Some(variants) = self.enumeration(&Type::Simple(simple.clone())) {
                    self.program.items[index].kind = ItemKind::Enum(variants);
                } else {
                    let mut info = self.simple(&TypeRef::Anonymous(Box::new(Type::Simple(simple.clone()))), module, "");
                    let constant = constant_name(&self.program.items[index].name);
                    info.named = (!info.is_plain()).then_some((module, constant));
                    self.program.items[index].kind = ItemKind::Alias(info);
                }
            }
        }
    }

    /// The values, if the type is an enumeration of texts.
    fn enumeration(&mut self, type_: &Type) -> Option<Vec<Variant>> {
        let Type::Simple(simple) = type_ else { return None };
        let Variety::Restriction(base) = &simple.variety else { return None };
        if simple.facets.enumeration.is_empty() || !self.is_text(base, 0) {
            return None;
        }
        let mut names = Unique::default();
        let mut variants: Vec<Variant> = Vec::new();
        for (value, doc) in &simple.facets.enumeration {
            if variants.iter().any(|v| v.value == *value) {
                continue;
            }
            let wanted = if value.is_empty() { "Empty".to_owned() } else { type_name(value) };
            variants.push(Variant { name: names.take(wanted), value: value.clone(), doc: doc.clone() });
        }
        Some(variants)
    }

    fn is_text(&self, base: &TypeRef, depth: u32) -> bool {
        match base {
            TypeRef::Builtin(builtin) => rust_of(*builtin) == "String",
            TypeRef::Named(name) if depth < 50 => match self.set.types.get(name) {
                // A subset of an enumeration is the enumeration with a facet.
                Some(Type::Simple(simple)) if simple.facets.enumeration.is_empty() => match &simple.variety {
                    Variety::Restriction(base) => self.is_text(base, depth + 1),
                    _ => false,
                },
                _ => false,
            },
            TypeRef::Anonymous(type_) => match &**type_ {
                Type::Simple(simple) if simple.facets.enumeration.is_empty() => match &simple.variety {
                    Variety::Restriction(base) => self.is_text(base, depth + 1),
                    _ => false,
                },
                _ => false,
            },
            TypeRef::Named(_) => false,
        }
    }

    /// A simple type with all its facets.
    fn simple(&mut self, type_: &TypeRef, module: usize, parent: &str) -> Simple {
        self.simple_depth += 1;
        let info = if self.simple_depth > 60 {
            Simple::builtin(Builtin::String)
        } else {
            self.simple_inner(type_, module, parent)
        };
        self.simple_depth -= 1;
        info
    }

    fn simple_inner(&mut self, type_: &TypeRef, module: usize, parent: &str) -> Simple {
        let type_ = match type_ {
            TypeRef::Builtin(builtin) => return Simple::builtin(*builtin),
            TypeRef::Named(name) => {
                let Some(index) = self.by_type.get(name).copied() else { return Simple::builtin(Builtin::String) };
                self.fill_type(name, index);
                return match &self.program.items[index].kind {
                    ItemKind::Alias(simple) => simple.clone(),
                    ItemKind::Enum(_) => Simple::enumeration(index),
                    _ => Simple::builtin(Builtin::String),
                };
            }
            TypeRef::Anonymous(type_) => type_,
        };
        let Type::Simple(simple) = &**type_ else { return Simple::builtin(Builtin::String) };
        if !parent.is_empty()
            && let Some(variants) = self.enumeration(type_)
        {
            let doc = simple.documentation.clone();
            let index = self.add_item(module, parent, parent, doc, ItemKind::Enum(variants));
            return Simple::enumeration(index);
        }
        match &simple.variety {
            Variety::Restriction(base) => {
                let mut info = self.simple(base, module, parent);
                info.restrict(&simple.facets);
                info
            }
            Variety::List(item) => {
                let item = self.simple(item, module, parent);
                Simple { list: true, facets: Facets::default(), patterns: Vec::new(), named: None, ..item }
            }
            Variety::Union(_) => Simple::builtin(Builtin::String),
        }
    }

    fn complex_of(&self, type_: &TypeRef) -> Option<ComplexType> {
        match type_ {
            TypeRef::Named(name) => match self.set.types.get(name) {
                Some(Type::Complex(complex)) => Some(complex.clone()),
                _ => None,
            },
            TypeRef::Anonymous(type_) => match &**type_ {
                Type::Complex(complex) => Some(complex.clone()),
                Type::Simple(_) => None,
            },
            TypeRef::Builtin(_) => None,
        }
    }

    fn struct_fields(&mut self, complex: &ComplexType, module: usize, parent: &str) -> Vec<Field> {
        let mut fields = Fields { names: Unique::default(), json: Unique::default(), list: Vec::new() };
        let mut attributes = Vec::new();
        self.attributes_of(complex, module, parent, &mut attributes, 0);
        let (elements, text) = {
            let mut content = Vec::new();
            let text = self.content_of(complex, module, parent, &mut content, 0);
            (content, text)
        };
        // Elements keep their plain names; an attribute gives way (JSON: `@`).
        let taken: BTreeSet<_> = elements.iter().map(|f| f.json.clone()).collect();
        for mut attribute in attributes {
            if taken.contains(&attribute.json) || (text.is_some() && attribute.json == "value") {
                attribute.json.insert(0, '@');
                attribute.name = format!("{}_attribute", attribute.name.trim_end_matches('_'));
            }
            fields.push(attribute);
        }
        if let Some(text) = text {
            fields.push(text);
        }
        for element in elements {
            fields.push(element);
        }
        fields.list
    }

    fn attributes_of(&mut self, complex: &ComplexType, module: usize, parent: &str, out: &mut Vec<Field>, depth: u32) {
        if let Some(base) = complex.derivation.as_ref().and_then(|d| self.complex_of(&d.base))
            && depth < 50
        {
            self.attributes_of(&base, module, parent, out, depth + 1);
        }
        for used in &complex.attributes {
            out.retain(|f| f.local != used.attribute.name.local);
            if !used.prohibited {
                let field = self.attribute(used, module, parent);
                out.push(field);
            }
        }
    }

    fn attribute(&mut self, used: &AttributeUse, module: usize, parent: &str) -> Field {
        let attribute = &used.attribute;
        let local = attribute.name.local.clone();
        let simple = self.simple(&attribute.type_, module, &format!("{parent} {local}"));
        Field {
            name: field_name(&local),
            doc: attribute.documentation.clone(),
            kind: Kind::Attribute,
            type_: FieldType::Simple(simple),
            occurs: Occurs { min: u32::from(used.required), max: Some(1) },
            nillable: false,
            boxed: false,
            namespace: self.module_of(&attribute.name.namespace).filter(|_| !attribute.name.namespace.is_empty()),
            json: local.clone(),
            local,
        }
    }

    /// Adds the elements, base first; gives the text of simple content.
    fn content_of(
        &mut self,
        complex: &ComplexType,
        module: usize,
        parent: &str,
        out: &mut Vec<Field>,
        depth: u32,
    ) -> Option<Field> {
        if complex.mixed {
            let problem = complex.place.unsupported("codegen.mixed", format!("{parent}: mixed content"));
            self.problems.push(problem.remedy("give the text an element of its own"));
        }
        if let Content::Simple(facets) = &complex.content {
            let derivation = complex.derivation.as_ref()?;
            let mut text = match self.complex_of(&derivation.base) {
                Some(base) if depth < 50 => self.content_of(&base, module, parent, out, depth + 1),
                _ => None,
            }
            .unwrap_or_else(|| Field {
                name: "value".to_owned(),
                doc: Some("The text.".to_owned()),
                kind: Kind::Text,
                type_: FieldType::Simple(Simple::builtin(Builtin::String)),
                occurs: Occurs::ONCE,
                nillable: false,
                boxed: false,
                namespace: None,
                local: String::new(),
                json: "value".to_owned(),
            });
            if self.complex_of(&derivation.base).is_none() {
                text.type_ = FieldType::Simple(self.simple(&derivation.base, module, parent));
            }
            if let FieldType::Simple(simple) = &mut text.type_ {
                simple.restrict(facets);
            }
            return Some(text);
        }
        if let Some(derivation) = &complex.derivation
            && derivation.kind == DerivationKind::Extension
        {
            match self.complex_of(&derivation.base) {
                Some(base) if depth < 50 => {
                    if let Some(text) = self.content_of(&base, module, parent, out, depth + 1) {
                        return Some(text);
                    }
                }
                _ if matches!(derivation.base, TypeRef::Builtin(Builtin::AnyType)) => {}
                _ => {
                    let problem =
                        complex.place.unsupported("codegen.base", format!("{parent}: its base is not complex"));
                    self.problems.push(problem.remedy("derive it from a complex type"));
                }
            }
        }
        if let Content::Elements(particle) = &complex.content {
            self.particle(particle, false, module, parent, out);
        }
        None
    }

    fn particle(&mut self, particle: &Particle, optional: bool, module: usize, parent: &str, out: &mut Vec<Field>) {
        let mut occurs = particle.occurs;
        if optional {
            occurs.min = 0;
        }
        match &particle.term {
            Term::Element(element) => {
                let field = self.element_field(element, occurs, module, parent);
                out.push(field);
            }
            Term::Group(GroupKind::Sequence, particles) if !occurs.repeats() => {
                for inner in particles {
                    self.particle(inner, occurs.min == 0, module, parent, out);
                }
            }
            Term::Group(GroupKind::Choice, particles) => self.choice(particles, occurs, module, parent, out),
            Term::Group(kind, particles) => {
                let place = particles.iter().find_map(|p| match &p.term {
                    Term::Element(element) => Some(element.place.clone()),
                    _ => None,
                });
                let what = if *kind == GroupKind::All { "xs:all" } else { "a repeated sequence" };
                let problem = place
                    .unwrap_or_default()
                    .unsupported("codegen.group", format!("{parent}: {what} has no Rust form"));
                self.problems.push(problem.remedy("use a sequence of elements"));
            }
            Term::Any(_) => out.push(Field {
                name: "any".to_owned(),
                doc: Some("What the contract leaves open, as XML.".to_owned()),
                kind: Kind::Any,
                type_: FieldType::Fragment,
                occurs,
                nillable: false,
                boxed: false,
                namespace: None,
                local: "any".to_owned(),
                json: "any".to_owned(),
            }),
        }
    }

    fn choice(&mut self, particles: &[Particle], occurs: Occurs, module: usize, parent: &str, out: &mut Vec<Field>) {
        let mut branches = Fields { names: Unique::default(), json: Unique::default(), list: Vec::new() };
        for particle in particles {
            match &particle.term {
                Term::Element(element) if !particle.occurs.repeats() => {
                    let mut branch = self.element_field(element, Occurs::ONCE, module, parent);
                    branch.name = type_name(&branch.local);
                    branches.push(branch);
                }
                Term::Element(element) => {
                    let problem = element.place.unsupported(
                        "codegen.choice",
                        format!("{parent}: a choice whose branch \"{}\" repeats has no Rust form", element.name.local),
                    );
                    self.problems.push(problem.remedy("let the choice repeat instead of its branch"));
                }
                _ => {
                    let problem = soapstone_contract::model::Place::default()
                        .unsupported("codegen.choice", format!("{parent}: a choice of groups has no Rust form"));
                    self.problems.push(problem.remedy("give each group an element"));
                }
            }
        }
        let index = self.add_item(module, &format!("{parent} choice"), parent, None, ItemKind::Choice(branches.list));
        out.push(Field {
            name: "choice".to_owned(),
            doc: Some("One of several elements.".to_owned()),
            kind: Kind::Choice,
            type_: FieldType::Item(index),
            occurs,
            nillable: false,
            boxed: false,
            namespace: None,
            local: "choice".to_owned(),
            json: "choice".to_owned(),
        });
    }

    fn element_field(&mut self, element: &Element, occurs: Occurs, module: usize, parent: &str) -> Field {
        let local = element.name.local.clone();
        let nested = format!("{parent} {local}");
        let type_ = match &element.type_ {
            TypeRef::Builtin(Builtin::AnyType) => {
                let problem = element.place.unsupported("codegen.any_type", format!("{nested}: xs:anyType"));
                self.problems.push(problem.remedy("give the element a type"));
                FieldType::Fragment
            }
            TypeRef::Anonymous(inner) if matches!(**inner, Type::Complex(_)) => {
                let Type::Complex(complex) = &**inner else {
                    return self.element_field(element, occurs, module, parent);
                };
                let doc = complex.documentation.clone().or_else(|| element.documentation.clone());
                let index = self.add_item(module, &nested, &nested, doc, ItemKind::Pending);
                let fields = self.struct_fields(complex, module, &nested);
                self.program.items[index].kind = ItemKind::Struct(Struct { fields, element: None });
                FieldType::Item(index)
            }
            TypeRef::Named(name) if matches!(self.set.types.get(name), Some(Type::Complex(_))) => {
                FieldType::Item(self.by_type[name])
            }
            other => FieldType::Simple(self.simple(other, module, &nested)),
        };
        Field {
            name: field_name(&local),
            doc: element.documentation.clone(),
            kind: Kind::Element,
            type_,
            occurs,
            nillable: element.nillable,
            boxed: false,
            namespace: self.module_of(&element.name.namespace).filter(|_| !element.name.namespace.is_empty()),
            json: local.clone(),
            local,
        }
    }

    /// Global elements are what messages are made of: the only one of a struct is the struct itself.
    fn elements(&mut self) {
        let mut users: BTreeMap<usize, Vec<&QName>> = BTreeMap::new();
        let set = self.set;
        for (name, element) in &set.elements {
            if let TypeRef::Named(type_) = &element.type_
                && let Some(index) = self.by_type.get(type_)
                && matches!(self.program.items[*index].kind, ItemKind::Struct(_))
            {
                users.entry(*index).or_default().push(name);
            }
        }
        for (name, element) in &set.elements {
            let Some(module) = self.module_of(&name.namespace) else { continue };
            let own = ElementName { namespace: module, local: name.local.clone() };
            if let TypeRef::Named(type_) = &element.type_
                && let Some(index) = self.by_type.get(type_)
                && users.get(index).is_some_and(|u| u.len() == 1)
                && let ItemKind::Struct(item) = &mut self.program.items[*index].kind
            {
                item.element = Some(own);
                continue;
            }
            if matches!(element.type_, TypeRef::Builtin(Builtin::AnyType)) {
                continue;
            }
            let field = self.element_field(element, Occurs::ONCE, module, "");
            let doc = element.documentation.clone();
            let wanted = format!("{} element", name.local);
            self.add_item(module, &wanted, &name.to_string(), doc, ItemKind::Wrapper(own, Box::new(field)));
        }
    }
}

/// Fields with unique names.
struct Fields {
    names: Unique,
    json: Unique,
    list: Vec<Field>,
}

impl Fields {
    fn push(&mut self, mut field: Field) {
        field.name = self.names.take(field.name);
        field.json = self.json.take(field.json);
        self.list.push(field);
    }
}

impl Program {
    /// Boxes the fields by which a struct would contain itself.
    fn box_recursion(&mut self) {
        for index in 0..self.items.len() {
            let ItemKind::Struct(item) = &self.items[index].kind else { continue };
            let boxed: Vec<usize> = (0..item.fields.len())
                .filter(|f| {
                    let field = &item.fields[*f];
                    match field.type_ {
                        FieldType::Item(target) if !field.repeats() => {
                            self.contains(target, index, &mut BTreeSet::new())
                        }
                        _ => false,
                    }
                })
                .collect();
            if let ItemKind::Struct(item) = &mut self.items[index].kind {
                for field in boxed {
                    // Choices are enums: their branches are boxed, not they.
                    item.fields[field].boxed = item.fields[field].kind == Kind::Element;
                }
            }
        }
        for index in 0..self.items.len() {
            let ItemKind::Choice(branches) = &self.items[index].kind else { continue };
            let boxed: Vec<bool> = branches
                .iter()
                .map(|b| match b.type_ {
                    FieldType::Item(target) => self.contains(target, index, &mut BTreeSet::new()),
                    _ => false,
                })
                .collect();
            if let ItemKind::Choice(branches) = &mut self.items[index].kind {
                for (branch, boxed) in branches.iter_mut().zip(boxed) {
                    branch.boxed = boxed;
                }
            }
        }
    }

    /// Whether a value of `from` holds one of `wanted` without a `Vec` or `Box` between.
    fn contains(&self, from: usize, wanted: usize, seen: &mut BTreeSet<usize>) -> bool {
        if from == wanted {
            return true;
        }
        if !seen.insert(from) {
            return false;
        }
        let fields = match &self.items[from].kind {
            ItemKind::Struct(item) => &item.fields,
            ItemKind::Choice(branches) => branches,
            _ => return false,
        };
        fields.iter().any(|field| match field.type_ {
            FieldType::Item(target) if !field.repeats() && !field.boxed => self.contains(target, wanted, seen),
            _ => false,
        })
    }

    /// The namespaces that messages of this item are written with.
    pub fn namespaces_of(&self, item: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.collect_namespaces(item, &mut found, &mut BTreeSet::new());
        found
    }

    fn collect_namespaces(&self, item: usize, found: &mut BTreeSet<usize>, seen: &mut BTreeSet<usize>) {
        if !seen.insert(item) {
            return;
        }
        let mut visit = |field: &Field| {
            found.extend(field.namespace);
            if let FieldType::Item(target) = field.type_ {
                self.collect_namespaces(target, found, seen);
            }
        };
        match &self.items[item].kind {
            ItemKind::Struct(inner) => {
                inner.fields.iter().for_each(&mut visit);
                if let Some(element) = &inner.element {
                    found.insert(element.namespace);
                }
            }
            ItemKind::Choice(branches) => branches.iter().for_each(visit),
            ItemKind::Wrapper(element, field) => {
                visit(field);
                found.insert(element.namespace);
            }
            _ => {}
        }
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
}

impl Simple {
    pub fn builtin(builtin: Builtin) -> Self {
        let mut simple = Self {
            rust: rust_of(builtin),
            builtin,
            facets: Facets::default(),
            patterns: Vec::new(),
            item: None,
            list: matches!(builtin, Builtin::NmTokens | Builtin::IdRefs | Builtin::Entities),
            named: None,
        };
        let facets = &mut simple.facets;
        match builtin {
            Builtin::NonNegativeInteger => facets.min_inclusive = Some("0".to_owned()),
            Builtin::PositiveInteger => facets.min_inclusive = Some("1".to_owned()),
            Builtin::NonPositiveInteger => facets.max_inclusive = Some("0".to_owned()),
            Builtin::NegativeInteger => facets.max_inclusive = Some("-1".to_owned()),
            Builtin::NormalizedString => facets.white_space = Some(WhiteSpace::Replace),
            Builtin::String | Builtin::AnySimpleType => {}
            _ if simple.rust == "String" => facets.white_space = Some(WhiteSpace::Collapse),
            _ => {}
        }
        simple
    }

    /// The generated enumeration, which knows its values and collapses white space.
    fn enumeration(item: usize) -> Self {
        Self { item: Some(item), facets: Facets::default(), ..Self::builtin(Builtin::Token) }
    }

    /// Whether there is no facet at all.
    pub fn is_plain(&self) -> bool {
        self.facets == Facets::default() && self.patterns.is_empty()
    }

    fn restrict(&mut self, facets: &Facets) {
        if *facets != Facets::default() {
            self.named = None;
        }
        let own = &mut self.facets;
        if !facets.enumeration.is_empty() {
            own.enumeration.clone_from(&facets.enumeration);
        }
        if !facets.patterns.is_empty() {
            self.patterns.push(facets.patterns.clone());
        }
        own.length = facets.length.or(own.length);
        own.min_length = facets.min_length.or(own.min_length);
        own.max_length = facets.max_length.or(own.max_length);
        own.total_digits = facets.total_digits.or(own.total_digits);
        own.fraction_digits = facets.fraction_digits.or(own.fraction_digits);
        own.white_space = facets.white_space.or(own.white_space);
        for (own, given) in [
            (&mut own.min_inclusive, &facets.min_inclusive),
            (&mut own.max_inclusive, &facets.max_inclusive),
            (&mut own.min_exclusive, &facets.min_exclusive),
            (&mut own.max_exclusive, &facets.max_exclusive),
        ] {
            if given.is_some() {
                own.clone_from(given);
            }
        }
    }
}

/// The Rust type of a built-in type; those of the runtime start with `rt::`.
fn rust_of(builtin: Builtin) -> &'static str {
    match builtin {
        Builtin::Boolean => "bool",
        Builtin::Decimal => "rt::Decimal",
        Builtin::Integer
        | Builtin::NonPositiveInteger
        | Builtin::NegativeInteger
        | Builtin::NonNegativeInteger
        | Builtin::PositiveInteger => "rt::Integer",
        Builtin::Long => "i64",
        Builtin::Int => "i32",
        Builtin::Short => "i16",
        Builtin::Byte => "i8",
        Builtin::UnsignedLong => "u64",
        Builtin::UnsignedInt => "u32",
        Builtin::UnsignedShort => "u16",
        Builtin::UnsignedByte => "u8",
        Builtin::Float => "f32",
        Builtin::Double => "f64",
        Builtin::Duration => "rt::Duration",
        Builtin::DateTime => "rt::DateTime",
        Builtin::Time => "rt::Time",
        Builtin::Date => "rt::Date",
        Builtin::GYearMonth => "rt::GYearMonth",
        Builtin::GYear => "rt::GYear",
        Builtin::GMonthDay => "rt::GMonthDay",
        Builtin::GDay => "rt::GDay",
        Builtin::GMonth => "rt::GMonth",
        Builtin::HexBinary => "rt::HexBinary",
        Builtin::Base64Binary => "rt::Base64Binary",
        _ => "String",
    }
}
