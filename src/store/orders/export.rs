//! The way of orders to the ERP: handed out under a lease, confirmed order by order, and handed out again if not.

use super::load::{Loaded, Row, load};
use super::{hold, not_found};
use crate::domain::Issue;
use crate::store::batch::{Outcome, Recorded};
use crate::store::schema::{customers, order_exports, order_positions, orders};
use crate::store::{Db, LOOKUP, StoreError, lease_clock, lock, page};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use soapstone_contracts::orders::ExportState;

/// Orders that were handed out together.
#[derive(Clone, Debug)]
pub struct Export {
    pub id: i64,
    pub leased_until: NaiveDateTime,
    pub orders: Vec<Loaded>,
}

/// Hands out orders: first those of an export that was not confirmed in time, under its number; else new ones.
///
/// # Errors
/// Those of the database; nothing is handed out then.
pub fn hand_out(
    connection: &mut Db,
    limit: i64,
    lease: TimeDelta,
    warehouse: Option<&str>,
    now: NaiveDateTime,
) -> Result<Option<Export>, StoreError> {
    let Some(id) = self::lease(connection, limit, lease, warehouse, now)? else { return Ok(None) };
    let orders = leased(connection, id, 0, i64::MAX - 1)?.0;
    // By the wall clock, for people; what counts is the clock of leases.
    Ok(Some(Export { id, leased_until: now + lease, orders }))
}

/// Leases orders: first those of an export that was not confirmed in time; else new ones. Gives the export's number.
///
/// # Errors
/// Those of the database; nothing is leased then.
pub fn lease(
    connection: &mut Db,
    limit: i64,
    lease: TimeDelta,
    warehouse: Option<&str>,
    now: NaiveDateTime,
) -> Result<Option<i64>, StoreError> {
    // Two who ask at once get different orders.
    lock::alone(connection, "order exports")?;
    let clock = lease_clock::now(connection)?;
    let late = order_exports::table
        .inner_join(orders::table)
        .filter(order_exports::leased_until.le(clock))
        .filter(orders::export_state.eq(ExportState::Leased.as_str()))
        .order(order_exports::id)
        .select(order_exports::id)
        .into_boxed();
    let late = match warehouse {
        Some(warehouse) => late.filter(order_exports::warehouse.eq(warehouse)),
        None => late.filter(order_exports::warehouse.is_null()),
    };
    let Some(id) = late.first(connection).optional()? else {
        return lease_new(connection, limit, clock + lease, warehouse, now);
    };
    extend(connection, id, lease, now)?;
    Ok(Some(id))
}

/// Hands out an export again, under its number; with a lease of no time it goes to who asks next.
///
/// # Errors
/// Those of the database.
pub fn extend(connection: &mut Db, export: i64, lease: TimeDelta, now: NaiveDateTime) -> Result<(), StoreError> {
    let leased_until = lease_clock::now(connection)? + lease;
    diesel::update(order_exports::table.find(export))
        .set((
            order_exports::handed_out_at.eq(now),
            order_exports::leased_until.eq(leased_until),
            order_exports::attempts.eq(order_exports::attempts + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// The orders of an export that nobody confirmed yet, after one; whether there are more.
///
/// # Errors
/// Those of the database.
pub fn leased(connection: &mut Db, export: i64, after: i64, limit: i64) -> Result<(Vec<Loaded>, bool), StoreError> {
    let mut rows: Vec<(Row, Option<String>)> = orders::table
        .left_join(customers::table)
        .filter(orders::export_id.eq(export))
        .filter(orders::export_state.eq(ExportState::Leased.as_str()))
        .filter(orders::id.gt(after))
        .order(orders::id)
        .limit(limit + 1)
        .select((Row::as_select(), customers::number.nullable()))
        .load(connection)?;
    let more = page::cut(&mut rows, limit);
    Ok((load(connection, rows)?, more))
}

fn lease_new(
    connection: &mut Db,
    limit: i64,
    leased_until: NaiveDateTime,
    warehouse: Option<&str>,
    now: NaiveDateTime,
) -> Result<Option<i64>, StoreError> {
    let mut query = orders::table
        .filter(orders::export_state.eq(ExportState::New.as_str()))
        .order(orders::id)
        .limit(limit)
        .select(orders::id)
        .into_boxed();
    if let Some(warehouse) = warehouse {
        let own = order_positions::table.filter(order_positions::warehouse.eq(warehouse.to_owned()));
        query = query.filter(orders::id.eq_any(own.select(order_positions::order_id)));
    }
    let ids: Vec<i64> = query.load(connection)?;
    if ids.is_empty() {
        return Ok(None);
    }
    let values = (
        order_exports::handed_out_at.eq(now),
        order_exports::leased_until.eq(leased_until),
        order_exports::warehouse.eq(warehouse),
        order_exports::attempts.eq(1),
    );
    let insert = diesel::insert_into(order_exports::table).values(values).returning(order_exports::id);
    let export: i64 = match connection {
        Db::Sqlite(sqlite) => insert.get_result(sqlite)?,
        Db::Postgres(postgres) => insert.get_result(postgres)?,
    };
    for ids in ids.chunks(LOOKUP) {
        diesel::update(orders::table.filter(orders::id.eq_any(ids)))
            .set((orders::export_state.eq(ExportState::Leased.as_str()), orders::export_id.eq(export)))
            .execute(connection)?;
    }
    Ok(Some(export))
}

/// What the ERP says of an order of an export.
pub struct Answer {
    pub order: String,
    pub accepted: bool,
    pub message: Option<String>,
}

/// Confirms an export, order by order; without answers the ERP has all of it. None: there is no such export.
///
/// # Errors
/// Those of the database.
pub fn confirm(
    connection: &mut Db,
    export: &str,
    answers: &[Answer],
    now: NaiveDateTime,
) -> Result<Option<Vec<(String, Recorded)>>, StoreError> {
    lock::alone(connection, "order exports")?;
    let Ok(id) = export.parse::<i64>() else { return Ok(None) };
    let found: i64 = order_exports::table.filter(order_exports::id.eq(id)).count().get_result(connection)?;
    if found == 0 {
        return Ok(None);
    }
    let whole: Vec<Answer>;
    let answers = if answers.is_empty() {
        let numbers: Vec<String> =
            orders::table.filter(orders::export_id.eq(id)).order(orders::id).select(orders::number).load(connection)?;
        whole = numbers.into_iter().map(|order| Answer { order, accepted: true, message: None }).collect();
        &whole[..]
    } else {
        answers
    };
    let mut results = Vec::with_capacity(answers.len());
    for answer in answers {
        results.push((answer.order.clone(), confirm_one(connection, id, answer, now)?));
    }
    let waiting: i64 = orders::table
        .filter(orders::export_id.eq(id))
        .filter(orders::export_state.eq(ExportState::Leased.as_str()))
        .count()
        .get_result(connection)?;
    if waiting == 0 {
        diesel::update(order_exports::table.find(id)).set(order_exports::confirmed_at.eq(now)).execute(connection)?;
    }
    Ok(Some(results))
}

fn confirm_one(connection: &mut Db, export: i64, answer: &Answer, now: NaiveDateTime) -> Result<Recorded, StoreError> {
    let Some(loaded) = hold(connection, &answer.order)? else { return Ok(not_found(&answer.order)) };
    let standing = &loaded.standing;
    let version = Some(standing.version);
    if standing.export_number.as_deref() != Some(export.to_string().as_str()) {
        let text = match &standing.export_number {
            None => "the order was not handed out".to_owned(),
            Some(other) => format!("the order was handed out with the export {other}"),
        };
        let issue = Issue::error("export.other", text).of("order", &answer.order);
        return Ok(Recorded { version, ..Recorded::refused(vec![issue]) });
    }
    let state = if answer.accepted { ExportState::Exported } else { ExportState::Failed };
    if standing.export_state == state && standing.export_message == answer.message {
        return Ok(Recorded { outcome: Outcome::Unchanged, version, issues: Vec::new() });
    }
    if standing.export_state != ExportState::Leased {
        let text = format!("it was confirmed as {} already", standing.export_state.as_str());
        let issue = Issue::error("export.confirmed", text).of("order", &answer.order);
        let hint = "have it handed out again (ReleaseOrders), if that was wrong";
        return Ok(Recorded { version, ..Recorded::refused(vec![issue.suggest(hint)]) });
    }
    diesel::update(orders::table.find(loaded.id))
        .set((
            orders::export_state.eq(state.as_str()),
            orders::export_message.eq(answer.message.as_deref()),
            orders::version.eq(standing.version + 1),
            orders::changed_at.eq(now),
        ))
        .execute(connection)?;
    Ok(Recorded { outcome: Outcome::Updated, version: Some(standing.version + 1), issues: Vec::new() })
}

/// Has an order handed out again that the ERP has, or refused: under the same export number, so that it is never in two
/// exports that were both confirmed.
///
/// # Errors
/// Those of the database.
pub fn release(connection: &mut Db, number: &str, now: NaiveDateTime) -> Result<Recorded, StoreError> {
    lock::alone(connection, "order exports")?;
    let Some(loaded) = hold(connection, number)? else { return Ok(not_found(number)) };
    let standing = &loaded.standing;
    let version = Some(standing.version);
    if !matches!(standing.export_state, ExportState::Exported | ExportState::Failed) {
        return Ok(Recorded { outcome: Outcome::Unchanged, version, issues: Vec::new() });
    }
    diesel::update(orders::table.find(loaded.id))
        .set((
            orders::export_state.eq(ExportState::Leased.as_str()),
            orders::export_message.eq(None::<String>),
            orders::version.eq(standing.version + 1),
            orders::changed_at.eq(now),
        ))
        .execute(connection)?;
    let export = standing.export_number.as_deref().and_then(|number| number.parse::<i64>().ok());
    let clock = lease_clock::now(connection)?;
    diesel::update(order_exports::table.find(export.unwrap_or(-1)))
        .set(order_exports::leased_until.eq(clock))
        .execute(connection)?;
    Ok(Recorded { outcome: Outcome::Updated, version: Some(standing.version + 1), issues: Vec::new() })
}

/// How many orders nobody had yet, and how many are leased.
///
/// # Errors
/// Those of the database.
pub fn to_export(connection: &mut Db) -> Result<(i64, i64), StoreError> {
    let mut count = |state: ExportState| {
        orders::table.filter(orders::export_state.eq(state.as_str())).count().get_result::<i64>(connection)
    };
    Ok((count(ExportState::New)?, count(ExportState::Leased)?))
}
