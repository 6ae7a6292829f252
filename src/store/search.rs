//! Searching for a text, whatever its case.

use crate::domain::folded;
use diesel::dsl::{Escape, Like, sql};
use diesel::expression::SqlLiteral;
use diesel::sql_types::Text;
use diesel::{EscapeExpressionMethods, TextExpressionMethods};

/// That a column contains a text.
pub(super) fn holds(column: &str, text: &str) -> Escape<Like<SqlLiteral<Text>, String>> {
    sql::<Text>(&format!("folded({column})")).like(pattern(text)).escape('\\')
}

/// What `LIKE` finds the text by, wherever it stands; its escape is the backslash.
pub(super) fn pattern(text: &str) -> String {
    format!("%{}%", escaped(&folded(text)))
}

/// The same of a text that is at the beginning, in the same case.
pub(super) fn beginning(text: &str) -> String {
    format!("{}%", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
