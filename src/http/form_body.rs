//! The bodies of url-encoded forms: read within bounds, at a minimum rate, before a page of the Navigator decodes them.

use super::problem;
use super::upload::MAX_FORM_FIELDS;
use crate::navigator::MAX_FORM;
use actix_web::Error;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web;
use actix_web::{HttpMessage, HttpRequest};
use soapstone_runtime::http::collect_body;
use soapstone_runtime::soap::Fault;

/// Reads the body of a form, so that it is bounded whoever decodes it.
///
/// # Errors
/// Those of what comes after.
pub(super) async fn bound_form<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    // Elsewhere a client may say so of a file.
    let is_form = request.content_type() == "application/x-www-form-urlencoded";
    if !is_form || !request.path().starts_with("/navigator") {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let payload = request.extract::<web::Payload>().await?;
    match read(request.request(), payload).await {
        Ok(content) => {
            request.headers_mut().remove(CONTENT_ENCODING);
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
            request.set_payload(Payload::from(content));
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(fault) => Ok(request.into_response(problem(&fault)).map_into_right_body()),
    }
}

async fn read(request: &HttpRequest, payload: web::Payload) -> Result<web::Bytes, Fault> {
    let content = collect_body(request, payload, MAX_FORM).await?;
    if memchr::memchr_iter(b'&', &content).count() >= MAX_FORM_FIELDS {
        return Err(Fault::sender("http.form", 413, "The form has too many fields"));
    }
    Ok(content)
}
