//! Signals: an outbox. What happens to an order is written in the transaction that makes it happen, with a delivery for
//! each target that is told of it; senders take deliveries from there.

mod deliveries;
mod targets;

pub use deliveries::{
    Delivery, Filter, Heard, Taken, answered, claim, is_due, list as list_deliveries, prune, resend, resend_dead,
};
pub use targets::{delete as delete_targets, get as get_target, list as list_targets, upsert as upsert_targets};

use super::bulk::{Column, Rows, Table};
use super::schema::signals;
use super::{Db, StoreError};
use crate::domain::compared;
use crate::domain::orders::Order;
use crate::domain::signals::{Happened, Told};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::listener::Event;
use soapstone_contracts::orders::State;

const WAREHOUSES: Table =
    Table { name: "signal_warehouses", columns: &[Column::Integer("signal_id"), Column::Text("warehouse")], key: &[] };

/// Tells that an order came, or is in another state than `before`.
pub(super) fn of_state(
    connection: &mut Db,
    order: &Order,
    before: Option<State>,
    state: State,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    if before == Some(state) {
        return Ok(());
    }
    let event = if before.is_none() { Event::OrderArrived } else { Event::OrderStateChanged };
    let order = Told { state: Some(state), state_before: before, ..Told::of(order) };
    happened(connection, &Happened { event, at, order: Some(order) })
}

/// Writes what happened, if anybody is to be told.
pub(super) fn happened(connection: &mut Db, what: &Happened) -> Result<(), StoreError> {
    let nowhere = Vec::new();
    let warehouses = what.order.as_ref().map_or(&nowhere, |order| &order.warehouses);
    let told = targets::active(connection)?;
    let told: Vec<i64> =
        told.iter().filter(|target| target.record.wants(what.event, warehouses)).map(|target| target.id).collect();
    if told.is_empty() {
        return Ok(());
    }
    let signal = write(connection, what)?;
    deliveries::put(connection, signal, &told, what.at)?;
    Ok(())
}

/// Sends a signal to one target alone, to see whether it arrives. Gives the delivery.
///
/// # Errors
/// Those of the database.
pub fn test(connection: &mut Db, target: i64, at: NaiveDateTime) -> Result<Option<Delivery>, StoreError> {
    let signal = write(connection, &Happened { event: Event::Test, at, order: None })?;
    deliveries::put(connection, signal, &[target], at)?;
    deliveries::of_signal(connection, signal)
}

fn write(connection: &mut Db, what: &Happened) -> Result<i64, StoreError> {
    let order = what.order.as_ref();
    let values = (
        signals::event.eq(what.event.as_str()),
        signals::at.eq(what.at),
        signals::order_number.eq(order.map(|o| &o.number)),
        signals::order_key.eq(order.map(|o| compared(&o.number))),
        signals::reference.eq(order.and_then(|o| o.reference.as_ref())),
        signals::customer.eq(order.and_then(|o| o.customer.as_ref())),
        signals::state.eq(order.and_then(|o| o.state).map(|state| state.as_str())),
        signals::state_before.eq(order.and_then(|o| o.state_before).map(|state| state.as_str())),
        signals::payment.eq(order.and_then(|o| o.payment.as_ref())),
        signals::payment_state.eq(order.and_then(|o| o.payment_state).map(|state| state.as_str())),
        signals::total.eq(order.map(|o| &o.total)),
        signals::currency.eq(order.map(|o| &o.currency)),
    );
    let insert = diesel::insert_into(signals::table).values(values).returning(signals::id);
    let id: i64 = match connection {
        Db::Sqlite(sqlite) => insert.get_result(sqlite)?,
        Db::Postgres(postgres) => insert.get_result(postgres)?,
    };
    let mut rows = Rows::default();
    for warehouse in order.map(|o| o.warehouses.iter()).into_iter().flatten() {
        rows.integer(id).text(warehouse);
    }
    WAREHOUSES.put(connection, &rows)?;
    Ok(id)
}
