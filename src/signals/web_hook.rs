//! Web hooks: a POST of JSON, signed as Standard Webhooks has it.

use super::{failed, log_reply, of_status};
use crate::domain::Secret;
use crate::domain::signals::{Sending, signature};
use crate::store::signals::{Heard, Taken};
use chrono::Utc;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Response};
use soapstone_runtime::json;
use soapstone_runtime::outbound::{Denied, Endpoint};
use std::collections::HashMap;
use std::sync::Arc;

/// How much of an answer that is no success is read.
const TEXT: usize = 200;

/// Hosts to which connections are kept.
const MAX_HOSTS: usize = 256;

/// Clients for web hooks, one for each host: it connects only to addresses that may be called.
pub struct Hooks {
    sending: Sending,
    authority: Option<Certificate>,
    /// By scheme, host and port.
    clients: HashMap<String, Client>,
}

/// The part of an address that connections depend on.
fn origin(endpoint: &Endpoint) -> String {
    endpoint.url.origin().ascii_serialization()
}

impl Hooks {
    /// # Errors
    /// Returns a message if the authority of the settings cannot be read.
    pub fn new(sending: &Sending) -> Result<Self, String> {
        let authority = sending.authority.as_ref().map(|pem| Certificate::from_pem(pem)).transpose();
        let authority = authority.map_err(|e| format!("signal-authority: {e}"))?;
        Ok(Self { sending: sending.clone(), authority, clients: HashMap::new() })
    }

    /// Makes a client for an address, if there is none and it may be called.
    pub fn prepare(&mut self, url: &str) {
        let Ok(endpoint) = self.sending.outbound.endpoint(url) else { return };
        let origin = origin(&endpoint);
        if self.clients.contains_key(&origin) {
            return;
        }
        if self.clients.len() >= MAX_HOSTS {
            self.clients.clear();
        }
        match self.client(&endpoint) {
            Ok(client) => drop(self.clients.insert(origin, client)),
            Err(error) => log::error!("Failed to set up TLS for {origin}: {error}"),
        }
    }

    /// Proxies and redirects would send messages where nobody wanted them.
    fn client(&self, endpoint: &Endpoint) -> reqwest::Result<Client> {
        let mut builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(self.sending.timeout)
            .dns_resolver(Arc::new(endpoint.guard()));
        if let Some(authority) = &self.authority {
            builder = builder.add_root_certificate(authority.clone());
        }
        builder.build()
    }

    /// The client for an address that was prepared, and the address.
    ///
    /// # Errors
    /// Returns why the address is not called.
    pub fn get(&self, url: &str) -> Result<(&Client, Endpoint), String> {
        let endpoint = self.sending.outbound.endpoint(url).map_err(|denied| denied.to_string())?;
        let client = self.clients.get(&origin(&endpoint));
        client.map(|client| (client, endpoint)).ok_or_else(|| "TLS cannot be set up; the log has the reason".to_owned())
    }
}

/// Tells a web hook.
pub(super) async fn tell(hooks: &Hooks, taken: &Taken) -> Heard {
    let target = &taken.target;
    let (client, endpoint) = match hooks.get(&target.url) {
        Ok(found) => found,
        Err(why) => return failed(&why),
    };
    let body = json::to_string(&taken.what.to_contract(taken.id));
    let (id, seconds) = (taken.id.to_string(), Utc::now().timestamp());
    let mut request = client
        .post(endpoint.url)
        .header(CONTENT_TYPE, "application/json")
        .header("user-agent", concat!("Soapstone/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds);
    let secret = target.secret.as_ref().and_then(Secret::plain);
    if let Some(signature) = secret.and_then(|secret| signature(secret, &id, seconds, &body)) {
        request = request.header("webhook-signature", signature);
    }
    if let Some(user) = &target.user {
        request = request.basic_auth(user, target.password.as_ref().and_then(Secret::plain));
    }
    match request.body(body).send().await {
        Ok(response) if response.status().is_success() => {
            Heard::Accepted { status: Some(response.status().as_u16().into()) }
        }
        Ok(response) => {
            let status = response.status().as_u16();
            log_reply(taken, &beginning(response).await);
            of_status(status)
        }
        Err(error) => failed(&delivery_error(&error)),
    }
}

/// The beginning of an answer.
async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < TEXT
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text of others in one line that is not too long, and without characters that move a cursor.
pub fn excerpt(text: &str) -> String {
    let text: String = text.chars().take(TEXT).collect();
    let words: Vec<String> = text.split_whitespace().map(|word| word.escape_debug().to_string()).collect();
    words.join(" ")
}

/// Why there was no answer, in our own words and those of the system.
pub fn delivery_error(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut why = "no answer".to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(denied) = cause.downcast_ref::<Denied>() {
            return denied.to_string();
        }
        why = format!("no answer: {cause}");
        source = cause.source();
    }
    why
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_reply_is_one_short_line_in_the_log() {
        assert_eq!(super::excerpt("a\r\nb \u{1b}[2Jc"), "a b \\u{1b}[2Jc");
        assert_eq!(super::excerpt(&"x".repeat(1000)).len(), 200);
    }
}
