//! An order: what was ordered, how far it is, and what became of it.

use super::super::visitor::Visitor;
use super::super::{may_not_see, page, unavailable};
use super::flow_picture::{Picture, draw};
use super::{filled, lines, no_such, plain, time};
use crate::domain::orders::{Order, Payment};
use crate::reporting::size;
use crate::store::orders::{self, Filed, Loaded, Shipment};
use crate::store::{Db, Store, StoreError};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

/// Documents, payments and shipments that are shown.
const SHOWN: i64 = 100;

#[derive(Deserialize)]
pub(super) struct Wanted {
    number: String,
}

#[derive(Template)]
#[template(path = "data/order.html")]
struct OrderPage {
    visitor: Visitor,
    number: String,
    state: &'static str,
    export: String,
    released: bool,
    customer: Option<String>,
    picture: Picture,
    positions: Vec<Position>,
    sums: Vec<(String, String)>,
    facts: Vec<(&'static str, String)>,
    attributes: Vec<(String, String)>,
    billing: Vec<String>,
    delivery: Vec<String>,
    comment: String,
    papers: Vec<Paper>,
    parcels: Vec<Parcel>,
}

struct Position {
    number: i32,
    sku: Option<String>,
    text: String,
    quantity: String,
    price: String,
    discount: String,
    amount: String,
    /// How much of it, and how much that is of a hundred.
    delivered: (String, i64),
    invoiced: (String, i64),
    back: String,
}

struct Paper {
    kind: &'static str,
    number: String,
    date: String,
    text: String,
    pdf: Option<String>,
}

struct Parcel {
    name: String,
    carrier: String,
    address: Option<String>,
    at: String,
}

struct Known {
    loaded: Loaded,
    documents: Vec<Filed>,
    payments: Vec<Payment>,
    shipments: Vec<Shipment>,
}

fn look(db: &mut Db, number: &str) -> Result<Option<Known>, StoreError> {
    let Some(loaded) = orders::get(db, number)? else { return Ok(None) };
    let payments = orders::list_payments(db, Some(number), None, None, 0, SHOWN)?.0;
    Ok(Some(Known {
        documents: orders::list_documents(db, Some(number), None, None, 0, SHOWN)?.0,
        payments: payments.into_iter().map(|(_, _, payment)| payment).collect(),
        shipments: orders::list_shipments(db, Some(number), None, 0, SHOWN)?.0.into_iter().map(|(_, s)| s).collect(),
        loaded,
    }))
}

fn positions(loaded: &Loaded) -> Vec<Position> {
    use bigdecimal::{BigDecimal, ToPrimitive, Zero};
    let lines = &loaded.standing.flow.lines;
    let of = |part: &BigDecimal, whole: &BigDecimal| {
        let share = if whole.is_zero() { 0 } else { (part * BigDecimal::from(100) / whole).to_i64().unwrap_or(0) };
        (plain(part), share)
    };
    let position = |position: &crate::domain::orders::Position| {
        let line = lines.get(&position.number).cloned().unwrap_or_default();
        let back = &line.returned + &line.cancelled;
        Position {
            number: position.number,
            sku: position.sku.clone(),
            text: position.text.clone().unwrap_or_default(),
            quantity: format!("{} {}", plain(&position.quantity), position.unit.as_deref().unwrap_or_default()),
            price: position.unit_price.to_plain_string(),
            discount: if position.discount.is_zero() {
                String::new()
            } else {
                format!("{} %", plain(&position.discount))
            },
            amount: position.amount.to_plain_string(),
            delivered: of(&line.delivered, &position.quantity),
            invoiced: of(&line.invoiced, &position.quantity),
            back: if back.is_zero() { String::new() } else { plain(&back) },
        }
    };
    loaded.order.positions.iter().map(position).collect()
}

fn sums(order: &Order, visitor: &Visitor) -> Vec<(String, String)> {
    let mut sums = vec![(visitor.t("Goods").to_owned(), order.goods.to_plain_string())];
    for charge in &order.charges {
        let name = charge.text.clone().unwrap_or_else(|| visitor.label(charge.kind.as_str()));
        sums.push((name, charge.amount.to_plain_string()));
    }
    sums.push((visitor.t("Without tax").to_owned(), order.net.to_plain_string()));
    for tax in &order.taxes {
        sums.push((visitor.tell("Tax at {} %", plain(&tax.percent)), tax.tax.to_plain_string()));
    }
    sums.push((visitor.t("Total").to_owned(), format!("{} {}", order.total.to_plain_string(), order.currency)));
    sums
}

fn facts(loaded: &Loaded, visitor: &Visitor) -> Vec<(&'static str, String)> {
    let (order, standing) = (&loaded.order, &loaded.standing);
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let said = |yes: bool| visitor.t(if yes { "yes" } else { "no" }).to_owned();
    filled(vec![
        ("Ordered", time(order.ordered_at)),
        ("Reference", text(&order.reference)),
        ("E-mail", text(&order.email)),
        ("Language", text(&order.language)),
        ("Payment method", text(&order.payment_method)),
        ("Paid before delivery", said(order.prepaid)),
        ("Paid", format!("{} / {}", standing.flow.paid.to_plain_string(), order.total.to_plain_string())),
        ("Shipping method", text(&order.shipping_method)),
        ("Weight", order.weight.as_ref().map(plain).unwrap_or_default()),
        ("Export number", text(&standing.export_number)),
        ("The ERP said", text(&standing.export_message)),
        ("Changed", time(standing.changed_at)),
        ("Version", standing.version.to_string()),
    ])
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    if !visitor.may("Orders", "GetOrder") {
        return may_not_see(visitor, "Orders.GetOrder");
    }
    let number = wanted.into_inner().number;
    let key = number.clone();
    let Known { loaded, documents, payments, shipments } = match store.read(move |db| look(db, &key)).await {
        Ok(Some(known)) => known,
        Ok(None) => return no_such(visitor, "There is no such order", &number),
        Err(error) => return unavailable(visitor, &error),
    };
    let paper = |filed: &Filed| Paper {
        kind: filed.document.kind.as_str(),
        number: filed.document.number.clone(),
        date: filed.document.date.to_string(),
        text: filed.document.text.clone().unwrap_or_default(),
        pdf: filed.pdf_size.map(size),
    };
    let parcel = |shipment: &Shipment| Parcel {
        name: shipment.tracking_number.clone().unwrap_or_else(|| shipment.key.clone()),
        carrier: shipment.carrier.clone().unwrap_or_default(),
        // Nothing but the web's own addresses becomes a link.
        address: shipment.tracking_url.clone().filter(|a| a.starts_with("https://") || a.starts_with("http://")),
        at: time(shipment.shipped_at),
    };
    let (order, standing) = (&loaded.order, &loaded.standing);
    page(&OrderPage {
        state: standing.flow.state().as_str(),
        export: standing.export_state.as_str().to_owned(),
        released: standing.flow.is_released(),
        customer: order.customer.clone(),
        picture: draw(&loaded, &documents, &payments, &shipments, &visitor),
        positions: positions(&loaded),
        sums: sums(order, &visitor),
        facts: facts(&loaded, &visitor),
        attributes: order.attributes.iter().map(|a| (a.name.clone(), a.value.clone())).collect(),
        billing: order.billing.as_ref().map(lines).unwrap_or_default(),
        delivery: order.delivery.as_ref().map(lines).unwrap_or_default(),
        comment: order.comment.clone().unwrap_or_default(),
        papers: documents.iter().map(paper).collect(),
        parcels: shipments.iter().map(parcel).collect(),
        number: order.number.clone(),
        visitor,
    })
}
