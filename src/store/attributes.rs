//! Definitions of attributes.

use super::batch::{Batch, Recorded, Stored};
use super::bulk::{Column, Rows, Table};
use super::children::{Children, by_owner};
use super::keys::ids_by_key;
use super::schema::{attribute_choices, attribute_definitions, attribute_names};
use super::search::{Search, check_keys};
use super::values::one_of;
use super::{ChangeRange, Db, LOOKUP, StoreError, keys, lock, page};
use crate::domain::attributes::{Choice, Definition, Definitions};
use crate::domain::{Defaults, compared};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::catalog as contract;
use std::collections::HashMap;

const DEFINITIONS: Table = Table {
    name: "attribute_definitions",
    columns: &[
        Column::Text("code"),
        Column::Text("kind"),
        Column::Text("unit"),
        Column::Boolean("filterable"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["code"],
};
const NAMES: Table = Table {
    name: "attribute_names",
    columns: &[
        Column::Integer("definition_id"),
        Column::Text("choice"),
        Column::Text("language"),
        Column::Text("name"),
    ],
    key: &[],
};
const CHOICES: Table = Table {
    name: "attribute_choices",
    columns: &[Column::Integer("definition_id"), Column::Integer("position"), Column::Text("value")],
    key: &[],
};

type Row = (i64, String, String, Option<String>, bool, i64, NaiveDateTime);

fn loaded(connection: &mut Db, rows: Vec<Row>) -> Result<Vec<Stored<Definition>>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let found: Vec<(i64, String, String, String)> = attribute_names::table
        .filter(attribute_names::definition_id.eq_any(&ids))
        .order((attribute_names::definition_id, attribute_names::choice, attribute_names::language))
        .load(connection)?;
    let mut names: HashMap<(i64, String), Vec<(String, String)>> = HashMap::new();
    for (id, choice, language, name) in found {
        names.entry((id, choice)).or_default().push((language, name));
    }
    let choices: Vec<(i64, i32, String)> = attribute_choices::table
        .filter(attribute_choices::definition_id.eq_any(&ids))
        .order((attribute_choices::definition_id, attribute_choices::position))
        .load(connection)?;
    let mut choices = by_owner(choices.into_iter().map(|(id, _, value)| (id, value)));
    let definitions = rows.into_iter().filter_map(|(id, code, kind, unit, filterable, version, changed_at)| {
        let kind = one_of(&kind)?;
        let choice = |value: String| Choice { names: names.remove(&(id, value.clone())).unwrap_or_default(), value };
        let choices = choices.remove(&id).unwrap_or_default().into_iter().map(choice).collect();
        let names = names.remove(&(id, String::new())).unwrap_or_default();
        Some(Stored { id, version, changed_at, record: Definition { code, kind, unit, filterable, names, choices } })
    });
    Ok(definitions.collect())
}

/// What changes whenever a definition does: how many there are, and when the last one changed.
///
/// # Errors
/// Those of the database.
pub fn state(connection: &mut Db) -> Result<(i64, Option<NaiveDateTime>), StoreError> {
    use diesel::dsl::{count_star, max};
    let state = attribute_definitions::table.select((count_star(), max(attribute_definitions::changed_at)));
    Ok(state.first(connection)?)
}

fn by_codes(connection: &mut Db, codes: &[String]) -> Result<HashMap<String, Stored<Definition>>, StoreError> {
    let mut found = HashMap::new();
    for codes in codes.chunks(LOOKUP) {
        let rows: Vec<Row> =
            attribute_definitions::table.filter(attribute_definitions::code.eq_any(codes)).load(connection)?;
        if !rows.is_empty() {
            found.extend(loaded(connection, rows)?.into_iter().map(|d| (d.record.code.clone(), d)));
        }
    }
    Ok(found)
}

/// The definitions of some attributes.
///
/// # Errors
/// Those of the database.
pub(super) fn definitions(connection: &mut Db, codes: &[String]) -> Result<Definitions, StoreError> {
    let found = by_codes(connection, codes)?;
    Ok(Definitions(found.into_iter().map(|(code, stored)| (code, stored.record)).collect()))
}

/// Applies changes to definitions, each on its own.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::AttributeDefinition>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let codes: Vec<String> = changes.iter().map(|d| compared(&d.code)).collect();
    let held: Vec<_> = codes.iter().zip(&changes).map(|(code, change)| (code.as_str(), change.if_version)).collect();
    lock::records(connection, "attribute_definitions", "code", &held)?;
    let mut batch = Batch::of(by_codes(connection, &codes)?);
    for (code, change) in codes.into_iter().zip(changes) {
        batch.apply(code, change.if_version, |current, issues| Definition::apply(current, change, defaults, issues));
    }
    let changed = batch.changed();
    let mut rows = Rows::default();
    for change in &changed {
        rows.text(change.key)
            .text(change.now.kind.as_str())
            .text_option(change.now.unit.as_deref())
            .boolean(change.now.filterable)
            .integer(change.version)
            .time(now);
    }
    DEFINITIONS.put(connection, &rows)?;
    let codes: Vec<&String> = changed.iter().map(|c| c.key).collect();
    let ids = ids_by_key!(connection, attribute_definitions, code, codes);
    let all_names = |definition: &Definition| -> Vec<(String, String, String)> {
        let own = definition.names.iter().map(|(language, name)| (String::new(), language.clone(), name.clone()));
        let of_choice = |choice: &Choice| {
            let value = choice.value.clone();
            choice
                .names
                .iter()
                .map(move |(language, name)| (value.clone(), language.clone(), name.clone()))
                .collect::<Vec<_>>()
        };
        own.chain(definition.choices.iter().flat_map(of_choice)).collect()
    };
    let names_now: Vec<_> = changed.iter().map(|c| all_names(c.now)).collect();
    let names_before: Vec<_> = changed.iter().map(|c| c.before.map(|b| all_names(&b.record))).collect();
    let (mut names, mut choices) = (Children::of(NAMES, "definition_id"), Children::of(CHOICES, "definition_id"));
    for ((change, now), before) in changed.iter().zip(&names_now).zip(&names_before) {
        let Some(id) = ids.get(change.key) else { continue };
        names.put(*id, now, before.as_deref(), |rows, _, (choice, language, name)| {
            rows.text(choice).text(language).text(name);
        });
        let before = change.before.map(|b| &b.record.choices[..]);
        choices.put(*id, &change.now.choices, before, |rows, position, choice| {
            rows.integer(position).text(&choice.value);
        });
    }
    names.write(connection)?;
    choices.write(connection)?;
    drop(changed);
    Ok(batch.into_results())
}

/// A definition by its code.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, code: &str) -> Result<Option<Stored<Definition>>, StoreError> {
    Ok(by_codes(connection, &[compared(code)])?.into_values().next())
}

/// What a list of definitions is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub codes: Vec<String>,
    pub filterable: Option<bool>,
    pub changed_since: Option<NaiveDateTime>,
    pub changes: Option<ChangeRange>,
    pub text: Option<String>,
    /// The code after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of definitions in the order of their codes, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stored<Definition>>, Option<String>), StoreError> {
    let mut query =
        attribute_definitions::table.order(attribute_definitions::code).limit(filter.limit + 1).into_boxed();
    if !filter.codes.is_empty() {
        check_keys(filter.codes.len())?;
        let codes: Vec<String> = filter.codes.iter().map(|code| compared(code)).collect();
        query = query.filter(attribute_definitions::code.eq_any(codes));
    }
    if let Some(filterable) = filter.filterable {
        query = query.filter(attribute_definitions::filterable.eq(filterable));
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(attribute_definitions::changed_at.ge(since));
    }
    if let Some(range) = filter.changes {
        query = query.filter(range.of_table("attribute_definitions"));
    }
    if let Some(text) = &filter.text {
        let search = Search::new(text)?;
        let like = |column| search.is_in(column);
        let named = attribute_names::table.filter(like("attribute_names.name")).select(attribute_names::definition_id);
        let own = like("attribute_definitions.code");
        query = query.filter(own.or(attribute_definitions::id.eq_any(named)));
    }
    if let Some(after) = &filter.after {
        query = query.filter(attribute_definitions::code.gt(after));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let next = rows.last().filter(|_| more).map(|row| row.1.clone());
    Ok((loaded(connection, rows)?, next))
}

/// Deletes definitions by their codes; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, codes: &[String]) -> Result<Vec<bool>, StoreError> {
    keys::delete(connection, "attribute_definitions", "code", codes.iter().map(|key| compared(key)))
}
