//! The list of orders.

use super::super::query::{address, said};
use super::super::visitor::Visitor;
use super::super::{may_not_see, page, unavailable};
use super::{PAGE, joined, time};
use crate::store::Store;
use crate::store::orders::{self, Filter, Loaded};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;
use soapstone_contracts::orders::{ExportState, State};

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    export: String,
    #[serde(default)]
    customer: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "data/orders.html")]
struct OrdersPage {
    visitor: Visitor,
    text: String,
    customer: String,
    states: Vec<(&'static str, bool)>,
    exports: Vec<(&'static str, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// An order in a list.
pub(super) struct Row {
    pub number: String,
    pub at: String,
    pub customer: String,
    pub buyer: String,
    pub total: String,
    pub state: &'static str,
    pub export: &'static str,
    pub export_number: String,
}

pub(super) fn row(loaded: &Loaded) -> Row {
    let order = &loaded.order;
    let buyer = order
        .billing
        .as_ref()
        .map(|address| address.company.clone().unwrap_or_else(|| joined(&[&address.first_name, &address.last_name])));
    let buyer = buyer.filter(|name| !name.is_empty());
    Row {
        number: order.number.clone(),
        at: time(order.ordered_at),
        customer: order.customer.clone().unwrap_or_default(),
        buyer: buyer.or_else(|| order.email.clone()).unwrap_or_default(),
        total: format!("{} {}", order.total.to_plain_string(), order.currency),
        state: loaded.standing.flow.state().as_str(),
        export: loaded.standing.export_state.as_str(),
        export_number: loaded.standing.export_number.clone().unwrap_or_default(),
    }
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    if !visitor.may("Orders", "ListOrders") {
        return may_not_see(visitor, "Orders.ListOrders");
    }
    let Wanted { text, state, export, customer, before } = wanted.into_inner();
    let filter = Filter {
        text: said(&text),
        states: State::ALL.iter().filter(|other| other.as_str() == state).copied().collect(),
        export_state: ExportState::ALL.iter().find(|other| other.as_str() == export).copied(),
        customer: said(&customer),
        latest_first: true,
        after: before.unwrap_or(0),
        limit: PAGE,
        ..Filter::default()
    };
    let (found, more) = match store.read(move |db| orders::list(db, &filter)).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let asked = [("text", text.as_str()), ("state", &state), ("export", &export), ("customer", &customer)];
    let next = found.last().filter(|_| more).map(|last| {
        let before = last.id.to_string();
        address("/navigator/orders", &[&asked[..], &[("before", before.as_str())]].concat())
    });
    page(&OrdersPage {
        rows: found.iter().map(row).collect(),
        states: State::ALL.iter().map(|other| (other.as_str(), other.as_str() == state)).collect(),
        exports: ExportState::ALL.iter().map(|other| (other.as_str(), other.as_str() == export)).collect(),
        visitor,
        text,
        customer,
        next,
    })
}
