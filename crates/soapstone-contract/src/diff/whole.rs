//! Types with all that their bases say: what is compared.

use crate::model::{
    AttributeUse, ComplexType, Content, Element, Facets, GroupKind, Occurs, Particle, QName, SchemaSet, SimpleType,
    Term, Type, TypeRef, Variety,
};
use std::collections::BTreeSet;

pub(super) fn resolved<'a>(set: &'a SchemaSet, type_: &'a TypeRef) -> Option<&'a Type> {
    match type_ {
        TypeRef::Builtin(_) => None,
        TypeRef::Named(name) => set.types.get(name),
        TypeRef::Anonymous(type_) => Some(type_),
    }
}

pub(super) fn type_name(type_: &TypeRef) -> String {
    match type_ {
        TypeRef::Builtin(builtin) => format!("xs:{}", builtin.name()),
        TypeRef::Named(name) => name.local.trim_end_matches("#type").to_owned(),
        TypeRef::Anonymous(_) => "a type of its own".to_owned(),
    }
}

/// Built-in types of one family, from narrow to wide.
pub(super) fn rank(base: &str) -> Option<(usize, usize)> {
    const FAMILIES: &[&[&str]] = &[
        &["xs:byte", "xs:short", "xs:int", "xs:long", "xs:integer", "xs:decimal"],
        &["xs:float", "xs:double"],
        &["xs:NCName", "xs:Name", "xs:NMTOKEN", "xs:token", "xs:normalizedString", "xs:string"],
    ];
    FAMILIES.iter().enumerate().find_map(|(family, types)| Some((family, types.iter().position(|t| *t == base)?)))
}

/// A simple type with what its bases say.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat {
    pub base: String,
    facets: Facets,
    pub values: Option<BTreeSet<String>>,
    pub patterns: Vec<Vec<String>>,
}

pub(super) type Limit = (&'static str, Option<String>, Option<String>, bool);

impl Flat {
    pub(super) fn of(set: &SchemaSet, type_: &TypeRef, depth: u32) -> Self {
        match type_ {
            TypeRef::Builtin(builtin) => Self { base: format!("xs:{}", builtin.name()), ..Self::default() },
            _ => match resolved(set, type_) {
                Some(Type::Simple(simple)) if depth < 100 => Self::of_simple(set, simple, depth),
                _ => Self { base: type_name(type_), ..Self::default() },
            },
        }
    }

    fn of_simple(set: &SchemaSet, simple: &SimpleType, depth: u32) -> Self {
        match &simple.variety {
            Variety::Restriction(base) => Self::of(set, base, depth + 1).restricted(&simple.facets),
            Variety::List(item) => {
                Self { base: format!("list of {}", Self::of(set, item, depth + 1).base), ..Self::default() }
            }
            Variety::Union(members) => {
                let members: Vec<_> = members.iter().map(|m| Self::of(set, m, depth + 1).base).collect();
                Self { base: format!("union of {}", members.join(", ")), ..Self::default() }
            }
        }
    }

    pub(super) fn restricted(mut self, facets: &Facets) -> Self {
        if !facets.enumeration.is_empty() {
            self.values = Some(facets.enumeration.iter().map(|(value, _)| value.clone()).collect());
        }
        if !facets.patterns.is_empty() {
            self.patterns.push(facets.patterns.clone());
        }
        let own = &mut self.facets;
        own.length = facets.length.or(own.length);
        own.min_length = facets.min_length.or(own.min_length);
        own.max_length = facets.max_length.or(own.max_length);
        own.total_digits = facets.total_digits.or(own.total_digits);
        own.fraction_digits = facets.fraction_digits.or(own.fraction_digits);
        let replace = |own: &mut Option<String>, given: &Option<String>| {
            if given.is_some() {
                own.clone_from(given);
            }
        };
        replace(&mut own.min_inclusive, &facets.min_inclusive);
        replace(&mut own.max_inclusive, &facets.max_inclusive);
        replace(&mut own.min_exclusive, &facets.min_exclusive);
        replace(&mut own.max_exclusive, &facets.max_exclusive);
        self
    }

    /// Each limit of both, and whether a larger one lets more stand.
    pub(super) fn limits(&self, other: &Self) -> Vec<Limit> {
        let (a, b) = (&self.facets, &other.facets);
        let count = |value: Option<u64>| value.map(|v| v.to_string());
        vec![
            ("length", count(a.length), count(b.length), true),
            ("minLength", count(a.min_length), count(b.min_length), false),
            ("maxLength", count(a.max_length), count(b.max_length), true),
            ("totalDigits", count(a.total_digits), count(b.total_digits), true),
            ("fractionDigits", count(a.fraction_digits), count(b.fraction_digits), true),
            ("minInclusive", a.min_inclusive.clone(), b.min_inclusive.clone(), false),
            ("maxInclusive", a.max_inclusive.clone(), b.max_inclusive.clone(), true),
            ("minExclusive", a.min_exclusive.clone(), b.min_exclusive.clone(), false),
            ("maxExclusive", a.max_exclusive.clone(), b.max_exclusive.clone(), true),
        ]
    }
}

/// A complex type with what its bases have.
#[derive(Default)]
pub(super) struct Whole<'a> {
    pub attributes: Vec<&'a AttributeUse>,
    pub particles: Vec<&'a Particle>,
    pub text: Option<Flat>,
}

impl<'a> Whole<'a> {
    pub(super) fn of(set: &'a SchemaSet, complex: &'a ComplexType, depth: u32) -> Self {
        use crate::model::DerivationKind::Extension;
        let mut whole = Self::default();
        if let Some(derivation) = &complex.derivation
            && depth < 100
        {
            match resolved(set, &derivation.base) {
                Some(Type::Complex(base)) => {
                    let base = Self::of(set, base, depth + 1);
                    whole.attributes = base.attributes;
                    whole.text = base.text;
                    if derivation.kind == Extension {
                        whole.particles = base.particles;
                    }
                }
                _ => whole.text = Some(Flat::of(set, &derivation.base, depth + 1)),
            }
        }
        match &complex.content {
            Content::Simple(facets, _) => whole.text = whole.text.map(|text| text.restricted(facets)),
            Content::Elements(particle) => {
                whole.particles.push(particle);
                whole.text = None;
            }
            Content::Empty => {}
        }
        for used in &complex.attributes {
            whole.attributes.retain(|known| known.attribute.name != used.attribute.name);
            if !used.prohibited {
                whole.attributes.push(used);
            }
        }
        whole
    }
}

/// An element somewhere in a type's content.
pub(super) struct Slot<'a> {
    pub name: QName,
    /// Which one of that name.
    pub index: usize,
    pub occurs: Occurs,
    /// None: a wildcard.
    pub element: Option<&'a Element>,
    /// Whether its place among the others counts.
    pub ordered: bool,
}

pub(super) fn flattened<'a>(particles: &[&'a Particle]) -> Vec<Slot<'a>> {
    let mut slots = Vec::new();
    for particle in particles {
        flatten(particle, Occurs::ONCE, true, &mut slots);
    }
    slots
}

fn flatten<'a>(particle: &'a Particle, around: Occurs, ordered: bool, slots: &mut Vec<Slot<'a>>) {
    let times = |a: Occurs, b: Occurs| Occurs {
        min: a.min.saturating_mul(b.min),
        max: a.max.zip(b.max).map(|(a, b)| a.saturating_mul(b)),
    };
    let occurs = times(around, particle.occurs);
    let mut add = |name: QName, element: Option<&'a Element>| {
        let index = slots.iter().filter(|s| s.name == name).count();
        slots.push(Slot { name, index, occurs, element, ordered });
    };
    match &particle.term {
        Term::Element(element) => add(element.name.clone(), Some(element)),
        Term::Any(wildcard) => add(QName::new("", format!("any {}", wildcard.namespace)), None),
        Term::Group(kind, inner) => {
            let around = if *kind == GroupKind::Choice { Occurs { min: 0, ..occurs } } else { occurs };
            let ordered = ordered && *kind == GroupKind::Sequence;
            inner.iter().for_each(|particle| flatten(particle, around, ordered, slots));
        }
    }
}
