//! The portType Exchange.

use super::page;
use crate::error::ServiceError;
use crate::exchange::{Accepted, Exchange as Runs, Queue, Request, Spooled};
use crate::reporting::{self, Report};
use crate::store::runs;
use chrono::Utc;
use soapstone_contracts::exchange::{
    CancelRun, CancelRunResponse, Exchange, GetRun, GetRunMessages, GetRunMessagesResponse, GetRunResponse, ListRuns,
    ListRunsResponse, RunFormat, StartImport, StartImportResponse,
};
use soapstone_runtime::service::Context;
use std::sync::Arc;

/// Import runs.
#[derive(Clone)]
pub struct ExchangeService {
    pub exchange: Runs,
    pub queue: Arc<Queue>,
}

impl ExchangeService {
    /// Accepts a run for a source in the spool and has it begun.
    ///
    /// # Errors
    /// If it cannot be accepted.
    pub async fn accept(&self, request: Request, source: Spooled) -> Result<Accepted, ServiceError> {
        let exchange = self.exchange.clone();
        let accepted = self.exchange.store.read(move |db| exchange.accept(db, &request, &source)).await?;
        self.queue.wake();
        Ok(accepted)
    }

    async fn report(&self, id: i64) -> Result<Report, ServiceError> {
        let found = self.exchange.store.read(move |db| reporting::report(db, id)).await?;
        found.ok_or(ServiceError::NotFound { kind: "run", key: id.to_string() })
    }
}

impl Exchange for ExchangeService {
    type Error = ServiceError;

    async fn start_import(&self, context: &Context, request: StartImport) -> Result<StartImportResponse, ServiceError> {
        let spool = self.exchange.spool.clone();
        let content = request.content.0;
        let source = actix_web::web::block(move || spool.store(content.open()?))
            .await
            .map_err(ServiceError::internal)?
            .map_err(|e| ServiceError::internal(format!("the source cannot be stored: {e}")))?;
        let wanted = Request {
            kind: request.kind.as_str().to_owned(),
            format: request.format.unwrap_or(RunFormat::Auto).as_str().to_owned(),
            profile: request.profile,
            source_name: request.source_name,
            dry_run: request.dry_run.unwrap_or(false),
            channel: context.channel.name(),
        };
        let accepted = self.accept(wanted, source).await?;
        Ok(StartImportResponse { run: accepted.report.to_contract() })
    }

    async fn get_run(&self, _context: &Context, request: GetRun) -> Result<GetRunResponse, ServiceError> {
        Ok(GetRunResponse { run: self.report(request.id).await?.to_contract() })
    }

    async fn list_runs(&self, _context: &Context, request: ListRuns) -> Result<ListRunsResponse, ServiceError> {
        let filter = runs::Filter {
            kind: request.kind.map(|k| k.as_str().to_owned()),
            state: request.state.map(|s| s.as_str().to_owned()),
            before: page::number(request.cursor.as_deref())?,
            limit: page::size(request.limit),
        };
        let (found, more) = self.exchange.store.read(move |db| runs::list(db, &filter)).await?;
        let next_cursor = found.last().filter(|_| more).map(|(run, _)| run.id.to_string());
        let run = found.into_iter().map(|(run, progress)| Report { run, progress }.to_contract()).collect();
        Ok(ListRunsResponse { run, next_cursor })
    }

    async fn get_run_messages(
        &self,
        _context: &Context,
        request: GetRunMessages,
    ) -> Result<GetRunMessagesResponse, ServiceError> {
        self.report(request.id).await?;
        let after = page::number(request.cursor.as_deref())?.unwrap_or(0);
        let limit = page::size(request.limit);
        let severity = request.severity.map(|s| s.as_str());
        let (found, more) =
            self.exchange.store.read(move |db| runs::messages(db, request.id, severity, after, limit)).await?;
        let next_cursor = found.last().filter(|_| more).map(|m| m.number.to_string());
        let message = found.iter().map(reporting::RunMessage::to_contract).collect();
        Ok(GetRunMessagesResponse { message, next_cursor })
    }

    async fn cancel_run(&self, _context: &Context, request: CancelRun) -> Result<CancelRunResponse, ServiceError> {
        self.report(request.id).await?;
        let now = Utc::now().naive_utc();
        let cancelled = self.exchange.store.write(move |db| runs::cancel(db, request.id, now)).await?;
        if !cancelled {
            return Err(ServiceError::Conflict {
                code: "run.already_finished",
                message: format!("The run {} is done already and cannot be cancelled", request.id),
            });
        }
        Ok(CancelRunResponse { run: self.report(request.id).await?.to_contract() })
    }
}
