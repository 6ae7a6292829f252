//! Keys of requests: what `Idempotency-Key` says over REST, `wsa:MessageID` over SOAP, and the faults of both.

use crate::idempotency::{Fingerprint, KeyedRequest, Rejection};
use crate::service::{Context, OperationInfo, Route};
use crate::soap::{Addressing, Fault, HeaderContent, Headers};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

/// The header that identifies a request (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Marks an answer that was given before.
const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";

/// The maximum length of a key, in bytes.
const MAX_KEY_LEN: usize = 255;

/// The key of a request; None: it has none, or its method is safe, so that there is nothing to execute once.
///
/// # Errors
/// Returns the fault `http.idempotency_key` for a key that is none, or more than one.
pub(super) fn key(request: &HttpRequest) -> Result<Option<String>, Fault> {
    if request.method().is_safe() {
        return Ok(None);
    }
    let mut keys = request.headers().get_all(IDEMPOTENCY_KEY);
    let Some(key) = keys.next() else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MAX_KEY_LEN && keys.next().is_none());
    let invalid = || {
        let message = format!("The Idempotency-Key must be one header of 1 to {MAX_KEY_LEN} ASCII characters");
        Fault::sender("http.idempotency_key", 400, message)
    };
    key.map(|key| Some(key.to_owned())).ok_or_else(invalid)
}

/// Marks an answer as one that was given before.
pub(super) fn mark(response: &mut HttpResponse) {
    response.headers_mut().insert(HeaderName::from_static(IDEMPOTENCY_REPLAYED), HeaderValue::from_static("true"));
}

/// Whether a request has a key, valid or not.
pub fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(IDEMPOTENCY_KEY)
}

fn request(
    (service, operation): (&'static str, &'static OperationInfo),
    context: &Context,
    key: String,
    fingerprint: Fingerprint,
) -> KeyedRequest {
    KeyedRequest {
        channel: context.channel,
        caller: context.caller.as_ref().map(|caller| caller.0.name().to_owned()).unwrap_or_default(),
        service,
        operation: operation.name,
        key,
        batch: None,
        fingerprint: fingerprint.finish(),
        request_id: context.request_id.clone(),
    }
}

/// A request of the REST facade, by the members of its path, query and body.
pub(super) fn rest(
    called: (&'static str, &'static OperationInfo),
    route: &Route,
    context: &Context,
    key: String,
    (members, headers): (&Value, &Headers),
) -> KeyedRequest {
    let mut fingerprint = Fingerprint::default();
    fingerprint.add(route.verb.as_bytes());
    fingerprint.add(route.location.as_bytes());
    fingerprint.add_json(members);
    add_headers(&mut fingerprint, headers, called.1);
    request(called, context, key, fingerprint)
}

/// A SOAP message; None: it has no ID.
///
/// # Errors
/// Returns the fault `server.internal` if an attachment cannot be read.
pub(super) fn message(
    called: (&'static str, &'static OperationInfo),
    context: &Context,
    addressing: Option<&Addressing>,
    add: impl FnOnce(&mut Fingerprint) -> std::io::Result<()>,
) -> Result<Option<KeyedRequest>, Box<Fault>> {
    let Some(id) = addressing.and_then(|addressing| addressing.message_id.clone()) else { return Ok(None) };
    let mut fingerprint = Fingerprint::default();
    fingerprint.add(called.1.name.as_bytes());
    add_headers(&mut fingerprint, context.headers(), called.1);
    add(&mut fingerprint).map_err(|error| {
        log::error!(request_id = context.request_id.as_str(); "Failed to read an attachment: {error}");
        Box::new(Fault::receiver("server.internal", 500, "An attachment cannot be read"))
    })?;
    Ok(Some(request(called, context, id, fingerprint)))
}

/// Adds the header blocks that the contract declares: they are a part of what is asked for.
fn add_headers(fingerprint: &mut Fingerprint, headers: &Headers, operation: &OperationInfo) {
    for field in operation.headers {
        match headers.find(field.namespace, field.local).map(|block| &block.content) {
            None => fingerprint.add(b""),
            Some(HeaderContent::Xml { text, .. }) => fingerprint.add(text.as_bytes()),
            Some(HeaderContent::Json(value)) => fingerprint.add_json(value),
        }
    }
}

/// The fault for a request of the REST facade that was not executed.
pub(super) fn rest_fault(rejection: Rejection) -> Fault {
    match rejection {
        Rejection::InProgress => {
            let message = "A request with this Idempotency-Key is in progress; send it again when it is done";
            Fault::sender("http.idempotency_in_progress", 409, message)
        }
        Rejection::Reused => {
            let message = "The Idempotency-Key was used by a request with another content; give each request its own";
            Fault::sender("http.idempotency_reused", 422, message)
        }
        Rejection::Failed(fault) => *fault,
    }
}

/// The fault for a message that was not executed.
pub(super) fn message_fault(rejection: Rejection) -> Fault {
    match rejection {
        Rejection::InProgress => {
            let message = "A message with this wsa:MessageID is in progress; send it again when it is done";
            Fault::receiver("soap.message_in_progress", 409, message)
        }
        Rejection::Reused => Addressing::duplicate_message_id(),
        Rejection::Failed(fault) => *fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(method: actix_web::http::Method, keys: &[&str]) -> Result<Option<String>, Fault> {
        let request = keys
            .iter()
            .fold(TestRequest::default().method(method), |request, key| request.append_header((IDEMPOTENCY_KEY, *key)));
        key(&request.to_http_request())
    }

    #[test]
    fn one_key_of_a_method_that_changes_something() {
        use actix_web::http::Method;
        assert_eq!(read(Method::POST, &["k"]).unwrap().as_deref(), Some("k"));
        assert_eq!(read(Method::DELETE, &["k"]).unwrap().as_deref(), Some("k"));
        assert_eq!(read(Method::POST, &[]).unwrap(), None);
        assert_eq!(read(Method::GET, &["k"]).unwrap(), None);
        for keys in [&["", "k"][..], &["k", "l"], &[""], &["ä"], &["k".repeat(256).as_str()]] {
            let fault = read(Method::POST, keys).unwrap_err();
            assert_eq!((fault.subcode.as_ref(), fault.status), ("http.idempotency_key", 400), "{keys:?}");
        }
    }
}
