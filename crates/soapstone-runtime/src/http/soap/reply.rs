//! A reply on its way: the envelope in the request's version, alone or with attachments.

use crate::attachment::{Attachment, Package, Packaging};
use crate::message::Reply;
use crate::service::{Beside, Context};
use crate::soap::{Fault, Version};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use futures_util::stream;

/// What a reply needs to know of its request.
pub(super) struct Replier {
    pub version: Version,
    pub beside: Beside,
    /// Whether the request came by MTOM.
    pub optimized: bool,
    request_id: String,
}

impl Replier {
    pub fn new(version: Version, context: &Context) -> Self {
        Self { version, beside: Beside::default(), optimized: false, request_id: context.request_id.clone() }
    }

    /// The answer of an operation.
    pub fn answer(self, reply: Reply) -> HttpResponse {
        if reply.is_none() {
            return HttpResponse::Accepted().finish();
        }
        let envelope = self.version.wrap_with(&self.beside.headers, &reply.text);
        let optimized = self.optimized || !reply.attachments.is_empty();
        if !optimized && self.beside.attachments.is_empty() {
            return self.respond(StatusCode::OK, envelope);
        }
        let packaging = if optimized { Packaging::Mtom } else { Packaging::Swa };
        let unique = super::super::request_id();
        let own = self.beside.attachments.into_iter().enumerate().map(|(number, attachment)| Attachment {
            // As the Attachments Profile has it (section 3.8).
            id: format!("{}={number}-{unique}@soapstone", attachment.part),
            ..attachment
        });
        let attachments = reply.attachments.into_iter().chain(own).collect();
        let package = Package::new(packaging, self.version, envelope, attachments, &unique);
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, package.content_type("")))
            .streaming(stream::iter(package.pieces()))
    }

    /// A fault.
    pub fn refuse(&self, fault: &Fault) -> HttpResponse {
        let status = fault.soap_status(self.version);
        self.refuse_with(fault, status)
    }

    /// A fault before there is a message: HTTP has a status for that.
    pub fn refuse_at_the_door(&self, fault: &Fault) -> HttpResponse {
        self.refuse_with(fault, fault.status)
    }

    fn refuse_with(&self, fault: &Fault, status: u16) -> HttpResponse {
        log::info!(request_id = self.request_id.as_str(), code = fault.subcode.as_ref(); "fault: {}", fault.message);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.respond(status, fault.envelope(self.version, &self.beside.headers))
    }

    fn respond(&self, status: StatusCode, text: String) -> HttpResponse {
        HttpResponse::build(status).insert_header((CONTENT_TYPE, self.version.content_type())).body(text)
    }
}
