//! Schema components to Rust items: names given, content flattened, recursion boxed.

mod boxing;
mod content;
mod particle;
mod simple;

use crate::names::{Unique, module_name, type_name};
use crate::program::{ElementName, Field, FieldType, Item, ItemKind, Kind, Module, Poly, PolyVariant, Program, Struct};
use crate::service;
use soapstone_contract::model::{Builtin, ComplexType, Occurs, QName, SchemaSet, Type, TypeRef};
use soapstone_contract::{Contract, Problems};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Turns contracts into items.
pub(crate) fn lower(contracts: &[Contract]) -> Result<Program, Problems> {
    let set = merged(contracts);
    let mut lowerer = Lowerer::new(&set);
    lowerer.modules(contracts);
    lowerer.declare();
    lowerer.fill();
    lowerer.elements();
    let mut problems = Problems::default();
    service::lower(contracts, &mut lowerer, &mut problems);
    let mut program = lowerer.program;
    boxing::box_recursion(&mut program);
    if problems.fatal() { Err(problems) } else { Ok(program) }
}

/// The components of all contracts; what several declare is the same.
fn merged(contracts: &[Contract]) -> SchemaSet {
    let mut set = SchemaSet::default();
    for contract in contracts {
        let schemas = &contract.schemas;
        let foreign = |name: &&QName| !crate::encoding::is_own(name);
        for (name, type_) in schemas.types.iter().filter(|(name, _)| foreign(name)) {
            set.types.entry(name.clone()).or_insert_with(|| type_.clone());
        }
        for (name, element) in schemas.elements.iter().filter(|(name, _)| foreign(name)) {
            set.elements.entry(name.clone()).or_insert_with(|| element.clone());
        }
        for (head, members) in &schemas.substitutions {
            let known = set.substitutions.entry(head.clone()).or_default();
            known.extend(members.iter().filter(|m| !known.contains(m)).cloned().collect::<Vec<_>>());
        }
    }
    set
}

pub(crate) struct Lowerer<'a> {
    pub set: &'a SchemaSet,
    pub program: Program,
    modules_by_namespace: HashMap<String, usize>,
    by_type: BTreeMap<QName, usize>,
    /// Types with others derived from them, and the item that tells those apart.
    polys: BTreeMap<QName, usize>,
    /// The named complex types derived from each, at any distance.
    derived: BTreeMap<QName, Vec<QName>>,
    /// Substitution groups, by their head.
    groups: BTreeMap<QName, usize>,
    /// Names taken in each module.
    names: HashMap<usize, Unique>,
    filled: BTreeSet<usize>,
    depth: u32,
}

/// The namespace whose prefix is always `xml`, and never declared.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// How deep types may be derived or nested in each other; a contract in which they go on for ever is cut off here.
const MAX_DEPTH: u32 = 200;

impl<'a> Lowerer<'a> {
    fn new(set: &'a SchemaSet) -> Self {
        Self {
            set,
            program: Program::default(),
            modules_by_namespace: HashMap::new(),
            by_type: BTreeMap::new(),
            polys: BTreeMap::new(),
            derived: derived_types(set),
            groups: BTreeMap::new(),
            names: HashMap::new(),
            filled: BTreeSet::new(),
            depth: 0,
        }
    }

    fn modules(&mut self, contracts: &[Contract]) {
        let mut names = Unique::default();
        let mut prefixes = Unique::default();
        let namespaces = contracts.iter().flat_map(|c| {
            let schemas =
                c.schemas.namespaces.iter().filter(|ns| !crate::encoding::is_own(&QName::new((*ns).clone(), "")));
            schemas.map(|ns| &**ns).chain(c.port_types.keys().map(|name| &*name.namespace))
        });
        // Names in no declared namespace: what XML itself and SOAP encoding bring along.
        let named = self.set.types.keys().chain(self.set.elements.keys()).map(|name| &*name.namespace);
        let all: Vec<&str> = namespaces.chain(named).collect();
        for namespace in all {
            if self.modules_by_namespace.contains_key(namespace) {
                continue;
            }
            let name = names.take(module_name(namespace));
            let short: String = name.chars().filter(char::is_ascii_alphabetic).take(3).collect();
            let prefix = if namespace == XML {
                "xml".to_owned()
            } else {
                prefixes.take(if short.is_empty() || short == "xml" { "ns".to_owned() } else { short })
            };
            self.modules_by_namespace.insert(namespace.to_owned(), self.program.modules.len());
            self.program.modules.push(Module { name, prefix, namespace: namespace.to_owned() });
        }
    }

    /// The module of a namespace, made if there is none.
    pub fn module_of(&mut self, namespace: &str) -> usize {
        if let Some(known) = self.modules_by_namespace.get(namespace) {
            return *known;
        }
        let wanted = module_name(namespace);
        let taken = |name: &str| self.program.modules.iter().any(|m| m.name == name);
        let mut name = wanted.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        let mut prefix: String = name.chars().filter(char::is_ascii_alphabetic).take(3).collect();
        if namespace == XML {
            prefix = "xml".to_owned();
        } else if prefix.is_empty() || prefix == "xml" {
            prefix = "ns".to_owned();
        }
        while self.program.modules.iter().any(|m| m.prefix == prefix) {
            prefix = format!("{}{number}", prefix.trim_end_matches(|c: char| c.is_ascii_digit()));
            number += 1;
        }
        let index = self.program.modules.len();
        self.modules_by_namespace.insert(namespace.to_owned(), index);
        self.program.modules.push(Module { name, prefix, namespace: namespace.to_owned() });
        index
    }

    /// The namespace that a name is written in: none, if it is unqualified.
    pub fn qualified(&mut self, namespace: &str) -> Option<usize> {
        (!namespace.is_empty()).then(|| self.module_of(namespace))
    }

    fn take_name(&mut self, module: usize, wanted: &str) -> String {
        self.names.entry(module).or_default().take(type_name(wanted))
    }

    /// A name for a trait, its server and its client.
    pub fn service_name(&mut self, module: usize, wanted: &str) -> String {
        let names = self.names.entry(module).or_default();
        let wanted = type_name(wanted);
        let derived = |name: &str| [name.to_owned(), format!("{name}Server"), format!("{name}Client")];
        let mut name = wanted.clone();
        let mut number = 1;
        while derived(&name).iter().any(|n| names.has(n)) {
            number += 1;
            name = if number == 2 { format!("{wanted}Service") } else { format!("{wanted}Service{number}") };
        }
        for taken in derived(&name) {
            names.take(taken);
        }
        name
    }

    pub fn add_item(
        &mut self,
        module: usize,
        wanted: &str,
        origin: &str,
        doc: Option<String>,
        kind: ItemKind,
    ) -> usize {
        let name = self.take_name(module, wanted);
        self.program.items.push(Item { module, name, doc, origin: origin.to_owned(), kind });
        self.program.items.len() - 1
    }

    /// Names for all named types, before any is looked into. Types of their own name come before those that are
    /// named after an element.
    fn declare(&mut self) {
        let set = self.set;
        let (named, anonymous): (Vec<_>, Vec<_>) = set.types.keys().partition(|n| !n.local.ends_with("#type"));
        for name in named.into_iter().chain(anonymous) {
            let module = self.module_of(&name.namespace);
            let local = name.local.trim_end_matches("#type");
            let doc = match &set.types[name] {
                Type::Simple(simple) => simple.documentation.clone(),
                Type::Complex(complex) => complex.documentation.clone(),
            };
            let doc = doc.or_else(|| {
                let element = QName::new(name.namespace.clone(), local);
                set.elements.get(&element).and_then(|e| e.documentation.clone())
            });
            let origin = QName::new(name.namespace.clone(), local).to_string();
            let index = self.add_item(module, local, &origin, doc, ItemKind::Pending);
            self.by_type.insert(name.clone(), index);
            if matches!(&set.types[name], Type::Complex(complex) if complex.is_abstract) {
                self.polys.insert(name.clone(), index);
            }
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
        let module = self.program.items[index].module;
        match &set.types[name] {
            Type::Complex(complex) if complex.is_abstract => self.fill_poly(name, index),
            Type::Complex(complex) => {
                let parent = name.local.trim_end_matches("#type").to_owned();
                let inner = self.structure(complex, module, &parent);
                self.program.items[index].kind = ItemKind::Struct(inner);
            }
            Type::Simple(simple) => self.fill_simple(index, simple),
        }
    }

    /// The item of a named complex type where it may stand for those derived from it.
    fn place_of(&mut self, name: &QName) -> usize {
        if let Some(poly) = self.polys.get(name) {
            return *poly;
        }
        let own = self.by_type[name];
        if !self.derived.contains_key(name) {
            return own;
        }
        let item = &self.program.items[own];
        let (module, origin, doc) = (item.module, item.origin.clone(), item.doc.clone());
        let wanted = format!("Any {}", name.local.trim_end_matches("#type"));
        let index = self.add_item(module, &wanted, &origin, doc, ItemKind::Pending);
        self.polys.insert(name.clone(), index);
        self.fill_poly(name, index);
        index
    }

    fn fill_poly(&mut self, name: &QName, index: usize) {
        let is_abstract = self.is_abstract(name);
        let derived = self.derived.get(name).cloned().unwrap_or_default();
        let mut names = Unique::default();
        // The way out for types that the contract does not know.
        names.take("Other".to_owned());
        let concrete = (!is_abstract).then(|| name.clone()).into_iter().chain(derived);
        let mut variants = Vec::new();
        for type_ in concrete.filter(|t| !self.is_abstract(t)).collect::<Vec<_>>() {
            let module = self.module_of(&type_.namespace);
            variants.push(PolyVariant {
                name: names.take(type_name(&type_.local)),
                type_name: ElementName { namespace: module, local: type_.local.clone() },
                item: self.by_type[&type_],
                boxed: false,
            });
        }
        let module = self.module_of(&name.namespace);
        let own = ElementName { namespace: module, local: name.local.trim_end_matches("#type").to_owned() };
        self.program.items[index].kind = ItemKind::Poly(Poly { name: own, variants, is_abstract });
    }

    fn is_abstract(&self, name: &QName) -> bool {
        matches!(self.set.types.get(name), Some(Type::Complex(complex)) if complex.is_abstract)
    }

    pub fn complex_of<'s>(&'s self, type_: &'s TypeRef) -> Option<&'s ComplexType> {
        match type_ {
            TypeRef::Named(name) => match self.set.types.get(name) {
                Some(Type::Complex(complex)) => Some(complex),
                _ => None,
            },
            TypeRef::Anonymous(type_) => match &**type_ {
                Type::Complex(complex) => Some(complex),
                Type::Simple(_) => None,
            },
            TypeRef::Builtin(_) => None,
        }
    }

    /// What an element of that type holds.
    pub fn field_type(&mut self, type_: &TypeRef, module: usize, nested: &str, doc: Option<&String>) -> FieldType {
        match type_ {
            TypeRef::Builtin(Builtin::AnyType | Builtin::AnySimpleType) => FieldType::AnyValue,
            TypeRef::Anonymous(inner) => match &**inner {
                Type::Complex(complex) => {
                    let doc = complex.documentation.clone().or_else(|| doc.cloned());
                    let index = self.add_item(module, nested, nested, doc, ItemKind::Pending);
                    if self.depth < MAX_DEPTH {
                        self.depth += 1;
                        let inner = self.structure(complex, module, nested);
                        self.depth -= 1;
                        self.program.items[index].kind = ItemKind::Struct(inner);
                    }
                    FieldType::Item(index)
                }
                Type::Simple(_) => FieldType::Simple(self.simple(type_, module, nested)),
            },
            TypeRef::Named(name) => match self.set.types.get(name) {
                Some(Type::Complex(_)) => FieldType::Item(self.place_of(name)),
                Some(Type::Simple(_)) => FieldType::Simple(self.simple(type_, module, nested)),
                // What XML Schema or SOAP encoding bring along, or nobody declares.
                None => crate::encoding::builtin(name)
                    .map_or(FieldType::AnyValue, |builtin| FieldType::Simple(crate::program::Simple::builtin(builtin))),
            },
            TypeRef::Builtin(_) => FieldType::Simple(self.simple(type_, module, nested)),
        }
    }

    /// The name of a type, as `xsi:type` has it.
    pub fn xsi_type(&mut self, type_: &TypeRef) -> Option<ElementName> {
        match type_ {
            TypeRef::Builtin(Builtin::AnyType | Builtin::AnySimpleType) | TypeRef::Anonymous(_) => None,
            TypeRef::Builtin(builtin) => {
                let module = self.module_of("http://www.w3.org/2001/XMLSchema");
                Some(ElementName { namespace: module, local: builtin.name().to_owned() })
            }
            TypeRef::Named(name) if name.local.ends_with("#type") => None,
            TypeRef::Named(name) => {
                let module = self.module_of(&name.namespace);
                Some(ElementName { namespace: module, local: name.local.clone() })
            }
        }
    }

    /// Global elements are what messages are made of: the only one of a struct is the struct itself.
    fn elements(&mut self) {
        let mut users: BTreeMap<usize, u32> = BTreeMap::new();
        let set = self.set;
        for element in set.elements.values() {
            if let TypeRef::Named(type_) = &element.type_
                && let Some(index) = self.by_type.get(type_)
                && !element.is_abstract
            {
                *users.entry(*index).or_default() += 1;
            }
        }
        for (name, element) in &set.elements {
            // An abstract element stands in no message.
            if element.is_abstract {
                continue;
            }
            let module = self.module_of(&name.namespace);
            let own = ElementName { namespace: module, local: name.local.clone() };
            if let TypeRef::Named(type_) = &element.type_
                && !element.nillable
                && !self.derived.contains_key(type_)
                && let Some(index) = self.by_type.get(type_)
                && users.get(index) == Some(&1)
                && let ItemKind::Struct(item) = &mut self.program.items[*index].kind
            {
                item.element = Some(own);
                continue;
            }
            let field = self.element_field(element, Occurs::ONCE, module, &name.local);
            let doc = element.documentation.clone();
            let wanted = format!("{} element", name.local);
            self.add_item(module, &wanted, &name.to_string(), doc, ItemKind::Wrapper(own, Box::new(field)));
        }
    }

    /// A struct that the schema does not have: the parts of a message.
    pub fn synthetic(
        &mut self,
        wanted: &str,
        module: usize,
        element: Option<ElementName>,
        fields: Vec<Field>,
    ) -> usize {
        let bare = element.is_none();
        let origin = element.as_ref().map_or_else(|| wanted.to_owned(), |e| e.local.clone());
        let inner = Struct { fields, element, bare, ..Struct::default() };
        self.add_item(module, wanted, &origin, None, ItemKind::Struct(inner))
    }

    /// A field for an element that a message's part refers to.
    pub fn reference_field(&mut self, name: &QName, module: usize) -> Option<Field> {
        let element = self.set.elements.get(name)?;
        Some(self.element_field(element, Occurs::ONCE, module, &name.local))
    }

    /// A field for a part that has a type.
    pub fn part_field(&mut self, name: &str, type_: &TypeRef, module: usize) -> Field {
        let type_field = self.field_type(type_, module, name, None);
        let mut field = Field::new(Kind::Element, name, type_field);
        field.xsi_type = self.xsi_type(type_);
        field
    }
}

/// The named complex types derived from each, at any distance, in the order of their names.
fn derived_types(set: &SchemaSet) -> BTreeMap<QName, Vec<QName>> {
    let mut derived: BTreeMap<QName, Vec<QName>> = BTreeMap::new();
    for (name, type_) in &set.types {
        if name.local.ends_with("#type") {
            continue;
        }
        let mut current = type_;
        let mut steps = 0;
        while let Type::Complex(complex) = current
            && let Some(derivation) = &complex.derivation
            && let TypeRef::Named(base) = &derivation.base
            && let Some(base_type @ Type::Complex(_)) = set.types.get(base)
            && steps < MAX_DEPTH
        {
            derived.entry(base.clone()).or_default().push(name.clone());
            current = base_type;
            steps += 1;
        }
    }
    derived
}
