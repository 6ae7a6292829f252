//! The SOAP endpoint of one service: bytes in, operation by the body's element, bytes out.

use super::contract::Addresses;
use super::{BaseAddress, PublishedContract, TrustedProxies, body, page};
use crate::problem::ReadErrorKind;
use crate::service::{Channel, Context, Outcome, Service};
use crate::soap::{Envelope, Fault, Limits, Version};
use crate::validate::Validator;
use crate::xml;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Messages beyond this size are read on a thread of their own, so that they hold up nobody else.
const LARGE: usize = 256 << 10;

/// How an endpoint behaves.
#[derive(Clone, Debug, Default)]
pub struct EndpointOptions {
    pub limits: Limits,
    /// Whether replies are validated as well; for tests.
    pub validate_responses: bool,
    /// Requests are validated unless this is set.
    pub skip_validation: bool,
    pub trusted_proxies: TrustedProxies,
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

/// What is found before a handler runs.
enum Started {
    Running(Version, usize, Outcome),
    Refused(Version, Box<Fault>),
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
                .default_service(web::to(|| async {
                    HttpResponse::MethodNotAllowed()
                        .insert_header(("allow", "POST, GET"))
                        .content_type("text/plain; charset=utf-8")
                        .body("A SOAP endpoint is called with POST. GET with ?wsdl gives its contract.\n")
                })),
        );
    }

    fn get(&self, request: &HttpRequest) -> HttpResponse {
        let base = BaseAddress::of(request, &self.options.trusted_proxies).0;
        let address = format!("{base}{}", self.path);
        let contract = PublishedContract::new(self.service.info());
        let addresses = self.addresses(&base, &address);
        let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map(web::Query::into_inner)
            .unwrap_or_default();
        let xml = |text: Option<String>| match text {
            Some(text) => HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(text),
            None => HttpResponse::NotFound()
                .content_type("text/plain; charset=utf-8")
                .body("The contract has no such document. Its WSDL is at ?wsdl.\n"),
        };
        match query.first().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())) {
            Some((kind, "")) if kind == "wsdl" => xml(contract.wsdl(&addresses)),
            Some((kind, name)) if kind == "wsdl" || kind == "xsd" => xml(contract.document(name, &addresses)),
            _ => HttpResponse::Ok()
                .content_type("text/html; charset=utf-8")
                .body(page::service_page(self.service.info(), &address)),
        }
    }

    fn addresses<'a>(&'a self, base: &str, own: &'a str) -> Addresses<'a> {
        let info = self.service.info();
        let siblings = self.options.siblings.iter();
        let mut services = vec![(info.namespace, info.name, own.to_owned())];
        services.extend(siblings.map(|s| (s.namespace.as_str(), s.port_type.as_str(), format!("{base}{}", s.path))));
        Addresses { own, services, rest: self.options.rest_path.as_ref().map(|path| format!("{base}{path}")) }
    }

    async fn post(&self, request: HttpRequest, payload: Payload) -> HttpResponse {
        let context = Context {
            channel: Channel::Soap,
            request_id: super::request_id(),
            peer: request.peer_addr().map(|a| a.ip()),
        };
        let version = version_of(request.headers());
        let media = media_type(request.headers());
        if !matches!(media.as_str(), "" | "text/xml" | "application/soap+xml" | "application/xml") {
            let message = format!("The content type is {media}; SOAP is text/xml (1.1) or application/soap+xml (1.2)");
            let fault = Fault::sender("http.media_type", 415, message);
            return respond(StatusCode::UNSUPPORTED_MEDIA_TYPE, version, fault.envelope(version));
        }
        let bytes = match body::collect(&request, payload, self.options.limits.body).await {
            Ok(bytes) => bytes,
            Err(fault) => {
                let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
                return respond(status, version, fault.envelope(version));
            }
        };
        let charset = charset_of(request.headers());
        let action = action_of(request.headers());
        let endpoint = self.clone();
        let id = context.request_id.clone();
        let start = move || endpoint.start(&bytes, charset.as_deref(), action.as_deref(), version, context);
        let large = request.headers().get("content-length").and_then(|l| l.to_str().ok()?.parse::<usize>().ok());
        let started = if large.is_none_or(|length| length > LARGE) {
            match web::block(start).await {
                Ok(started) => started,
                Err(_) => Started::Refused(version, Box::new(busy())),
            }
        } else {
            start()
        };
        let (version, operation, outcome) = match started {
            Started::Running(version, operation, outcome) => (version, operation, outcome.await),
            Started::Refused(version, fault) => return refuse(version, &fault, &id),
        };
        match outcome {
            Ok(reply) if reply.is_none() => HttpResponse::Accepted().finish(),
            Ok(reply) => {
                let text = version.wrap(&reply.0);
                if self.options.validate_responses
                    && !self.service.info().operations[operation].encoded
                    && let Some(validator) = &self.validator
                    && let Err(problems) = validator.validate(&text, 2)
                {
                    let name = self.service.info().operations[operation].name;
                    log::error!(request_id = id.as_str(); "the response of {name} is not valid: {}", problems[0]);
                    let message = format!("The response of {name} does not fit the contract: {}", problems[0]);
                    return refuse(version, &Fault::receiver("response.invalid", 500, message), &id);
                }
                respond(StatusCode::OK, version, text)
            }
            Err(fault) => refuse(version, &fault, &id),
        }
    }

    /// Everything up to the handler's start.
    fn start(
        &self,
        bytes: &Bytes,
        charset: Option<&str>,
        action: Option<&str>,
        version: Version,
        context: Context,
    ) -> Started {
        let text = match xml::decode(bytes, charset) {
            Ok(text) => text,
            Err(error) => return Started::Refused(version, Box::new(Fault::invalid(vec![*error]))),
        };
        let envelope = match Envelope::parse(&text, &self.options.limits) {
            Ok(envelope) => envelope,
            Err((version, fault)) => return Started::Refused(version, Box::new(fault)),
        };
        let version = envelope.version;
        match self.dispatch(&text, &envelope, action, context) {
            Ok((operation, outcome)) => Started::Running(version, operation, outcome),
            Err(fault) => Started::Refused(version, fault),
        }
    }

    fn dispatch(
        &self,
        text: &str,
        envelope: &Envelope<'_>,
        action: Option<&str>,
        context: Context,
    ) -> Result<(usize, Outcome), Box<Fault>> {
        if let Some(fault) = envelope.not_understood(&[]) {
            return Err(Box::new(fault));
        }
        let index = self.operation(envelope, action)?;
        let operation = &self.service.info().operations[index];
        if let Some(action) = action.filter(|a| !a.is_empty())
            && action != operation.soap_action
            && action != operation.name
        {
            let message = format!(
                "The SOAPAction \"{action}\" does not belong to the operation {} of the body; it is \"{}\"",
                operation.name, operation.soap_action
            );
            return Err(Box::new(Fault::sender("soap.action_mismatch", 400, message)));
        }
        if envelope.body_elements > 1 && !operation.encoded && !operation.input.local.is_empty() {
            let message = "The body has more than one element";
            return Err(Box::new(Fault::sender("soap.two_bodies", 400, message)));
        }
        let payload = || {
            if operation.encoded { envelope.decoded_payload() } else { Ok(envelope.payload()) }
        };
        let call = |context: Context| payload().and_then(|payload| self.service.clone().call(context, index, payload));
        // Encoded messages follow section 5 of SOAP 1.1, not their schema.
        let validated = !self.options.skip_validation && !operation.encoded && envelope.body_elements == 1;
        if let Some(validator) = self.validator.as_ref().filter(|_| validated)
            && let Err(mut problems) = validator.validate(text, 2)
        {
            // Our own reader knows the column, the field and its value of the first one.
            if let Err(error) = call(context).map(drop) {
                // What cannot be parsed has no second place.
                problems.retain(|p| p.line != error.line && p.kind != ReadErrorKind::Malformed);
                problems.insert(0, *error);
            }
            return Err(Box::new(Fault::invalid(problems)));
        }
        match call(context) {
            Ok(outcome) => Ok((index, outcome)),
            Err(error) => Err(Box::new(Fault::invalid(vec![*error]))),
        }
    }

    /// The operation that the body's first element means; where messages have none, the action says it.
    fn operation(&self, envelope: &Envelope<'_>, action: Option<&str>) -> Result<usize, Box<Fault>> {
        let operations = self.service.info().operations;
        let (namespace, local) = &envelope.body_name;
        let named = operations
            .iter()
            .position(|o| !local.is_empty() && o.input.local == local && o.input.namespace == namespace);
        if let Some(index) = named {
            // Overloaded operations share an element.
            let by_action = operations.iter().position(|o| {
                o.input.local == local && o.input.namespace == namespace && Some(o.soap_action) == action
            });
            return Ok(by_action.unwrap_or(index));
        }
        let bare: Vec<usize> = (0..operations.len()).filter(|i| operations[*i].input.local.is_empty()).collect();
        let called = |i: &&usize| {
            let operation = &operations[**i];
            action.is_some_and(|a| !a.is_empty() && (a == operation.soap_action || a == operation.name))
        };
        match bare.as_slice() {
            [only] => Ok(*only),
            _ => match bare.iter().find(called) {
                Some(index) => Ok(*index),
                None if local.is_empty() => {
                    let message = "The body is empty: it must have the operation's element";
                    Err(Box::new(Fault::sender("soap.empty_body", 400, message)))
                }
                None => Err(Box::new(self.unknown_operation(namespace, local))),
            },
        }
    }

    fn unknown_operation(&self, namespace: &str, local: &str) -> Fault {
        let info = self.service.info();
        let message = match info.operations.iter().find(|o| o.input.local == local) {
            Some(operation) => format!(
                "The body's element \"{local}\" is in the namespace \"{namespace}\", but belongs in \"{}\"",
                operation.input.namespace
            ),
            None => {
                let names: Vec<_> = info.operations.iter().map(|o| o.name).collect();
                format!("The service {} has no operation \"{local}\"; it has {}", info.name, names.join(", "))
            }
        };
        Fault::sender("soap.unknown_operation", 404, message)
    }
}

fn busy() -> Fault {
    Fault::receiver("server.busy", 503, "The server is shutting down")
}

fn refuse(version: Version, fault: &Fault, request_id: &str) -> HttpResponse {
    log::info!(request_id, code = fault.subcode.as_ref(); "fault: {}", fault.message);
    let status = StatusCode::from_u16(fault.soap_status(version)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(status, version, fault.envelope(version))
}

fn respond(status: StatusCode, version: Version, text: String) -> HttpResponse {
    HttpResponse::build(status).insert_header((CONTENT_TYPE, version.content_type())).body(text)
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("")
}

fn media_type(headers: &HeaderMap) -> String {
    content_type(headers).split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// The version to answer in when the request cannot be read.
fn version_of(headers: &HeaderMap) -> Version {
    if media_type(headers) == "application/soap+xml" { Version::Soap12 } else { Version::Soap11 }
}

fn parameter(headers: &HeaderMap, name: &str) -> Option<String> {
    content_type(headers).split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn charset_of(headers: &HeaderMap) -> Option<String> {
    parameter(headers, "charset")
}

/// The action: a header in SOAP 1.1, a parameter of the content type in 1.2; quoted or not.
fn action_of(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("soapaction").and_then(|v| v.to_str().ok());
    header.map(|v| v.trim().trim_matches('"').to_owned()).or_else(|| parameter(headers, "action"))
}
