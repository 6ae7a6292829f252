//! The list of customers.

use super::super::query::{address, said};
use super::super::visitor::Visitor;
use super::super::{may_not_see, page, unavailable};
use super::{PAGE, joined, time};
use crate::domain::customers::Customer;
use crate::store::Store;
use crate::store::customers::{self, Filter};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "data/customers.html")]
struct CustomersPage {
    visitor: Visitor,
    text: String,
    group: String,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    number: String,
    name: String,
    email: String,
    place: String,
    group: String,
    aliases: String,
    blocked: bool,
    changed: String,
}

/// What a customer is called.
pub(super) fn called(customer: &Customer) -> String {
    let person = joined(&[&customer.first_name, &customer.last_name]);
    match &customer.company {
        Some(company) if person.is_empty() => company.clone(),
        Some(company) => format!("{company}, {person}"),
        None => person,
    }
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    if !visitor.may("Customers", "ListCustomers") {
        return may_not_see(visitor, "Customers.ListCustomers");
    }
    let Wanted { text, group, after } = wanted.into_inner();
    let filter =
        Filter { text: said(&text), price_group: said(&group), after: said(&after), limit: PAGE, ..Filter::default() };
    let (found, next) = match store.read(move |db| customers::list(db, &filter)).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let rows = found.into_iter().map(|(customer, standing)| Row {
        name: called(&customer),
        email: customer.email.unwrap_or_default(),
        place: customer.billing.and_then(|address| address.city).unwrap_or_default(),
        group: customer.price_group.unwrap_or_default(),
        aliases: standing.aliases.join(", "),
        blocked: customer.blocked,
        changed: time(standing.changed_at),
        number: customer.number,
    });
    page(&CustomersPage {
        rows: rows.collect(),
        visitor,
        next: next
            .map(|after| address("/navigator/customers", &[("text", &text), ("group", &group), ("after", &after)])),
        text,
        group,
    })
}
