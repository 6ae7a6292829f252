//! Samples of messages, in XML and in JSON, that the contract calls valid.

use crate::lower::{Field, FieldType, ItemKind, Kind, Program, Simple};
use serde_json::{Map, Value, json};
use soapstone_contract::model::Builtin;

/// How deep a sample goes where it could go on for ever.
const MAX_DEPTH: usize = 8;

/// The message of an item as XML, indented.
pub(crate) fn xml(program: &Program, item: usize) -> String {
    let mut out = String::new();
    let element = match &program.items[item].kind {
        ItemKind::Struct(inner) => inner.element.clone(),
        ItemKind::Wrapper(element, _) => Some(element.clone()),
        _ => None,
    };
    let Some(element) = element else { return out };
    let module = &program.modules[element.namespace];
    let tag = if module.namespace.is_empty() { element.local } else { format!("{}:{}", module.prefix, element.local) };
    let declarations: String = program
        .namespaces_of(item)
        .into_iter()
        .map(|used| &program.modules[used])
        .filter(|m| !m.namespace.is_empty())
        .map(|m| format!(" xmlns:{}=\"{}\"", m.prefix, m.namespace))
        .collect();
    Sampler { program }.element(&mut out, item, &tag, &declarations, 0);
    out
}

/// The message of an item as JSON.
pub(crate) fn json(program: &Program, item: usize) -> Value {
    Sampler { program }.json_item(item, 0)
}

struct Sampler<'a> {
    program: &'a Program,
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Sampler<'_> {
    fn tag(&self, field: &Field) -> String {
        match field.namespace {
            Some(ns) => format!("{}:{}", self.program.modules[ns].prefix, field.local),
            None => field.local.clone(),
        }
    }

    fn wanted(field: &Field, depth: usize) -> bool {
        field.occurs.min > 0 || depth < MAX_DEPTH
    }

    fn element(&self, out: &mut String, item: usize, tag: &str, declarations: &str, depth: usize) {
        let indent = "  ".repeat(depth);
        out.push_str(&format!("{indent}<{tag}{declarations}"));
        let fields: &[Field] = match &self.program.items[item].kind {
            ItemKind::Struct(inner) => &inner.fields,
            ItemKind::Wrapper(_, field) => {
                if let FieldType::Simple(simple) = &field.type_ {
                    out.push_str(&format!(">{}</{tag}>\n", escaped(&self.value(simple, &field.local))));
                    return;
                }
                if let FieldType::Item(target) = field.type_ {
                    let mut inner = String::new();
                    self.element(&mut inner, target, tag, declarations, depth);
                    out.truncate(out.len() - indent.len() - tag.len() - declarations.len() - 1);
                    out.push_str(&inner);
                }
                return;
            }
            _ => &[],
        };
        for field in fields.iter().filter(|f| f.kind == Kind::Attribute) {
            if let FieldType::Simple(simple) = &field.type_ {
                out.push_str(&format!(" {}=\"{}\"", self.tag(field), escaped(&self.value(simple, &field.local))));
            }
        }
        if let Some(text) = fields.iter().find(|f| f.kind == Kind::Text) {
            if let FieldType::Simple(simple) = &text.type_ {
                out.push_str(&format!(">{}</{tag}>\n", escaped(&self.value(simple, tag))));
            }
            return;
        }
        let mut content = String::new();
        for field in fields.iter().filter(|f| f.kind != Kind::Attribute && Self::wanted(f, depth)) {
            self.field(&mut content, field, depth + 1);
        }
        if content.is_empty() {
            out.push_str("/>\n");
        } else {
            out.push_str(&format!(">\n{content}{indent}</{tag}>\n"));
        }
    }

    fn field(&self, out: &mut String, field: &Field, depth: usize) {
        let tag = self.tag(field);
        match (&field.type_, field.kind) {
            (_, Kind::Any) => {}
            (FieldType::Item(choice), Kind::Choice) => {
                if let ItemKind::Choice(branches) = &self.program.items[*choice].kind
                    && let Some(first) = branches.first()
                {
                    self.field(out, first, depth);
                }
            }
            (FieldType::Item(item), _) => self.element(out, *item, &tag, "", depth),
            (FieldType::Simple(simple), _) => {
                let value = escaped(&self.value(simple, &field.local));
                out.push_str(&format!("{}<{tag}>{value}</{tag}>\n", "  ".repeat(depth)));
            }
            (FieldType::Fragment, _) => {}
        }
    }

    fn json_item(&self, item: usize, depth: usize) -> Value {
        match &self.program.items[item].kind {
            ItemKind::Struct(inner) => {
                let mut members = Map::new();
                for field in inner.fields.iter().filter(|f| Self::wanted(f, depth)) {
                    self.json_field(&mut members, field, depth);
                }
                Value::Object(members)
            }
            ItemKind::Wrapper(_, field) => self.json_value(field, depth),
            _ => Value::Null,
        }
    }

    fn json_field(&self, members: &mut Map<String, Value>, field: &Field, depth: usize) {
        if let (FieldType::Item(choice), Kind::Choice) = (&field.type_, field.kind) {
            let ItemKind::Choice(branches) = &self.program.items[*choice].kind else { return };
            let Some(first) = branches.first() else { return };
            if field.repeats() {
                let mut one = Map::new();
                self.json_field(&mut one, first, depth);
                members.insert(field.json.clone(), json!([one]));
            } else {
                self.json_field(members, first, depth);
            }
            return;
        }
        if field.kind == Kind::Any {
            return;
        }
        let value = self.json_value(field, depth);
        let value = if field.repeats() { json!([value]) } else { value };
        members.insert(field.json.clone(), value);
    }

    fn json_value(&self, field: &Field, depth: usize) -> Value {
        match &field.type_ {
            FieldType::Item(item) => self.json_item(*item, depth + 1),
            FieldType::Fragment => Value::String(String::new()),
            FieldType::Simple(simple) => {
                let text = self.value(simple, &field.local);
                match simple.rust {
                    _ if simple.item.is_some() || simple.list => Value::String(text),
                    "bool" => Value::Bool(text == "true"),
                    "String" | "rt::Decimal" | "rt::Integer" => Value::String(text),
                    rust if rust.starts_with("rt::") => Value::String(text),
                    _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                }
            }
        }
    }

    /// A value of the type that its facets allow; texts say what they stand for.
    fn value(&self, simple: &Simple, name: &str) -> String {
        if let Some(item) = simple.item
            && let ItemKind::Enum(variants) = &self.program.items[item].kind
        {
            return variants.first().map(|v| v.value.clone()).unwrap_or_default();
        }
        if let Some((value, _)) = simple.facets.enumeration.first() {
            return value.clone();
        }
        if let Some(pattern) = simple.patterns.last().and_then(|step| step.first()) {
            return Pattern::sample(pattern);
        }
        let facets = &simple.facets;
        let bound = facets.min_inclusive.as_ref().or(facets.max_inclusive.as_ref());
        match simple.rust {
            "bool" => "true".to_owned(),
            "String" => sized(simple, name),
            "f32" | "f64" => bound.cloned().unwrap_or_else(|| "1.5".to_owned()),
            "rt::Decimal" => match (bound.map(String::as_str), facets.fraction_digits) {
                (Some("0") | None, Some(0)) => "12".to_owned(),
                (Some("0") | None, _) => "12.50".to_owned(),
                (Some(bound), _) => bound.to_owned(),
            },
            "rt::DateTime" => "2026-11-30T12:00:00Z".to_owned(),
            "rt::Date" => "2026-11-30".to_owned(),
            "rt::Time" => "12:00:00".to_owned(),
            "rt::GYear" => "2026".to_owned(),
            "rt::GYearMonth" => "2026-11".to_owned(),
            "rt::GMonthDay" => "--11-30".to_owned(),
            "rt::GDay" => "---30".to_owned(),
            "rt::GMonth" => "--11".to_owned(),
            "rt::Duration" => "P1D".to_owned(),
            "rt::HexBinary" => "53".to_owned(),
            "rt::Base64Binary" => "U29hcHN0b25l".to_owned(),
            _ => match bound {
                Some(bound) => bound.clone(),
                None if matches!(simple.builtin, Builtin::NegativeInteger | Builtin::NonPositiveInteger) => {
                    "-1".to_owned()
                }
                None => "1".to_owned(),
            },
        }
    }
}

fn sized(simple: &Simple, name: &str) -> String {
    let name = name.rsplit(':').next().unwrap_or(name);
    let mut text = match simple.builtin {
        Builtin::AnyUri => "https://example.com/".to_owned(),
        Builtin::Language => "de".to_owned(),
        Builtin::Id | Builtin::IdRef | Builtin::NcName | Builtin::Name => name.replace(' ', "-"),
        _ => name.to_owned(),
    };
    let facets = &simple.facets;
    let most = facets.length.or(facets.max_length).unwrap_or(u64::MAX);
    let least = facets.length.or(facets.min_length).unwrap_or(0);
    text = text.chars().take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
    while (text.chars().count() as u64) < least.min(10_000) {
        text.push('x');
    }
    text
}

/// Finds a text that an XSD regular expression matches, for the expressions that schemas commonly have.
struct Pattern<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Pattern<'_> {
    fn sample(pattern: &str) -> String {
        Pattern { rest: pattern.chars().peekable() }.alternatives()
    }

    /// The first branch; the others are read past.
    fn alternatives(&mut self) -> String {
        let first = self.branch();
        while self.rest.peek() == Some(&'|') {
            self.rest.next();
            self.branch();
        }
        first
    }

    fn branch(&mut self) -> String {
        let mut out = String::new();
        while let Some(&c) = self.rest.peek() {
            if c == '|' || c == ')' {
                break;
            }
            self.rest.next();
            let atom = match c {
                '(' => {
                    let inner = self.alternatives();
                    self.rest.next();
                    inner
                }
                '[' => self.class().to_string(),
                '\\' => escape(self.rest.next().unwrap_or('\\')).to_string(),
                '.' => "x".to_owned(),
                other => other.to_string(),
            };
            let times = self.quantifier();
            for _ in 0..times {
                out.push_str(&atom);
            }
        }
        out
    }

    fn quantifier(&mut self) -> usize {
        match self.rest.peek() {
            Some('?' | '*') => {
                self.rest.next();
                0
            }
            Some('+') => {
                self.rest.next();
                1
            }
            Some('{') => {
                self.rest.next();
                let mut digits = String::new();
                let mut counting = true;
                for c in self.rest.by_ref() {
                    match c {
                        '}' => break,
                        ',' => counting = false,
                        digit if counting => digits.push(digit),
                        _ => {}
                    }
                }
                digits.parse().unwrap_or(1)
            }
            _ => 1,
        }
    }

    fn class(&mut self) -> char {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut first = None;
        let mut depth = 1;
        while let Some(c) = self.rest.next() {
            match c {
                '[' => depth += 1,
                ']' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                '\\' => {
                    let c = escape(self.rest.next().unwrap_or('\\'));
                    first.get_or_insert(c);
                }
                other => {
                    first.get_or_insert(other);
                }
            }
        }
        match first {
            Some(_) if negated => 'x',
            Some(c) => c,
            None => 'x',
        }
    }
}

fn escape(c: char) -> char {
    match c {
        'd' => '1',
        'w' | 'i' | 'c' | 'S' | 'D' => 'x',
        's' => ' ',
        'n' => '\n',
        't' => '\t',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_give_samples() {
        assert_eq!(Pattern::sample("[A-Z]{3}"), "AAA");
        assert_eq!(Pattern::sample("(CH|DE)-\\d{2,4}(x)?"), "CH-11");
        assert_eq!(Pattern::sample("[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*"), "aa");
    }
}
