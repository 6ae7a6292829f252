//! The SOAP endpoint of one service: bytes in, operation by the body's element, bytes out.

mod dispatch;
mod elsewhere;
mod output;
mod reply;
mod request;
mod streamed;

use super::contract::Addresses;
use super::{BaseAddress, PublishedContract, Suite, TrustedProxies, keyed, only, page};
use crate::attachment::Spool;
use crate::idempotency::Idempotent;
use crate::observe::{Observed, Working};
use crate::service::{Channel, Context, Service};
use crate::soap::security::{Authentication, Keys, Policy};
use crate::soap::{Fault, Limits, Version};
use crate::validate::Validator;
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};
use dispatch::Started;
pub use elsewhere::ReplyHosts;
pub use output::Output;
pub use reply::CHALLENGE;
use reply::Replier;
use request::{Announced, Incoming};
use std::sync::Arc;
pub use streamed::Streaming;

/// How an endpoint behaves.
#[derive(Clone, Debug, Default)]
pub struct EndpointOptions {
    pub limits: Limits,
    /// Where attachments are kept, and how many.
    pub spool: Spool,
    /// Which requests are done while they arrive.
    pub streaming: Streaming,
    /// Whether replies are validated as well; for tests.
    pub validate_responses: bool,
    /// Requests are validated unless this is set.
    pub skip_validation: bool,
    pub trusted_proxies: TrustedProxies,
    /// Who knows those whom WS-Security names.
    pub authentication: Authentication,
    /// What messages are signed and encrypted with, and whose signatures count.
    pub keys: Keys,
    /// How messages have to be secured.
    pub policy: Policy,
    /// How replies are written.
    pub output: Output,
    /// Who hears of every request.
    pub observed: Observed,
    /// Who executes messages with a `wsa:MessageID` once.
    pub idempotent: Idempotent,
    /// Where replies may be sent to instead of back.
    pub reply_hosts: ReplyHosts,
    /// Where the other portTypes of the contract are served, for the addresses in it.
    pub siblings: Vec<Sibling>,
    /// The path of the REST facade, for the addresses of HTTP bindings.
    pub rest_path: Option<String>,
}

/// A portType that is served at another path of this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sibling {
    pub namespace: String,
    pub port_type: String,
    pub path: String,
}

/// A service at an address.
#[derive(Clone)]
pub struct Endpoint {
    service: Arc<dyn Service>,
    validator: Option<Validator>,
    path: Arc<str>,
    options: Arc<EndpointOptions>,
}

impl Endpoint {
    /// An endpoint at `path`, its schemas compiled.
    ///
    /// # Errors
    /// If libxml2 does not take the contract's schemas.
    pub fn new(service: Arc<dyn Service>, path: &str, options: EndpointOptions) -> Result<Self, String> {
        let info = service.info();
        let validator =
            if options.skip_validation && !options.validate_responses { None } else { Some(Validator::of(info)?) };
        Ok(Self { service, validator, path: path.into(), options: Arc::new(options) })
    }

    /// The path it is served at.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The service behind it.
    pub fn service(&self) -> &Arc<dyn Service> {
        &self.service
    }

    /// Adds the endpoint's routes.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        let endpoint = self.clone();
        let getter = self.clone();
        config.service(
            web::resource(&*self.path)
                .route(web::post().to(move |request: HttpRequest, payload: Payload| {
                    let endpoint = endpoint.clone();
                    async move { endpoint.post(request, payload).await }
                }))
                .route(web::get().to(move |request: HttpRequest| {
                    let response = getter.get(&request);
                    async move { response }
                }))
                .default_service(web::to(|| async { Self::method_not_allowed() })),
        );
    }

    /// The answer to other methods than GET and POST.
    pub fn method_not_allowed() -> HttpResponse {
        HttpResponse::MethodNotAllowed()
            .insert_header(("allow", "POST, GET, HEAD"))
            .content_type("text/plain; charset=utf-8")
            .body("A SOAP endpoint is called with POST. GET with ?wsdl gives its contract.\n")
    }

    /// Answers GET: the contract's documents, a SoapUI project, or a page that describes the service.
    pub fn get(&self, request: &HttpRequest) -> HttpResponse {
        let base = BaseAddress::of(request, &self.options.trusted_proxies).0;
        let address = format!("{base}{}", self.path);
        let contract = PublishedContract::new(self.service.info());
        let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map(web::Query::into_inner)
            .unwrap_or_default();
        let addresses = self.addresses(&base, &address, only::asked(&query));
        let xml = |text: Option<String>| match text {
            Some(text) => HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(text),
            None => HttpResponse::NotFound()
                .content_type("text/plain; charset=utf-8")
                .body("The contract has no such document. Its WSDL is at ?wsdl.\n"),
        };
        match query.first().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())) {
            // As WCF has it.
            Some((kind, "")) if kind == "singlewsdl" => xml(contract.flat(&addresses)),
            Some((kind, "")) if kind == "wsdl" && query.iter().any(|(name, _)| name.eq_ignore_ascii_case("flat")) => {
                xml(contract.flat(&addresses))
            }
            Some((kind, "")) if kind == "wsdl" => xml(contract.wsdl(&addresses)),
            Some((kind, name)) if kind == "wsdl" || kind == "xsd" => xml(contract.document(name, &addresses)),
            Some((kind, "")) if kind == "soapui" => {
                let info = self.service.info();
                let suite = Suite { service: info, address, steps: Vec::new() };
                xml(Some(super::soapui(info.name, &[suite])))
            }
            _ => HttpResponse::Ok()
                .content_type("text/html; charset=utf-8")
                .body(page::service_page(self.service.info(), &address)),
        }
    }

    fn addresses<'a>(&'a self, base: &str, own: &'a str, only: Option<Version>) -> Addresses<'a> {
        let info = self.service.info();
        let siblings = self.options.siblings.iter();
        let mut services = vec![(info.namespace, info.name, own.to_owned())];
        services.extend(siblings.map(|s| (s.namespace.as_str(), s.port_type.as_str(), format!("{base}{}", s.path))));
        let (policy, mtom) = (self.options.policy, self.options.output.mtom);
        Addresses {
            own,
            services,
            rest: self.options.rest_path.as_ref().map(|path| format!("{base}{path}")),
            policy: if policy.is_none() && !mtom {
                String::new()
            } else {
                policy.document(base.starts_with("https"), mtom)
            },
            only,
        }
    }

    /// Handles a SOAP message.
    pub async fn post(&self, request: HttpRequest, payload: Payload) -> HttpResponse {
        let context = Context::of(Channel::Soap, &request);
        let mut working = Working::new(&self.options.observed, self.service.info().name, &context, &request);
        let response = self.reply_to(&request, payload, context, &mut working).await;
        working.answered(response)
    }

    async fn reply_to(
        &self,
        request: &HttpRequest,
        payload: Payload,
        context: Context,
        working: &mut Working,
    ) -> HttpResponse {
        let announced = Announced::by(request.headers());
        let mut replier = Replier::new(Version::of(&announced.media), &context, self.options.clone());
        let mut pieces = super::body::pieces(request, payload);
        let mut begun = Vec::new();
        if self.may_stream() && announced.is_plain() {
            if let Err(fault) = request::begin(&mut pieces, &mut begun, self.options.streaming.from).await {
                return replier.refuse_at_the_door(&fault, working);
            }
            let head = request::beginning(&begun, self.options.streaming.from)
                .and_then(|bytes| streamed::Head::find(&bytes, announced.media.parameter("charset")));
            if let Some(head) = head
                && let Some(head) = self.read_head(head, announced.action.as_deref())
            {
                let info = &self.service.info().operations[head.operation];
                working.of(self.service.info().name, info.name);
                replier.version = head.version;
                replier.operation = Some(info);
                // Passwords take long to compare.
                let (endpoint, mut headers) = (self.clone(), head.headers.clone());
                let identified = web::block(move || endpoint.identified(&mut headers, context, None)).await;
                let identified = identified.unwrap_or_else(|_| Err(Box::new(busy())));
                let checked = identified.and_then(|context| {
                    working.by(&context);
                    self.checked_head(&head, announced.action.as_deref(), &context).map(|()| context)
                });
                let context = match checked {
                    Ok(context) => context,
                    Err(fault) => {
                        replier.addressing = head.addressing;
                        return replier.refuse(&fault, working);
                    }
                };
                return self.stream(begun, pieces, head, context, replier, working).await;
            }
        }
        let incoming = match Incoming::collect(request, announced, begun, pieces, &self.options).await {
            Ok(incoming) => Incoming { optimized: incoming.optimized || self.options.output.mtom, ..incoming },
            Err(fault) => return replier.refuse_at_the_door(&fault, working),
        };
        working.received(incoming.envelope.len() as u64);
        working.said(&incoming.envelope);
        replier.optimized = incoming.optimized;
        replier.protection = self.usual_protection();
        let is_slow = incoming.is_large()
            || incoming.has_stored_attachments()
            || self.options.authentication.0.is_some() && incoming.has_security();
        let endpoint = self.clone();
        let start = {
            let context = context.clone();
            let version = replier.version;
            move || endpoint.start(incoming, version, context)
        };
        let started = if is_slow {
            match web::block(start).await {
                Ok(started) => started,
                Err(_) => return replier.refuse(&busy(), working),
            }
        } else {
            start()
        };
        let (context, (outcome, is_replayed)) = match started {
            Started::Running { version, operation, context, outcome, keyed, addressing, protection } => {
                replier.version = version;
                replier.protection = protection;
                replier.addressing = addressing;
                let info = &self.service.info().operations[operation];
                replier.operation = Some(info);
                working.of(self.service.info().name, info.name);
                working.by(&context);
                let outcome = self.clone().checked_outcome(operation, version, outcome);
                let run = self
                    .options
                    .idempotent
                    .run(keyed.map(|keyed| *keyed), outcome, &context, keyed::message_fault)
                    .await;
                (context, run)
            }
            Started::Refused { version, fault, addressing, operation, protection } => {
                replier.version = version;
                replier.protection = protection;
                replier.addressing = addressing;
                if let Some(operation) = operation {
                    working.of(self.service.info().name, self.service.info().operations[operation].name);
                }
                return replier.refuse(&fault, working);
            }
        };
        replier.beside = context.take_reply();
        let mut response = match outcome {
            Ok(reply) => replier.answer(reply),
            Err(fault) => replier.refuse(&fault, working),
        };
        if is_replayed {
            keyed::mark(&mut response);
        }
        response
    }
}

fn busy() -> Fault {
    Fault::receiver("server.busy", 503, "The server is shutting down")
}
