//! Notices by web hook: a POST of JSON, signed as signals are.

use crate::domain::signals::{Sending, signature};
use crate::reporting::Summary;
use crate::signals::{Hooks, delivery_error};
use crate::store::notices::Notice;
use chrono::Utc;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use soapstone_runtime::json::to_string;

/// What is sent: the run and its summary, as REST has them.
fn body(notice: &Notice, summary: &Summary) -> String {
    let parsed = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
    let told = json!({
        "event": format!("run.{}", notice.event),
        "run": parsed(to_string(&summary.report.to_contract())),
        "summary": parsed(to_string(&summary.to_contract())),
    });
    told.to_string()
}

/// Tells a web hook.
///
/// # Errors
/// Why it did not take it.
pub(super) fn tell(
    url: &str,
    secret: Option<&str>,
    sending: &Sending,
    notice: &Notice,
    summary: &Summary,
) -> Result<(), String> {
    let body = body(notice, summary);
    // The same each time it is told: who hears it twice can tell.
    let id = format!("run-{}-{}-{}", notice.report.run.id, notice.event, notice.rule);
    let seconds = Utc::now().timestamp();
    let mut hooks = Hooks::new(sending)?;
    hooks.prepare(url);
    let (client, endpoint) = hooks.get(url)?;
    let mut request = client
        .post(endpoint.url)
        .header(CONTENT_TYPE, "application/json")
        .header("user-agent", concat!("Soapstone/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds);
    if let Some(signature) = secret.and_then(|secret| signature(secret, &id, seconds, &body)) {
        request = request.header("webhook-signature", signature);
    }
    let sent = actix_web::rt::System::new().block_on(async { request.body(body).send().await });
    match sent {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("HTTP status {}", response.status().as_u16())),
        Err(error) => Err(delivery_error(&error)),
    }
}
