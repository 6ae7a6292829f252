//! Searching for a text, whatever its case.

use super::StoreError;
use crate::domain::folded;
use crate::error::ServiceError;
use diesel::dsl::{Escape, Like, sql};
use diesel::expression::SqlLiteral;
use diesel::sql_types::Text;
use diesel::{EscapeExpressionMethods, TextExpressionMethods};

/// How many characters of text are searched for.
pub const MAX_SEARCH_CHARS: usize = 1_000;

/// How many keys, and how many other conditions, a list may be narrowed by.
const MAX_KEYS: usize = 30_000;
const MAX_FILTERS: usize = 50;

/// A text that is searched for.
pub(super) struct Search(String);

impl Search {
    /// # Errors
    /// Returns `query.text_too_long` if the text is longer than [`MAX_SEARCH_CHARS`].
    pub fn new(text: &str) -> Result<Self, StoreError> {
        pattern(text).map(Self)
    }

    /// That a column contains it.
    pub fn is_in(&self, column: &str) -> Escape<Like<SqlLiteral<Text>, String>> {
        sql::<Text>(&format!("folded({column})")).like(self.0.clone()).escape('\\')
    }
}

/// What `LIKE` finds the text by, wherever it stands; its escape is the backslash.
///
/// # Errors
/// As [`Search::new`].
pub(super) fn pattern(text: &str) -> Result<String, StoreError> {
    check_length(text)?;
    Ok(format!("%{}%", escaped(&folded(text))))
}

/// The same, where case matters.
///
/// # Errors
/// As [`Search::new`].
pub(super) fn exact_pattern(text: &str) -> Result<String, StoreError> {
    check_length(text)?;
    Ok(format!("%{}%", escaped(text)))
}

/// The same of a text that is at the beginning, in the same case.
///
/// # Errors
/// As [`Search::new`].
pub(super) fn beginning(text: &str) -> Result<String, StoreError> {
    check_length(text)?;
    Ok(format!("{}%", escaped(text)))
}

/// Checks how many keys a list is narrowed to: a statement takes so many values only.
///
/// # Errors
/// Returns `query.too_many` if there are more than [`MAX_KEYS`].
pub(super) fn check_keys(keys: usize) -> Result<(), StoreError> {
    check_count(keys, MAX_KEYS, "keys")
}

/// Checks how many conditions a list is narrowed by: each is a query within the query.
///
/// # Errors
/// Returns `query.too_many` if there are more than [`MAX_FILTERS`].
pub(super) fn check_filters(filters: usize) -> Result<(), StoreError> {
    check_count(filters, MAX_FILTERS, "conditions")
}

fn check_count(count: usize, most: usize, what: &str) -> Result<(), StoreError> {
    if count <= most {
        return Ok(());
    }
    let message = format!("The query has {count} {what}, and may have {most}; send several");
    Err(ServiceError::invalid("query.too_many", message).into())
}

/// Databases take patterns up to some length only, and compare long ones slowly.
fn check_length(text: &str) -> Result<(), StoreError> {
    if text.chars().nth(MAX_SEARCH_CHARS).is_none() {
        return Ok(());
    }
    let message = format!("The text to search for is longer than {MAX_SEARCH_CHARS} characters");
    Err(ServiceError::invalid("query.text_too_long", message).of("text", "").into())
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_not_searched_for() {
        assert!(pattern(&"ä".repeat(MAX_SEARCH_CHARS)).is_ok());
        let code = |result: Result<String, StoreError>| match result {
            Err(StoreError::Refused(error)) => error.code(),
            other => panic!("{other:?}"),
        };
        let long = "_".repeat(MAX_SEARCH_CHARS + 1);
        for result in [pattern(&long), exact_pattern(&long), beginning(&long)] {
            assert_eq!(code(result), "query.text_too_long");
        }
        assert!(Search::new(&long).is_err());
    }
}
