//! The calls of PepperShop's Caller: `…/Admin/caller/caller_aufruf.php?do=set_artikel`. The answer comes once the job is done, or when
//! it takes long; the status files say it in any case.

use super::files::admitted;
use super::problem;
use super::route::{Permission, Scope, Spec};
use crate::error::ServiceError;
use crate::exchange::channels::caller::{FROM, Job, NEW};
use crate::exchange::channels::{Caller, caller::Called};
use crate::reporting::{self, Report, RunState};
use crate::services::ExchangeService;
use actix_web::guard::GuardContext;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Query};
use actix_web::{Handler, HttpRequest, HttpResponse};
use serde::Deserialize;
use soapstone_runtime::soap::Fault;
use std::time::{Duration, Instant};

/// How long an answer waits for a job.
const PATIENCE: Duration = Duration::from_secs(50);

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// The shop may lie in a folder.
const PATH: &str = "/{shop:(?:.*/)?}Admin/caller/caller_aufruf.php";

#[derive(Deserialize)]
struct Call {
    #[serde(rename = "do")]
    job: Option<String>,
    datetime_ab: Option<String>,
}

impl Call {
    fn is_export(&self) -> bool {
        self.job.as_deref().is_some_and(|job| [NEW, FROM].contains(&job))
    }
}

/// Whether a request asks for an export.
fn is_export(context: &GuardContext<'_>) -> bool {
    let query = context.head().uri.query().unwrap_or_default();
    Query::<Call>::from_query(query).is_ok_and(|call| call.is_export())
}

#[derive(Clone)]
pub(super) struct Calls {
    pub service: ExchangeService,
    pub caller: Caller,
}

impl Calls {
    pub fn add_routes(&self, routes: &mut Scope<'_>) {
        // A GET has an effect here, too: that is how PepperShop's shops are called.
        for method in [Method::GET, Method::POST] {
            let export = Permission::operation("Exchange", "StartExport");
            let exports = Spec::new(method.clone(), PATH, export).guard(is_export).with_effect(true);
            routes.add(exports, self.handler("StartExport"));
            let imports = Spec::new(method, PATH, Permission::operation("Exchange", "StartImport")).with_effect(true);
            routes.add(imports, self.handler("StartImport"));
        }
    }

    fn handler(&self, operation: &'static str) -> impl Handler<(HttpRequest, Query<Call>), Output = HttpResponse> {
        let calls = self.clone();
        move |request: HttpRequest, call: Query<Call>| {
            let (calls, call) = (calls.clone(), call.into_inner());
            // What is done decides, not what was matched.
            let wanted = if call.is_export() { "StartExport" } else { "StartImport" };
            async move {
                if wanted != operation {
                    return problem(&Fault::sender("http.query", 400, "The parameter \"do\" occurs more than once"));
                }
                admitted(&request, "Exchange", operation, calls.answer(call)).await
            }
        }
    }

    async fn answer(&self, call: Call) -> Result<HttpResponse, Fault> {
        let name = call.job.unwrap_or_default();
        let calls = self.clone();
        let called = match name.as_str() {
            NEW => web::block(move || calls.caller.export(&calls.service.exchange, NEW, None)).await,
            FROM => {
                let from = call.datetime_ab.unwrap_or_default();
                web::block(move || calls.caller.export(&calls.service.exchange, FROM, Some(&from))).await
            }
            name => {
                let Some(job) = Job::find(name) else {
                    let known: Vec<&str> = Job::all().map(|job| job.name).chain([NEW, FROM]).collect();
                    return Ok(plain(
                        StatusCode::BAD_REQUEST,
                        format!("ERR there is no job \"{name}\"; there are {}", known.join(", ")),
                    ));
                };
                web::block(move || calls.caller.import(&calls.service.exchange, job)).await
            }
        };
        let called = called.map_err(ServiceError::internal)?.map_err(ServiceError::internal)?;
        let report = match called {
            Called::Refused(why) => return Ok(plain(StatusCode::CONFLICT, format!("ERR {}", why.trim()))),
            Called::Run(report) => report,
        };
        self.service.queue.wake();
        let report = self.finished(*report).await?;
        let counters = report.progress.counters;
        let told = format!(
            "run {}: {}, {} records, {} refused",
            report.run.id,
            report.run.state().label(),
            counters.read,
            counters.failed
        );
        Ok(match report.run.state() {
            RunState::Succeeded => plain(StatusCode::OK, format!("OK {told}")),
            state if state.is_final() || state == RunState::Waiting => plain(StatusCode::OK, format!("ERR {told}")),
            _ => plain(StatusCode::ACCEPTED, format!("RUNNING {told}; the status file says how it ends")),
        })
    }

    /// Waits for a run, and for what is left of it in the folder.
    async fn finished(&self, mut report: Report) -> Result<Report, ServiceError> {
        let began = Instant::now();
        while !report.run.state().is_final() && report.run.state() != RunState::Waiting && began.elapsed() < PATIENCE {
            actix_web::rt::time::sleep(LOOK).await;
            let id = report.run.id;
            let found = self.service.exchange.store.read(move |db| reporting::report(db, id)).await?;
            report = found.ok_or(ServiceError::NotFound { kind: "run", key: id.to_string() })?;
        }
        let calls = self.clone();
        let looked = web::block(move || calls.caller.tend_all(&calls.service.exchange)).await;
        looked.map_err(ServiceError::internal)?;
        Ok(report)
    }
}

fn plain(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(format!("{text}\n"))
}
