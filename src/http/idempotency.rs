//! Requests that are sent twice: one with an `Idempotency-Key` is done once, and whoever sends it again within a day, on
//! whatever node, gets the first answer (IETF draft-ietf-httpapi-idempotency-key-header). Files are known by their content
//! instead, when they become runs.

use crate::domain::hex;
use crate::store::Store;
use crate::store::idempotency::{self, Begun, Kept};
use actix_web::body::{self, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{self, Data};
use actix_web::{Error, HttpMessage, HttpResponse};
use chrono::Utc;
use openssl::sha::sha256;
use soapstone_runtime::http::{collect_body, problem_response, request_id};
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::soap::Fault;

/// The header that names a request.
const KEY: &str = "idempotency-key";

/// Says of an answer that it was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long a key may be.
const LONGEST: usize = 255;

/// Where answers are remembered.
pub(super) struct Idempotency {
    pub store: Store,
    /// Bytes of a request.
    pub limit: usize,
}

/// Does a request once.
///
/// # Errors
/// Those of what comes after.
pub(super) async fn once<B: MessageBody + 'static>(
    idempotency: Data<Idempotency>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let changes = request.method() == Method::POST || request.method() == Method::PATCH;
    let is_json = request.content_type() == "application/json";
    let key = request.headers().get(KEY).cloned().filter(|_| changes && is_json);
    let Some(key) = key else { return Ok(next.call(request).await?.map_into_left_body()) };
    let refused = |request: ServiceRequest, fault: &Fault| {
        Ok(request.into_response(problem_response(fault, &request_id())).map_into_right_body())
    };
    let Some(key) = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST) else {
        let message = format!("The Idempotency-Key has 1 to {LONGEST} characters of ASCII");
        return refused(request, &Fault::sender("http.idempotency_key", 400, message));
    };
    let caller = Context::of(Channel::Rest, request.request()).caller;
    let who = caller.as_ref().map_or("", |caller| caller.0.name());
    // Whoever else has the same key means another request.
    let name = hex(&sha256(format!("{who}\n{} {}\n{key}", request.method(), request.uri()).as_bytes()));
    let payload = request.extract::<web::Payload>().await?;
    let content = match collect_body(request.request(), payload, idempotency.limit).await {
        Ok(content) => content,
        Err(fault) => return refused(request, &fault),
    };
    let fingerprint = hex(&sha256(&content));
    // It is read, and decompressed.
    request.headers_mut().remove(CONTENT_ENCODING);
    request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
    request.set_payload(Payload::from(content));
    let (own, now) = (name.clone(), Utc::now().naive_utc());
    let begun = idempotency.store.write(move |db| idempotency::begin(db, &own, &fingerprint, now)).await;
    match begun {
        Ok(Begun::New) => {}
        Ok(Begun::Done(kept)) => return Ok(request.into_response(again(kept)).map_into_right_body()),
        Ok(Begun::AtWork) => {
            let message = "The same request is at work already; ask again when it is done";
            return refused(request, &Fault::sender("http.idempotency_at_work", 409, message));
        }
        Ok(Begun::Another) => {
            let message = "The Idempotency-Key was sent with another request; give each request its own";
            return refused(request, &Fault::sender("http.idempotency_reused", 422, message));
        }
        Err(error) => return refused(request, &Fault::from(crate::error::ServiceError::from(error))),
    }
    let answered = next.call(request).await;
    let response = match answered {
        Ok(response) => response,
        Err(error) => {
            forget(&idempotency, name).await;
            return Err(error);
        }
    };
    let status = response.status();
    let (request, response) = response.into_parts();
    let (response, content) = response.into_parts();
    let content = match body::to_bytes(content).await {
        Ok(content) => content,
        Err(error) => {
            forget(&idempotency, name).await;
            return Err(actix_web::error::ErrorInternalServerError(error.into()));
        }
    };
    if is_final(status) {
        let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let kept = Kept {
            status: i32::from(status.as_u16()),
            content_type: header(CONTENT_TYPE),
            etag: header(ETAG),
            location: header(LOCATION),
            body: content.to_vec(),
        };
        let written = idempotency.store.write(move |db| idempotency::finish(db, &name, &kept)).await;
        if let Err(error) = written {
            log::error!("an answer cannot be remembered: {error}");
        }
    } else {
        forget(&idempotency, name).await;
    }
    let response = response.set_body(content).map_into_boxed_body();
    Ok(ServiceResponse::new(request, response).map_into_right_body())
}

/// Whether it would be the same another time: not where the server was in trouble, or the caller was not let in.
fn is_final(status: StatusCode) -> bool {
    !status.is_server_error()
        && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS)
}

async fn forget(idempotency: &Idempotency, name: String) {
    let forgotten = idempotency.store.write(move |db| idempotency::forget(db, &name)).await;
    if let Err(error) = forgotten {
        log::error!("a request that was not answered cannot be forgotten: {error}");
    }
}

/// The first answer.
fn again(kept: Kept) -> HttpResponse {
    let status = u16::try_from(kept.status).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let mut response = HttpResponse::build(status.unwrap_or(StatusCode::OK));
    response.insert_header((REPLAYED, "true"));
    for (name, value) in [(CONTENT_TYPE, kept.content_type), (ETAG, kept.etag), (LOCATION, kept.location)] {
        if let Some(value) = value {
            response.insert_header((name, value));
        }
    }
    response.body(kept.body)
}
