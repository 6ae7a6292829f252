//! What somebody does to a run by a button.

use super::forms::Bare;
use super::forms::with_file;
use super::visitor::Visitor;
use super::{may_not, moved, not_found, not_ours, refused};
use crate::error::ServiceError;
use crate::http::auth::Access;
use crate::http::upload::{MAX_FIELD, Upload};
use crate::services::ExchangeService;
use actix_web::web::{Data, Form, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use soapstone_contracts::exchange::{ApproveRun, CancelRun, Exchange, PauseRun, ResumeRun};
use soapstone_runtime::service::{Channel, Context};
use std::sync::Arc;

/// What can be done to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Approve,
    Cancel,
    Pause,
    Resume,
    Retry,
    CarryOut,
    TryAgain,
}

impl Deed {
    const ALL: [Self; 7] =
        [Self::Approve, Self::Cancel, Self::Pause, Self::Resume, Self::Retry, Self::CarryOut, Self::TryAgain];

    /// As addresses have it.
    fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
            Self::CarryOut => "carry-out",
            Self::TryAgain => "try-again",
        }
    }

    /// The operation that does the same, and that he must be allowed.
    fn operation(self) -> &'static str {
        match self {
            Self::Approve => "ApproveRun",
            Self::Cancel => "CancelRun",
            Self::Pause => "PauseRun",
            Self::Resume => "ResumeRun",
            Self::Retry => "RetryRun",
            Self::CarryOut | Self::TryAgain => "StartImport",
        }
    }

    /// Does it; gives the run to look at then.
    async fn carry_out(
        self,
        service: &ExchangeService,
        visitor: &Visitor,
        context: &Context,
        id: i64,
    ) -> Result<i64, ServiceError> {
        let by = visitor.initiator();
        match self {
            Self::Approve => service.approve_run(context, ApproveRun { id }).await.map(|answer| answer.run.id),
            Self::Cancel => service.cancel_run(context, CancelRun { id }).await.map(|answer| answer.run.id),
            Self::Pause => service.pause_run(context, PauseRun { id }).await.map(|answer| answer.run.id),
            Self::Resume => service.resume_run(context, ResumeRun { id }).await.map(|answer| answer.run.id),
            Self::Retry => service.retry(id, by).await.map(|accepted| accepted.report.run.id),
            Self::CarryOut => service.carry_out(id, by).await.map(|accepted| accepted.report.run.id),
            Self::TryAgain => service.try_again(id, by).await.map(|accepted| accepted.report.run.id),
        }
    }
}

/// The actions on a run, each with the operation that does it.
pub(super) fn actions() -> impl Iterator<Item = (&'static str, &'static str)> {
    Deed::ALL.into_iter().map(|deed| (deed.name(), deed.operation()))
}

/// Takes a corrected file for a run.
pub(super) async fn corrected(
    request: HttpRequest,
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    id: Path<i64>,
    payload: Payload,
) -> HttpResponse {
    if !visitor.may("Exchange", "StartImport") {
        return may_not(visitor, "Exchange.StartImport");
    }
    let (source, mut fields, visitor) = match with_file(&upload, &request, payload, visitor, MAX_FIELD).await {
        Ok(taken) => taken,
        Err(response) => return response,
    };
    let (id, name) = (id.into_inner(), fields.remove("sourceName").unwrap_or_else(|| "corrected".to_owned()));
    let done = upload.service.corrected(id, source, name, visitor.initiator()).await;
    visitor.note(&access, format!("Exchange.StartImport corrects {id}"), done.is_ok());
    match done {
        Ok(accepted) => moved(&format!("/navigator/runs/{}", accepted.report.run.id)),
        Err(error) => refused(visitor, error.into()),
    }
}

pub(super) async fn steer(
    request: HttpRequest,
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    wanted: Path<(i64, String)>,
    shown: Form<Bare>,
) -> HttpResponse {
    let (id, name) = wanted.into_inner();
    let Some(deed) = Deed::ALL.into_iter().find(|deed| deed.name() == name) else {
        return not_found(visitor, "There is nothing here.".to_owned());
    };
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    if !visitor.may("Exchange", deed.operation()) {
        return may_not(visitor, &format!("Exchange.{}", deed.operation()));
    }
    let context = Context::of(Channel::Rest, &request);
    let done = deed.carry_out(&upload.service, &visitor, &context, id).await;
    visitor.note(&access, format!("Exchange.{} {id}", deed.operation()), done.is_ok());
    match done {
        Ok(run) => moved(&format!("/navigator/runs/{run}")),
        Err(error) => refused(visitor, error.into()),
    }
}
