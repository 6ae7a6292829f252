//! How much room the database takes.

use super::{Db, Engine, StoreError};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Its bytes.
///
/// # Errors
/// Those of the database.
pub fn bytes(db: &mut Db) -> Result<i64, StoreError> {
    let sql = match db.engine() {
        Engine::Sqlite => "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()",
        Engine::Postgres => "SELECT pg_database_size(current_database()) AS bytes",
    };
    Ok(diesel::sql_query(sql).get_result::<Size>(db)?.bytes)
}
