//! Normalization of request paths before routing (RFC 3986, section 6.2.2), so that the router, the authorization and the
//! handlers all decide on the same path.

use super::problem;
use actix_web::Error;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use soapstone_runtime::soap::Fault;
use std::borrow::Cow;
use std::fmt;

/// The reason why a path is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It does not start with a slash.
    NotAbsolute,
    /// A `%` without two hexadecimal digits.
    Escape,
    /// A control character, a backslash, or a byte outside ASCII that is not escaped.
    Character,
    /// The escaped bytes are not UTF-8.
    Encoding,
    /// A segment `.` or `..`.
    DotSegment,
    /// Two slashes in a row.
    EmptySegment,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "it does not start with a slash",
            Self::Escape => "a percent sign is not followed by two hexadecimal digits",
            Self::Character => "it contains a control character, a backslash, or a character that must be escaped",
            Self::Encoding => "its escapes are not UTF-8",
            Self::DotSegment => "it contains a segment \".\" or \"..\"",
            Self::EmptySegment => "it contains two slashes in a row",
        })
    }
}

/// Normalizes a path: escapes of unreserved characters (letters, digits, `-`, `.`, `_`, `~`) are decoded, the other escapes are
/// written in capital letters. An escaped slash, backslash or percent sign stays escaped: it is part of a value, never of the
/// path's structure.
///
/// # Errors
/// Returns the reason if the path is malformed or would mean another path after a second normalization.
pub fn normalize(path: &str) -> Result<Cow<'_, str>, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let is_forbidden = |byte: u8| byte.is_ascii_control() || byte == b'\\' || byte == b' ' || !byte.is_ascii();
    if path.bytes().any(is_forbidden) {
        return Err(PathError::Character);
    }
    let normalized = if path.contains('%') { Cow::Owned(decode_unreserved(path)?) } else { Cow::Borrowed(path) };
    // The first segment is before the leading slash, an empty last one is a trailing slash.
    let mut segments = normalized.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment == "." || segment == ".." {
            return Err(PathError::DotSegment);
        }
        if segment.is_empty() && segments.peek().is_some() {
            return Err(PathError::EmptySegment);
        }
    }
    Ok(normalized)
}

fn decode_unreserved(path: &str) -> Result<String, PathError> {
    let mut normalized = String::with_capacity(path.len());
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            normalized.push(char::from(byte));
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(PathError::Escape) };
        let byte = u8::try_from(high * 16 + low).map_err(|_| PathError::Escape)?;
        if byte.is_ascii_control() {
            return Err(PathError::Character);
        }
        decoded.push(byte);
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normalized.push(char::from(byte));
        } else {
            normalized.push_str(&format!("%{byte:02X}"));
        }
    }
    if std::str::from_utf8(&decoded).is_err() {
        return Err(PathError::Encoding);
    }
    Ok(normalized)
}

/// Whether a normalized path contains an escape that some programs decode to structure: a slash, a backslash or a percent
/// sign. Only the keys of the REST facade may have them.
pub(super) fn has_structural_escape(path: &str) -> bool {
    ["%2F", "%5C", "%25"].iter().any(|escape| path.contains(escape))
}

/// Middleware that normalizes the path, and rejects a malformed one with 400.
///
/// # Errors
/// Forwards the errors of the services behind it.
pub(super) async fn normalize_path<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let normalized = normalize(request.uri().path())
        .map(|path| if let Cow::Owned(path) = path { Some(path) } else { None })
        .map(|path| path.filter(|path| path != request.uri().path()));
    match normalized {
        Ok(None) => {}
        Ok(Some(path)) => {
            let Some(uri) = with_path(request.uri(), &path) else {
                return Ok(reject(request, PathError::Character));
            };
            request.match_info_mut().get_mut().update(&uri);
            request.head_mut().uri = uri;
        }
        Err(reason) => return Ok(reject(request, reason)),
    }
    Ok(next.call(request).await?.map_into_left_body())
}

fn reject<B>(request: ServiceRequest, reason: PathError) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let fault = Fault::sender("http.path", 400, format!("The path of the request is malformed: {reason}"));
    request.into_response(problem(&fault)).map_into_right_body()
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_normalized_or_rejected() {
        for (path, expected) in [
            ("/", Ok("/")),
            ("/navigator/", Ok("/navigator/")),
            ("/%6eavigator/%61ccess", Ok("/navigator/access")),
            ("/api/v1/articles/A%2f1", Ok("/api/v1/articles/A%2F1")),
            ("/api/v1/articles/100%25", Ok("/api/v1/articles/100%25")),
            ("/api/v1/articles/%c3%a4", Ok("/api/v1/articles/%C3%A4")),
            ("/api/v1/articles/a%2eb", Ok("/api/v1/articles/a.b")),
            ("/soap/%2e%2e/navigator", Err(PathError::DotSegment)),
            ("/soap/../navigator", Err(PathError::DotSegment)),
            ("/./navigator", Err(PathError::DotSegment)),
            ("//navigator", Err(PathError::EmptySegment)),
            ("/navigator//access", Err(PathError::EmptySegment)),
            ("/navigator\\access", Err(PathError::Character)),
            ("/navigator%00", Err(PathError::Character)),
            ("/a%0d%0a", Err(PathError::Character)),
            ("/a%", Err(PathError::Escape)),
            ("/a%4", Err(PathError::Escape)),
            ("/a%zz", Err(PathError::Escape)),
            ("/a%ff", Err(PathError::Encoding)),
            ("/%c0%ae", Err(PathError::Encoding)),
            ("*", Err(PathError::NotAbsolute)),
            ("", Err(PathError::NotAbsolute)),
        ] {
            assert_eq!(normalize(path).as_deref(), expected.as_ref().map(|path| *path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_normalized_path_stays_as_it_is(path in "/[a-z%2e5cfF/.A~;]{0,12}") {
            if let Ok(once) = normalize(&path) {
                let again = normalize(&once);
                prop_assert_eq!(again.as_deref(), Ok(&*once));
            }
        }
    }
}
