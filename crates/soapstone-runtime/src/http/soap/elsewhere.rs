//! Replies that somebody wants sent to another address (WS-Addressing), to hosts that are allowed only: otherwise
//! anybody could have us call anybody.

use crate::soap::Version;
use actix_web::http::Uri;

/// Hosts that replies may be sent to, each as `host` or `host:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyHosts(pub Vec<String>);

impl ReplyHosts {
    /// Whether a reply may go to that address.
    pub fn allow(&self, address: &str) -> bool {
        let Ok(uri) = address.parse::<Uri>() else { return false };
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let Some(authority) = uri.authority().filter(|a| is_http && !a.as_str().contains('@')) else { return false };
        cfg!(feature = "client")
            && self.0.iter().any(|known| {
                known.eq_ignore_ascii_case(authority.as_str()) || known.eq_ignore_ascii_case(authority.host())
            })
    }
}

/// A reply on its way elsewhere.
pub(super) struct Delivery {
    pub address: String,
    pub version: Version,
    pub action: String,
    pub envelope: String,
    pub request_id: String,
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
            let outcome = match Client::new(&self.address) {
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
        let Self { address, version, action, envelope, request_id } = self;
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
        let hosts = ReplyHosts(vec!["erp.example".to_owned(), "127.0.0.1:99".to_owned()]);
        for address in ["http://erp.example/x", "https://ERP.example:8443/", "http://127.0.0.1:99/a?b"] {
            assert_eq!(hosts.allow(address), cfg!(feature = "client"), "{address}");
        }
        for address in [
            "http://127.0.0.1:98/",
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
