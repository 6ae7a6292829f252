//! From the cells of a record to the contract's members: by a profile, or by the native column names.

use super::Along;
use super::Item;
use super::cells::{self, Cells};
use super::columns::{BETWEEN, NoPath, Path, Plain, Shape};
use crate::domain::Issue;
use crate::exchange::kinds::{Batch, Kind};
use crate::exchange::profile::{
    AttributeRule, CategoryRule, Condition, FieldRule, MediaRule, Part, Profile, StockRule, VariantRule, template,
};
use csv::ByteRecord;
use serde_json::{Map, Value, json};
use soapstone_contracts::catalog as contract;
use soapstone_contracts::common::Text;
use soapstone_runtime::{Nillable, ReadError, ReadErrorKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// Columns that say more of each price, where the record itself has no such member.
const COMPANIONS: &[&str] = &["currency", "gross", "specialFrom", "specialUntil"];

/// How many variants are remembered while a table is read, and of how many bytes.
const MAX_VARIANTS: usize = 1_000_000;
const MAX_SURVEYED: usize = 128 << 20;

/// How many items a cell may list, and how many levels a category's path may have: each item becomes much more than its text.
const MAX_ITEMS: usize = 50_000;
const MAX_LEVELS: usize = 100;

/// How many categories are remembered as handed out: then all may be handed out once more.
const MAX_KNOWN_CATEGORIES: usize = 200_000;

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

/// What a cell is put into.
struct Field {
    path: Path,
    source: Source,
    lookup: Option<BTreeMap<String, String>>,
    /// Between several values.
    split: Option<String>,
    when: Option<Condition>,
    /// It counts only if this cell says something.
    beside: Option<usize>,
}

enum Source {
    Column(usize),
    Constant(String),
    /// Texts, and columns by their places.
    Template(Vec<Result<usize, String>>),
}

/// Where a variant belongs, as its parent tells.
struct VariantPlace {
    parent: String,
    values: Vec<(String, String)>,
}

/// A table's columns, tied to members.
pub struct Mapping {
    names: Vec<String>,
    profile: Profile,
    fields: Vec<Field>,
    columns: Columns,
    /// The column of the key.
    key: Option<usize>,
    /// Of decimals.
    mark: char,
    /// Variants by their key, once the table was surveyed.
    variants: HashMap<String, VariantPlace>,
    /// Bytes that they were told in.
    surveyed: usize,
    /// Categories that were handed out already.
    known_categories: BTreeSet<String>,
}

/// Ties columns to members.
struct Tying<'a> {
    shape: Shape,
    names: &'a [String],
    fields: Vec<Field>,
    columns: Vec<(String, String)>,
}

impl Tying<'_> {
    /// The place of a column.
    fn column(&self, name: &str) -> Result<usize, Box<Issue>> {
        self.names.iter().position(|n| n == name).ok_or_else(|| {
            let text = format!("the file has no column \"{name}\", which the profile wants");
            let has = self.names.join(", ");
            let issue = Issue::error("csv.missing_column", text).of(name, "");
            Box::new(issue.suggest(format!("add the column or change the profile; the file has {has}")))
        })
    }

    /// Whether the file lacks a column that a rule cannot do without, and may lack it.
    fn is_lacking(&self, rule: &FieldRule, profile: &Profile) -> bool {
        let lacks = |column: &str| !self.names.iter().any(|name| name == column);
        profile.optional_columns && rule.column.as_deref().is_some_and(lacks)
    }

    /// Ties a member to the columns of a template.
    fn template(&mut self, name: &str, rule: &FieldRule, text: &str, is_optional: bool) -> Result<(), Box<Issue>> {
        let parts = template(text).unwrap_or_default();
        let mut pieces = Vec::new();
        let mut first = None;
        for part in parts {
            pieces.push(match part {
                Part::Text(text) => Err(text),
                // What a file may lack is as if its cells were empty.
                Part::Column(column) if is_optional && !self.names.contains(&column) => Err(String::new()),
                Part::Column(column) => {
                    let place = self.column(&column)?;
                    first.get_or_insert(column);
                    Ok(place)
                }
            });
        }
        self.tie(name, None, Some(""), rule, None)?;
        if let Some(field) = self.fields.last_mut() {
            let member = field.path.member();
            field.source = Source::Template(pieces);
            self.columns.extend(first.map(|column| (member, column)));
        }
        Ok(())
    }

    /// Ties a member to the column or constant of a rule.
    fn rule(&mut self, name: &str, rule: &FieldRule, profile: &Profile) -> Result<(), Box<Issue>> {
        if self.is_lacking(rule, profile) {
            return Ok(());
        }
        if let Some(text) = &rule.template {
            let name = match &rule.language {
                Some(language) if !name.contains('[') => format!("{name}[{language}]"),
                _ => name.to_owned(),
            };
            return self.template(&name, rule, text, profile.optional_columns);
        }
        let name = match &rule.language {
            Some(language) if !name.contains('[') => format!("{name}[{language}]"),
            _ => name.to_owned(),
        };
        let main = match (&rule.column, &rule.constant) {
            (Some(column), _) => Some(self.column(column)?),
            (None, _) => None,
        };
        self.tie(&name, rule.column.as_deref(), rule.constant.as_deref(), rule, None)?;
        let own = FieldRule { when: rule.when.clone(), ..FieldRule::default() };
        let gross = rule.gross.map(|gross| gross.to_string());
        // A column goes before a constant.
        for (part, column, constant) in [
            ("currency", None, rule.currency.as_deref()),
            ("currency", rule.currency_column.as_deref(), None),
            ("gross", None, gross.as_deref()),
            ("gross", rule.gross_column.as_deref(), None),
            ("from", rule.from.as_deref(), None),
            ("until", rule.until.as_deref(), None),
        ] {
            let lacks = |column: &str| profile.optional_columns && !self.names.iter().any(|name| name == column);
            if column.is_some_and(lacks) {
                continue;
            }
            if column.is_some() || constant.is_some() {
                self.tie(&format!("{name}/{part}"), column, constant, &own, main)?;
            }
        }
        Ok(())
    }

    fn tie(
        &mut self,
        name: &str,
        column: Option<&str>,
        constant: Option<&str>,
        rule: &FieldRule,
        beside: Option<usize>,
    ) -> Result<(), Box<Issue>> {
        let path = Path::parse(name, &self.shape).map_err(|why| {
            let (text, hint) = match why {
                NoPath::Unknown(known) => (
                    format!("the profile fills \"{name}\", which there is not; there are {}", known.join(", ")),
                    "correct the name".to_owned(),
                ),
                NoPath::Object(parts) => (
                    format!("\"{name}\" is no value; it has {}", parts.join(", ")),
                    format!("name a part, such as {name}/{}", parts.first().map_or("", String::as_str)),
                ),
            };
            Box::new(Issue::error("profile.unknown_member", text).suggest(hint))
        })?;
        let source = match (column, constant) {
            (Some(column), _) => {
                self.columns.push((path.member(), column.to_owned()));
                Source::Column(self.column(column)?)
            }
            (None, constant) => Source::Constant(constant.unwrap_or_default().to_owned()),
        };
        let (lookup, split, when) = (rule.lookup.clone(), rule.split.clone(), rule.when.clone());
        self.fields.push(Field { path, source, lookup, split, when, beside });
        Ok(())
    }
}

impl Mapping {
    pub fn new(kind: &'static Kind, profile: Option<Profile>, names: &[String]) -> Result<Self, Box<Issue>> {
        if let Some(twice) = names.iter().enumerate().find(|(i, n)| !n.is_empty() && names[..*i].contains(n)) {
            let text = format!("the column \"{}\" stands twice in the header", twice.1);
            return Err(Box::new(Issue::error("csv.duplicate_column", text).suggest("remove or rename one of them")));
        }
        let mut tying = Tying { shape: Shape::of(kind), names, fields: Vec::new(), columns: Vec::new() };
        let profile = match profile {
            Some(profile) => profile,
            None => native(&tying.shape, names)?,
        };
        for (name, rule) in &profile.fields {
            tying.rule(name, rule, &profile)?;
        }
        if profile.native_columns {
            tie_native(&mut tying, &profile)?;
        }
        // Of what there are several, they stand in the order of the columns.
        tying.fields.sort_by_key(|field| match field.source {
            Source::Column(column) => column,
            Source::Constant(_) | Source::Template(_) => usize::MAX,
        });
        let listed = profile
            .attributes
            .iter()
            .map(|r| ("attribute", &r.column))
            .chain(profile.stock.iter().map(|r| ("stock", &r.column)))
            .chain(profile.media.iter().map(|r| ("media", &r.column)))
            .chain(profile.categories.iter().map(|r| ("category", &r.column)))
            .chain(profile.variants.iter().map(|r| ("variantOf", &r.column)));
        for (member, column) in listed {
            if profile.optional_columns && !names.contains(column) {
                continue;
            }
            tying.column(column)?;
            tying.columns.push((member.to_owned(), column.clone()));
        }
        let key = kind.keys.iter().find_map(|key| {
            let field = tying.fields.iter().find(|field| field.path.member() == *key);
            field.map(|field| match field.source {
                Source::Column(column) => Some(column),
                Source::Constant(_) | Source::Template(_) => None,
            })
        });
        if key.is_none() && kind.keys.len() == 1 {
            let (key, has) = (kind.keys[0], names.join(", "));
            let text = format!("no column gives the key \"{key}\"; the file has {has}");
            return Err(Box::new(
                Issue::error("csv.no_key", text)
                    .suggest(format!("name a column {key}, or use a profile that says which it is")),
            ));
        }
        Ok(Self {
            names: names.to_vec(),
            mark: profile.csv.decimal.unwrap_or('.'),
            profile,
            fields: tying.fields,
            columns: Columns(tying.columns.into()),
            key: key.flatten(),
            variants: HashMap::new(),
            surveyed: 0,
            known_categories: BTreeSet::new(),
        })
    }

    /// The name of a column by its place.
    pub fn column_name(&self, index: usize) -> String {
        self.names.get(index).cloned().unwrap_or_default()
    }

    /// The columns of numbers, if nobody said how their decimals are written.
    pub fn numbers(&self) -> Vec<usize> {
        if self.profile.csv.decimal.is_some() {
            return Vec::new();
        }
        let columns =
            self.fields.iter().filter(|field| field.path.is_number()).filter_map(|field| match field.source {
                Source::Column(column) => Some(column),
                Source::Constant(_) | Source::Template(_) => None,
            });
        columns.collect()
    }

    /// Says how decimals are written.
    pub fn set_mark(&mut self, mark: char) {
        self.mark = mark;
    }

    /// Whether records tell of others, so that the table must be read once before.
    pub fn wants_survey(&self) -> bool {
        self.profile.variants.is_some()
    }

    /// Notes what a record tells of others.
    ///
    /// # Errors
    /// Returns `message.limit` if it tells of more variants than fit into memory.
    pub fn survey(&mut self, record: &ByteRecord) -> Result<(), Box<Issue>> {
        let Some(rule) = self.profile.variants.clone() else { return Ok(()) };
        if record.len() != self.names.len() {
            return Ok(());
        }
        let cells = Cells { names: &self.names, record };
        let (Some(Ok(parent)), Ok(list)) = (self.key.map(|i| cells.at(i)), cells.named(&rule.column)) else {
            return Ok(());
        };
        if list.is_empty() || parent.is_empty() {
            return Ok(());
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
                self.surveyed += variant.len() + parent.len();
                self.variants.insert(key, VariantPlace { parent: parent.to_owned(), values });
            }
            if self.variants.len() > MAX_VARIANTS || self.surveyed > MAX_SURVEYED {
                let text = format!("the file tells of more than {MAX_VARIANTS} variants");
                return Err(Box::new(Issue::error("message.limit", text).suggest("split the file")));
            }
        }
        Ok(())
    }

    /// Whether a row tells by itself which record it is of, and nothing of other ones.
    pub fn stands_alone(&self) -> bool {
        let is_plain = |field: &Field| {
            let is_key = matches!(field.source, Source::Column(column) if Some(column) == self.key);
            !is_key || (field.lookup.is_none() && field.split.is_none() && field.when.is_none())
        };
        self.profile.variants.is_none() && self.key.is_some() && self.fields.iter().all(is_plain)
    }

    /// What the same row would mean something else without.
    pub fn around(&self) -> String {
        format!("{:?} {:?}", self.names, self.mark)
    }

    /// The key of a row's record.
    pub fn key_of(&self, record: &ByteRecord) -> Option<String> {
        let cells = Cells { names: &self.names, record };
        let key = self.key.and_then(|i| cells.at(i).ok()).filter(|k| !k.is_empty());
        key.map(|k| k.chars().take(255).collect())
    }

    /// Maps a record, and reads it into a batch.
    pub fn item(
        &mut self,
        record: &ByteRecord,
        number: i64,
        line: i64,
        raw: Range<u64>,
        batch: &mut dyn Batch,
        digest: Option<String>,
    ) -> Item {
        let mut categories = Vec::new();
        let names = std::mem::take(&mut self.names);
        let cells = Cells { names: &names, record };
        let change = self.change(&cells, &mut categories);
        // What comes along is to be taken each time.
        let digest = digest.filter(|_| categories.is_empty());
        let change =
            change.and_then(|members| batch.read_json(members, digest).map_err(|error| self.issue(*error, &cells)));
        self.names = names;
        let key = self.key_of(record);
        Item {
            number,
            line: Some(line),
            column: None,
            key,
            change: change.map_err(|issue| vec![*issue]),
            deletes: None,
            is_skipped: false,
            is_known: false,
            warnings: Vec::new(),
            along: Along { categories, ..Along::default() },
            columns: Some(self.columns.clone()),
            weight: record.as_slice().len(),
            raw,
        }
    }

    fn change(&mut self, cells: &Cells<'_>, categories: &mut Vec<contract::Category>) -> Result<Value, Box<Issue>> {
        let mut members = Map::new();
        for field in &self.fields {
            if cells.meets(field.when.as_ref())? {
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
        Ok(Value::Object(members))
    }

    fn fill(&self, field: &Field, cells: &Cells<'_>, members: &mut Map<String, Value>) -> Result<(), Box<Issue>> {
        if field.beside.map(|beside| cells.at(beside)).transpose()?.is_some_and(str::is_empty) {
            return Ok(());
        }
        let made;
        let (cell, name) = match &field.source {
            Source::Column(column) => (cells.at(*column)?, self.names_of(cells, *column)),
            Source::Constant(constant) => (constant.as_str(), ""),
            Source::Template(parts) => {
                made = filled(parts, cells)?;
                (made.as_str(), "")
            }
        };
        if cell.is_empty() {
            return Ok(());
        }
        let value = match &field.lookup {
            None => cell,
            Some(lookup) => lookup.get(cell).ok_or_else(|| {
                let known: Vec<_> = lookup.keys().map(String::as_str).collect();
                Box::new(
                    Issue::error("csv.lookup", format!("\"{name}\" is \"{cell}\", which the profile does not know"))
                        .of(name, cell)
                        .suggest(format!("use one of {}, or add it to the profile", known.join(", "))),
                )
            })?,
        };
        if field.path.plain().is_some_and(|plain| cells::is_no_time(plain, value)) {
            return Ok(());
        }
        let values = match field.split.as_deref().filter(|split| !split.is_empty()) {
            Some(split) => {
                let all = items(value, split, MAX_ITEMS, name)?;
                all.into_iter().map(str::trim).filter(|value| !value.is_empty()).collect()
            }
            None => vec![value],
        };
        if field.path.is_list() {
            items(value, BETWEEN.encode_utf8(&mut [0; 4]), MAX_ITEMS, name)?;
        }
        for value in values {
            field.path.put(members, value, |plain, text| cells::read(plain, text, self.mark)).map_err(|part| {
                let text = format!("\"{name}\" has \"{part}\" where name=value is expected");
                Box::new(Issue::error("csv.pair", text).of(name, cell).suggest("correct the list"))
            })?;
        }
        Ok(())
    }

    fn names_of<'c>(&self, cells: &Cells<'c>, column: usize) -> &'c str {
        cells.names.get(column).map_or("", String::as_str)
    }

    fn stock(&self, rule: &StockRule, cells: &Cells<'_>) -> Result<Option<Value>, Box<Issue>> {
        let cell = cells.named(&rule.column)?;
        if cell.is_empty() || !cells.meets(rule.when.as_ref())? {
            return Ok(None);
        }
        let mut stock = json!({"value": cells::read(Plain::Number, cell, self.mark)});
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
        let paths = match &rule.between {
            Some(between) => items(cell, between, MAX_ITEMS, &rule.column)?,
            None => vec![cell],
        };
        let mut keys: Vec<String> = Vec::new();
        for path in paths.into_iter().map(str::trim).filter(|p| !p.is_empty()) {
            let Some(levels) = &rule.levels else {
                keys.push(path.to_owned());
                continue;
            };
            let mut parent: Option<String> = None;
            let all = items(path, levels, MAX_LEVELS, &rule.column)?;
            for level in all.into_iter().map(str::trim).filter(|l| !l.is_empty()) {
                if rule.skip.iter().any(|skip| skip == level) {
                    continue;
                }
                let slug = slug(level);
                let key = parent.as_ref().map_or_else(|| slug.clone(), |p| format!("{p}/{slug}"));
                if self.known_categories.len() >= MAX_KNOWN_CATEGORIES {
                    self.known_categories.clear();
                }
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

/// A template with the cells of a record in it; nothing, if all of them are empty.
fn filled(parts: &[Result<usize, String>], cells: &Cells<'_>) -> Result<String, Box<Issue>> {
    let (mut text, mut says_something) = (String::new(), false);
    for part in parts {
        match part {
            Ok(column) => {
                let cell = cells.at(*column)?;
                says_something |= !cell.is_empty();
                text.push_str(cell);
            }
            Err(plain) => text.push_str(plain),
        }
    }
    Ok(if says_something { text } else { String::new() })
}

/// Ties the columns that a profile does not name, where they are named as the contract's members.
fn tie_native(tying: &mut Tying<'_>, profile: &Profile) -> Result<(), Box<Issue>> {
    let named = profile.columns();
    let names: Vec<String> =
        tying.names.iter().filter(|name| !name.is_empty() && !named.contains(name)).cloned().collect();
    for name in names {
        // A member that the profile fills stays as it does.
        let is_filled = profile
            .fields
            .iter()
            .any(|(field, rule)| field.eq_ignore_ascii_case(&name) && !tying.is_lacking(rule, profile));
        if !is_filled && Path::parse(&name, &tying.shape).is_ok() {
            tying.tie(&name, Some(&name), None, &FieldRule::default(), None)?;
        }
    }
    Ok(())
}

/// A profile for columns that are named as the contract's members.
fn native(shape: &Shape, names: &[String]) -> Result<Profile, Box<Issue>> {
    let mut profile = Profile::default();
    let companion = |name: &str| {
        let is_companion = COMPANIONS.iter().any(|known| known.eq_ignore_ascii_case(name));
        is_companion && !shape.has(name)
    };
    let has = |name: &str| names.iter().find(|n| n.eq_ignore_ascii_case(name) && companion(n)).cloned();
    for column in names.iter().filter(|n| !n.is_empty() && !companion(n)) {
        let (name, argument) = match column.split_once('[') {
            Some((name, rest)) => (name.trim(), Some(rest.trim_end_matches(']').trim().to_owned())),
            None => (column.as_str(), None),
        };
        // Their places are the order in which they stand.
        if name.eq_ignore_ascii_case("media") && shape.has("media") {
            profile.media.push(MediaRule { column: column.clone(), between: Some("|".to_owned()), role: argument });
            continue;
        }
        Path::parse(column, shape).map_err(|why| {
            let (text, hint) = match why {
                NoPath::Unknown(known) => {
                    let known: Vec<&str> = known.iter().map(String::as_str).chain(COMPANIONS.iter().copied()).collect();
                    let text = format!("the column \"{column}\" is not known; known are {}", known.join(", "));
                    (text, "rename or remove the column, or use a profile (--profile)".to_owned())
                }
                NoPath::Object(parts) => {
                    let text = format!("the column \"{column}\" is no value; it has {}", parts.join(", "));
                    (text, format!("name a part of it, such as {column}/{}", parts.first().map_or("", String::as_str)))
                }
            };
            Box::new(Issue::error("csv.unknown_column", text).of(column, "").suggest(hint))
        })?;
        let mut rule = FieldRule { column: Some(column.clone()), ..FieldRule::default() };
        if shape.is_price(name) {
            let own = |part: &str| names.iter().any(|n| n.eq_ignore_ascii_case(&format!("{column}/{part}")));
            rule.currency_column = has("currency").filter(|_| !own("currency"));
            if !own("gross") {
                rule.gross_column = has("gross");
            }
        }
        if name.eq_ignore_ascii_case("specialPrice") && shape.has("specialPrice") {
            rule.from = has("specialFrom");
            rule.until = has("specialUntil");
        }
        profile.fields.insert(column.clone(), rule);
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
    for part in items(cell, rule.between.as_deref().unwrap_or(","), MAX_ITEMS, &rule.column)? {
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
    let parts = match &rule.between {
        Some(between) => items(cell, between, MAX_ITEMS, &rule.column)?,
        None => vec![cell],
    };
    Ok(parts.into_iter().map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect())
}

/// The items that a cell lists.
fn items<'c>(cell: &'c str, between: &str, most: usize, column: &str) -> Result<Vec<&'c str>, Box<Issue>> {
    let all: Vec<&str> = cell.split(between).take(most + 1).collect();
    if all.len() <= most {
        return Ok(all);
    }
    let issue = Issue::error("message.limit", format!("\"{column}\" lists more than {most} items"));
    Err(Box::new(issue.of(column, "").suggest("split the record")))
}

/// The axes that a parent's variants have, in the order of the first.
fn axes(cell: &str, rule: &VariantRule) -> Vec<String> {
    let first = cell.split(rule.between.as_str()).next().unwrap_or("");
    first
        .split(rule.parts.as_str())
        .filter_map(|part| part.split_once(rule.pair.as_str()))
        .map(|(name, _)| name.trim().to_owned())
        .filter(|name| *name != rule.key)
        .collect()
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
    use crate::exchange::channels::caller::Job;

    #[test]
    fn profiles_of_the_caller_fill_members_that_there_are() {
        for job in Job::all() {
            let profile = Profile::parse(job.profile).unwrap_or_else(|e| panic!("{}: {e}", job.name));
            let kind = Kind::find(job.kind.as_str()).unwrap();
            let columns = profile.columns();
            let mapping = Mapping::new(kind, Some(profile), &columns);
            assert!(mapping.is_ok(), "{}: {:?}", job.name, mapping.err());
        }
    }

    #[test]
    fn names_become_slugs() {
        assert_eq!(slug("Hoodies & Sweatshirts"), "hoodies-sweatshirts");
        assert_eq!(slug("Größe"), "größe");
        assert_eq!(slug("&"), "_");
    }
}
