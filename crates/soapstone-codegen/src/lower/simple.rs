//! Simple types: down to what is built in, with all facets gathered on the way.

use super::{Lowerer, MAX_DEPTH};
use crate::names::{Unique, constant_name, type_name};
use crate::program::{Base, ItemKind, Simple, Variant};
use soapstone_contract::model::{Builtin, Facets, SimpleType, Type, TypeRef, Variety, WhiteSpace};

impl Lowerer<'_> {
    pub(super) fn fill_simple(&mut self, index: usize, simple: &SimpleType) {
        let module = self.program.items[index].module;
        if let Some(variants) = self.enumeration(simple) {
            self.program.items[index].kind = ItemKind::Enum(variants);
            return;
        }
        let name = self.program.items[index].name.clone();
        if let Variety::Union(members) = &simple.variety {
            let kind = self.union(members, module, &name);
            self.program.items[index].kind = kind;
            return;
        }
        let mut info = self.simple_type(simple, module, &name);
        info.named = (!info.is_plain()).then(|| (module, format!("FACETS_OF_{}", constant_name(&name))));
        self.program.items[index].kind = ItemKind::Alias(info);
    }

    /// The values, if the type is an enumeration of texts.
    fn enumeration(&self, simple: &SimpleType) -> Option<Vec<Variant>> {
        let Variety::Restriction(base) = &simple.variety else { return None };
        if simple.facets.enumeration.is_empty() || !self.is_text(base, 0) {
            return None;
        }
        let mut names = Unique::default();
        let mut variants: Vec<Variant> = Vec::new();
        for (value, doc) in &simple.facets.enumeration {
            // A text's white space is collapsed before it is compared.
            let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            if variants.iter().any(|v| v.value == value) {
                continue;
            }
            let wanted = if value.is_empty() { "Empty".to_owned() } else { type_name(&value) };
            variants.push(Variant { name: names.take(wanted), value, doc: doc.clone() });
        }
        Some(variants)
    }

    /// Whether a type is a text without an enumeration of its own.
    fn is_text(&self, base: &TypeRef, depth: u32) -> bool {
        let restriction = |simple: &SimpleType| match &simple.variety {
            Variety::Restriction(base) if simple.facets.enumeration.is_empty() => self.is_text(base, depth + 1),
            _ => false,
        };
        match base {
            _ if depth > MAX_DEPTH => false,
            TypeRef::Builtin(builtin) => {
                rust_of(*builtin) == "String" && !matches!(builtin, Builtin::AnyType | Builtin::AnySimpleType)
            }
            TypeRef::Named(name) => match self.set.types.get(name) {
                Some(Type::Simple(simple)) => restriction(simple),
                _ => crate::encoding::builtin(name).is_some_and(|builtin| rust_of(builtin) == "String"),
            },
            TypeRef::Anonymous(type_) => match &**type_ {
                Type::Simple(simple) => restriction(simple),
                Type::Complex(_) => false,
            },
        }
    }

    /// A simple type with all its facets; `parent` names what an anonymous one needs.
    pub(super) fn simple(&mut self, type_: &TypeRef, module: usize, parent: &str) -> Simple {
        if self.depth > MAX_DEPTH {
            return Simple::builtin(Builtin::String);
        }
        self.depth += 1;
        let simple = match type_ {
            TypeRef::Builtin(builtin) => Simple::builtin(*builtin),
            TypeRef::Named(name) => match self.by_type.get(name).copied() {
                Some(index) => {
                    self.fill_type(name, index);
                    match &self.program.items[index].kind {
                        ItemKind::Alias(simple) => simple.clone(),
                        ItemKind::Enum(_) | ItemKind::Union(_) => Simple::item(index),
                        _ => Simple::builtin(Builtin::String),
                    }
                }
                None => Simple::builtin(crate::encoding::builtin(name).unwrap_or(Builtin::String)),
            },
            TypeRef::Anonymous(type_) => match &**type_ {
                Type::Simple(simple) => self.anonymous_simple(simple, module, parent),
                Type::Complex(_) => Simple::builtin(Builtin::String),
            },
        };
        self.depth -= 1;
        simple
    }

    fn anonymous_simple(&mut self, simple: &SimpleType, module: usize, parent: &str) -> Simple {
        if let Some(variants) = self.enumeration(simple) {
            let kind = ItemKind::Enum(variants);
            return Simple::item(self.add_item(module, parent, parent, simple.documentation.clone(), kind));
        }
        if let Variety::Union(members) = &simple.variety {
            let index = self.add_item(module, parent, parent, simple.documentation.clone(), ItemKind::Pending);
            let kind = self.union(members, module, parent);
            self.program.items[index].kind = kind;
            return Simple::item(index);
        }
        self.simple_type(simple, module, parent)
    }

    fn simple_type(&mut self, simple: &SimpleType, module: usize, parent: &str) -> Simple {
        match &simple.variety {
            Variety::Restriction(base) => {
                let mut info = self.simple(base, module, &format!("{parent} base"));
                info.restrict(&simple.facets);
                info
            }
            Variety::List(item) => {
                let item = self.simple(item, module, &format!("{parent} item"));
                Simple::list(item)
            }
            Variety::Union(_) => Simple::builtin(Builtin::String),
        }
    }

    fn union(&mut self, members: &[TypeRef], module: usize, parent: &str) -> ItemKind {
        let mut names = Unique::default();
        let mut variants = Vec::new();
        for (number, member) in members.iter().enumerate() {
            let wanted = match member {
                TypeRef::Builtin(builtin) => type_name(builtin.name()),
                TypeRef::Named(name) => type_name(&name.local),
                TypeRef::Anonymous(_) => format!("Member{}", number + 1),
            };
            let simple = self.simple(member, module, &format!("{parent} {wanted}"));
            variants.push((names.take(wanted), simple));
        }
        if variants.is_empty() {
            return ItemKind::Alias(Simple::builtin(Builtin::String));
        }
        ItemKind::Union(variants)
    }
}

impl Simple {
    pub fn builtin(builtin: Builtin) -> Self {
        let item = match builtin {
            Builtin::NmTokens => Some(Builtin::NmToken),
            Builtin::IdRefs => Some(Builtin::IdRef),
            Builtin::Entities => Some(Builtin::Entity),
            _ => None,
        };
        if let Some(item) = item {
            let mut list = Self::list(Self::builtin(item));
            list.facets.min_length = Some(1);
            return Self { builtin, ..list };
        }
        let mut simple = Self {
            base: Base::Rust(rust_of(builtin)),
            builtin,
            facets: Facets::default(),
            patterns: Vec::new(),
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
            _ if rust_of(builtin) == "String" => facets.white_space = Some(WhiteSpace::Collapse),
            _ => {}
        }
        let pattern = match builtin {
            Builtin::Language => Some("[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"),
            Builtin::NmToken => Some("\\c+"),
            Builtin::Name => Some("\\i\\c*"),
            Builtin::NcName | Builtin::Id | Builtin::IdRef | Builtin::Entity => Some("[\\i-[:]][\\c-[:]]*"),
            _ => None,
        };
        if let Some(pattern) = pattern {
            simple.patterns.push(vec![pattern.to_owned()]);
        }
        simple
    }

    /// A generated enumeration or union, which knows its values.
    fn item(item: usize) -> Self {
        Self {
            base: Base::Item(item),
            builtin: Builtin::Token,
            facets: Facets::default(),
            patterns: Vec::new(),
            named: None,
        }
    }

    fn list(item: Self) -> Self {
        let builtin = item.builtin;
        Self { base: Base::List(Box::new(item)), builtin, facets: Facets::default(), patterns: Vec::new(), named: None }
    }

    /// Whether there is no facet at all.
    pub fn is_plain(&self) -> bool {
        let item_is_plain = match &self.base {
            Base::List(item) => item.is_plain(),
            _ => true,
        };
        item_is_plain && self.facets == Facets::default() && self.patterns.is_empty()
    }

    pub(super) fn restrict(&mut self, facets: &Facets) {
        if *facets == Facets::default() {
            return;
        }
        self.named = None;
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
            if let Some(given) = given {
                *own = Some(given.trim().to_owned());
            }
        }
    }

    /// The Rust type of the runtime, if it is that of a built-in type.
    pub fn rust(&self) -> Option<&'static str> {
        match self.base {
            Base::Rust(rust) => Some(rust),
            _ => None,
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
        Builtin::QName | Builtin::Notation => "rt::QName",
        _ => "String",
    }
}
