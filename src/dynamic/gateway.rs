//! `soapstone contract gateway`: a REST/JSON face for a SOAP service somewhere else.

use super::mock::fault;
use super::service::{Handler, Request};
use futures_util::future::BoxFuture;
use soapstone_runtime::Payload;
use soapstone_runtime::client::{CallError, Client};
use soapstone_runtime::soap::Fault;
use std::time::Instant;

/// Passes requests on.
pub struct Gateway {
    client: Client,
}

impl Gateway {
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl Handler for Gateway {
    fn answer(&self, request: Request) -> BoxFuture<'static, Result<String, Fault>> {
        let client = self.client.clone();
        Box::pin(async move {
            let began = Instant::now();
            let outcome = pass_on(&client, &request).await;
            let milliseconds = began.elapsed().as_millis();
            let id = request.context.request_id.as_str();
            let name = &request.operation.name;
            match &outcome {
                Ok(_) => log::info!(request_id = id; "{name} answered after {milliseconds} ms"),
                Err(fault) => log::info!(request_id = id; "{name} failed after {milliseconds} ms: {}", fault.message),
            }
            outcome
        })
    }
}

async fn pass_on(client: &Client, request: &Request) -> Result<String, Fault> {
    let operation = request.operation;
    let failed = |error: CallError| match error {
        CallError::Fault(received) => fault(&received, operation),
        CallError::Answer(error) => Fault::receiver(
            "upstream.invalid",
            502,
            format!("The server's answer is not what its contract says: {error}"),
        ),
        CallError::Transport(why) => {
            log::warn!("{why}");
            Fault::receiver(
                "upstream.unreachable",
                502,
                "The server behind this one cannot be reached, or takes too long",
            )
        }
        CallError::Status { status, .. } => Fault::receiver(
            "upstream.status",
            502,
            format!("The server behind this one answers with HTTP status {status}"),
        ),
        CallError::Setup(why) => Fault::receiver("server.internal", 500, why),
    };
    let text = client.exchange(&operation.soap_action, &request.body).await.map_err(failed)?;
    let Some(output) = operation.output else { return Ok(String::new()) };
    let envelope = client.envelope(&text).map_err(failed)?;
    let payload = if output.encoded { envelope.decoded_payload() } else { Ok(envelope.payload()) };
    let answer = payload.and_then(|payload| match payload {
        Payload::Xml { text, scope, .. } => operation.answer_of(&text, scope),
        Payload::Json(_) | Payload::Query(_) => Ok(String::new()),
    });
    answer.map_err(|error| failed(CallError::Answer(error)))
}
