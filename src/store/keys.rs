//! Records by their keys, in whatever table they are.

use super::{Db, StoreError};
use diesel::prelude::*;
use diesel::sql_types::Text;

/// The ids of a table's rows by their keys, a query for each [`LOOKUP`](super::LOOKUP) of them.
macro_rules! ids_by_key {
    ($connection:expr, $table:ident, $key:ident, $keys:expr) => {{
        let keys = $keys;
        let mut ids: std::collections::HashMap<String, i64> = std::collections::HashMap::with_capacity(keys.len());
        for keys in keys.chunks($crate::store::LOOKUP) {
            let found: Vec<(String, i64)> =
                $table::table.filter($table::$key.eq_any(keys)).select(($table::$key, $table::id)).load($connection)?;
            ids.extend(found);
        }
        ids
    }};
}
pub(super) use ids_by_key;

/// Deletes rows by their keys, one by one; says of each whether it was there.
pub(super) fn delete(
    connection: &mut Db,
    table: &str,
    column: &str,
    keys: impl Iterator<Item = String>,
) -> Result<Vec<bool>, StoreError> {
    let sql = format!("DELETE FROM {table} WHERE {column} = $1");
    keys.map(|key| Ok(diesel::sql_query(&sql).bind::<Text, _>(key).execute(connection)? > 0)).collect()
}
