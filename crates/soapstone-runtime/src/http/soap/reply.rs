//! A reply on its way: the envelope in the request's version, alone or with attachments.

use super::EndpointOptions;
use super::elsewhere::Delivery;
use crate::attachment::{Attachments, Content, Package, Packaging, xop};
use crate::message::Reply;
use crate::observe::Working;
use crate::service::{Beside, Context, OperationInfo};
use crate::soap::security::Protection;
use crate::soap::{Addressing, Fault, Route, Version, fault_action};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::Bytes;
use chrono::Utc;
use futures_util::stream;
use std::sync::Arc;

/// What those are told who do not say who they are (RFC 7617).
pub const CHALLENGE: &str = "Basic realm=\"Soapstone\", charset=\"UTF-8\"";

/// What a reply needs to know of its request.
pub(super) struct Replier {
    pub version: Version,
    pub beside: Beside,
    /// Whether the request came by MTOM.
    pub optimized: bool,
    /// What the request says by WS-Addressing.
    pub addressing: Option<Addressing>,
    pub operation: Option<&'static OperationInfo>,
    /// What the reply is secured with.
    pub protection: Protection,
    request_id: String,
    options: Arc<EndpointOptions>,
}

impl Replier {
    pub fn new(version: Version, context: &Context, options: Arc<EndpointOptions>) -> Self {
        Self {
            version,
            beside: Beside::default(),
            optimized: false,
            addressing: None,
            operation: None,
            protection: Protection::default(),
            request_id: context.request_id.clone(),
            options,
        }
    }

    /// The answer of an operation.
    pub fn answer(mut self, reply: Reply) -> HttpResponse {
        if reply.is_none() {
            return HttpResponse::Accepted().finish();
        }
        let action = self.operation.map_or("", |operation| operation.output_action);
        self.address(action, false);
        let envelope = self.options.output.applied(self.version.wrap_with(&self.beside.headers, &reply.text));
        if !self.protection.is_none() {
            // A signature covers what stands in the envelope.
            let whole = xop::filled_in(&envelope, &Attachments::from(reply.attachments), u64::MAX);
            return self.respond_secured(StatusCode::OK, &whole, action, false);
        }
        if let Some(accepted) = self.elsewhere(action, &envelope, false) {
            return accepted;
        }
        let optimized = self.optimized || !reply.attachments.is_empty();
        if !optimized && self.beside.attachments.is_empty() {
            return self.respond(StatusCode::OK, envelope);
        }
        let packaging = if optimized { Packaging::Mtom } else { Packaging::Swa };
        let unique = super::super::request_id();
        let own = self.beside.attachments.into_iter().enumerate();
        let own = own.map(|(number, attachment)| attachment.identified(number, &unique));
        let attachments = reply.attachments.into_iter().chain(own).collect();
        let package = Package::new(packaging, self.version, envelope, attachments, &unique);
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, package.content_type("")))
            .streaming(stream::iter(package.pieces()))
    }

    /// An answer that is in pieces: the start tag of its element, and what is in it.
    pub fn answer_in_pieces(mut self, start: &str, content: Content) -> HttpResponse {
        self.address(self.operation.map_or("", |operation| operation.output_action), false);
        let name = start.trim_start_matches('<').split([' ', '>', '/']).next().unwrap_or_default();
        let whole = self.version.wrap_with(&self.beside.headers, &format!("{start}</{name}>"));
        let Some((head, tail)) = whole.find(&format!("</{name}>")).map(|at| whole.split_at(at)) else {
            return self.respond(StatusCode::OK, whole);
        };
        let (head, tail) = (Bytes::from(head.to_owned()), Bytes::from(tail.to_owned()));
        let pieces = std::iter::once(Ok(head)).chain(content.pieces()).chain(std::iter::once(Ok(tail)));
        HttpResponse::Ok().insert_header((CONTENT_TYPE, self.version.content_type())).streaming(stream::iter(pieces))
    }

    /// A fault.
    pub fn refuse(mut self, fault: &Fault, working: &mut Working) -> HttpResponse {
        let status = if self.options.output.always_500 { 500 } else { fault.soap_status(self.version) };
        let declared = fault.detail_element().and_then(|(namespace, local)| {
            let mut declared = self.operation?.fault_actions.iter();
            let own = declared.find(|(field, _)| field.local == local && field.namespace == namespace);
            own.map(|(_, action)| *action)
        });
        let action = fault_action(fault, declared);
        // A fault of the addresses themselves goes back: where else could it go?
        if fault.standard.is_some() {
            self.addressing = self.addressing.as_ref().map(Addressing::back);
        }
        self.address(action, true);
        if !self.protection.is_none() {
            working.outcome(fault);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return self.respond_secured(status, &self.envelope(fault), action, true);
        }
        if let Some(accepted) = self.elsewhere(action, &self.envelope(fault), true) {
            return accepted;
        }
        self.refuse_with(fault, status, working)
    }

    /// Answers with an envelope, secured.
    fn respond_secured(&self, status: StatusCode, envelope: &str, action: &str, is_fault: bool) -> HttpResponse {
        match self.protection.applied(envelope, Utc::now()) {
            Ok(secured) => {
                let accepted = self.elsewhere(action, &secured, is_fault);
                accepted.unwrap_or_else(|| self.respond(status, secured))
            }
            Err(error) => {
                log::error!(request_id = self.request_id.as_str(); "the reply cannot be secured: {error}");
                let fault = Fault::receiver("server.internal", 500, "The reply cannot be secured");
                self.respond(StatusCode::INTERNAL_SERVER_ERROR, self.envelope(&fault))
            }
        }
    }

    fn envelope(&self, fault: &Fault) -> String {
        self.options.output.applied(fault.envelope(self.version, &self.beside.headers, &self.request_id))
    }

    /// Adds what WS-Addressing wants the header to say.
    fn address(&mut self, action: &str, is_fault: bool) {
        if let Some(addressing) = &self.addressing {
            let mut headers = addressing.reply_headers(action, &message_id(), is_fault);
            headers.0.append(&mut self.beside.headers.0);
            self.beside.headers = headers;
        }
    }

    /// Sends a reply elsewhere, if it is wanted there; the answer to the request is then that it was accepted.
    fn elsewhere(&self, action: &str, envelope: &str, is_fault: bool) -> Option<HttpResponse> {
        match self.addressing.as_ref()?.route(is_fault) {
            Route::Back => return None,
            Route::Nowhere => {}
            Route::To(address) => Delivery {
                address: address.to_owned(),
                version: self.version,
                action: action.to_owned(),
                envelope: envelope.to_owned(),
                request_id: self.request_id.clone(),
                outbound: self.options.reply_hosts.outbound.clone(),
            }
            .start(),
        }
        Some(HttpResponse::Accepted().finish())
    }

    /// A fault before there is a message: HTTP has a status for that.
    pub fn refuse_at_the_door(&self, fault: &Fault, working: &mut Working) -> HttpResponse {
        self.refuse_with(fault, fault.status, working)
    }

    fn refuse_with(&self, fault: &Fault, status: u16, working: &mut Working) -> HttpResponse {
        working.outcome(fault);
        let is_unknown = fault.status == 401 && fault.standard.is_none();
        let status = StatusCode::from_u16(if is_unknown { 401 } else { status });
        let mut response = self.respond(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), self.envelope(fault));
        if is_unknown {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        response
    }

    fn respond(&self, status: StatusCode, text: String) -> HttpResponse {
        HttpResponse::build(status).insert_header((CONTENT_TYPE, self.version.content_type())).body(text)
    }
}

/// An ID that no other message has: a UUID of version 4 (RFC 9562).
fn message_id() -> String {
    let random = format!("{}{}", super::super::request_id(), super::super::request_id());
    let variant = ['8', '9', 'a', 'b'][random.as_bytes().get(16).map_or(0, |b| usize::from(b % 4))];
    format!(
        "urn:uuid:{}-{}-4{}-{variant}{}-{}",
        &random[..8],
        &random[8..12],
        &random[13..16],
        &random[17..20],
        &random[20..]
    )
}
