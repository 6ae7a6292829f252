//! Replies to another address (WS-Addressing): only to hosts that are listed, and to internal addresses only where the server may call them.

use crate::outbound::Outbound;
use crate::soap::Version;

/// Hosts that replies may be sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyHosts {
    /// Each as `host` or `host:port`.
    pub hosts: Vec<String>,
    pub outbound: Outbound,
}

impl ReplyHosts {
    /// Whether a reply may go to that address.
    pub fn allow(&self, address: &str) -> bool {
        if self.hosts.is_empty() || !cfg!(feature = "client") {
            return false;
        }
        let endpoint = match self.outbound.endpoint(address) {
            Ok(endpoint) => endpoint,
            Err(denied) => {
                log::warn!("Denied a reply to another address: {denied}; {}", denied.help());
                return false;
            }
        };
        let (Some(host), Some(port)) = (endpoint.url.host_str(), endpoint.url.port_or_known_default()) else {
            return false;
        };
        let with_port = format!("{host}:{port}");
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host) || known.eq_ignore_ascii_case(&with_port))
    }
}

/// A reply on its way elsewhere.
pub(super) struct Delivery {
    pub address: String,
    pub version: Version,
    pub action: String,
    pub envelope: String,
    pub request_id: String,
    #[cfg_attr(not(feature = "client"), expect(dead_code))]
    pub outbound: Outbound,
}

impl Delivery {
    /// Sends it, on its own.
    #[cfg(feature = "client")]
    pub fn start(self) {
        use crate::client::Client;
        /// How often it is tried again.
        const RETRIES: u32 = 4;
        actix_web::rt::spawn(async move {
            let id = self.request_id.as_str();
            let outcome = match Client::guarded(&self.address, &self.outbound) {
                Ok(client) => client.version(self.version).retries(RETRIES).deliver(&self.action, &self.envelope).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => log::info!(request_id = id; "the reply was sent to {}", self.address),
                Err(error) => log::error!(request_id = id; "the reply cannot be sent to {}: {error}", self.address),
            }
        });
    }

    /// Without a client no host is allowed, so that nothing comes here.
    #[cfg(not(feature = "client"))]
    pub fn start(self) {
        let Self { address, version, action, envelope, request_id, .. } = self;
        log::error!(
            request_id = request_id.as_str();
            "a reply of {} bytes ({version:?}, {action}) cannot be sent to {address}", envelope.len()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_that_are_named_are_sent_to() {
        let hosts = ReplyHosts {
            hosts: vec!["erp.example".to_owned(), "127.0.0.1:99".to_owned(), "10.0.0.1".to_owned()],
            outbound: "127.0.0.1".parse().unwrap(),
        };
        for address in ["http://erp.example/x", "https://ERP.example:8443/", "http://127.0.0.1:99/a?b"] {
            assert_eq!(hosts.allow(address), cfg!(feature = "client"), "{address}");
        }
        for address in [
            "http://127.0.0.1:98/",
            // Listed, but internal and not allowed.
            "http://10.0.0.1/",
            "http://erp.example\\@evil/",
            "http://erp.example.evil/",
            "http://erp.example@evil/",
            "ftp://erp.example/",
            "//erp.example/",
            "http://evil/erp.example",
            "",
        ] {
            assert!(!hosts.allow(address), "{address}");
        }
    }
}
