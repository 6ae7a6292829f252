//! Pages of lists.

use crate::error::ServiceError;

/// How many records a page has where nobody says.
const DEFAULT_SIZE: i64 = 100;

/// The page's size.
pub(super) fn size(limit: Option<i32>) -> i64 {
    limit.map_or(DEFAULT_SIZE, i64::from)
}

/// A cursor that is a number.
pub(super) fn number(cursor: Option<&str>) -> Result<Option<i64>, ServiceError> {
    let Some(cursor) = cursor.filter(|c| !c.is_empty()) else { return Ok(None) };
    let unknown = || {
        ServiceError::invalid("page.unknown_cursor", "The cursor is not one that was given out; begin without one")
            .of("cursor", cursor)
    };
    cursor.parse().map(Some).map_err(|_| unknown())
}
