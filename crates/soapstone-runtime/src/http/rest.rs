//! The REST facade: routes from the contract's HTTP bindings, JSON on the same handlers as SOAP.

use super::conditional::{self, Conditions};
use super::{body, keyed, rest_beside as beside};
use crate::attachment::percent_decoded;
use crate::idempotency::Idempotent;
use crate::json;
use crate::message::{Payload, Reply};
use crate::observe::{Observed, Working};
use crate::problem::ReadErrorKind;
use crate::service::{Channel, Context, HttpInput, OperationInfo, Route, Service};
use crate::soap::{Fault, Limits};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Payload as Stream};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The REST face of some services.
#[derive(Clone)]
pub struct Rest {
    services: Vec<Arc<dyn Service>>,
    limits: Limits,
    observed: Observed,
    idempotent: Idempotent,
    /// Verbs that somebody else answers at a location.
    elsewhere: Vec<(&'static str, &'static str)>,
}

/// An operation behind a verb at a location.
#[derive(Clone)]
struct Target {
    service: Arc<dyn Service>,
    operation: usize,
    route: &'static Route,
}

impl Rest {
    pub fn new(services: Vec<Arc<dyn Service>>, limits: Limits) -> Self {
        Self {
            services,
            limits,
            observed: Observed::default(),
            idempotent: Idempotent::default(),
            elsewhere: Vec::new(),
        }
    }

    /// With somebody who hears of every request.
    #[must_use]
    pub fn observed(mut self, observed: Observed) -> Self {
        self.observed = observed;
        self
    }

    /// With requests that have an `Idempotency-Key` executed once.
    #[must_use]
    pub fn idempotent(mut self, idempotent: Idempotent) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Says that somebody else answers a verb at a location such as `/pictures/(fileName)`, and is asked first.
    #[must_use]
    pub fn elsewhere(mut self, location: &'static str, verb: &'static str) -> Self {
        self.elsewhere.push((location, verb));
        self
    }

    /// The services it shows.
    pub fn services(&self) -> &[Arc<dyn Service>] {
        &self.services
    }

    /// The resources of the contracts' HTTP bindings, by pattern.
    pub fn resources(&self) -> Vec<RestResource> {
        let mut resources: BTreeMap<String, Vec<Target>> = BTreeMap::new();
        for service in &self.services {
            for (operation, info) in service.info().operations.iter().enumerate() {
                for route in info.routes {
                    let pattern = route.location.replace('(', "{").replace(')', "}");
                    let target = Target { service: service.clone(), operation, route };
                    resources.entry(pattern).or_default().push(target);
                }
            }
        }
        let resource = |(pattern, targets): (String, Vec<Target>)| {
            let elsewhere =
                self.elsewhere.iter().filter(|(location, _)| targets.iter().any(|t| t.route.location == *location));
            let mut allowed: Vec<&str> = targets.iter().map(|t| t.route.verb).collect();
            allowed.dedup();
            allowed.extend(elsewhere.map(|(_, verb)| verb));
            RestResource {
                pattern,
                allowed: allowed.join(", ").into(),
                targets: targets.into(),
                limits: self.limits,
                observed: self.observed.clone(),
                idempotent: self.idempotent.clone(),
            }
        };
        resources.into_iter().map(resource).collect()
    }

    /// Adds the resources to a scope such as `/api/v1`.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        for resource in self.resources() {
            let pattern = resource.pattern().to_owned();
            config.service(web::resource(pattern.as_str()).to(move |request: HttpRequest, stream: Stream| {
                let resource = resource.clone();
                async move { resource.handle(request, stream).await }
            }));
        }
    }
}

/// What is at one pattern of paths: an operation for each verb.
#[derive(Clone)]
pub struct RestResource {
    pattern: String,
    allowed: Arc<str>,
    targets: Arc<[Target]>,
    limits: Limits,
    observed: Observed,
    idempotent: Idempotent,
}

impl RestResource {
    /// The pattern, such as `/articles/{sku}`.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The verbs, each with the service and the operation that answers it.
    pub fn operations(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        self.targets.iter().map(|target| {
            let info = target.service.info();
            (target.route.verb, info.name, info.operations[target.operation].name)
        })
    }

    /// Handles a request; a verb without an operation gets 405.
    pub async fn handle(&self, request: HttpRequest, stream: Stream) -> HttpResponse {
        let context = Context::of(Channel::Rest, &request);
        let service = self.targets.first().map_or("", |target| target.service.info().name);
        let mut working = Working::new(&self.observed, service, &context, &request);
        let id = context.request_id.clone();
        let answered = answer(&request, stream, self, context, &mut working).await;
        let response = answered.unwrap_or_else(|fault| {
            working.outcome(&fault);
            problem(&fault, &id)
        });
        working.answered(response)
    }
}

async fn answer(
    request: &HttpRequest,
    stream: Stream,
    resource: &RestResource,
    context: Context,
    working: &mut Working,
) -> Result<HttpResponse, Fault> {
    let id = context.request_id.clone();
    let verb = request.method().as_str();
    let wanted = if verb == "HEAD" { "GET" } else { verb };
    let RestResource { targets, allowed, limits, idempotent, .. } = resource;
    let Some(target) = targets.iter().find(|t| t.route.verb == wanted) else {
        let fault = Fault::sender("http.method", 405, format!("{verb} is not possible here; {allowed} is"));
        let mut response = problem(&fault, &id);
        working.outcome(&fault);
        if let Ok(value) = allowed.parse() {
            response.headers_mut().insert(actix_web::http::header::ALLOW, value);
        }
        return Ok(response);
    };
    let info = target.service.info();
    let operation = &info.operations[target.operation];
    working.of(target.service.info().name, operation.name);
    context.authorize(target.service.info().name, operation.name).map_err(|fault| *fault)?;
    let headers = beside::headers(operation, request.headers())?;
    let conditions = Conditions::of(request, operation)?;
    let key = keyed::key(request)?.filter(|_| idempotent.0.is_some());
    let mut members = members(request, stream, target.route, limits, working).await?;
    conditions.add_to(&mut members);
    if let Some(outer) = target.route.within {
        members = Value::Object(Map::from_iter([(outer.to_owned(), members)]));
    }
    let keyed = key.map(|key| keyed::rest((info.name, operation), target.route, &context, key, (&members, &headers)));
    let attachments = beside::attachments(operation, members.as_object_mut())?;
    let payload = if target.route.input == HttpInput::Body { Payload::Json(members) } else { Payload::Query(members) };
    let context = context.beside(headers, attachments);
    let outcome = target
        .service
        .clone()
        .call(context.clone(), target.operation, payload)
        .map_err(|error| Fault::invalid(vec![as_sent(*error, target.route)]))?;
    let (reply, is_replayed) = idempotent.run(keyed, outcome, &context, keyed::rest_fault).await;
    let mut response = respond(reply, &conditions, (operation, wanted), &context, working)?;
    if is_replayed {
        keyed::mark(&mut response);
    }
    Ok(response)
}

/// The response for an operation's outcome.
fn respond(
    reply: Result<Reply, Fault>,
    conditions: &Conditions,
    (operation, verb): (&OperationInfo, &str),
    context: &Context,
    working: &mut Working,
) -> Result<HttpResponse, Fault> {
    let beside = context.take_reply();
    match reply {
        Ok(reply) if reply.is_none() => Ok(HttpResponse::Accepted().finish()),
        Ok(reply) if operation.versioned => {
            let version = conditional::version(&reply.text);
            Ok(conditions.answer(beside::reply(reply.text, beside)?, version, verb))
        }
        Ok(reply) => beside::reply(reply.text, beside),
        Err(fault) => {
            let fault = conditions.failed(fault);
            working.outcome(&fault);
            let mut response = problem(&fault, &context.request_id);
            beside::add_headers(&mut response, &beside.headers);
            Ok(response)
        }
    }
}

/// An error with the place where it stands in what was sent.
fn as_sent(mut error: crate::ReadError, route: &Route) -> crate::ReadError {
    let inner = route.within.and_then(|outer| error.path.strip_prefix(&format!("/{outer}")).map(str::to_owned));
    error.path = inner.unwrap_or(error.path);
    error
}

/// The request's members, from path, query and body.
async fn members(
    request: &HttpRequest,
    stream: Stream,
    route: &Route,
    limits: &Limits,
    working: &mut Working,
) -> Result<Value, Fault> {
    let mut value = match route.input {
        HttpInput::Body => body_members(request, stream, limits, working).await?,
        HttpInput::Query => Value::Object(query_members(request)?),
        HttpInput::Location if !request.query_string().is_empty() => {
            return Err(Fault::sender("http.query", 400, "This resource takes no query parameters"));
        }
        HttpInput::Location => Value::Object(Map::new()),
    };
    for (name, segment) in request.match_info().iter() {
        // actix leaves some escapes, such as `%2F`, which is part of the value here.
        let decoded = percent_decoded(segment);
        let Value::Object(members) = &mut value else {
            let error = crate::ReadError::new(ReadErrorKind::Type, "the body must be a JSON object");
            return Err(Fault::invalid(vec![*error]));
        };
        if members.insert(name.to_owned(), Value::String(decoded)).is_some() {
            let message = format!("\"{name}\" stands in the path; leave it out elsewhere");
            return Err(Fault::sender("http.path_member", 400, message));
        }
    }
    Ok(value)
}

/// What is in the body: an object, but for messages whose element is a simple value.
async fn body_members(
    request: &HttpRequest,
    stream: Stream,
    limits: &Limits,
    working: &mut Working,
) -> Result<Value, Fault> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let media = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if !(media.is_empty() || media == "application/json" || media.ends_with("+json")) {
        let message = format!("The content type is {media}; this resource takes application/json");
        return Err(Fault::sender("http.media_type", 415, message));
    }
    let bytes = body::collect(request, stream, limits.body).await?;
    working.received(bytes.len() as u64);
    working.said(&bytes);
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    body::reserve_parsed(request, &bytes).await?;
    json::parse(&bytes).map_err(|error| Fault::invalid(vec![*error]))
}

fn query_members(request: &HttpRequest) -> Result<Map<String, Value>, Fault> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
        .map_err(|e| Fault::sender("http.query", 400, format!("The query cannot be read: {e}")))?
        .into_inner();
    let mut members = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value);
        match members.get_mut(&name) {
            None => {
                members.insert(name, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(members)
}

/// A fault as problem details (RFC 9457), with a line in the log: for what is not observed otherwise.
pub fn problem_response(fault: &Fault, request_id: &str) -> HttpResponse {
    log::info!(request_id, code = fault.subcode.as_ref(); "problem: {}", fault.message);
    problem(fault, request_id)
}

fn problem(fault: &Fault, request_id: &str) -> HttpResponse {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/problem+json"))
        .body(fault.problem_json(request_id).to_string())
}
