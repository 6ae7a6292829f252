//! The server: SOAP endpoints, REST facade, uploads, Navigator, health.

mod artifacts;
mod audit;
pub(crate) mod auth;
mod authentication;
mod caller;
mod capture;
mod documents;
mod files;
mod form_body;
mod health;
mod idempotency;
pub(crate) mod metrics;
mod minutes;
mod origin;
pub mod path;
mod pictures;
mod reload;
mod resumable;
mod retry_after;
pub(crate) mod route;
mod secrets;
mod secure_transport;
mod security;
mod tls;
pub(crate) mod upload;
pub mod upload_metadata;

use crate::config::Config;
use crate::domain::access::KnownOperations;
use crate::exchange::channels::{Attendant, Caller};
use crate::exchange::{Exchange, Queue};
use crate::navigator;
use crate::notices::Herald;
use crate::pictures::Workshop;
use crate::revocation::Revoked;
use crate::services::{
    CatalogService, CustomersService, ExchangeService, InventoryService, ListenerService, MediaService, OrdersService,
    PricingService, SignalsService,
};
use crate::signals::Sender;
use crate::store::access;
use actix_web::http::Method;
use actix_web::middleware::{Compress, DefaultHeaders, from_fn};
use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use audit::{Auditor, Witness};
use auth::Access;
use auth::Authorizer;
use capture::Capture;
use idempotency::Executor;
use metrics::Metrics;
use origin::Origins;
use route::{Permission, Routes, Spec, Surface};
use soapstone_contracts::catalog::{self, CatalogServer};
use soapstone_contracts::customers::{self, CustomersServer};
use soapstone_contracts::exchange::{self, ExchangeServer};
use soapstone_contracts::inventory::{self, InventoryServer};
use soapstone_contracts::listener::{self, ListenerServer};
use soapstone_contracts::media::{self, MediaServer};
use soapstone_contracts::orders::{self, OrdersServer};
use soapstone_contracts::pricing::{self, PricingServer};
use soapstone_contracts::signals::{self, SignalsServer};
use soapstone_runtime::attachment::Spool;
use soapstone_runtime::http::{
    BaseAddress, BodyLimits, Endpoint, EndpointOptions, Rest, Streaming, api_page, head_as_get, openapi,
    problem_response, without_upgrade,
};
use soapstone_runtime::idempotency::Idempotent;
use soapstone_runtime::observe::Observed;
use soapstone_runtime::service::{AnonymousAccess, Service, ServiceInfo};
use soapstone_runtime::soap::Fault;
use soapstone_runtime::soap::security::Authentication;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Where the REST facade is.
pub const API: &str = "/api/v1";

/// The services, as their contracts have them.
pub const SERVICES: &[&ServiceInfo] = &[
    &catalog::CATALOG_INFO,
    &customers::CUSTOMERS_INFO,
    &exchange::EXCHANGE_INFO,
    &inventory::INVENTORY_INFO,
    &listener::LISTENER_INFO,
    &media::MEDIA_INFO,
    &orders::ORDERS_INFO,
    &pricing::PRICING_INFO,
    &signals::SIGNALS_INFO,
];

/// The operations that roles and scopes can name.
pub fn known_operations() -> KnownOperations {
    let of_service = |info: &&'static ServiceInfo| info.operations.iter().map(|operation| (info.name, operation.name));
    KnownOperations::new(SERVICES.iter().flat_map(of_service))
}

/// Operations whose requests are done in batches as they arrive.
const STREAMED: &[&str] = &["UpsertArticles", "UpsertCategories", "DeleteArticles", "UpsertCustomers"];

/// Attachments of that age belong to a program that is gone.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);

/// A server that listens, but has not begun to answer.
pub struct Server {
    pub address: SocketAddr,
    /// `http` or `https`.
    pub scheme: &'static str,
    running: actix_web::dev::Server,
    executor: Executor,
    queue: Arc<Queue>,
    attendant: Attendant,
    herald: Herald,
    sender: Sender,
    workshop: Workshop,
}

impl Server {
    /// Compiles the contracts, binds the address, and starts the worker of runs.
    ///
    /// # Errors
    /// A sentence on what is in the way.
    pub fn bind(config: &Config, exchange: Exchange) -> Result<Self, String> {
        let has_users = exchange
            .store
            .connection()
            .and_then(|mut db| access::is_authentication_required(&mut db))
            .map_err(|e| e.to_string())?;
        if !config.listen.ip().is_loopback() && !has_users && !config.insecure {
            return Err(format!(
                "{} can be reached from other machines, but nobody has to log in: add a user (soapstone user add NAME), \
                 or listen on 127.0.0.1; --set insecure=true says that you know what you do",
                config.listen
            ));
        }
        let auditor =
            Auditor::start(exchange.store.clone()).map_err(|e| format!("no thread for the audit log: {e}"))?;
        let revoked = Arc::new(Revoked::default());
        let access = Access::new(exchange.store.clone(), config, auditor.clone(), Arc::clone(&revoked));
        let access = Arc::new(access);
        let authentication = Authentication(Some(access.clone()));
        let origins = Origins {
            trusted: config.trusted_proxies.clone(),
            allowed_hosts: config.allowed_hosts.clone(),
            is_loopback: config.listen.ip().is_loopback(),
        };
        let authorizer = Data::new(Authorizer { access: access.clone(), origins });
        let access = Data::new(access);
        let rules = config.rules.clone();
        let store = exchange.store.clone();
        let workshop = Workshop::open(&store, &rules.pictures, config.picture_workers)
            .map_err(|e| format!("no thread for pictures: {e}"))?;
        let exchange = Exchange { bell: workshop.bell(), ..exchange };
        let queue = Queue::start(exchange.clone()).map_err(|e| format!("no thread for runs: {e}"))?;
        let queue = Arc::new(queue);
        let caller = Caller::in_folder(&config.caller_folder);
        let attendant = Attendant::start(exchange.clone(), queue.bell(), config.channels.clone(), caller.clone())
            .map_err(|e| format!("no thread for folders and schedules: {e}"))?;
        let sender = Sender::new(store.clone(), config.sending.clone())?;
        let runs = ExchangeService { exchange: exchange.clone(), queue: queue.clone() };
        let catalog = CatalogService { store: store.clone(), rules: rules.clone() };
        let customers = CustomersService { store: store.clone(), rules: rules.clone() };
        let pricing = PricingService { store: store.clone(), rules: rules.clone() };
        let orders = OrdersService { store: store.clone(), rules: rules.clone() };
        let inventory = InventoryService { store: store.clone(), rules: rules.clone() };
        let media = MediaService { store, rules, bell: workshop.bell() };
        let services: Vec<(&str, Arc<dyn Service>)> = vec![
            ("/soap/catalog", Arc::new(CatalogServer(catalog))),
            ("/soap/customers", Arc::new(CustomersServer(customers))),
            ("/soap/exchange", Arc::new(ExchangeServer(runs.clone()))),
            ("/soap/inventory", Arc::new(InventoryServer(inventory))),
            ("/soap/listener", Arc::new(ListenerServer(ListenerService))),
            ("/soap/media", Arc::new(MediaServer(media.clone()))),
            ("/soap/orders", Arc::new(OrdersServer(orders.clone()))),
            ("/soap/pricing", Arc::new(PricingServer(pricing))),
            (
                "/soap/signals",
                Arc::new(SignalsServer(SignalsService {
                    store: exchange.store.clone(),
                    outbound: config.sending.outbound.clone(),
                })),
            ),
        ];
        let metrics = Arc::new(Metrics::new());
        let capture = Capture::start(config.capture.clone(), exchange.store.clone())
            .map_err(|e| format!("no thread for messages: {e}"))?;
        let observed = Observed(Some(Arc::new(Witness { metrics: metrics.clone(), auditor, capture })));
        let executor = Executor::new(exchange.store.clone(), config.pool_size);
        let idempotent = Idempotent(Some(Arc::new(executor.clone())));
        let security = security::Security::of(&config.message_security)?;
        let options = EndpointOptions {
            limits: config.limits,
            spool: attachments(config)?,
            validate_responses: config.validate_responses,
            skip_validation: !config.validate_requests,
            trusted_proxies: config.trusted_proxies.clone(),
            streaming: Streaming {
                operations: STREAMED.iter().map(|&name| name.to_owned()).collect(),
                limit: config.max_upload,
                batch: config.batch_size,
                ..Streaming::default()
            },
            authentication,
            keys: security.keys.clone(),
            observed: observed.clone(),
            idempotent: idempotent.clone(),
            reply_hosts: config.reply_hosts.clone(),
            rest_path: Some(API.to_owned()),
            ..EndpointOptions::default()
        };
        let endpoint = |(path, service): &(&str, Arc<dyn Service>)| {
            let name = service.info().name;
            let policy = security.policy(name);
            let output = of_service(&config.outputs, name).cloned().unwrap_or_default();
            Endpoint::new(service.clone(), path, EndpointOptions { policy, output, ..options.clone() })
        };
        let endpoints = services.iter().map(endpoint).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = services.iter().map(|(_, service)| service.info().name).collect();
        let places: Vec<&str> = services.iter().map(|(path, _)| *path).collect();
        let places =
            Data::new(Places(format!("SOAP is at {}, REST at /api, the Navigator at /navigator", places.join(", "))));
        all_used("security-policies", &config.message_security.policies, &names)?;
        all_used("soap-output", &config.outputs, &names)?;
        let contracts = Data::new(navigator::Contracts(services.clone()));
        contracts.keep(config);
        let pulse = Data::new(navigator::Pulse::default());
        let rest = Rest::new(services.into_iter().map(|(_, service)| service).collect(), config.limits)
            .observed(observed)
            .idempotent(idempotent)
            .elsewhere("/pictures/(fileName)", "PUT");
        let herald = Herald::start(exchange.store.clone(), config.notices.clone(), config.sending.clone())
            .map_err(|e| format!("no thread for notices: {e}"))?;
        let calls = caller::Calls { service: runs.clone(), caller };
        let upload = upload::Upload { service: runs, limit: config.max_upload };
        let resumable = resumable::Resumable::new(
            upload.clone(),
            config.data_dir.join("uploads"),
            resumable::UploadLimits { uploads: config.max_unfinished_uploads, bytes: config.max_unfinished_bytes },
        );
        let pictures = pictures::Pictures { service: media, folder: config.data_dir.clone(), limit: config.max_upload };
        let state = Data::new(State { rest: rest.clone(), trusted: config.trusted_proxies.clone() });
        let store = Data::new(exchange.store.clone());
        let metrics = Data::new(metrics);
        let (channels, settings) = (Data::new(config.channels.clone()), Data::new(config.clone()));
        let body_limits = Data::new(BodyLimits::new(config.max_compression_ratio, config.body_memory));
        let resources = Resources { endpoints, rest, upload: upload.clone(), resumable, orders, pictures, calls };
        let table = Data::new(navigator::RouteTable(resources.routes().table()?));
        let trusted = config.trusted_proxies.clone();
        let mut server = HttpServer::new(move || {
            App::new()
                .wrap(from_fn(form_body::bound_form))
                .wrap(from_fn(path::normalize_path))
                .wrap(Compress::default())
                .wrap(from_fn(head_as_get))
                .wrap(from_fn(retry_after::add_retry_after))
                .wrap(from_fn(without_upgrade))
                .wrap(from_fn(secure_transport::add_hsts))
                .wrap(DefaultHeaders::new().add(("x-content-type-options", "nosniff")))
                .app_data(trusted.clone())
                .app_data(state.clone())
                .app_data(store.clone())
                .app_data(places.clone())
                .app_data(contracts.clone())
                .app_data(pulse.clone())
                .app_data(metrics.clone())
                .app_data(access.clone())
                .app_data(authorizer.clone())
                .app_data(AnonymousAccess::Denied)
                .app_data(body_limits.clone())
                .app_data(table.clone())
                .app_data(Data::new(upload.clone()))
                .app_data(channels.clone())
                .app_data(settings.clone())
                .configure(navigator::configure)
                .configure(|config| resources.routes().install(config))
        })
        .on_connect(tls::remember)
        .client_request_timeout(Duration::from_secs(10))
        .keep_alive(Duration::from_secs(60))
        .shutdown_timeout(20);
        if config.workers > 0 {
            server = server.workers(config.workers);
        }
        let bound = match &config.tls {
            None => server.bind(config.listen),
            Some(tls) => server.bind_openssl(config.listen, tls::acceptor(tls, revoked)?),
        };
        let server = bound.map_err(|e| {
            format!(
                "cannot listen on {}: {e}; another program may be there, or choose another with --listen",
                config.listen
            )
        })?;
        let address = server.addrs().first().copied().unwrap_or(config.listen);
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        Ok(Self { address, scheme, running: server.run(), executor, queue, attendant, herald, sender, workshop })
    }

    /// Answers until a signal ends it; then finishes what was accepted and puts back the run at work.
    ///
    /// # Errors
    /// Those of the network.
    pub async fn run(self) -> std::io::Result<()> {
        let sending = actix_web::rt::spawn(self.sender.run());
        let result = self.running.await;
        self.executor.drain().await;
        // What was on its way is sent again: targets know it by its id.
        sending.abort();
        let stop = move || {
            self.attendant.stop();
            self.herald.stop();
            self.queue.stop();
            self.workshop.close();
        };
        if web::block(stop).await.is_err() {
            log::warn!("the workers were not waited for");
        }
        result
    }
}

/// What is set for a service: by its name, or else by `*`.
fn of_service<'a, T>(settings: &'a BTreeMap<String, T>, name: &str) -> Option<&'a T> {
    settings.get(name).or_else(|| settings.get("*"))
}

/// Sees to it that nothing is set for a service that does not exist: it would do nothing.
fn all_used<T>(key: &str, settings: &BTreeMap<String, T>, names: &[&str]) -> Result<(), String> {
    match settings.keys().find(|name| *name != "*" && !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!("{key}: there is no service {name}; there are {}", names.join(", "))),
    }
}

/// Where attachments of messages are kept while they are worked on.
fn attachments(config: &Config) -> Result<Spool, String> {
    let folder = config.data_dir.join("attachments");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > LEFT_BEHIND) && std::fs::remove_file(entry.path()).is_err() {
            log::warn!("{} is of no use any more, but cannot be removed", entry.path().display());
        }
    }
    let (total, in_memory) = (config.max_attachments, config.attachment_memory);
    Ok(Spool { folder, total, in_memory, parts: config.max_parts, ..Spool::default() })
}

/// What the routes lead to.
#[derive(Clone)]
struct Resources {
    endpoints: Vec<Endpoint>,
    rest: Rest,
    upload: upload::Upload,
    resumable: resumable::Resumable,
    orders: OrdersService,
    pictures: pictures::Pictures,
    calls: caller::Calls,
}

impl Resources {
    /// All routes of the server, each with the permission that it requires.
    fn routes(&self) -> Routes {
        let mut routes = Routes::default();
        let mut soap = routes.scope("", Surface::Soap);
        for endpoint in &self.endpoints {
            let message = Permission::Message(endpoint.service().info().name);
            let (post, get, path) = (endpoint.clone(), endpoint.clone(), endpoint.path());
            soap.add(
                Spec::new(Method::POST, path, message).audits_itself(),
                move |request: HttpRequest, payload: Payload| {
                    let endpoint = post.clone();
                    async move { endpoint.post(request, payload).await }
                },
            );
            soap.get(path, Permission::Public, move |request: HttpRequest| {
                let response = get.get(&request);
                async move { response }
            });
            soap.add(Spec::any_method(path, Permission::Public), || async { Endpoint::method_not_allowed() });
        }
        let mut api_routes = routes.scope(API, Surface::Rest);
        self.upload.add_routes(&mut api_routes);
        self.resumable.add_routes(&mut api_routes);
        artifacts::add_routes(&mut api_routes, &self.upload.service);
        documents::add_routes(&mut api_routes, &self.orders, &self.pictures.service);
        self.pictures.add_routes(&mut api_routes);
        for resource in self.rest.resources() {
            let handler = {
                let resource = resource.clone();
                move |request: HttpRequest, payload: Payload| {
                    let resource = resource.clone();
                    async move { resource.handle(request, payload).await }
                }
            };
            for (verb, service, operation) in resource.operations() {
                let Ok(method) = verb.parse() else { continue };
                let permission = Permission::operation(service, operation);
                let spec = Spec::new(method, resource.pattern(), permission).audits_itself().idempotent_by_key();
                api_routes.add(spec, handler.clone());
            }
            api_routes.add(Spec::any_method(resource.pattern(), Permission::Authenticated), handler);
        }
        api_routes.add(Spec::any_method("/{tail:.*}", Permission::Authenticated), unknown_resource);
        let mut others = routes.scope("", Surface::Rest);
        others.get("/", Permission::Public, home);
        others.get("/api", Permission::Public, api);
        others.get("/openapi.json", Permission::Public, openapi_document);
        health::add_routes(&mut others);
        metrics::add_routes(&mut others);
        self.calls.add_routes(&mut others);
        others.add(Spec::any_method("/{tail:.*}", Permission::Authenticated), unknown_path);
        navigator::add_routes(&mut routes);
        routes
    }
}

/// A sentence on where things are.
struct Places(String);

struct State {
    rest: Rest,
    trusted: soapstone_runtime::http::TrustedProxies,
}

async fn unknown_resource(request: HttpRequest) -> HttpResponse {
    not_found(format!("There is no resource {}; /api lists what there is", request.path()))
}

async fn unknown_path(request: HttpRequest, places: Data<Places>) -> HttpResponse {
    not_found(format!("There is nothing at {}; {}", request.path(), places.0))
}

fn not_found(message: String) -> HttpResponse {
    problem(&Fault::sender("http.not_found", 404, message))
}

/// A fault as problem details, under a new request ID.
fn problem(fault: &Fault) -> HttpResponse {
    problem_response(fault, &soapstone_runtime::http::request_id())
}

fn document(request: &HttpRequest, state: &State) -> serde_json::Value {
    let base = BaseAddress::of(request, &state.trusted).0;
    let mut document =
        openapi(state.rest.services(), "Soapstone REST API", env!("CARGO_PKG_VERSION"), &format!("{base}{API}"));
    upload::describe(&mut document);
    artifacts::describe(&mut document);
    documents::describe(&mut document);
    pictures::describe(&mut document);
    document
}

async fn openapi_document(request: HttpRequest, state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(document(&request, &state))
}

async fn api(request: HttpRequest, state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(api_page(&document(&request, &state)))
}

async fn home() -> HttpResponse {
    HttpResponse::Found().insert_header(("location", "/navigator")).finish()
}
