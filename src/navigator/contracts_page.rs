//! The contracts: what each service offers, what its messages hold, and each operation to try.

mod types;
mod versions;

use self::types::{Type, types_of};
use self::versions::{Changed, changed, keep};
use super::visitor::Visitor;
use super::{may_not, not_found, not_ours, page};
use crate::config::Config;
use crate::http::API;
use crate::http::auth::Access;
use crate::reporting::pretty;
use actix_web::web::{self, Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;
use soapstone_runtime::Payload;
use soapstone_runtime::service::{Channel, Context, OperationInfo, Service};
use soapstone_runtime::soap::Fault;
use soapstone_runtime::xml::Scope;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

/// The services that are served, each with its address.
pub(crate) struct Contracts(pub Vec<(&'static str, Arc<dyn Service>)>);

impl Contracts {
    /// Keeps what is served now beside what was before, for somebody who asks what changed.
    pub fn keep(&self, config: &Config) {
        if let Err(error) = keep(&config.data_dir, self.0.iter().map(|(_, service)| service.info())) {
            log::warn!("the contracts cannot be kept beside earlier ones: {error}");
        }
    }

    fn find(&self, name: &str) -> Option<&(&'static str, Arc<dyn Service>)> {
        self.0.iter().find(|(_, service)| service.info().name == name)
    }
}

#[derive(Template)]
#[template(path = "contracts.html")]
struct ContractsPage {
    visitor: Visitor,
    services: Vec<Listed>,
}

struct Listed {
    name: &'static str,
    address: &'static str,
    namespace: &'static str,
    text: &'static str,
    operations: usize,
    documents: Vec<&'static str>,
}

pub(super) async fn list(contracts: Data<Contracts>, visitor: Visitor) -> HttpResponse {
    let listed = |(address, service): &(&'static str, Arc<dyn Service>)| {
        let info = service.info();
        let names = info.documents.iter().skip(1).map(|document| document.name);
        Listed {
            name: info.name,
            address,
            namespace: info.namespace,
            text: info.documentation.split("\n\n").next().unwrap_or_default(),
            operations: info.operations.len(),
            documents: names.collect(),
        }
    };
    page(&ContractsPage { services: contracts.0.iter().map(listed).collect(), visitor })
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    service: String,
    operation: Option<String>,
    /// The request to begin with, and its format.
    text: Option<String>,
    #[serde(default)]
    format: String,
}

#[derive(Template)]
#[template(path = "contract.html")]
struct ContractPage {
    visitor: Visitor,
    name: &'static str,
    address: &'static str,
    paragraphs: Vec<&'static str>,
    namespace: &'static str,
    operations: Vec<(&'static OperationInfo, Vec<String>)>,
    changed: Option<Changed>,
    /// Why nobody can tell what changed.
    unreadable: Option<String>,
}

fn routes(operation: &OperationInfo) -> Vec<String> {
    operation.routes.iter().map(|route| format!("{} {API}{}", route.verb, braced(route.location))).collect()
}

/// `/articles/(sku)` as REST people write it.
fn braced(location: &str) -> String {
    location.replace('(', "{").replace(')', "}")
}

#[derive(Template)]
#[template(path = "operation.html")]
struct OperationPage {
    visitor: Visitor,
    service: &'static str,
    address: &'static str,
    operation: &'static OperationInfo,
    paragraphs: Vec<&'static str>,
    routes: Vec<String>,
    may_call: bool,
    types: Vec<Type>,
    xml: String,
    json: String,
    is_json: bool,
    answer: Option<Answer>,
}

pub(super) struct Answer {
    is_fault: bool,
    status: u16,
    code: String,
    text: String,
    took: String,
}

fn paragraphs(text: &'static str) -> Vec<&'static str> {
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).collect()
}

/// The part of a service's OpenAPI document that an operation is described by.
fn described(info: &'static soapstone_runtime::service::ServiceInfo, operation: &str) -> (Value, Value) {
    let document: Value = serde_json::from_str(info.openapi).unwrap_or_default();
    let mut items = document["paths"].as_object().into_iter().flatten();
    let found = items.find_map(|(_, item)| {
        item.as_object()?.values().find(|described| described["operationId"] == operation).cloned()
    });
    let found = found.unwrap_or_default();
    (document, found)
}

/// The member of a request that a route's body is.
fn within(operation: &OperationInfo) -> Option<&'static str> {
    operation.routes.first().and_then(|route| route.within)
}

/// A request in JSON: an example of the body, or of the parameters.
fn json_sample(operation: &OperationInfo, described: &Value) -> String {
    let example = &described["requestBody"]["content"]["application/json"]["example"];
    let sample = if example.is_null() {
        let given = described["parameters"].as_array().into_iter().flatten();
        let required = given.filter(|parameter| parameter["required"] == true);
        let names = required.filter_map(|parameter| parameter["name"].as_str());
        Value::Object(names.map(|name| (name.to_owned(), Value::String(String::new()))).collect())
    } else if let Some(outer) = within(operation) {
        Value::Object([(outer.to_owned(), example.clone())].into_iter().collect())
    } else {
        example.clone()
    };
    serde_json::to_string_pretty(&sample).unwrap_or_default()
}

pub(super) fn operation_page(
    visitor: Visitor,
    contracts: &Contracts,
    (service, operation): (&str, &str),
    given: Option<(bool, String)>,
    answer: Option<Answer>,
) -> HttpResponse {
    let found = contracts.find(service).and_then(|(address, service)| {
        let info = service.info();
        Some((*address, info, info.operations.iter().find(|known| known.name == operation)?))
    });
    let Some((address, info, operation)) = found else {
        return not_found(visitor, format!("There is no operation {service}.{operation}."));
    };
    let (document, described) = described(info, operation.name);
    let (mut xml, mut json) = (operation.sample_request.trim().to_owned(), json_sample(operation, &described));
    let is_json = given.as_ref().is_some_and(|(is_json, _)| *is_json);
    if let Some((is_json, text)) = given {
        *(if is_json { &mut json } else { &mut xml }) = text;
    }
    page(&OperationPage {
        may_call: visitor.may_change() && visitor.may(info.name, operation.name),
        visitor,
        service: info.name,
        address,
        paragraphs: paragraphs(operation.documentation),
        routes: routes(operation),
        types: types_of(&document, &described),
        operation,
        xml,
        json,
        is_json,
        answer,
    })
}

pub(super) async fn show(
    contracts: Data<Contracts>,
    config: Data<Config>,
    visitor: Visitor,
    wanted: Query<Wanted>,
) -> HttpResponse {
    let Wanted { service, operation, text, format } = wanted.into_inner();
    if let Some(operation) = operation {
        let given = text.map(|text| (format == "json", text));
        return operation_page(visitor, &contracts, (&service, &operation), given, None);
    }
    let Some((address, found)) = contracts.find(&service) else {
        return not_found(visitor, format!("There is no service {service}."));
    };
    let info = found.info();
    let folder = config.data_dir.clone();
    let told = web::block(move || changed(&folder, info.name)).await;
    let (changed, unreadable) = match told.map_err(|error| error.to_string()).and_then(|told| told) {
        Ok(changed) => (changed, None),
        Err(why) => (None, Some(why)),
    };
    page(&ContractPage {
        visitor,
        changed,
        unreadable,
        name: info.name,
        address,
        paragraphs: paragraphs(info.documentation),
        namespace: info.namespace,
        operations: info.operations.iter().map(|operation| (operation, routes(operation))).collect(),
    })
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    form: String,
    service: String,
    operation: String,
    #[serde(default)]
    format: String,
    #[serde(default)]
    text: String,
}

/// Calls an operation as somebody wrote the request.
async fn call(
    context: Context,
    service: Arc<dyn Service>,
    index: usize,
    is_json: bool,
    text: &str,
) -> Result<String, Fault> {
    let info = service.info();
    context.authorize(info.name, info.operations[index].name).map_err(|fault| *fault)?;
    let payload = if is_json {
        Payload::Json(soapstone_runtime::json::parse(text.as_bytes()).map_err(|error| Fault::invalid(vec![*error]))?)
    } else {
        Payload::Xml {
            text: Cow::Borrowed(text),
            scope: Scope::default(),
            origin: (1, 1),
            attachments: soapstone_runtime::attachment::Attachments::default(),
            optimized: false,
            typed: false,
        }
    };
    let outcome = service.call(context, index, payload).map_err(|error| Fault::invalid(vec![*error]))?;
    Ok(outcome.await?.text)
}

pub(super) async fn try_it(
    request: HttpRequest,
    contracts: Data<Contracts>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    shown: Form<Shown>,
) -> HttpResponse {
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    let Shown { service: name, operation, format, text, .. } = shown.into_inner();
    let found = contracts.find(&name).and_then(|(_, service)| {
        let index = service.info().operations.iter().position(|known| known.name == operation)?;
        Some((service.clone(), index))
    });
    let Some((service, index)) = found else {
        return not_found(visitor, format!("There is no operation {name}.{operation}."));
    };
    if !visitor.may(&name, &operation) {
        return may_not(visitor, &format!("{name}.{operation}"));
    }
    let is_json = format == "json";
    let (context, began) = (Context::of(if is_json { Channel::Rest } else { Channel::Soap }, &request), Instant::now());
    let done = call(context, service, index, is_json, text.trim()).await;
    let took = format!("{:.1} ms", began.elapsed().as_secs_f64() * 1000.0);
    visitor.note(&access, format!("{name}.{operation} tried"), done.is_ok());
    let answer = match done {
        Ok(text) => {
            let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
            Answer { is_fault: false, status: 200, code: String::new(), text: pretty(&text, length), took }
        }
        Err(fault) => {
            Answer { is_fault: true, status: fault.status, code: fault.subcode.into_owned(), text: fault.message, took }
        }
    };
    operation_page(visitor, &contracts, (&name, &operation), Some((is_json, text)), Some(answer))
}
