//! Files that all nodes have to reach, by their content: kept in pieces, so that none is in memory as a whole.

use super::schema::{spooled, spooled_pieces};
use super::{Db, StoreError};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

/// Bytes of a piece.
pub const PIECE: usize = 1 << 20;

/// Whether a file is there as a whole.
///
/// # Errors
/// Those of the database.
pub fn has(connection: &mut Db, sha256: &str) -> Result<bool, StoreError> {
    let found = spooled::table.find(sha256).select(spooled::whole).first(connection).optional()?;
    Ok(found.unwrap_or(false))
}

/// Begins a file, unless somebody has.
///
/// # Errors
/// Those of the database.
pub fn begin(connection: &mut Db, sha256: &str, size: i64, now: NaiveDateTime) -> Result<(), StoreError> {
    let values =
        (spooled::sha256.eq(sha256), spooled::size.eq(size), spooled::whole.eq(false), spooled::created_at.eq(now));
    let insert = diesel::insert_into(spooled::table).values(values).on_conflict_do_nothing();
    match connection {
        Db::Sqlite(sqlite) => insert.execute(sqlite)?,
        Db::Postgres(postgres) => insert.execute(postgres)?,
    };
    Ok(())
}

/// Puts a piece, unless it is there.
///
/// # Errors
/// Those of the database.
pub fn put(connection: &mut Db, sha256: &str, number: i64, content: &[u8]) -> Result<(), StoreError> {
    let values =
        (spooled_pieces::sha256.eq(sha256), spooled_pieces::number.eq(number), spooled_pieces::content.eq(content));
    let insert = diesel::insert_into(spooled_pieces::table).values(values).on_conflict_do_nothing();
    match connection {
        Db::Sqlite(sqlite) => insert.execute(sqlite)?,
        Db::Postgres(postgres) => insert.execute(postgres)?,
    };
    Ok(())
}

/// Says that all pieces are there.
///
/// # Errors
/// Those of the database.
pub fn complete(connection: &mut Db, sha256: &str) -> Result<(), StoreError> {
    diesel::update(spooled::table.find(sha256)).set(spooled::whole.eq(true)).execute(connection)?;
    Ok(())
}

/// A piece of a file; None after the last.
///
/// # Errors
/// Those of the database.
pub fn piece(connection: &mut Db, sha256: &str, number: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let found = spooled_pieces::table.find((sha256, number)).select(spooled_pieces::content);
    Ok(found.first(connection).optional()?)
}

/// Forgets files that no run has, and that are older than a time.
///
/// # Errors
/// Those of the database.
pub fn sweep(connection: &mut Db, before: NaiveDateTime) -> Result<usize, StoreError> {
    let sql = "DELETE FROM spooled WHERE created_at < $1 \
               AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.source_sha256 = spooled.sha256)";
    Ok(diesel::sql_query(sql).bind::<Timestamp, _>(before).execute(connection)?)
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Whether a run has that file.
///
/// # Errors
/// Those of the database.
pub fn is_used(connection: &mut Db, sha256: &str) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) AS count FROM runs WHERE source_sha256 = $1";
    let found: Found = diesel::sql_query(sql).bind::<diesel::sql_types::Text, _>(sha256).get_result(connection)?;
    Ok(found.count > 0)
}
