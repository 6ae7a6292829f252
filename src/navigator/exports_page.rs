//! Exports: files for others, and the orders that were handed out.

use super::forms::Bare;
use super::visitor::Visitor;
use super::{may_not, moved, not_found, not_ours, page, refused, unavailable};
use crate::error::ServiceError;
use crate::exchange::ExportRequest;
use crate::http::auth::Access;
use crate::http::upload::Upload;
use crate::reporting::{Direction, Report, RunState, grouped, size};
use crate::services::ExchangeService;
use crate::store::orders::{self, Fates, HandedOut};
use crate::store::{Db, Store, StoreError, runs};
use actix_web::HttpResponse;
use actix_web::web::{Data, Form, Path, Query};
use askama::Template;
use chrono::{NaiveDateTime, Utc};
use serde::Deserialize;
use soapstone_contracts::exchange::{ExportMode, RunFormat, RunKind};
use std::sync::Arc;

/// Exports of orders on one page.
const PAGE: i64 = 25;

/// Runs that are shown.
const RUNS: i64 = 10;

#[derive(Deserialize)]
pub(super) struct Wanted {
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "exports.html")]
struct ExportsPage {
    visitor: Visitor,
    may_export: bool,
    may_confirm: bool,
    kinds: Vec<&'static str>,
    formats: Vec<&'static str>,
    files: Vec<Written>,
    exports: Vec<Row>,
    orders_new: String,
    next: Option<i64>,
}

/// A run that wrote a file.
struct Written {
    id: i64,
    name: String,
    kind: String,
    state: &'static str,
    label: &'static str,
    records: String,
    size: String,
    address: Option<String>,
    export: Option<i64>,
}

/// Orders that were handed out together.
struct Row {
    id: i64,
    handed_out: String,
    until: String,
    is_late: bool,
    attempts: i32,
    warehouse: String,
    fates: Fates,
}

impl Written {
    fn of(report: Report) -> Self {
        let is_there = report.run.state() == RunState::Succeeded && !report.run.source_path.is_empty();
        Self {
            id: report.run.id,
            state: report.run.state().as_str(),
            label: report.run.state().label(),
            records: grouped(report.progress.counters.read),
            size: size(report.run.source_size),
            address: is_there.then(|| format!("/api/v1/runs/{}/artifacts/result/file", report.run.id)),
            export: report.export.and_then(|options| options.export_id),
            name: report.run.source_name,
            kind: report.run.kind,
        }
    }
}

impl Row {
    fn of((export, fates): (HandedOut, Fates), now: NaiveDateTime) -> Self {
        let time = |at: NaiveDateTime| at.format("%Y-%m-%d %H:%M:%S").to_string();
        Self {
            id: export.id,
            handed_out: time(export.handed_out_at),
            until: time(export.leased_until),
            is_late: fates.leased > 0 && export.leased_until <= now,
            attempts: export.attempts,
            warehouse: export.warehouse.unwrap_or_default(),
            fates,
        }
    }
}

type Found = (Vec<Report>, (Vec<(HandedOut, Fates)>, bool), (i64, i64));

fn look(db: &mut Db, before: Option<i64>) -> Result<Found, StoreError> {
    let direction = Some(Direction::Export.as_str().to_owned());
    let filter = runs::Filter { direction, limit: RUNS, ..runs::Filter::default() };
    Ok((runs::list(db, &filter)?.0, orders::handed_out(db, before, PAGE)?, orders::to_export(db)?))
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    let before = wanted.before;
    let (files, (exports, more), (new, _)) = match store.read(move |db| look(db, before)).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let now = Utc::now().naive_utc();
    page(&ExportsPage {
        may_export: visitor.may_change() && visitor.may("Exchange", "StartExport"),
        may_confirm: visitor.may_change() && visitor.may("Orders", "ConfirmExport"),
        visitor,
        kinds: ExchangeService::exported().map(RunKind::as_str).collect(),
        formats: ["xml", "csv", "jsonLines", "openTrans", "caller"].to_vec(),
        files: files.into_iter().map(Written::of).collect(),
        next: exports.last().filter(|_| more).map(|(export, _)| export.id),
        exports: exports.into_iter().map(|export| Row::of(export, now)).collect(),
        orders_new: grouped(new),
    })
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    form: String,
    kind: String,
    format: String,
    incremental: Option<String>,
    packed: Option<String>,
}

pub(super) async fn begin(
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    asked: Form<Asked>,
) -> HttpResponse {
    if !visitor.gave(&asked.form) {
        return not_ours(visitor);
    }
    if !visitor.may("Exchange", "StartExport") {
        return may_not(visitor, "Exchange.StartExport");
    }
    let kind = RunKind::ALL.iter().find(|kind| kind.as_str() == asked.kind).copied();
    let format = RunFormat::ALL.iter().find(|format| format.as_str() == asked.format).copied();
    let (Some(kind), Some(format)) = (kind, format) else {
        return not_found(visitor, "There is no such kind or format.".to_owned());
    };
    let wanted = ExportRequest {
        kind,
        format,
        mode: if asked.incremental.is_some() { ExportMode::Incremental } else { ExportMode::Full },
        since: None,
        consumer: None,
        lease_seconds: None,
        warehouse: None,
        packed: asked.packed.is_some(),
        priority: 0,
        initiator: visitor.initiator(),
    };
    let accepted = upload.service.export(wanted).await;
    visitor.note(&access, format!("Exchange.StartExport {kind}"), accepted.is_ok());
    match accepted {
        Ok(accepted) => moved(&format!("/navigator/runs/{}", accepted.report.run.id)),
        Err(error) => refused(visitor, error.into()),
    }
}

/// The actions on an export, each with the operation that does it.
pub(super) const ACTIONS: [(&str, &str); 2] = [("confirm", "ConfirmExport"), ("hand-out-again", "ExportOrders")];

/// Confirms an export, or ends its lease.
pub(super) async fn settle(
    store: Data<Store>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    wanted: Path<(i64, String)>,
    shown: Form<Bare>,
) -> HttpResponse {
    let (id, deed) = wanted.into_inner();
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    let Some((_, operation)) = ACTIONS.into_iter().find(|(name, _)| *name == deed) else {
        return not_found(visitor, "There is nothing here.".to_owned());
    };
    let is_confirmation = operation == "ConfirmExport";
    if !visitor.may("Orders", operation) {
        return may_not(visitor, &format!("Orders.{operation}"));
    }
    let done = store
        .write(move |db| {
            if is_confirmation {
                return Ok(orders::confirm(db, &id.to_string(), &[], Utc::now().naive_utc())?.is_some());
            }
            orders::end_lease(db, id)
        })
        .await;
    let done = match done {
        Ok(done) => done,
        Err(error) => return unavailable(visitor, &error),
    };
    visitor.note(&access, format!("{deed} export {id}"), done);
    if done {
        return moved("/navigator/exports");
    }
    refused(visitor, ServiceError::NotFound { kind: "export", key: id.to_string() }.into())
}
