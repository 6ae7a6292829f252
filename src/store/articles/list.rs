//! Articles as lists of them, narrowed.

use super::{Row, add_children};
use crate::domain::attributes::{self as attribute, Comparison, number};
use crate::domain::catalog::{Article, TextKind};
use crate::domain::compared;
use crate::store::batch::Stored;
use crate::store::schema::{article_attributes, article_categories, article_texts, articles, categories};
use crate::store::search::{Search, beginning, check_filters, check_keys};
use crate::store::{ChangeRange, Db, Engine, StoreError, page};
use chrono::NaiveDateTime;
use diesel::dsl::exists;
use diesel::prelude::*;

/// What a list of articles is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub skus: Vec<String>,
    /// All of them must hold.
    pub attributes: Vec<attribute::Filter>,
    pub category: Option<String>,
    pub changed_since: Option<NaiveDateTime>,
    pub changes: Option<ChangeRange>,
    pub text: Option<String>,
    /// What numbers begin with: found by an index, where looking for a text goes through all.
    pub begins: Option<String>,
    /// The key after which the page begins.
    pub after: Option<String>,
    /// Looks at so many articles only; the next page begins where it stopped.
    pub within: Option<i64>,
    pub limit: i64,
}

/// A page of articles in the order of their keys, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stored<Article>>, Option<String>), StoreError> {
    let engine = connection.engine();
    let mut query =
        articles::table.select(Row::as_select()).order(articles::sku_key).limit(filter.limit + 1).into_boxed();
    if let Some(after) = &filter.after {
        query = query.filter(articles::sku_key.gt(after.clone()));
    }
    let end = match filter.within {
        Some(within) => after_so_many(connection, filter.after.as_deref(), within)?,
        None => None,
    };
    if let Some(end) = &end {
        query = query.filter(articles::sku_key.le(end.clone()));
    }
    if let Some(begins) = &filter.begins {
        let first = compared(begins);
        query = query.filter(articles::sku_key.like(beginning(&first)?).escape('\\'));
        query = query.filter(articles::sku_key.ge(first.clone()));
        // Elsewhere the order is the locale's, which may pass over such a letter.
        if engine == Engine::Sqlite {
            query = query.filter(articles::sku_key.lt(format!("{first}{}", char::MAX)));
        }
    }
    if !filter.skus.is_empty() {
        check_keys(filter.skus.len())?;
        let keys: Vec<String> = filter.skus.iter().map(|sku| compared(sku)).collect();
        query = query.filter(articles::sku_key.eq_any(keys));
    }
    check_filters(filter.attributes.len())?;
    for attribute in &filter.attributes {
        use article_attributes::{code, number as numbers, value};
        let of_code = || {
            let own = article_attributes::table.filter(code.eq(attribute.code.clone()));
            own.select(article_attributes::article_id)
        };
        let text = attribute.value.clone();
        query = match (attribute.comparison, number(&attribute.value)) {
            (Comparison::Equal, Some(number)) => {
                let is_equal = value.eq(text).or(numbers.eq(number).assume_not_null());
                query.filter(articles::id.eq_any(of_code().filter(is_equal)))
            }
            (Comparison::Equal, None) => query.filter(articles::id.eq_any(of_code().filter(value.eq(text)))),
            (Comparison::AtLeast, Some(n)) => query.filter(articles::id.eq_any(of_code().filter(numbers.ge(n)))),
            (Comparison::AtLeast, None) => query.filter(articles::id.eq_any(of_code().filter(value.ge(text)))),
            (Comparison::AtMost, Some(n)) => query.filter(articles::id.eq_any(of_code().filter(numbers.le(n)))),
            (Comparison::AtMost, None) => query.filter(articles::id.eq_any(of_code().filter(value.le(text)))),
        };
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(articles::changed_at.ge(since));
    }
    if let Some(range) = filter.changes {
        query = query.filter(range.of_table("articles"));
    }
    if let Some(key) = &filter.category {
        let inside = article_categories::table
            .inner_join(categories::table)
            .filter(categories::key.eq(compared(key)))
            .select(article_categories::article_id);
        query = query.filter(articles::id.eq_any(inside));
    }
    if let Some(text) = &filter.text {
        let search = Search::new(text)?;
        let names = article_texts::table
            .filter(article_texts::kind.eq(TextKind::Name.as_str()))
            .filter(search.is_in("article_texts.text"));
        query = match filter.within {
            // Of few articles, the names of each; of all of them, all names.
            Some(_) => {
                let is_named = exists(names.filter(article_texts::article_id.eq(articles::id)));
                query.filter(search.is_in("articles.sku").or(is_named))
            }
            None => {
                let named = articles::id.eq_any(names.select(article_texts::article_id));
                query.filter(search.is_in("articles.sku").or(named))
            }
        };
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let next = rows.last().filter(|_| more).map(|r| r.sku_key.clone()).or(end);
    let mut stored: Vec<Stored<Article>> = rows.into_iter().map(Row::into_stored).collect();
    add_children(connection, &mut stored)?;
    Ok((stored, next))
}

/// The key of the last of so many articles after one; None: there are fewer.
fn after_so_many(connection: &mut Db, after: Option<&str>, many: i64) -> Result<Option<String>, StoreError> {
    let keys = articles::table.select(articles::sku_key).filter(articles::sku_key.gt(after.unwrap_or_default()));
    Ok(keys.order(articles::sku_key).offset((many - 1).max(0)).first(connection).optional()?)
}

/// The variants of an article in the order of their keys, and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn variants_of(connection: &mut Db, sku: &str, limit: i64) -> Result<(Vec<Stored<Article>>, bool), StoreError> {
    let mut rows: Vec<Row> = articles::table
        .filter(articles::variant_of.eq(compared(sku)))
        .select(Row::as_select())
        .order(articles::sku_key)
        .limit(limit + 1)
        .load(connection)?;
    let more = page::cut(&mut rows, limit);
    let mut stored: Vec<Stored<Article>> = rows.into_iter().map(Row::into_stored).collect();
    add_children(connection, &mut stored)?;
    Ok((stored, more))
}

/// How many articles there are.
///
/// # Errors
/// Those of the database.
pub fn count(connection: &mut Db) -> Result<i64, StoreError> {
    Ok(articles::table.count().get_result(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Defaults;
    use crate::store::{Store, articles::upsert};
    use soapstone_contracts::catalog as contract;
    use soapstone_contracts::common;

    #[test]
    fn names_are_looked_through_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("some.sqlite").to_str().unwrap(), 1).unwrap();
        store.migrate().unwrap();
        let mut db = store.connection().unwrap();
        let article = |n: usize| contract::Article {
            sku: format!("A-{n}"),
            name: vec![common::Text {
                value: if n % 4 == 3 { "Öllampe" } else { "Tisch" }.to_owned(), language: None
            }],
            ..contract::Article::default()
        };
        upsert(&mut db, (0..10).map(article).collect(), &Defaults::default(), NaiveDateTime::default()).unwrap();
        let mut filter = Filter { text: Some("öl".to_owned()), within: Some(4), limit: 9, ..Filter::default() };
        let mut found = Vec::new();
        loop {
            let (page, next) = list(&mut db, &filter).unwrap();
            found.push(page.into_iter().map(|stored| stored.record.sku).collect::<Vec<_>>().join(" "));
            if next.is_none() {
                break;
            }
            filter.after = next;
        }
        assert_eq!(found, ["A-3", "A-7", ""]);
    }
}
