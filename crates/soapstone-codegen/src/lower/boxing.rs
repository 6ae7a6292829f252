//! Recursion: what would contain itself without end is boxed, and nothing else.

use crate::program::{Field, ItemKind, Program};
use std::collections::BTreeSet;

/// Boxes the fields and variants by which an item would contain itself.
pub(super) fn box_recursion(program: &mut Program) {
    for index in 0..program.items.len() {
        let boxed: Vec<bool> = held(program, index)
            .iter()
            .map(|inner| inner.is_some_and(|inner| contains(program, inner, index)))
            .collect();
        if !boxed.contains(&true) {
            continue;
        }
        match &mut program.items[index].kind {
            ItemKind::Struct(inner) => mark(&mut inner.fields, &boxed),
            ItemKind::Group(fields) | ItemKind::Choice(fields) => mark(fields, &boxed),
            ItemKind::Poly(poly) => {
                poly.variants.iter_mut().zip(boxed).for_each(|(variant, boxed)| variant.boxed = boxed);
            }
            ItemKind::Wrapper(_, field) => field.boxed = boxed[0],
            _ => {}
        }
    }
}

fn mark(fields: &mut [Field], boxed: &[bool]) {
    fields.iter_mut().zip(boxed).for_each(|(field, boxed)| field.boxed = *boxed);
}

/// The item that each field or variant holds directly: without a `Vec` or a `Box` between.
fn held(program: &Program, item: usize) -> Vec<Option<usize>> {
    let of = |field: &Field| field.item().filter(|_| !field.repeats() && !field.boxed);
    match &program.items[item].kind {
        ItemKind::Struct(inner) => inner.fields.iter().map(of).collect(),
        ItemKind::Group(fields) | ItemKind::Choice(fields) => fields.iter().map(of).collect(),
        ItemKind::Poly(poly) => poly.variants.iter().map(|v| (!v.boxed).then_some(v.item)).collect(),
        ItemKind::Wrapper(_, field) => vec![of(field)],
        _ => Vec::new(),
    }
}

/// Whether a value of `from` holds one of `wanted`.
fn contains(program: &Program, from: usize, wanted: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(item) = open.pop() {
        if item == wanted {
            return true;
        }
        if seen.insert(item) {
            open.extend(held(program, item).into_iter().flatten());
        }
    }
    false
}
