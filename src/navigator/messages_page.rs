//! Requests and answers that were kept to look at.

use super::query::{address, said};
use super::visitor::Visitor;
use super::{not_found, page, replay, unavailable};
use crate::config::Config;
use crate::reporting::pretty;
use crate::store::Store;
use crate::store::messages::{self, Kept};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

/// Messages on one page.
const PAGE: i64 = 50;

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    client: String,
    #[serde(default)]
    text: String,
    failed: Option<String>,
    before: Option<i64>,
}

impl Wanted {
    fn wanted(&self) -> messages::Wanted {
        messages::Wanted {
            client: said(&self.client),
            failed: self.failed.is_some(),
            text: said(&self.text),
            before: self.before,
            limit: PAGE + 1,
        }
    }

    fn older(&self, before: i64) -> String {
        let before = before.to_string();
        let failed = self.failed.clone().unwrap_or_default();
        let said = [("before", before.as_str()), ("client", &self.client), ("text", &self.text), ("failed", &failed)];
        address("/navigator/messages", &said)
    }
}

#[derive(Template)]
#[template(path = "messages.html")]
struct MessagesPage {
    visitor: Visitor,
    rows: Vec<Row>,
    client: String,
    text: String,
    failed: bool,
    next: Option<String>,
    /// Whose messages are kept.
    clients: Vec<String>,
}

struct Row {
    id: i64,
    at: String,
    who: String,
    what: String,
    channel: String,
    status: i32,
    outcome: String,
    took: String,
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
fn took(microseconds: i64) -> String {
    format!("{:.1} ms", microseconds as f64 / 1000.0)
}

impl Row {
    fn of(Kept { id, message }: Kept) -> Self {
        Self {
            id,
            at: message.at.format("%Y-%m-%d %H:%M:%S").to_string(),
            who: message.caller.or(message.peer).unwrap_or_default(),
            what: message
                .operation
                .map_or_else(|| message.service.clone(), |name| format!("{}.{name}", message.service)),
            channel: message.channel,
            status: message.status,
            outcome: message.outcome,
            took: took(message.microseconds),
        }
    }
}

pub(super) async fn list(
    store: Data<Store>,
    config: Data<Config>,
    visitor: Visitor,
    wanted: Query<Wanted>,
) -> HttpResponse {
    let asked = wanted.wanted();
    let mut found = match store.read(move |db| messages::list(db, &asked)).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    page(&MessagesPage {
        visitor,
        next: found.last().filter(|_| more).map(|kept| wanted.older(kept.id)),
        rows: found.into_iter().map(Row::of).collect(),
        client: wanted.client.clone(),
        text: wanted.text.clone(),
        failed: wanted.failed.is_some(),
        clients: config.capture.clients.clone(),
    })
}

#[derive(Template)]
#[template(path = "message_kept.html")]
struct KeptPage {
    visitor: Visitor,
    what: String,
    row: Row,
    /// Whether it brought records; whether it was for an operation at all.
    has_records: bool,
    has_operation: bool,
    request_id: String,
    target: String,
    request_type: String,
    request: String,
    response_type: String,
    response: String,
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, name: Path<String>) -> HttpResponse {
    let name = name.into_inner();
    let wanted = name.clone();
    let kept = match store.read(move |db| messages::find(db, &wanted)).await {
        Ok(Some(kept)) => kept,
        Ok(None) => return not_found(visitor, format!("No message {name} is kept.")),
        Err(error) => return unavailable(visitor, &error),
    };
    let message = kept.message.clone();
    let row = Row::of(kept);
    page(&KeptPage {
        visitor,
        what: row.what.clone(),
        has_records: replay::kind_of(message.operation.as_deref()).is_some(),
        has_operation: message.operation.is_some(),
        row,
        request_id: message.request_id,
        target: message.target,
        request_type: message.request_type,
        request: pretty(&message.request, message.request_bytes),
        response_type: message.response_type,
        response: pretty(&message.response, message.response_bytes),
    })
}
