//! Searching for a text, whatever its case.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::Text;

/// A column in lower case.
pub(super) fn lower(column: &str) -> SqlLiteral<Text> {
    sql::<Text>(&format!("lower({column})"))
}

/// What `LIKE` finds the text by, wherever it stands; its escape is the backslash.
pub(super) fn pattern(text: &str) -> String {
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
