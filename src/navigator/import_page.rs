//! A new import: a file that is dropped, tried first or written at once.

use super::visitor::Visitor;
use super::{message, moved, not_ours, page, refused};
use crate::http::auth::Access;
use crate::http::upload::{Fields, Upload, wanted};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use soapstone_contracts::exchange::{Channel, RunFormat, RunKind};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    visitor: Visitor,
    kinds: Vec<&'static str>,
    formats: Vec<&'static str>,
    profiles: Vec<String>,
}

pub(super) async fn show(upload: Data<Upload>, visitor: Visitor) -> HttpResponse {
    let kinds = RunKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let formats = RunFormat::ALL.iter().filter(|format| **format != RunFormat::Auto).map(|format| format.as_str());
    let profiles = upload.service.exchange.profiles.names();
    page(&ImportPage { visitor, kinds, formats: formats.collect(), profiles })
}

pub(super) async fn begin(
    request: HttpRequest,
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    payload: Payload,
) -> HttpResponse {
    if !visitor.may("Exchange", "StartImport") {
        let text = "You may not do this; a role that may do Exchange.StartImport would.".to_owned();
        return message(visitor, StatusCode::FORBIDDEN, "Not allowed", text);
    }
    let mut fields = Fields::new();
    let source = match upload.form(&request, payload, &mut fields).await {
        Ok(source) => source,
        Err(fault) => return refused(visitor, fault),
    };
    if !visitor.gave(&fields.remove("form").unwrap_or_default()) {
        return not_ours(visitor);
    }
    // A box that is not ticked is not sent.
    for (name, ticked, other) in
        [("mode", "full", "partial"), ("dryRun", "true", "false"), ("allOrNothing", "true", "false")]
    {
        let value = if fields.remove(name).is_some() { ticked } else { other };
        fields.insert(name.to_owned(), value.to_owned());
    }
    let request = match wanted(fields, Channel::Navigator.as_str()) {
        Ok(request) => request,
        Err(fault) => return refused(visitor, fault),
    };
    let what = format!("Exchange.StartImport {} (Navigator)", request.source_name);
    let accepted = upload.service.accept(request, source).await;
    let outcome = if accepted.is_ok() { "ok" } else { "refused" };
    access.note(visitor.name().map(str::to_owned), what, outcome, visitor.peer.clone());
    match accepted {
        Ok(accepted) => moved(&format!("/navigator/runs/{}", accepted.report.run.id)),
        Err(error) => refused(visitor, error.into()),
    }
}
