//! The tables of an order, and how its parts are put into them.

use crate::domain::orders::{Order, Standing};
use crate::domain::tax::Exemption;
use crate::store::addresses::{self, BILLING, DELIVERY, address_table};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::{Db, StoreError};
use chrono::NaiveDateTime;
use std::collections::HashMap;

const ORDERS: Table = Table {
    name: "orders",
    columns: &[
        Column::Text("number"),
        Column::Text("number_key"),
        Column::Text("reference"),
        Column::Time("ordered_at"),
        Column::Integer("customer_id"),
        Column::Text("email"),
        Column::Text("language"),
        Column::Text("currency"),
        Column::Text("exchange_rate"),
        Column::Boolean("gross"),
        Column::Text("exemption"),
        Column::Text("goods"),
        Column::Text("net"),
        Column::Text("tax"),
        Column::Text("total"),
        Column::Text("payment_method"),
        Column::Boolean("prepaid"),
        Column::Text("shipping_method"),
        Column::Text("comment"),
        Column::Text("weight"),
        Column::Text("state"),
        Column::Text("export_state"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["number_key"],
};
const ADDRESSES: Table = address_table!("order_addresses", Column::Integer("order_id"));
const POSITIONS: Table = Table {
    name: "order_positions",
    columns: &[
        Column::Integer("order_id"),
        Column::Integer("number"),
        Column::Integer("article_id"),
        Column::Text("sku"),
        Column::Text("text"),
        Column::Text("quantity"),
        Column::Text("unit"),
        Column::Text("unit_price"),
        Column::Text("discount"),
        Column::Text("amount"),
        Column::Text("tax_percent"),
        Column::Text("warehouse"),
        Column::Text("cancelled"),
    ],
    key: &[],
};
const SERIALS: Table = Table {
    name: "order_serials",
    columns: &[
        Column::Integer("order_id"),
        Column::Integer("position"),
        Column::Integer("place"),
        Column::Text("serial"),
    ],
    key: &[],
};
const CHARGES: Table = Table {
    name: "order_charges",
    columns: &[
        Column::Integer("order_id"),
        Column::Integer("place"),
        Column::Text("kind"),
        Column::Text("amount"),
        Column::Text("tax_percent"),
        Column::Text("text"),
    ],
    key: &[],
};
const SHARES: Table = Table {
    name: "order_charge_shares",
    columns: &[
        Column::Integer("order_id"),
        Column::Integer("charge"),
        Column::Integer("place"),
        Column::Text("percent"),
        Column::Text("amount"),
    ],
    key: &[],
};
const TAXES: Table = Table {
    name: "order_taxes",
    columns: &[
        Column::Integer("order_id"),
        Column::Integer("place"),
        Column::Text("percent"),
        Column::Text("net"),
        Column::Text("tax"),
        Column::Text("gross"),
    ],
    key: &[],
};
const ATTRIBUTES: Table = Table {
    name: "order_attributes",
    columns: &[Column::Integer("order_id"), Column::Integer("position"), Column::Text("code"), Column::Text("value")],
    key: &[],
};

/// Puts in the order itself, new or changed.
pub(super) fn put_order(
    connection: &mut Db,
    key: &str,
    order: &Order,
    customer_id: Option<i64>,
    standing: &Standing,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    rows.text(&order.number)
        .text(key)
        .text_option(order.reference.as_deref())
        .time(order.ordered_at)
        .integer_option(customer_id)
        .text_option(order.email.as_deref())
        .text_option(order.language.as_deref())
        .text(&order.currency)
        .text_option(order.exchange_rate.as_ref().map(|rate| rate.to_plain_string()))
        .boolean(order.gross)
        .text_option(order.exemption.map(Exemption::as_str))
        .text(order.goods.to_plain_string())
        .text(order.net.to_plain_string())
        .text(order.tax.to_plain_string())
        .text(order.total.to_plain_string())
        .text_option(order.payment_method.as_deref())
        .boolean(order.prepaid)
        .text_option(order.shipping_method.as_deref())
        .text_option(order.comment.as_deref())
        .text_option(order.weight.as_ref().map(|weight| weight.to_plain_string()))
        .text(standing.flow.state().as_str())
        .text(standing.export_state.as_str())
        .integer(standing.version)
        .time(now);
    ORDERS.put(connection, &rows)
}

/// Puts in what can be changed of an order's parts.
pub(super) fn put_changeable(connection: &mut Db, id: i64, order: &Order) -> Result<(), StoreError> {
    let mut places = Rows::default();
    for (kind, address) in [(BILLING, &order.billing), (DELIVERY, &order.delivery)] {
        if let Some(address) = address {
            places.integer(id);
            addresses::put(&mut places, kind, address);
        }
    }
    ADDRESSES.put(connection, &places)?;
    let mut attributes = Rows::default();
    for (position, named) in (0..).zip(&order.attributes) {
        attributes.integer(id).integer(position).text(&named.name).text(&named.value);
    }
    ATTRIBUTES.put(connection, &attributes)
}

/// Puts in what stays as it is; `articles` has the ids of those that there are, by their numbers.
pub(super) fn put_fixed(
    connection: &mut Db,
    id: i64,
    order: &Order,
    articles: &HashMap<String, i64>,
) -> Result<(), StoreError> {
    let (mut positions, mut serials) = (Rows::default(), Rows::default());
    for position in &order.positions {
        let number = position.number.into();
        positions
            .integer(id)
            .integer(number)
            .integer_option(position.sku.as_ref().and_then(|sku| articles.get(sku).copied()))
            .text_option(position.sku.as_deref())
            .text_option(position.text.as_deref())
            .text(position.quantity.to_plain_string())
            .text_option(position.unit.as_deref())
            .text(position.unit_price.to_plain_string())
            .text(position.discount.to_plain_string())
            .text(position.amount.to_plain_string())
            .text(position.tax_percent.to_plain_string())
            .text_option(position.warehouse.as_deref())
            .text("0");
        for (place, serial) in (0..).zip(&position.serials) {
            serials.integer(id).integer(number).integer(place).text(serial);
        }
    }
    POSITIONS.put(connection, &positions)?;
    SERIALS.put(connection, &serials)?;
    let (mut charges, mut shares) = (Rows::default(), Rows::default());
    for (number, charge) in (0..).zip(&order.charges) {
        charges
            .integer(id)
            .integer(number)
            .text(charge.kind.as_str())
            .text(charge.amount.to_plain_string())
            .text_option(charge.tax_percent.as_ref().map(|percent| percent.to_plain_string()))
            .text_option(charge.text.as_deref());
        for (place, (percent, amount)) in (0..).zip(&charge.shares) {
            shares
                .integer(id)
                .integer(number)
                .integer(place)
                .text(percent.to_plain_string())
                .text(amount.to_plain_string());
        }
    }
    CHARGES.put(connection, &charges)?;
    SHARES.put(connection, &shares)?;
    let mut taxes = Rows::default();
    for (place, tax) in (0..).zip(&order.taxes) {
        taxes
            .integer(id)
            .integer(place)
            .text(tax.percent.to_plain_string())
            .text(tax.net.to_plain_string())
            .text(tax.tax.to_plain_string())
            .text(tax.gross.to_plain_string());
    }
    TAXES.put(connection, &taxes)
}
