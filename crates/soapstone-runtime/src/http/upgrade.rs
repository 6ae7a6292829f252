//! Callers that offer to change the protocol, as Java's HTTP client does for HTTP/2 with every request.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::UPGRADE;
use actix_web::middleware::Next;

/// Middleware for every server: an offer of another protocol is not taken (RFC 9110, section 7.8), and the caller is told
/// that the connection ends. actix-web ends it in any case, but says nothing of it, so that Java sends its next request
/// where nobody listens any more.
///
/// # Errors
/// Those of what comes after.
pub async fn without_upgrade<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let offers = request.headers().contains_key(UPGRADE);
    let mut response = next.call(request).await?;
    if offers {
        response.response_mut().head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    Ok(response)
}
