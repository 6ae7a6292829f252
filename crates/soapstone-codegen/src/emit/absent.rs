//! What is meant where an attribute with a default is absent: a method beside its field.

use super::{Emitter, doc, literal};
use crate::program::{Base, Field, FieldType, ItemKind, Kind, Simple};
use std::fmt::Write;

impl Emitter<'_> {
    pub(super) fn default_accessors(&self, out: &mut String, fields: &[Field]) {
        for field in fields.iter().filter(|f| f.kind == Kind::Attribute && f.optional()) {
            let (Some(text), FieldType::Simple(simple)) = (&field.default, &field.type_) else { continue };
            let Some((value, is_copy)) = self.expression(simple, text) else { continue };
            let bare = field.name.trim_start_matches("r#");
            let method = format!("{bare}_or_default");
            if fields.iter().any(|f| f.name == method) {
                continue;
            }
            doc(out, Some(&format!("[`{bare}`](Self::{bare}), or `{text}` where it is absent.")), "");
            let given = if is_copy {
                format!("self.{}.unwrap_or({value})", field.name)
            } else {
                format!("self.{}.clone().unwrap_or_else(|| {value})", field.name)
            };
            let _ = writeln!(out, "pub fn {method}(&self) -> {} {{ {given} }}", self.simple_type(simple));
        }
    }

    /// A value as Rust has it, and whether its type is `Copy`; None: not without reading it first.
    fn expression(&self, simple: &Simple, text: &str) -> Option<(String, bool)> {
        let text = text.trim();
        match &simple.base {
            Base::Item(item) => match &self.program.items[*item].kind {
                ItemKind::Enum(variants) => {
                    let variant = variants.iter().find(|variant| variant.value == text)?;
                    Some((format!("{}::{}", self.path(*item), variant.name), true))
                }
                ItemKind::Alias(inner) => self.expression(inner, text),
                _ => None,
            },
            Base::Rust("String") => Some((format!("{}.to_owned()", literal(text)), false)),
            Base::Rust("bool") => match text {
                "true" | "1" => Some(("true".to_owned(), true)),
                "false" | "0" => Some(("false".to_owned(), true)),
                _ => None,
            },
            Base::Rust(rust @ ("i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64")) => {
                let number: i128 = text.parse().ok()?;
                let bits: u32 = rust[1..].parse().ok()?;
                let (least, most) = if rust.starts_with('i') {
                    (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
                } else {
                    (0, (1_i128 << bits) - 1)
                };
                (least..=most).contains(&number).then(|| (number.to_string(), true))
            }
            Base::Rust("rt::Decimal") => {
                text.parse::<i64>().ok().map(|number| (format!("rt::Decimal::from({number}_i64)"), false))
            }
            Base::Rust(_) | Base::List(_) => None,
        }
    }
}
