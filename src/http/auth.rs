//! Authorization by matched route: each request is authenticated and authorized by what its route requires, before anything of it is
//! read.
//!
//! Authentication is off until the first user exists; until then the server binds to loopback only, and answers to the names of
//! this machine only.

pub(crate) use super::authentication::Access;

use super::authentication::{Credentials, Identity};
use super::origin::Origins;
use super::path::has_structural_escape;
use super::route::{Permission, RouteInfo, Surface};
use crate::domain::access::SessionSecret;
use crate::navigator;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE as HEADER_COOKIE, HeaderMap, HeaderValue, WWW_AUTHENTICATE,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use soapstone_runtime::attachment::MediaType;
use soapstone_runtime::http::{CHALLENGE, client_address, problem_response};
use soapstone_runtime::service::{AnonymousAccess, Caller, Certificate, Context, Permissions};
use soapstone_runtime::soap::{Fault, Headers, Version};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// The cookie that a log-in to the Navigator is known by.
pub(crate) const COOKIE: &str = "soapstone_session";

/// Characters of a path in the audit log.
const MAX_AUDITED_PATH: usize = 200;

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(HEADER_COOKIE).filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    let mut named = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    named.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// The session that a request claims to belong to.
pub(crate) fn session(headers: &HeaderMap) -> Option<SessionSecret> {
    cookie(headers, COOKIE).map(SessionSecret::of_cookie)
}

/// Authenticates and authorizes requests.
pub(super) struct Authorizer {
    pub access: Arc<Access>,
    pub origins: Origins,
}

/// Proof that a request passed the check of its route. Handlers of pages cannot run without it.
#[derive(Clone)]
pub(crate) struct Granted {
    is_audited: Rc<Cell<bool>>,
}

impl Granted {
    /// Says that the handler has written the audit log, so that the route does not write a general line.
    pub fn mark_audited(&self) {
        self.is_audited.set(true);
    }
}

/// The caller that a route was granted to.
enum Principal {
    /// No user exists yet: no one has to authenticate.
    Anyone,
    User(Identity),
    /// Nobody: the route is public, or the message has to authenticate its sender.
    Unauthenticated,
}

/// Writes the line of the audit log for a request that has an effect, when it is answered or its client has gone.
struct Audit {
    access: Arc<Access>,
    granted: Granted,
    caller: Option<String>,
    peer: Option<String>,
    action: String,
    outcome: Option<u16>,
}

impl Drop for Audit {
    fn drop(&mut self) {
        if self.granted.is_audited.get() {
            return;
        }
        let outcome = match self.outcome {
            Some(status) if status < 400 => "ok".to_owned(),
            Some(status) => format!("HTTP {status}"),
            None => "http.gone".to_owned(),
        };
        self.access.note(self.caller.take(), std::mem::take(&mut self.action), &outcome, self.peer.take());
    }
}

impl Authorizer {
    async fn authorize(&self, route: &RouteInfo, request: &ServiceRequest) -> Result<Principal, Box<Fault>> {
        // Only keys of records may have escapes that some programs decode to structure.
        if route.surface != Surface::Rest && has_structural_escape(request.path()) {
            let message =
                "The path of the request is malformed: it contains an escaped slash, backslash or percent sign";
            return Err(Box::new(Fault::sender("http.path", 400, message)));
        }
        if route.has_effect {
            self.origins.check_site(request)?;
        }
        let has_users = match self.access.has_users().await {
            Ok(has_users) => has_users,
            // The log-in page and the health checks are there without a database, too.
            Err(_) if route.permission == Permission::Public && !route.has_effect => true,
            Err(error) => return Err(super::authentication::unavailable(&error)),
        };
        let is_harmless = route.permission == Permission::Public && !route.has_effect;
        if !has_users && !is_harmless {
            self.origins.check_host(request)?;
            return Ok(Principal::Anyone);
        }
        if route.permission == Permission::Public {
            return Ok(Principal::Unauthenticated);
        }
        // A browser sends a cookie by itself: it counts where nothing changes, and for the Navigator, whose forms carry a token.
        let accepts_session = route.surface == Surface::Navigator || !route.has_effect;
        let certificate = request.conn_data::<Certificate>();
        let credentials = Credentials::from_headers(request.headers(), certificate, accepts_session);
        if credentials.is_none() && matches!(route.permission, Permission::Message(_)) {
            return Ok(Principal::Unauthenticated);
        }
        let peer = client_address(request.request());
        let identity = self.access.identify(credentials, peer).await?.ok_or_else(|| Box::new(Context::unknown()))?;
        if let Permission::Operations(operations) = &route.permission
            && let Some((service, operation)) =
                operations.iter().find(|(service, name)| !identity.allows(service, name))
        {
            let message = format!("{} may not do this; a role with {service}.{operation} may", identity.name());
            self.audit_denial(route, identity.name(), (service, operation), request);
            return Err(Box::new(Fault::sender("access.forbidden", 403, message)));
        }
        Ok(Principal::User(identity))
    }

    fn audit_denial(&self, route: &RouteInfo, caller: &str, operation: (&str, &str), request: &ServiceRequest) {
        let surface = match route.surface {
            Surface::Soap => "soap",
            Surface::Rest => "rest",
            Surface::Navigator => "Navigator",
        };
        let peer = client_address(request.request()).map(|address| address.to_string());
        let action = format!("{}.{} ({surface})", operation.0, operation.1);
        self.access.note(Some(caller.to_owned()), action, "access.forbidden", peer);
    }
}

/// Middleware of each route: lets a request pass if its caller has the permission that the route requires.
///
/// # Errors
/// Forwards the errors of the handler.
pub(super) async fn authorize(
    route: Arc<RouteInfo>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(authorizer) = request.app_data::<Data<Authorizer>>().cloned() else {
        log::error!("Denied {}: the server has no authorizer", route.pattern);
        let fault = Fault::receiver("server.unavailable", 503, "Authorization is not set up");
        return Ok(request.into_response(super::problem(&fault)));
    };
    let principal = match authorizer.authorize(&route, &request).await {
        Ok(principal) => principal,
        Err(fault) => {
            let response = denial(&route, &request, *fault);
            return Ok(request.into_response(response));
        }
    };
    let granted = Granted { is_audited: Rc::new(Cell::new(!route.has_effect || route.audits_itself)) };
    request.extensions_mut().insert(granted.clone());
    let mut audit = Audit {
        access: authorizer.access.clone(),
        granted,
        caller: None,
        peer: client_address(request.request()).map(|address| address.to_string()),
        action: action(&route, &request),
        outcome: None,
    };
    match principal {
        Principal::Anyone => {
            request.extensions_mut().insert(AnonymousAccess::Allowed);
        }
        Principal::User(identity) => {
            audit.caller = Some(identity.name().to_owned());
            request.extensions_mut().insert(Caller(Arc::new(identity)));
        }
        Principal::Unauthenticated => {}
    }
    let answered = next.call(request).await;
    let status = match &answered {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    audit.outcome = Some(status.as_u16());
    answered
}

/// The action of a request as the audit log names it.
fn action(route: &RouteInfo, request: &ServiceRequest) -> String {
    if !route.has_effect || route.audits_itself {
        return String::new();
    }
    let path: String = request.path().chars().take(MAX_AUDITED_PATH).collect();
    match &route.permission {
        Permission::Operations(operations) => {
            let (service, operation) = operations.last().copied().unwrap_or_default();
            format!("{service}.{operation} ({} {path})", request.method())
        }
        _ => format!("{} {path}", request.method()),
    }
}

/// Renders a denial as the clients of the route's surface can read it.
fn denial(route: &RouteInfo, request: &ServiceRequest, fault: Fault) -> HttpResponse {
    let id = soapstone_runtime::http::request_id();
    let mut response = match route.surface {
        Surface::Soap => {
            let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
            let version = Version::of(&MediaType::parse(media));
            let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let envelope = fault.envelope(version, &Headers::default(), &id);
            HttpResponse::build(status).insert_header((CONTENT_TYPE, version.content_type())).body(envelope)
        }
        Surface::Navigator if !request.headers().contains_key(AUTHORIZATION) => match fault.status {
            401 => return navigator::log_in_first(request),
            _ => return navigator::denied(request.request(), fault),
        },
        Surface::Rest | Surface::Navigator => problem_response(&fault, &id),
    };
    if fault.status == 401 {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    response
}
