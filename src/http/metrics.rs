//! `/metrics` for Prometheus: requests, their outcomes and durations, runs, and the pool of connections.

pub(crate) use super::minutes::Minute;

use super::minutes::Minutes;
use super::route::{Permission, Scope};
use crate::store::{Store, runs, statements};
use actix_web::HttpResponse;
use actix_web::web::Data;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use soapstone_runtime::observe::{Call, Observer};
use soapstone_runtime::service::Channel;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Seconds: from what a lookup takes to what a large import by SOAP takes.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// What a request was, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    service: &'static str,
    operation: &'static str,
    channel: &'static str,
    outcome: Cow<'static, str>,
}

/// What a request was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    service: &'static str,
    operation: &'static str,
    channel: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByChannel {
    channel: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByState {
    state: String,
}

/// All that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Kind, Histogram, fn() -> Histogram>,
    refused: Family<Kind, Counter>,
    received: Family<Kind, Counter>,
    in_flight: Family<ByChannel, Gauge>,
    runs: Family<ByState, Gauge>,
    connections: Family<ByState, Gauge>,
    statements: Counter,
    minutes: Minutes,
}

impl Metrics {
    /// The last hours, by the minute.
    pub fn minutes(&self) -> &Minutes {
        &self.minutes
    }

    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("soapstone");
        let requests = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let (refused, received, in_flight) = (Family::default(), Family::default(), Family::default());
        let (runs, connections) = (Family::default(), Family::default());
        registry.register("requests", "Requests answered, by the code of their outcome", requests.clone());
        let help = "From the request's head to the answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, durations.clone());
        let help = "Requests that do not fit their contract";
        registry.register("validation_failures", help, refused.clone());
        registry.register_with_unit("received", "Size of requests", Unit::Bytes, received.clone());
        registry.register("requests_in_flight", "Requests that are being answered", in_flight.clone());
        registry.register("runs", "Runs by state; queued ones wait", runs.clone());
        registry.register("database_connections", "Connections of the pool", connections.clone());
        let statements = Counter::default();
        registry.register("database_statements", "Statements sent to the database", statements.clone());
        Self {
            registry,
            requests,
            durations,
            refused,
            received,
            in_flight,
            runs,
            connections,
            statements,
            minutes: Minutes::default(),
        }
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

impl Observer for Metrics {
    fn begun(&self, channel: Channel) {
        self.in_flight.get_or_create(&ByChannel { channel: channel.name() }).inc();
    }

    fn answered(&self, call: &Call) {
        let channel = call.channel.name();
        let operation = call.operation.unwrap_or("");
        let kind = Kind { service: call.service, operation, channel };
        self.in_flight.get_or_create(&ByChannel { channel }).dec();
        self.durations.get_or_create(&kind).observe(call.duration.as_secs_f64());
        self.received.get_or_create(&kind).inc_by(call.received);
        self.minutes.note(call.duration, call.status >= 400);
        if call.outcome.starts_with("message.") {
            self.refused.get_or_create(&kind).inc();
        }
        let outcome = call.outcome.clone();
        self.requests.get_or_create(&Request { service: call.service, operation, channel, outcome }).inc();
    }
}

pub(super) fn add_routes(routes: &mut Scope<'_>) {
    routes.get("/metrics", Permission::operation("Metrics", "Read"), metrics);
}

async fn metrics(metrics: Data<Arc<Metrics>>, store: Data<Store>) -> HttpResponse {
    let (connections, idle) = store.connections();
    for (state, count) in [("open", connections), ("idle", idle)] {
        metrics.connections.get_or_create(&ByState { state: state.to_owned() }).set(i64::from(count));
    }
    metrics.statements.inner().store(statements(), Ordering::Relaxed);
    match store.read(runs::by_state).await {
        Ok(counts) => {
            for (state, count) in counts {
                metrics.runs.get_or_create(&ByState { state }).set(count);
            }
        }
        // What the database does not tell stays as it was: the rest is worth having.
        Err(error) => log::warn!("runs cannot be counted: {error}"),
    }
    match metrics.text() {
        Ok(text) => {
            HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
        }
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
