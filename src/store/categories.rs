//! Categories: a tree with names.

use super::batch::{Batch, Changed, Deletion, Recorded, Stored};
use super::bulk::{Column, Rows, Table, id_list};
use super::keys::ids_by_key;
use super::schema::{article_categories, categories, category_names};
use super::search::{Search, check_keys};
use super::{ChangeRange, Db, LOOKUP, StoreError, lock};
use crate::domain::Defaults;
use crate::domain::catalog::Category;
use crate::domain::{Issue, compared, folded};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::catalog as contract;
use std::collections::{HashMap, HashSet};

/// How deep the tree may be.
const MAX_DEPTH: usize = 100;

#[derive(Queryable, Selectable)]
#[diesel(table_name = categories)]
struct Row {
    id: i64,
    key: String,
    parent_id: Option<i64>,
    position: i32,
    active: bool,
    image: Option<String>,
    version: i64,
    changed_at: NaiveDateTime,
}

/// The whole tree in memory: shops have thousands of categories, not millions.
struct Tree {
    rows: HashMap<i64, Row>,
    ids: HashMap<String, i64>,
}

impl Tree {
    fn load(connection: &mut Db) -> Result<Self, StoreError> {
        let rows: Vec<Row> = categories::table.select(Row::as_select()).load(connection)?;
        let ids = rows.iter().map(|r| (r.key.clone(), r.id)).collect();
        Ok(Self { rows: rows.into_iter().map(|r| (r.id, r)).collect(), ids })
    }

    fn parent(&self, row: &Row) -> Option<String> {
        row.parent_id.and_then(|id| self.rows.get(&id)).map(|parent| parent.key.clone())
    }

    fn stored(&self, row: &Row, names: &HashMap<i64, Vec<(String, String)>>) -> Stored<Category> {
        let record = Category {
            key: row.key.clone(),
            parent: self.parent(row),
            position: row.position,
            active: row.active,
            image: row.image.clone(),
            names: names.get(&row.id).cloned().unwrap_or_default(),
        };
        Stored { id: row.id, version: row.version, changed_at: row.changed_at, record }
    }
}

fn names_of(connection: &mut Db, ids: &[i64]) -> Result<HashMap<i64, Vec<(String, String)>>, StoreError> {
    let mut found: HashMap<i64, Vec<(String, String)>> = HashMap::new();
    for ids in ids.chunks(LOOKUP) {
        let rows: Vec<(i64, String, String)> =
            category_names::table.filter(category_names::category_id.eq_any(ids)).load(connection)?;
        for (id, language, name) in rows {
            found.entry(id).or_default().push((language, name));
        }
    }
    for names in found.values_mut() {
        names.sort();
    }
    Ok(found)
}

/// The ids of categories by their keys (in compared form).
///
/// # Errors
/// Those of the database.
pub fn ids_of(connection: &mut Db, keys: &[String]) -> Result<HashMap<String, i64>, StoreError> {
    Ok(ids_by_key!(connection, categories, key, keys))
}

const CATEGORIES: Table = Table {
    name: "categories",
    columns: &[
        Column::Text("key"),
        Column::Integer("parent_id"),
        Column::Integer("position"),
        Column::Boolean("active"),
        Column::Text("image"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["key"],
};
const NAMES: Table = Table {
    name: "category_names",
    columns: &[Column::Integer("category_id"), Column::Text("language"), Column::Text("name")],
    key: &[],
};

/// Applies changes to categories, each on its own. A parent may come later in the same batch.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::Category>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let coming: Vec<String> = changes.iter().map(|c| compared(&c.id)).collect();
    let held: Vec<_> = coming.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "categories", "key", &held)?;
    let tree = Tree::load(connection)?;
    let touched: Vec<&Row> = coming.iter().filter_map(|key| tree.rows.get(tree.ids.get(key)?)).collect();
    let names = names_of(connection, &touched.iter().map(|r| r.id).collect::<Vec<_>>())?;
    let mut parents: HashMap<String, Option<String>> =
        tree.rows.values().map(|r| (r.key.clone(), tree.parent(r))).collect();
    let mut batch = Batch::of(touched.iter().map(|r| (r.key.clone(), tree.stored(r, &names))).collect());
    for (key, change) in coming.iter().zip(changes) {
        batch.apply(key.clone(), change.if_version, |current, issues| {
            let category = Category::apply(current, change, defaults, issues)?;
            issues.extend(refused_parent(&category, &coming, &parents));
            issues.is_empty().then(|| {
                parents.insert(key.clone(), category.parent.clone());
                category
            })
        });
    }
    // A parent that was to come in this batch may have been refused.
    for (index, key) in coming.iter().enumerate() {
        let parent = batch.current(key).and_then(|c| c.parent.clone());
        if let Some(parent) = parent.filter(|p| batch.current(p).is_none() && !tree.ids.contains_key(p)) {
            batch.take_back(index, unknown_parent(&parent));
        }
    }
    // Siblings of one position stand in the order in which they came.
    let mut changed = batch.changed();
    changed.sort_by_key(|change| change.place);
    write(connection, &changed, now)?;
    drop(changed);
    Ok(batch.into_results())
}

fn unknown_parent(parent: &str) -> Issue {
    Issue::error("category.unknown_parent", format!("there is no category \"{parent}\""))
        .of("parent", parent)
        .suggest("give the parent as well, before or after this one, or correct the id")
}

fn refused_parent(category: &Category, coming: &[String], parents: &HashMap<String, Option<String>>) -> Option<Issue> {
    let parent = category.parent.as_ref()?;
    if !parents.contains_key(parent) && !coming.contains(parent) {
        return Some(unknown_parent(parent));
    }
    let mut above = Some(parent.clone());
    let mut depth = 0;
    while let Some(key) = above {
        depth += 1;
        if key == category.key || depth > MAX_DEPTH {
            let text = format!("below \"{parent}\" it would stand below itself");
            return Some(Issue::error("category.cycle", text).of("parent", parent));
        }
        above = parents.get(&key).cloned().flatten();
    }
    None
}

fn write(connection: &mut Db, changed: &[Changed<'_, Category>], now: NaiveDateTime) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    // First all without new parents, so that every parent has an id; then the parents.
    let put = |parents: Option<&HashMap<String, i64>>| {
        let mut rows = Rows::default();
        for change in changed {
            let category = change.now;
            let parent = parents.and_then(|p| category.parent.as_ref().and_then(|key| p.get(key).copied()));
            rows.text(&category.key)
                .integer_option(parent)
                .integer(category.position.into())
                .boolean(category.active)
                .text_option(category.image.as_deref())
                .integer(change.version)
                .time(now);
        }
        rows
    };
    CATEGORIES.put(connection, &put(None))?;
    let keys: Vec<String> = changed.iter().flat_map(|c| c.now.parent.iter().chain([c.key])).cloned().collect();
    let ids = ids_of(connection, &keys)?;
    CATEGORIES.put(connection, &put(Some(&ids)))?;
    let old_ids: Vec<i64> = changed.iter().filter_map(|c| c.before).map(|b| b.id).collect();
    if !old_ids.is_empty() {
        let list = id_list(&old_ids);
        diesel::sql_query(format!("DELETE FROM category_names WHERE category_id IN ({list})")).execute(connection)?;
    }
    let mut names = Rows::default();
    for change in changed {
        let Some(id) = ids.get(change.key) else { continue };
        for (language, name) in &change.now.names {
            names.integer(*id).text(language).text(name);
        }
    }
    NAMES.put(connection, &names)
}

/// What a list of categories is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// None: all.
    pub ids: Vec<String>,
    /// Those right below that one.
    pub below: Option<String>,
    pub changed_since: Option<NaiveDateTime>,
    pub changes: Option<ChangeRange>,
    pub text: Option<String>,
    /// The id after which the page begins.
    pub after: Option<String>,
    pub limit: usize,
}

/// A page of categories, parents before their children and siblings in their order.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stored<Category>>, Option<String>), StoreError> {
    let tree = Tree::load(connection)?;
    let mut children: HashMap<Option<i64>, Vec<&Row>> = HashMap::new();
    for row in tree.rows.values() {
        children.entry(row.parent_id).or_default().push(row);
    }
    for siblings in children.values_mut() {
        siblings.sort_by_key(|r| (r.position, r.id));
    }
    let mut ordered: Vec<&Row> = Vec::new();
    match &filter.below {
        Some(key) => {
            let parent = tree.ids.get(&compared(key)).copied();
            if let Some(parent) = parent {
                ordered.extend(children.get(&Some(parent)).into_iter().flatten());
            }
        }
        None => {
            let mut open: Vec<&Row> =
                children.get(&None).map(|c| c.iter().rev().copied().collect()).unwrap_or_default();
            while let Some(row) = open.pop() {
                ordered.push(row);
                open.extend(children.get(&Some(row.id)).into_iter().flatten().rev());
            }
        }
    }
    if !filter.ids.is_empty() {
        check_keys(filter.ids.len())?;
        let wanted: HashSet<String> = filter.ids.iter().map(|id| compared(id)).collect();
        ordered.retain(|row| wanted.contains(&row.key));
    }
    if let Some(since) = filter.changed_since {
        ordered.retain(|row| row.changed_at >= since);
    }
    if let Some(range) = filter.changes {
        let changed = categories::table.filter(range.of_table("categories")).select(categories::id);
        let changed: HashSet<i64> = changed.load(connection)?.into_iter().collect();
        ordered.retain(|row| changed.contains(&row.id));
    }
    if let Some(text) = &filter.text {
        let named = category_names::table
            .filter(Search::new(text)?.is_in("category_names.name"))
            .select(category_names::category_id);
        let named: HashSet<i64> = named.load(connection)?.into_iter().collect();
        let text = folded(text);
        ordered.retain(|row| named.contains(&row.id) || folded(&row.key).contains(&text));
    }
    let start = match &filter.after {
        Some(after) => ordered.iter().position(|r| r.key == *after).map_or(ordered.len(), |p| p + 1),
        None => 0,
    };
    let page: Vec<&Row> = ordered.iter().skip(start).take(filter.limit).copied().collect();
    let more = ordered.len() > start + page.len();
    let next = page.last().filter(|_| more).map(|r| r.key.clone());
    let names = names_of(connection, &page.iter().map(|r| r.id).collect::<Vec<_>>())?;
    let stored = page.iter().map(|r| tree.stored(r, &names)).collect();
    Ok((stored, next))
}

/// A category by its id.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, id: &str) -> Result<Option<Stored<Category>>, StoreError> {
    let tree = Tree::load(connection)?;
    let Some(row) = tree.ids.get(&compared(id)).and_then(|id| tree.rows.get(id)) else { return Ok(None) };
    let names = names_of(connection, &[row.id])?;
    Ok(Some(tree.stored(row, &names)))
}

/// Deletes categories by their ids. One with articles in it, or categories below it, stays.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, given: &[String]) -> Result<Vec<Deletion>, StoreError> {
    let mut deletions = Vec::with_capacity(given.len());
    for key in given {
        let Some(id) = ids_of(connection, &[compared(key)])?.into_values().next() else {
            deletions.push(Deletion::NotFound);
            continue;
        };
        let articles: i64 =
            article_categories::table.filter(article_categories::category_id.eq(id)).count().get_result(connection)?;
        let below: i64 = categories::table.filter(categories::parent_id.eq(id)).count().get_result(connection)?;
        if articles + below > 0 {
            let text = format!("there are {articles} articles in it, and {below} categories below it");
            let issue = Issue::error("category.in_use", text).of("id", key);
            deletions.push(Deletion::Refused(issue.suggest("move them elsewhere first")));
            continue;
        }
        diesel::delete(categories::table.find(id)).execute(connection)?;
        deletions.push(Deletion::Deleted);
    }
    Ok(deletions)
}
