//! Web hooks: who is told of what, what became of it, and what is sent again.

use super::forms::{Fields, all, field};
use super::outcome::only;
use super::query::{address, said};
use super::visitor::Visitor;
use super::{may_not, moved, not_found, not_ours, page, refused, unavailable};
use crate::config::Config;
use crate::domain::signals as known;
use crate::http::auth::Access;
use crate::services::SignalsService;
use crate::store::signals::{self, Delivery, Filter};
use crate::store::{Db, Store, StoreError};
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::NaiveDateTime;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use soapstone_contracts::listener::Event;
use soapstone_contracts::signals as contract;
use soapstone_contracts::signals::{
    DeleteTargets, DeliveryState, ResendDeliveries, Signals, TestTarget, UpsertTargets,
};
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::soap::Fault;
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
    /// The target that is to be changed; empty: a new one.
    edit: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Filter {
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
        let before = before.to_string();
        let said =
            [("before", before.as_str()), ("state", &self.state), ("target", &self.target), ("order", &self.order)];
        address("/navigator/hooks", &said)
    }
}

#[derive(Template)]
#[template(path = "hooks.html")]
struct HooksPage {
    visitor: Visitor,
    may_send: bool,
    may_edit: bool,
    targets: Vec<Target>,
    deliveries: Vec<Row>,
    states: Vec<(&'static str, bool)>,
    target: String,
    order: String,
    next: Option<String>,
    /// The target that the form shows.
    edited: Option<Edited>,
}

/// A target in a form.
#[derive(Default)]
struct Edited {
    key: String,
    url: String,
    warehouses: String,
    user: String,
    is_signed: bool,
    is_active: bool,
    forms: Vec<(&'static str, bool)>,
    events: Vec<(&'static str, bool)>,
}

impl Edited {
    fn of(target: Option<&known::Target>) -> Self {
        let form = target.map_or(contract::Form::WebHook, |target| target.form);
        let is_told = |event: &Event| target.is_some_and(|target| target.events.contains(event));
        let events = Event::ALL.iter().filter(|event| **event != Event::Test);
        Self {
            forms: contract::Form::ALL.iter().map(|other| (other.as_str(), *other == form)).collect(),
            events: events.map(|event| (event.as_str(), is_told(event))).collect(),
            key: target.map(|target| target.key.clone()).unwrap_or_default(),
            url: target.map(|target| target.url.clone()).unwrap_or_default(),
            warehouses: target.map(|target| target.warehouses.join(" ")).unwrap_or_default(),
            user: target.and_then(|target| target.user.clone()).unwrap_or_default(),
            is_signed: target.is_some_and(|target| target.secret.is_some()),
            is_active: target.is_none_or(|target| target.active),
        }
    }
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

type Found = (Vec<Target>, (Vec<Delivery>, bool), Option<Edited>);

fn look(db: &mut Db, filter: &Filter, edit: Option<&str>) -> Result<Found, StoreError> {
    let (targets, _) = signals::list_targets(db, None, TARGETS)?;
    let edited = edit.map(|key| Edited::of(targets.iter().map(|stored| &stored.record).find(|known| known.key == key)));
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
    Ok((targets.collect(), signals::list_deliveries(db, filter)?, edited))
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    let (filter, edit) = (wanted.filter(), wanted.edit.clone());
    let found = store.read(move |db| look(db, &filter, edit.as_deref())).await;
    let (targets, (deliveries, more), edited) = match found {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    page(&HooksPage {
        may_edit: visitor.may_change() && visitor.may("Signals", "UpsertTargets"),
        edited,
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

/// A target as a form has it, as the contract has it.
fn given(fields: &Fields) -> Map<String, Value> {
    let field = |name: &str| field(fields, name).trim();
    let mut target = Map::new();
    for name in ["key", "url", "form"] {
        target.insert(name.to_owned(), json!(field(name)));
    }
    target.insert("event".to_owned(), all(fields, "event").collect());
    target.insert("warehouse".to_owned(), field("warehouses").split_whitespace().collect());
    target.insert("clear".to_owned(), json!(["event", "warehouse"]));
    target.insert("active".to_owned(), json!(field("active") == "1"));
    let user = field("user");
    target.insert("user".to_owned(), if user.is_empty() { Value::Null } else { json!(user) });
    // Secrets are never shown: left empty, they stay as they are.
    for name in ["secret", "password"] {
        if !field(name).is_empty() {
            target.insert(name.to_owned(), json!(field(name)));
        }
    }
    target
}

fn service(store: &Store, config: &Config) -> SignalsService {
    SignalsService { store: store.clone(), outbound: config.sending.outbound.clone() }
}

/// Adds a target, changes it, or removes it.
pub(super) async fn change(
    request: HttpRequest,
    store: Data<Store>,
    config: Data<Config>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    fields: Form<Fields>,
) -> HttpResponse {
    let field = |name: &str| field(&fields, name);
    if !visitor.gave(field("form-token")) {
        return not_ours(visitor);
    }
    let operation = if field("remove") == "1" { "DeleteTargets" } else { "UpsertTargets" };
    if !visitor.may("Signals", operation) {
        return may_not(visitor, &format!("Signals.{operation}"));
    }
    let (service, context) = (service(&store, &config), Context::of(Channel::Rest, &request));
    let key = field("key").trim().to_owned();
    let done = if operation == "DeleteTargets" {
        let deleted = service.delete_targets(&context, DeleteTargets { key: vec![key.clone()] }).await;
        deleted.map(|done| done.result).map_err(Fault::from)
    } else {
        match soapstone_runtime::json::from_value(Value::Object(given(&fields))) {
            Ok(target) => {
                let changed = service.upsert_targets(&context, UpsertTargets { target: vec![target] }).await;
                changed.map(|done| done.result).map_err(Fault::from)
            }
            Err(error) => Err(Fault::invalid(vec![*error])),
        }
    };
    let done = done.and_then(only);
    visitor.note(&access, format!("Signals.{operation} {key}"), done.is_ok());
    match done {
        Ok(()) => moved("/navigator/hooks"),
        Err(fault) => refused(visitor, fault),
    }
}

/// The actions on deliveries, each with the operation that does it.
pub(super) const ACTIONS: [(&str, &str); 2] = [("test", "TestTarget"), ("resend", "ResendDeliveries")];

pub(super) async fn send(
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
    let is_test = operation == "TestTarget";
    if !visitor.may("Signals", operation) {
        return may_not(visitor, &format!("Signals.{operation}"));
    }
    let (service, context) = (service(&store, &config), Context::of(Channel::Rest, &request));
    let done = if is_test {
        service.test_target(&context, TestTarget { key: shown.target.clone() }).await.map(drop)
    } else {
        let target = Some(shown.target.clone()).filter(|_| shown.id.is_none());
        let again = ResendDeliveries { id: shown.id.into_iter().collect(), target };
        service.resend_deliveries(&context, again).await.map(drop)
    };
    let what = shown.id.map_or_else(|| shown.target.clone(), |id| id.to_string());
    visitor.note(&access, format!("Signals.{operation} {what}"), done.is_ok());
    match done {
        Ok(()) => moved("/navigator/hooks"),
        Err(error) => refused(visitor, error.into()),
    }
}
