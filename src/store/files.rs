//! Documents of articles, by the names of their files.

use super::batch::{self, Recorded, Stored};
use super::bulk::{Column, Table};
use super::children::{Children, by_owner};
use super::pictures::{named_in_media, showing};
use super::schema::{article_document_titles, article_documents, contents};
use super::search::Search;
use super::{Db, StoreError, contents as kept, lock, page};
use crate::domain::files::{File, Standing};
use crate::domain::pictures::file_key;
use crate::domain::{Defaults, compared};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::media as contract;

const TITLES: Table = Table {
    name: "article_document_titles",
    columns: &[Column::Integer("document_id"), Column::Text("language"), Column::Text("title")],
    key: &[],
};

/// A document with what the database adds.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub id: i64,
    pub key: String,
    pub record: File,
    pub standing: Standing,
}

type Row = (i64, (String, String, Option<String>), (String, String, i64), (i64, NaiveDateTime));

macro_rules! columns {
    () => {
        (
            article_documents::id,
            (article_documents::file_name, article_documents::file_key, article_documents::sku_key),
            (article_documents::media_type, article_documents::content, contents::size),
            (article_documents::version, article_documents::changed_at),
        )
    };
}

fn loaded(connection: &mut Db, rows: Vec<Row>) -> Result<Vec<Loaded>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let titles: Vec<(i64, String, String)> = article_document_titles::table
        .filter(article_document_titles::document_id.eq_any(ids))
        .order((article_document_titles::document_id, article_document_titles::language))
        .load(connection)?;
    let mut titles = by_owner(titles.into_iter().map(|(id, language, title)| (id, (language, title))));
    let named: Vec<(String, Option<String>)> = rows.iter().map(|row| (row.1.1.clone(), row.1.2.clone())).collect();
    let mut shown = showing(connection, &named)?;
    let documents = rows.into_iter().map(|row| {
        let (id, (name, key, sku), (media_type, sha256, bytes), (version, changed_at)) = row;
        let titles = titles.remove(&id).unwrap_or_default();
        let standing = Standing { version, changed_at, bytes, articles: shown.remove(&key).unwrap_or_default() };
        Loaded { id, key, record: File { name, sku, titles, media_type, sha256 }, standing }
    });
    Ok(documents.collect())
}

/// A document by the name of its file.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, name: &str) -> Result<Option<Loaded>, StoreError> {
    let rows: Vec<Row> = article_documents::table
        .inner_join(contents::table)
        .filter(article_documents::file_key.eq(file_key(name)))
        .select(columns!())
        .load(connection)?;
    Ok(loaded(connection, rows)?.pop())
}

/// Takes a document with its content, or a change of one.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn put(
    connection: &mut Db,
    change: contract::ArticleDocument,
    content: Option<&[u8]>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Recorded, StoreError> {
    let key = file_key(&change.file_name);
    lock::records(connection, "article_documents", "file_key", &[(&key, Some(0))])?;
    let before = get(connection, &change.file_name)?;
    let sha256 = content.map(|bytes| kept::keep(connection, bytes)).transpose()?;
    let stored = before.as_ref().map(|b| Stored {
        id: b.id,
        version: b.standing.version,
        changed_at: b.standing.changed_at,
        record: b.record.clone(),
    });
    let expected = change.if_version;
    let rules = |current, issues: &mut _| File::apply(current, change, sha256.clone(), defaults, issues);
    let (changed, recorded) = batch::single(&key, stored, expected, rules);
    if let Some(file) = changed {
        write(connection, &key, &file, before.as_ref(), recorded.version.unwrap_or(1), now)?;
    }
    // What it was, or what was refused.
    kept::sweep(connection, before.map(|b| b.record.sha256).into_iter().chain(sha256))?;
    Ok(recorded)
}

fn write(
    connection: &mut Db,
    key: &str,
    file: &File,
    before: Option<&Loaded>,
    version: i64,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let values = (
        article_documents::file_name.eq(&file.name),
        article_documents::sku_key.eq(&file.sku),
        article_documents::media_type.eq(&file.media_type),
        article_documents::content.eq(&file.sha256),
        article_documents::version.eq(version),
        article_documents::changed_at.eq(now),
    );
    let id = match before {
        Some(before) => {
            diesel::update(article_documents::table.find(before.id)).set(values).execute(connection)?;
            before.id
        }
        None => {
            let new = (values, article_documents::file_key.eq(key));
            let insert = diesel::insert_into(article_documents::table).values(new).returning(article_documents::id);
            match connection {
                Db::Sqlite(sqlite) => insert.get_result(sqlite)?,
                Db::Postgres(postgres) => insert.get_result(postgres)?,
            }
        }
    };
    let mut titles = Children::of(TITLES, "document_id");
    titles.put(id, &file.titles, before.map(|b| &b.record.titles[..]), |rows, _, (language, title)| {
        rows.text(language).text(title);
    });
    titles.write(connection)
}

/// What a list of documents is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub sku: Option<String>,
    pub text: Option<String>,
    pub changed_since: Option<NaiveDateTime>,
    /// The key after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of documents in the order of their names, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Loaded>, Option<String>), StoreError> {
    let mut query = article_documents::table
        .inner_join(contents::table)
        .order(article_documents::file_key)
        .limit(filter.limit + 1)
        .select(columns!())
        .into_boxed();
    if let Some(sku) = &filter.sku {
        let own = article_documents::sku_key.eq(compared(sku)).assume_not_null();
        query = query.filter(own.or(article_documents::file_key.eq_any(named_in_media(connection, sku)?)));
    }
    if let Some(text) = &filter.text {
        query = query.filter(Search::new(text)?.is_in("article_documents.file_key"));
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(article_documents::changed_at.ge(since));
    }
    if let Some(after) = &filter.after {
        query = query.filter(article_documents::file_key.gt(after));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let next = rows.last().filter(|_| more).map(|row| row.1.1.clone());
    Ok((loaded(connection, rows)?, next))
}

/// Deletes documents by the names of their files; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, names: &[String]) -> Result<Vec<bool>, StoreError> {
    let mut outcomes = Vec::with_capacity(names.len());
    for name in names {
        let found = get(connection, name)?;
        if let Some(found) = &found {
            diesel::delete(article_documents::table.find(found.id)).execute(connection)?;
            kept::sweep(connection, [found.record.sha256.clone()])?;
        }
        outcomes.push(found.is_some());
    }
    Ok(outcomes)
}
