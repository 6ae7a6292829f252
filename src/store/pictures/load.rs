//! Pictures read back: as many queries, however many pictures.

use super::{Filter, articles};
use crate::domain::catalog::Article;
use crate::domain::compared;
use crate::domain::pictures::{Original, Picture, Standing, file_key};
use crate::store::children::by_owner;
use crate::store::schema::{contents, picture_renditions, picture_texts, pictures};
use crate::store::search::Search;
use crate::store::values::one_of;
use crate::store::{Db, StoreError, page};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use soapstone_contracts::media::{PictureState, Rendition, RenditionFormat};
use std::collections::HashMap;

/// That an article shows a picture: by its number, or by the name of the file in its media.
const SHOWN: &str = "(EXISTS (SELECT 1 FROM articles a WHERE a.sku_key = pictures.sku_key) \
                     OR EXISTS (SELECT 1 FROM article_media m WHERE m.file_key = pictures.file_key))";

/// A picture with what the database adds.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub id: i64,
    pub key: String,
    pub version: i64,
    pub changed_at: NaiveDateTime,
    pub record: Picture,
    pub standing: Standing,
}

type Row = (
    (i64, String, String, Option<String>, Option<i32>),
    (String, String, i32, i32, i64),
    (String, Option<String>, i64, NaiveDateTime),
);

macro_rules! columns {
    () => {
        (
            (pictures::id, pictures::file_name, pictures::file_key, pictures::sku_key, pictures::position),
            (pictures::content, pictures::media_type, pictures::width, pictures::height, contents::size),
            (pictures::state, pictures::error, pictures::version, pictures::changed_at),
        )
    };
}

fn loaded(connection: &mut Db, rows: Vec<Row>) -> Result<Vec<Loaded>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.0.0).collect();
    let texts: Vec<(i64, String, String)> = picture_texts::table
        .filter(picture_texts::picture_id.eq_any(&ids))
        .order((picture_texts::picture_id, picture_texts::language))
        .load(connection)?;
    let mut texts = by_owner(texts.into_iter().map(|(id, language, text)| (id, (language, text))));
    let renditions: Vec<(i64, i32, String, i32, i32, i64)> = picture_renditions::table
        .inner_join(contents::table)
        .filter(picture_renditions::picture_id.eq_any(&ids))
        .order((picture_renditions::picture_id, picture_renditions::size, picture_renditions::format))
        .select((
            picture_renditions::picture_id,
            picture_renditions::size,
            picture_renditions::format,
            picture_renditions::width,
            picture_renditions::height,
            contents::size,
        ))
        .load(connection)?;
    let mut renditions = by_owner(renditions.into_iter().filter_map(|(id, size, format, width, height, bytes)| {
        Some((id, Rendition { size, format: one_of(&format)?, width, height, bytes }))
    }));
    let named: Vec<(String, Option<String>)> = rows.iter().map(|row| (row.0.2.clone(), row.0.3.clone())).collect();
    let mut shown = articles::showing(connection, &named)?;
    let pixels = |side: i32| u32::try_from(side).unwrap_or(0);
    let made = rows.into_iter().map(|row| {
        let ((id, file_name, key, sku, position), original, (state, error, version, changed_at)) = row;
        let (sha256, media_type, width, height, bytes) = original;
        let original = Original {
            sha256,
            media_type,
            width: pixels(width),
            height: pixels(height),
            bytes: u64::try_from(bytes).unwrap_or(0),
        };
        let texts = texts.remove(&id).unwrap_or_default();
        let standing = Standing {
            version,
            changed_at,
            state: one_of(&state),
            error,
            articles: shown.remove(&key).unwrap_or_default(),
            renditions: renditions.remove(&id).unwrap_or_default(),
        };
        let record = Picture { file_name, sku, position, texts, original };
        Loaded { id, key, version, changed_at, record, standing }
    });
    Ok(made.collect())
}

/// A picture by the key of its file.
pub(super) fn by_key(connection: &mut Db, key: &str) -> Result<Option<Loaded>, StoreError> {
    let rows: Vec<Row> = pictures::table
        .inner_join(contents::table)
        .filter(pictures::file_key.eq(key))
        .select(columns!())
        .load(connection)?;
    Ok(loaded(connection, rows)?.pop())
}

/// A picture by the name of its file.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, name: &str) -> Result<Option<Loaded>, StoreError> {
    by_key(connection, &crate::domain::pictures::file_key(name))
}

/// A page of pictures in the order of their names, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Loaded>, Option<String>), StoreError> {
    let mut query = pictures::table
        .inner_join(contents::table)
        .order(pictures::file_key)
        .limit(filter.limit + 1)
        .select(columns!())
        .into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(pictures::state.eq(state.as_str()));
    }
    match filter.orphan {
        Some(true) => query = query.filter(sql::<Bool>(&format!("NOT {SHOWN}"))),
        Some(false) => query = query.filter(sql::<Bool>(SHOWN)),
        None => {}
    }
    if let Some(text) = &filter.text {
        query = query.filter(Search::new(text)?.is_in("pictures.file_key"));
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(pictures::changed_at.ge(since));
    }
    if let Some(after) = &filter.after {
        query = query.filter(pictures::file_key.gt(after));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let next = rows.last().filter(|_| more).map(|row| row.0.2.clone());
    Ok((loaded(connection, rows)?, next))
}

/// The pictures of an article: its own by their positions, then those that its media name, in their order.
///
/// # Errors
/// Those of the database.
pub fn of_article(connection: &mut Db, sku: &str) -> Result<Vec<Loaded>, StoreError> {
    let named = articles::named_in_media(connection, sku)?;
    let rows: Vec<Row> = pictures::table
        .inner_join(contents::table)
        .filter(pictures::sku_key.eq(compared(sku)).or(pictures::file_key.eq_any(&named)))
        .select(columns!())
        .load(connection)?;
    let mut found = loaded(connection, rows)?;
    let place = |picture: &Loaded| {
        let own = picture.record.sku.as_deref() == Some(compared(sku).as_str());
        let in_media = named.iter().position(|file| *file == picture.key);
        if own { (0, picture.record.position.unwrap_or(0), 0) } else { (1, 0, in_media.unwrap_or(usize::MAX)) }
    };
    found.sort_by_key(place);
    Ok(found)
}

/// The picture that stands for each of some articles, by the article's number: the first of its own that is ready, else
/// the first that its media name.
///
/// # Errors
/// Those of the database.
pub fn first_of<'a>(
    connection: &mut Db,
    articles: impl Iterator<Item = &'a Article>,
) -> Result<HashMap<String, String>, StoreError> {
    // Each article with the keys of its pictures.
    let wanted: Vec<(&str, String, Vec<String>)> = articles
        .map(|article| {
            let media = article.media.iter().map(|media| file_key(&media.location));
            (article.sku.as_str(), compared(&article.sku), media.collect())
        })
        .collect();
    let own: Vec<&str> = wanted.iter().map(|(_, key, _)| key.as_str()).collect();
    let named: Vec<&str> = wanted.iter().flat_map(|(_, _, files)| files.iter().map(String::as_str)).collect();
    type Row = (String, String, Option<String>);
    let found: Vec<Row> = pictures::table
        .filter(pictures::state.eq(PictureState::Ready.as_str()))
        .filter(pictures::sku_key.eq_any(own).or(pictures::file_key.eq_any(named)))
        .order((pictures::position, pictures::file_key))
        .select((pictures::file_name, pictures::file_key, pictures::sku_key))
        .load(connection)?;
    let mut of_article: HashMap<&str, &str> = HashMap::new();
    let mut by_file: HashMap<&str, &str> = HashMap::new();
    for (name, file, sku) in &found {
        by_file.insert(file, name);
        if let Some(sku) = sku {
            of_article.entry(sku).or_insert(name);
        }
    }
    let shown = wanted.iter().filter_map(|(sku, key, files)| {
        let named = || files.iter().find_map(|file| by_file.get(file.as_str()));
        let name = of_article.get(key.as_str()).or_else(named)?;
        Some(((*sku).to_owned(), (*name).to_owned()))
    });
    Ok(shown.collect())
}

/// A rendition as it is kept.
pub struct RenditionRow {
    pub media_type: String,
    pub width: i32,
    pub height: i32,
    pub sha256: String,
}

/// The original of a picture; None: there is no such picture.
///
/// # Errors
/// Those of the database.
pub fn original(connection: &mut Db, name: &str) -> Result<Option<RenditionRow>, StoreError> {
    let found: Option<(String, i32, i32, String)> = pictures::table
        .filter(pictures::file_key.eq(crate::domain::pictures::file_key(name)))
        .select((pictures::media_type, pictures::width, pictures::height, pictures::content))
        .first(connection)
        .optional()?;
    Ok(found.map(|(media_type, width, height, sha256)| RenditionRow { media_type, width, height, sha256 }))
}

/// The rendition of a picture that serves for a size: the next larger one, or else the largest. None: there is none yet.
///
/// # Errors
/// Those of the database.
pub fn rendition(
    connection: &mut Db,
    name: &str,
    size: i32,
    format: RenditionFormat,
) -> Result<Option<RenditionRow>, StoreError> {
    let rows: Vec<(i32, i32, i32, String)> = picture_renditions::table
        .inner_join(pictures::table.on(picture_renditions::picture_id.eq(pictures::id)))
        .filter(pictures::file_key.eq(crate::domain::pictures::file_key(name)))
        .filter(picture_renditions::format.eq(format.as_str()))
        .order(picture_renditions::size)
        .select((
            picture_renditions::size,
            picture_renditions::width,
            picture_renditions::height,
            picture_renditions::content,
        ))
        .load(connection)?;
    let place = rows.iter().position(|row| row.0 >= size).unwrap_or(rows.len().saturating_sub(1));
    let media_type = match format {
        RenditionFormat::Jpeg => "image/jpeg",
        RenditionFormat::Webp => "image/webp",
    };
    let row = rows.into_iter().nth(place);
    Ok(row.map(|(_, width, height, sha256)| RenditionRow { media_type: media_type.to_owned(), width, height, sha256 }))
}

/// The contents of the renditions of pictures.
pub(super) fn contents_of(connection: &mut Db, ids: &[i64]) -> Result<Vec<String>, StoreError> {
    let used = picture_renditions::table.filter(picture_renditions::picture_id.eq_any(ids));
    Ok(used.select(picture_renditions::content).load(connection)?)
}

/// How far the pictures are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    pub waiting: i64,
    pub ready: i64,
    pub failed: i64,
    pub orphans: i64,
    pub in_last_minute: i64,
}

/// Counts how far the pictures are.
///
/// # Errors
/// Those of the database.
pub fn progress(connection: &mut Db, now: NaiveDateTime) -> Result<Progress, StoreError> {
    let counted: Vec<(String, i64)> = pictures::table
        .group_by(pictures::state)
        .select((pictures::state, diesel::dsl::count_star()))
        .load(connection)?;
    let count = |state: PictureState| counted.iter().find(|(s, _)| s == state.as_str()).map_or(0, |(_, count)| *count);
    let orphans = pictures::table.filter(sql::<Bool>(&format!("NOT {SHOWN}"))).count().get_result(connection)?;
    let in_last_minute =
        pictures::table.filter(pictures::ready_at.ge(now - TimeDelta::minutes(1))).count().get_result(connection)?;
    Ok(Progress {
        waiting: count(PictureState::Waiting),
        ready: count(PictureState::Ready),
        failed: count(PictureState::Failed),
        orphans,
        in_last_minute,
    })
}
