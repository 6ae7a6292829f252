//! What generated code says in constants, made at run time. It lives as long as the program: a contract is loaded
//! once, when a server starts.

use super::lasting::{leak, leak_list, leak_text};
use soapstone_codegen::program::{self, Base, Field, FieldType, ItemKind, Kind, Program};
use soapstone_contract::model::{Occurs, WhiteSpace as Declared};
use soapstone_runtime as rt;

/// All items of a program.
pub struct Shapes {
    pub items: Vec<Shape>,
}

/// A type, as a copier needs to know it.
pub enum Shape {
    Struct {
        fields: Vec<FieldShape>,
        starts: Option<&'static [rt::Start]>,
        array: Option<&'static rt::TypeName>,
    },
    Group {
        fields: Vec<FieldShape>,
        starts: &'static [rt::Start],
    },
    Choice {
        branches: Vec<FieldShape>,
        starts: &'static [rt::Start],
    },
    Poly {
        types: &'static [&'static rt::TypeName],
        items: Vec<usize>,
        is_abstract: bool,
        name: String,
    },
    Wrapper(Box<FieldShape>),
    /// A simple type, which fields know for themselves.
    Simple,
}

/// A field, branch or wrapped value.
pub struct FieldShape {
    pub kind: Kind,
    pub field: &'static rt::Field,
    pub group: Option<&'static rt::Group>,
    pub optional: bool,
    pub repeats: bool,
    pub nillable: bool,
    pub holds: Holds,
}

/// What a field holds.
pub enum Holds {
    Simple(SimpleShape),
    Item(usize),
    Fragment,
    AnyValue,
    AnyAttributes,
}

/// A simple type.
#[derive(Clone)]
pub enum SimpleShape {
    /// The runtime's Rust type.
    Rust(&'static str),
    /// A text with its values as a facet.
    Enumeration,
    /// The first member that takes the text has it.
    Union(Vec<(SimpleShape, &'static rt::Facets)>),
    List(Box<SimpleShape>),
}

/// The body of a message.
pub struct MessageShape {
    pub item: usize,
    pub element: &'static rt::Field,
    pub namespaces: &'static [rt::Namespace],
    pub encoded: bool,
}

impl Shapes {
    /// The shapes of a program.
    pub fn of(program: &Program) -> &'static Self {
        let maker = Maker { program };
        let fields: Vec<Vec<FieldShape>> = (0..program.items.len())
            .map(|item| program.fields(item).iter().map(|field| maker.field(field)).collect())
            .collect();
        let starts: Vec<&'static [rt::Start]> =
            (0..program.items.len()).map(|item| maker.starts(item, &fields)).collect();
        let items = fields
            .into_iter()
            .zip(starts)
            .enumerate()
            .map(|(number, (fields, starts))| maker.shape(number, fields, starts))
            .collect();
        leak(Self { items })
    }

    /// The body of a message that has that item.
    pub fn message(program: &Program, item: usize) -> &'static MessageShape {
        let maker = Maker { program };
        let element = match program.element_of(item) {
            None => rt::Field::unqualified(""),
            Some(name) => maker.named(Some(name.namespace), &name.local),
        };
        let namespaces = program
            .namespaces_of(item, program.encoded_messages.contains(&item))
            .into_iter()
            .map(|used| &program.modules[used]);
        let namespaces = namespaces.filter(|m| !m.namespace.is_empty());
        let namespaces =
            namespaces.map(|m| rt::Namespace { prefix: leak_text(&m.prefix), uri: leak_text(&m.namespace) }).collect();
        leak(MessageShape {
            item,
            element: leak(element),
            namespaces: leak_list(namespaces),
            encoded: program.encoded_messages.contains(&item),
        })
    }
}

struct Maker<'a> {
    program: &'a Program,
}

impl Maker<'_> {
    fn named(&self, namespace: Option<usize>, local: &str) -> rt::Field {
        match namespace.map(|ns| &self.program.modules[ns]).filter(|m| !m.namespace.is_empty()) {
            None => rt::Field::unqualified(leak_text(local)),
            Some(module) => rt::Field::new(
                leak_text(&module.namespace),
                leak_text(local),
                leak_text(&format!("{}:{local}", module.prefix)),
            ),
        }
    }

    fn type_name(&self, name: &program::ElementName) -> &'static rt::TypeName {
        leak(rt::TypeName {
            namespace: leak_text(&self.program.modules[name.namespace].namespace),
            local: leak_text(&name.local),
            tag: leak_text(&self.program.tag(Some(name.namespace), &name.local)),
        })
    }

    fn field(&self, field: &Field) -> FieldShape {
        let mut made = match field.kind {
            Kind::Any | Kind::AnyAttribute => rt::Field::any(match &field.wildcard {
                program::Wildcard::Any => rt::Wildcard::Any,
                program::Wildcard::Other(own) => rt::Wildcard::Other(leak_text(own)),
                program::Wildcard::Of(list) => {
                    rt::Wildcard::Of(leak_list(list.iter().map(|ns| leak_text(ns)).collect()))
                }
            }),
            _ => self.named(field.namespace, &field.local),
        };
        let occurs = occurs(field.occurs);
        made = made.occurs(occurs.min, occurs.max).json(leak_text(&field.json));
        if let FieldType::Simple(simple) = &field.type_ {
            made = made.facets(self.facets(simple));
        }
        made.default = field.default.as_deref().map(leak_text);
        made.fixed = field.fixed.as_deref().map(leak_text);
        made.type_name = field.xsi_type.as_ref().map(|name| self.type_name(name));
        let group = (field.kind == Kind::Group && field.repeats())
            .then(|| leak(rt::Group { json: leak_text(&field.json), occurs, mixed: field.mixed }) as &'static _);
        FieldShape {
            kind: field.kind,
            field: leak(made),
            group,
            optional: field.optional(),
            repeats: field.repeats(),
            nillable: field.nillable,
            holds: match &field.type_ {
                FieldType::Simple(simple) => Holds::Simple(self.simple(simple)),
                FieldType::Item(item) => Holds::Item(*item),
                FieldType::Fragment => Holds::Fragment,
                FieldType::AnyValue => Holds::AnyValue,
                FieldType::AnyAttributes => Holds::AnyAttributes,
            },
        }
    }

    fn simple(&self, simple: &program::Simple) -> SimpleShape {
        match &simple.base {
            Base::Rust(rust) => SimpleShape::Rust(rust),
            Base::List(item) => SimpleShape::List(Box::new(self.simple(item))),
            Base::Item(item) => match &self.program.items[*item].kind {
                ItemKind::Union(members) => {
                    SimpleShape::Union(members.iter().map(|(_, m)| (self.simple(m), self.facets(m))).collect())
                }
                _ => SimpleShape::Enumeration,
            },
        }
    }

    /// The facets; an enumeration has its values among them.
    fn facets(&self, simple: &program::Simple) -> &'static rt::Facets {
        let facets = &simple.facets;
        let count = |value: Option<u64>| value.map(|v| u32::try_from(v).unwrap_or(u32::MAX));
        let text = |value: &Option<String>| value.as_deref().map(leak_text);
        let mut enumeration: Vec<&'static str> = facets.enumeration.iter().map(|(value, _)| leak_text(value)).collect();
        let mut white_space = facets.white_space;
        if let Base::Item(item) = &simple.base
            && let ItemKind::Enum(variants) = &self.program.items[*item].kind
        {
            white_space = Some(Declared::Collapse);
            if enumeration.is_empty() {
                enumeration = variants.iter().map(|v| leak_text(&v.value)).collect();
            }
        }
        let patterns = simple.patterns.iter().map(|step| {
            leak_list(step.iter().map(|p| leak(rt::Pattern::new(leak_text(p))) as &'static _).collect())
                as &'static [_]
        });
        leak(rt::Facets {
            length: count(facets.length),
            min_length: count(facets.min_length),
            max_length: count(facets.max_length),
            patterns: leak_list(patterns.collect()),
            enumeration: leak_list(enumeration),
            min_inclusive: text(&facets.min_inclusive),
            max_inclusive: text(&facets.max_inclusive),
            min_exclusive: text(&facets.min_exclusive),
            max_exclusive: text(&facets.max_exclusive),
            total_digits: count(facets.total_digits),
            fraction_digits: count(facets.fraction_digits),
            white_space: white_space.map(|white_space| match white_space {
                Declared::Preserve => rt::WhiteSpace::Preserve,
                Declared::Replace => rt::WhiteSpace::Replace,
                Declared::Collapse => rt::WhiteSpace::Collapse,
            }),
            item: match &simple.base {
                Base::List(item) => Some(self.facets(item)),
                _ => None,
            },
        })
    }

    fn starts(&self, item: usize, fields: &[Vec<FieldShape>]) -> &'static [rt::Start] {
        let starts = self.program.starts(item).into_iter().map(|begin| {
            let (owner, number) = begin.field;
            let shape = &fields[owner][number];
            match shape.kind {
                Kind::Text => rt::Start::text(begin.branch),
                _ if begin.later => rt::Start::member(begin.branch, shape.field.json),
                Kind::Any => rt::Start::any(begin.branch, shape.field),
                _ => rt::Start::element(begin.branch, shape.field),
            }
        });
        leak_list(starts.collect())
    }

    fn shape(&self, number: usize, fields: Vec<FieldShape>, starts: &'static [rt::Start]) -> Shape {
        match &self.program.items[number].kind {
            ItemKind::Struct(inner) => {
                let elements = fields.iter().filter(|f| f.kind == Kind::Element).enumerate();
                let all = inner.all.then(|| {
                    leak_list(elements.map(|(number, f)| rt::Start::element(number, f.field)).collect())
                        as &'static [_]
                });
                let array = inner.array.as_ref().map(|name| self.type_name(name));
                Shape::Struct { fields, starts: all, array }
            }
            ItemKind::Group(_) => Shape::Group { fields, starts },
            ItemKind::Choice(_) => Shape::Choice { branches: fields, starts },
            ItemKind::Poly(poly) => Shape::Poly {
                types: leak_list(poly.variants.iter().map(|v| self.type_name(&v.type_name)).collect()),
                items: poly.variants.iter().map(|v| v.item).collect(),
                is_abstract: poly.is_abstract,
                name: poly.name.local.clone(),
            },
            ItemKind::Wrapper(_, field) => Shape::Wrapper(Box::new(self.field(field))),
            ItemKind::Enum(_) | ItemKind::Union(_) | ItemKind::Alias(_) | ItemKind::Pending => Shape::Simple,
        }
    }
}

fn occurs(occurs: Occurs) -> rt::Occurs {
    rt::Occurs { min: occurs.min, max: occurs.max.unwrap_or(u32::MAX) }
}
