//! Orders read back, with all that hangs on them and how far they are: as many queries, however many orders.

use crate::domain::Named;
use crate::domain::orders::{Charge, Flow, Line, Order, Payment, Position, Standing, TaxLine};
use crate::domain::tax::Exemption;
use crate::store::addresses::{AddressRow, BILLING, address_columns};
use crate::store::children::by_owner;
use crate::store::schema::{
    document_parts, documents, order_addresses, order_attributes, order_charge_shares, order_charges, order_positions,
    order_serials, order_taxes, orders, payments,
};
use crate::store::values::{decimal, one_of};
use crate::store::{Db, StoreError};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::common::ChargeKind;
use soapstone_contracts::orders as contract;
use std::collections::HashMap;

/// An order with its id and how far it is.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub id: i64,
    pub customer_id: Option<i64>,
    pub order: Order,
    pub standing: Standing,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = orders)]
pub(super) struct Row {
    pub id: i64,
    number: String,
    reference: Option<String>,
    ordered_at: NaiveDateTime,
    customer_id: Option<i64>,
    email: Option<String>,
    language: Option<String>,
    currency: String,
    exchange_rate: Option<String>,
    gross: bool,
    exemption: Option<String>,
    goods: String,
    net: String,
    tax: String,
    total: String,
    payment_method: Option<String>,
    prepaid: bool,
    shipping_method: Option<String>,
    comment: Option<String>,
    weight: Option<String>,
    closed: bool,
    export_state: String,
    export_id: Option<i64>,
    export_message: Option<String>,
    version: i64,
    changed_at: NaiveDateTime,
}

/// The orders of some rows, with the customers' numbers.
pub(super) fn load(connection: &mut Db, rows: Vec<(Row, Option<String>)>) -> Result<Vec<Loaded>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|(row, _)| row.id).collect();
    let (positions, lines) = positions(connection, &ids)?;
    let mut parts = Parts::load(connection, &ids, positions)?;
    let mut flows = flows(connection, &ids, lines)?;
    Ok(rows.into_iter().map(|(row, customer)| loaded(row, customer, &mut parts, &mut flows)).collect())
}

fn loaded(row: Row, customer: Option<String>, parts: &mut Parts, flows: &mut HashMap<i64, Flow>) -> Loaded {
    let id = row.id;
    let total = decimal(&row.total);
    let flow = flows.remove(&id).unwrap_or_default();
    let flow = Flow { closed: row.closed, prepaid: row.prepaid, total: total.clone(), ..flow };
    let standing = Standing {
        version: row.version,
        changed_at: row.changed_at,
        flow,
        export_state: one_of(&row.export_state).unwrap_or(contract::ExportState::New),
        export_number: row.export_id.map(|id| id.to_string()),
        export_message: row.export_message,
    };
    let (billing, delivery): (Vec<_>, Vec<_>) =
        parts.addresses.remove(&id).unwrap_or_default().into_iter().partition(|row| row.kind == BILLING);
    let address = |rows: Vec<AddressRow>| rows.into_iter().next().map(AddressRow::into_address);
    let order = Order {
        number: row.number,
        reference: row.reference,
        ordered_at: row.ordered_at,
        customer,
        email: row.email,
        language: row.language,
        billing: address(billing),
        delivery: address(delivery),
        currency: row.currency,
        exchange_rate: row.exchange_rate.as_deref().map(decimal),
        gross: row.gross,
        exemption: row.exemption.as_deref().and_then(Exemption::read),
        positions: parts.positions.remove(&id).unwrap_or_default(),
        charges: parts.charges.remove(&id).unwrap_or_default(),
        taxes: parts.taxes.remove(&id).unwrap_or_default(),
        goods: decimal(&row.goods),
        net: decimal(&row.net),
        tax: decimal(&row.tax),
        total,
        payment_method: row.payment_method,
        prepaid: row.prepaid,
        shipping_method: row.shipping_method,
        comment: row.comment,
        weight: row.weight.as_deref().map(decimal),
        attributes: parts.attributes.remove(&id).unwrap_or_default(),
    };
    Loaded { id, customer_id: row.customer_id, order, standing }
}

/// What hangs on orders, by their ids.
struct Parts {
    addresses: HashMap<i64, Vec<AddressRow>>,
    positions: HashMap<i64, Vec<Position>>,
    charges: HashMap<i64, Vec<Charge>>,
    taxes: HashMap<i64, Vec<TaxLine>>,
    attributes: HashMap<i64, Vec<Named>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = order_positions)]
struct PositionRow {
    order_id: i64,
    number: i32,
    sku: Option<String>,
    text: Option<String>,
    quantity: String,
    unit: Option<String>,
    unit_price: String,
    discount: String,
    amount: String,
    tax_percent: String,
    warehouse: Option<String>,
    cancelled: String,
}

impl Parts {
    fn load(connection: &mut Db, ids: &[i64], positions: HashMap<i64, Vec<Position>>) -> Result<Self, StoreError> {
        let addresses: Vec<AddressRow> = order_addresses::table
            .filter(order_addresses::order_id.eq_any(ids))
            .select(address_columns!(order_addresses, order_id))
            .load(connection)?;
        let taxes: Vec<(i64, i32, String, String, String, String)> = order_taxes::table
            .filter(order_taxes::order_id.eq_any(ids))
            .order((order_taxes::order_id, order_taxes::place))
            .load(connection)?;
        let tax = |(id, _, percent, net, tax, gross): (i64, i32, String, String, String, String)| {
            let line =
                TaxLine { percent: decimal(&percent), net: decimal(&net), tax: decimal(&tax), gross: decimal(&gross) };
            (id, line)
        };
        let attributes: Vec<(i64, i32, String, String)> = order_attributes::table
            .filter(order_attributes::order_id.eq_any(ids))
            .order((order_attributes::order_id, order_attributes::position))
            .load(connection)?;
        Ok(Self {
            addresses: by_owner(addresses.into_iter().map(|row| (row.owner, row))),
            positions,
            charges: charges(connection, ids)?,
            taxes: by_owner(taxes.into_iter().map(tax)),
            attributes: by_owner(attributes.into_iter().map(|(id, _, name, value)| (id, Named { name, value }))),
        })
    }
}

/// The lines of orders, as they were ordered and as the flow begins with them.
type Lines = (HashMap<i64, Vec<Position>>, HashMap<i64, Flow>);

fn positions(connection: &mut Db, ids: &[i64]) -> Result<Lines, StoreError> {
    let serials: Vec<(i64, i32, i32, String)> = order_serials::table
        .filter(order_serials::order_id.eq_any(ids))
        .order((order_serials::order_id, order_serials::position, order_serials::place))
        .load(connection)?;
    let mut of_position: HashMap<(i64, i32), Vec<String>> = HashMap::new();
    for (id, position, _, serial) in serials {
        of_position.entry((id, position)).or_default().push(serial);
    }
    let rows: Vec<PositionRow> = order_positions::table
        .filter(order_positions::order_id.eq_any(ids))
        .order((order_positions::order_id, order_positions::number))
        .select(PositionRow::as_select())
        .load(connection)?;
    let mut flows: HashMap<i64, Flow> = HashMap::new();
    let positions = by_owner(rows.into_iter().map(|row| {
        let line = Line { ordered: decimal(&row.quantity), cancelled: decimal(&row.cancelled), ..Line::default() };
        flows.entry(row.order_id).or_default().lines.insert(row.number, line);
        let position = Position {
            number: row.number,
            sku: row.sku,
            text: row.text,
            quantity: decimal(&row.quantity),
            unit: row.unit,
            unit_price: decimal(&row.unit_price),
            discount: decimal(&row.discount),
            amount: decimal(&row.amount),
            tax_percent: decimal(&row.tax_percent),
            warehouse: row.warehouse,
            serials: of_position.remove(&(row.order_id, row.number)).unwrap_or_default(),
        };
        (row.order_id, position)
    }));
    Ok((positions, flows))
}

fn charges(connection: &mut Db, ids: &[i64]) -> Result<HashMap<i64, Vec<Charge>>, StoreError> {
    type Share = (i64, i32, i32, String, String);
    type Row = (i64, i32, String, String, Option<String>, Option<String>);
    let shares: Vec<Share> = order_charge_shares::table
        .filter(order_charge_shares::order_id.eq_any(ids))
        .order((order_charge_shares::order_id, order_charge_shares::charge, order_charge_shares::place))
        .load(connection)?;
    let mut of_charge: HashMap<(i64, i32), Vec<(BigDecimal, BigDecimal)>> = HashMap::new();
    for (id, charge, _, percent, amount) in shares {
        of_charge.entry((id, charge)).or_default().push((decimal(&percent), decimal(&amount)));
    }
    let rows: Vec<Row> = order_charges::table
        .filter(order_charges::order_id.eq_any(ids))
        .order((order_charges::order_id, order_charges::place))
        .load(connection)?;
    Ok(by_owner(rows.into_iter().map(|(id, place, kind, amount, tax_percent, text)| {
        let charge = Charge {
            kind: one_of(&kind).unwrap_or(ChargeKind::Other),
            amount: decimal(&amount),
            tax_percent: tax_percent.as_deref().map(decimal),
            text,
            shares: of_charge.remove(&(id, place)).unwrap_or_default(),
        };
        (id, charge)
    })))
}

/// How far orders are, from their lines, documents and payments.
fn flows(connection: &mut Db, ids: &[i64], mut flows: HashMap<i64, Flow>) -> Result<HashMap<i64, Flow>, StoreError> {
    let parts: Vec<(i64, String, Option<i32>, Option<String>)> = documents::table
        .left_join(document_parts::table)
        .filter(documents::order_id.eq_any(ids))
        .select((
            documents::order_id,
            documents::kind,
            document_parts::position.nullable(),
            document_parts::quantity.nullable(),
        ))
        .load(connection)?;
    for (id, kind, position, quantity) in parts {
        let kind: Option<contract::DocumentKind> = one_of(&kind);
        let (Some(flow), Some(kind)) = (flows.get_mut(&id), kind) else { continue };
        flow.confirmed |= kind == contract::DocumentKind::OrderConfirmation;
        let line = position.and_then(|position| flow.lines.get_mut(&position));
        if let (Some(line), Some(quantity)) = (line, quantity) {
            line.add(kind, &decimal(&quantity));
        }
    }
    for (id, payment) in payments_of(connection, ids)? {
        if let Some(flow) = flows.get_mut(&id) {
            flow.paid += payment.received();
        }
    }
    Ok(flows)
}

/// The payments of orders.
pub(super) fn payments_of(connection: &mut Db, ids: &[i64]) -> Result<Vec<(i64, Payment)>, StoreError> {
    let rows: Vec<PaymentRow> = payments::table
        .filter(payments::order_id.eq_any(ids))
        .order(payments::id)
        .select(PaymentRow::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.into_payment())).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = payments)]
pub(super) struct PaymentRow {
    pub id: i64,
    pub order_id: i64,
    key: String,
    method: Option<String>,
    state: String,
    amount: String,
    refunded: String,
    transaction_name: Option<String>,
    at: NaiveDateTime,
}

impl PaymentRow {
    pub fn into_payment(self) -> Payment {
        Payment {
            key: self.key,
            method: self.method,
            state: one_of(&self.state).unwrap_or(contract::PaymentState::Open),
            amount: decimal(&self.amount),
            refunded: decimal(&self.refunded),
            transaction: self.transaction_name,
            at: self.at,
        }
    }
}
