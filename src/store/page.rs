//! Pages of lists: a query asks for one more than a page has, to see whether there are more.

/// Cuts what is beyond the page, and says whether there was any.
pub(super) fn cut<T>(rows: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}
