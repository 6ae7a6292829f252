//! HTTP Strict Transport Security (RFC 6797).

use crate::config::Config;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, STRICT_TRANSPORT_SECURITY};
use actix_web::middleware::Next;
use actix_web::web::Data;
use soapstone_runtime::http::is_secure;

/// Adds `Strict-Transport-Security` to answers over TLS, to this server or to a trusted proxy before it.
///
/// # Errors
/// Forwards the errors of the handler.
pub(super) async fn add_hsts(
    config: Data<Config>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_sent = config.hsts_seconds > 0 && is_secure(request.request());
    let mut response = next.call(request).await?;
    if is_sent && let Ok(value) = HeaderValue::try_from(format!("max-age={}", config.hsts_seconds)) {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, value);
    }
    Ok(response)
}
