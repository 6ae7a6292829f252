//! Files, each content once.

use super::schema::contents;
use super::{Db, StoreError};
use crate::domain::hex;
use diesel::prelude::*;
use openssl::sha::sha256;

/// Keeps a content; gives the SHA-256 that it is found by.
///
/// # Errors
/// Those of the database.
pub(super) fn keep(connection: &mut Db, bytes: &[u8]) -> Result<String, StoreError> {
    let key = hex(&sha256(bytes));
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let values = (contents::sha256.eq(&key), contents::size.eq(size), contents::bytes.eq(bytes));
    let insert = diesel::insert_into(contents::table).values(values).on_conflict_do_nothing();
    match connection {
        Db::Sqlite(sqlite) => insert.execute(sqlite)?,
        Db::Postgres(postgres) => insert.execute(postgres)?,
    };
    Ok(key)
}

/// A content.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(contents::table.find(key).select(contents::bytes).first(connection).optional()?)
}

/// Forgets contents that nobody uses any more, of those.
///
/// # Errors
/// Those of the database.
pub(super) fn sweep(connection: &mut Db, keys: impl IntoIterator<Item = String>) -> Result<(), StoreError> {
    let sql = "DELETE FROM contents WHERE sha256 = $1 \
               AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.pdf = contents.sha256) \
               AND NOT EXISTS (SELECT 1 FROM pictures p WHERE p.content = contents.sha256) \
               AND NOT EXISTS (SELECT 1 FROM article_documents a WHERE a.content = contents.sha256) \
               AND NOT EXISTS (SELECT 1 FROM picture_renditions r WHERE r.content = contents.sha256)";
    for key in keys.into_iter().collect::<std::collections::BTreeSet<_>>() {
        diesel::sql_query(sql).bind::<diesel::sql_types::Text, _>(key).execute(connection)?;
    }
    Ok(())
}
