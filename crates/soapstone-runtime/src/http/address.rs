//! The address by which a caller reached us, which is the one that a contract must name to him.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// Proxies whose `X-Forwarded-*` and `Forwarded` headers are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpAddr>);

impl TrustedProxies {
    /// The address of the client: that of the connection, or the last one in `X-Forwarded-For` that is not a trusted proxy itself.
    pub fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let mut client = peer?;
        let forwarded = headers.get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        for hop in hops.into_iter().rev() {
            if !self.0.contains(&client) {
                break;
            }
            let address = hop.parse().or_else(|_| hop.parse().map(|address: SocketAddr| address.ip()));
            let Ok(address) = address.or_else(|_| hop.trim_matches(['[', ']']).parse()) else { break };
            client = address;
        }
        Some(client)
    }
}

/// The address of the client of a request, behind the trusted proxies that the application has as its data.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|address| address.ip());
    match request.app_data::<TrustedProxies>() {
        Some(trusted) => trusted.client(peer, request.headers()),
        None => peer,
    }
}

/// Returns true if a request came by TLS, to this server or to a trusted proxy before it.
pub fn is_secure(request: &HttpRequest) -> bool {
    let none = TrustedProxies::default();
    BaseAddress::of(request, request.app_data::<TrustedProxies>().unwrap_or(&none)).0.starts_with("https://")
}

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

    #[test]
    fn the_client_is_the_last_one_before_trusted_proxies() {
        let trusted = TrustedProxies(vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()]);
        let client = |peer: [u8; 4], forwarded: &[&str]| {
            let mut request = TestRequest::default().peer_addr((peer, 9).into());
            for value in forwarded {
                request = request.append_header(("x-forwarded-for", *value));
            }
            let request = request.to_http_request();
            let peer = request.peer_addr().map(|address| address.ip());
            trusted.client(peer, request.headers()).unwrap().to_string()
        };
        assert_eq!(client([10, 0, 0, 1], &["6.6.6.6, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(client([10, 0, 0, 1], &["6.6.6.6, 1.2.3.4", "10.0.0.2"]), "1.2.3.4");
        assert_eq!(client([10, 0, 0, 1], &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client([10, 0, 0, 1], &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(client([10, 0, 0, 1], &["unknown"]), "10.0.0.1");
        assert_eq!(client([10, 0, 0, 1], &[]), "10.0.0.1");
        // Anyone can write the header.
        assert_eq!(client([9, 9, 9, 9], &["1.2.3.4"]), "9.9.9.9");
    }
}
