//! Pictures: taken by the names of their files, found, changed, deleted.

mod articles;
mod load;
mod work;

pub(super) use articles::{named_in_media, showing};
pub use load::{Loaded, Progress, RenditionRow, first_of, get, list, of_article, original, progress, rendition};
pub use work::{Claimed, claim, failed, found_again, give, has_orphans_and_news, is_waiting, ready};

use super::batch::{self, Deletion, Recorded, Stored};
use super::bulk::{Column, Table};
use super::children::Children;
use super::schema::pictures;
use super::{Db, StoreError, contents, lock};
use crate::domain::pictures::{NamePattern, Original, Picture, file_key};
use crate::domain::{Defaults, Issue, Severity};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::media as contract;
use soapstone_contracts::media::PictureState;
use std::collections::HashMap;

const TEXTS: Table = Table {
    name: "picture_texts",
    columns: &[Column::Integer("picture_id"), Column::Text("language"), Column::Text("text")],
    key: &[],
};

/// What a list of pictures is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub state: Option<PictureState>,
    /// Only those that no article shows, or only those that one does.
    pub orphan: Option<bool>,
    pub text: Option<String>,
    pub changed_since: Option<NaiveDateTime>,
    /// The key after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

/// The places of articles that one upload has filled: two of its files for one place are a mistake.
#[derive(Default)]
pub struct Filled(HashMap<(String, i32), String>);

/// A picture that is given: what is said of it, and what came with it.
pub struct Given {
    pub change: contract::Picture,
    pub file: Option<(Original, actix_web::web::Bytes)>,
}

/// Takes a picture, or a change of one.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn put(
    connection: &mut Db,
    given: Given,
    filled: &mut Filled,
    pattern: &NamePattern,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Recorded, StoreError> {
    let key = file_key(&given.change.file_name);
    lock::records(connection, "pictures", "file_key", &[(&key, Some(0))])?;
    let before = load::by_key(connection, &key)?;
    let is_named = before.is_none() && given.change.sku.is_none();
    let named = if is_named { articles::named(connection, pattern, &given.change.file_name)? } else { None };
    let (original, bytes) = given.file.unzip();
    let expected = given.change.if_version;
    let stored = before.as_ref().map(|b| Stored {
        id: b.id,
        version: b.version,
        changed_at: b.changed_at,
        record: b.record.clone(),
    });
    let rules = |current, issues: &mut _| Picture::apply(current, given.change, original, named, defaults, issues);
    let (made, recorded) = batch::single(&key, stored, expected, rules);
    let Some(picture) = made else { return Ok(recorded) };
    let mut issues = Vec::new();
    if let Some(place) = picture.sku.clone().zip(picture.position) {
        if let Some(other) = filled.0.get(&place).filter(|other| **other != key) {
            let text = format!("{other} is at position {} of article {} already", place.1, place.0);
            let issue = Issue::error("picture.duplicate_position", text).of("position", &place.1.to_string());
            let issue = issue.suggest("give each picture of an article a position of its own, as A-1_2.jpg");
            return Ok(Recorded { version: before.map(|b| b.version), ..Recorded::refused(vec![issue]) });
        }
        issues.extend(make_room(connection, &key, &place)?);
        filled.0.insert(place, key.clone());
    }
    let is_new_content = before.as_ref().is_none_or(|b| b.record.original.sha256 != picture.original.sha256);
    if let Some(before) = before.as_ref().filter(|_| is_new_content) {
        issues.push(Issue {
            severity: Severity::Info,
            ..Issue::warning(
                "picture.replaced",
                format!("{} stands in the place of an older one", before.record.file_name),
            )
        });
    }
    if let Some(bytes) = bytes.filter(|_| is_new_content) {
        contents::keep(connection, &bytes)?;
    }
    let id = write(connection, &key, &picture, before.as_ref(), recorded.version.unwrap_or(1), now)?;
    if is_new_content {
        let old = load::contents_of(connection, &[id])?;
        work::begin(connection, id, &picture.original.sha256, now)?;
        let old = old.into_iter().chain(before.map(|b| b.record.original.sha256));
        contents::sweep(connection, old)?;
    }
    if articles::showing(connection, &[(key, picture.sku.clone())])?.is_empty() {
        let text = match &picture.sku {
            Some(sku) => format!("there is no article {sku}"),
            None => format!("no article is found by the name {}", picture.file_name),
        };
        let issue = Issue::warning("picture.no_article", text).of("fileName", &picture.file_name);
        issues.push(
            issue.suggest(
                "name the file after the article, or name it in the article's media; it is found when it comes",
            ),
        );
    }
    Ok(Recorded { issues: recorded.issues.into_iter().chain(issues).collect(), ..recorded })
}

/// Another picture in the same place goes.
fn make_room(connection: &mut Db, key: &str, place: &(String, i32)) -> Result<Option<Issue>, StoreError> {
    let other: Option<(i64, String)> = pictures::table
        .filter(pictures::sku_key.eq(&place.0))
        .filter(pictures::position.eq(place.1))
        .filter(pictures::file_key.ne(key))
        .select((pictures::id, pictures::file_name))
        .first(connection)
        .optional()?;
    let Some((id, name)) = other else { return Ok(None) };
    remove(connection, &[id])?;
    let text = format!("it stands at position {} of article {}, where {name} was: that one is gone", place.1, place.0);
    Ok(Some(Issue::warning("picture.replaced", text).of("position", &place.1.to_string())))
}

fn write(
    connection: &mut Db,
    key: &str,
    picture: &Picture,
    before: Option<&Loaded>,
    version: i64,
    now: NaiveDateTime,
) -> Result<i64, StoreError> {
    let pixels = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let values = (
        pictures::file_name.eq(&picture.file_name),
        pictures::sku_key.eq(&picture.sku),
        pictures::position.eq(picture.position),
        pictures::content.eq(&picture.original.sha256),
        pictures::media_type.eq(&picture.original.media_type),
        pictures::width.eq(pixels(picture.original.width)),
        pictures::height.eq(pixels(picture.original.height)),
        pictures::version.eq(version),
        pictures::changed_at.eq(now),
    );
    let id = match before {
        Some(before) => {
            diesel::update(pictures::table.find(before.id)).set(values).execute(connection)?;
            before.id
        }
        None => {
            let new = (
                values,
                pictures::file_key.eq(key),
                pictures::state.eq(PictureState::Waiting.as_str()),
                pictures::attempts.eq(0),
            );
            let insert = diesel::insert_into(pictures::table).values(new).returning(pictures::id);
            match connection {
                Db::Sqlite(sqlite) => insert.get_result(sqlite)?,
                Db::Postgres(postgres) => insert.get_result(postgres)?,
            }
        }
    };
    let mut texts = Children::of(TEXTS, "picture_id");
    texts.put(id, &picture.texts, before.map(|b| &b.record.texts[..]), |rows, _, (language, text)| {
        rows.text(language).text(text);
    });
    texts.write(connection)?;
    Ok(id)
}

/// Deletes pictures by the names of their files; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, names: &[String]) -> Result<Vec<Deletion>, StoreError> {
    let mut deletions = Vec::with_capacity(names.len());
    for name in names {
        let found: Option<i64> = pictures::table
            .filter(pictures::file_key.eq(file_key(name)))
            .select(pictures::id)
            .first(connection)
            .optional()?;
        if let Some(id) = found {
            remove(connection, &[id])?;
        }
        deletions.push(found.is_some().into());
    }
    Ok(deletions)
}

/// Deletes pictures with what nobody else uses of them.
fn remove(connection: &mut Db, ids: &[i64]) -> Result<(), StoreError> {
    let used = load::contents_of(connection, ids)?;
    let own: Vec<String> =
        pictures::table.filter(pictures::id.eq_any(ids)).select(pictures::content).load(connection)?;
    diesel::delete(pictures::table.filter(pictures::id.eq_any(ids))).execute(connection)?;
    contents::sweep(connection, used.into_iter().chain(own))
}
