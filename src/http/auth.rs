//! Who asks: by HTTP Basic, by a token, or by the certificate of his side of TLS.
//!
//! As long as there is no user nobody has to say who he is; the server then listens to its own machine only.

use super::audit::Auditor;
use crate::domain::access::{self, Pattern, Roles, SessionSecret};
use crate::error::ServiceError;
use crate::store::access::{self as kept, Change, User};
use crate::store::{Db, Store, StoreError, sessions};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE as HEADER_COOKIE, HeaderMap, HeaderValue, WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use openssl::sha::sha256;
use soapstone_runtime::attachment::MediaType;
use soapstone_runtime::http::{CHALLENGE, problem_response};
use soapstone_runtime::service::{Caller, Certificate, Context, Permissions, Unsaid};
use soapstone_runtime::soap::security::Authenticator;
use soapstone_runtime::soap::{Fault, Headers, Version};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it is believed that there are no users, or some.
const COUNTED: Duration = Duration::from_secs(2);

/// How many passwords that were found right are remembered.
const REMEMBERED: usize = 1000;

/// Somebody who said who he is.
#[derive(Debug)]
pub(super) struct Identity {
    name: String,
    roles: Vec<Pattern>,
    /// Of a token that may do less than its user.
    scopes: Option<Vec<Pattern>>,
}

impl Permissions for Identity {
    fn name(&self) -> &str {
        &self.name
    }

    fn allows(&self, service: &str, operation: &str) -> bool {
        access::covers(&self.roles, service, operation)
            && self.scopes.as_ref().is_none_or(|scopes| access::covers(scopes, service, operation))
    }
}

/// How somebody says who he is.
enum Shown {
    Password {
        name: String,
        password: String,
    },
    Token(String),
    Certificate(String),
    /// The cookie of the Navigator.
    Session(SessionSecret),
    Nothing,
}

/// Why somebody is not let in; he is told no more than that.
struct Stranger {
    /// As the audit log has it.
    action: String,
}

/// Knows users.
pub(crate) struct Access {
    store: Store,
    roles: Roles,
    auditor: Auditor,
    counted: Mutex<Option<(Instant, bool)>>,
    /// Hashes of what was shown, and the kept password that it was found right for: argon2 takes long on purpose.
    right: Mutex<HashMap<[u8; 32], String>>,
}

impl Access {
    pub(super) fn new(store: Store, roles: Roles, auditor: Auditor) -> Self {
        Self { store, roles, auditor, counted: Mutex::default(), right: Mutex::default() }
    }

    /// Whether anybody has to say who he is.
    pub(crate) async fn has_users(&self) -> Result<bool, StoreError> {
        let known = *self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, has)) = known
            && at.elapsed() < COUNTED
        {
            return Ok(has);
        }
        let has = self.store.read(kept::count).await? > 0;
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), has));
        Ok(has)
    }

    /// Begins a session of who has that name and password. None: nobody has, or he is locked out for a while.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        name: String,
        password: String,
        peer: Option<String>,
    ) -> Result<Option<SessionSecret>, StoreError> {
        let own = Arc::clone(self);
        let secret = SessionSecret::make().map_err(StoreError::Unavailable)?;
        self.store
            .read(move |db| {
                let is_known = own.look(db, Shown::Password { name: name.clone(), password })?.is_ok();
                let action = format!("log in as {name} (Navigator)");
                let (caller, outcome) = if is_known { (Some(name.clone()), "ok") } else { (None, "refused") };
                own.auditor.note(caller, action, outcome, peer.clone(), None);
                if !is_known {
                    return Ok(None);
                }
                db.write(|db| sessions::begin(db, &secret.hash(), &name, peer.as_deref(), Utc::now().naive_utc()))?;
                Ok(Some(secret))
            })
            .await
    }

    /// Adds the first user, who may do everything. False: there is one already.
    ///
    /// # Errors
    /// Those of the database; a password that is not good enough.
    pub(crate) async fn add_first(&self, name: String, password: &str) -> Result<bool, StoreError> {
        let refused = |message: String| ServiceError::invalid("access.password", message).of("password", "");
        let password = Some(access::hashed(password).map_err(refused)?);
        let (roles, created_at) = ("admin".to_owned(), Utc::now().naive_utc());
        let user = kept::NewUser { name, password, certificate: None, roles, created_at };
        let added = self.store.write(move |db| Ok(kept::count(db)? == 0 && kept::add(db, &user)?)).await?;
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(added)
    }

    pub(crate) fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Notes what somebody does by hand.
    pub(crate) fn note(&self, caller: Option<String>, action: String, outcome: &str, peer: Option<String>) {
        self.auditor.note(caller, action, outcome, peer, None);
    }

    async fn identify(self: &Arc<Self>, shown: Shown) -> Result<Result<Identity, Stranger>, StoreError> {
        let own = Arc::clone(self);
        self.store.read(move |db| own.look(db, shown)).await
    }

    fn look(&self, db: &mut Db, shown: Shown) -> Result<Result<Identity, Stranger>, StoreError> {
        let stranger = |action: String| Ok(Err(Stranger { action }));
        match shown {
            Shown::Nothing => stranger(String::new()),
            Shown::Certificate(name) => match kept::by_certificate(db, &name)? {
                Some(user) => Ok(Ok(self.identity(&user, None))),
                None => stranger(format!("log in by the certificate {name}")),
            },
            Shown::Session(secret) => match sessions::user(db, &secret.hash(), Utc::now().naive_utc())? {
                Some(user) => Ok(Ok(self.identity(&user, None))),
                // It is over, which is nothing to be noted.
                None => stranger(String::new()),
            },
            Shown::Password { name, password } => {
                let user = kept::by_name(db, &name)?;
                if self.is_right(db, user.as_ref(), &password)?
                    && let Some(user) = &user
                {
                    return Ok(Ok(self.identity(user, None)));
                }
                stranger(format!("log in as {name}"))
            }
            Shown::Token(text) => {
                let Some((public_id, hash)) = access::token_parts(&text) else {
                    return stranger("log in by a token".to_owned());
                };
                let now = Utc::now().naive_utc();
                let found = kept::by_token(db, public_id)?.filter(|(token, _)| {
                    access::same_hash(&token.secret, &hash)
                        && token.revoked_at.is_none()
                        && token.expires_at.is_none_or(|at| at > now)
                });
                let Some((token, user)) = found else { return stranger(format!("log in by the token {public_id}")) };
                // A minute is exact enough, and does not make every request a write.
                if token.used_at.is_none_or(|at| (now - at).num_seconds() >= 60) {
                    kept::used(db, token.id, now)?;
                }
                // What does not read was not written by us: it allows nothing.
                let scopes = (!token.scopes.is_empty()).then(|| access::patterns(&token.scopes).unwrap_or_default());
                Ok(Ok(self.identity(&user, scopes)))
            }
        }
    }

    fn identity(&self, user: &User, scopes: Option<Vec<Pattern>>) -> Identity {
        Identity { name: user.name.clone(), roles: self.roles.permissions(&user.roles), scopes }
    }

    /// Whether it is the user's password; guessing is counted, and locks out for a while.
    fn is_right(&self, db: &mut Db, user: Option<&User>, password: &str) -> Result<bool, StoreError> {
        let now = Utc::now().naive_utc();
        let kept_password = user.and_then(|user| user.password.as_deref());
        let is_locked = user.is_some_and(|user| user.locked_until.is_some_and(|until| until > now));
        if is_locked {
            return Ok(false);
        }
        let shown = sha256(format!("{}\0{password}", user.map_or("", |user| &user.name)).as_bytes());
        let known = |right: &HashMap<[u8; 32], String>| {
            kept_password.is_some() && right.get(&shown).map(String::as_str) == kept_password
        };
        if known(&self.right.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(true);
        }
        let is_right = access::is_password(kept_password, password);
        let Some(user) = user else { return Ok(false) };
        if is_right {
            if user.failures > 0 {
                kept::change(db, &user.name, &Change { failures: Some(0), ..Change::default() })?;
            }
            let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
            if right.len() >= REMEMBERED {
                right.clear();
            }
            right.insert(shown, kept_password.unwrap_or_default().to_owned());
        } else {
            let failures = user.failures + 1;
            let locked_until = access::locked_until(failures, now);
            let change = Change { failures: Some(failures), locked_until: Some(locked_until), ..Change::default() };
            kept::change(db, &user.name, &change)?;
        }
        Ok(is_right)
    }
}

impl Authenticator for Access {
    fn by_password(&self, name: &str, password: &str) -> Result<Option<Caller>, Box<Fault>> {
        let shown = Shown::Password { name: name.to_owned(), password: password.to_owned() };
        let found =
            self.store.connection().and_then(|mut db| self.look(&mut db, shown)).map_err(|e| unavailable(&e))?;
        Ok(found.ok().map(|identity| Caller(Arc::new(identity))))
    }

    fn digest_secret(&self, name: &str) -> Result<Option<(Caller, String)>, Box<Fault>> {
        let found = self.store.connection().and_then(|mut db| kept::by_name(&mut db, name));
        let Some(user) = found.map_err(|e| unavailable(&e))? else { return Ok(None) };
        Ok(user.digest_secret.clone().map(|secret| (Caller(Arc::new(self.identity(&user, None))), secret)))
    }

    fn by_certificate(&self, certificate: &Certificate) -> Result<Option<Caller>, Box<Fault>> {
        let shown = Shown::Certificate(certificate.name.clone());
        let found = self.store.connection().and_then(|mut db| {
            let found = self.look(&mut db, shown)?;
            // Without users nobody has to be one.
            Ok(if found.is_err() && kept::count(&mut db)? == 0 { None } else { Some(found) })
        });
        Ok(match found.map_err(|e| unavailable(&e))? {
            None => None,
            Some(Ok(identity)) => Some(Caller(Arc::new(identity))),
            Some(Err(stranger)) => {
                self.auditor.note(None, format!("{} (WS-Security)", stranger.action), "refused", None, None);
                None
            }
        })
    }

    fn is_new(&self, nonce: &str, until: DateTime<Utc>) -> Result<bool, Box<Fault>> {
        let (until, now) = (until.naive_utc(), Utc::now().naive_utc());
        let done = self.store.connection().and_then(|mut db| db.write(|db| kept::remember(db, nonce, until, now)));
        done.map_err(|e| unavailable(&e))
    }

    fn refused(&self, name: &str) {
        self.auditor.note(None, format!("log in as {name} (WS-Security)"), "refused", None, None);
    }
}

fn unavailable(error: &StoreError) -> Box<Fault> {
    log::error!("nobody can be let in: {error}");
    Box::new(Fault::receiver("server.unavailable", 503, "Who you are cannot be looked up now; try again later"))
}

/// What a request shows of who sends it.
fn shown(request: &ServiceRequest) -> Shown {
    if let Some(value) = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            return Shown::Token(rest.trim().to_owned());
        }
        let pair = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((name, password)) = pair.as_deref().and_then(|pair| pair.split_once(':'))
            && scheme.eq_ignore_ascii_case("basic")
        {
            return Shown::Password { name: name.to_owned(), password: password.to_owned() };
        }
        return Shown::Token(String::new());
    }
    if let Some(secret) = session(request.headers()).filter(|_| takes_cookies(request)) {
        return Shown::Session(secret);
    }
    match request.conn_data::<Certificate>() {
        Some(certificate) => Shown::Certificate(certificate.name.clone()),
        None => Shown::Nothing,
    }
}

/// The cookie that a log-in to the Navigator is known by.
pub(crate) const COOKIE: &str = "soapstone_session";

/// What a browser kept under a name.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(HEADER_COOKIE).filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    let mut named = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    named.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// The session that a request belongs to, as it says.
pub(crate) fn session(headers: &HeaderMap) -> Option<SessionSecret> {
    cookie(headers, COOKIE).map(SessionSecret::of_cookie)
}

/// Whether a browser's cookie counts: for all that only reads, and for the Navigator, whose forms show that they are its own.
fn takes_cookies(request: &ServiceRequest) -> bool {
    request.method().is_safe() || is_of_navigator(request.path())
}

fn is_of_navigator(path: &str) -> bool {
    path == "/navigator" || path.starts_with("/navigator/")
}

/// Whether a browser sends this for a page of another site, with the log-in that it remembers for ours: all present
/// browsers say so (Fetch Metadata).
fn is_of_another_site(request: &ServiceRequest) -> bool {
    if request.method().is_safe() {
        return false;
    }
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match (header("sec-fetch-site"), header("origin")) {
        // Another port of this machine is of the same site, but not ours.
        (Some(site), _) if is_of_navigator(request.path()) => !matches!(site, "same-origin" | "none"),
        (Some(site), _) => site == "cross-site",
        // An older browser.
        (None, Some(origin)) if is_of_navigator(request.path()) => {
            origin.split_once("://").map(|(_, host)| host) != header("host")
        }
        (None, _) => false,
    }
}

/// What everybody may see: whether the server lives, and its contracts.
fn is_public(request: &ServiceRequest) -> bool {
    let path = request.path();
    let is_get = request.method() == Method::GET;
    is_get && (matches!(path, "/health" | "/ready" | "/openapi.json" | "/api") || path.starts_with("/soap/"))
        || path.starts_with("/navigator/assets/")
        || path.starts_with("/navigator/language/")
        || matches!(path, "/navigator/login" | "/navigator/setup")
}

/// What has no operation of a contract: service and operation as patterns name them.
fn resource(request: &ServiceRequest) -> Option<(&'static str, &'static str)> {
    match request.path() {
        "/metrics" => Some(("Metrics", "Read")),
        path if path == "/navigator/access" || path.starts_with("/navigator/access/") => Some(("Access", "Change")),
        // What others sent, and how the server is set, is not for everybody who may look at runs.
        path if path == "/navigator/messages" || path.starts_with("/navigator/messages/") => Some(("Messages", "Read")),
        "/navigator/system" => Some(("System", "Read")),
        // Whoever may see it may leave it.
        path if is_of_navigator(path) && (request.method().is_safe() || path == "/navigator/logout") => {
            Some(("Navigator", "View"))
        }
        // What it says is run with the next file.
        path if path.starts_with("/navigator/profiles/") => Some(("Profiles", "Change")),
        path if is_of_navigator(path) => Some(("Navigator", "Change")),
        _ => None,
    }
}

/// Lets only those in who are known, once anybody is.
///
/// # Errors
/// Those of what comes after.
pub(super) async fn guard<B: MessageBody + 'static>(
    access: Data<Arc<Access>>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let refused = |request: ServiceRequest, fault: Fault| {
        let response = refusal(&request, &fault);
        Ok(request.into_response(response).map_into_right_body())
    };
    if is_of_another_site(&request) {
        let message = "A page of another site may not change anything here";
        return refused(request, Fault::sender("access.cross_site", 403, message));
    }
    if is_public(&request) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    match access.has_users().await {
        Ok(false) => return Ok(next.call(request).await?.map_into_left_body()),
        Ok(true) => {}
        Err(error) => return refused(request, *unavailable(&error)),
    }
    let peer = request.peer_addr().map(|address| address.ip().to_string());
    let shown = shown(&request);
    if matches!(shown, Shown::Nothing) && request.path().starts_with("/soap/") {
        // The message may say it.
        request.extensions_mut().insert(Unsaid);
        return Ok(next.call(request).await?.map_into_left_body());
    }
    match access.identify(shown).await {
        Err(error) => refused(request, *unavailable(&error)),
        Ok(Err(stranger)) => {
            if !stranger.action.is_empty() {
                access.auditor.note(None, stranger.action, "refused", peer, None);
            }
            if is_of_navigator(request.path()) && !request.headers().contains_key(AUTHORIZATION) {
                let response = crate::navigator::log_in_first(&request);
                return Ok(request.into_response(response).map_into_right_body());
            }
            refused(request, Context::unknown())
        }
        Ok(Ok(identity)) => {
            if let Some((service, operation)) = resource(&request)
                && !identity.allows(service, operation)
            {
                let message =
                    format!("{} may not see this; a role that may do {service}.{operation} would", identity.name);
                return refused(request, Fault::sender("access.forbidden", 403, message));
            }
            request.extensions_mut().insert(Caller(Arc::new(identity)));
            Ok(next.call(request).await?.map_into_left_body())
        }
    }
}

/// A refusal as the caller can read it.
fn refusal(request: &ServiceRequest, fault: &Fault) -> HttpResponse {
    let id = soapstone_runtime::http::request_id();
    let mut response = if request.path().starts_with("/soap/") {
        let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let version = Version::of(&MediaType::parse(media));
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let envelope = fault.envelope(version, &Headers::default(), &id);
        HttpResponse::build(status).insert_header((CONTENT_TYPE, version.content_type())).body(envelope)
    } else {
        problem_response(fault, &id)
    };
    if fault.status == 401 {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    response
}
