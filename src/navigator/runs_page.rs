//! The list of runs.

use super::visitor::Visitor;
use super::{page, unavailable};
use crate::reporting::{Report, RunState, duration, grouped};
use crate::store::{Store, articles, runs};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

/// Runs on one page.
const PAGE: i64 = 25;

#[derive(Deserialize)]
pub(super) struct Wanted {
    state: Option<String>,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    visitor: Visitor,
    rows: Vec<Row>,
    states: Vec<(&'static str, &'static str, bool)>,
    filtered: bool,
    next: Option<String>,
    articles: String,
    sentence: String,
    active: bool,
}

struct Row {
    id: i64,
    kind: String,
    source: String,
    state: &'static str,
    label: &'static str,
    accepted: String,
    took: String,
    records: String,
    written: String,
    failed: i64,
    failed_text: String,
    percent: i64,
    dry_run: bool,
}

impl Row {
    fn of(report: &Report) -> Self {
        let counters = report.progress.counters;
        let state = report.run.state();
        Self {
            id: report.run.id,
            kind: report.run.kind.clone(),
            source: report.run.source_name.clone(),
            state: state.as_str(),
            label: state.label(),
            accepted: report.run.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            took: report.seconds().map_or_else(|| "–".to_owned(), duration),
            records: grouped(counters.read),
            written: grouped(counters.created + counters.updated),
            failed: counters.failed,
            failed_text: grouped(counters.failed),
            percent: report.percent(),
            dry_run: report.run.dry_run,
        }
    }
}

/// How things are, in a sentence.
fn sentence(reports: &[Report]) -> String {
    let count = |wanted: RunState| reports.iter().filter(|r| r.run.state() == wanted).count();
    let (running, queued) = (count(RunState::Running), count(RunState::Queued));
    if running + queued > 0 {
        let waiting = if queued > 0 { format!(", {queued} waiting") } else { String::new() };
        return format!("{running} at work{waiting}.");
    }
    match reports.first().map(|r| (r.run.state(), r.progress.counters.failed)) {
        None => "Nothing was imported yet.".to_owned(),
        Some((RunState::Waiting, _)) => "The last run waits: somebody has to approve what it would delete.".to_owned(),
        Some((RunState::Succeeded, _)) => "All is well: the last run took every record.".to_owned(),
        Some((RunState::SucceededWithErrors, 1)) => "The last run refused one record; its page says why.".to_owned(),
        Some((RunState::SucceededWithErrors, failed)) => {
            format!("The last run refused {} records; its page says why.", grouped(failed))
        }
        Some((RunState::Cancelled, _)) => "The last run was cancelled.".to_owned(),
        Some(_) => "The last run failed; its page says why.".to_owned(),
    }
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    let state = wanted.state.clone().filter(|s| !s.is_empty());
    let filter = runs::Filter { state: state.clone(), before: wanted.before, limit: PAGE, ..runs::Filter::default() };
    let found = store.read(move |db| Ok((runs::list(db, &filter)?, articles::count(db)?))).await;
    let ((reports, more), articles) = match found {
        Ok(found) => found,
        Err(e) => return unavailable(visitor, &e),
    };
    let all = [
        RunState::Queued,
        RunState::Running,
        RunState::Waiting,
        RunState::Paused,
        RunState::Succeeded,
        RunState::SucceededWithErrors,
        RunState::Failed,
        RunState::Cancelled,
    ];
    let next = reports.last().filter(|_| more).map(|r| {
        let state = state.as_ref().map_or_else(String::new, |s| format!("&state={s}"));
        format!("/navigator?before={}{state}", r.run.id)
    });
    page(&RunsPage {
        visitor,
        active: reports.iter().any(|r| matches!(r.run.state(), RunState::Queued | RunState::Running)),
        sentence: sentence(&reports),
        rows: reports.iter().map(Row::of).collect(),
        states: all.iter().map(|s| (s.as_str(), s.label(), state.as_deref() == Some(s.as_str()))).collect(),
        filtered: state.is_some(),
        next,
        articles: grouped(articles),
    })
}
