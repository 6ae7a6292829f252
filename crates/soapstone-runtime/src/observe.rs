//! What happened to a request: one line in the log, and a call for those who count.

use crate::service::{Channel, Context};
use crate::soap::Fault;
use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
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
    pub duration: Duration,
    /// Bytes of the request's envelope or body.
    pub received: u64,
}

/// Hears of every request.
pub trait Observer: Send + Sync {
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
    /// Whether it was told that it is answered.
    told: bool,
}

impl Working {
    pub fn new(observed: &Observed, service: &'static str, context: &Context) -> Self {
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
            duration: Duration::ZERO,
            received: 0,
        };
        Self { observed: observed.clone(), began: Instant::now(), call, told: false }
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

    pub fn received(&mut self, bytes: u64) {
        self.call.received = bytes;
    }

    pub fn outcome(&mut self, fault: &Fault) {
        self.call.outcome = fault.subcode.clone();
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
        response
    }

    fn tell(&mut self) {
        self.told = true;
        let call = &mut self.call;
        call.duration = self.began.elapsed();
        let microseconds = u64::try_from(call.duration.as_micros()).unwrap_or(u64::MAX);
        log::info!(
            request_id = call.request_id.as_str(), channel = call.channel.name(), service = call.service,
            operation = call.operation.unwrap_or("-"), status = call.status, outcome = call.outcome.as_ref(),
            us = microseconds, bytes = call.received, caller = call.caller.as_deref().unwrap_or("-");
            "answered"
        );
        if let Some(observer) = &self.observed.0 {
            observer.answered(call);
        }
    }
}

impl Drop for Working {
    /// A caller who hangs up is counted as well.
    fn drop(&mut self) {
        if !self.told {
            self.tell();
        }
    }
}
