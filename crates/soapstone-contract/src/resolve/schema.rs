//! Schema documents to schema components (XSD 1.0 part 1, section 3).

use super::documents::{SchemaDocument, well_known};
use super::names::Scope;
use crate::model::{
    Attribute, AttributeUse, Builtin, ComplexType, Content, Derivation, DerivationKind, Element, Facets, Form,
    GroupKind, Occurs, Particle, Place, QName, SchemaSet, SimpleType, Term, Type, TypeRef, Variety, WhiteSpace,
    Wildcard,
};
use crate::problem::Problems;
use crate::xml::At;
use crate::xsd;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Resolves all schemas of a contract into one set of components.
pub(crate) fn resolve(documents: &[SchemaDocument], problems: &mut Problems) -> SchemaSet {
    let mut index = Index::default();
    for document in documents {
        index.add(document);
    }
    let mut set = SchemaSet::default();
    for document in documents {
        let mut resolver = Resolver { index: &index, document, problems, group_depth: 0, redefined: None };
        resolver.globals(&mut set);
        if !set.namespaces.contains(&document.target_namespace) {
            set.namespaces.push(document.target_namespace.clone());
        }
    }
    for (name, element) in &set.elements {
        if let Some(head) = &element.substitution_group {
            set.substitutions.entry(head.clone()).or_default().push(name.clone());
        }
    }
    super::references::check(&set, problems);
    set
}

/// Groups are expanded where they are used, so they must be found from anywhere.
#[derive(Default)]
struct Index<'a> {
    groups: BTreeMap<QName, (&'a SchemaDocument, &'a At<xsd::Group>)>,
    attribute_groups: BTreeMap<QName, (&'a SchemaDocument, &'a At<xsd::AttributeGroup>)>,
    elements: BTreeMap<QName, (&'a SchemaDocument, &'a At<xsd::Element>)>,
    attributes: BTreeMap<QName, (&'a SchemaDocument, &'a At<xsd::Attribute>)>,
}

impl<'a> Index<'a> {
    fn add(&mut self, document: &'a SchemaDocument) {
        let name =
            |local: &Option<String>| QName::new(document.target_namespace.clone(), local.clone().unwrap_or_default());
        let schema = &document.schema;
        let redefined = || schema.redefines.iter();
        for group in schema.groups.iter().chain(redefined().flat_map(|r| &r.groups)) {
            self.groups.insert(name(&group.name), (document, group));
        }
        for group in schema.attribute_groups.iter().chain(redefined().flat_map(|r| &r.attribute_groups)) {
            self.attribute_groups.insert(name(&group.name), (document, group));
        }
        for element in &schema.elements {
            self.elements.insert(name(&element.name), (document, element));
        }
        for attribute in &schema.attributes {
            self.attributes.insert(name(&attribute.name), (document, attribute));
        }
    }
}

/// Groups may not contain themselves; this bounds a contract in which they do.
const MAX_GROUP_DEPTH: u32 = 64;

struct Resolver<'a, 'p> {
    index: &'a Index<'a>,
    document: &'a SchemaDocument,
    problems: &'p mut Problems,
    group_depth: u32,
    /// The component that is being redefined.
    redefined: Option<QName>,
}

/// The members that attributes and attribute groups have in common.
struct Attributes<'a> {
    attributes: &'a [At<xsd::Attribute>],
    groups: &'a [At<xsd::AttributeGroup>],
    any: Option<&'a At<xsd::Any>>,
}

impl<'a> Resolver<'a, '_> {
    fn place<T>(&self, at: &At<T>) -> Place {
        Place { file: self.document.file.clone(), position: at.position }
    }

    fn scope<T>(&self, at: &'a At<T>) -> Scope<'a> {
        let fallback = if self.document.chameleon { self.document.target_namespace.clone() } else { Arc::from("") };
        Scope::of(at, &fallback)
    }

    fn global_name<T>(&mut self, at: &At<T>, name: &Option<String>, what: &str) -> Option<QName> {
        match name {
            Some(name) => Some(QName::new(self.document.target_namespace.clone(), name.trim())),
            None => {
                let problem = self.place(at).invalid("xsd.name_missing", format!("this global {what} has no name"));
                self.problems.push(problem.remedy("give it name=\"…\""));
                None
            }
        }
    }

    fn globals(&mut self, set: &mut SchemaSet) {
        let schema = &self.document.schema;
        for at in &schema.simple_types {
            if let Some(name) = self.global_name(at, &at.name, "simpleType") {
                let type_ = Type::Simple(self.simple_type(at, at));
                self.insert(&mut set.types, name, type_, at, "type");
            }
        }
        for at in &schema.complex_types {
            if let Some(name) = self.global_name(at, &at.name, "complexType") {
                let type_ = Type::Complex(self.complex_type(at, at));
                self.insert(&mut set.types, name, type_, at, "type");
            }
        }
        for at in &schema.elements {
            if let Some(name) = self.global_name(at, &at.name, "element") {
                let mut element = self.element(at, name.clone());
                // Its anonymous type gets a name, so that uses of the element can refer to it.
                let named = TypeRef::Named(anonymous_name(&name));
                if let TypeRef::Anonymous(type_) = element.type_ {
                    set.types.entry(anonymous_name(&name)).or_insert(*type_);
                    element.type_ = named;
                }
                self.insert(&mut set.elements, name, element, at, "element");
            }
        }
        for at in &schema.attributes {
            if let Some(name) = self.global_name(at, &at.name, "attribute") {
                let attribute = self.attribute(at, name.clone());
                self.insert(&mut set.attributes, name, attribute, at, "attribute");
            }
        }
        for redefine in &schema.redefines {
            for at in &redefine.simple_types {
                if let Some(name) = self.global_name(at, &at.name, "simpleType") {
                    let mut inner = self.redefining(&name);
                    let type_ = Type::Simple(inner.simple_type(at, at));
                    self.insert(&mut set.types, name, type_, at, "type");
                }
            }
            for at in &redefine.complex_types {
                if let Some(name) = self.global_name(at, &at.name, "complexType") {
                    let mut inner = self.redefining(&name);
                    let type_ = Type::Complex(inner.complex_type(at, at));
                    self.insert(&mut set.types, name, type_, at, "type");
                }
            }
        }
    }

    /// For what another document declares.
    fn elsewhere(&mut self, document: &'a SchemaDocument) -> Resolver<'a, '_> {
        let group_depth = self.group_depth;
        Resolver { index: self.index, document, problems: self.problems, group_depth, redefined: None }
    }

    /// For a component that is made anew: its own name means what it was before (part 1, section 4.2.2).
    fn redefining(&mut self, name: &QName) -> Resolver<'a, '_> {
        Resolver {
            index: self.index,
            document: self.document,
            problems: self.problems,
            group_depth: self.group_depth,
            redefined: Some(name.clone()),
        }
    }

    /// The name as it was before, if it is the one being redefined.
    fn original(&self, name: QName) -> QName {
        if self.redefined.as_ref() == Some(&name) { redefined_name(&name) } else { name }
    }

    fn original_type(&self, type_: TypeRef) -> TypeRef {
        match type_ {
            TypeRef::Named(name) => TypeRef::Named(self.original(name)),
            other => other,
        }
    }

    fn insert<T, N>(&mut self, map: &mut BTreeMap<QName, T>, name: QName, value: T, at: &At<N>, what: &str) {
        match map.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(entry) => {
                // Documents of the wild repeat a schema under two locations; the first counts.
                let text = format!("the {what} {} is declared twice", entry.key());
                let problem = self.place(at).warning("xsd.duplicate", text);
                self.problems.push(problem.remedy("the first declaration counts; remove the other"));
            }
        }
    }

    fn simple_type<T>(&mut self, at: &'a At<T>, node: &'a xsd::SimpleType) -> SimpleType {
        let place = self.place(at);
        let documentation = documentation(&node.annotations);
        let anything = || TypeRef::Builtin(Builtin::AnySimpleType);
        let (variety, facets) = if let Some(restriction) = &node.restriction {
            let base = match (&restriction.base, &restriction.simple_type) {
                (Some(base), _) => {
                    let base = self.scope(restriction).type_ref(base, &self.place(restriction), self.problems);
                    base.map(|base| self.original_type(base))
                }
                (None, Some(inner)) => Some(TypeRef::Anonymous(Box::new(Type::Simple(self.simple_type(inner, inner))))),
                (None, None) => None,
            };
            (Variety::Restriction(base.unwrap_or_else(anything)), self.facets(restriction))
        } else if let Some(list) = &node.list {
            let item = match (&list.item_type, &list.simple_type) {
                (Some(item), _) => self.scope(list).type_ref(item, &self.place(list), self.problems),
                (None, Some(inner)) => Some(TypeRef::Anonymous(Box::new(Type::Simple(self.simple_type(inner, inner))))),
                (None, None) => None,
            };
            (Variety::List(item.unwrap_or_else(anything)), Facets::default())
        } else if let Some(union) = &node.union {
            let mut members = Vec::new();
            for member in union.member_types.iter().flat_map(|m| m.split_whitespace()) {
                members.extend(self.scope(union).type_ref(member, &self.place(union), self.problems));
            }
            for inner in &union.simple_types {
                members.push(TypeRef::Anonymous(Box::new(Type::Simple(self.simple_type(inner, inner)))));
            }
            (Variety::Union(members), Facets::default())
        } else {
            self.problems.push(
                place
                    .invalid("xsd.empty_simple_type", "a simpleType needs a restriction, a list or a union")
                    .remedy("write <xs:restriction base=\"…\"/> in it"),
            );
            (Variety::Restriction(anything()), Facets::default())
        };
        SimpleType { place, documentation, variety, facets }
    }

    fn facets(&mut self, at: &At<xsd::Boxed<xsd::Restriction>>) -> Facets {
        let text = |facet: &Option<At<xsd::Facet>>| facet.as_ref().and_then(|f| f.value.clone());
        let mut facets = Facets {
            enumeration: at
                .enumerations
                .iter()
                .map(|e| (e.value.clone().unwrap_or_default(), documentation(&e.annotations)))
                .collect(),
            patterns: at.patterns.iter().filter_map(|p| p.value.clone()).collect(),
            min_inclusive: text(&at.min_inclusive),
            max_inclusive: text(&at.max_inclusive),
            min_exclusive: text(&at.min_exclusive),
            max_exclusive: text(&at.max_exclusive),
            ..Facets::default()
        };
        facets.length = self.count(&at.length);
        facets.min_length = self.count(&at.min_length);
        facets.max_length = self.count(&at.max_length);
        facets.total_digits = self.count(&at.total_digits);
        facets.fraction_digits = self.count(&at.fraction_digits);
        facets.white_space = at.white_space.as_ref().and_then(|facet| match facet.value.as_deref() {
            Some("preserve") => Some(WhiteSpace::Preserve),
            Some("replace") => Some(WhiteSpace::Replace),
            Some("collapse") => Some(WhiteSpace::Collapse),
            other => {
                let problem = self
                    .place(facet)
                    .invalid("xsd.facet_value", format!("whiteSpace cannot be \"{}\"", other.unwrap_or_default()));
                self.problems.push(problem.remedy("write preserve, replace or collapse"));
                None
            }
        });
        facets
    }

    fn count(&mut self, facet: &Option<At<xsd::Facet>>) -> Option<u64> {
        let facet = facet.as_ref()?;
        let value = facet.value.as_deref().unwrap_or_default().trim();
        match value.parse() {
            Ok(count) => Some(count),
            Err(_) => {
                let problem =
                    self.place(facet).invalid("xsd.facet_value", format!("\"{value}\" is not a non-negative integer"));
                self.problems.push(problem.remedy("write a whole number"));
                None
            }
        }
    }

    fn complex_type<T>(&mut self, at: &'a At<T>, node: &'a xsd::ComplexType) -> ComplexType {
        let mut type_ = ComplexType {
            place: self.place(at),
            documentation: documentation(&node.annotations),
            is_abstract: truth(&node.is_abstract),
            mixed: truth(&node.mixed),
            derivation: None,
            content: Content::Empty,
            attributes: Vec::new(),
            any_attribute: None,
        };
        if let Some(content) = &node.simple_content {
            self.derived(&mut type_, content, true);
        } else if let Some(content) = &node.complex_content {
            if content.mixed.is_some() {
                type_.mixed = truth(&content.mixed);
            }
            self.derived(&mut type_, content, false);
        } else {
            type_.content = self.content(&node.group, &node.all, &node.choice, &node.sequence);
            let attributes = Attributes {
                attributes: &node.attributes,
                groups: &node.attribute_groups,
                any: node.any_attribute.as_ref(),
            };
            self.attribute_uses(&mut type_, &attributes, 0);
        }
        type_
    }

    fn derived(&mut self, type_: &mut ComplexType, content: &'a At<xsd::DerivedContent>, simple: bool) {
        let (kind, node) = match (&content.extension, &content.restriction) {
            (Some(extension), _) => (DerivationKind::Extension, extension),
            (None, Some(restriction)) => (DerivationKind::Restriction, restriction),
            (None, None) => {
                let problem = self.place(content).invalid("xsd.no_derivation", "neither extension nor restriction");
                self.problems.push(problem.remedy("say what this content is derived from"));
                return;
            }
        };
        let place = self.place(node);
        let base = match &node.base {
            Some(base) => {
                let base = self.scope(node).type_ref(base, &place, self.problems);
                base.map(|base| self.original_type(base))
            }
            None => {
                self.problems.push(place.invalid("xsd.base_missing", "the base is missing").remedy("add base=\"…\""));
                None
            }
        };
        type_.derivation = base.map(|base| Derivation { kind, base });
        type_.content = if simple {
            let inner = node.simple_type.as_ref();
            let inner = inner.map(|i| TypeRef::Anonymous(Box::new(Type::Simple(self.simple_type(i, i)))));
            Content::Simple(self.facets(node), inner)
        } else {
            self.content(&node.group, &node.all, &node.choice, &node.sequence)
        };
        let attributes = Attributes {
            attributes: &node.attributes,
            groups: &node.attribute_groups,
            any: node.any_attribute.as_ref(),
        };
        self.attribute_uses(type_, &attributes, 0);
    }

    fn content(
        &mut self,
        group: &'a Option<At<xsd::Group>>,
        all: &'a Option<At<xsd::ModelGroup>>,
        choice: &'a Option<At<xsd::ModelGroup>>,
        sequence: &'a Option<At<xsd::ModelGroup>>,
    ) -> Content {
        let particle = if let Some(group) = group {
            self.group_reference(group)
        } else if let Some(all) = all {
            self.model_group(GroupKind::All, all)
        } else if let Some(choice) = choice {
            self.model_group(GroupKind::Choice, choice)
        } else if let Some(sequence) = sequence {
            self.model_group(GroupKind::Sequence, sequence)
        } else {
            None
        };
        particle.map_or(Content::Empty, Content::Elements)
    }

    fn occurs<T>(&mut self, at: &At<T>, min: &Option<String>, max: &Option<String>) -> Occurs {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let mut number = |text: &str, what: &str| match text.trim().trim_start_matches('+').parse::<u32>() {
            Ok(number) => number,
            // More than anybody can count is no bound.
            Err(_) if is_number(text.trim()) => u32::MAX,
            Err(_) => {
                let problem = self.place(at).invalid("xsd.occurs", format!("{what}=\"{text}\" is not a number"));
                self.problems.push(problem.remedy("write a whole number, or \"unbounded\" for maxOccurs"));
                1
            }
        };
        let min = min.as_deref().map_or(1, |m| number(m, "minOccurs"));
        let max = match max.as_deref().map(str::trim) {
            Some("unbounded") => None,
            Some(max) => Some(number(max, "maxOccurs")).filter(|max| *max < u32::MAX),
            None => Some(1),
        };
        if max.is_some_and(|max| max < min) {
            let problem = self.place(at).invalid("xsd.occurs", format!("minOccurs {min} is more than maxOccurs"));
            self.problems.push(problem.remedy("raise maxOccurs (it is 1 where it is not written)"));
        }
        Occurs { min, max }
    }

    fn model_group(&mut self, kind: GroupKind, at: &'a At<xsd::ModelGroup>) -> Option<Particle> {
        let occurs = self.occurs(at, &at.min_occurs, &at.max_occurs);
        if occurs.max == Some(0) {
            return None;
        }
        let mut particles = Vec::with_capacity(at.particles.len());
        for particle in &at.particles {
            let resolved = match particle {
                xsd::Particle::Element(element) => self.local_element(element),
                xsd::Particle::Group(group) => self.group_reference(group),
                xsd::Particle::Sequence(group) => self.model_group(GroupKind::Sequence, group),
                xsd::Particle::Choice(group) => self.model_group(GroupKind::Choice, group),
                xsd::Particle::All(group) => self.model_group(GroupKind::All, group),
                xsd::Particle::Any(any) => {
                    let occurs = self.occurs(any, &any.min_occurs, &any.max_occurs);
                    (occurs.max != Some(0)).then(|| Particle { occurs, term: Term::Any(self.wildcard(any)) })
                }
            };
            particles.extend(resolved);
        }
        Some(Particle { occurs, term: Term::Group(kind, particles) })
    }

    fn wildcard(&self, at: &At<xsd::Any>) -> Wildcard {
        Wildcard {
            place: self.place(at),
            namespace: at.namespace.clone().unwrap_or_else(|| "##any".to_owned()),
            target_namespace: self.document.target_namespace.clone(),
            process_contents: at.process_contents.clone().unwrap_or_else(|| "strict".to_owned()),
        }
    }

    fn group_reference(&mut self, at: &'a At<xsd::Group>) -> Option<Particle> {
        let place = self.place(at);
        let reference = at.reference.as_deref()?;
        let name = self.scope(at).qname(reference, &place, self.problems)?;
        let name = self.original(name);
        let Some((document, group)) = self.index.groups.get(&name).copied() else {
            self.problems.push(unresolved(&place, "group", &name));
            return None;
        };
        if self.group_depth >= MAX_GROUP_DEPTH {
            self.problems.push(
                place
                    .invalid("xsd.circular_group", format!("the group {name} contains itself"))
                    .remedy("break the circle: put the recursion into an element"),
            );
            return None;
        }
        let occurs = self.occurs(at, &at.min_occurs, &at.max_occurs);
        let redefined = is_redefining(document, group.position).then(|| name.clone());
        let group_depth = self.group_depth + 1;
        let mut inner = Resolver { index: self.index, document, problems: self.problems, group_depth, redefined };
        let Content::Elements(mut particle) = inner.content(&None, &group.all, &group.choice, &group.sequence) else {
            return None;
        };
        if occurs.max == Some(0) {
            return None;
        }
        if particle.occurs == Occurs::ONCE {
            particle.occurs = occurs;
            return Some(particle);
        }
        Some(Particle { occurs, term: Term::Group(GroupKind::Sequence, vec![particle]) })
    }

    fn local_element(&mut self, at: &'a At<xsd::Element>) -> Option<Particle> {
        let occurs = self.occurs(at, &at.min_occurs, &at.max_occurs);
        if occurs.max == Some(0) {
            return None;
        }
        let place = self.place(at);
        let element = if let Some(reference) = &at.reference {
            let name = self.scope(at).qname(reference, &place, self.problems)?;
            let Some((document, global)) = self.index.elements.get(&name).copied() else {
                self.problems.push(unresolved(&place, "element", &name));
                return None;
            };
            let mut inner = self.elsewhere(document);
            // An anonymous type belongs to the global element, and may refer to that again.
            let anonymous = global.simple_type.is_some() || global.complex_type.is_some();
            let own = if anonymous { Some(TypeRef::Named(anonymous_name(&name))) } else { None };
            let mut element = inner.element_of_type(global, name, own);
            element.reference = true;
            if let Some(text) = documentation(&at.annotations) {
                element.documentation = Some(text);
            }
            element
        } else {
            let Some(name) = &at.name else {
                let problem = place.invalid("xsd.name_missing", "this element has neither name nor ref");
                self.problems.push(problem.remedy("give it name=\"…\" or ref=\"…\""));
                return None;
            };
            let form = form(at.form.as_deref().or(self.document.schema.element_form_default.as_deref()));
            self.element(at, self.local_name(name, form))
        };
        Some(Particle { occurs, term: Term::Element(element) })
    }

    fn local_name(&self, name: &str, form: Form) -> QName {
        match form {
            Form::Qualified => QName::new(self.document.target_namespace.clone(), name.trim()),
            Form::Unqualified => QName::new("", name.trim()),
        }
    }

    fn element(&mut self, at: &'a At<xsd::Element>, name: QName) -> Element {
        self.element_of_type(at, name, None)
    }

    fn element_of_type(&mut self, at: &'a At<xsd::Element>, name: QName, known: Option<TypeRef>) -> Element {
        let place = self.place(at);
        let scope = self.scope(at);
        let substitution_group =
            at.substitution_group.as_deref().and_then(|head| scope.qname(head, &place, self.problems));
        let type_ = if known.is_some() {
            known
        } else if let Some(type_) = &at.type_name {
            scope.type_ref(type_, &place, self.problems)
        } else if let Some(inner) = &at.simple_type {
            Some(TypeRef::Anonymous(Box::new(Type::Simple(self.simple_type(inner, inner)))))
        } else if let Some(inner) = &at.complex_type {
            Some(TypeRef::Anonymous(Box::new(Type::Complex(self.complex_type(inner, inner)))))
        } else if let Some(head) = &substitution_group {
            // Without a type of its own, a member has that of its head.
            self.index.elements.get(head).copied().and_then(|(document, at)| match at.type_name.as_deref() {
                Some(type_) => {
                    let inner = self.elsewhere(document);
                    inner.scope(at).type_ref(type_, &place, inner.problems)
                }
                None if at.simple_type.is_some() || at.complex_type.is_some() => {
                    Some(TypeRef::Named(anonymous_name(head)))
                }
                None => None,
            })
        } else {
            None
        };
        Element {
            documentation: documentation(&at.annotations),
            name,
            type_: type_.unwrap_or(TypeRef::Builtin(Builtin::AnyType)),
            nillable: truth(&at.nillable),
            is_abstract: truth(&at.is_abstract),
            default: at.default.clone(),
            fixed: at.fixed.clone(),
            substitution_group,
            reference: false,
            place,
        }
    }

    fn attribute(&mut self, at: &'a At<xsd::Attribute>, name: QName) -> Attribute {
        let place = self.place(at);
        let type_ = if let Some(type_) = &at.type_name {
            self.scope(at).type_ref(type_, &place, self.problems)
        } else {
            at.simple_type
                .as_ref()
                .map(|inner| TypeRef::Anonymous(Box::new(Type::Simple(self.simple_type(inner, inner)))))
        };
        Attribute {
            documentation: documentation(&at.annotations),
            name,
            type_: type_.unwrap_or(TypeRef::Builtin(Builtin::AnySimpleType)),
            default: at.default.clone(),
            fixed: at.fixed.clone(),
            place,
        }
    }

    /// The type of an array's items, without the brackets that count its dimensions.
    fn array_type(&mut self, at: &'a At<xsd::Attribute>) -> Option<TypeRef> {
        let text = at.array_type.as_deref()?;
        let name = text.split('[').next().unwrap_or(text);
        let place = self.place(at);
        self.scope(at).type_ref(name, &place, self.problems)
    }

    fn attribute_uses(&mut self, type_: &mut ComplexType, attributes: &Attributes<'a>, depth: u32) {
        for at in attributes.attributes {
            let place = self.place(at);
            let attribute = if let Some(reference) = &at.reference {
                let Some(name) = self.scope(at).qname(reference, &place, self.problems) else { continue };
                match self.index.attributes.get(&name).copied() {
                    Some((document, global)) => {
                        let mut inner = self.elsewhere(document);
                        inner.attribute(global, name)
                    }
                    None if well_known(&name.namespace) || foreign_attribute(&name) => Attribute {
                        place: place.clone(),
                        documentation: None,
                        name,
                        type_: TypeRef::Builtin(Builtin::String),
                        default: None,
                        fixed: None,
                    },
                    None => {
                        self.problems.push(unresolved(&place, "attribute", &name));
                        continue;
                    }
                }
            } else if let Some(name) = &at.name {
                let form = form(at.form.as_deref().or(self.document.schema.attribute_form_default.as_deref()));
                self.attribute(at, self.local_name(name, form))
            } else {
                let problem = place.invalid("xsd.name_missing", "this attribute has neither name nor ref");
                self.problems.push(problem.remedy("give it name=\"…\" or ref=\"…\""));
                continue;
            };
            // In a group there is nothing yet that could be prohibited (part 1, section 3.6.2).
            if depth > 0 && at.usage.as_deref() == Some("prohibited") {
                continue;
            }
            type_.attributes.push(AttributeUse {
                attribute,
                required: at.usage.as_deref() == Some("required"),
                prohibited: at.usage.as_deref() == Some("prohibited"),
                array_type: self.array_type(at),
            });
        }
        for at in attributes.groups {
            let place = self.place(at);
            let Some(reference) = &at.reference else { continue };
            let Some(name) = self.scope(at).qname(reference, &place, self.problems) else { continue };
            let name = self.original(name);
            let Some((document, group)) = self.index.attribute_groups.get(&name).copied() else {
                self.problems.push(unresolved(&place, "attributeGroup", &name));
                continue;
            };
            if depth >= MAX_GROUP_DEPTH {
                let problem = place.invalid("xsd.circular_group", format!("the attributeGroup {name} contains itself"));
                self.problems.push(problem.remedy("break the circle"));
                continue;
            }
            let redefined = is_redefining(document, group.position).then(|| name.clone());
            let mut inner =
                Resolver { index: self.index, document, problems: self.problems, group_depth: 0, redefined };
            let members = Attributes {
                attributes: &group.attributes,
                groups: &group.attribute_groups,
                any: group.any_attribute.as_ref(),
            };
            inner.attribute_uses(type_, &members, depth + 1);
        }
        if let Some(any) = attributes.any {
            type_.any_attribute = Some(self.wildcard(any));
        }
    }
}

/// Attributes that WSDL documents put on array types, whose schemas nobody imports.
fn foreign_attribute(name: &QName) -> bool {
    matches!(&*name.namespace, "http://schemas.xmlsoap.org/wsdl/" | "http://www.w3.org/2005/05/xmlmime")
}

/// The name that a redefined component keeps for the one that is made of it.
pub(super) fn redefined_name(name: &QName) -> QName {
    QName::new(name.namespace.clone(), format!("{}{REDEFINED}", name.local))
}

/// What is added to the names of redefined components.
pub(super) const REDEFINED: &str = ".redefined";

/// Whether the component at that place is made anew from one of its name.
fn is_redefining(document: &SchemaDocument, position: crate::xml::Position) -> bool {
    let mut redefines = document.schema.redefines.iter();
    redefines.any(|r| {
        r.groups.iter().any(|g| g.position == position) || r.attribute_groups.iter().any(|g| g.position == position)
    })
}

/// The name under which an element's anonymous type is referred to from uses of the element.
fn anonymous_name(element: &QName) -> QName {
    QName::new(element.namespace.clone(), format!("{}#type", element.local))
}

fn form(value: Option<&str>) -> Form {
    if value == Some("qualified") { Form::Qualified } else { Form::Unqualified }
}

fn truth(value: &Option<String>) -> bool {
    matches!(value.as_deref().map(str::trim), Some("true" | "1"))
}

fn documentation(annotations: &[xsd::Annotation]) -> Option<String> {
    let text: Vec<_> =
        annotations.iter().flat_map(|a| &a.documentation).map(|d| d.0.trim()).filter(|t| !t.is_empty()).collect();
    (!text.is_empty()).then(|| text.join("\n\n"))
}

pub(super) fn unresolved(place: &Place, what: &str, name: &QName) -> crate::problem::Problem {
    place
        .invalid("xsd.unresolved", format!("no {what} {name} is declared"))
        .remedy("correct the name, or import the schema that declares it (with its schemaLocation)")
}
