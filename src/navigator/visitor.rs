//! Who looks at a page, and whether a form is one of ours.

use crate::http::auth::session;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use soapstone_runtime::service::Caller;
use std::convert::Infallible;
use std::future::{Ready, ready};

/// Who looks at a page.
pub(super) struct Visitor {
    caller: Option<Caller>,
    /// What forms have to show; empty without a session.
    pub form: String,
    /// From where he asks.
    pub peer: Option<String>,
}

impl Visitor {
    /// His name; None: nobody has to say who he is.
    pub fn name(&self) -> Option<&str> {
        self.caller.as_ref().map(|caller| caller.0.name())
    }

    pub fn has_session(&self) -> bool {
        !self.form.is_empty()
    }

    /// Whether he may do an operation of a service.
    pub fn may(&self, service: &str, operation: &str) -> bool {
        self.caller.as_ref().is_none_or(|caller| caller.0.allows(service, operation))
    }

    /// Whether he may change anything here.
    pub fn may_change(&self) -> bool {
        self.may("Navigator", "Change")
    }

    /// Whether what a form shows is what our pages gave him: a page of another site cannot know it. Who is known by other means than a
    /// cookie has none; for him the browser tells which site sends.
    pub fn gave(&self, form: &str) -> bool {
        form.len() == self.form.len() && openssl::memcmp::eq(form.as_bytes(), self.form.as_bytes())
    }
}

impl FromRequest for Visitor {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        let session = session(request.headers()).filter(|_| caller.is_some());
        let form = session.map(|secret| secret.form_token()).unwrap_or_default();
        let peer = request.peer_addr().map(|address| address.ip().to_string());
        ready(Ok(Self { caller, form, peer }))
    }
}
