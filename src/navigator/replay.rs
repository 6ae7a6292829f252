//! A message that was kept, once more: its records as a dry run, or its request to call again by hand.

use super::contracts_page::{Contracts, operation_page};
use super::forms::Bare;
use super::visitor::Visitor;
use super::{broken, may_not, moved, not_found, not_ours, refused, unavailable};
use crate::config::Config;
use crate::exchange::{KINDS, Kind, Request};
use crate::http::auth::Access;
use crate::http::upload::Upload;
use crate::store::Store;
use crate::store::messages::{self, Message};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Form, Path};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;
use soapstone_contracts::exchange::{ImportMode, RunFormat};
use soapstone_runtime::soap::{Envelope, Fault, Limits};
use std::sync::Arc;

/// The kind of records that an operation takes.
pub(super) fn kind_of(operation: Option<&str>) -> Option<&'static Kind> {
    operation.and_then(|name| KINDS.iter().find(|kind| kind.request_name() == name))
}

/// The request as it stands in the body: the element, or the JSON. `most` is how many bytes of a message are kept.
///
/// # Errors
/// Why it is not there.
fn body(kept: &Message, most: usize) -> Result<String, String> {
    // What is hidden of it may be longer than what was sent, or shorter.
    let is_whole = kept.request.len() < most && kept.request_bytes <= i64::try_from(most).unwrap_or(i64::MAX);
    if !is_whole {
        return Err("Only the beginning of the request was kept".to_owned());
    }
    if kept.request_type.starts_with("application/json") {
        return Ok(kept.request.clone());
    }
    let wrong = |fault: (_, Fault)| format!("The request cannot be taken apart: {}", fault.1.message);
    let envelope = Envelope::parse(&kept.request, &Limits::default()).map_err(wrong)?;
    let (element, scope) = envelope.body();
    match Reader::from_str(element).read_event() {
        Ok(Event::Start(start) | Event::Empty(start)) => Ok(scope.standalone(element, &start)),
        _ => Err("The request has no element in its body".to_owned()),
    }
}

/// The records of a request, as a file of them.
fn records(kept: &Message, kind: &Kind, most: usize) -> Result<(RunFormat, String), String> {
    let body = body(kept, most)?;
    if !kept.request_type.starts_with("application/json") {
        return Ok((RunFormat::Xml, body));
    }
    let value: Value = serde_json::from_str(&body).map_err(|error| format!("The request is not JSON: {error}"))?;
    let lines = match &value[kind.element.local] {
        Value::Array(records) => records.iter().map(Value::to_string).collect(),
        Value::Null => vec![value.to_string()],
        record => vec![record.to_string()],
    };
    Ok((RunFormat::JsonLines, lines.join("\n") + "\n"))
}

async fn kept(store: &Store, visitor: Visitor, name: &str) -> Result<(i64, Message, Visitor), HttpResponse> {
    let wanted = name.to_owned();
    match store.read(move |db| messages::find(db, &wanted)).await {
        Ok(Some(kept)) => Ok((kept.id, kept.message, visitor)),
        Ok(None) => {
            let text = visitor.tell("No message {} is kept.", name);
            Err(not_found(visitor, text))
        }
        Err(error) => Err(unavailable(visitor, &error)),
    }
}

/// Begins a dry run of what a message brought.
pub(super) async fn dry_run(
    store: Data<Store>,
    config: Data<Config>,
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    name: Path<String>,
    shown: Form<Bare>,
) -> HttpResponse {
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    if !visitor.may("Exchange", "StartImport") {
        return may_not(visitor, "Exchange.StartImport");
    }
    let (id, kept, visitor) = match kept(&store, visitor, &name).await {
        Ok(kept) => kept,
        Err(response) => return response,
    };
    let found = match kind_of(kept.operation.as_deref()) {
        Some(kind) => records(&kept, kind, config.capture.bytes).map(|(format, text)| (kind, format, text)),
        None => Err("Only a message that brings records can be taken again as a dry run".to_owned()),
    };
    let (kind, format, text) = match found {
        Ok(found) => found,
        Err(why) => return refused(visitor, Fault::sender("message.not_replayable", 422, why)),
    };
    let spool = upload.service.exchange.spool.clone();
    let source = match web::block(move || spool.store(text.as_bytes())).await {
        Ok(Ok(source)) => source,
        Ok(Err(error)) => return broken(visitor, error),
        Err(error) => return broken(visitor, error),
    };
    let ending = if format == RunFormat::Xml { "xml" } else { "jsonl" };
    let request = Request {
        kind: kind.of,
        format,
        profile: None,
        source_name: format!("message-{id}.{ending}"),
        dry_run: true,
        mode: ImportMode::Partial,
        delete_at_most: None,
        retry_of: None,
        claim: None,
        priority: 0,
        all_or_nothing: false,
        initiator: visitor.initiator(),
    };
    let accepted = upload.service.accept(request, source).await;
    visitor.note(&access, format!("Exchange.StartImport message {id} as a dry run"), accepted.is_ok());
    match accepted {
        Ok(accepted) => moved(&format!("/navigator/runs/{}", accepted.report.run.id)),
        Err(error) => refused(visitor, error.into()),
    }
}

/// Shows the operation with the request in it, to call it again.
pub(super) async fn by_hand(
    store: Data<Store>,
    config: Data<Config>,
    contracts: Data<Contracts>,
    visitor: Visitor,
    name: Path<String>,
) -> HttpResponse {
    let (_, kept, visitor) = match kept(&store, visitor, &name).await {
        Ok(kept) => kept,
        Err(response) => return response,
    };
    let text = match body(&kept, config.capture.bytes) {
        Ok(text) => text,
        Err(why) => return refused(visitor, Fault::sender("message.not_replayable", 422, why)),
    };
    let is_json = kept.request_type.starts_with("application/json");
    let operation = kept.operation.unwrap_or_default();
    operation_page(visitor, &contracts, (&kept.service, &operation), Some((is_json, text)), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDateTime;

    fn kept(operation: &str, request_type: &str, request: &str) -> Message {
        Message {
            at: NaiveDateTime::default(),
            request_id: String::new(),
            channel: String::new(),
            service: "Catalog".to_owned(),
            operation: Some(operation.to_owned()),
            caller: None,
            peer: None,
            status: 200,
            outcome: String::new(),
            microseconds: 0,
            target: String::new(),
            request_type: request_type.to_owned(),
            request: request.to_owned(),
            request_bytes: i64::try_from(request.len()).unwrap(),
            response_type: String::new(),
            response: String::new(),
            response_bytes: 0,
        }
    }

    fn of(message: &Message) -> Result<String, String> {
        records(message, kind_of(message.operation.as_deref()).unwrap(), 5_000).map(|(_, text)| text)
    }

    #[test]
    fn records_are_taken_out_of_a_request() {
        let json = |text: &str| kept("UpsertArticles", "application/json", text);
        assert_eq!(
            of(&json(r#"{"article":[{"sku":"A"},{"sku":"B"}]}"#)).unwrap(),
            "{\"sku\":\"A\"}\n{\"sku\":\"B\"}\n"
        );
        assert_eq!(of(&json(r#"{"sku":"A"}"#)).unwrap(), "{\"sku\":\"A\"}\n");
        assert!(of(&json("{")).is_err());
        let envelope = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:c=\"urn:c\"><e:Body>\
                        <c:UpsertArticles><c:article/></c:UpsertArticles></e:Body></e:Envelope>";
        let soap = kept("UpsertArticles", "text/xml; charset=utf-8", envelope);
        let text = of(&soap).unwrap();
        assert!(
            text.starts_with("<c:UpsertArticles xmlns:c=\"urn:c\"") && text.ends_with("</c:UpsertArticles>"),
            "{text}"
        );
        let cut = Message { request_bytes: 10_000, ..soap };
        assert_eq!(of(&cut).unwrap_err(), "Only the beginning of the request was kept");
        assert!(kind_of(Some("GetArticle")).is_none() && kind_of(None).is_none());
    }
}
