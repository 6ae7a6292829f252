//! A contract told to a person: services, operations, and the tree of each message.

use crate::model::{
    Builtin, Content, Contract, Element, GroupKind, HeaderUse, Occurs, PartContent, Particle, Protocol, QName, Term,
    Type, TypeRef, Variety,
};
use std::fmt::Write;

/// How deep the tree of a type is drawn.
const MAX_DEPTH: usize = 6;

/// The whole contract as text.
pub fn explain(contract: &Contract) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "Contract {}", contract.entry);
    if let Some(text) = &contract.documentation {
        let _ = writeln!(out, "  {}", one_line(text));
    }
    for service in &contract.services {
        let _ = writeln!(out, "\nService {}", service.name.local);
        for port in &service.ports {
            let protocol = contract.bindings.get(&port.binding).map_or("unknown", |b| match &b.protocol {
                Protocol::Soap11 => "SOAP 1.1",
                Protocol::Soap12 => "SOAP 1.2",
                Protocol::Http(_) => "HTTP",
            });
            let _ = writeln!(out, "  port {} ({protocol}) {}", port.name, port.address.as_deref().unwrap_or("-"));
        }
    }
    for port_type in contract.port_types.values() {
        let _ = writeln!(out, "\nPortType {}", port_type.name.local);
        for operation in &port_type.operations {
            let _ = writeln!(out, "\n  {}", operation.name);
            if let Some(text) = &operation.documentation {
                let _ = writeln!(out, "    {}", one_line(text));
            }
            let bound = contract
                .bindings_of(&port_type.name)
                .filter(|b| !matches!(b.protocol, Protocol::Http(_)))
                .find_map(|b| b.operations.iter().find(|o| o.name == operation.name));
            let uses = [bound.map(|b| &b.input), bound.map(|b| &b.output)];
            for ((direction, message), body) in
                [("in ", &operation.input), ("out", &operation.output)].into_iter().zip(uses)
            {
                for header in body.into_iter().flat_map(|b| &b.headers) {
                    header_line(contract, &mut out, direction, header);
                }
                let Some(message) = message.as_ref().and_then(|m| contract.messages.get(m)) else { continue };
                for part in &message.parts {
                    let attachment = body.and_then(|b| b.attachments.iter().find(|a| a.part == part.name));
                    if let Some(attachment) = attachment {
                        let types = attachment.media_types.join(" or ");
                        let _ = writeln!(out, "    {direction} attachment {} {types}", part.name);
                        continue;
                    }
                    if body.is_some_and(|b| !b.carries(&message.name, &part.name)) {
                        continue;
                    }
                    match &part.content {
                        PartContent::Element(name) => element_tree(contract, &mut out, direction, name),
                        PartContent::Type(type_) => {
                            let _ = writeln!(out, "    {direction} {}: {}", part.name, type_name(type_));
                        }
                    }
                }
            }
            for fault in &operation.faults {
                let _ = writeln!(out, "    fault {}", fault.name);
            }
        }
    }
    out
}

fn header_line(contract: &Contract, out: &mut String, direction: &str, header: &HeaderUse) {
    let part =
        contract.messages.get(&header.message).and_then(|m| m.parts.iter().find(|part| part.name == header.part));
    match part.map(|part| &part.content) {
        Some(PartContent::Element(name)) => element_tree(contract, out, &format!("{direction} header"), name),
        Some(PartContent::Type(type_)) => {
            let _ = writeln!(out, "    {direction} header {}: {}", header.part, type_name(type_));
        }
        None => {}
    }
}

fn element_tree(contract: &Contract, out: &mut String, direction: &str, name: &QName) {
    let _ = write!(out, "    {direction} ");
    if let Some(element) = contract.schemas.elements.get(name) {
        element_line(contract, out, element, Occurs::ONCE, 3, 0);
    } else {
        let _ = writeln!(out, "{name}");
    }
}

fn element_line(contract: &Contract, out: &mut String, element: &Element, occurs: Occurs, indent: usize, depth: usize) {
    let nil = if element.nillable { " nillable" } else { "" };
    let _ = write!(out, "{}{}: {}{nil}", element.name.local, times(occurs), type_name(&element.type_));
    let _ = match &element.documentation {
        Some(text) => writeln!(out, "  — {}", one_line(text)),
        None => writeln!(out),
    };
    if depth < MAX_DEPTH
        && let Some(Type::Complex(complex)) = resolve(contract, element)
        && let Content::Elements(particle) = &complex.content
    {
        particle_tree(contract, out, particle, indent, depth + 1);
    }
}

fn resolve<'a>(contract: &'a Contract, element: &'a Element) -> Option<&'a Type> {
    match &element.type_ {
        TypeRef::Builtin(_) => None,
        TypeRef::Anonymous(type_) => Some(type_),
        TypeRef::Named(name) => contract.schemas.types.get(name),
    }
}

fn particle_tree(contract: &Contract, out: &mut String, particle: &Particle, indent: usize, depth: usize) {
    match &particle.term {
        Term::Element(element) => {
            let _ = write!(out, "{}", "  ".repeat(indent));
            element_line(contract, out, element, particle.occurs, indent + 1, depth);
        }
        Term::Group(kind, particles) => {
            let mut indent = indent;
            if *kind == GroupKind::Choice {
                let _ = writeln!(out, "{}one of{}", "  ".repeat(indent), times(particle.occurs));
                indent += 1;
            }
            for particle in particles {
                particle_tree(contract, out, particle, indent, depth);
            }
        }
        Term::Any(_) => {
            let _ = writeln!(out, "{}any element{}", "  ".repeat(indent), times(particle.occurs));
        }
    }
}

fn times(occurs: Occurs) -> String {
    match (occurs.min, occurs.max) {
        (1, Some(1)) => String::new(),
        (0, Some(1)) => "?".to_owned(),
        (0, None) => "*".to_owned(),
        (1, None) => "+".to_owned(),
        (min, Some(max)) => format!("{{{min},{max}}}"),
        (min, None) => format!("{{{min},}}"),
    }
}

fn type_name(type_: &TypeRef) -> String {
    match type_ {
        TypeRef::Builtin(Builtin::AnyType) => "anything".to_owned(),
        TypeRef::Builtin(builtin) => format!("xs:{}", builtin.name()),
        TypeRef::Named(name) => name.local.trim_end_matches("#type").to_owned(),
        TypeRef::Anonymous(type_) => match &**type_ {
            Type::Complex(_) => "(inline)".to_owned(),
            Type::Simple(simple) => match &simple.variety {
                Variety::Restriction(base) => format!("{} (restricted)", type_name(base)),
                Variety::List(item) => format!("list of {}", type_name(item)),
                Variety::Union(_) => "union".to_owned(),
            },
        },
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
