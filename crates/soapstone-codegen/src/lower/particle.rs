//! Particles (XSD part 1, section 3.9): simplified where the same can be said with less, then made into fields.

use super::Lowerer;
use super::content::{Fields, namespaces};
use crate::names::{Unique, type_name};
use crate::program::{Field, FieldType, ItemKind, Kind};
use soapstone_contract::model::{Element, GroupKind, Occurs, Particle, QName, Term, Wildcard};
use std::collections::BTreeSet;

/// A particle, simplified.
#[derive(Clone)]
pub(super) enum Node {
    Element(Element, Occurs),
    Any(Wildcard, Occurs),
    Sequence(Vec<Node>, Occurs),
    Choice(Vec<Node>, Occurs),
    All(Vec<Node>, Occurs),
}

const UNBOUNDED: Occurs = Occurs { min: 0, max: None };

impl Node {
    fn occurs(&mut self) -> &mut Occurs {
        match self {
            Self::Element(_, occurs)
            | Self::Any(_, occurs)
            | Self::Sequence(_, occurs)
            | Self::Choice(_, occurs)
            | Self::All(_, occurs) => occurs,
        }
    }
}

/// The nodes of a sequence that means the same as the particle.
pub(super) fn simplified(particle: &Particle) -> Vec<Node> {
    match node(particle) {
        None => Vec::new(),
        Some(Node::Sequence(nodes, Occurs::ONCE)) => nodes,
        Some(other) => vec![other],
    }
}

fn node(particle: &Particle) -> Option<Node> {
    let occurs = particle.occurs;
    if occurs.max == Some(0) {
        return None;
    }
    match &particle.term {
        Term::Element(element) => Some(Node::Element(element.clone(), occurs)),
        Term::Any(wildcard) => Some(Node::Any(wildcard.clone(), occurs)),
        Term::Group(kind, particles) => {
            let nodes: Vec<Node> = particles.iter().filter_map(node).collect();
            match kind {
                GroupKind::Sequence => sequence(nodes, occurs),
                GroupKind::Choice => choice(nodes, occurs),
                GroupKind::All if nodes.is_empty() => None,
                GroupKind::All => Some(Node::All(nodes, occurs)),
            }
        }
    }
}

/// How often something occurs that occurs `inner` times in each of `outer` rounds; None where no range says it.
fn times(outer: Occurs, inner: Occurs) -> Option<Occurs> {
    if outer == Occurs::ONCE {
        return Some(inner);
    }
    if inner == Occurs::ONCE {
        return Some(outer);
    }
    // Rounds of none or one, or of any number, leave no gaps.
    let gapless = inner.min <= 1 && (inner.max.is_none() || inner.max == Some(1) || outer.max != Some(1));
    let optional_many = outer.min == 0 && outer.max == Some(1) && inner.min <= 1;
    if !gapless && !optional_many {
        return None;
    }
    let max = match (outer.max, inner.max) {
        (Some(outer), Some(inner)) => Some(outer.saturating_mul(inner)),
        _ => None,
    };
    Some(Occurs { min: outer.min.saturating_mul(inner.min), max })
}

fn sequence(nodes: Vec<Node>, occurs: Occurs) -> Option<Node> {
    let mut flat = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Sequence(inner, Occurs::ONCE) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    group(flat, occurs, Node::Sequence)
}

fn choice(nodes: Vec<Node>, mut occurs: Occurs) -> Option<Node> {
    let any_number = occurs.max.is_none();
    let mut flat = Vec::with_capacity(nodes.len());
    for mut node in nodes {
        if node.occurs().min == 0 {
            // A branch that may be empty makes the choice so.
            occurs.min = 0;
            node.occurs().min = 1;
        }
        // Where the choice is made any number of times, a branch need not repeat.
        if any_number && node.occurs().min <= 1 {
            *node.occurs() = Occurs::ONCE;
        }
        match node {
            Node::Choice(inner, Occurs::ONCE) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    group(flat, occurs, Node::Choice)
}

/// A group of nodes; one of a single node is that node, where it can say how often.
fn group(mut nodes: Vec<Node>, occurs: Occurs, of: fn(Vec<Node>, Occurs) -> Node) -> Option<Node> {
    match nodes.as_mut_slice() {
        [] => None,
        [only] => match times(occurs, *only.occurs()) {
            Some(both) => {
                *only.occurs() = both;
                nodes.pop()
            }
            None => Some(of(nodes, occurs)),
        },
        _ => Some(of(nodes, occurs)),
    }
}

impl Lowerer<'_> {
    /// The fields of a sequence.
    pub(super) fn sequence(&mut self, nodes: &[Node], module: usize, parent: &str) -> Vec<Field> {
        let mut fields = Vec::new();
        self.add_sequence(nodes, false, module, parent, &mut fields);
        let mut unique = Fields::default();
        fields.into_iter().for_each(|field| unique.push(field));
        let mut taken = BTreeSet::new();
        for field in &mut unique.list {
            self.claim_members(field, &mut taken, 0);
        }
        unique.list
    }

    /// Gives the members of groups, which in JSON stand among their neighbours, names of their own.
    fn claim_members(&mut self, field: &mut Field, taken: &mut BTreeSet<String>, depth: u32) {
        let Some(item) = field.item().filter(|_| field.kind == Kind::Group && !field.repeats() && depth < 20) else {
            while !taken.insert(field.json.clone()) {
                field.json.push('2');
            }
            return;
        };
        // The members of a substitution group are shared: theirs are the names they have.
        let is_shared = self.groups.values().any(|group| *group == item);
        let mut fields = self.program.fields(item).to_vec();
        let is_choice = matches!(self.program.items[item].kind, ItemKind::Choice(_));
        let outside = taken.clone();
        for inner in &mut fields {
            let mut own = if is_choice { outside.clone() } else { taken.clone() };
            self.claim_members(inner, &mut own, depth + 1);
            taken.extend(own);
        }
        if !is_shared && let ItemKind::Choice(list) | ItemKind::Group(list) = &mut self.program.items[item].kind {
            *list = fields;
        }
    }

    fn add_sequence(&mut self, nodes: &[Node], optional: bool, module: usize, parent: &str, out: &mut Vec<Field>) {
        for node in nodes {
            self.add_node(node, optional, module, parent, out);
        }
    }

    fn add_node(&mut self, node: &Node, optional: bool, module: usize, parent: &str, out: &mut Vec<Field>) {
        let relaxed = |occurs: &Occurs| if optional { Occurs { min: 0, ..*occurs } } else { *occurs };
        match node {
            Node::Element(element, occurs) => {
                let field = self.element_or_group(element, relaxed(occurs), module, parent);
                out.extend(field);
            }
            Node::Any(wildcard, occurs) => out.push(any_field(wildcard, relaxed(occurs))),
            Node::All(nodes, occurs) => {
                for node in nodes {
                    self.add_node(node, optional || occurs.min == 0, module, parent, out);
                }
            }
            Node::Sequence(nodes, occurs) if *occurs == Occurs::ONCE => {
                self.add_sequence(nodes, optional, module, parent, out);
            }
            // A sequence of optional parts may as well be absent part by part.
            Node::Sequence(nodes, occurs) if !occurs.repeats() && nodes.iter().all(is_optional) => {
                self.add_sequence(nodes, true, module, parent, out);
            }
            Node::Sequence(nodes, occurs) => {
                let item = self.group_item(nodes, module, &format!("{parent} group"), parent);
                let mut field = Field::new(Kind::Group, "group", FieldType::Item(item));
                field.occurs = relaxed(occurs);
                out.push(field);
            }
            Node::Choice(branches, occurs) => {
                let item = self.choice_item(branches, false, module, &format!("{parent} choice"), parent);
                let mut field = Field::new(Kind::Group, "choice", FieldType::Item(item));
                field.occurs = relaxed(occurs);
                out.push(field);
            }
        }
    }

    /// The field of an element; of the head of a substitution group, one for whatever can stand for it.
    fn element_or_group(&mut self, element: &Element, occurs: Occurs, module: usize, parent: &str) -> Option<Field> {
        if element.reference && (element.is_abstract || self.set.substitutions.contains_key(&element.name)) {
            let substitutes = self.substitutes(&element.name);
            if substitutes.is_empty() {
                // Nothing can stand here: an abstract element without members.
                let mut field = any_field_of(element.name.local.as_str());
                field.occurs = occurs;
                return Some(field);
            }
            if substitutes != [element.name.clone()] {
                let item = self.substitution_item(&element.name, &substitutes);
                let mut field = Field::new(Kind::Group, &element.name.local, FieldType::Item(item));
                field.doc.clone_from(&element.documentation);
                field.occurs = occurs;
                return Some(field);
            }
        }
        Some(self.element_field(element, occurs, module, parent))
    }

    /// The choice among the members of a substitution group, shared by all uses of its head.
    fn substitution_item(&mut self, head: &QName, substitutes: &[QName]) -> usize {
        if let Some(known) = self.groups.get(head) {
            return *known;
        }
        let module = self.module_of(&head.namespace);
        let doc = self.set.elements.get(head).and_then(|e| e.documentation.clone());
        let wanted = format!("{} group", head.local);
        let index = self.add_item(module, &wanted, &head.to_string(), doc, ItemKind::Pending);
        self.groups.insert(head.clone(), index);
        let mut branches = Branches::default();
        for name in substitutes {
            if let Some(element) = self.set.elements.get(name) {
                let field = self.element_field(element, Occurs::ONCE, module, &name.local);
                branches.push(field);
            }
        }
        self.program.items[index].kind = ItemKind::Choice(branches.list);
        index
    }

    fn group_item(&mut self, nodes: &[Node], module: usize, wanted: &str, origin: &str) -> usize {
        let index = self.add_item(module, wanted, origin, None, ItemKind::Pending);
        let name = self.program.items[index].name.clone();
        let fields = self.sequence(nodes, module, &name);
        self.program.items[index].kind = ItemKind::Group(fields);
        index
    }

    fn choice_item(&mut self, nodes: &[Node], mixed: bool, module: usize, wanted: &str, origin: &str) -> usize {
        let index = self.add_item(module, wanted, origin, None, ItemKind::Pending);
        let name = self.program.items[index].name.clone();
        let mut branches = Branches::default();
        if mixed {
            let text = FieldType::Simple(crate::program::Simple::builtin(soapstone_contract::model::Builtin::String));
            branches.push(Field::new(Kind::Text, "text", text));
        }
        for node in nodes {
            self.add_branch(node, module, &name, origin, &mut branches);
        }
        self.program.items[index].kind = ItemKind::Choice(branches.list);
        index
    }

    fn add_branch(&mut self, node: &Node, module: usize, choice: &str, origin: &str, out: &mut Branches) {
        match node {
            Node::Element(element, occurs) => {
                let field = self.element_or_group(element, *occurs, module, origin);
                match field {
                    // The members of a substitution group are branches like the others.
                    Some(field) if field.kind == Kind::Group && !field.repeats() => {
                        let branches = field.item().map(|item| self.program.fields(item).to_vec());
                        branches.into_iter().flatten().for_each(|branch| out.push(branch));
                    }
                    Some(field) => out.push(field),
                    None => {}
                }
            }
            Node::Any(wildcard, occurs) => out.push(any_field(wildcard, *occurs)),
            Node::Sequence(nodes, occurs) | Node::All(nodes, occurs) => {
                let first = nodes.iter().find_map(first_name).unwrap_or_else(|| "group".to_owned());
                let item = self.group_item(nodes, module, &format!("{choice} {first}"), origin);
                let mut field = Field::new(Kind::Group, &format!("{first} group"), FieldType::Item(item));
                field.occurs = *occurs;
                out.push(field);
            }
            Node::Choice(nodes, occurs) => {
                let item = self.choice_item(nodes, false, module, &format!("{choice} choice"), origin);
                let mut field = Field::new(Kind::Group, "choice", FieldType::Item(item));
                field.occurs = *occurs;
                out.push(field);
            }
        }
    }

    /// Mixed content: pieces of text and elements, in order.
    pub(super) fn mixed(&mut self, nodes: &[Node], module: usize, parent: &str) -> Vec<Field> {
        let mut flat = Vec::new();
        let mut seen = Vec::new();
        nodes.iter().for_each(|node| flatten(node, &mut flat, &mut seen));
        if flat.is_empty() {
            let text = FieldType::Simple(crate::program::Simple::builtin(soapstone_contract::model::Builtin::String));
            let mut field = Field::new(Kind::Text, "value", text);
            field.doc = Some("The text.".to_owned());
            return vec![field];
        }
        let item = self.choice_item(&flat, true, module, &format!("{parent} content"), parent);
        let mut field = Field::new(Kind::Group, "content", FieldType::Item(item));
        field.doc = Some("Text and elements, in order.".to_owned());
        field.occurs = UNBOUNDED;
        field.mixed = true;
        nodes.iter().for_each(|node| needed(node, self.program.fields(item), &mut field.needed));
        vec![field]
    }
}

/// The branches of mixed content that a node cannot do without.
fn needed(node: &Node, branches: &[Field], found: &mut Vec<usize>) {
    let mut add = |is_it: &dyn Fn(&Field) -> bool, occurs: &Occurs| {
        if let Some(branch) = branches.iter().position(is_it) {
            found.extend((0..occurs.min.min(100)).map(|_| branch));
        }
    };
    match node {
        Node::Element(element, occurs) => {
            add(&|b| b.kind == Kind::Element && b.local == element.name.local, occurs);
        }
        Node::Any(_, occurs) => add(&|b| b.kind == Kind::Any, occurs),
        Node::Sequence(nodes, occurs) | Node::All(nodes, occurs) if occurs.min > 0 => {
            nodes.iter().for_each(|node| needed(node, branches, found));
        }
        Node::Choice(nodes, occurs) if occurs.min > 0 => {
            nodes.iter().take(1).for_each(|node| needed(node, branches, found));
        }
        _ => {}
    }
}

/// All elements and wildcards below a node, each once.
fn flatten(node: &Node, out: &mut Vec<Node>, seen: &mut Vec<QName>) {
    match node {
        Node::Element(element, _) => {
            if !seen.contains(&element.name) {
                seen.push(element.name.clone());
                out.push(Node::Element(element.clone(), Occurs::ONCE));
            }
        }
        Node::Any(wildcard, _) => out.push(Node::Any(wildcard.clone(), Occurs::ONCE)),
        Node::Sequence(nodes, _) | Node::Choice(nodes, _) | Node::All(nodes, _) => {
            nodes.iter().for_each(|node| flatten(node, out, seen));
        }
    }
}

fn is_optional(node: &Node) -> bool {
    match node {
        Node::Element(_, occurs) | Node::Any(_, occurs) | Node::Choice(_, occurs) => occurs.min == 0,
        Node::Sequence(nodes, occurs) | Node::All(nodes, occurs) => occurs.min == 0 || nodes.iter().all(is_optional),
    }
}

fn first_name(node: &Node) -> Option<String> {
    match node {
        Node::Element(element, _) => Some(element.name.local.clone()),
        Node::Any(..) => Some("any".to_owned()),
        Node::Sequence(nodes, _) | Node::Choice(nodes, _) | Node::All(nodes, _) => nodes.iter().find_map(first_name),
    }
}

fn any_field(wildcard: &Wildcard, occurs: Occurs) -> Field {
    let mut field = any_field_of("any");
    field.doc = Some("What the contract leaves open, as XML.".to_owned());
    field.occurs = occurs;
    field.wildcard = namespaces(wildcard);
    field
}

fn any_field_of(name: &str) -> Field {
    Field::new(Kind::Any, name, FieldType::Fragment)
}

/// Branches of a choice: fields named as variants.
#[derive(Default)]
struct Branches {
    names: Unique,
    constants: BTreeSet<String>,
    json: Unique,
    list: Vec<Field>,
}

impl Branches {
    fn push(&mut self, mut field: Field) {
        // A branch that is reached twice is one.
        if field.kind == Kind::Element
            && self.list.iter().any(|known| {
                known.kind == Kind::Element && known.local == field.local && known.namespace == field.namespace
            })
        {
            return;
        }
        let wanted = match field.kind {
            Kind::Any => "any",
            Kind::Text => "text",
            _ => &field.local,
        };
        let wanted = type_name(wanted);
        // Names that differ only in case come to the same constant.
        loop {
            field.name = self.names.take(wanted.clone());
            if self.constants.insert(field.constant()) {
                break;
            }
        }
        field.json = self.json.take(field.json);
        self.list.push(field);
    }
}
