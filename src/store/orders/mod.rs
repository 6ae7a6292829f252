//! Orders: taken, found, changed, ended.

mod credit;
mod documents;
mod export;
mod handed_out;
mod load;
mod payments;
mod rows;
mod shipments;
mod take;

pub use documents::{Document, Filed, get as get_document, list as list_documents, pdf, record as record_document};
pub use export::{Answer, Export, confirm, extend, hand_out, lease, leased, release, to_export};
pub use handed_out::{Fates, HandedOut, end_lease, handed_out};
pub use load::Loaded;
pub use payments::{OfOrder as PaymentOfOrder, get as get_payment, list as list_payments, record as record_payment};
pub use shipments::{Shipment, get as get_shipment, list as list_shipments, record as record_shipment};
pub use take::take;

use super::batch::{Deletion, Outcome, Recorded, conflict};
use super::schema::{customers, order_addresses, order_positions, orders};
use super::search::{Search, check_keys};
use super::{ChangeRange, Db, StoreError, lock, page, signals};
use crate::domain::orders::Flow;
use crate::domain::{Issue, compared};
use crate::store::customers::resolve;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use load::Row;
use soapstone_contracts::orders as contract;

/// An order by its number.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, number: &str) -> Result<Option<Loaded>, StoreError> {
    let rows: Vec<(Row, Option<String>)> = orders::table
        .left_join(customers::table)
        .filter(orders::number_key.eq(compared(number)))
        .select((Row::as_select(), customers::number.nullable()))
        .load(connection)?;
    Ok(load::load(connection, rows)?.pop())
}

/// An order that is about to change: nobody else changes it until the transaction ends.
fn hold(connection: &mut Db, number: &str) -> Result<Option<Loaded>, StoreError> {
    let key = compared(number);
    lock::records(connection, "orders", "number_key", &[(&key, None)])?;
    get(connection, number)
}

fn not_found(number: &str) -> Recorded {
    let issue = Issue::error("order.not_found", format!("there is no order {number}")).of("order", number);
    Recorded::refused(vec![issue])
}

/// Writes how far an order is now, and tells of it if it is another state than before.
fn restate(
    connection: &mut Db,
    loaded: &Loaded,
    before: contract::State,
    now: NaiveDateTime,
) -> Result<i64, StoreError> {
    let version = loaded.standing.version + 1;
    let state = loaded.standing.flow.state();
    diesel::update(orders::table.find(loaded.id))
        .set((
            orders::state.eq(state.as_str()),
            orders::closed.eq(loaded.standing.flow.closed),
            orders::version.eq(version),
            orders::changed_at.eq(now),
        ))
        .execute(connection)?;
    signals::of_state(connection, &loaded.order, Some(before), state, now)?;
    Ok(version)
}

/// Changes one order: only what is given. None: there is none.
///
/// # Errors
/// Those of the database.
pub fn update(
    connection: &mut Db,
    number: &str,
    given: contract::Order,
    now: NaiveDateTime,
) -> Result<Option<Recorded>, StoreError> {
    let Some(before) = hold(connection, number)? else { return Ok(None) };
    let version = before.standing.version;
    if let Some(expected) = given.if_version.filter(|expected| *expected != version) {
        return Ok(Some(Recorded::refused(vec![conflict(expected, version)])));
    }
    if before.standing.flow.closed {
        let issue = Issue::error("order.closed", "the order is closed: nothing changes any more");
        return Ok(Some(Recorded::refused(vec![issue])));
    }
    let mut issues = Vec::new();
    let Some(order) = before.order.clone().update(given, &mut issues) else {
        return Ok(Some(Recorded::refused(issues)));
    };
    if order == before.order {
        return Ok(Some(Recorded { outcome: Outcome::Unchanged, version: Some(version), issues }));
    }
    let mut standing = before.standing.clone();
    standing.version += 1;
    standing.flow = Flow { prepaid: order.prepaid, ..standing.flow };
    rows::put_order(connection, &compared(&order.number), &order, before.customer_id, &standing, now)?;
    for table in ["order_addresses", "order_attributes"] {
        diesel::sql_query(format!("DELETE FROM {table} WHERE order_id = {}", before.id)).execute(connection)?;
    }
    rows::put_changeable(connection, before.id, &order)?;
    let state_before = before.standing.flow.state();
    signals::of_state(connection, &order, Some(state_before), standing.flow.state(), now)?;
    Ok(Some(Recorded { outcome: Outcome::Updated, version: Some(standing.version), issues }))
}

/// Changes how far an order is.
fn advance(
    connection: &mut Db,
    number: &str,
    now: NaiveDateTime,
    change: impl FnOnce(&mut Flow) -> Result<(), Issue>,
) -> Result<Recorded, StoreError> {
    let Some(mut loaded) = hold(connection, number)? else { return Ok(not_found(number)) };
    let before = loaded.standing.flow.clone();
    if let Err(issue) = change(&mut loaded.standing.flow) {
        return Ok(Recorded { version: Some(loaded.standing.version), ..Recorded::refused(vec![issue]) });
    }
    if loaded.standing.flow == before {
        let version = Some(loaded.standing.version);
        return Ok(Recorded { outcome: Outcome::Unchanged, version, issues: Vec::new() });
    }
    for (position, line) in &loaded.standing.flow.lines {
        if before.lines.get(position).is_some_and(|b| b.cancelled != line.cancelled) {
            diesel::update(order_positions::table.find((loaded.id, *position)))
                .set(order_positions::cancelled.eq(line.cancelled.to_plain_string()))
                .execute(connection)?;
        }
    }
    let version = restate(connection, &loaded, before.state(), now)?;
    Ok(Recorded { outcome: Outcome::Updated, version: Some(version), issues: Vec::new() })
}

/// Cancels what is not delivered of an order.
///
/// # Errors
/// Those of the database.
pub fn cancel(connection: &mut Db, number: &str, now: NaiveDateTime) -> Result<Recorded, StoreError> {
    advance(connection, number, now, Flow::cancel)
}

/// Closes an order that is done.
///
/// # Errors
/// Those of the database.
pub fn close(connection: &mut Db, number: &str, now: NaiveDateTime) -> Result<Recorded, StoreError> {
    advance(connection, number, now, Flow::close)
}

/// Deletes an order that is cancelled or closed.
///
/// # Errors
/// Those of the database.
pub fn delete(connection: &mut Db, number: &str) -> Result<Deletion, StoreError> {
    let Some(loaded) = hold(connection, number)? else { return Ok(Deletion::NotFound) };
    let state = loaded.standing.flow.state();
    if !matches!(state, contract::State::Cancelled | contract::State::Closed) {
        let text = format!("the order is {}; only what is cancelled or closed is deleted", state.as_str());
        let issue = Issue::error("order.in_use", text).of("number", number);
        return Ok(Deletion::Refused(issue.suggest("cancel or close it first (CancelOrders, CloseOrders)")));
    }
    diesel::delete(orders::table.find(loaded.id)).execute(connection)?;
    Ok(Deletion::Deleted)
}

/// What a list of orders is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub numbers: Vec<String>,
    pub states: Vec<contract::State>,
    pub export_state: Option<contract::ExportState>,
    pub customer: Option<String>,
    pub changed_since: Option<NaiveDateTime>,
    pub changes: Option<ChangeRange>,
    pub text: Option<String>,
    /// Not in the order in which they came, but the other way round.
    pub latest_first: bool,
    /// The id after which the page begins; 0: at the first.
    pub after: i64,
    pub limit: i64,
}

/// A page of orders in the order in which they came, or the other way round; and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Loaded>, bool), StoreError> {
    let mut query = orders::table
        .left_join(customers::table)
        .limit(filter.limit + 1)
        .select((Row::as_select(), customers::number.nullable()))
        .into_boxed();
    query = match (filter.latest_first, filter.after) {
        (false, after) => query.filter(orders::id.gt(after)).order(orders::id),
        (true, 0) => query.order(orders::id.desc()),
        (true, before) => query.filter(orders::id.lt(before)).order(orders::id.desc()),
    };
    if !filter.numbers.is_empty() {
        check_keys(filter.numbers.len())?;
        let keys: Vec<String> = filter.numbers.iter().map(|number| compared(number)).collect();
        query = query.filter(orders::number_key.eq_any(keys));
    }
    if !filter.states.is_empty() {
        query = query.filter(orders::state.eq_any(filter.states.iter().map(|state| state.as_str())));
    }
    if let Some(state) = filter.export_state {
        query = query.filter(orders::export_state.eq(state.as_str()));
    }
    if let Some(number) = &filter.customer {
        let customer = resolve(connection, &[compared(number)])?.into_values().next();
        query = query.filter(orders::customer_id.eq(customer.map_or(-1, |c| c.id)));
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(orders::changed_at.ge(since));
    }
    if let Some(range) = filter.changes {
        query = query.filter(range.of_table("orders"));
    }
    if let Some(text) = &filter.text {
        let search = Search::new(text)?;
        let like = |column| search.is_in(column);
        let named = like("order_addresses.last_name").or(like("order_addresses.company"));
        let named = order_addresses::table.filter(named).select(order_addresses::order_id);
        let own = like("orders.number").or(like("orders.reference")).or(like("orders.email"));
        query = query.filter(own.or(orders::id.eq_any(named)));
    }
    let mut found: Vec<(Row, Option<String>)> = query.load(connection)?;
    let more = page::cut(&mut found, filter.limit);
    Ok((load::load(connection, found)?, more))
}
