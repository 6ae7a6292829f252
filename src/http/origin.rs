//! Requests that a browser sends for a page of another site: rejected if they would change anything, and, as long as no one has to
//! authenticate, if the name in `Host` is not one of this server's (DNS rebinding).

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HOST, ORIGIN, REFERER};
use soapstone_runtime::http::{BaseAddress, TrustedProxies};
use soapstone_runtime::soap::Fault;
use std::net::IpAddr;

/// The names by which this server may be called, and the proxies that may say so.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    pub trusted: TrustedProxies,
    /// The setting `allowed-hosts`.
    pub allowed_hosts: Vec<String>,
    /// Whether the server listens on a loopback address only.
    pub is_loopback: bool,
}

impl Origins {
    /// Checks that no page of another site sends a request that has an effect: by Fetch Metadata, which all present browsers send, else
    /// by `Origin`, else by `Referer`. Programs send none of them.
    ///
    /// # Errors
    /// Returns the fault `access.cross_site`.
    pub fn check_site(&self, request: &ServiceRequest) -> Result<(), Fault> {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
        let is_own = match (header("sec-fetch-site"), header(ORIGIN.as_str()), header(REFERER.as_str())) {
            (Some(site), ..) => matches!(site, "same-origin" | "none"),
            (None, Some(origin), _) | (None, None, Some(origin)) => self.is_own_origin(request, origin),
            (None, None, None) => true,
        };
        if is_own {
            return Ok(());
        }
        let message = "A page of another site may not change anything here";
        Err(Fault::sender("access.cross_site", 403, message))
    }

    fn is_own_origin(&self, request: &ServiceRequest, origin: &str) -> bool {
        let Some((scheme, rest)) = origin.split_once("://") else { return false };
        let host = rest.split('/').next().unwrap_or_default();
        let base = BaseAddress::of(request.request(), &self.trusted).0;
        let own = base.split_once("://").map_or("", |(_, host)| host);
        let (host, own) = (without_default_port(host, scheme), without_default_port(own, scheme));
        host.eq_ignore_ascii_case(own) || self.is_allowed(host)
    }

    fn is_allowed(&self, host: &str) -> bool {
        let name = name_of(host);
        self.allowed_hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(name))
    }

    /// Checks that a request which no one has to authenticate names this server: a page whose name was made to resolve to this machine
    /// sends its own.
    ///
    /// # Errors
    /// Returns the fault `access.host`.
    pub fn check_host(&self, request: &ServiceRequest) -> Result<(), Fault> {
        let authority = request.uri().authority().map(|authority| authority.as_str());
        let hosts = request.headers().get_all(HOST).map(|value| value.to_str().unwrap_or_default());
        match authority.into_iter().chain(hosts).find(|host| !self.is_own_host(host)) {
            None => Ok(()),
            Some(host) => {
                let host: String = host.chars().filter(|c| !c.is_control()).take(100).collect();
                let message = format!(
                    "\"{host}\" is not a name of this server: as long as it has no users it answers to localhost only. \
                     Add a user (soapstone user add NAME --role admin), or set allowed-hosts={}",
                    name_of(&host)
                );
                Err(Fault::sender("access.host", 421, message))
            }
        }
    }

    fn is_own_host(&self, host: &str) -> bool {
        let name = name_of(host).trim_end_matches('.');
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            // An address cannot be made to resolve to another one.
            Ok(address) => address.is_loopback() || !self.is_loopback || self.is_allowed(host),
            Err(_) => {
                let name = name.to_ascii_lowercase();
                name == "localhost" || name.ends_with(".localhost") || self.is_allowed(host)
            }
        }
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

fn without_default_port<'a>(host: &'a str, scheme: &str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn origins(is_loopback: bool) -> Origins {
        Origins {
            trusted: TrustedProxies(vec![[127, 0, 0, 9].into()]),
            allowed_hosts: vec!["shop.example".to_owned()],
            is_loopback,
        }
    }

    fn request(headers: &[(&'static str, &'static str)], peer: [u8; 4]) -> ServiceRequest {
        let request = TestRequest::post().peer_addr((peer, 9).into());
        headers.iter().fold(request, |request, header| request.append_header(*header)).to_srv_request()
    }

    #[test]
    fn pages_of_other_sites_change_nothing() {
        for (headers, is_allowed) in [
            (&[("host", "a:1")][..], true),
            (&[("host", "a:1"), ("sec-fetch-site", "same-origin"), ("origin", "http://b")], true),
            (&[("host", "a:1"), ("sec-fetch-site", "none")], true),
            (&[("host", "a:1"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "a:1"), ("sec-fetch-site", "cross-site"), ("origin", "http://a:1")], false),
            (&[("host", "a:1"), ("origin", "http://a:1")], true),
            (&[("host", "A:80"), ("origin", "http://a")], true),
            (&[("host", "a"), ("origin", "https://a:443")], true),
            (&[("host", "a:1"), ("origin", "http://a:2")], false),
            (&[("host", "a:1"), ("origin", "null")], false),
            (&[("host", "a:1"), ("origin", "http://shop.example")], true),
            (&[("host", "a:1"), ("origin", "http://shop.example.evil")], false),
            (&[("host", "a:1"), ("referer", "http://b/page")], false),
            (&[("host", "a:1"), ("referer", "http://a:1/page")], true),
            (&[("host", "a:1"), ("x-forwarded-host", "b"), ("origin", "http://b")], false),
        ] {
            assert_eq!(origins(true).check_site(&request(headers, [127, 0, 0, 1])).is_ok(), is_allowed, "{headers:?}");
        }
        let proxied = request(&[("host", "a:1"), ("x-forwarded-host", "b"), ("origin", "http://b")], [127, 0, 0, 9]);
        assert!(origins(true).check_site(&proxied).is_ok());
    }

    #[test]
    fn a_name_that_resolves_here_is_not_enough() {
        for (host, on_loopback, elsewhere) in [
            ("localhost", true, true),
            ("LOCALHOST:8080", true, true),
            ("erp.localhost:8080", true, true),
            ("127.0.0.1:8080", true, true),
            ("127.3.2.1", true, true),
            ("[::1]:8080", true, true),
            ("10.0.0.5:8080", false, true),
            ("[2001:db8::1]", false, true),
            ("shop.example:8080", true, true),
            ("evil.example", false, false),
            ("localhost.evil.example", false, false),
            ("127.0.0.1.evil.example:8080", false, false),
            ("", false, false),
        ] {
            let request = request(&[("host", host)], [127, 0, 0, 1]);
            assert_eq!(origins(true).check_host(&request).is_ok(), on_loopback, "{host}");
            assert_eq!(origins(false).check_host(&request).is_ok(), elsewhere, "{host}");
        }
        let two = request(&[("host", "localhost"), ("host", "evil.example")], [127, 0, 0, 1]);
        assert!(origins(true).check_host(&two).is_err());
    }
}
