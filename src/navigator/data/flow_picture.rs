//! What became of an order, as a picture: a column for each kind of document, lines from what they follow.

use super::super::visitor::Visitor;
use super::plain;
use crate::domain::orders::Payment;
use crate::store::orders::{Filed, Loaded, Shipment};
use bigdecimal::BigDecimal;
use soapstone_contracts::orders::{DocumentKind, PaymentState};

/// Sizes, in the picture's units.
const WIDTH: usize = 172;
const HEIGHT: usize = 66;
const ACROSS: usize = 52;
const DOWN: usize = 16;
const MARGIN: usize = 6;

/// How many letters fit into a box.
const LETTERS: usize = 22;

pub(super) struct Picture {
    pub width: usize,
    pub height: usize,
    pub boxes: Vec<Box>,
    pub lines: Vec<String>,
}

pub(super) struct Box {
    pub x: usize,
    pub y: usize,
    /// What it is, which is its colour too.
    pub class: &'static str,
    pub kind: String,
    pub name: String,
    pub told: String,
    pub at: String,
    /// The whole of it, for those who do not see it.
    pub whole: String,
}

/// The columns, from left to right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Order,
    Confirmation,
    Delivery,
    Invoice,
    Payment,
    Back,
}

struct Node {
    column: Column,
    /// What it follows, if that is there; else the order.
    after: Column,
    class: &'static str,
    kind: &'static str,
    name: String,
    told: String,
    at: String,
}

fn of_document(filed: &Filed, visitor: &Visitor) -> Node {
    let document = &filed.document;
    let (column, after, kind) = match document.kind {
        DocumentKind::OrderConfirmation => (Column::Confirmation, Column::Order, "Confirmation"),
        DocumentKind::DeliveryNote => (Column::Delivery, Column::Confirmation, "Delivery note"),
        DocumentKind::Invoice => (Column::Invoice, Column::Delivery, "Invoice"),
        DocumentKind::CreditNote => (Column::Back, Column::Invoice, "Credit note"),
        DocumentKind::Return => (Column::Back, Column::Delivery, "Return"),
    };
    let pieces: BigDecimal = document.parts.iter().map(|(_, quantity)| quantity).sum();
    let told = match &document.amount {
        Some(amount) => amount.to_plain_string(),
        None => visitor.tell("{} pieces", plain(&pieces)),
    };
    let class = if column == Column::Back { "back" } else { "document" };
    Node { column, after, class, kind, name: document.number.clone(), told, at: document.date.to_string() }
}

fn of_shipment(shipment: &Shipment) -> Node {
    let tracked = shipment.tracking_number.clone().unwrap_or_else(|| shipment.key.clone());
    Node {
        column: Column::Delivery,
        after: Column::Confirmation,
        class: "parcel",
        kind: "Shipment",
        name: tracked,
        told: shipment.carrier.clone().unwrap_or_default(),
        at: shipment.shipped_at.date().to_string(),
    }
}

fn of_payment(payment: &Payment, visitor: &Visitor) -> Node {
    let class = match payment.state {
        PaymentState::Paid => "paid",
        PaymentState::Failed | PaymentState::Expired | PaymentState::Refunded | PaymentState::PartiallyRefunded => {
            "back"
        }
        _ => "open",
    };
    Node {
        column: Column::Payment,
        after: Column::Invoice,
        class,
        kind: "Payment",
        name: payment.transaction.clone().unwrap_or_else(|| payment.key.clone()),
        told: format!("{} · {}", payment.amount.to_plain_string(), visitor.label(payment.state.as_str())),
        at: payment.at.date().to_string(),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}

/// Draws an order with its documents, payments and shipments.
pub(super) fn draw(
    loaded: &Loaded,
    documents: &[Filed],
    payments: &[Payment],
    shipments: &[Shipment],
    visitor: &Visitor,
) -> Picture {
    let order = &loaded.order;
    let mut nodes = vec![Node {
        column: Column::Order,
        after: Column::Order,
        class: "order",
        kind: "Order",
        name: order.number.clone(),
        told: format!("{} {}", order.total.to_plain_string(), order.currency),
        at: order.ordered_at.date().to_string(),
    }];
    nodes.extend(documents.iter().map(|filed| of_document(filed, visitor)));
    nodes.extend(shipments.iter().map(of_shipment));
    nodes.extend(payments.iter().map(|payment| of_payment(payment, visitor)));
    let mut columns: Vec<Column> = nodes.iter().map(|node| node.column).collect();
    columns.sort();
    columns.dedup();
    let place = |column: Column| columns.iter().position(|other| *other == column);
    let mut filled = vec![0; columns.len()];
    let (mut boxes, mut lines) = (Vec::new(), Vec::new());
    for node in nodes {
        let Some(column) = place(node.column) else { continue };
        let (x, y) = (MARGIN + column * (WIDTH + ACROSS), MARGIN + filled[column] * (HEIGHT + DOWN));
        filled[column] += 1;
        if node.column != Column::Order {
            let from = place(node.after).filter(|from| *from < column).unwrap_or(0);
            let (x1, y1) = (MARGIN + from * (WIDTH + ACROSS) + WIDTH, MARGIN + HEIGHT / 2);
            let (y2, middle) = (y + HEIGHT / 2, ACROSS / 2);
            lines.push(format!("M{x1} {y1} C{} {y1} {} {y2} {x} {y2}", x1 + middle, x - middle));
        }
        let kind = visitor.t(node.kind).to_owned();
        boxes.push(Box {
            x,
            y,
            class: node.class,
            whole: format!("{kind} {} {} {}", node.name, node.told, node.at),
            kind,
            name: cut(&node.name),
            told: cut(&node.told),
            at: node.at,
        });
    }
    let most = filled.iter().max().copied().unwrap_or(1);
    Picture {
        width: columns.len() * (WIDTH + ACROSS) - ACROSS + 2 * MARGIN,
        height: most * (HEIGHT + DOWN) - DOWN + 2 * MARGIN,
        boxes,
        lines,
    }
}
