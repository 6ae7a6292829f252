//! Change numbers: which records changed since a reader was here last, whatever the clock does.
//!
//! Every transaction that changes records numbers them: higher than all transactions before it. SQLite has one writer at a time, so a
//! counter in the database does; PostgreSQL numbers by transaction, and a reader stops below the oldest transaction that still runs.
//! Migrations have the triggers; `docs/change-numbers.md` explains the guarantee and its limits.

use super::{Db, StoreError};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel::sqlite::SqliteConnection;

/// The tables whose rows are numbered: those with a `change_number`.
const NUMBERED: [&str; 18] = [
    "accounting_groups",
    "article_documents",
    "article_stocks",
    "articles",
    "attribute_definitions",
    "categories",
    "customer_groups",
    "customers",
    "line_discounts",
    "manufacturers",
    "orders",
    "pictures",
    "price_entries",
    "serial_numbers",
    "signal_targets",
    "units",
    "vouchers",
    "warehouses",
];

/// The column of the number.
pub(super) const COLUMN: &str = "change_number";

/// On SQLite: the number that [`start`] made, as a value of an insert.
pub(super) const CURRENT: &str = "(SELECT number FROM change_sequence)";

/// Changes with numbers in `(after, until]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeRange {
    pub after: i64,
    pub until: i64,
}

impl ChangeRange {
    pub fn contains(self, number: i64) -> bool {
        number > self.after && number <= self.until
    }

    /// The condition that a row of a table changed within the range.
    pub(super) fn of_table(self, table: &str) -> SqlLiteral<Bool> {
        let Self { after, until } = self;
        sql::<Bool>(&format!("({table}.{COLUMN} > {after} AND {table}.{COLUMN} <= {until})"))
    }
}

/// Whether rows of a table are numbered.
pub(super) fn is_numbered(table: &str) -> bool {
    NUMBERED.contains(&table)
}

/// Starts a new number on SQLite, in the transaction that is open.
pub(super) fn start(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    diesel::sql_query("UPDATE change_sequence SET number = number + 1").execute(connection)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The number up to which all changes are complete: none with it or a lower one will appear later.
///
/// # Errors
/// Returns a [`StoreError`] if the query fails.
pub fn complete_until(connection: &mut Db) -> Result<i64, StoreError> {
    let query = match connection {
        Db::Sqlite(_) => "SELECT number FROM change_sequence",
        Db::Postgres(_) => "SELECT complete_change_number() AS number",
    };
    Ok(diesel::sql_query(query).get_result::<Number>(connection)?.number)
}

#[derive(QueryableByName)]
struct Raised {
    #[diesel(sql_type = Bool)]
    raised: bool,
}

/// Ensures on PostgreSQL that new numbers exceed the stored ones, also after a dump was restored into another cluster.
pub(super) fn keep_ascending(connection: &mut PgConnection) -> Result<(), StoreError> {
    let query = diesel::sql_query("SELECT keep_change_numbers_ascending() AS raised");
    if query.get_result::<Raised>(connection)?.raised {
        log::warn!("Raised the change numbers: the database was moved here from another cluster");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use diesel::sql_types::Text;

    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }

    fn opened() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("numbers.sqlite").to_string_lossy(), 1).unwrap();
        store.migrate().unwrap();
        (folder, store)
    }

    #[test]
    fn the_numbered_tables_are_those_of_the_schema() {
        let (_folder, store) = opened();
        let mut db = store.connection().unwrap();
        let names = |db: &mut Db, sql: &str| -> Vec<String> {
            diesel::sql_query(sql).load::<Name>(db).unwrap().into_iter().map(|row| row.name).collect()
        };
        let with = |column: &str| {
            format!(
                "SELECT m.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' \
                 AND c.name = '{column}' AND m.name NOT LIKE 'export_marks' ORDER BY m.name"
            )
        };
        assert_eq!(names(&mut db, &with(COLUMN)), NUMBERED);
        // What says when it changed is numbered too.
        for name in names(&mut db, &with("changed_at")) {
            assert!(is_numbered(&name), "{name} has no change number");
        }
    }

    /// Whatever statement writes, the rows get a higher number than all before; what is not visible to callers gets none.
    #[test]
    fn every_way_to_write_numbers_the_rows() {
        let (_folder, store) = opened();
        let mut db = store.connection().unwrap();
        let mut last = complete_until(&mut db).unwrap();
        let number = |db: &mut Db| {
            let sql = "SELECT change_number AS number FROM articles WHERE sku_key = 'A'";
            diesel::sql_query(sql).get_result::<Number>(db).unwrap().number
        };
        let insert = "INSERT INTO articles (sku, sku_key, active, version, changed_at) VALUES ('A', 'A', TRUE, 1, '2026-01-01 00:00:00')";
        for statement in [
            insert,
            "UPDATE articles SET version = version + 1",
            // The same version again, as of two transactions that both made the record.
            "UPDATE articles SET version = version",
        ] {
            db.write(|db| Ok(diesel::sql_query(statement).execute(db)?)).unwrap();
            let now = number(&mut db);
            assert!(now > last && now == complete_until(&mut db).unwrap(), "{statement}: {now} after {last}");
            last = now;
        }
        db.write(|db| Ok(diesel::sql_query("UPDATE articles SET text_digest = 'x'").execute(db)?)).unwrap();
        assert_eq!(number(&mut db), last);
    }
}
