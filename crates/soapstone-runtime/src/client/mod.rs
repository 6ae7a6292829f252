//! Calls to other servers: what generated clients are made on.

mod answer;
mod error;

pub use answer::{Answer, Replied};
pub use error::CallError;

use crate::attachment::{Attachment, Attachments, Content, MediaType, Package, Packaging, Receiver, Spool, xop};
use crate::message::{Format, Message, OPTIMIZED_FROM};
use crate::outbound::{Guard, Outbound};
use crate::problem::ReadError;
use crate::service::Beside;
use crate::soap::security::{Credentials, Identity, Keys, Protection, Trust};
use crate::soap::{HeaderBlock, Headers, Limits, Version};
use crate::xml;
use error::chain;
use futures_util::stream;
use openssl::x509::X509;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Certificate, Response, StatusCode};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a call may take, if nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The first wait before a call is tried again; each further one is twice as long.
const BACK_OFF: Duration = Duration::from_millis(200);

/// A way to one SOAP endpoint. Cheap to clone: connections are shared and kept alive.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Issuers of servers' certificates beside those that the machine trusts.
    authorities: Vec<Certificate>,
    /// The client's own certificate.
    identity: Option<reqwest::Identity>,
    /// Resolves the address, where not every address may be called.
    guard: Option<Guard>,
    /// What messages are secured with.
    protection: Protection,
    /// Who has to have signed answers.
    trust: Option<Trust>,
    address: reqwest::Url,
    version: Version,
    timeout: Duration,
    retries: u32,
    headers: HeaderMap,
    limits: Limits,
    /// What goes with every call.
    beside: Beside,
    mtom: bool,
    spool: Spool,
}

/// A request, written.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    pub headers: Headers,
    /// The content of the body.
    pub body: String,
    /// What the body refers to.
    pub optimized: Vec<Attachment>,
    /// Parts of the message that are attachments.
    pub attachments: Vec<Attachment>,
}

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
        Self::connecting(address, None)
    }

    /// Creates a client of an address that was given from outside: it is called only if `outbound` permits it, also by what its host
    /// resolves to at each connection.
    ///
    /// # Errors
    /// Returns `CallError::Denied` if the address may not be called, `CallError::Setup` if TLS cannot be set up.
    pub fn guarded(address: &str, outbound: &Outbound) -> Result<Self, CallError> {
        let endpoint = outbound.endpoint(address).map_err(CallError::Denied)?;
        Self::connecting(endpoint.url.clone(), Some(endpoint.guard()))
    }

    fn connecting(address: reqwest::Url, guard: Option<Guard>) -> Result<Self, CallError> {
        Ok(Self {
            http: connections(&[], None, guard.as_ref())?,
            authorities: Vec::new(),
            identity: None,
            guard,
            protection: Protection::default(),
            trust: None,
            address,
            version: Version::Soap11,
            timeout: TIMEOUT,
            retries: 0,
            headers: HeaderMap::new(),
            limits: Limits::default(),
            beside: Beside::default(),
            mtom: false,
            spool: Spool::default(),
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

    /// Trusts servers whose certificate that authority issued, given in PEM.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn authority(mut self, pem: &[u8]) -> Result<Self, CallError> {
        let wrong = |e: reqwest::Error| CallError::Setup(format!("the certificate authority: {}", chain(&e)));
        self.authorities.push(Certificate::from_pem(pem).map_err(wrong)?);
        self.http = connections(&self.authorities, self.identity.as_ref(), self.guard.as_ref())?;
        Ok(self)
    }

    /// Shows that certificate to servers, given in PEM with its key in PKCS #8.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn certificate(mut self, pem: &[u8], key: &[u8]) -> Result<Self, CallError> {
        let wrong = |e: reqwest::Error| CallError::Setup(format!("the client's certificate: {}", chain(&e)));
        self.identity = Some(reqwest::Identity::from_pkcs8_pem(pem, key).map_err(wrong)?);
        self.http = connections(&self.authorities, self.identity.as_ref(), self.guard.as_ref())?;
        Ok(self)
    }

    /// Says who it is by WS-Security in every message.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.protection.credentials = Some(credentials);
        self
    }

    /// Signs every message by WS-Security; answers that are encrypted for that certificate are opened.
    #[must_use]
    pub fn signed(mut self, identity: Identity) -> Self {
        self.protection.signer = Some(Arc::new(identity));
        self
    }

    /// Encrypts the body of every message for the owner of that certificate, given in PEM.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn encrypted_for(mut self, pem: &[u8]) -> Result<Self, CallError> {
        let wrong = |e: openssl::error::ErrorStack| CallError::Setup(format!("the receiver's certificate: {e}"));
        self.protection.receiver = Some(X509::from_pem(pem).map_err(wrong)?);
        Ok(self)
    }

    /// Takes only answers that are signed by whom those certificates vouch for, given in PEM.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn trusted_signers(mut self, pem: &[u8]) -> Result<Self, CallError> {
        let trust = Trust::from_pem(pem).map_err(|e| CallError::Setup(format!("trusted signers: {e}")))?;
        self.trust = Some(trust.for_replies());
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

    /// Sends a header block with every call.
    #[must_use]
    pub fn soap_header<T: Message>(mut self, header: &T) -> Self {
        self.beside.headers.0.push(HeaderBlock::new(Format::Xml, header));
        self
    }

    /// Sends an attachment with every call: a part of the request's message.
    #[must_use]
    pub fn attach(mut self, part: &str, media_type: &str, content: impl Into<Content>) -> Self {
        self.beside.attachments.push(Attachment::new(part, media_type, content));
        self
    }

    /// Sends binary values outside of the envelope (MTOM).
    #[must_use]
    pub fn mtom(mut self, mtom: bool) -> Self {
        self.mtom = mtom;
        self
    }

    /// Where attachments of answers are kept, and how many.
    #[must_use]
    pub fn spool(mut self, spool: Spool) -> Self {
        self.spool = spool;
        self
    }

    /// Calls an operation and reads its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn call<Q: Message, A: Message>(&self, action: &str, request: &Q) -> Result<A, CallError> {
        self.call_for_all(action, request, &[]).await.map(|replied| replied.value)
    }

    /// Calls an operation and reads its answer with what came beside it; `parts` are those of the answer's message
    /// that are attachments.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn call_for_all<Q: Message, A: Message>(
        &self,
        action: &str,
        request: &Q,
        parts: &[&'static str],
    ) -> Result<Replied<A>, CallError> {
        let answer = self.exchange(action, self.outgoing(request)).await?;
        answer.read(parts, &self.limits)
    }

    /// Calls a one-way operation. Nothing is answered, but a server may still say that it does not take it.
    ///
    /// # Errors
    /// Why it did not arrive, or the fault.
    pub async fn send<Q: Message>(&self, action: &str, request: &Q) -> Result<(), CallError> {
        let answer = self.exchange(action, self.outgoing(request)).await?;
        // Whatever else somebody answers is no matter.
        match answer.envelope(&self.limits) {
            Err(fault @ CallError::Fault(_)) => Err(fault),
            _ => Ok(()),
        }
    }

    fn outgoing<Q: Message>(&self, request: &Q) -> Outgoing {
        if self.mtom {
            let (body, optimized) = xml::to_string_with_attachments(request, OPTIMIZED_FROM);
            return Outgoing { body, optimized, ..Outgoing::default() };
        }
        Outgoing { body: xml::to_string(request), ..Outgoing::default() }
    }

    /// Sends a message and gives the answer, whatever it says.
    ///
    /// # Errors
    /// If the server is not reached, or answers with an HTTP error that is no fault.
    pub async fn exchange(&self, action: &str, outgoing: Outgoing) -> Result<Answer, CallError> {
        let mut attempt = 0;
        loop {
            let outcome = self.post(action, &outgoing).await;
            let passing =
                matches!(&outcome, Err(CallError::Transport(_) | CallError::Status { status: 502..=504, .. }));
            if !passing || !self.try_again(&mut attempt).await {
                return outcome;
            }
        }
    }

    /// Waits before another attempt; false: there were enough.
    async fn try_again(&self, attempt: &mut u32) -> bool {
        if *attempt >= self.retries {
            return false;
        }
        actix_web::rt::time::sleep(BACK_OFF * 2_u32.pow((*attempt).min(8))).await;
        *attempt += 1;
        true
    }

    /// Sends an envelope that is written already, such as a reply that somebody wants sent to him.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub async fn deliver(&self, action: &str, envelope: &str) -> Result<(), CallError> {
        let mut attempt = 0;
        loop {
            let content_type = self.content_type(action);
            let outcome = match self.transmit(action, content_type, envelope.to_owned().into()).await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) => Err(CallError::Status {
                    status: response.status().as_u16(),
                    text: "it was not accepted".to_owned(),
                }),
                Err(error) => Err(error),
            };
            if !self.try_again(&mut attempt).await {
                return outcome;
            }
        }
    }

    async fn transmit(&self, action: &str, content_type: String, body: Body) -> Result<Response, CallError> {
        let mut request = self.http.post(self.address.clone()).timeout(self.timeout).headers(self.headers.clone());
        if self.version == Version::Soap11 {
            request = request.header("SOAPAction", format!("\"{action}\""));
        }
        let lost = |e: reqwest::Error| CallError::Transport(chain(&e));
        request.header(CONTENT_TYPE, content_type).body(body).send().await.map_err(lost)
    }

    /// The content type of a message without attachments.
    fn content_type(&self, action: &str) -> String {
        match self.version {
            Version::Soap12 if !action.is_empty() => format!("{}; action=\"{action}\"", self.version.content_type()),
            _ => self.version.content_type().to_owned(),
        }
    }

    async fn post(&self, action: &str, outgoing: &Outgoing) -> Result<Answer, CallError> {
        let (content_type, body) = self.packed(action, outgoing)?;
        let response = self.transmit(action, content_type, body).await?;
        let status = response.status();
        let media = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let media = MediaType::parse(media);
        let answer = if media.essence == "multipart/related" {
            self.multipart(response, &media).await?
        } else {
            self.plain(response, &media).await?
        };
        // A fault comes with 500, or with 400 in SOAP 1.2; anything else that is no success is no answer.
        let may_be_fault = status == StatusCode::INTERNAL_SERVER_ERROR || status == StatusCode::BAD_REQUEST;
        if status.is_success() || (may_be_fault && answer.text.contains("Envelope")) {
            let keys = Keys { own: self.protection.signer.clone(), trust: self.trust.clone() };
            return answer.opened(&keys, &self.limits);
        }
        let text: String = answer.text.chars().take(200).collect();
        Err(CallError::Status { status: status.as_u16(), text: text.split_whitespace().collect::<Vec<_>>().join(" ") })
    }

    /// The content type and the bytes of a request.
    fn packed(&self, action: &str, outgoing: &Outgoing) -> Result<(String, Body), CallError> {
        let mut headers = self.beside.headers.clone();
        headers.0.extend(outgoing.headers.0.iter().cloned());
        let envelope = self.version.wrap_with(&headers, &outgoing.body);
        if self.protection.signer.is_some() || self.protection.receiver.is_some() {
            // A signature covers what stands in the envelope.
            let whole = xop::filled_in(&envelope, &Attachments::from(outgoing.optimized.clone()), u64::MAX);
            return Ok((self.content_type(action), self.secured(&whole)?.into()));
        }
        let envelope = self.secured(&envelope)?;
        let unique = crate::http::request_id();
        let beside = self.beside.attachments.iter().chain(&outgoing.attachments).enumerate();
        let beside = beside.map(|(number, attachment)| attachment.clone().identified(number, &unique));
        let attachments: Vec<_> = outgoing.optimized.iter().cloned().chain(beside).collect();
        if attachments.is_empty() && !self.mtom {
            return Ok((self.content_type(action), envelope.into()));
        }
        let packaging = if self.mtom { Packaging::Mtom } else { Packaging::Swa };
        let is_large = attachments.iter().any(|a| a.content.is_stored());
        let package = Package::new(packaging, self.version, envelope, attachments, &unique);
        let content_type = package.content_type(action);
        if is_large {
            return Ok((content_type, Body::wrap_stream(stream::iter(package.pieces()))));
        }
        // With its length told: old servers do not take chunks.
        let whole = package.pieces().try_fold(Vec::new(), |mut whole, piece| {
            whole.extend_from_slice(&piece?);
            Ok::<_, std::io::Error>(whole)
        });
        Ok((content_type, whole.map_err(|e| CallError::Setup(format!("an attachment cannot be read: {e}")))?.into()))
    }

    fn secured(&self, envelope: &str) -> Result<String, CallError> {
        let secured = self.protection.applied(envelope, chrono::Utc::now());
        secured.map_err(|e| CallError::Setup(format!("WS-Security: {e}")))
    }

    async fn plain(&self, mut response: Response, media: &MediaType) -> Result<Answer, CallError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| CallError::Transport(chain(&e)))? {
            if bytes.len() + chunk.len() > self.limits.body {
                let message = format!("the answer is larger than {} bytes", self.limits.body);
                return Err(CallError::Answer(ReadError::new(crate::ReadErrorKind::Limit, message)));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = xml::decode(&bytes, media.parameter("charset")).map_err(CallError::Answer)?.into_owned();
        Ok(Answer { text, ..Answer::default() })
    }

    async fn multipart(&self, mut response: Response, media: &MediaType) -> Result<Answer, CallError> {
        let spool = Spool { envelope: self.limits.body, ..self.spool.clone() };
        let mut receiver = Receiver::new(media, spool)?;
        while let Some(chunk) = response.chunk().await.map_err(|e| CallError::Transport(chain(&e)))? {
            receiver.push(&chunk)?;
        }
        let received = receiver.finish()?;
        let text = xml::decode(&received.envelope, received.media.parameter("charset")).map_err(CallError::Answer)?;
        Ok(Answer { text: text.into_owned(), attachments: received.attachments, ..Answer::default() })
    }
}

/// Connections that trust those authorities, and show that certificate. Proxies and redirects would send messages where
/// nobody wanted them.
fn connections(
    authorities: &[Certificate],
    identity: Option<&reqwest::Identity>,
    guard: Option<&Guard>,
) -> Result<reqwest::Client, CallError> {
    let mut builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    for authority in authorities {
        builder = builder.add_root_certificate(authority.clone());
    }
    if let Some(identity) = identity {
        builder = builder.identity(identity.clone());
    }
    if let Some(guard) = guard {
        builder = builder.dns_resolver(Arc::new(guard.clone()));
    }
    builder.build().map_err(|e| CallError::Setup(chain(&e)))
}
