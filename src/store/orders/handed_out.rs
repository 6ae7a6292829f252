//! What was handed out, to look at.

use crate::store::schema::{order_exports, orders};
use crate::store::{Db, StoreError, lease_clock, page};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::orders::ExportState;
use std::collections::HashMap;

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = order_exports)]
pub struct HandedOut {
    pub id: i64,
    pub handed_out_at: NaiveDateTime,
    pub leased_until: NaiveDateTime,
    pub warehouse: Option<String>,
    pub attempts: i32,
    pub confirmed_at: Option<NaiveDateTime>,
}

/// How many orders of an export are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    pub leased: i64,
    pub exported: i64,
    pub failed: i64,
}

/// A page of exports, the latest first; whether there are more.
///
/// # Errors
/// Those of the database.
pub fn handed_out(
    connection: &mut Db,
    before: Option<i64>,
    limit: i64,
) -> Result<(Vec<(HandedOut, Fates)>, bool), StoreError> {
    let mut query = order_exports::table
        .order(order_exports::id.desc())
        .limit(limit + 1)
        .select(HandedOut::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(order_exports::id.lt(before));
    }
    let mut found: Vec<HandedOut> = query.load(connection)?;
    let more = page::cut(&mut found, limit);
    let ids: Vec<i64> = found.iter().map(|export| export.id).collect();
    let counted: Vec<(Option<i64>, String, i64)> = orders::table
        .filter(orders::export_id.eq_any(ids))
        .group_by((orders::export_id, orders::export_state))
        .select((orders::export_id, orders::export_state, diesel::dsl::count_star()))
        .load(connection)?;
    let mut fates: HashMap<i64, Fates> = HashMap::new();
    for (export, state, count) in counted {
        let fates = fates.entry(export.unwrap_or(0)).or_default();
        match state.as_str() {
            state if state == ExportState::Leased.as_str() => fates.leased = count,
            state if state == ExportState::Exported.as_str() => fates.exported = count,
            state if state == ExportState::Failed.as_str() => fates.failed = count,
            _ => {}
        }
    }
    let with_fates = found.into_iter().map(|export| {
        let fates = fates.get(&export.id).copied().unwrap_or_default();
        (export, fates)
    });
    Ok((with_fates.collect(), more))
}

/// Ends the lease of an export, so that who asks next gets it again under its number. False: nothing of it is leased.
///
/// # Errors
/// Those of the database.
pub fn end_lease(connection: &mut Db, export: i64) -> Result<bool, StoreError> {
    let leased = orders::table
        .filter(orders::export_id.eq(export))
        .filter(orders::export_state.eq(ExportState::Leased.as_str()));
    if leased.count().get_result::<i64>(connection)? == 0 {
        return Ok(false);
    }
    let now = lease_clock::now(connection)?;
    diesel::update(order_exports::table.find(export)).set(order_exports::leased_until.eq(now)).execute(connection)?;
    Ok(true)
}
