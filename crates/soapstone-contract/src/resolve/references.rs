//! Whether what schemas refer to is there, and leads to an end.

use super::documents::well_known;
use super::schema::unresolved;
use crate::model::{Content, Element, Particle, Place, QName, SchemaSet, Term, Type, TypeRef, Variety};
use crate::problem::Problems;
use std::collections::BTreeSet;

/// The named types that a type is made of: its base, its items, its members.
fn made_of<'a>(type_: &'a Type, found: &mut Vec<&'a QName>) {
    let mut add = |type_: &'a TypeRef| match type_ {
        TypeRef::Named(name) => found.push(name),
        TypeRef::Anonymous(inner) => made_of(inner, found),
        TypeRef::Builtin(_) => {}
    };
    match type_ {
        Type::Simple(simple) => match &simple.variety {
            Variety::Restriction(base) | Variety::List(base) => add(base),
            Variety::Union(members) => members.iter().for_each(add),
        },
        Type::Complex(complex) => complex.derivation.iter().for_each(|derivation| add(&derivation.base)),
    }
}

/// Checks that all types referred to are there, and that none is made of itself.
pub(super) fn check(set: &SchemaSet, problems: &mut Problems) {
    References { set, problems }.check();
}

struct References<'a, 'p> {
    set: &'a SchemaSet,
    problems: &'p mut Problems,
}

impl References<'_, '_> {
    fn check(&mut self) {
        for type_ in self.set.types.values() {
            self.type_(type_);
        }
        for element in self.set.elements.values() {
            self.element(element);
        }
        for attribute in self.set.attributes.values() {
            self.type_ref(&attribute.type_, &attribute.place);
        }
        self.circles();
    }

    /// Types that are made of themselves.
    fn circles(&mut self) {
        let mut done: BTreeSet<&QName> = BTreeSet::new();
        for start in self.set.types.keys() {
            // Depth first, with the path that leads to each type.
            let mut path: Vec<&QName> = Vec::new();
            let mut open = vec![(start, 0_usize)];
            while let Some((name, depth)) = open.pop() {
                path.truncate(depth);
                if path.contains(&name) {
                    let place = match &self.set.types[name] {
                        Type::Simple(simple) => &simple.place,
                        Type::Complex(complex) => &complex.place,
                    };
                    let text = format!("the type {name} is made of itself");
                    let problem = place.invalid("xsd.circular_type", text);
                    self.problems.push(problem.remedy("break the circle of bases, items or members"));
                    continue;
                }
                if !done.insert(name) {
                    continue;
                }
                path.push(name);
                let Some(type_) = self.set.types.get(name) else { continue };
                let mut bases = Vec::new();
                made_of(type_, &mut bases);
                open.extend(bases.into_iter().filter(|b| self.set.types.contains_key(*b)).map(|b| (b, depth + 1)));
            }
        }
    }

    fn type_(&mut self, type_: &Type) {
        match type_ {
            Type::Simple(simple) => match &simple.variety {
                Variety::Restriction(base) | Variety::List(base) => self.type_ref(base, &simple.place),
                Variety::Union(members) => members.iter().for_each(|m| self.type_ref(m, &simple.place)),
            },
            Type::Complex(complex) => {
                if let Some(derivation) = &complex.derivation {
                    self.type_ref(&derivation.base, &complex.place);
                }
                for attribute in &complex.attributes {
                    self.type_ref(&attribute.attribute.type_, &attribute.attribute.place);
                }
                if let Content::Elements(particle) = &complex.content {
                    self.particle(particle);
                }
            }
        }
    }

    fn particle(&mut self, particle: &Particle) {
        match &particle.term {
            Term::Element(element) => self.element(element),
            Term::Group(_, particles) => particles.iter().for_each(|p| self.particle(p)),
            Term::Any(_) => {}
        }
    }

    fn element(&mut self, element: &Element) {
        self.type_ref(&element.type_, &element.place);
    }

    fn type_ref(&mut self, type_ref: &TypeRef, place: &Place) {
        match type_ref {
            TypeRef::Builtin(_) => {}
            TypeRef::Anonymous(type_) => self.type_(type_),
            TypeRef::Named(name) if self.set.types.contains_key(name) || well_known(&name.namespace) => {}
            TypeRef::Named(name) => self.problems.push(unresolved(place, "type", name)),
        }
    }
}
