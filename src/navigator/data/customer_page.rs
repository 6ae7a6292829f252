//! A customer: the numbers it goes by, what was merged into it, its addresses, what holds for it, its orders.

use super::super::outcome::only;
use super::super::query::address;
use super::super::visitor::Visitor;
use super::super::{may_not, may_not_see, moved, not_found, not_ours, page, refused, unavailable};
use super::customers_page::called;
use super::orders_page::{Row as OrderRow, row};
use super::{filled, lines, no_such, time};
use crate::config::Config;
use crate::domain::customers::{Customer, Standing};
use crate::http::auth::Access;
use crate::services::CustomersService;
use crate::store::customers::{self, MergeRecord};
use crate::store::{Db, Store, StoreError, orders};
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;
use soapstone_contracts::customers::{Customers, Merge, MergeCustomers, UndoMerges};
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::soap::Fault;
use std::sync::Arc;

/// Orders that are shown.
const ORDERS: i64 = 20;

/// Merges that are shown.
const MERGES: i64 = 20;

#[derive(Deserialize)]
pub(super) struct Wanted {
    number: String,
}

#[derive(Template)]
#[template(path = "data/customer.html")]
struct CustomerPage {
    visitor: Visitor,
    may_merge: bool,
    number: String,
    name: String,
    blocked: bool,
    aliases: Vec<String>,
    merges: Vec<Merged>,
    billing: Vec<String>,
    delivery: Vec<(String, Vec<String>)>,
    facts: Vec<(&'static str, String)>,
    attributes: Vec<(String, String)>,
    consents: Vec<(String, bool, String)>,
    orders: Vec<OrderRow>,
    more_orders: String,
}

struct Merged {
    number: String,
    into: String,
    at: String,
    until: String,
    undone: Option<String>,
    /// Whether it can be taken back.
    is_undoable: bool,
}

struct Known {
    customer: Customer,
    standing: Standing,
    merges: Vec<MergeRecord>,
    orders: Vec<orders::Loaded>,
}

fn look(db: &mut Db, number: &str) -> Result<Option<Known>, StoreError> {
    let Some((customer, standing)) = customers::get(db, number)? else { return Ok(None) };
    let filter = orders::Filter { customer: Some(customer.number.clone()), limit: ORDERS, ..orders::Filter::default() };
    Ok(Some(Known {
        merges: customers::list_merges(db, Some(&customer.number), None, MERGES)?.0,
        orders: orders::list(db, &orders::Filter { latest_first: true, ..filter })?.0,
        customer,
        standing,
    }))
}

fn facts(customer: &Customer, standing: &Standing) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let credit: Vec<String> = standing.credit.iter().map(|m| format!("{} {}", m.amount, m.currency)).collect();
    let limit = customer.credit_limit.as_ref().map(|m| format!("{} {}", m.amount, m.currency));
    filled(vec![
        ("E-mail", text(&customer.email)),
        ("Language", text(&customer.language)),
        ("Currency", text(&customer.currency)),
        ("Tax number", text(&customer.tax_id)),
        ("Price group", text(&customer.price_group)),
        ("Discount group", text(&customer.discount_group)),
        ("Campaigns", customer.campaigns.join(", ")),
        ("Payment terms", text(&customer.payment_terms)),
        ("Payment methods", customer.payment_methods.join(", ")),
        ("Credit limit", limit.unwrap_or_default()),
        ("Credit", credit.join(", ")),
        ("Changed", time(standing.changed_at)),
        ("Version", standing.version.to_string()),
    ])
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    if !visitor.may("Customers", "GetCustomer") {
        return may_not_see(visitor, "Customers.GetCustomer");
    }
    let number = wanted.into_inner().number;
    let key = number.clone();
    let Known { customer, standing, merges, orders } = match store.read(move |db| look(db, &key)).await {
        Ok(Some(known)) => known,
        Ok(None) => return no_such(visitor, "There is no such customer", &number),
        Err(error) => return unavailable(visitor, &error),
    };
    let now = Utc::now().naive_utc();
    let merged = |merge: MergeRecord| Merged {
        is_undoable: merge.undone_at.is_none() && now < merge.undoable_until && merge.into == customer.number,
        number: merge.number,
        into: merge.into,
        at: time(merge.merged_at),
        until: time(merge.undoable_until),
        undone: merge.undone_at.map(time),
    };
    page(&CustomerPage {
        may_merge: visitor.may_change() && visitor.may("Customers", "MergeCustomers"),
        name: called(&customer),
        blocked: customer.blocked,
        aliases: standing.aliases.clone(),
        merges: merges.into_iter().map(merged).collect(),
        billing: customer.billing.as_ref().map(lines).unwrap_or_default(),
        delivery: customer.delivery.iter().map(|address| (address.key.clone(), lines(address))).collect(),
        facts: facts(&customer, &standing),
        attributes: customer.attributes.iter().map(|a| (a.name.clone(), a.value.clone())).collect(),
        consents: customer
            .consents
            .iter()
            .map(|c| (c.purpose.clone(), c.given, c.at.map(time).unwrap_or_default()))
            .collect(),
        orders: orders.iter().map(row).collect(),
        more_orders: address("/navigator/orders", &[("customer", &customer.number)]),
        number: customer.number,
        visitor,
    })
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    form: String,
    number: String,
    #[serde(default)]
    into: String,
}

/// The actions, each with the operation that does it.
pub(super) const ACTIONS: [(&str, &str); 2] = [("merge", "MergeCustomers"), ("undo", "UndoMerges")];

pub(super) async fn merge(
    request: HttpRequest,
    store: Data<Store>,
    config: Data<Config>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    deed: Path<String>,
    shown: Form<Shown>,
) -> HttpResponse {
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    let Some((_, operation)) = ACTIONS.into_iter().find(|(name, _)| *name == *deed) else {
        return not_found(visitor, "There is nothing here.".to_owned());
    };
    if !visitor.may("Customers", operation) {
        return may_not(visitor, &format!("Customers.{operation}"));
    }
    let service = CustomersService { store: store.get_ref().clone(), rules: config.rules.clone() };
    let context = Context::of(Channel::Rest, &request);
    let Shown { number, into, .. } = shown.into_inner();
    let done = if operation == "MergeCustomers" {
        let merge = vec![Merge { number: number.clone(), into: into.trim().to_owned() }];
        service.merge_customers(&context, MergeCustomers { merge }).await.map(|done| done.result)
    } else {
        service.undo_merges(&context, UndoMerges { number: vec![number.clone()] }).await.map(|done| done.result)
    };
    let done = done.map_err(Fault::from).and_then(only);
    visitor.note(&access, format!("Customers.{operation} {number}"), done.is_ok());
    match done {
        // What was merged is found where it is now.
        Ok(()) => moved(&address("/navigator/customer", &[("number", &number)])),
        Err(fault) => refused(visitor, fault),
    }
}
