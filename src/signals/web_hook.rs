//! Web hooks: a POST of JSON, signed as Standard Webhooks has it.

use super::of_status;
use crate::domain::signals::{Sending, signature};
use crate::store::signals::{Heard, Taken};
use chrono::Utc;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Response};
use soapstone_runtime::json;

/// How much of an answer that is no success is kept.
const TEXT: usize = 200;

/// Connections to all web hooks. Proxies and redirects would send signals where nobody wanted them.
///
/// # Errors
/// If TLS cannot be set up.
pub fn connections(sending: &Sending) -> Result<Client, String> {
    let builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(sending.timeout);
    let builder = match &sending.authority {
        None => builder,
        Some(pem) => {
            let authority = Certificate::from_pem(pem).map_err(|e| format!("signal-authority: {e}"))?;
            builder.add_root_certificate(authority)
        }
    };
    builder.build().map_err(|e| format!("TLS cannot be set up: {e}"))
}

/// Tells a web hook.
pub(super) async fn tell(http: &Client, taken: &Taken) -> Heard {
    let target = &taken.target;
    let body = json::to_string(&taken.what.to_contract(taken.id));
    let (id, seconds) = (taken.id.to_string(), Utc::now().timestamp());
    let mut request = http
        .post(&target.url)
        .header(CONTENT_TYPE, "application/json")
        .header("user-agent", concat!("Soapstone/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds);
    if let Some(signature) = target.secret.as_ref().and_then(|secret| signature(secret, &id, seconds, &body)) {
        request = request.header("webhook-signature", signature);
    }
    if let Some(user) = &target.user {
        request = request.basic_auth(user, target.password.as_ref());
    }
    match request.body(body).send().await {
        Ok(response) if response.status().is_success() => {
            Heard::Accepted { status: Some(response.status().as_u16().into()) }
        }
        Ok(response) => {
            let status = response.status().as_u16();
            of_status(status, &beginning(response).await)
        }
        Err(error) => Heard::Failed { status: None, why: why(&error), unwell: true },
    }
}

/// The beginning of an answer, in one line.
async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < TEXT
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    let text: String = String::from_utf8_lossy(&bytes).chars().take(TEXT).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut why = "no answer".to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        why = format!("no answer: {cause}");
        source = cause.source();
    }
    why
}
