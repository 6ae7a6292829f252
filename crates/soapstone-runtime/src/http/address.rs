//! The address by which a caller reached us, which is the one that a contract must name to him.

use actix_web::HttpRequest;
use std::net::IpAddr;

/// Proxies whose `X-Forwarded-*` and `Forwarded` headers are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpAddr>);

/// Scheme and host, such as `https://erp.example:8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseAddress(pub String);

impl BaseAddress {
    /// From the request's `Host`, or what a trusted proxy says it was.
    pub fn of(request: &HttpRequest, trusted: &TrustedProxies) -> Self {
        let proxied = request.peer_addr().is_some_and(|peer| trusted.0.contains(&peer.ip()));
        let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
        let first = |value: &str| value.split(',').next().unwrap_or("").trim().to_owned();
        let (mut scheme, mut host) = {
            let tls = request.app_config().secure();
            let host = header("host").map_or_else(|| request.app_config().host().to_owned(), str::to_owned);
            (if tls { "https" } else { "http" }.to_owned(), host)
        };
        if proxied {
            if let Some(forwarded) = header("x-forwarded-proto").map(first).filter(|p| p == "https" || p == "http") {
                scheme = forwarded;
            }
            if let Some(forwarded) = header("x-forwarded-host").map(first) {
                host = forwarded;
            }
        }
        if !is_host(&host) {
            request.app_config().host().clone_into(&mut host);
        }
        Self(format!("{scheme}://{host}"))
    }
}

/// Whether a text can be a host with a port: what a caller sends ends up in a document.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn forwarded_headers_count_only_from_trusted_proxies() {
        let request = TestRequest::default()
            .peer_addr(([127, 0, 0, 1], 9).into())
            .insert_header(("host", "inside:80"))
            .insert_header(("x-forwarded-host", "shop.example"))
            .insert_header(("x-forwarded-proto", "https"))
            .to_http_request();
        assert_eq!(BaseAddress::of(&request, &TrustedProxies::default()).0, "http://inside:80");
        let trusted = TrustedProxies(vec![[127, 0, 0, 1].into()]);
        assert_eq!(BaseAddress::of(&request, &trusted).0, "https://shop.example");
    }
}
