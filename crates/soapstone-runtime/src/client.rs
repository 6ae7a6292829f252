//! Calls to other servers: what generated clients are made on.

use crate::message::{Message, Payload};
use crate::problem::ReadError;
use crate::soap::{Envelope, Limits, ReceivedFault, Version};
use crate::xml;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::time::Duration;

/// How long a call may take, if nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The first wait before a call is tried again; each further one is twice as long.
const BACK_OFF: Duration = Duration::from_millis(200);

/// A way to one SOAP endpoint. Cheap to clone: connections are shared and kept alive.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    address: reqwest::Url,
    version: Version,
    timeout: Duration,
    retries: u32,
    headers: HeaderMap,
    limits: Limits,
}

/// Why a call gave no answer.
#[derive(Debug)]
pub enum CallError {
    /// The client cannot be set up: a wrong address or header.
    Setup(String),
    /// The server was not reached, or did not answer in time.
    Transport(String),
    /// An HTTP error without a fault in it.
    Status { status: u16, text: String },
    /// The server answers with a fault.
    Fault(Box<ReceivedFault>),
    /// The answer is not what the contract says.
    Answer(Box<ReadError>),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(why) => write!(f, "the client cannot be set up: {why}"),
            Self::Transport(why) => write!(f, "the server cannot be reached: {why}"),
            Self::Status { status, text } => write!(f, "the server answers with HTTP status {status}: {text}"),
            Self::Fault(fault) => write!(f, "the server answers with a fault: {} ({})", fault.message, fault.code),
            Self::Answer(error) => write!(f, "the answer is not what the contract says: {error}"),
        }
    }
}

impl std::error::Error for CallError {}

impl Client {
    /// A client of the endpoint at an address, in SOAP 1.1.
    ///
    /// # Errors
    /// If the address is none, or TLS cannot be set up.
    pub fn new(address: &str) -> Result<Self, CallError> {
        let setup = |why: String| CallError::Setup(why);
        let address = reqwest::Url::parse(address).map_err(|e| setup(format!("{address}: {e}")))?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(setup(format!("{address}: the address must begin with http:// or https://")));
        }
        // Proxies and redirects would send messages where nobody wanted them.
        let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = builder.build().map_err(|e| setup(chain(&e)))?;
        Ok(Self {
            http,
            address,
            version: Version::Soap11,
            timeout: TIMEOUT,
            retries: 0,
            headers: HeaderMap::new(),
            limits: Limits::default(),
        })
    }

    /// Speaks that version.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Gives up after that long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Tries again that often where the server was not reached or is busy. Only for operations that may be repeated.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How large and deep an answer may be.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sends an HTTP header with every call, such as `Authorization`.
    ///
    /// # Errors
    /// If name or value cannot be sent.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, CallError> {
        let wrong = |e: &dyn fmt::Display| CallError::Setup(format!("the header {name}: {e}"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|e| wrong(&e))?;
        let mut value = HeaderValue::from_str(value).map_err(|e| wrong(&e))?;
        value.set_sensitive(header == reqwest::header::AUTHORIZATION);
        self.headers.insert(header, value);
        Ok(self)
    }

    /// Authenticates by HTTP Basic.
    ///
    /// # Errors
    /// If they cannot be sent.
    pub fn basic(self, user: &str, password: &str) -> Result<Self, CallError> {
        use base64::Engine;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        self.header("authorization", &format!("Basic {pair}"))
    }

    /// Calls an operation and reads its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn call<Q: Message, A: Message>(&self, action: &str, request: &Q) -> Result<A, CallError> {
        let text = self.exchange(action, &xml::to_string(request)).await?;
        let envelope = self.envelope(&text)?;
        let payload = if A::ENCODED { envelope.decoded_payload() } else { Ok(envelope.payload()) };
        payload.and_then(Payload::read).map_err(CallError::Answer)
    }

    /// Calls a one-way operation.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub async fn send<Q: Message>(&self, action: &str, request: &Q) -> Result<(), CallError> {
        self.exchange(action, &xml::to_string(request)).await.map(drop)
    }

    /// Takes an answer apart; one that is a fault is an error.
    ///
    /// # Errors
    /// The fault, or that it is no envelope.
    pub fn envelope<'t>(&self, text: &'t str) -> Result<Envelope<'t>, CallError> {
        let envelope = Envelope::parse(text, &self.limits).map_err(|(_, fault)| {
            let error = fault.problems.into_iter().next();
            let error = error.unwrap_or_else(|| *ReadError::new(crate::ReadErrorKind::Malformed, fault.message));
            CallError::Answer(Box::new(error))
        })?;
        if envelope.is_fault() {
            let (text, scope) = envelope.body();
            return Err(CallError::Fault(Box::new(ReceivedFault::parse(text, scope))));
        }
        Ok(envelope)
    }

    /// Sends the body of a request and gives the text of the answer's envelope; nothing, if the answer is empty.
    ///
    /// # Errors
    /// If the server is not reached, or answers with an HTTP error that is no fault.
    pub async fn exchange(&self, action: &str, body: &str) -> Result<String, CallError> {
        let message = self.version.wrap(body);
        let mut attempt = 0;
        loop {
            let outcome = self.post(action, &message).await;
            let passing =
                matches!(&outcome, Err(CallError::Transport(_) | CallError::Status { status: 502..=504, .. }));
            if !passing || attempt >= self.retries {
                return outcome;
            }
            actix_web::rt::time::sleep(BACK_OFF * 2_u32.pow(attempt.min(8))).await;
            attempt += 1;
        }
    }

    async fn post(&self, action: &str, message: &str) -> Result<String, CallError> {
        let mut request = self.http.post(self.address.clone()).timeout(self.timeout).headers(self.headers.clone());
        request = match self.version {
            Version::Soap11 => {
                request.header(CONTENT_TYPE, self.version.content_type()).header("SOAPAction", format!("\"{action}\""))
            }
            Version::Soap12 if action.is_empty() => request.header(CONTENT_TYPE, self.version.content_type()),
            Version::Soap12 => {
                request.header(CONTENT_TYPE, format!("{}; action=\"{action}\"", self.version.content_type()))
            }
        };
        let lost = |e: reqwest::Error| CallError::Transport(chain(&e));
        let mut response = request.body(message.to_owned()).send().await.map_err(lost)?;
        let status = response.status();
        let media = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if bytes.len() + chunk.len() > self.limits.body {
                let message = format!("the answer is larger than {} bytes", self.limits.body);
                return Err(CallError::Answer(ReadError::new(crate::ReadErrorKind::Limit, message)));
            }
            bytes.extend_from_slice(&chunk);
        }
        if bytes.is_empty() && status.is_success() {
            return Ok(String::new());
        }
        let charset = media.split(';').find_map(|p| p.trim().strip_prefix("charset=")).map(|c| c.trim_matches('"'));
        let text = xml::decode(&bytes, charset).map_err(CallError::Answer)?.into_owned();
        // A fault comes with 500, or with 400 in SOAP 1.2; anything else that is no success is no answer.
        let may_be_fault = status == StatusCode::INTERNAL_SERVER_ERROR || status == StatusCode::BAD_REQUEST;
        if status.is_success() || (may_be_fault && text.contains("Envelope")) {
            return Ok(text);
        }
        let text: String = text.chars().take(200).collect();
        Err(CallError::Status { status: status.as_u16(), text: text.split_whitespace().collect::<Vec<_>>().join(" ") })
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        source = cause.source();
    }
    out
}
