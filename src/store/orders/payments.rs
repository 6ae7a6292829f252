//! Payments of orders.

use super::load::PaymentRow;
use super::{hold, not_found, restate};
use crate::domain::orders::Payment;
use crate::domain::signals::{Happened, Told};
use crate::domain::{Issue, compared};
use crate::store::batch::{Outcome, Recorded};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::schema::{orders, payments};
use crate::store::{Db, StoreError, lock, page, signals};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::listener::Event;
use soapstone_contracts::orders as contract;

const PAYMENTS: Table = Table {
    name: "payments",
    columns: &[
        Column::Text("key"),
        Column::Integer("order_id"),
        Column::Text("method"),
        Column::Text("state"),
        Column::Text("amount"),
        Column::Text("refunded"),
        Column::Text("transaction_name"),
        Column::Time("at"),
    ],
    key: &["key"],
};

/// A payment with its id, and the number of its order.
pub type OfOrder = (i64, String, Payment);

/// Records a payment, or moves it on; and with it its order.
///
/// # Errors
/// Those of the database.
pub fn record(
    connection: &mut Db,
    given: &contract::Payment,
    at: NaiveDateTime,
    now: NaiveDateTime,
) -> Result<Recorded, StoreError> {
    let key = compared(&given.key);
    lock::records(connection, "payments", "key", &[(&key, Some(0))])?;
    let before: Option<PaymentRow> =
        payments::table.filter(payments::key.eq(&key)).select(PaymentRow::as_select()).first(connection).optional()?;
    let Some(loaded) = hold(connection, &given.order)? else { return Ok(not_found(&given.order)) };
    if before.as_ref().is_some_and(|payment| payment.order_id != loaded.id) {
        let issue = Issue::error("payment.other_order", format!("the payment {} is of another order", given.key));
        return Ok(Recorded::refused(vec![issue.of("order", &given.order)]));
    }
    let before = before.map(PaymentRow::into_payment);
    let old = before.as_ref();
    let decimal = |value: &soapstone_runtime::Decimal| value.0.clone();
    let amount = given.amount.as_ref().map(decimal).or_else(|| old.map(|p| p.amount.clone()));
    let amount = amount.unwrap_or_else(|| loaded.order.total.clone());
    // All that was paid goes back, unless it is said how much.
    let refunded = given.refunded.as_ref().map(decimal).unwrap_or_else(|| match given.state {
        contract::PaymentState::Refunded => amount.clone(),
        contract::PaymentState::PartiallyRefunded => old.map_or_else(BigDecimal::default, |p| p.refunded.clone()),
        _ => BigDecimal::default(),
    });
    let payment = Payment {
        key: key.clone(),
        method: given
            .method
            .clone()
            .or_else(|| old.and_then(|p| p.method.clone()))
            .or_else(|| loaded.order.payment_method.clone()),
        state: given.state,
        amount,
        refunded,
        transaction: given.transaction.clone().or_else(|| old.and_then(|p| p.transaction.clone())),
        at,
    };
    if let Err(issue) = payment.follows(old) {
        return Ok(Recorded::refused(vec![issue]));
    }
    // When it came to the state is no change of its own.
    if old.is_some_and(|old| Payment { at: old.at, ..payment.clone() } == *old) {
        return Ok(Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() });
    }
    let mut rows = Rows::default();
    rows.text(&key)
        .integer(loaded.id)
        .text_option(payment.method.as_deref())
        .text(payment.state.as_str())
        .text(payment.amount.to_plain_string())
        .text(payment.refunded.to_plain_string())
        .text_option(payment.transaction.as_deref())
        .time(payment.at);
    PAYMENTS.put(connection, &rows)?;
    let mut moved = loaded;
    let before = moved.standing.flow.state();
    moved.standing.flow.paid += payment.received() - old.map_or_else(BigDecimal::default, Payment::received);
    let told = Told {
        state: Some(moved.standing.flow.state()),
        state_before: Some(before),
        payment: Some(payment.key.clone()),
        payment_state: Some(payment.state),
        ..Told::of(&moved.order)
    };
    signals::happened(connection, &Happened { event: Event::PaymentChanged, at: now, order: Some(told) })?;
    restate(connection, &moved, before, now)?;
    let outcome = if old.is_some() { Outcome::Updated } else { Outcome::Created };
    Ok(Recorded { outcome, version: None, issues: Vec::new() })
}

/// A payment by its key.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, key: &str) -> Result<Option<OfOrder>, StoreError> {
    let row: Option<(PaymentRow, String)> = payments::table
        .inner_join(orders::table)
        .filter(payments::key.eq(compared(key)))
        .select((PaymentRow::as_select(), orders::number))
        .first(connection)
        .optional()?;
    Ok(row.map(|(row, order)| (row.id, order, row.into_payment())))
}

/// A page of payments in the order in which they came, and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Db,
    order: Option<&str>,
    state: Option<contract::PaymentState>,
    since: Option<NaiveDateTime>,
    after: i64,
    limit: i64,
) -> Result<(Vec<OfOrder>, bool), StoreError> {
    let mut query = payments::table
        .inner_join(orders::table)
        .filter(payments::id.gt(after))
        .order(payments::id)
        .limit(limit + 1)
        .select((PaymentRow::as_select(), orders::number))
        .into_boxed();
    if let Some(order) = order {
        query = query.filter(orders::number_key.eq(compared(order)));
    }
    if let Some(state) = state {
        query = query.filter(payments::state.eq(state.as_str()));
    }
    if let Some(since) = since {
        query = query.filter(payments::at.ge(since));
    }
    let mut rows: Vec<(PaymentRow, String)> = query.load(connection)?;
    let more = page::cut(&mut rows, limit);
    Ok((rows.into_iter().map(|(row, order)| (row.id, order, row.into_payment())).collect(), more))
}
