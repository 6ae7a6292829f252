//! Who asks, and what comes and goes beside the body of a message.

use super::Certificate;
use crate::attachment::{Attachment, Attachments, Content};
use crate::message::{Format, Message};
use crate::soap::{Fault, HeaderBlock, Headers};
use actix_web::{HttpMessage, HttpRequest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How a request reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Soap,
    Rest,
}

impl Channel {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Soap => "soap",
            Self::Rest => "rest",
        }
    }
}

/// What somebody may do.
pub trait Permissions: Send + Sync + fmt::Debug {
    /// His name, in logs.
    fn name(&self) -> &str;

    /// Whether he may call an operation of a portType.
    fn allows(&self, service: &str, operation: &str) -> bool;
}

/// Who asks, as whatever stands before the endpoints found out. It is left with the HTTP request for them.
#[derive(Clone, Debug)]
pub struct Caller(pub Arc<dyn Permissions>);

/// Whether a request without an authenticated caller may call operations. The default of an application is its app data;
/// a middleware overrides it for one request by its extensions. Without either, no one has to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnonymousAccess {
    Allowed,
    Denied,
}

impl AnonymousAccess {
    /// The setting for a request: its own, or the application's.
    pub fn of(request: &HttpRequest) -> Self {
        let own = request.extensions().get::<Self>().copied();
        own.or_else(|| request.app_data::<Self>().copied()).unwrap_or(Self::Allowed)
    }
}

/// What goes beside the body of a reply.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Beside {
    pub headers: Headers,
    pub attachments: Vec<Attachment>,
}

/// The program that asks, as it calls itself.
pub fn agent(headers: &actix_web::http::header::HeaderMap) -> Option<&str> {
    headers.get(actix_web::http::header::USER_AGENT)?.to_str().ok()
}

/// Who asks, and how: what a handler may want to know of a request beyond its content. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    pub channel: Channel,
    /// Names this request in the log and in faults.
    pub request_id: String,
    /// The program that asks, as it calls itself: HTTP's User-Agent.
    pub agent: Option<String>,
    /// The address of the client, also behind a trusted proxy.
    pub peer: Option<IpAddr>,
    /// The certificate of the caller's side of TLS.
    pub certificate: Option<Certificate>,
    /// Who asks. None: nobody has to say, or nobody has said yet.
    pub caller: Option<Caller>,
    /// Whether the request is served without an authenticated caller.
    pub anonymous: AnonymousAccess,
    /// Whether the request came by TLS.
    pub is_secure: bool,
    headers: Arc<Headers>,
    attachments: Attachments,
    reply: Arc<Mutex<Beside>>,
}

impl Context {
    /// For a request, under a new ID.
    pub fn of(channel: Channel, request: &HttpRequest) -> Self {
        Self {
            channel,
            request_id: crate::http::request_id(),
            agent: agent(request.headers()).map(str::to_owned),
            peer: crate::http::client_address(request),
            certificate: request.conn_data::<Certificate>().cloned(),
            caller: request.extensions().get::<Caller>().cloned(),
            anonymous: AnonymousAccess::of(request),
            is_secure: request.app_config().secure(),
            headers: Arc::default(),
            attachments: Attachments::default(),
            reply: Arc::default(),
        }
    }

    /// With what came beside the request's body.
    #[must_use]
    pub fn beside(mut self, headers: Headers, attachments: Attachments) -> Self {
        self.headers = Arc::new(headers);
        self.attachments = attachments;
        self
    }

    /// Checks that the caller may call an operation. Fails closed: without a caller only if anonymous access is allowed.
    ///
    /// # Errors
    /// Returns the fault `access.unknown` (401) or `access.forbidden` (403).
    pub fn authorize(&self, service: &str, operation: &str) -> Result<(), Box<Fault>> {
        match (&self.caller, self.anonymous) {
            (Some(Caller(caller)), _) if caller.allows(service, operation) => Ok(()),
            (Some(Caller(caller)), _) => {
                let message = format!("{} may not call {service}.{operation}", caller.name());
                Err(Box::new(Fault::sender("access.forbidden", 403, message)))
            }
            (None, AnonymousAccess::Allowed) => Ok(()),
            (None, AnonymousAccess::Denied) => Err(Box::new(Self::unknown())),
        }
    }

    /// The fault for somebody who does not say who he is, or says what is not so.
    pub fn unknown() -> Fault {
        let message = "Say who you are: by HTTP Basic, a token (Authorization: Bearer …), a client certificate or \
                       WS-Security. If you did, it is wrong, or there were too many attempts: wait, and try again";
        Fault::sender("access.unknown", 401, message)
    }

    /// A header that the contract declares; None: the request has none.
    ///
    /// # Errors
    /// The fault to answer with: where and why it is not what the contract says.
    pub fn header<T: Message>(&self) -> Result<Option<T>, Fault> {
        self.headers.get().map_err(|error| Fault::invalid(vec![*error]))
    }

    /// A header without which the operation cannot be done.
    ///
    /// # Errors
    /// The fault to answer with: it is not there, or not what the contract says.
    pub fn required_header<T: Message>(&self) -> Result<T, Fault> {
        self.header()?.ok_or_else(|| {
            let message = format!("The header \"{}\" is missing", T::ELEMENT.local);
            Fault::sender("soap.header_missing", 422, message)
        })
    }

    /// All header blocks of the request.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The attachment that is that part of the request's message.
    pub fn attachment(&self, part: &str) -> Option<&Attachment> {
        self.attachments.part(part)
    }

    /// All attachments of the request.
    pub fn attachments(&self) -> &Attachments {
        &self.attachments
    }

    /// Adds a header to the reply, or to the fault.
    pub fn reply_header<T: Message>(&self, header: &T) {
        let format = if self.channel == Channel::Rest { Format::Json } else { Format::Xml };
        self.reply_block(HeaderBlock::new(format, header));
    }

    /// Adds a header block, as it is, to the reply.
    pub fn reply_block(&self, block: HeaderBlock) {
        self.with_reply(|reply| reply.headers.0.push(block));
    }

    /// Adds an attachment to the reply: the part of its message that the contract says is one.
    pub fn attach(&self, part: &str, media_type: &str, content: impl Into<Content>) {
        let attachment = Attachment::new(part, media_type, content);
        self.with_reply(|reply| reply.attachments.push(attachment));
    }

    /// What handlers put beside the reply.
    pub(crate) fn take_reply(&self) -> Beside {
        self.with_reply(std::mem::take)
    }

    /// Adds header blocks and attachments to the reply.
    pub(crate) fn add_to_reply(&self, mut beside: Beside) {
        self.with_reply(|reply| {
            reply.headers.0.append(&mut beside.headers.0);
            reply.attachments.append(&mut beside.attachments);
        });
    }

    fn with_reply<T>(&self, work: impl FnOnce(&mut Beside) -> T) -> T {
        // A handler that panics leaves nothing half done here.
        work(&mut self.reply.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
