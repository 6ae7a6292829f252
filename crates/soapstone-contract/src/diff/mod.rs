//! What changed between two versions of a contract, and whom that concerns.
//!
//! A request is written by callers, so it may come to allow more; a response is read by them, so it may come to allow
//! less. What stands in both may do neither.

mod whole;

use crate::model::{
    AttributeUse, Binding, ComplexType, Contract, Element, Occurs, Operation, PartContent, Particle, PortType, QName,
    Type, TypeRef,
};
use std::collections::{BTreeMap, BTreeSet};
use whole::{Flat, Slot, Whole, flattened, rank, resolved, type_name};

/// Whom a change concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// Nobody: documentation, addresses, the order of declarations.
    Cosmetic,
    /// Those who want what is new.
    Compatible,
    /// Those who keep to the old version.
    Breaking,
}

impl Impact {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Compatible => "compatible",
            Self::Breaking => "breaking",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub impact: Impact,
    /// The operation, and the path in its message.
    pub place: String,
    pub text: String,
}

/// Who writes what a type describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Request,
    Response,
    /// A schema on its own: anybody writes, anybody reads.
    Both,
}

/// All changes from one version to the next.
pub fn compare(old: &Contract, new: &Contract) -> Vec<Change> {
    let mut comparer = Comparer { old, new, changes: Vec::new(), seen: BTreeSet::new() };
    comparer.port_types();
    comparer.bindings();
    comparer.services();
    if old.port_types.is_empty() {
        comparer.elements();
    }
    comparer.changes
}

struct Comparer<'a> {
    old: &'a Contract,
    new: &'a Contract,
    changes: Vec<Change>,
    /// Pairs of named types that were compared already.
    seen: BTreeSet<(QName, QName, Direction)>,
}

impl<'a> Comparer<'a> {
    fn add(&mut self, impact: Impact, place: &str, text: impl Into<String>) {
        let change = Change { impact, place: place.to_owned(), text: text.into() };
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// A change that lets more stand than before.
    fn wider(&mut self, direction: Direction, place: &str, text: impl Into<String>) {
        let impact = if direction == Direction::Request { Impact::Compatible } else { Impact::Breaking };
        self.add(impact, place, text);
    }

    /// A change that lets less stand than before.
    fn narrower(&mut self, direction: Direction, place: &str, text: impl Into<String>) {
        let impact = if direction == Direction::Response { Impact::Compatible } else { Impact::Breaking };
        self.add(impact, place, text);
    }

    fn documentation(&mut self, place: &str, old: &Option<String>, new: &Option<String>) {
        let plain = |text: &Option<String>| text.as_deref().map(|t| t.split_whitespace().collect::<Vec<_>>().join(" "));
        if plain(old) != plain(new) {
            self.add(Impact::Cosmetic, place, "the documentation changed");
        }
    }

    fn port_types(&mut self) {
        for (name, old) in &self.old.port_types {
            match self.new.port_types.get(name) {
                Some(new) => self.port_type(old, new),
                None => self.add(Impact::Breaking, &name.local, "the portType is gone"),
            }
        }
        for name in self.new.port_types.keys().filter(|name| !self.old.port_types.contains_key(name)) {
            self.add(Impact::Compatible, &name.local, "the portType is new");
        }
    }

    fn port_type(&mut self, old: &'a PortType, new: &'a PortType) {
        self.documentation(&old.name.local, &old.documentation, &new.documentation);
        let same =
            |a: &Operation, b: &Operation| a.name == b.name && (a.input_name == b.input_name || a.input_name.is_none());
        for operation in &old.operations {
            let place = format!("{}.{}", old.name.local, operation.name);
            let found = new.operations.iter().find(|o| same(operation, o));
            match found.or_else(|| new.operations.iter().find(|o| o.name == operation.name)) {
                Some(other) => self.operation(&place, operation, other),
                None => self.add(Impact::Breaking, &place, "the operation is gone"),
            }
        }
        for operation in new.operations.iter().filter(|o| !old.operations.iter().any(|p| p.name == o.name)) {
            let place = format!("{}.{}", new.name.local, operation.name);
            self.add(Impact::Compatible, &place, "the operation is new");
        }
    }

    fn operation(&mut self, place: &str, old: &'a Operation, new: &'a Operation) {
        self.documentation(place, &old.documentation, &new.documentation);
        if old.output.is_some() != new.output.is_some() {
            self.add(Impact::Breaking, place, "one-way has become request and response, or the other way round");
        }
        self.message(&format!("{place} request"), old.input.as_ref(), new.input.as_ref(), Direction::Request);
        self.message(&format!("{place} response"), old.output.as_ref(), new.output.as_ref(), Direction::Response);
        let element = |contract: &Contract, message: &QName| {
            contract.messages.get(message).and_then(|m| m.parts.first()).map(|part| match &part.content {
                PartContent::Element(name) => name.to_string(),
                PartContent::Type(_) => part.name.clone(),
            })
        };
        let faults = |contract: &Contract, operation: &Operation| -> BTreeMap<String, QName> {
            let named =
                operation.faults.iter().filter_map(|f| Some((element(contract, &f.message)?, f.message.clone())));
            named.collect()
        };
        let (before, after) = (faults(self.old, old), faults(self.new, new));
        for (name, message) in &before {
            match after.get(name) {
                Some(other) => {
                    self.message(&format!("{place} fault"), Some(message), Some(other), Direction::Response);
                }
                None => self.add(Impact::Compatible, place, format!("the fault {name} is gone")),
            }
        }
        for name in after.keys().filter(|name| !before.contains_key(*name)) {
            self.add(Impact::Breaking, place, format!("the fault {name} is new"));
        }
    }

    fn message(&mut self, place: &str, old: Option<&QName>, new: Option<&QName>, direction: Direction) {
        let (Some(old), Some(new)) =
            (old.and_then(|n| self.old.messages.get(n)), new.and_then(|n| self.new.messages.get(n)))
        else {
            return;
        };
        for (number, part) in old.parts.iter().enumerate() {
            // In document style the name of a part is not sent.
            let is_element = matches!(part.content, PartContent::Element(_));
            let other = new.parts.iter().find(|p| p.name == part.name);
            let other = other.or_else(|| new.parts.get(number).filter(|_| is_element));
            let Some(other) = other else {
                self.add(Impact::Breaking, place, format!("the part {} is gone", part.name));
                continue;
            };
            match (&part.content, &other.content) {
                (PartContent::Element(a), PartContent::Element(b)) if a == b => {
                    self.global_element(place, a, direction)
                }
                (PartContent::Type(a), PartContent::Type(b)) => {
                    self.types(&format!("{place}/{}", part.name), a, b, direction);
                }
                (a, b) => {
                    let told = |content: &PartContent| match content {
                        PartContent::Element(name) => format!("the element {name}"),
                        PartContent::Type(_) => "a type".to_owned(),
                    };
                    self.add(Impact::Breaking, place, format!("{} has become {}", told(a), told(b)));
                }
            }
        }
        for part in new.parts.iter().skip(old.parts.len()) {
            self.add(Impact::Breaking, place, format!("the part {} is new", part.name));
        }
    }

    fn global_element(&mut self, place: &str, name: &QName, direction: Direction) {
        let (old, new) = (self.old, self.new);
        let (Some(a), Some(b)) = (old.schemas.elements.get(name), new.schemas.elements.get(name)) else { return };
        self.element(&format!("{place}/{}", name.local), a, b, direction);
    }

    /// A schema without a service: its global elements are what it is for.
    fn elements(&mut self) {
        let (old, new) = (self.old, self.new);
        for name in old.schemas.elements.keys() {
            if new.schemas.elements.contains_key(name) {
                self.global_element("", name, Direction::Both);
            } else {
                self.add(Impact::Breaking, &format!("/{}", name.local), "the element is gone");
            }
        }
        for name in new.schemas.elements.keys().filter(|name| !old.schemas.elements.contains_key(name)) {
            self.add(Impact::Compatible, &format!("/{}", name.local), "the element is new");
        }
    }

    fn element(&mut self, place: &str, old: &'a Element, new: &'a Element, direction: Direction) {
        self.documentation(place, &old.documentation, &new.documentation);
        match (old.nillable, new.nillable) {
            (false, true) => self.wider(direction, place, "it may be nil now"),
            (true, false) => self.narrower(direction, place, "it must not be nil any more"),
            _ => {}
        }
        if old.default != new.default {
            self.add(
                Impact::Breaking,
                place,
                format!("its default {} has become {}", told(&old.default), told(&new.default)),
            );
        }
        if old.fixed != new.fixed {
            self.add(
                Impact::Breaking,
                place,
                format!("its fixed value {} has become {}", told(&old.fixed), told(&new.fixed)),
            );
        }
        self.types(place, &old.type_, &new.type_, direction);
    }

    fn types(&mut self, place: &str, old: &'a TypeRef, new: &'a TypeRef, direction: Direction) {
        if let (TypeRef::Named(a), TypeRef::Named(b)) = (old, new)
            && !self.seen.insert((a.clone(), b.clone(), direction))
        {
            return;
        }
        let (old_contract, new_contract) = (self.old, self.new);
        let (before, after) = (resolved(&old_contract.schemas, old), resolved(&new_contract.schemas, new));
        match (before, after) {
            (Some(Type::Complex(a)), Some(Type::Complex(b))) => self.complex(place, a, b, direction),
            (Some(Type::Complex(_)), _) | (_, Some(Type::Complex(_))) => {
                self.add(Impact::Breaking, place, format!("{} has become {}", type_name(old), type_name(new)));
            }
            _ => {
                let a = Flat::of(&old_contract.schemas, old, 0);
                let b = Flat::of(&new_contract.schemas, new, 0);
                self.simple(place, &a, &b, direction);
            }
        }
    }

    fn simple(&mut self, place: &str, old: &Flat, new: &Flat, direction: Direction) {
        if old.base != new.base {
            match (rank(&old.base), rank(&new.base)) {
                (Some((family, a)), Some((other, b))) if family == other && a < b => {
                    self.wider(direction, place, format!("{} has become {}", old.base, new.base));
                }
                (Some((family, a)), Some((other, b))) if family == other && a > b => {
                    self.narrower(direction, place, format!("{} has become {}", old.base, new.base));
                }
                _ => self.add(Impact::Breaking, place, format!("{} has become {}", old.base, new.base)),
            }
        }
        let values = |flat: &Flat| flat.values.clone();
        match (values(old), values(new)) {
            (Some(a), Some(b)) => {
                let more: Vec<_> = b.difference(&a).cloned().collect();
                let less: Vec<_> = a.difference(&b).cloned().collect();
                if !more.is_empty() {
                    self.wider(direction, place, format!("the values {} are new", more.join(", ")));
                }
                if !less.is_empty() {
                    self.narrower(direction, place, format!("the values {} are gone", less.join(", ")));
                }
            }
            (Some(_), None) => self.wider(direction, place, "it is no enumeration any more"),
            (None, Some(_)) => self.narrower(direction, place, "it is an enumeration now"),
            (None, None) => {}
        }
        for (name, a, b, larger_is_wider) in old.limits(new) {
            let number = |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<f64>().ok());
            match (&a, &b) {
                _ if a == b => {}
                (None, Some(limit)) => self.narrower(direction, place, format!("{name} {limit} is new")),
                (Some(limit), None) => self.wider(direction, place, format!("{name} {limit} is gone")),
                (Some(x), Some(y)) => {
                    let text = format!("{name} {x} has become {y}");
                    match (number(&a), number(&b)) {
                        (Some(x), Some(y)) if (x < y) == larger_is_wider => self.wider(direction, place, text),
                        (Some(_), Some(_)) => self.narrower(direction, place, text),
                        _ => self.add(Impact::Breaking, place, text),
                    }
                }
                (None, None) => {}
            }
        }
        if old.patterns != new.patterns {
            match (old.patterns.is_empty(), new.patterns.is_empty()) {
                (true, false) => self.narrower(direction, place, "a pattern is new"),
                (false, true) => self.wider(direction, place, "the pattern is gone"),
                _ => self.add(Impact::Breaking, place, "the pattern changed"),
            }
        }
    }

    fn complex(&mut self, place: &str, old: &'a ComplexType, new: &'a ComplexType, direction: Direction) {
        self.documentation(place, &old.documentation, &new.documentation);
        if old.is_abstract != new.is_abstract {
            let text = if new.is_abstract { "the type is abstract now" } else { "the type is not abstract any more" };
            if new.is_abstract { self.narrower(direction, place, text) } else { self.wider(direction, place, text) }
        }
        if old.mixed != new.mixed {
            self.add(Impact::Breaking, place, "mixed content has come or gone");
        }
        let (a, b) = (Whole::of(&self.old.schemas, old, 0), Whole::of(&self.new.schemas, new, 0));
        self.attributes(place, &a.attributes, &b.attributes, direction);
        match (&a.text, &b.text) {
            (Some(a), Some(b)) => self.simple(place, a, b, direction),
            (None, None) => {}
            _ => self.add(Impact::Breaking, place, "text has become elements, or the other way round"),
        }
        self.particles(place, &a.particles, &b.particles, direction);
    }

    fn attributes(&mut self, place: &str, old: &[&'a AttributeUse], new: &[&'a AttributeUse], direction: Direction) {
        for used in old {
            let name = &used.attribute.name;
            let place = format!("{place}/@{}", name.local);
            match new.iter().find(|other| other.attribute.name == *name) {
                None => self.narrower(direction, &place, "the attribute is gone"),
                Some(other) => {
                    match (used.required, other.required) {
                        (false, true) => self.narrower(direction, &place, "it is required now"),
                        (true, false) => self.wider(direction, &place, "it is optional now"),
                        _ => {}
                    }
                    let (a, b) = (&used.attribute, &other.attribute);
                    self.documentation(&place, &a.documentation, &b.documentation);
                    if (&a.default, &a.fixed) != (&b.default, &b.fixed) {
                        self.add(Impact::Breaking, &place, "its default or fixed value changed");
                    }
                    self.types(&place, &a.type_, &b.type_, direction);
                }
            }
        }
        for used in new.iter().filter(|u| !old.iter().any(|o| o.attribute.name == u.attribute.name)) {
            let place = format!("{place}/@{}", used.attribute.name.local);
            match (used.required, direction) {
                (true, Direction::Request | Direction::Both) => {
                    self.add(Impact::Breaking, &place, "a required attribute is new");
                }
                _ => self.wider(direction, &place, "the attribute is new"),
            }
        }
    }

    fn particles(&mut self, place: &str, old: &[&'a Particle], new: &[&'a Particle], direction: Direction) {
        let (before, after) = (flattened(old), flattened(new));
        for slot in &before {
            let place = format!("{place}/{}", slot.name.local);
            match after.iter().find(|other| other.name == slot.name && other.index == slot.index) {
                None if slot.occurs.min == 0 && direction == Direction::Response => {
                    self.add(Impact::Compatible, &place, "the element is gone");
                }
                None => self.add(Impact::Breaking, &place, "the element is gone"),
                Some(other) => {
                    self.occurs(&place, slot.occurs, other.occurs, direction);
                    match (slot.element, other.element) {
                        (Some(a), Some(b)) => self.element(&place, a, b, direction),
                        (None, None) => {}
                        _ => self.add(
                            Impact::Breaking,
                            &place,
                            "an element has become a wildcard, or the other way round",
                        ),
                    }
                }
            }
        }
        for slot in after.iter().filter(|s| !before.iter().any(|b| b.name == s.name && b.index == s.index)) {
            let place = format!("{place}/{}", slot.name.local);
            match (slot.occurs.min, direction) {
                (0, _) => self.wider(direction, &place, "the element is new"),
                (_, Direction::Response) => self.add(Impact::Breaking, &place, "a required element is new"),
                _ => self.add(Impact::Breaking, &place, "a required element is new"),
            }
        }
        let order = |slots: &[Slot<'_>], others: &[Slot<'_>]| -> Vec<(QName, usize)> {
            let common = slots.iter().filter(|s| others.iter().any(|o| o.name == s.name && o.index == s.index));
            common.filter(|s| s.ordered).map(|s| (s.name.clone(), s.index)).collect()
        };
        if order(&before, &after) != order(&after, &before) {
            self.add(Impact::Breaking, place, "the order of the elements changed");
        }
    }

    fn occurs(&mut self, place: &str, old: Occurs, new: Occurs, direction: Direction) {
        if old.min != new.min {
            let text = format!("minOccurs {} has become {}", old.min, new.min);
            if new.min < old.min { self.wider(direction, place, text) } else { self.narrower(direction, place, text) }
        }
        if old.max != new.max {
            let told = |max: Option<u32>| max.map_or_else(|| "unbounded".to_owned(), |m| m.to_string());
            let text = format!("maxOccurs {} has become {}", told(old.max), told(new.max));
            let more = new.max.unwrap_or(u32::MAX) > old.max.unwrap_or(u32::MAX);
            if more { self.wider(direction, place, text) } else { self.narrower(direction, place, text) }
        }
    }

    fn bindings(&mut self) {
        let (old, new) = (self.old, self.new);
        for (name, binding) in &old.bindings {
            match new.bindings.get(name) {
                Some(other) => self.binding(binding, other),
                None => self.add(Impact::Breaking, &name.local, "the binding is gone"),
            }
        }
        for name in new.bindings.keys().filter(|name| !old.bindings.contains_key(name)) {
            self.add(Impact::Compatible, &name.local, "the binding is new");
        }
    }

    fn binding(&mut self, old: &Binding, new: &Binding) {
        let place = &old.name.local;
        if old.protocol != new.protocol {
            self.add(Impact::Breaking, place, "the protocol changed");
        }
        for operation in &old.operations {
            let place = format!("{place}.{}", operation.name);
            let Some(other) = new.operations.iter().find(|o| o.name == operation.name) else {
                self.add(Impact::Breaking, &place, "the operation is not bound any more");
                continue;
            };
            if operation.soap_action != other.soap_action {
                let text =
                    format!("the SOAPAction {} has become {}", told(&operation.soap_action), told(&other.soap_action));
                self.add(Impact::Breaking, &place, text);
            }
            if operation.style != other.style
                || operation.input.use_ != other.input.use_
                || operation.input.namespace != other.input.namespace
            {
                self.add(Impact::Breaking, &place, "style, use or namespace changed");
            }
            if operation.location != other.location {
                self.add(Impact::Breaking, &place, "the location changed");
            }
        }
    }

    fn services(&mut self) {
        let (old, new) = (self.old, self.new);
        for service in &old.services {
            let Some(other) = new.services.iter().find(|s| s.name == service.name) else {
                self.add(Impact::Breaking, &service.name.local, "the service is gone");
                continue;
            };
            self.documentation(&service.name.local, &service.documentation, &other.documentation);
            for port in &service.ports {
                let place = format!("{}.{}", service.name.local, port.name);
                match other.ports.iter().find(|p| p.name == port.name) {
                    None => self.add(Impact::Breaking, &place, "the port is gone"),
                    Some(found) if found.address != port.address => {
                        self.add(Impact::Cosmetic, &place, "the address changed");
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

fn told(value: &Option<String>) -> String {
    value.as_ref().map_or_else(|| "(none)".to_owned(), |v| format!("\"{v}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    fn contract(body: &str) -> Contract {
        let text = format!(
            "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' elementFormDefault='qualified'>{body}</xs:schema>"
        );
        let memory = Memory(BTreeMap::from([("a.xsd".to_owned(), text.into_bytes())]));
        crate::load(&memory, "a.xsd").unwrap()
    }

    fn worst(old: &str, new: &str) -> Option<Impact> {
        compare(&contract(old), &contract(new)).iter().map(|c| c.impact).max()
    }

    #[test]
    fn changes_are_told_by_whom_they_concern() {
        let order = |inside: &str| {
            format!(
                "<xs:element name='order'><xs:complexType><xs:sequence>{inside}</xs:sequence></xs:complexType></xs:element>"
            )
        };
        let plain = order("<xs:element name='a' type='xs:int'/>");
        assert_eq!(worst(&plain, &plain), None);
        let with_note = order(
            "<xs:element name='a' type='xs:int'><xs:annotation><xs:documentation>A</xs:documentation></xs:annotation></xs:element>",
        );
        assert_eq!(worst(&plain, &with_note), Some(Impact::Cosmetic));
        let with_more = format!("{plain}<xs:element name='other' type='xs:int'/>");
        assert_eq!(worst(&plain, &with_more), Some(Impact::Compatible));
        for breaking in [
            order("<xs:element name='a' type='xs:long'/>"),
            order("<xs:element name='b' type='xs:int'/>"),
            order("<xs:element name='a' type='xs:int'/><xs:element name='b' type='xs:int'/>"),
            order(""),
        ] {
            assert_eq!(worst(&plain, &breaking), Some(Impact::Breaking), "{breaking}");
        }
    }
}
