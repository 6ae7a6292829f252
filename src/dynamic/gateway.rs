//! `soapstone contract gateway`: a REST/JSON face for a SOAP service somewhere else.

use super::mock::fault;
use super::service::{Handler, Request};
use futures_util::future::BoxFuture;
use soapstone_runtime::Payload;
use soapstone_runtime::client::{CallError, Client, Outgoing};
use soapstone_runtime::service::ServiceInfo;
use soapstone_runtime::soap::{Fault, Limits};
use std::time::Instant;

/// Passes requests on: those of each portType to where it is served.
pub struct Gateway {
    /// By namespace and name of the portType.
    clients: Vec<((&'static str, &'static str), Client)>,
}

impl Gateway {
    /// A gateway of the services of a contract, each with the client to call it with.
    pub fn new(clients: impl IntoIterator<Item = (&'static ServiceInfo, Client)>) -> Self {
        let named = clients.into_iter().map(|(info, client)| ((info.namespace, info.name), client));
        Self { clients: named.collect() }
    }
}

impl Handler for Gateway {
    fn answer(&self, request: Request) -> BoxFuture<'static, Result<String, Fault>> {
        let name = (request.service.namespace, request.service.name);
        let client = self.clients.iter().find(|(known, _)| *known == name).map(|(_, client)| client.clone());
        Box::pin(async move {
            let Some(client) = client else {
                return Err(Fault::receiver("upstream.unreachable", 502, "No server is known for this service"));
            };
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
        CallError::Denied(denied) => {
            log::warn!("{denied}; {}", denied.help());
            Fault::receiver("upstream.unreachable", 502, "The server behind this one must not be called")
        }
        CallError::Setup(why) => Fault::receiver("server.internal", 500, why),
    };
    let outgoing = Outgoing {
        headers: request.headers.clone(),
        body: request.body.clone(),
        attachments: request.context.attachments().iter().filter(|a| !a.part.is_empty()).cloned().collect(),
        ..Outgoing::default()
    };
    let answer = client.exchange(&operation.soap_action, outgoing).await.map_err(failed)?;
    let Some(output) = operation.output else { return Ok(String::new()) };
    let envelope = answer.envelope(&Limits::default()).map_err(failed)?;
    let parts: Vec<&'static str> = operation.reply_attachments.iter().map(|(part, _)| *part).collect();
    let attachments = answer.assigned(&parts).map_err(failed)?;
    for attachment in attachments.iter().filter(|a| !a.part.is_empty()) {
        request.context.attach(&attachment.part, &attachment.media_type, attachment.content.clone());
    }
    let wrong = |error| failed(CallError::Answer(error));
    for block in &envelope.headers.0 {
        if let Some(block) = operation.reply_block(block, request.context.channel).map_err(wrong)? {
            request.context.reply_block(block);
        }
    }
    let payload = if output.encoded { envelope.decoded_payload() } else { Ok(envelope.payload()) };
    let answer = payload.and_then(|payload| match payload {
        Payload::Xml { text, scope, .. } => operation.answer_of(&text, scope, attachments),
        Payload::Json(_) | Payload::Query(_) => Ok(String::new()),
    });
    answer.map_err(wrong)
}
