//! From the cells of a record to the contract's members: by a profile, or by the native column names.

use super::{Change, Item};
use crate::domain::Issue;
use crate::exchange::Profile;
use crate::exchange::profile::{AttributeRule, CategoryRule, Condition, FieldRule, MediaRule, StockRule};
use csv::ByteRecord;
use serde_json::{Map, Value, json};
use soapstone_contracts::catalog as contract;
use soapstone_contracts::common::Text;
use soapstone_runtime::{Nillable, ReadError, ReadErrorKind};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Members of articles and categories that a column can fill, and what they are.
const ARTICLE_MEMBERS: &[(&str, Member)] = &[
    ("sku", Member::Plain),
    ("name", Member::Text),
    ("shortText", Member::Text),
    ("longText", Member::Text),
    ("category", Member::Categories),
    ("manufacturer", Member::Plain),
    ("manufacturerNumber", Member::Plain),
    ("gtin", Member::Plain),
    ("unit", Member::Plain),
    ("taxClass", Member::Plain),
    ("weight", Member::Number),
    ("listPrice", Member::Price),
    ("specialPrice", Member::Price),
    ("priceGroup", Member::Plain),
    ("discountGroup", Member::Plain),
    ("accountingGroup", Member::Plain),
    ("active", Member::Boolean),
    ("activeFrom", Member::Time),
    ("activeUntil", Member::Time),
    ("availability", Member::Plain),
    ("deliveryTime", Member::Plain),
    ("stock", Member::Stock),
    ("variantOf", Member::Plain),
    ("attribute", Member::Attribute),
    ("media", Member::Media),
    ("metaTitle", Member::Plain),
    ("metaKeywords", Member::Plain),
    ("metaDescription", Member::Plain),
];
const CATEGORY_MEMBERS: &[(&str, Member)] = &[
    ("id", Member::Plain),
    ("parent", Member::Plain),
    ("position", Member::Number),
    ("name", Member::Text),
    ("active", Member::Boolean),
    ("image", Member::Plain),
];

/// Native columns that say more of another one.
const COMPANIONS: &[&str] = &["currency", "gross", "specialFrom", "specialUntil"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Plain,
    Number,
    Boolean,
    Time,
    Text,
    Price,
    Categories,
    Stock,
    Attribute,
    Media,
}

/// What the source calls the contract's members.
#[derive(Clone, Debug)]
pub struct Columns(Arc<[(String, String)]>);

impl Columns {
    /// The column behind a member.
    pub fn name_of(&self, member: &str) -> Option<String> {
        let top = member.split('/').next().unwrap_or(member);
        let exact = self.0.iter().find(|(known, _)| known == member);
        exact.or_else(|| self.0.iter().find(|(known, _)| known == top)).map(|(_, column)| column.clone())
    }
}

struct Field {
    member: &'static str,
    kind: Member,
    rule: FieldRule,
    column: Option<usize>,
    currency: Option<usize>,
    from: Option<usize>,
    until: Option<usize>,
}

/// Where a variant belongs, as its parent tells.
struct VariantPlace {
    parent: String,
    values: Vec<(String, String)>,
}

/// A table's columns, tied to members.
pub struct Mapping {
    articles: bool,
    names: Vec<String>,
    profile: Profile,
    fields: Vec<Field>,
    columns: Columns,
    /// Variants by their key, once the table was surveyed.
    variants: HashMap<String, VariantPlace>,
    /// Categories that were handed out already.
    known_categories: BTreeSet<String>,
}

/// One record's cells, by name.
struct Cells<'a> {
    names: &'a [String],
    record: &'a ByteRecord,
}

impl<'a> Cells<'a> {
    fn at(&self, index: usize) -> Result<&'a str, Box<Issue>> {
        let bytes = self.record.get(index).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|e| {
            let name = self.names.get(index).map_or("", String::as_str);
            let text = format!("\"{name}\" is not valid UTF-8 from byte {} on", e.valid_up_to() + 1);
            Box::new(
                Issue::error("csv.encoding", text)
                    .of(name, &String::from_utf8_lossy(&bytes[..bytes.len().min(200)]))
                    .suggest("save the file in one encoding; name it in the profile if it is not UTF-8"),
            )
        })
    }

    fn named(&self, name: &str) -> Result<&'a str, Box<Issue>> {
        match self.names.iter().position(|n| n == name) {
            Some(index) => self.at(index),
            None => Ok(""),
        }
    }

    fn meets(&self, condition: Option<&Condition>) -> Result<bool, Box<Issue>> {
        match condition {
            Some(condition) => {
                let value = self.named(&condition.column)?;
                Ok(condition.is.iter().any(|wanted| wanted == value))
            }
            None => Ok(true),
        }
    }
}

impl Mapping {
    pub fn new(kind: &str, profile: Option<Profile>, names: &[String]) -> Result<Self, Box<Issue>> {
        let articles = kind != "categories";
        let members = if articles { ARTICLE_MEMBERS } else { CATEGORY_MEMBERS };
        if let Some(twice) = names.iter().enumerate().find(|(i, n)| !n.is_empty() && names[..*i].contains(n)) {
            let text = format!("the column \"{}\" stands twice in the header", twice.1);
            return Err(Box::new(Issue::error("csv.duplicate_column", text).suggest("remove or rename one of them")));
        }
        let profile = match profile {
            Some(profile) => profile,
            None => native(members, names)?,
        };
        let mapped = |name: &str| -> Result<usize, Box<Issue>> {
            names.iter().position(|n| n == name).ok_or_else(|| {
                let text = format!("the file has no column \"{name}\", which the profile wants");
                Box::new(
                    Issue::error("csv.missing_column", text)
                        .of(name, "")
                        .suggest(format!("add the column or change the profile; the file has {}", names.join(", "))),
                )
            })
        };
        let mut fields = Vec::new();
        let mut columns = Vec::new();
        for (name, rule) in &profile.fields {
            // `name[de]` is the member `name`.
            let plain = name.split('[').next().unwrap_or(name);
            let Some((member, kind)) = members.iter().find(|(known, _)| *known == plain) else {
                let known: Vec<_> = members.iter().map(|(known, _)| *known).collect();
                let text = format!("the profile fills \"{name}\", which there is not; there are {}", known.join(", "));
                return Err(Box::new(Issue::error("profile.unknown_member", text).suggest("correct the name")));
            };
            let optional = |name: &Option<String>| name.as_deref().map(mapped).transpose();
            let column = optional(&rule.column)?;
            let parts = [
                ("", &rule.column),
                ("/currency", &rule.currency_column),
                ("/from", &rule.from),
                ("/until", &rule.until),
            ];
            for (part, column) in parts {
                if let Some(column) = column {
                    columns.push((format!("{member}{part}"), column.clone()));
                }
            }
            fields.push(Field {
                member,
                kind: *kind,
                column,
                currency: optional(&rule.currency_column)?,
                from: optional(&rule.from)?,
                until: optional(&rule.until)?,
                rule: rule.clone(),
            });
        }
        let listed = profile
            .attributes
            .iter()
            .map(|r| ("attribute", &r.column))
            .chain(profile.stock.iter().map(|r| ("stock", &r.column)))
            .chain(profile.media.iter().map(|r| ("media", &r.column)))
            .chain(profile.categories.iter().map(|r| ("category", &r.column)))
            .chain(profile.variants.iter().map(|r| ("variantOf", &r.column)));
        for (member, column) in listed {
            mapped(column)?;
            columns.push((member.to_owned(), column.clone()));
        }
        let key = if articles { "sku" } else { "id" };
        if !fields.iter().any(|f| f.member == key) {
            let text = format!("no column gives the key \"{key}\"; the file has {}", names.join(", "));
            return Err(Box::new(
                Issue::error("csv.no_key", text)
                    .suggest(format!("name a column {key}, or use a profile that says which it is")),
            ));
        }
        Ok(Self {
            articles,
            names: names.to_vec(),
            profile,
            fields,
            columns: Columns(columns.into()),
            variants: HashMap::new(),
            known_categories: BTreeSet::new(),
        })
    }

    /// The name of a column by its place.
    pub fn column_name(&self, index: usize) -> String {
        self.names.get(index).cloned().unwrap_or_default()
    }

    /// Whether records tell of others, so that the table must be read once before.
    pub fn wants_survey(&self) -> bool {
        self.profile.variants.is_some()
    }

    /// Notes what a record tells of others.
    pub fn survey(&mut self, record: &ByteRecord) {
        let Some(rule) = self.profile.variants.clone() else { return };
        if record.len() != self.names.len() {
            return;
        }
        let cells = Cells { names: &self.names, record };
        let sku = self.fields.iter().find(|f| f.member == "sku").and_then(|f| f.column);
        let (Some(Ok(parent)), Ok(list)) = (sku.map(|i| cells.at(i)), cells.named(&rule.column)) else { return };
        if list.is_empty() || parent.is_empty() {
            return;
        }
        for variant in list.split(rule.between.as_str()) {
            let mut key = None;
            let mut values = Vec::new();
            for part in variant.split(rule.parts.as_str()) {
                match part.split_once(rule.pair.as_str()) {
                    Some((name, value)) if name.trim() == rule.key => key = Some(value.trim().to_owned()),
                    Some((name, value)) => values.push((name.trim().to_owned(), value.trim().to_owned())),
                    None => {}
                }
            }
            if let Some(key) = key {
                self.variants.insert(key, VariantPlace { parent: parent.to_owned(), values });
            }
        }
    }

    /// Maps a record.
    pub fn item(&mut self, record: &ByteRecord, number: i64, line: i64) -> Item {
        let mut categories = Vec::new();
        let names = std::mem::take(&mut self.names);
        let cells = Cells { names: &names, record };
        let change = self.change(&cells, &mut categories).map_err(|issue| vec![*issue]);
        let key_name = if self.articles { "sku" } else { "id" };
        let key_column = self.fields.iter().find(|f| f.member == key_name).and_then(|f| f.column);
        let key = key_column.and_then(|i| cells.at(i).ok()).filter(|k| !k.is_empty());
        let key = key.map(|k| k.chars().take(255).collect());
        self.names = names;
        Item { number, line: Some(line), column: None, key, change, categories, columns: Some(self.columns.clone()) }
    }

    fn change(&mut self, cells: &Cells<'_>, categories: &mut Vec<contract::Category>) -> Result<Change, Box<Issue>> {
        let mut members = Map::new();
        for field in &self.fields {
            if cells.meets(field.rule.when.as_ref())? {
                self.fill(field, cells, &mut members)?;
            }
        }
        let list = |members: &mut Map<String, Value>, name: &str, value: Value| {
            if let Some(list) = members.entry(name).or_insert_with(|| json!([])).as_array_mut() {
                list.push(value);
            }
        };
        for rule in &self.profile.stock {
            if let Some(stock) = self.stock(rule, cells)? {
                list(&mut members, "stock", stock);
            }
        }
        for rule in &self.profile.attributes {
            for (code, value) in attributes(rule, cells)? {
                list(&mut members, "attribute", json!({"code": code, "value": value}));
            }
        }
        let mut position = 0;
        for rule in &self.profile.media {
            for location in media(rule, cells)? {
                let role = rule.role.as_deref().unwrap_or("image");
                list(&mut members, "media", json!({"value": location, "role": role, "position": position}));
                position += 1;
            }
        }
        if let Some(rule) = self.profile.categories.clone() {
            for key in self.categories(&rule, cells, categories)? {
                list(&mut members, "category", json!(key));
            }
        }
        if let Some(rule) = &self.profile.variants {
            let own = cells.named(&rule.column)?;
            for axis in axes(own, rule) {
                list(&mut members, "variantAxis", json!(axis));
            }
            if let Some(place) = members.get("sku").and_then(Value::as_str).and_then(|sku| self.variants.get(sku)) {
                let values: Vec<Value> = place.values.iter().map(|(a, v)| json!({"axis": a, "value": v})).collect();
                members.insert("variantOf".to_owned(), json!(place.parent));
                members.insert("axisValue".to_owned(), Value::Array(values));
            }
        }
        let members = Value::Object(members);
        let read = |error: Box<ReadError>| self.issue(*error, cells);
        if self.articles {
            Ok(Change::Article(Box::new(soapstone_runtime::json::from_value(members).map_err(read)?)))
        } else {
            Ok(Change::Category(Box::new(soapstone_runtime::json::from_value(members).map_err(read)?)))
        }
    }

    fn fill(&self, field: &Field, cells: &Cells<'_>, members: &mut Map<String, Value>) -> Result<(), Box<Issue>> {
        let rule = &field.rule;
        let cell = match (field.column, &rule.constant) {
            (Some(column), _) => cells.at(column)?,
            (None, Some(constant)) => constant,
            (None, None) => "",
        };
        if cell.is_empty() {
            return Ok(());
        }
        let value = match &rule.lookup {
            None => cell,
            Some(lookup) => lookup.get(cell).ok_or_else(|| {
                let name = rule.column.as_deref().unwrap_or(field.member);
                let known: Vec<_> = lookup.keys().map(String::as_str).collect();
                Box::new(
                    Issue::error("csv.lookup", format!("\"{name}\" is \"{cell}\", which the profile does not know"))
                        .of(name, cell)
                        .suggest(format!("use one of {}, or add it to the profile", known.join(", "))),
                )
            })?,
        };
        let optional = |column: Option<usize>| column.map(|c| cells.at(c)).transpose();
        let member = field.member.to_owned();
        match field.kind {
            Member::Plain => {
                members.insert(member, json!(value));
            }
            Member::Boolean => {
                let value = match value.to_ascii_lowercase().as_str() {
                    "true" | "1" | "yes" | "ja" | "y" | "j" => "true".to_owned(),
                    "false" | "0" | "no" | "nein" | "n" => "false".to_owned(),
                    _ => value.to_owned(),
                };
                members.insert(member, json!(value));
            }
            Member::Number => {
                members.insert(member, json!(self.number(value)));
            }
            Member::Time => {
                members.insert(member, json!(time(value)));
            }
            Member::Text => {
                let mut text = json!({"value": value});
                if let Some(language) = &rule.language {
                    text["language"] = json!(language);
                }
                match members.entry(member).or_insert_with(|| json!([])) {
                    Value::Array(texts) => texts.push(text),
                    other => *other = json!([text]),
                }
            }
            Member::Price => {
                let mut price = json!({"value": self.number(value)});
                let currency = optional(field.currency)?.filter(|c| !c.is_empty()).or(rule.currency.as_deref());
                if let Some(currency) = currency {
                    price["currency"] = json!(currency);
                }
                if let Some(gross) = rule.gross {
                    price["gross"] = json!(gross);
                }
                for (name, column) in [("from", field.from), ("until", field.until)] {
                    if let Some(at) = optional(column)?.filter(|t| !t.is_empty()) {
                        price[name] = json!(time(at));
                    }
                }
                members.insert(member, price);
            }
            // These have rules of their own; the native columns are turned into them.
            Member::Categories | Member::Stock | Member::Attribute | Member::Media => {}
        }
        Ok(())
    }

    /// A number with a point.
    fn number(&self, text: &str) -> String {
        match self.profile.csv.decimal {
            Some(mark) if mark != '.' => text.replace(['.', '\'', ' '], "").replace(mark, "."),
            _ => text.to_owned(),
        }
    }

    fn stock(&self, rule: &StockRule, cells: &Cells<'_>) -> Result<Option<Value>, Box<Issue>> {
        let cell = cells.named(&rule.column)?;
        if cell.is_empty() || !cells.meets(rule.when.as_ref())? {
            return Ok(None);
        }
        let mut stock = json!({"value": self.number(cell)});
        if let Some(warehouse) = &rule.warehouse {
            stock["warehouse"] = json!(warehouse);
        }
        Ok(Some(stock))
    }

    /// The keys of a record's categories; those that are new to this file are handed out with their parents.
    fn categories(
        &mut self,
        rule: &CategoryRule,
        cells: &Cells<'_>,
        new: &mut Vec<contract::Category>,
    ) -> Result<Vec<String>, Box<Issue>> {
        let cell = cells.named(&rule.column)?;
        let paths: Vec<&str> = match &rule.between {
            Some(between) => cell.split(between.as_str()).collect(),
            None => vec![cell],
        };
        let mut keys: Vec<String> = Vec::new();
        for path in paths.into_iter().map(str::trim).filter(|p| !p.is_empty()) {
            let Some(levels) = &rule.levels else {
                keys.push(path.to_owned());
                continue;
            };
            let mut parent: Option<String> = None;
            for level in path.split(levels.as_str()).map(str::trim).filter(|l| !l.is_empty()) {
                if rule.skip.iter().any(|skip| skip == level) {
                    continue;
                }
                let slug = slug(level);
                let key = parent.as_ref().map_or_else(|| slug.clone(), |p| format!("{p}/{slug}"));
                if self.known_categories.insert(key.clone()) {
                    new.push(contract::Category {
                        id: key.clone(),
                        parent: parent.clone().map(Nillable::Value),
                        name: vec![Text { language: rule.language.clone(), value: level.to_owned() }],
                        ..contract::Category::default()
                    });
                }
                parent = Some(key);
            }
            keys.extend(parent);
        }
        Ok(keys)
    }

    /// What the contract has against a member, told by the column that filled it and its cell as given.
    fn issue(&self, error: ReadError, cells: &Cells<'_>) -> Box<Issue> {
        let path = error.path.trim_start_matches('/');
        let member = if path.is_empty() { error.field.as_deref().unwrap_or("") } else { path };
        let column = self.columns.name_of(member).unwrap_or_else(|| member.to_owned());
        let text = match &error.field {
            _ if error.kind == ReadErrorKind::Missing => {
                format!("\"{column}\" is empty, but no record can do without it")
            }
            Some(field) => error.message.replacen(&format!("\"{field}\""), &format!("\"{column}\""), 1),
            None => error.message.clone(),
        };
        let is_list = error.path.bytes().any(|b| b.is_ascii_digit());
        let value = match cells.named(&column) {
            Ok(cell) if !is_list && !cell.is_empty() => cell.to_owned(),
            _ => error.value.unwrap_or_default(),
        };
        let code = match error.kind {
            ReadErrorKind::Missing => "csv.missing",
            ReadErrorKind::Facet => "csv.facet",
            _ => "csv.type",
        };
        Box::new(
            Issue::error(code, text).of(&column, &value).suggest(format!("correct the cell of the column {column}")),
        )
    }
}

/// A profile for columns that are named as the contract's members.
fn native(members: &[(&'static str, Member)], names: &[String]) -> Result<Profile, Box<Issue>> {
    let mut profile = Profile::default();
    let has = |name: &str| names.iter().find(|n| n.eq_ignore_ascii_case(name)).cloned();
    for column in names.iter().filter(|n| !n.is_empty()) {
        let (name, argument) = match column.split_once('[') {
            Some((name, rest)) => (name.trim(), Some(rest.trim_end_matches(']').trim().to_owned())),
            None => (column.as_str(), None),
        };
        if COMPANIONS.iter().any(|c| c.eq_ignore_ascii_case(name)) {
            continue;
        }
        let Some((member, kind)) = members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
            let known: Vec<_> = members.iter().map(|(known, _)| *known).chain(COMPANIONS.iter().copied()).collect();
            let text = format!("the column \"{column}\" is not known; known are {}", known.join(", "));
            return Err(Box::new(
                Issue::error("csv.unknown_column", text)
                    .of(column, "")
                    .suggest("rename or remove the column, or use a profile (--profile)"),
            ));
        };
        let list = Some("|".to_owned());
        match kind {
            Member::Categories => {
                profile.categories = Some(CategoryRule {
                    column: column.clone(),
                    between: list,
                    levels: None,
                    skip: Vec::new(),
                    language: None,
                });
            }
            Member::Stock => profile.stock.push(StockRule { column: column.clone(), warehouse: argument, when: None }),
            Member::Attribute => profile.attributes.push(AttributeRule {
                column: column.clone(),
                pair: argument.is_none().then(|| "=".to_owned()),
                between: argument.is_none().then(|| "|".to_owned()),
                code: argument,
                skip: Vec::new(),
                when: None,
            }),
            Member::Media => profile.media.push(MediaRule { column: column.clone(), between: list, role: argument }),
            _ => {
                let mut rule = FieldRule { column: Some(column.clone()), ..FieldRule::default() };
                if *kind == Member::Price {
                    rule.currency_column = has("currency");
                }
                if *member == "specialPrice" {
                    rule.from = has("specialFrom");
                    rule.until = has("specialUntil");
                }
                let key = match argument {
                    Some(language) => {
                        let key = format!("{member}[{language}]");
                        rule.language = Some(language);
                        key
                    }
                    None => (*member).to_owned(),
                };
                profile.fields.insert(key, rule);
            }
        }
    }
    Ok(profile)
}

fn attributes(rule: &AttributeRule, cells: &Cells<'_>) -> Result<Vec<(String, String)>, Box<Issue>> {
    let cell = cells.named(&rule.column)?;
    if cell.is_empty() || !cells.meets(rule.when.as_ref())? {
        return Ok(Vec::new());
    }
    if let Some(code) = &rule.code {
        return Ok(vec![(code.clone(), cell.to_owned())]);
    }
    let pair = rule.pair.as_deref().unwrap_or("=");
    let mut found: Vec<(String, String)> = Vec::new();
    for part in cell.split(rule.between.as_deref().unwrap_or(",")) {
        match (part.split_once(pair), found.last_mut()) {
            (Some((code, value)), _) => found.push((code.trim().to_owned(), value.to_owned())),
            // The separator was part of the value.
            (None, Some((_, value))) => {
                value.push_str(rule.between.as_deref().unwrap_or(","));
                value.push_str(part);
            }
            (None, None) => {
                let text = format!("\"{}\" has \"{part}\" where code{pair}value is expected", rule.column);
                return Err(Box::new(
                    Issue::error("csv.pair", text).of(&rule.column, cell).suggest("correct the list"),
                ));
            }
        }
    }
    found.retain(|(code, _)| !rule.skip.contains(code));
    Ok(found)
}

fn media(rule: &MediaRule, cells: &Cells<'_>) -> Result<Vec<String>, Box<Issue>> {
    let cell = cells.named(&rule.column)?;
    let parts: Vec<&str> = match &rule.between {
        Some(between) => cell.split(between.as_str()).collect(),
        None => vec![cell],
    };
    Ok(parts.into_iter().map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect())
}

/// The axes that a parent's variants have, in the order of the first.
fn axes(cell: &str, rule: &crate::exchange::profile::VariantRule) -> Vec<String> {
    let first = cell.split(rule.between.as_str()).next().unwrap_or("");
    first
        .split(rule.parts.as_str())
        .filter_map(|part| part.split_once(rule.pair.as_str()))
        .map(|(name, _)| name.trim().to_owned())
        .filter(|name| *name != rule.key)
        .collect()
}

/// `2026-11-30 12:00:00` and `2026-11-30` as XML Schema writes them.
fn time(text: &str) -> String {
    let text = text.trim();
    match (text.len(), text.as_bytes().get(10)) {
        (10, _) => format!("{text}T00:00:00"),
        (_, Some(b' ')) => text.replacen(' ', "T", 1),
        _ => text.to_owned(),
    }
}

/// A name as a part of a key: `Hoodies & Sweatshirts` as `hoodies-sweatshirts`.
fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    let slug = out.trim_end_matches('-');
    if slug.is_empty() { "_".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        assert_eq!(slug("Hoodies & Sweatshirts"), "hoodies-sweatshirts");
        assert_eq!(slug("Größe"), "größe");
        assert_eq!(slug("&"), "_");
    }

    #[test]
    fn times_without_a_t_are_read() {
        assert_eq!(time("2026-11-30 12:00:00"), "2026-11-30T12:00:00");
        assert_eq!(time("2026-11-30"), "2026-11-30T00:00:00");
        assert_eq!(time("2026-11-30T12:00:00Z"), "2026-11-30T12:00:00Z");
    }
}
