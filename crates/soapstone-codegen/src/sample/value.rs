//! Values that their facets allow; texts say what they stand for.

use super::Sampler;
use super::pattern::Pattern;
use crate::program::{Base, Field, ItemKind, Simple};
use serde_json::Value;
use soapstone_contract::model::Builtin;

/// A name whose prefix is declared everywhere.
const QNAME: &str = "xml:lang";

/// Whether a value would have to name another place of the document.
pub(super) fn is_reference(simple: &Simple) -> bool {
    matches!(simple.builtin, Builtin::IdRef | Builtin::IdRefs | Builtin::Entity | Builtin::Entities | Builtin::Notation)
}

/// A text as JSON has it.
fn json_of(simple: &Simple, text: &str) -> Value {
    if let Base::List(item) = &simple.base {
        return text.split_ascii_whitespace().map(|text| json_of(item, text)).collect();
    }
    match simple.rust() {
        Some("bool") => Value::Bool(matches!(text, "true" | "1")),
        Some("String") | None => Value::String(text.to_owned()),
        Some("rt::QName") if text == QNAME => Value::String("{http://www.w3.org/XML/1998/namespace}lang".to_owned()),
        Some(rust) if rust.starts_with("rt::") => Value::String(text.to_owned()),
        // A number that is exact in every reader of JSON.
        Some(_) => match text.trim_start_matches('+').parse::<i64>() {
            Ok(number) if number.unsigned_abs() <= 1 << 53 => Value::from(number),
            _ => serde_json::from_str(text)
                .ok()
                .filter(|v: &Value| v.is_number() && text.contains('.'))
                .unwrap_or_else(|| Value::String(text.to_owned())),
        },
    }
}

impl Sampler<'_> {
    pub(super) fn simple(&mut self, simple: &Simple, field: &Field) -> (String, Value) {
        let text = match field.fixed.as_ref().or(field.default.as_ref()) {
            Some(value) => value.clone(),
            None => self.value(simple, &field.local),
        };
        let json = json_of(simple, &text);
        (text, json)
    }

    fn value(&mut self, simple: &Simple, name: &str) -> String {
        if let Some((value, _)) = simple.facets.enumeration.first() {
            return value.clone();
        }
        let program = self.program;
        match &simple.base {
            Base::Item(item) => match &program.items[*item].kind {
                ItemKind::Enum(variants) => variants.first().map(|v| v.value.clone()).unwrap_or_default(),
                ItemKind::Union(members) => {
                    members.first().map(|(_, member)| self.value(member, name)).unwrap_or_default()
                }
                _ => String::new(),
            },
            Base::List(item) => {
                let facets = &simple.facets;
                let count = facets.length.or(facets.min_length).unwrap_or(1).clamp(0, 100);
                (0..count).map(|_| self.value(item, name)).collect::<Vec<_>>().join(" ")
            }
            Base::Rust(rust) => self.plain(simple, rust, name),
        }
    }

    fn plain(&mut self, simple: &Simple, rust: &str, name: &str) -> String {
        let own_pattern = simple.patterns.last().and_then(|step| step.first());
        // What a built-in type's own pattern asks is seen to below.
        if let Some(pattern) = own_pattern
            && !(simple.patterns.len() == 1 && Simple::builtin(simple.builtin).patterns == simple.patterns)
        {
            let text = Pattern::sample(pattern);
            return if rust == "String" { padded(simple, text) } else { text };
        }
        let facets = &simple.facets;
        let inclusive = facets.min_inclusive.as_ref().or(facets.max_inclusive.as_ref());
        let beyond = |bound: &str, step: i64| bound.parse::<i64>().ok().map(|n| (n + step).to_string());
        let bound = inclusive.cloned().or_else(|| {
            let above = facets.min_exclusive.as_deref().and_then(|b| beyond(b, 1));
            above.or_else(|| facets.max_exclusive.as_deref().and_then(|b| beyond(b, -1)))
        });
        let or = |text: &str| bound.clone().unwrap_or_else(|| text.to_owned());
        match rust {
            "bool" => "true".to_owned(),
            "String" => self.text(simple, name),
            "f32" | "f64" => or("1.5"),
            "rt::Decimal" => match (bound.as_deref(), facets.fraction_digits, facets.total_digits) {
                (Some("0") | None, Some(0), Some(1)) => "1".to_owned(),
                (Some("0") | None, Some(0), _) => "12".to_owned(),
                (Some("0") | None, _, Some(1..=3)) => "1".to_owned(),
                (Some("0") | None, Some(1), _) => "12.5".to_owned(),
                (Some("0") | None, ..) => "12.50".to_owned(),
                (Some(bound), ..) => bound.to_owned(),
            },
            "rt::DateTime" => or("2026-11-30T12:00:00Z"),
            "rt::Date" => or("2026-11-30"),
            "rt::Time" => or("12:00:00"),
            "rt::GYear" => or("2026"),
            "rt::GYearMonth" => or("2026-11"),
            "rt::GMonthDay" => or("--11-30"),
            "rt::GDay" => or("---30"),
            "rt::GMonth" => or("--11"),
            "rt::Duration" => or("P1D"),
            "rt::HexBinary" => "53".repeat(octets(simple, 1)),
            "rt::Base64Binary" => base64(octets(simple, 9)),
            "rt::QName" => QNAME.to_owned(),
            _ => match bound {
                Some(bound) => bound,
                None if matches!(simple.builtin, Builtin::NegativeInteger | Builtin::NonPositiveInteger) => {
                    "-1".to_owned()
                }
                None => "1".to_owned(),
            },
        }
    }

    fn text(&mut self, simple: &Simple, name: &str) -> String {
        let named: String =
            name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
        let text = match simple.builtin {
            Builtin::AnyUri => "https://example.com/".to_owned(),
            Builtin::Language => "de".to_owned(),
            Builtin::Id => {
                self.ids += 1;
                format!("id{}", self.ids)
            }
            Builtin::IdRef => format!("id{}", self.ids.max(1)),
            _ => named,
        };
        padded(simple, text)
    }
}

fn octets(simple: &Simple, usual: u64) -> usize {
    let facets = &simple.facets;
    let wanted = facets
        .length
        .unwrap_or_else(|| usual.max(facets.min_length.unwrap_or(0)).min(facets.max_length.unwrap_or(u64::MAX)));
    usize::try_from(wanted.min(10_000)).unwrap_or(0)
}

/// The base64 of that many octets: `S` without end.
fn base64(octets: usize) -> String {
    let mut out = "U1NT".repeat(octets / 3);
    out.push_str(match octets % 3 {
        1 => "Uw==",
        2 => "U1M=",
        _ => "",
    });
    out
}

/// A text of a length that the facets allow.
fn padded(simple: &Simple, text: String) -> String {
    let facets = &simple.facets;
    let most = facets.length.or(facets.max_length).unwrap_or(u64::MAX);
    let least = facets.length.or(facets.min_length).unwrap_or(0);
    let mut text: String = text.chars().take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
    let missing = least.min(10_000).saturating_sub(text.chars().count() as u64);
    let last = text.chars().next_back().filter(|c| c.is_alphanumeric()).unwrap_or('x');
    text.extend(std::iter::repeat_n(last, usize::try_from(missing).unwrap_or(0)));
    text
}
