//! HEAD wherever there is GET.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

/// Left in the extensions of a request whose method was HEAD, for handlers whose body would not end by itself.
#[derive(Clone, Copy, Debug)]
pub struct IsHead;

/// Middleware for every server: HEAD is answered as GET is (RFC 9110, section 9.3.2). That the body stays away is seen to
/// where the answer is written, by what was asked.
///
/// # Errors
/// Those of what comes after.
pub async fn head_as_get<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(IsHead);
    }
    next.call(request).await
}
