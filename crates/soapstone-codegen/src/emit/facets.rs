//! Facets, patterns and type names: statics that the fields refer to.

use super::{Emitter, literal};
use crate::names::constant_name;
use crate::program::{Base, ElementName, Simple};
use soapstone_contract::model::{Facets, WhiteSpace};
use std::fmt::Write;

impl Emitter<'_> {
    /// An expression for the facets of a simple type, or nothing where there are none.
    pub(super) fn facets(&mut self, simple: &Simple, wanted: &str) -> Option<String> {
        if simple.is_plain() {
            return None;
        }
        if let Some((module, constant)) = &simple.named {
            return Some(format!("&{}", self.in_module(*module, constant)));
        }
        let collapsed = Facets { white_space: Some(WhiteSpace::Collapse), ..Facets::default() };
        if simple.facets == collapsed && simple.patterns.is_empty() && !matches!(simple.base, Base::List(_)) {
            return Some("&rt::Facets::COLLAPSED".to_owned());
        }
        let text = self.facets_text(simple, wanted);
        if let Some(known) = self.facets.get(&text) {
            return Some(format!("&{known}"));
        }
        let name = self.unused(&format!("{wanted}_FACETS"));
        let _ = writeln!(self.statics, "#[doc(hidden)] pub static {name}: rt::Facets = {text};");
        self.facets.insert(text, name.clone());
        Some(format!("&{name}"))
    }

    /// A name that no other static has.
    fn unused(&self, wanted: &str) -> String {
        let taken = |name: &str| {
            self.facets.values().chain(self.patterns.values()).chain(self.type_names.values()).any(|n| n == name)
        };
        let mut name = wanted.to_owned();
        let mut number = 2;
        while taken(&name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        name
    }

    fn pattern(&mut self, text: &str) -> String {
        if let Some(known) = self.patterns.get(text) {
            return known.clone();
        }
        let name = format!("PATTERN_{}", self.patterns.len() + 1);
        let _ = writeln!(self.statics, "static {name}: rt::Pattern = rt::Pattern::new({});", literal(text));
        self.patterns.insert(text.to_owned(), name.clone());
        name
    }

    /// A path to the static of a type's name.
    pub(super) fn type_name(&mut self, name: &ElementName) -> String {
        let text = format!(
            "rt::TypeName {{ namespace: {}, local: {}, tag: {} }}",
            self.namespace(Some(name.namespace)),
            literal(&name.local),
            literal(&self.program.tag(Some(name.namespace), &name.local)),
        );
        if let Some(known) = self.type_names.get(&text) {
            return known.clone();
        }
        let constant = self.unused(&format!("{}_TYPE", constant_name(&name.local)));
        let _ = writeln!(self.statics, "#[doc(hidden)] pub static {constant}: rt::TypeName = {text};");
        self.type_names.insert(text, constant.clone());
        constant
    }

    pub(super) fn facets_text(&mut self, simple: &Simple, wanted: &str) -> String {
        let facets = &simple.facets;
        let mut out = String::from("rt::Facets { ");
        let numbers = [
            ("length", facets.length),
            ("min_length", facets.min_length),
            ("max_length", facets.max_length),
            ("total_digits", facets.total_digits),
            ("fraction_digits", facets.fraction_digits),
        ];
        for (name, value) in numbers {
            if let Some(value) = value {
                let value = u32::try_from(value).unwrap_or(u32::MAX);
                let _ = write!(out, "{name}: Some({value}), ");
            }
        }
        let bounds = [
            ("min_inclusive", &facets.min_inclusive),
            ("max_inclusive", &facets.max_inclusive),
            ("min_exclusive", &facets.min_exclusive),
            ("max_exclusive", &facets.max_exclusive),
        ];
        for (name, value) in bounds {
            if let Some(value) = value {
                let _ = write!(out, "{name}: Some({}), ", literal(value));
            }
        }
        if !facets.enumeration.is_empty() {
            let values = facets.enumeration.iter().map(|(value, _)| literal(value)).collect::<Vec<_>>().join(", ");
            let _ = write!(out, "enumeration: &[{values}], ");
        }
        if !simple.patterns.is_empty() {
            let mut steps = Vec::new();
            for step in &simple.patterns {
                let alternatives: Vec<_> = step.iter().map(|p| format!("&{}", self.pattern(p))).collect();
                steps.push(format!("&[{}]", alternatives.join(", ")));
            }
            let _ = write!(out, "patterns: &[{}], ", steps.join(", "));
        }
        if let Some(white_space) = facets.white_space {
            let _ = write!(out, "white_space: Some(rt::WhiteSpace::{white_space:?}), ");
        }
        if let Base::List(item) = &simple.base
            && let Some(item) = self.facets(item, &format!("{wanted}_ITEM"))
        {
            let _ = write!(out, "item: Some({item}), ");
        }
        out.push_str("..rt::Facets::NONE }");
        out
    }
}
