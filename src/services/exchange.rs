//! The portType Exchange.

use super::{page, times};
use crate::client;
use crate::error::ServiceError;
use crate::exchange::{Accepted, Exchange as Runs, ExportRequest, Initiator, Queue, Request, Spooled};
use crate::reporting::{self, Report, RunState};
use crate::store::{Db, runs};
use chrono::Utc;
use soapstone_contracts::exchange::{
    ApproveRun, ApproveRunResponse, Artifact, ArtifactKind, CancelRun, CancelRunResponse, Channel, Exchange,
    ExportMode, GetArtifact, GetArtifactResponse, GetRun, GetRunChanges, GetRunChangesResponse, GetRunMessages,
    GetRunMessagesResponse, GetRunResponse, GetRunSummary, GetRunSummaryResponse, ImportMode, ListRuns,
    ListRunsResponse, PauseRun, PauseRunResponse, ResumeRun, ResumeRunResponse, RetryRun, RetryRunResponse, RunFormat,
    RunKind, StartExport, StartExportResponse, StartImport, StartImportResponse,
};
use soapstone_runtime::service::{Channel as Way, Context};
use std::fs::File;
use std::sync::Arc;

/// How many examples of a code are given where nobody says.
const EXAMPLES: i64 = 3;

/// Who asks for a run, and how: by a way of asking, unless it is our own client that asks.
pub fn initiator(context: &Context) -> Initiator {
    let is_client = context.agent.as_deref().is_some_and(|agent| agent.starts_with(client::NAME));
    let channel = match context.channel {
        _ if is_client => Channel::Client,
        Way::Soap => Channel::Soap,
        Way::Rest => Channel::Rest,
    };
    let user = context.caller.as_ref().map(|caller| caller.0.name());
    let address = context.peer.map(|peer| peer.to_string());
    let of_certificate = context.certificate.as_ref().map(|certificate| certificate.name.as_str());
    let name = user.or(of_certificate).filter(|name| !name.is_empty());
    Initiator::new(channel, name.or(address.as_deref()))
}

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

    /// A file of a run.
    ///
    /// # Errors
    /// If there is no such run, or it has no such file.
    pub async fn artifact(&self, id: i64, kind: ArtifactKind) -> Result<(Artifact, File), ServiceError> {
        let report = self.report(id).await?;
        self.exchange.artifact(&report, kind)
    }

    /// The kinds of records that can be exported.
    pub fn exported() -> impl Iterator<Item = RunKind> {
        Runs::exported()
    }

    /// Accepts a run that writes records to a file, and has it begun.
    ///
    /// # Errors
    /// If it cannot be accepted.
    pub async fn export(&self, wanted: ExportRequest) -> Result<Accepted, ServiceError> {
        let exchange = self.exchange.clone();
        let accepted = self.exchange.store.read(move |db| exchange.accept_export(db, &wanted)).await?;
        self.queue.wake();
        Ok(accepted)
    }

    /// Takes the refused records of a run again.
    ///
    /// # Errors
    /// If there are none, or it cannot be accepted.
    pub async fn retry(&self, id: i64, initiator: Initiator) -> Result<Accepted, ServiceError> {
        let (report, exchange) = (self.report(id).await?, self.exchange.clone());
        let accepted = self.exchange.store.read(move |db| exchange.retry(db, &report, initiator)).await?;
        self.queue.wake();
        Ok(accepted)
    }

    /// Writes what a dry run has told.
    ///
    /// # Errors
    /// If it was none, or it cannot be accepted.
    pub async fn carry_out(&self, id: i64, initiator: Initiator) -> Result<Accepted, ServiceError> {
        let (report, exchange) = (self.report(id).await?, self.exchange.clone());
        let accepted = self.exchange.store.read(move |db| exchange.carry_out(db, &report, initiator)).await?;
        self.queue.wake();
        Ok(accepted)
    }

    /// Tells what a run's source would change now.
    ///
    /// # Errors
    /// If it is no import that is done.
    pub async fn try_again(&self, id: i64, initiator: Initiator) -> Result<Accepted, ServiceError> {
        let (report, exchange) = (self.report(id).await?, self.exchange.clone());
        let accepted = self.exchange.store.read(move |db| exchange.try_again(db, &report, initiator)).await?;
        self.queue.wake();
        Ok(accepted)
    }

    /// Accepts a corrected file for a run.
    ///
    /// # Errors
    /// If it is no import that is done.
    pub async fn corrected(
        &self,
        id: i64,
        source: Spooled,
        name: String,
        initiator: Initiator,
    ) -> Result<Accepted, ServiceError> {
        let (report, exchange) = (self.report(id).await?, self.exchange.clone());
        let accepted = move |db: &mut Db| exchange.corrected(db, &report, &source, name, initiator);
        let accepted = self.exchange.store.read(accepted).await?;
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
            .map_err(|e| ServiceError::of_file("the source cannot be stored", &e))?;
        let wanted = Request {
            kind: request.kind,
            format: request.format.unwrap_or(RunFormat::Auto),
            profile: request.profile,
            source_name: request.source_name,
            dry_run: request.dry_run.unwrap_or(false),
            mode: request.mode.unwrap_or(ImportMode::Partial),
            delete_at_most: request.delete_at_most,
            retry_of: None,
            claim: None,
            priority: request.priority.unwrap_or(0),
            all_or_nothing: request.all_or_nothing.unwrap_or(false),
            initiator: initiator(context),
        };
        let accepted = self.accept(wanted, source).await?;
        Ok(StartImportResponse { run: self.exchange.shown(&accepted.report) })
    }

    async fn start_export(&self, context: &Context, request: StartExport) -> Result<StartExportResponse, ServiceError> {
        let wanted = ExportRequest {
            kind: request.kind,
            format: request.format.unwrap_or(RunFormat::Xml),
            mode: request.mode.unwrap_or(ExportMode::Full),
            since: times::since(request.since, &self.exchange.rules.defaults)?,
            consumer: request.consumer,
            lease_seconds: request.lease_seconds,
            warehouse: request.warehouse,
            packed: request.packed.unwrap_or(false),
            priority: request.priority.unwrap_or(0),
            initiator: initiator(context),
        };
        let accepted = self.export(wanted).await?;
        Ok(StartExportResponse { run: self.exchange.shown(&accepted.report) })
    }

    async fn get_run(&self, _context: &Context, request: GetRun) -> Result<GetRunResponse, ServiceError> {
        Ok(GetRunResponse { run: self.exchange.shown(&self.report(request.id).await?) })
    }

    async fn list_runs(&self, _context: &Context, request: ListRuns) -> Result<ListRunsResponse, ServiceError> {
        let filter = runs::Filter {
            kind: request.kind.map(|k| k.as_str().to_owned()),
            state: request.state.map(|s| s.as_str().to_owned()),
            client: request.client,
            before: page::number(request.cursor.as_deref())?,
            limit: page::size(request.limit),
            ..runs::Filter::default()
        };
        let (found, more) = self.exchange.store.read(move |db| runs::list(db, &filter)).await?;
        let next_cursor = found.last().filter(|_| more).map(|report| report.run.id.to_string());
        let run = found.iter().map(|report| self.exchange.shown(report)).collect();
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
            self.exchange.store.read(move |db| runs::messages(db, request.id, severity, None, after, limit)).await?;
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
        Ok(CancelRunResponse { run: self.exchange.shown(&self.report(request.id).await?) })
    }

    async fn approve_run(&self, _context: &Context, request: ApproveRun) -> Result<ApproveRunResponse, ServiceError> {
        self.report(request.id).await?;
        let approved = self.exchange.store.write(move |db| runs::approve(db, request.id)).await?;
        if !approved {
            return Err(ServiceError::Conflict {
                code: "run.not_waiting",
                message: format!("The run {} does not wait to be approved", request.id),
            });
        }
        self.queue.wake();
        Ok(ApproveRunResponse { run: self.exchange.shown(&self.report(request.id).await?) })
    }

    async fn pause_run(&self, _context: &Context, request: PauseRun) -> Result<PauseRunResponse, ServiceError> {
        let report = self.report(request.id).await?;
        if report.run.all_or_nothing && report.run.state() == RunState::Running {
            return Err(ServiceError::Conflict {
                code: "run.one_transaction",
                message: format!("The run {} writes all or nothing and cannot be halted half-way", request.id),
            });
        }
        if !self.exchange.store.write(move |db| runs::pause(db, request.id)).await? {
            return Err(ServiceError::Conflict {
                code: "run.not_pausable",
                message: format!("The run {} neither waits for its turn nor is at work", request.id),
            });
        }
        Ok(PauseRunResponse { run: self.exchange.shown(&self.report(request.id).await?) })
    }

    async fn resume_run(&self, _context: &Context, request: ResumeRun) -> Result<ResumeRunResponse, ServiceError> {
        self.report(request.id).await?;
        if !self.exchange.store.write(move |db| runs::resume(db, request.id)).await? {
            return Err(ServiceError::Conflict {
                code: "run.not_paused",
                message: format!("The run {} is not paused", request.id),
            });
        }
        self.queue.wake();
        Ok(ResumeRunResponse { run: self.exchange.shown(&self.report(request.id).await?) })
    }

    async fn get_run_changes(
        &self,
        _context: &Context,
        request: GetRunChanges,
    ) -> Result<GetRunChangesResponse, ServiceError> {
        self.report(request.id).await?;
        let after = page::number(request.cursor.as_deref())?.unwrap_or(0);
        let limit = page::size(request.limit);
        let (found, more) = self.exchange.store.read(move |db| runs::changes(db, request.id, after, limit)).await?;
        let next_cursor = found.last().filter(|_| more).map(|change| change.number.to_string());
        Ok(GetRunChangesResponse { change: found.into_iter().map(reporting::change).collect(), next_cursor })
    }

    async fn retry_run(&self, context: &Context, request: RetryRun) -> Result<RetryRunResponse, ServiceError> {
        let accepted = self.retry(request.id, initiator(context)).await?;
        Ok(RetryRunResponse { run: self.exchange.shown(&accepted.report) })
    }

    async fn get_run_summary(
        &self,
        _context: &Context,
        request: GetRunSummary,
    ) -> Result<GetRunSummaryResponse, ServiceError> {
        let examples = request.examples.map_or(EXAMPLES, i64::from);
        let found = self.exchange.store.read(move |db| reporting::summary(db, request.id, examples)).await?;
        Ok(found.ok_or(ServiceError::NotFound { kind: "run", key: request.id.to_string() })?.to_contract())
    }

    async fn get_artifact(
        &self,
        _context: &Context,
        request: GetArtifact,
    ) -> Result<GetArtifactResponse, ServiceError> {
        let (artifact, file) = self.artifact(request.id, request.kind).await?;
        // In memory, as a message is: what is larger is fetched as a file.
        let limit = self.exchange.max_artifact;
        if u64::try_from(artifact.size).unwrap_or(0) > limit {
            let message = format!(
                "The file has {} bytes, and a message takes {limit} at most; fetch it at \
                 /api/v1/runs/{}/artifacts/{}/file",
                artifact.size, request.id, request.kind
            );
            return Err(ServiceError::Conflict { code: "artifact.too_large", message });
        }
        let content = actix_web::web::block(move || {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut { file }, &mut content).map(|_| content)
        });
        let content = content.await.map_err(ServiceError::internal)?.map_err(ServiceError::internal)?;
        Ok(GetArtifactResponse { artifact, content: content.into() })
    }
}
