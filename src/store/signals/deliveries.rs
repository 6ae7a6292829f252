//! Signals on their way.

use super::targets;
use crate::domain::compared;
use crate::domain::signals::{Happened, Target, Told, wait};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::children::by_owner;
use crate::store::schema::{signal_deliveries, signal_targets, signal_warehouses, signals};
use crate::store::secrets::SecretKeys;
use crate::store::values::one_of;
use crate::store::{Db, StoreError, page};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};
use soapstone_contracts::listener::Event;
use soapstone_contracts::signals::DeliveryState;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

const DELIVERIES: Table = Table {
    name: "signal_deliveries",
    columns: &[
        Column::Integer("signal_id"),
        Column::Integer("target_id"),
        Column::Text("state"),
        Column::Integer("attempts"),
        Column::Time("next_at"),
    ],
    key: &[],
};

/// A delivery, as it is shown.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: i64,
    pub target: String,
    pub event: Event,
    pub order: Option<String>,
    pub state: DeliveryState,
    pub attempts: i32,
    pub at: NaiveDateTime,
    pub next_at: NaiveDateTime,
    pub tried_at: Option<NaiveDateTime>,
    pub status: Option<i32>,
    pub error: Option<String>,
}

/// What a list of deliveries is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub target: Option<String>,
    pub state: Option<DeliveryState>,
    pub event: Option<Event>,
    pub order: Option<String>,
    /// The id before which the page begins.
    pub before: Option<i64>,
    pub limit: i64,
}

/// A delivery that somebody has in hand.
#[derive(Clone, Debug)]
pub struct Taken {
    pub id: i64,
    pub attempts: i32,
    pub target_id: i64,
    pub target: Target,
    pub what: Happened,
}

/// What a target said of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Accepted {
        status: Option<i32>,
    },
    /// It may take it another time; `unwell`: it would take nothing else now either.
    Failed {
        status: Option<i32>,
        why: String,
        unwell: bool,
    },
    /// It never will.
    Refused {
        status: Option<i32>,
        why: String,
    },
}

/// Writes a delivery for each target.
pub(super) fn put(connection: &mut Db, signal: i64, targets: &[i64], at: NaiveDateTime) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    for target in targets {
        rows.integer(signal).integer(*target).text(DeliveryState::Waiting.as_str()).integer(0).time(at);
    }
    DELIVERIES.put(connection, &rows)
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    target_id: i64,
    #[diesel(sql_type = BigInt)]
    failures: i64,
}

/// What is due. Of one order, a target is told in the order in which it happened.
fn due(connection: &mut Db, now: NaiveDateTime, limit: i64, locking: &str) -> Result<Vec<Due>, StoreError> {
    let sql = format!(
        "SELECT d.id, d.target_id, t.failures FROM signal_deliveries d \
         JOIN signal_targets t ON t.id = d.target_id JOIN signals s ON s.id = d.signal_id \
         WHERE d.state = 'waiting' AND d.next_at <= $1 AND (d.leased_until IS NULL OR d.leased_until <= $1) \
         AND t.active AND (t.resumes_at IS NULL OR t.resumes_at <= $1) \
         AND NOT EXISTS (SELECT 1 FROM signals p JOIN signal_deliveries e ON e.signal_id = p.id \
         WHERE p.order_key = s.order_key AND e.target_id = d.target_id AND e.state = 'waiting' AND e.id < d.id) \
         ORDER BY d.next_at, d.id LIMIT $2 {locking}"
    );
    Ok(diesel::sql_query(sql).bind::<Timestamp, _>(now).bind::<BigInt, _>(limit).load(connection)?)
}

/// Whether anything is due.
///
/// # Errors
/// Those of the database.
pub fn is_due(connection: &mut Db, now: NaiveDateTime) -> Result<bool, StoreError> {
    Ok(!due(connection, now, 1, "")?.is_empty())
}

/// Takes deliveries that are due, for so long. A target that did not answer is tried with one.
///
/// # Errors
/// Those of the database; nothing is taken then.
pub fn claim(
    connection: &mut Db,
    secrets: &SecretKeys,
    now: NaiveDateTime,
    lease: TimeDelta,
    limit: i64,
) -> Result<Vec<Taken>, StoreError> {
    let locking = if matches!(connection, Db::Postgres(_)) { "FOR UPDATE OF d SKIP LOCKED" } else { "" };
    let due = due(connection, now, limit, locking)?;
    let mut tried = HashSet::new();
    let due: Vec<Due> = due.into_iter().filter(|d| d.failures == 0 || tried.insert(d.target_id)).collect();
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = due.iter().map(|d| d.id).collect();
    diesel::update(signal_deliveries::table.filter(signal_deliveries::id.eq_any(&ids)))
        .set(signal_deliveries::leased_until.eq(now + lease))
        .execute(connection)?;
    // One that was unwell is tried by one node alone: others leave it for as long.
    if !tried.is_empty() {
        let tried: Vec<i64> = tried.into_iter().collect();
        diesel::update(signal_targets::table.filter(signal_targets::id.eq_any(tried)))
            .set(signal_targets::resumes_at.eq(now + lease))
            .execute(connection)?;
    }
    taken(connection, secrets, &ids)
}

type SignalRow = (
    i64,
    String,
    NaiveDateTime,
    (Option<String>, Option<String>, Option<String>),
    (Option<String>, Option<String>, Option<String>, Option<String>),
    (Option<String>, Option<String>),
);

/// Deliveries with all that is told.
fn taken(connection: &mut Db, secrets: &SecretKeys, ids: &[i64]) -> Result<Vec<Taken>, StoreError> {
    let rows: Vec<(i64, i32, i64, SignalRow)> = signal_deliveries::table
        .inner_join(signals::table)
        .filter(signal_deliveries::id.eq_any(ids))
        .order(signal_deliveries::id)
        .select((
            signal_deliveries::id,
            signal_deliveries::attempts,
            signal_deliveries::target_id,
            (
                signals::id,
                signals::event,
                signals::at,
                (signals::order_number, signals::reference, signals::customer),
                (signals::state, signals::state_before, signals::payment, signals::payment_state),
                (signals::total, signals::currency),
            ),
        ))
        .load(connection)?;
    let signal_ids: Vec<i64> = rows.iter().map(|row| row.3.0).collect();
    let warehouses: Vec<(i64, String)> = signal_warehouses::table
        .filter(signal_warehouses::signal_id.eq_any(signal_ids))
        .order((signal_warehouses::signal_id, signal_warehouses::warehouse))
        .load(connection)?;
    let warehouses: HashMap<i64, Vec<String>> = by_owner(warehouses);
    let target_ids: Vec<i64> = rows.iter().map(|row| row.2).collect();
    let targets = targets::by_ids(connection, secrets, &target_ids)?;
    let taken = rows.into_iter().filter_map(|(id, attempts, target_id, signal)| {
        let (signal_id, event, at, (number, reference, customer), states, (total, currency)) = signal;
        let (state, state_before, payment, payment_state) = states;
        let order = number.map(|number| Told {
            number,
            reference,
            customer,
            state: state.as_deref().and_then(one_of),
            state_before: state_before.as_deref().and_then(one_of),
            payment,
            payment_state: payment_state.as_deref().and_then(one_of),
            total: total.unwrap_or_default(),
            currency: currency.unwrap_or_default(),
            warehouses: warehouses.get(&signal_id).cloned().unwrap_or_default(),
        });
        let what = Happened { event: one_of(&event)?, at, order };
        Some(Taken { id, attempts, target_id, target: targets.get(&target_id)?.clone(), what })
    });
    Ok(taken.collect())
}

/// Writes down what came of an attempt.
///
/// # Errors
/// Those of the database.
pub fn answered(
    connection: &mut Db,
    taken: &Taken,
    heard: &Heard,
    first_wait: Duration,
    most_attempts: i32,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let attempts = taken.attempts + 1;
    let later = |after: Duration| now + TimeDelta::from_std(after).unwrap_or(TimeDelta::hours(1));
    let next_at = later(wait(attempts, first_wait));
    let (state, status, error) = match heard {
        Heard::Accepted { status } => (DeliveryState::Delivered, status, None),
        Heard::Refused { status, why } => (DeliveryState::Dead, status, Some(why)),
        Heard::Failed { status, why, .. } if attempts >= most_attempts => (DeliveryState::Dead, status, Some(why)),
        Heard::Failed { status, why, .. } => (DeliveryState::Waiting, status, Some(why)),
    };
    diesel::update(signal_deliveries::table.find(taken.id))
        .set((
            signal_deliveries::state.eq(state.as_str()),
            signal_deliveries::attempts.eq(attempts),
            signal_deliveries::next_at.eq(next_at),
            signal_deliveries::leased_until.eq(None::<NaiveDateTime>),
            signal_deliveries::tried_at.eq(now),
            signal_deliveries::status.eq(*status),
            signal_deliveries::error.eq(error),
        ))
        .execute(connection)?;
    let target = signal_targets::table.find(taken.target_id);
    if !matches!(heard, Heard::Failed { unwell: true, .. }) {
        let unwell = target.filter(signal_targets::failures.gt(0));
        diesel::update(unwell)
            .set((signal_targets::failures.eq(0), signal_targets::resumes_at.eq(None::<NaiveDateTime>)))
            .execute(connection)?;
        return Ok(());
    }
    let failures: i64 = target.select(signal_targets::failures).first(connection).optional()?.unwrap_or(0) + 1;
    let rest = later(wait(i32::try_from(failures).unwrap_or(i32::MAX), first_wait));
    diesel::update(target)
        .set((signal_targets::failures.eq(failures), signal_targets::resumes_at.eq(rest)))
        .execute(connection)?;
    Ok(())
}

/// Sends deliveries again. Gives how many.
///
/// # Errors
/// Those of the database.
pub fn resend(connection: &mut Db, ids: &[i64], now: NaiveDateTime) -> Result<usize, StoreError> {
    let over = signal_deliveries::table
        .filter(signal_deliveries::id.eq_any(ids))
        .filter(signal_deliveries::state.ne(DeliveryState::Waiting.as_str()));
    let ids: Vec<i64> = over.select(signal_deliveries::id).load(connection)?;
    again(connection, &ids, now)
}

/// Sends all dead deliveries to a target again. Gives how many.
///
/// # Errors
/// Those of the database.
pub fn resend_dead(connection: &mut Db, target: i64, now: NaiveDateTime) -> Result<usize, StoreError> {
    let dead = signal_deliveries::table
        .filter(signal_deliveries::target_id.eq(target))
        .filter(signal_deliveries::state.eq(DeliveryState::Dead.as_str()));
    let ids: Vec<i64> = dead.select(signal_deliveries::id).load(connection)?;
    again(connection, &ids, now)
}

fn again(connection: &mut Db, ids: &[i64], now: NaiveDateTime) -> Result<usize, StoreError> {
    let mut count = 0;
    for ids in ids.chunks(crate::store::LOOKUP) {
        count += diesel::update(signal_deliveries::table.filter(signal_deliveries::id.eq_any(ids)))
            .set((
                signal_deliveries::state.eq(DeliveryState::Waiting.as_str()),
                signal_deliveries::attempts.eq(0),
                signal_deliveries::next_at.eq(now),
                signal_deliveries::leased_until.eq(None::<NaiveDateTime>),
            ))
            .execute(connection)?;
        let targets = signal_deliveries::table
            .filter(signal_deliveries::id.eq_any(ids))
            .select(signal_deliveries::target_id)
            .distinct();
        let targets: Vec<i64> = targets.load(connection)?;
        diesel::update(signal_targets::table.filter(signal_targets::id.eq_any(targets)))
            .set(signal_targets::resumes_at.eq(None::<NaiveDateTime>))
            .execute(connection)?;
    }
    Ok(count)
}

type Row = (
    (i64, String, String, Option<String>),
    (String, i32, NaiveDateTime, NaiveDateTime, Option<NaiveDateTime>),
    (Option<i32>, Option<String>),
);

macro_rules! columns {
    () => {
        (
            (signal_deliveries::id, signal_targets::key, signals::event, signals::order_number),
            (
                signal_deliveries::state,
                signal_deliveries::attempts,
                signals::at,
                signal_deliveries::next_at,
                signal_deliveries::tried_at,
            ),
            (signal_deliveries::status, signal_deliveries::error),
        )
    };
}

fn shown(row: Row) -> Option<Delivery> {
    let ((id, target, event, order), (state, attempts, at, next_at, tried_at), (status, error)) = row;
    let (event, state) = (one_of(&event)?, one_of(&state)?);
    Some(Delivery { id, target, event, order, state, attempts, at, next_at, tried_at, status, error })
}

/// The delivery of a signal that goes to one target.
pub(super) fn of_signal(connection: &mut Db, signal: i64) -> Result<Option<Delivery>, StoreError> {
    let row: Option<Row> = signal_deliveries::table
        .inner_join(signals::table)
        .inner_join(signal_targets::table)
        .filter(signal_deliveries::signal_id.eq(signal))
        .select(columns!())
        .first(connection)
        .optional()?;
    Ok(row.and_then(shown))
}

/// A page of deliveries, the latest first, and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Delivery>, bool), StoreError> {
    let mut query = signal_deliveries::table
        .inner_join(signals::table)
        .inner_join(signal_targets::table)
        .order(signal_deliveries::id.desc())
        .limit(filter.limit + 1)
        .select(columns!())
        .into_boxed();
    if let Some(key) = &filter.target {
        query = query.filter(signal_targets::key.eq(compared(key)));
    }
    if let Some(state) = filter.state {
        query = query.filter(signal_deliveries::state.eq(state.as_str()));
    }
    if let Some(event) = filter.event {
        query = query.filter(signals::event.eq(event.as_str()));
    }
    if let Some(order) = &filter.order {
        query = query.filter(signals::order_key.eq(compared(order)));
    }
    if let Some(before) = filter.before {
        query = query.filter(signal_deliveries::id.lt(before));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    Ok((rows.into_iter().filter_map(shown).collect(), more))
}

/// Forgets signals that are older than that, and waiting for nobody.
///
/// # Errors
/// Those of the database.
pub fn prune(connection: &mut Db, oldest: NaiveDateTime) -> Result<usize, StoreError> {
    let sql = "DELETE FROM signals WHERE at < $1 AND NOT EXISTS \
               (SELECT 1 FROM signal_deliveries d WHERE d.signal_id = signals.id AND d.state = 'waiting')";
    Ok(diesel::sql_query(sql).bind::<Timestamp, _>(oldest).execute(connection)?)
}
