//! Web hooks: who is told of what, what became of it, and what is sent again.

use super::visitor::Visitor;
use super::{message, moved, not_found, not_ours, page, refused, unavailable};
use crate::http::auth::Access;
use crate::services::SignalsService;
use crate::store::signals::{self, Delivery, Filter};
use crate::store::{Db, Store, StoreError};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::NaiveDateTime;
use serde::Deserialize;
use soapstone_contracts::signals::{DeliveryState, ResendDeliveries, Signals, TestTarget};
use soapstone_runtime::service::{Channel, Context};
use std::sync::Arc;

/// Deliveries on one page.
const PAGE: i64 = 50;

/// Targets that are shown.
const TARGETS: i64 = 200;

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    state: String,
    #[serde(default)]
    target: String,
    #[serde(default)]
    order: String,
    before: Option<i64>,
}

impl Wanted {
    fn filter(&self) -> Filter {
        let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Filter {
            state: DeliveryState::ALL.iter().find(|state| state.as_str() == self.state).copied(),
            target: said(&self.target),
            order: said(&self.order),
            before: self.before,
            limit: PAGE,
            ..Filter::default()
        }
    }

    fn older(&self, before: i64) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("before", &before.to_string());
        let said = [("state", &self.state), ("target", &self.target), ("order", &self.order)];
        query.extend_pairs(said.into_iter().filter(|(_, value)| !value.is_empty()));
        format!("/navigator/hooks?{}", query.finish())
    }
}

#[derive(Template)]
#[template(path = "hooks.html")]
struct HooksPage {
    visitor: Visitor,
    may_send: bool,
    targets: Vec<Target>,
    deliveries: Vec<Row>,
    states: Vec<(&'static str, bool)>,
    target: String,
    order: String,
    next: Option<String>,
}

struct Target {
    key: String,
    url: String,
    form: &'static str,
    events: String,
    warehouses: String,
    active: bool,
}

struct Row {
    id: i64,
    target: String,
    event: &'static str,
    order: String,
    state: &'static str,
    attempts: i32,
    at: String,
    next_at: Option<String>,
    said: String,
    is_over: bool,
}

fn time(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

impl Row {
    fn of(delivery: Delivery) -> Self {
        let is_over = delivery.state != DeliveryState::Waiting;
        let said = match (delivery.status, delivery.error) {
            (Some(status), Some(error)) => format!("{status}: {error}"),
            (Some(status), None) => status.to_string(),
            (None, error) => error.unwrap_or_default(),
        };
        Self {
            id: delivery.id,
            target: delivery.target,
            event: delivery.event.as_str(),
            order: delivery.order.unwrap_or_default(),
            state: delivery.state.as_str(),
            attempts: delivery.attempts,
            at: time(delivery.at),
            next_at: (!is_over && delivery.attempts > 0).then(|| time(delivery.next_at)),
            said,
            is_over,
        }
    }
}

type Found = (Vec<Target>, (Vec<Delivery>, bool));

fn look(db: &mut Db, filter: &Filter) -> Result<Found, StoreError> {
    let (targets, _) = signals::list_targets(db, None, TARGETS)?;
    let targets = targets.into_iter().map(|stored| {
        let target = stored.record;
        let events: Vec<&str> = target.events.iter().map(|event| event.as_str()).collect();
        Target {
            form: target.form.as_str(),
            events: events.join(", "),
            warehouses: target.warehouses.join(", "),
            key: target.key,
            url: target.url,
            active: target.active,
        }
    });
    Ok((targets.collect(), signals::list_deliveries(db, filter)?))
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    let filter = wanted.filter();
    let (targets, (deliveries, more)) = match store.read(move |db| look(db, &filter)).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    page(&HooksPage {
        may_send: visitor.may_change() && visitor.may("Signals", "ResendDeliveries"),
        visitor,
        targets,
        next: deliveries.last().filter(|_| more).map(|delivery| wanted.older(delivery.id)),
        deliveries: deliveries.into_iter().map(Row::of).collect(),
        states: DeliveryState::ALL.iter().map(|state| (state.as_str(), wanted.state == state.as_str())).collect(),
        target: wanted.target.clone(),
        order: wanted.order.clone(),
    })
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    form: String,
    #[serde(default)]
    target: String,
    id: Option<i64>,
}

pub(super) async fn send(
    request: HttpRequest,
    store: Data<Store>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    deed: Path<String>,
    shown: Form<Shown>,
) -> HttpResponse {
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    let is_test = match deed.as_str() {
        "test" => true,
        "resend" => false,
        _ => return not_found(visitor, "There is nothing here.".to_owned()),
    };
    let operation = if is_test { "TestTarget" } else { "ResendDeliveries" };
    if !visitor.may("Signals", operation) {
        let text = format!("You may not do this; a role that may do Signals.{operation} would.");
        return message(visitor, StatusCode::FORBIDDEN, "Not allowed", text);
    }
    let (service, context) = (SignalsService { store: store.get_ref().clone() }, Context::of(Channel::Rest, &request));
    let done = if is_test {
        service.test_target(&context, TestTarget { key: shown.target.clone() }).await.map(drop)
    } else {
        let target = Some(shown.target.clone()).filter(|_| shown.id.is_none());
        let again = ResendDeliveries { id: shown.id.into_iter().collect(), target };
        service.resend_deliveries(&context, again).await.map(drop)
    };
    let what = shown.id.map_or_else(|| shown.target.clone(), |id| id.to_string());
    let outcome = if done.is_ok() { "ok" } else { "refused" };
    let caller = visitor.name().map(str::to_owned);
    access.note(caller, format!("Signals.{operation} {what} (Navigator)"), outcome, visitor.peer.clone());
    match done {
        Ok(()) => moved("/navigator/hooks"),
        Err(error) => refused(visitor, error.into()),
    }
}
