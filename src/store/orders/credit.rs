//! The credit limit of a customer: what he owes, and whether an order goes beyond it.

use crate::domain::customers::Customer;
use crate::domain::orders::Order;
use crate::domain::{Issue, compared};
use crate::store::schema::{orders, payments};
use crate::store::{Db, StoreError};
use bigdecimal::{BigDecimal, Zero};
use diesel::prelude::*;
use soapstone_contracts::orders::{PaymentState, State};

/// States in which an order is not to be paid any more.
const SETTLED: [State; 3] = [State::Paid, State::Closed, State::Cancelled];

/// States in which a payment counts.
const RECEIVED: [PaymentState; 2] = [PaymentState::Paid, PaymentState::PartiallyRefunded];

/// Says so if an order goes beyond what its customer may owe. It is no reason to refuse it: the shop sold already, and who
/// delivers decides.
pub(super) fn beyond_limit(
    connection: &mut Db,
    customer: Option<&(i64, Customer)>,
    order: &Order,
) -> Result<Option<Issue>, StoreError> {
    let Some((id, customer)) = customer.filter(|_| !order.prepaid) else { return Ok(None) };
    let Some(limit) = customer.credit_limit.as_ref().filter(|limit| limit.currency == order.currency) else {
        return Ok(None);
    };
    let owed = owed(connection, *id, order)? + &order.total;
    if owed <= limit.amount.0 {
        return Ok(None);
    }
    let (amount, currency) = (&limit.amount, &limit.currency);
    let text = format!("with it, {currency} {owed} are open, where the customer's credit limit is {currency} {amount}");
    let issue = Issue::warning("customer.credit_limit", text).of("customer", &customer.number);
    Ok(Some(issue.suggest("deliver against payment, or raise the limit (UpdateCustomer)")))
}

/// What a customer owes for his other orders in the currency of this one.
fn owed(connection: &mut Db, customer: i64, order: &Order) -> Result<BigDecimal, StoreError> {
    let open: Vec<(i64, String)> = orders::table
        .filter(orders::customer_id.eq(customer))
        .filter(orders::currency.eq(&order.currency))
        .filter(orders::prepaid.eq(false))
        .filter(orders::state.ne_all(SETTLED.map(State::as_str)))
        .filter(orders::number_key.ne(compared(&order.number)))
        .select((orders::id, orders::total))
        .load(connection)?;
    let ids: Vec<i64> = open.iter().map(|(id, _)| *id).collect();
    let paid: Vec<(String, String)> = payments::table
        .filter(payments::order_id.eq_any(ids))
        .filter(payments::state.eq_any(RECEIVED.map(PaymentState::as_str)))
        .select((payments::amount, payments::refunded))
        .load(connection)?;
    let amount = |text: &str| text.parse().unwrap_or_else(|_| BigDecimal::zero());
    let totals: BigDecimal = open.iter().map(|(_, total)| amount(total)).sum();
    let received: BigDecimal = paid.iter().map(|(paid, refunded)| amount(paid) - amount(refunded)).sum();
    Ok(totals - received)
}
