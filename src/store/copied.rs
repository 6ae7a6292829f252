//! Many rows into PostgreSQL: by COPY into a staging table of the session, and from there into their table in one statement.

use super::StoreError;
use super::bulk::{Cell, Column, Table, on_conflict};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicI32, Ordering};

/// Makes the staging table of a session; what a transaction has put into it is gone with the transaction.
pub(super) const STAGING: &str = "CREATE TEMP TABLE IF NOT EXISTS bulk_staging (batch integer, c1 text, c2 text, c3 text, c4 text, \
     c5 text, c6 text, c7 text, c8 text, c9 text, c10 text, c11 text, c12 text, c13 text, c14 text, c15 text, c16 text, \
     c17 text, c18 text, c19 text, c20 text, c21 text, c22 text, c23 text, c24 text, c25 text, c26 text, c27 text, c28 text, \
     c29 text, c30 text, c31 text) ON COMMIT DELETE ROWS;";

/// How many columns of a table there is room for.
const WIDEST: usize = 31;

/// From how many rows on it is worth the three statements.
const FEWEST: usize = 128;

diesel::table! {
    bulk_staging (batch) {
        batch -> Integer,
        c1 -> Nullable<Text>,
        c2 -> Nullable<Text>,
        c3 -> Nullable<Text>,
        c4 -> Nullable<Text>,
        c5 -> Nullable<Text>,
        c6 -> Nullable<Text>,
        c7 -> Nullable<Text>,
        c8 -> Nullable<Text>,
        c9 -> Nullable<Text>,
        c10 -> Nullable<Text>,
        c11 -> Nullable<Text>,
        c12 -> Nullable<Text>,
        c13 -> Nullable<Text>,
        c14 -> Nullable<Text>,
        c15 -> Nullable<Text>,
        c16 -> Nullable<Text>,
        c17 -> Nullable<Text>,
        c18 -> Nullable<Text>,
        c19 -> Nullable<Text>,
        c20 -> Nullable<Text>,
        c21 -> Nullable<Text>,
        c22 -> Nullable<Text>,
        c23 -> Nullable<Text>,
        c24 -> Nullable<Text>,
        c25 -> Nullable<Text>,
        c26 -> Nullable<Text>,
        c27 -> Nullable<Text>,
        c28 -> Nullable<Text>,
        c29 -> Nullable<Text>,
        c30 -> Nullable<Text>,
        c31 -> Nullable<Text>,
    }
}

/// Copies rows, as COPY has them in text, straight into a table.
pub(super) type Straight = fn(&mut PgConnection, &str) -> QueryResult<usize>;

/// The way straight into a table whose columns are in the order of the schema, or into these columns of it.
macro_rules! straight {
    ($table:ident) => {
        $crate::store::copied::straight!($table, $table::table)
    };
    ($table:ident: $($column:ident)+) => {
        $crate::store::copied::straight!($table, ($($table::$column),+))
    };
    ($table:ident, $columns:expr) => {
        |connection, text| {
            use diesel::prelude::*;
            let copy = diesel::copy_from($table::table).from_raw_data($columns, |out: &mut dyn std::io::Write| {
                out.write_all(text.as_bytes()).map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))
            });
            copy.execute(connection)
        }
    };
}
pub(super) use straight;

/// Elsewhere each statement is planned for the tables as they are; for many rows that would be the look behind the foreign key of each
/// one, which took twice as long as all else. Planned once, it has to go by the index, however small the table is just now.
const PLAN_ONCE: &str = "SET LOCAL plan_cache_mode = auto; SET LOCAL enable_seqscan = off";

/// As it is for all other statements.
const PLAN_EACH: &str = "SET LOCAL enable_seqscan = on; SET LOCAL plan_cache_mode = force_custom_plan";

/// Puts rows into their table that are certain to be new.
pub(super) fn put_new(
    connection: &mut PgConnection,
    straight: Straight,
    table: &Table,
    cells: &[Cell<'_>],
) -> Result<(), StoreError> {
    let mut text = String::new();
    for row in cells.chunks(table.columns.len()) {
        for (n, cell) in row.iter().enumerate() {
            if n > 0 {
                text.push('\t');
            }
            append(&mut text, cell);
        }
        text.push('\n');
    }
    connection.batch_execute(PLAN_ONCE)?;
    straight(connection, &text)?;
    connection.batch_execute(PLAN_EACH)?;
    Ok(())
}

/// Puts in rows that are most likely new; false: one was not, and nothing is put in.
pub(super) fn try_new(
    connection: &mut PgConnection,
    straight: Straight,
    table: &Table,
    cells: &[Cell<'_>],
) -> Result<bool, StoreError> {
    match connection.transaction(|connection| put_new(connection, straight, table, cells)) {
        Ok(()) => Ok(true),
        Err(StoreError::Database(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Whether rows of a table are many enough, and narrow enough.
pub(super) fn is_worth_it(table: &Table, cells: usize) -> bool {
    let width = table.columns.len();
    width <= WIDEST && cells >= FEWEST * width
}

/// Puts rows into their table, replacing those of the same key.
pub(super) fn put(connection: &mut PgConnection, table: &Table, cells: &[Cell<'_>]) -> Result<(), StoreError> {
    // What was put before in the same transaction is still there.
    static BATCH: AtomicI32 = AtomicI32::new(0);
    let batch = BATCH.fetch_add(1, Ordering::Relaxed);
    let width = table.columns.len();
    diesel::copy_from(bulk_staging::table)
        .from_raw_data(bulk_staging::table, |out: &mut dyn Write| {
            let mut text = String::new();
            for row in cells.chunks(width) {
                let _ = write!(text, "{batch}");
                for cell in row {
                    text.push('\t');
                    append(&mut text, cell);
                }
                for _ in width..WIDEST {
                    text.push_str("\t\\N");
                }
                text.push('\n');
            }
            out.write_all(text.as_bytes()).map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))
        })
        .execute(connection)?;
    let names: Vec<&str> = table.columns.iter().map(|column| column.name()).collect();
    let values: Vec<String> =
        table.columns.iter().zip(1..).map(|(column, n)| format!("c{n}{}", cast(*column))).collect();
    let sql = format!(
        "{PLAN_ONCE}; INSERT INTO {} ({}) SELECT {} FROM bulk_staging WHERE batch = {batch}{}; {PLAN_EACH}",
        table.name,
        names.join(", "),
        values.join(", "),
        on_conflict(table)
    );
    connection.batch_execute(&sql)?;
    Ok(())
}

fn cast(column: Column) -> &'static str {
    match column {
        Column::Text(_) => "",
        Column::Integer(_) => "::bigint",
        Column::Boolean(_) => "::boolean",
        Column::Time(_) => "::timestamp",
        Column::Date(_) => "::date",
        Column::Number(_) => "::double precision",
    }
}

/// A value as COPY has it in text; an absent one is `\N`.
fn append(out: &mut String, cell: &Cell<'_>) {
    let absent = |out: &mut String| out.push_str("\\N");
    // Writing to a string does not fail.
    let _ = match cell {
        Cell::Text(Some(text)) => {
            let mut rest = &text[..];
            // Most texts go as a whole.
            while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r')) {
                let (before, after) = rest.split_at(at);
                out.push_str(before);
                out.push_str(match after.as_bytes().first() {
                    Some(b'\t') => "\\t",
                    Some(b'\n') => "\\n",
                    Some(b'\r') => "\\r",
                    _ => "\\\\",
                });
                rest = after.get(1..).unwrap_or_default();
            }
            out.push_str(rest);
            Ok(())
        }
        Cell::Integer(Some(number)) => write!(out, "{number}"),
        Cell::Boolean(Some(value)) => write!(out, "{value}"),
        Cell::Time(Some(at)) => write!(out, "{at}"),
        Cell::Date(Some(day)) => write!(out, "{day}"),
        Cell::Number(Some(number)) => write!(out, "{number:?}"),
        Cell::Text(None)
        | Cell::Integer(None)
        | Cell::Boolean(None)
        | Cell::Time(None)
        | Cell::Date(None)
        | Cell::Number(None) => {
            absent(out);
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_copy_has_them() {
        let written = |cell: Cell<'_>| {
            let mut out = String::new();
            append(&mut out, &cell);
            out
        };
        assert_eq!(written(Cell::Text(Some("a\tb\\N\r\nü".into()))), "a\\tb\\\\N\\r\\nü");
        assert_eq!(written(Cell::Text(Some("\\.".into()))), "\\\\.");
        assert_eq!(
            (written(Cell::Text(None)), written(Cell::Text(Some("".into())))),
            ("\\N".to_owned(), String::new())
        );
        assert_eq!(written(Cell::Integer(Some(-7))), "-7");
        assert_eq!(written(Cell::Number(Some(1e-7))), "1e-7");
        let at = chrono::DateTime::from_timestamp(1_700_000_000, 123_456_000).map(|at| at.naive_utc());
        assert_eq!(written(Cell::Time(at)), "2023-11-14 22:13:20.123456");
    }
}
