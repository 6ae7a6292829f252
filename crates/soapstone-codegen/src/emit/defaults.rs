//! Which types can derive `Default`: those without a required field of a type that has none.

use crate::program::{Base, Field, FieldType, ItemKind, Program, Simple};

/// For each item, whether it has a default.
pub(super) fn with_default(program: &Program) -> Vec<bool> {
    let mut defaults: Vec<bool> =
        program.items.iter().map(|item| matches!(item.kind, ItemKind::Struct(_) | ItemKind::Group(_))).collect();
    // What needs a type without a default has none either, until nothing changes.
    loop {
        let mut changed = false;
        for item in 0..program.items.len() {
            if defaults[item] && !program.fields(item).iter().all(|field| has_default(field, &defaults)) {
                defaults[item] = false;
                changed = true;
            }
        }
        if !changed {
            return defaults;
        }
    }
}

fn has_default(field: &Field, defaults: &[bool]) -> bool {
    field.optional()
        || field.repeats()
        || field.nillable
        || match &field.type_ {
            FieldType::Simple(simple) => simple_has_default(simple),
            FieldType::Item(item) => defaults[*item],
            FieldType::Fragment | FieldType::AnyValue | FieldType::AnyAttributes => true,
        }
}

fn simple_has_default(simple: &Simple) -> bool {
    const WITH_DEFAULT: &[&str] = &["rt::Decimal", "rt::Integer", "rt::Base64Binary", "rt::HexBinary", "rt::QName"];
    match simple.base {
        Base::List(_) => true,
        Base::Item(_) => false,
        Base::Rust(rust) => !rust.starts_with("rt::") || WITH_DEFAULT.contains(&rust),
    }
}
