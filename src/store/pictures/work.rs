//! The making of sizes: who has which picture in hand, and what came of it.

use super::{articles, contents, load};
use crate::domain::pictures::{Made, NamePattern, Named};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::schema::{articles as article_table, picture_renditions, pictures};
use crate::store::{ChangeRange, Db, StoreError};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Timestamp};
use soapstone_contracts::media::PictureState;

const RENDITIONS: Table = Table {
    name: "picture_renditions",
    columns: &[
        Column::Integer("picture_id"),
        Column::Integer("size"),
        Column::Text("format"),
        Column::Integer("width"),
        Column::Integer("height"),
        Column::Text("content"),
    ],
    key: &[],
};

/// How often a picture is tried that ends the program each time.
const ATTEMPTS: i32 = 3;

/// A picture that somebody has in hand.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: i64,
    pub file_name: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// Lets a new content wait for its sizes; those of the same content are taken over.
pub(super) fn begin(connection: &mut Db, id: i64, sha256: &str, now: NaiveDateTime) -> Result<(), StoreError> {
    diesel::delete(picture_renditions::table.filter(picture_renditions::picture_id.eq(id))).execute(connection)?;
    let twin: Option<i64> = pictures::table
        .filter(pictures::content.eq(sha256))
        .filter(pictures::state.eq(PictureState::Ready.as_str()))
        .filter(pictures::id.ne(id))
        .select(pictures::id)
        .first(connection)
        .optional()?;
    if let Some(twin) = twin {
        let copied = diesel::sql_query(
            "INSERT INTO picture_renditions (picture_id, size, format, width, height, content) \
             SELECT $1, size, format, width, height, content FROM picture_renditions WHERE picture_id = $2",
        );
        copied.bind::<BigInt, _>(id).bind::<BigInt, _>(twin).execute(connection)?;
    }
    let (state, ready_at) =
        if twin.is_some() { (PictureState::Ready, Some(now)) } else { (PictureState::Waiting, None) };
    diesel::update(pictures::table.find(id))
        .set((
            pictures::state.eq(state.as_str()),
            pictures::error.eq(None::<String>),
            pictures::attempts.eq(0),
            pictures::leased_until.eq(None::<NaiveDateTime>),
            pictures::ready_at.eq(ready_at),
        ))
        .execute(connection)?;
    Ok(())
}

/// Takes the next picture that waits, for so long. None: none waits.
///
/// # Errors
/// Those of the database; nothing is taken then.
pub fn claim(connection: &mut Db, now: NaiveDateTime, lease: TimeDelta) -> Result<Option<Claimed>, StoreError> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let locking = if matches!(connection, Db::Postgres(_)) { "FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "SELECT id FROM pictures WHERE state = 'waiting' AND (leased_until IS NULL OR leased_until <= $1) \
         ORDER BY id LIMIT 1 {locking}"
    );
    let next: Option<Next> = diesel::sql_query(sql).bind::<Timestamp, _>(now).get_result(connection).optional()?;
    let Some(Next { id }) = next else { return Ok(None) };
    let (file_name, sha256, attempts): (String, String, i32) = pictures::table
        .find(id)
        .select((pictures::file_name, pictures::content, pictures::attempts))
        .first(connection)?;
    if attempts >= ATTEMPTS {
        failed(connection, id, &sha256, "the making of its sizes was broken off again and again")?;
        return claim(connection, now, lease);
    }
    diesel::update(pictures::table.find(id))
        .set((pictures::attempts.eq(attempts + 1), pictures::leased_until.eq(now + lease)))
        .execute(connection)?;
    let bytes = contents::get(connection, &sha256)?.unwrap_or_default();
    Ok(Some(Claimed { id, file_name, sha256, bytes }))
}

/// Keeps what was made of a picture, if it is still that picture.
///
/// # Errors
/// Those of the database; nothing is kept then.
pub fn ready(connection: &mut Db, claimed: &Claimed, made: &[Made], now: NaiveDateTime) -> Result<(), StoreError> {
    if !is_still(connection, claimed.id, &claimed.sha256)? {
        return Ok(());
    }
    let old = load::contents_of(connection, &[claimed.id])?;
    diesel::delete(picture_renditions::table.filter(picture_renditions::picture_id.eq(claimed.id)))
        .execute(connection)?;
    let mut rows = Rows::default();
    for one in made {
        let content = contents::keep(connection, &one.bytes)?;
        rows.integer(claimed.id)
            .integer(one.size.into())
            .text(one.format.as_str())
            .integer(one.width.into())
            .integer(one.height.into())
            .text(content);
    }
    RENDITIONS.put(connection, &rows)?;
    contents::sweep(connection, old)?;
    diesel::update(pictures::table.find(claimed.id))
        .set((
            pictures::state.eq(PictureState::Ready.as_str()),
            pictures::error.eq(None::<String>),
            pictures::leased_until.eq(None::<NaiveDateTime>),
            pictures::ready_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// Writes down that a picture cannot be read.
///
/// # Errors
/// Those of the database.
pub fn failed(connection: &mut Db, id: i64, sha256: &str, why: &str) -> Result<(), StoreError> {
    if !is_still(connection, id, sha256)? {
        return Ok(());
    }
    diesel::update(pictures::table.find(id))
        .set((
            pictures::state.eq(PictureState::Failed.as_str()),
            pictures::error.eq(why),
            pictures::leased_until.eq(None::<NaiveDateTime>),
        ))
        .execute(connection)?;
    Ok(())
}

fn is_still(connection: &mut Db, id: i64, sha256: &str) -> Result<bool, StoreError> {
    let count: i64 = pictures::table
        .filter(pictures::id.eq(id))
        .filter(pictures::content.eq(sha256))
        .count()
        .get_result(connection)?;
    Ok(count > 0)
}

/// Whether a picture waits for its sizes.
///
/// # Errors
/// Those of the database.
pub fn is_waiting(connection: &mut Db, now: NaiveDateTime) -> Result<bool, StoreError> {
    let next: Option<i64> = pictures::table
        .filter(sql::<Bool>("state = 'waiting'"))
        .filter(pictures::leased_until.is_null().or(pictures::leased_until.le(now)))
        .select(pictures::id)
        .first(connection)
        .optional()?;
    Ok(next.is_some())
}

/// That no article shows a picture, and nobody said which one should.
const LOST: &str =
    "sku_key IS NULL AND NOT EXISTS (SELECT 1 FROM article_media m WHERE m.file_key = pictures.file_key)";

/// Whether there are pictures without an article, and articles that changed within a range.
///
/// # Errors
/// Those of the database.
pub fn has_orphans_and_news(connection: &mut Db, changes: ChangeRange) -> Result<bool, StoreError> {
    let lost: Option<i64> =
        pictures::table.filter(sql::<Bool>(LOST)).select(pictures::id).first(connection).optional()?;
    if lost.is_none() {
        return Ok(false);
    }
    let news: Option<i64> = article_table::table
        .filter(changes.of_table("articles"))
        .select(article_table::id)
        .first(connection)
        .optional()?;
    Ok(news.is_some())
}

/// The pictures without an article that one has come for since.
///
/// # Errors
/// Those of the database.
pub fn found_again(connection: &mut Db, pattern: &NamePattern) -> Result<Vec<(i64, Named)>, StoreError> {
    /// How many are looked at in one go.
    const MANY: i64 = 200;
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let orphans: Vec<(i64, String)> = pictures::table
            .filter(pictures::id.gt(after))
            .filter(sql::<Bool>(LOST))
            .order(pictures::id)
            .limit(MANY)
            .select((pictures::id, pictures::file_name))
            .load(connection)?;
        let Some((last, _)) = orphans.last() else { return Ok(found) };
        after = *last;
        for (id, name) in orphans {
            found.extend(articles::found_now(connection, pattern, &name)?.map(|named| (id, named)));
        }
    }
}

/// Gives pictures to articles, as far as the places are free; gives how many.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn give(connection: &mut Db, found: &[(i64, Named)], now: NaiveDateTime) -> Result<usize, StoreError> {
    let mut given = 0;
    for (id, named) in found {
        let place = pictures::table
            .filter(pictures::sku_key.eq(&named.sku))
            .filter(pictures::position.eq(named.position))
            .count()
            .get_result::<i64>(connection)?;
        if place > 0 {
            continue;
        }
        given += diesel::update(pictures::table.find(id).filter(pictures::sku_key.is_null()))
            .set((
                pictures::sku_key.eq(&named.sku),
                pictures::position.eq(named.position),
                pictures::version.eq(pictures::version + 1),
                pictures::changed_at.eq(now),
            ))
            .execute(connection)?;
    }
    Ok(given)
}
