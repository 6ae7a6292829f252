//! What the planner of the database knows of its tables.

use super::{Db, Engine, StoreError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

#[derive(QueryableByName)]
struct Grown {
    #[diesel(sql_type = Nullable<Text>)]
    tables: Option<String>,
}

/// Tables that have grown by more than a tenth since the planner last looked at them, which it does now and then by itself, but not
/// soon enough for who imports again at once. Small ones are planned for well enough as they are.
const GROWN: &str = "SELECT string_agg(format('%I', relname), ', ') AS tables FROM pg_class WHERE relkind = 'r' \
     AND relnamespace = current_schema()::regnamespace AND pg_get_userbyid(relowner) = current_user \
     AND pg_relation_size(oid) > greatest(relpages, 16) * 9000::bigint";

/// Tells the planner what came in, after an import.
///
/// # Errors
/// Those of the database.
pub fn refresh(connection: &mut Db) -> Result<(), StoreError> {
    match connection.engine() {
        Engine::Sqlite => connection.batch_execute("PRAGMA optimize")?,
        Engine::Postgres => {
            let grown: Grown = diesel::sql_query(GROWN).get_result(connection)?;
            if let Some(tables) = grown.tables {
                connection.batch_execute(&format!("ANALYZE {tables}"))?;
            }
        }
    }
    Ok(())
}
