//! What happened to a request: one line in the log, and a call for those who count.

use crate::service::{Channel, Context};
use crate::soap::Fault;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The outcome of a request that was answered as it should be.
pub const OK: &str = "ok";

/// One request, when it is answered.
#[derive(Clone, Debug)]
pub struct Call {
    /// The portType.
    pub service: &'static str,
    /// None: the request was refused before it was known.
    pub operation: Option<&'static str>,
    pub channel: Channel,
    pub request_id: String,
    /// Who asks, where it is known.
    pub caller: Option<String>,
    pub peer: Option<IpAddr>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// [`OK`], or the code of the fault.
    pub outcome: Cow<'static, str>,
    /// What the fault says.
    pub reason: Option<String>,
    pub duration: Duration,
    /// Bytes of the request's envelope or body.
    pub received: u64,
}

/// What a request and its answer say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Verb, path and query.
    pub target: String,
    pub request_type: String,
    /// The envelope, or the JSON; of a request that is done while it arrives, the beginning.
    pub request: Bytes,
    pub response_type: String,
    /// Empty where the answer is sent in pieces.
    pub response: Bytes,
}

/// Hears of every request.
pub trait Observer: Send + Sync {
    /// Whether any message is wanted; [`Observer::captured`] then hears of all.
    fn captures(&self) -> bool {
        false
    }

    /// What a request and its answer say.
    fn captured(&self, _call: &Call, _said: Said) {}

    /// A request has come.
    fn begun(&self, channel: Channel);

    /// It is answered.
    fn answered(&self, call: &Call);
}

/// An observer, or none.
#[derive(Clone, Default)]
pub struct Observed(pub Option<Arc<dyn Observer>>);

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observed" } else { "Unobserved" })
    }
}

/// A request that is being worked on.
pub(crate) struct Working {
    observed: Observed,
    began: Instant,
    call: Call,
    /// What is said, where somebody wants to know.
    said: Option<Said>,
    /// Whether it was told that it is answered.
    told: bool,
}

impl Working {
    pub fn new(observed: &Observed, service: &'static str, context: &Context, request: &HttpRequest) -> Self {
        let wanted = observed.0.as_ref().is_some_and(|observer| observer.captures());
        let said = wanted.then(|| Said {
            target: format!("{} {}", request.method(), request.uri()),
            request_type: header(request.headers()),
            ..Said::default()
        });
        if let Some(observer) = &observed.0 {
            observer.begun(context.channel);
        }
        let call = Call {
            service,
            operation: None,
            channel: context.channel,
            request_id: context.request_id.clone(),
            caller: match (&context.caller, &context.certificate) {
                (Some(caller), _) => Some(caller.0.name().to_owned()),
                (None, Some(certificate)) => Some(certificate.name.clone()),
                (None, None) => None,
            },
            peer: context.peer,
            // What nginx tells of a caller who does not wait for the answer.
            status: 499,
            outcome: Cow::Borrowed("http.gone"),
            reason: None,
            duration: Duration::ZERO,
            received: 0,
        };
        Self { observed: observed.clone(), began: Instant::now(), call, said, told: false }
    }

    pub fn of(&mut self, service: &'static str, operation: &'static str) {
        self.call.service = service;
        self.call.operation = Some(operation);
    }

    /// Who asks is known now.
    pub fn by(&mut self, context: &Context) {
        if let Some(caller) = &context.caller {
            self.call.caller = Some(caller.0.name().to_owned());
        }
    }

    /// The request's content is there.
    pub fn said(&mut self, content: &Bytes) {
        if let Some(said) = &mut self.said {
            said.request = content.clone();
        }
    }

    pub fn received(&mut self, bytes: u64) {
        self.call.received = bytes;
    }

    pub fn outcome(&mut self, fault: &Fault) {
        self.call.outcome = fault.subcode.clone();
        // What came with the request makes no lines of its own.
        self.call.reason = Some(fault.message.replace(char::is_control, " "));
    }

    /// The answer is there: it gets the request's ID, and all hear of it.
    pub fn answered(mut self, mut response: HttpResponse) -> HttpResponse {
        self.call.status = response.status().as_u16();
        if self.call.status < 400 && self.call.outcome == "http.gone" {
            self.call.outcome = Cow::Borrowed(OK);
        }
        if let Ok(id) = HeaderValue::from_str(&self.call.request_id) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
        }
        self.tell();
        match (self.said.take(), self.observed.0.take()) {
            (Some(said), Some(observer)) => heard(response, said, &*observer, &self.call),
            _ => response,
        }
    }

    fn tell(&mut self) {
        self.told = true;
        let call = &mut self.call;
        call.duration = self.began.elapsed();
        let microseconds = u64::try_from(call.duration.as_micros()).unwrap_or(u64::MAX);
        log::info!(
            request_id = call.request_id.as_str(), channel = call.channel.name(), service = call.service,
            operation = call.operation.unwrap_or("-"), status = call.status, outcome = call.outcome.as_ref(),
            us = microseconds, bytes = call.received, caller = call.caller.as_deref().unwrap_or("-"),
            reason = call.reason.as_deref().unwrap_or("-");
            "answered"
        );
        if let Some(observer) = &self.observed.0 {
            observer.answered(call);
        }
    }
}

/// Tells what was said, and gives the answer back.
fn heard(response: HttpResponse, mut said: Said, observer: &dyn Observer, call: &Call) -> HttpResponse {
    said.response_type = header(response.headers());
    let (response, body) = response.into_parts();
    match body.try_into_bytes() {
        Ok(bytes) => {
            said.response = bytes.clone();
            observer.captured(call, said);
            response.set_body(BoxBody::new(bytes))
        }
        Err(body) => {
            observer.captured(call, said);
            response.set_body(body)
        }
    }
}

fn header(headers: &HeaderMap) -> String {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

impl Drop for Working {
    /// A caller who hangs up is counted as well.
    fn drop(&mut self) {
        if !self.told {
            self.tell();
        }
    }
}
