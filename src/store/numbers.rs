//! Numbers from ranges: each is given once, whoever asks on whatever node.

use super::{Db, StoreError};
use crate::domain::numbers::Range;
use crate::error::ServiceError;
use crate::store::schema::number_ranges;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::HashSet;

#[derive(QueryableByName)]
struct Next {
    #[diesel(sql_type = BigInt)]
    next: i64,
}

/// Where a range goes on; it need not have been begun.
pub(super) fn next(connection: &mut Db, range: &Range) -> Result<i64, StoreError> {
    let next: Option<i64> =
        number_ranges::table.find(range.name()).select(number_ranges::next).first(connection).optional()?;
    Ok(next.unwrap_or_else(|| range.first()).max(range.first()))
}

/// Takes as many numbers from a range as are wanted, but those that `taken` knows: somebody brought them along.
pub(super) fn take(
    connection: &mut Db,
    range: &Range,
    wanted: usize,
    exhausted: &'static str,
    taken: impl Fn(&mut Db, &[String]) -> Result<HashSet<String>, StoreError>,
) -> Result<Vec<String>, StoreError> {
    let mut numbers = Vec::with_capacity(wanted);
    let name = range.name();
    let first = range.first();
    if wanted > 0 {
        diesel::sql_query(format!(
            "INSERT INTO number_ranges (name, next) VALUES ($1, {first}) ON CONFLICT DO NOTHING"
        ))
        .bind::<Text, _>(&name)
        .execute(connection)?;
    }
    while numbers.len() < wanted {
        let more = i64::try_from(wanted - numbers.len()).unwrap_or(i64::MAX);
        // In one statement: two that allocate at once wait for each other here.
        let sql = format!(
            "UPDATE number_ranges SET next = CASE WHEN next < {first} THEN {first} ELSE next END + {more} \
             WHERE name = $1 RETURNING next"
        );
        let after: Next = diesel::sql_query(sql).bind::<Text, _>(&name).get_result(connection)?;
        if after.next - 1 > range.last() {
            let message = format!("All numbers of the range {range} are given away; set a longer one");
            return Err(ServiceError::Conflict { code: exhausted, message }.into());
        }
        let new: Vec<String> = (after.next - more..after.next).map(|place| range.number(place)).collect();
        let taken = taken(connection, &new)?;
        numbers.extend(new.into_iter().filter(|number| !taken.contains(number)));
    }
    Ok(numbers)
}
