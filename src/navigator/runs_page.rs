//! The list of runs.

use super::query::{address, said};
use super::run_page::channel;
use super::visitor::Visitor;
use super::{page, unavailable};
use crate::reporting::{Report, RunState, duration, grouped};
use crate::store::{Store, articles, runs};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use serde::Deserialize;
use soapstone_contracts::exchange::{Channel, RunKind};

/// Runs on one page.
const PAGE: i64 = 25;

/// Those at whose wish runs began, to choose from.
const CLIENTS: i64 = 200;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    state: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    client: String,
    #[serde(default)]
    text: String,
    /// Days, as a browser's own field has them.
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    before: Option<i64>,
}

/// The beginning of a day; None: it is none.
fn day(text: &str) -> Option<NaiveDateTime> {
    text.trim().parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN))
}

impl Wanted {
    fn is_narrowed(&self) -> bool {
        [&self.state, &self.kind, &self.channel, &self.client, &self.text, &self.from, &self.to]
            .into_iter()
            .any(|one| !one.is_empty())
    }

    fn filter(&self) -> runs::Filter {
        runs::Filter {
            kind: said(&self.kind),
            state: said(&self.state),
            channel: said(&self.channel),
            client: said(&self.client),
            text: said(&self.text),
            since: day(&self.from),
            // The day itself counts.
            until: day(&self.to).and_then(|day| day.checked_add_days(Days::new(1))),
            before: self.before,
            limit: PAGE,
            ..runs::Filter::default()
        }
    }

    /// The address of the runs before one.
    fn older(&self, before: i64) -> String {
        let before = before.to_string();
        let said = [
            ("before", before.as_str()),
            ("state", &self.state),
            ("kind", &self.kind),
            ("channel", &self.channel),
            ("client", &self.client),
            ("text", &self.text),
            ("from", &self.from),
            ("to", &self.to),
        ];
        address("/navigator/runs", &said)
    }
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    visitor: Visitor,
    rows: Vec<Row>,
    states: Vec<(&'static str, &'static str, bool)>,
    kinds: Vec<(&'static str, bool)>,
    channels: Vec<(&'static str, &'static str, bool)>,
    clients: Vec<(String, bool)>,
    text: String,
    from: String,
    to: String,
    filtered: bool,
    next: Option<String>,
    articles: String,
    sentence: String,
    active: bool,
}

pub(super) struct Row {
    pub id: i64,
    pub kind: String,
    pub source: String,
    pub state: &'static str,
    pub label: &'static str,
    pub accepted: String,
    pub took: String,
    pub records: String,
    pub written: String,
    pub failed: i64,
    pub failed_text: String,
    pub percent: i64,
    pub dry_run: bool,
}

impl Row {
    pub fn of(report: &Report) -> Self {
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
fn sentence(reports: &[Report], visitor: &Visitor) -> String {
    let count = |wanted: RunState| reports.iter().filter(|r| r.run.state() == wanted).count();
    let (running, queued) = (count(RunState::Running), count(RunState::Queued));
    if running + queued > 0 {
        return visitor.tell_two("{} at work, {} waiting.", running, queued);
    }
    let told = match reports.first().map(|r| (r.run.state(), r.progress.counters.failed)) {
        None => "Nothing was imported yet.",
        Some((RunState::Waiting, _)) => "The last run waits: somebody has to approve what it would delete.",
        Some((RunState::Succeeded, _)) => "All is well: the last run took every record.",
        Some((RunState::SucceededWithErrors, 1)) => "The last run refused one record; its page says why.",
        Some((RunState::SucceededWithErrors, failed)) => {
            return visitor.tell("The last run refused {} records; its page says why.", grouped(failed));
        }
        Some((RunState::Cancelled, _)) => "The last run was cancelled.",
        Some(_) => "The last run failed; its page says why.",
    };
    visitor.t(told).to_owned()
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    let filter = wanted.filter();
    let found = store.read(move |db| {
        let clients = runs::clients(db, CLIENTS)?;
        Ok((runs::list(db, &filter)?, articles::count(db)?, clients))
    });
    let ((reports, more), articles, clients) = match found.await {
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
    let next = reports.last().filter(|_| more).map(|report| wanted.older(report.run.id));
    let sentence = sentence(&reports, &visitor);
    page(&RunsPage {
        visitor,
        active: reports.iter().any(|r| matches!(r.run.state(), RunState::Queued | RunState::Running)),
        sentence,
        rows: reports.iter().map(Row::of).collect(),
        states: all.iter().map(|state| (state.as_str(), state.label(), wanted.state == state.as_str())).collect(),
        kinds: RunKind::ALL.iter().map(|kind| (kind.as_str(), wanted.kind == kind.as_str())).collect(),
        channels: Channel::ALL
            .iter()
            .map(|way| (way.as_str(), channel(way.as_str()), wanted.channel == way.as_str()))
            .collect(),
        clients: clients
            .into_iter()
            .map(|client| {
                let is_wanted = client == wanted.client;
                (client, is_wanted)
            })
            .collect(),
        text: wanted.text.clone(),
        from: wanted.from.clone(),
        to: wanted.to.clone(),
        filtered: wanted.is_narrowed(),
        next,
        articles: grouped(articles),
    })
}
