//! Which addresses this server may call. Targets of web hooks, notices and replies are given by callers or by files; an internal address
//! is denied unless the operator allows it. The address that was checked is the one that is connected to.

mod address;
mod allowed;
#[cfg(feature = "client")]
mod guard;

pub use allowed::Outbound;
#[cfg(feature = "client")]
pub use guard::Guard;

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;
use url::{Host, Url};

/// How long the check of a target waits for the resolver.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(3);

/// The setting that denials name.
const SETTING: &str = "outbound-allow";

/// Why an address is not called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The URL is not one that this server calls.
    Url(&'static str),
    /// The address is internal and not allowed.
    Internal { host: String, address: IpAddr, kind: &'static str },
}

impl fmt::Display for Denied {
    /// Says nothing of what a name resolves to: those who read it may not know the network.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => f.write_str(why),
            Self::Internal { host, kind, .. } => {
                write!(f, "{host} is an internal address ({kind}), which this server does not call")
            }
        }
    }
}

impl Denied {
    /// How to allow the call.
    pub fn help(&self) -> String {
        match self {
            Self::Url(_) => "give an address such as https://erp.example/hooks".to_owned(),
            Self::Internal { host, .. } => {
                format!("to allow it, an administrator adds {host} to the setting {SETTING}")
            }
        }
    }
}

impl std::error::Error for Denied {}

/// A URL that may be called, as far as can be told without resolving its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub url: Url,
    outbound: Outbound,
    /// The host and the port of the URL.
    host: String,
    port: u16,
    /// Whether the host has to be resolved, and its addresses checked.
    is_open: bool,
}

impl Outbound {
    /// Checks a URL without resolving its host: the scheme, user info, and addresses in any notation.
    ///
    /// # Errors
    /// Returns `Denied` if the URL cannot be called, or has an internal address as its host that is not allowed.
    pub fn endpoint(&self, url: &str) -> Result<Endpoint, Denied> {
        // Browsers drop such characters; a reader of the text would see another host.
        if url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(Denied::Url("the address has white space, control characters or backslashes"));
        }
        let url = Url::parse(url).map_err(|_| Denied::Url("the address is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Denied::Url("the address must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Denied::Url("the address must not contain user or password"));
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let (host, is_open) = match url.host() {
            None => return Err(Denied::Url("the address has no host")),
            Some(Host::Domain(name)) => (name.to_owned(), !self.allows_host(name, port)),
            Some(Host::Ipv4(address)) => (self.literal(address.into(), port)?, false),
            Some(Host::Ipv6(address)) => (self.literal(address.into(), port)?, false),
        };
        Ok(Endpoint { url, outbound: self.clone(), host, port, is_open })
    }

    fn literal(&self, address: IpAddr, port: u16) -> Result<String, Denied> {
        let host = address.to_string();
        self.check_address(&host, SocketAddr::new(address, port))?;
        Ok(host)
    }

    /// Checks a URL before it is stored: as [`Outbound::endpoint`], and by what its host resolves to now. A host that cannot be
    /// resolved passes; every call checks again.
    ///
    /// # Errors
    /// Returns `Denied` if the URL cannot be called or only leads to internal addresses.
    pub async fn check(&self, url: &str) -> Result<(), Denied> {
        let endpoint = self.endpoint(url)?;
        if !endpoint.is_open {
            return Ok(());
        }
        let resolved = endpoint.clone();
        let resolving = actix_web::rt::task::spawn_blocking(move || resolved.resolve());
        match actix_web::rt::time::timeout(RESOLVE_TIMEOUT, resolving).await {
            Ok(Ok(Ok(addresses))) => endpoint.permitted(addresses).map(drop),
            // Not resolved, or not in time.
            _ => Ok(()),
        }
    }
}

impl Endpoint {
    /// Resolves the host. Blocks.
    fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        // Not every resolver knows this one with a dot at its end.
        let host = self.host.as_str();
        let host = if host.trim_end_matches('.') == "localhost" { "localhost" } else { host };
        Ok((host, self.port).to_socket_addrs()?.collect())
    }

    /// The addresses that may be connected to.
    ///
    /// # Errors
    /// Returns `Denied` if none of them may.
    fn permitted(&self, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Denied> {
        if !self.is_open {
            return Ok(addresses);
        }
        let mut denied = None;
        let mut permitted = Vec::with_capacity(addresses.len());
        for address in addresses {
            match self.outbound.check_address(&self.host, SocketAddr::new(address.ip(), self.port)) {
                Ok(()) => permitted.push(address),
                Err(why) => denied = Some(why),
            }
        }
        match denied {
            Some(why) if permitted.is_empty() => Err(why),
            _ => Ok(permitted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound(text: &str) -> Outbound {
        text.parse().unwrap()
    }

    fn resolved(endpoint: &Endpoint, addresses: &[&str]) -> Result<usize, Denied> {
        let addresses = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
        endpoint.permitted(addresses).map(|permitted| permitted.len())
    }

    #[test]
    fn every_notation_of_an_internal_address_is_denied() {
        for url in [
            "http://127.0.0.1/",
            "http://127.0.0.1:8080/a?b#c",
            "https://127.1/",
            "http://127.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://127.0.0.1./",
            "http://0/",
            "http://0.0.0.0:80/",
            "HTTP://127.0.0.1/",
            "http:127.0.0.1/",
            "http:///127.0.0.1/",
            "http://%31%32%37.0.0.1/",
            "http://１２７.０.０.１/",
            "http://①②⑦.0.0.1/",
            "http://127。0。0。1/",
            "http://169.254.169.254/latest/meta-data",
            "http://[::1]/",
            "http://[::]/",
            "http://[0:0:0:0:0:0:0:1]:80/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://10.1.2.3/",
            "http://192.168.1.1/",
            "http://172.16.0.1/",
            "http://100.64.0.1/",
        ] {
            let denied = Outbound::default().endpoint(url).unwrap_err();
            assert!(matches!(denied, Denied::Internal { .. }), "{url}: {denied}");
            assert!(denied.help().contains("outbound-allow"), "{url}");
        }
    }

    #[test]
    fn a_url_that_hides_its_host_is_denied() {
        for url in [
            "",
            "erp.example",
            "//erp.example/",
            "http://",
            "ftp://erp.example/",
            "file:///etc/passwd",
            "gopher://erp.example/",
            "unix:/run/docker.sock",
            "javascript:alert(1)",
            "http://good@127.0.0.1/",
            "http://good:pass@erp.example/",
            "http://erp.example\\@127.0.0.1/",
            "http://erp.example/ HTTP/1.1",
            "http://erp.example/\r\nx: y",
            "http://ex\tample/",
            "http://[fe80::1%25eth0]/",
            "http://1.2.3.4.5/",
            "http://256.0.0.1/",
            "http://a:99999/",
        ] {
            assert!(matches!(Outbound::default().endpoint(url), Err(Denied::Url(_))), "{url}");
        }
    }

    #[test]
    fn public_addresses_and_names_pass() {
        for url in [
            "https://8.8.8.8/",
            "http://[2001:4860:4860::8888]:8443/x",
            "https://erp.example/",
            "http://xn--bcher-kva.example/",
        ] {
            assert!(Outbound::default().endpoint(url).is_ok(), "{url}");
        }
        assert_eq!(Outbound::default().endpoint("http://bücher.example/").unwrap().host, "xn--bcher-kva.example");
    }

    #[test]
    fn a_name_counts_by_what_it_resolves_to() {
        let endpoint = Outbound::default().endpoint("http://erp.example:8080/").unwrap();
        assert_eq!(resolved(&endpoint, &["8.8.8.8"]), Ok(1));
        assert_eq!(resolved(&endpoint, &["8.8.8.8", "127.0.0.1", "::1"]), Ok(1));
        assert!(resolved(&endpoint, &["127.0.0.1"]).is_err());
        assert!(resolved(&endpoint, &["::ffff:10.0.0.1"]).is_err());
        let named = outbound("erp.example:8080").endpoint("http://ERP.example:8080/").unwrap();
        assert_eq!(resolved(&named, &["127.0.0.1"]), Ok(1));
        let otherwise = outbound("erp.example:8080").endpoint("http://erp.example:8081/").unwrap();
        assert!(resolved(&otherwise, &["127.0.0.1"]).is_err());
        let network = outbound("10.0.0.0/8").endpoint("http://erp.example/").unwrap();
        assert_eq!(resolved(&network, &["10.9.9.9", "192.168.0.1"]), Ok(1));
        let port = outbound("10.0.0.5:443").endpoint("https://erp.example/").unwrap();
        assert_eq!(resolved(&port, &["10.0.0.5"]), Ok(1));
    }

    #[actix_web::test]
    async fn a_stored_target_is_checked_by_its_name() {
        let denied = Outbound::default().check("http://localhost:9/").await.unwrap_err();
        assert!(matches!(&denied, Denied::Internal { host, kind: "loopback", .. } if host == "localhost"), "{denied}");
        assert_eq!(outbound("localhost").check("http://localhost:9/").await, Ok(()));
        assert_eq!(outbound("127.0.0.0/8, ::1").check("http://localhost:9/").await, Ok(()));
        // Nobody can tell yet.
        assert_eq!(Outbound::default().check("http://nowhere.invalid/").await, Ok(()));
    }
}
