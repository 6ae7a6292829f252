//! Complex types: attributes, text and elements of a type and of its bases.

use super::particle::{Node, simplified};
use super::{Lowerer, MAX_DEPTH};
use crate::names::{Unique, field_name};
use crate::program::{ElementName, Field, FieldType, Kind, Simple, Struct};
use soapstone_contract::model::{
    AttributeUse, Builtin, ComplexType, Content, DerivationKind, Occurs, QName, TypeRef, Wildcard,
};
use std::collections::BTreeSet;

/// What stands between a type's tags, those of its bases before its own.
enum Inside {
    Text(Box<Field>),
    Elements { nodes: Vec<Node>, mixed: bool },
}

impl Lowerer<'_> {
    /// The fields of a complex type.
    pub(super) fn structure(&mut self, complex: &ComplexType, module: usize, parent: &str) -> Struct {
        if crate::encoding::is_array_type(complex) {
            return self.array(complex, module, parent);
        }
        let mut attributes = Vec::new();
        let mut any_attribute = None;
        self.attributes(complex, module, parent, &mut attributes, &mut any_attribute, 0);
        if let Some(wildcard) = &any_attribute {
            let mut field = Field::new(Kind::AnyAttribute, "anyAttribute", FieldType::AnyAttributes);
            field.doc = Some("Attributes that the contract leaves open.".to_owned());
            field.json = "@any".to_owned();
            field.occurs = Occurs { min: 0, max: None };
            field.wildcard = namespaces(wildcard);
            attributes.push(field);
        }
        let mut all = false;
        let (elements, text) = match self.inside(complex, module, parent, 0) {
            Inside::Text(text) => (Vec::new(), Some(*text)),
            Inside::Elements { nodes, mixed: true } => (self.mixed(&nodes, module, parent), None),
            Inside::Elements { nodes, mixed: false } => {
                all = matches!(nodes.as_slice(), [Node::All(..)]);
                (self.sequence(&nodes, module, parent), None)
            }
        };
        let mut fields = Fields::default();
        // Elements keep their plain names; an attribute gives way (JSON: `@`).
        let mut taken = BTreeSet::new();
        for element in &elements {
            self.members(element, &mut taken, 0);
        }
        let names: BTreeSet<_> = elements.iter().chain(&text).map(|f| f.name.clone()).collect();
        for mut attribute in attributes {
            if taken.contains(&attribute.json) || (text.is_some() && attribute.json == "value") {
                attribute.json.insert(0, '@');
            }
            if names.contains(&attribute.name) {
                attribute.name = format!("{}_attribute", attribute.name.trim_end_matches('_'));
            }
            fields.push(attribute);
        }
        text.into_iter().chain(elements).for_each(|field| fields.push(field));
        Struct { fields: fields.list, all, ..Struct::default() }
    }

    /// The members that a field has in JSON: those of a group stand among its neighbours.
    fn members(&self, field: &Field, found: &mut BTreeSet<String>, depth: u32) {
        match field.item() {
            Some(inner) if field.kind == Kind::Group && !field.repeats() && depth < 20 => {
                for field in self.program.fields(inner) {
                    self.members(field, found, depth + 1);
                }
            }
            _ => {
                found.insert(field.json.clone());
            }
        }
    }

    fn array(&mut self, complex: &ComplexType, module: usize, parent: &str) -> Struct {
        let item_name = match &complex.content {
            Content::Elements(particle) => simplified(particle).into_iter().find_map(|node| match node {
                Node::Element(element, _) => Some((element.name.local.clone(), element.type_.clone())),
                _ => None,
            }),
            _ => None,
        };
        let declared = complex.attributes.iter().find_map(|used| used.array_type.clone());
        let type_ = declared
            .or_else(|| item_name.as_ref().map(|(_, type_)| type_.clone()))
            .unwrap_or(TypeRef::Builtin(Builtin::AnyType));
        let local = item_name.map_or_else(|| "item".to_owned(), |(name, _)| name);
        let item = self.field_type(&type_, module, &format!("{parent} {local}"), None);
        let mut field = Field::new(Kind::Items, &local, item);
        field.occurs = Occurs { min: 0, max: None };
        field.xsi_type = self.xsi_type(&type_);
        // An item may be nil in any array.
        field.nillable = true;
        let array = field.xsi_type.clone().or_else(|| self.xsi_type(&TypeRef::Builtin(Builtin::AnyType)));
        let array = array.or_else(|| {
            let module = self.module_of("http://www.w3.org/2001/XMLSchema");
            Some(ElementName { namespace: module, local: "anyType".to_owned() })
        });
        Struct { fields: vec![field], array, ..Struct::default() }
    }

    fn attributes(
        &mut self,
        complex: &ComplexType,
        module: usize,
        parent: &str,
        out: &mut Vec<Field>,
        any: &mut Option<Wildcard>,
        depth: u32,
    ) {
        let mut inherited = None;
        if let Some(derivation) = &complex.derivation
            && let Some(base) = self.complex_of(&derivation.base).cloned()
            && depth < MAX_DEPTH
        {
            self.attributes(&base, module, parent, out, &mut inherited, depth + 1);
            // A restriction keeps no wildcard that it does not repeat.
            if derivation.kind == DerivationKind::Restriction {
                inherited = None;
            }
        }
        if extends_anything(complex) {
            inherited = Some(anything(complex));
        }
        *any = complex.any_attribute.clone().or(inherited);
        for used in &complex.attributes {
            let name = &used.attribute.name;
            let namespace = self.qualified(&name.namespace);
            out.retain(|f| f.local != name.local || f.namespace != namespace);
            if !used.prohibited {
                let field = self.attribute(used, module, parent);
                out.push(field);
            }
        }
    }

    fn attribute(&mut self, used: &AttributeUse, module: usize, parent: &str) -> Field {
        let attribute = &used.attribute;
        let local = &attribute.name.local;
        let simple = self.simple(&attribute.type_, module, &format!("{parent} {local}"));
        Field {
            doc: attribute.documentation.clone(),
            occurs: Occurs { min: u32::from(used.required), max: Some(1) },
            namespace: self.qualified(&attribute.name.namespace),
            default: attribute.default.clone(),
            fixed: attribute.fixed.clone(),
            ..Field::new(Kind::Attribute, local, FieldType::Simple(simple))
        }
    }

    fn inside(&mut self, complex: &ComplexType, module: usize, parent: &str, depth: u32) -> Inside {
        let nothing = || Inside::Elements { nodes: Vec::new(), mixed: complex.mixed };
        if depth > MAX_DEPTH {
            return nothing();
        }
        let derivation = complex.derivation.as_ref();
        let base = derivation.and_then(|d| self.complex_of(&d.base).cloned());
        if let Content::Simple(facets, inner) = &complex.content {
            let base_text = base.as_ref().map(|base| self.inside(base, module, parent, depth + 1));
            let mut simple = match (inner, base_text, derivation) {
                (Some(inner), ..) => self.simple(inner, module, parent),
                (None, Some(Inside::Text(text)), _) => match text.type_ {
                    FieldType::Simple(simple) => simple,
                    _ => Simple::builtin(Builtin::String),
                },
                (None, None, Some(derivation)) => self.simple(&derivation.base, module, parent),
                _ => Simple::builtin(Builtin::String),
            };
            simple.restrict(facets);
            let mut text = Field::new(Kind::Text, "value", FieldType::Simple(simple));
            text.doc = Some("The text.".to_owned());
            return Inside::Text(Box::new(text));
        }
        let mut own = match &complex.content {
            Content::Elements(particle) => simplified(particle),
            _ => Vec::new(),
        };
        let mut mixed = complex.mixed;
        // What extends anything may have anything.
        if extends_anything(complex) {
            own.insert(0, Node::Any(anything(complex), Occurs { min: 0, max: None }));
            mixed = true;
        }
        if derivation.is_some_and(|d| d.kind == DerivationKind::Extension)
            && let Some(base) = &base
        {
            match self.inside(base, module, parent, depth + 1) {
                Inside::Text(text) => return Inside::Text(text),
                Inside::Elements { mut nodes, mixed: base_mixed } => {
                    mixed |= base_mixed;
                    nodes.append(&mut own);
                    own = nodes;
                }
            }
        }
        Inside::Elements { nodes: own, mixed }
    }

    /// A field for the use of an element.
    pub(super) fn element_field(
        &mut self,
        element: &soapstone_contract::model::Element,
        occurs: Occurs,
        module: usize,
        parent: &str,
    ) -> Field {
        let local = &element.name.local;
        let nested = if parent == local { parent.to_owned() } else { format!("{parent} {local}") };
        let type_ = self.field_type(&element.type_, module, &nested, element.documentation.as_ref());
        let xsi_type = self.xsi_type(&element.type_);
        Field {
            doc: element.documentation.clone(),
            occurs,
            nillable: element.nillable && !matches!(type_, FieldType::AnyValue),
            namespace: self.qualified(&element.name.namespace),
            default: element.default.clone(),
            fixed: element.fixed.clone(),
            xsi_type,
            ..Field::new(Kind::Element, local, type_)
        }
    }

    /// The members of a substitution group that can stand for its head, the head first unless it is abstract.
    pub(super) fn substitutes(&self, head: &QName) -> Vec<QName> {
        let mut found = Vec::new();
        let mut open = vec![head.clone()];
        while let Some(name) = open.pop() {
            if found.contains(&name) {
                continue;
            }
            if let Some(members) = self.set.substitutions.get(&name) {
                open.extend(members.iter().rev().cloned());
            }
            found.push(name);
        }
        found.retain(|name| self.set.elements.get(name).is_some_and(|e| !e.is_abstract));
        found
    }
}

/// Whether a type is an extension of `xs:anyType`.
fn extends_anything(complex: &ComplexType) -> bool {
    complex.derivation.as_ref().is_some_and(|derivation| {
        derivation.kind == DerivationKind::Extension && matches!(derivation.base, TypeRef::Builtin(Builtin::AnyType))
    })
}

/// The wildcard of `xs:anyType` (XSD part 1, section 3.4.7).
fn anything(complex: &ComplexType) -> Wildcard {
    Wildcard {
        place: complex.place.clone(),
        namespace: "##any".to_owned(),
        target_namespace: std::sync::Arc::from(""),
        process_contents: "lax".to_owned(),
    }
}

/// What a wildcard lets stand.
pub(super) fn namespaces(wildcard: &Wildcard) -> crate::program::Wildcard {
    let own = || wildcard.target_namespace.to_string();
    match wildcard.namespace.trim() {
        "##any" => crate::program::Wildcard::Any,
        "##other" => crate::program::Wildcard::Other(own()),
        list => crate::program::Wildcard::Of(
            list.split_whitespace()
                .map(|name| match name {
                    "##targetNamespace" => own(),
                    "##local" => String::new(),
                    uri => uri.to_owned(),
                })
                .collect(),
        ),
    }
}

/// Fields with unique names.
#[derive(Default)]
pub(super) struct Fields {
    names: Unique,
    json: Unique,
    pub list: Vec<Field>,
}

impl Fields {
    pub fn push(&mut self, mut field: Field) {
        field.name = self.names.take(field_name(&field.name));
        field.json = self.json.take(field.json);
        self.list.push(field);
    }
}
