//! Records that a transaction is about to change.

use super::{Db, LOOKUP, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

/// Holds records until the transaction ends, so that what is read of them is still so when they are written. On SQLite
/// whoever writes has the database alone. A change that wants a record to be new (`expected` is 0) holds its key, as
/// there is no row to hold.
pub(super) fn records(
    connection: &mut Db,
    table: &str,
    column: &str,
    keys: &[(&str, Option<i64>)],
) -> Result<(), StoreError> {
    let Db::Postgres(postgres) = connection else { return Ok(()) };
    let mut new: Vec<&str> = keys.iter().filter(|(_, expected)| *expected == Some(0)).map(|(key, _)| *key).collect();
    new.sort_unstable();
    new.dedup();
    for key in new {
        hold(postgres, &format!("{table} {key}"))?;
    }
    let mut all: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
    all.sort_unstable();
    for keys in all.chunks(LOOKUP) {
        // In one order, so that two never wait for each other.
        let sql = format!("SELECT 1 FROM {table} WHERE {column} = ANY ($1) ORDER BY {column} FOR UPDATE");
        diesel::sql_query(sql).bind::<Array<Text>, _>(keys).execute(postgres)?;
    }
    Ok(())
}

/// Lets nobody else do what is called `what` until the transaction ends.
pub(super) fn alone(connection: &mut Db, what: &str) -> Result<(), StoreError> {
    let Db::Postgres(postgres) = connection else { return Ok(()) };
    hold(postgres, what)
}

fn hold(postgres: &mut PgConnection, name: &str) -> Result<(), StoreError> {
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    diesel::sql_query(sql).bind::<Text, _>(name).execute(postgres)?;
    Ok(())
}
