//! What the resources that give or take plain files share: who may, what is known already, and names in headers.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use soapstone_runtime::http::{problem_response, request_id};
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::soap::Fault;
use std::future::Future;

/// Answers a request if its sender may call the operation that it stands for.
pub(super) async fn admitted(
    request: &HttpRequest,
    service: &'static str,
    operation: &'static str,
    work: impl Future<Output = Result<HttpResponse, Fault>>,
) -> HttpResponse {
    let context = Context::of(Channel::Rest, request);
    let done = match context.authorize(service, operation) {
        Ok(()) => work.await,
        Err(fault) => Err(*fault),
    };
    done.unwrap_or_else(|fault| problem_response(&fault, &request_id()))
}

/// The beginning of an answer with a content; an answer without, if the caller has it already (RFC 9110, 13.1.2).
pub(super) fn tagged(request: &HttpRequest, sha256: &str) -> Result<HttpResponseBuilder, HttpResponse> {
    let tag = format!("\"{sha256}\"");
    let mut known = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    let is_known = |one: &str| one == "*" || one.trim_start_matches("W/") == tag;
    if known.any(|known| known.split(',').any(|one| is_known(one.trim()))) {
        return Err(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "no-cache"));
    Ok(response)
}

/// A name as it can stand in a header.
pub(super) fn in_header(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' }).collect()
}
