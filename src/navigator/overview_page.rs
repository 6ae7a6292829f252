//! How things are, at a glance.

use super::visitor::Visitor;
use super::{page, unavailable};
use crate::exchange::channels::Channels;
use crate::reporting::{Report, RunState, grouped};
use crate::store::runs::{self, Complaint, Lately};
use crate::store::{Db, Store, StoreError, articles, orders};
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{NaiveDateTime, TimeDelta, Timelike, Utc};
use std::collections::BTreeSet;

/// How far the glance goes back.
const HOURS: i64 = 24;

/// Codes that are shown.
const CODES: i64 = 8;

/// Runs that are shown of each state that somebody should look at.
const RUNS: i64 = 5;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    visitor: Visitor,
    sentence: String,
    is_well: bool,
    active: bool,
    tiles: Vec<Tile>,
    hours: Vec<Hour>,
    most: String,
    attention: Vec<Line>,
    at_work: Vec<Line>,
    queued: i64,
    nodes: Vec<String>,
    codes: Vec<Code>,
    schedules: Vec<(String, String)>,
    articles: String,
    orders_new: String,
    orders_leased: String,
}

struct Tile {
    figure: String,
    name: &'static str,
    /// Which colour it has.
    class: &'static str,
    /// The list behind it.
    state: &'static str,
}

/// What was read in an hour, as a bar.
struct Hour {
    x: i64,
    y: i64,
    height: i64,
    told: String,
}

struct Line {
    id: i64,
    source: String,
    kind: String,
    state: &'static str,
    label: &'static str,
    why: String,
    percent: i64,
}

struct Code {
    code: String,
    count: String,
    run: i64,
}

impl Line {
    fn of(report: &Report, visitor: &Visitor) -> Self {
        let run = &report.run;
        let why = match run.state() {
            RunState::Waiting => {
                let missing = grouped(report.progress.missing.unwrap_or(0));
                visitor.tell("it would delete {} records, if somebody approved it", missing)
            }
            RunState::Failed => run.failure.clone().unwrap_or_default(),
            RunState::SucceededWithErrors => visitor.tell("{} refused", grouped(report.progress.counters.failed)),
            _ => String::new(),
        };
        Self {
            id: run.id,
            source: run.source_name.clone(),
            kind: run.kind.clone(),
            state: run.state().as_str(),
            label: run.state().label(),
            why,
            percent: report.percent(),
        }
    }
}

/// What the page is drawn of.
struct Glance {
    lately: Vec<Lately>,
    complaints: Vec<Complaint>,
    at_work: Vec<Report>,
    waiting: Vec<Report>,
    paused: Vec<Report>,
    failed: Vec<Report>,
    queued: i64,
    articles: i64,
    orders: (i64, i64),
}

fn look(db: &mut Db, since: NaiveDateTime) -> Result<Glance, StoreError> {
    let of = |db: &mut Db, state: RunState, limit: i64| {
        let filter = runs::Filter { state: Some(state.as_str().to_owned()), limit, ..runs::Filter::default() };
        runs::list(db, &filter).map(|(found, _)| found)
    };
    let mut failed = of(db, RunState::Failed, RUNS)?;
    failed.extend(of(db, RunState::SucceededWithErrors, RUNS)?);
    failed.retain(|report| report.run.finished_at.is_some_and(|at| at >= since));
    failed.sort_by_key(|report| std::cmp::Reverse(report.run.id));
    let by_state = runs::by_state(db)?;
    let queued = by_state.iter().find(|(state, _)| state == RunState::Queued.as_str()).map_or(0, |(_, count)| *count);
    Ok(Glance {
        lately: runs::lately(db, since)?,
        complaints: runs::complaints(db, since, CODES)?,
        at_work: of(db, RunState::Running, 20)?,
        waiting: of(db, RunState::Waiting, RUNS)?,
        paused: of(db, RunState::Paused, RUNS)?,
        failed,
        queued,
        articles: articles::count(db)?,
        orders: orders::to_export(db)?,
    })
}

impl Glance {
    fn count(&self, state: RunState) -> i64 {
        i64::try_from(self.lately.iter().filter(|run| run.state == state.as_str()).count()).unwrap_or(i64::MAX)
    }

    /// How things are, in a sentence; and whether they are well.
    fn sentence(&self, visitor: &Visitor) -> (String, bool) {
        let (failed, with_errors) = (self.count(RunState::Failed), self.count(RunState::SucceededWithErrors));
        let refused: i64 = self.lately.iter().map(|run| run.refused).sum();
        let many = |count: i64, one: &'static str, more: &'static str| {
            if count == 1 { visitor.t(one).to_owned() } else { visitor.tell(more, grouped(count)) }
        };
        let mut told = Vec::new();
        if !self.waiting.is_empty() {
            told.push(visitor.t("a run waits until somebody approves what it would delete").to_owned());
        }
        if failed > 0 {
            told.push(many(failed, "one run failed", "{} runs failed"));
        }
        if with_errors > 0 {
            let (records, runs) = (many(refused, "one record", "{} records"), many(with_errors, "one run", "{} runs"));
            told.push(visitor.tell_two("{} of {} refused", records, runs));
        }
        if told.is_empty() {
            let none = self.lately.is_empty() && self.at_work.is_empty();
            let text = if none { "Nothing happened in the last 24 hours." } else { "All is well." };
            return (visitor.t(text).to_owned(), true);
        }
        let text = told.join("; ");
        let mut chars = text.chars();
        let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        (format!("{first}{}.", chars.as_str()), false)
    }

    fn tiles(&self) -> Vec<Tile> {
        let tile = |figure: i64, name, class, state: RunState| Tile {
            figure: grouped(figure),
            name,
            class: if figure == 0 { "none" } else { class },
            state: state.as_str(),
        };
        let at_work = i64::try_from(self.at_work.len()).unwrap_or(0);
        vec![
            tile(self.count(RunState::Succeeded), "succeeded", "created", RunState::Succeeded),
            tile(
                self.count(RunState::SucceededWithErrors),
                "with refused records",
                "warned",
                RunState::SucceededWithErrors,
            ),
            tile(self.count(RunState::Failed), "failed", "failed", RunState::Failed),
            tile(at_work, "at work", "updated", RunState::Running),
            tile(self.queued, "in the queue", "updated", RunState::Queued),
        ]
    }

    /// What was read in each hour, the oldest first; and the most.
    fn hours(&self, now: NaiveDateTime) -> (Vec<Hour>, i64) {
        let mut read = [0_i64; HOURS as usize];
        for run in &self.lately {
            let age = run.finished_at.map(|at| (now - at).num_hours());
            if let Some(place) = age.and_then(|age| usize::try_from(HOURS - 1 - age).ok())
                && let Some(hour) = read.get_mut(place)
            {
                *hour += run.read;
            }
        }
        let most = read.iter().copied().max().unwrap_or(0);
        let bar = |(place, read): (i64, &i64)| {
            let height = (read * 100).checked_div(most).unwrap_or(0).max(i64::from(*read > 0));
            let began = now - TimeDelta::hours(HOURS - place);
            let told = format!("{} records from {:02}:{:02}", grouped(*read), began.hour(), began.minute());
            Hour { x: place * 26, y: 100 - height, height, told }
        };
        ((0..).zip(&read).map(bar).collect(), most)
    }
}

pub(super) async fn show(store: Data<Store>, channels: Data<Channels>, visitor: Visitor) -> HttpResponse {
    let now = Utc::now().naive_utc();
    let glance = match store.read(move |db| look(db, now - TimeDelta::hours(HOURS))).await {
        Ok(glance) => glance,
        Err(error) => return unavailable(visitor, &error),
    };
    let (sentence, is_well) = glance.sentence(&visitor);
    let (hours, most) = glance.hours(now);
    let nodes: BTreeSet<String> = glance.at_work.iter().filter_map(|report| report.run.node.clone()).collect();
    let mut next: Vec<(NaiveDateTime, String)> = channels
        .schedules
        .iter()
        .filter_map(|schedule| schedule.next(now).map(|at| (at, schedule.name.clone())))
        .collect();
    next.sort();
    let attention = glance.waiting.iter().chain(&glance.paused).chain(&glance.failed);
    let attention = attention.map(|report| Line::of(report, &visitor)).collect();
    let at_work = glance.at_work.iter().map(|report| Line::of(report, &visitor)).collect();
    page(&OverviewPage {
        visitor,
        is_well,
        sentence,
        active: !glance.at_work.is_empty() || glance.queued > 0,
        tiles: glance.tiles(),
        hours,
        most: grouped(most),
        attention,
        at_work,
        queued: glance.queued,
        nodes: nodes.into_iter().collect(),
        codes: glance
            .complaints
            .into_iter()
            .map(|complaint| Code { code: complaint.code, count: grouped(complaint.count), run: complaint.run })
            .collect(),
        schedules: next
            .into_iter()
            .take(6)
            .map(|(at, name)| (name, at.format("%Y-%m-%d %H:%M UTC").to_string()))
            .collect(),
        articles: grouped(glance.articles),
        orders_new: grouped(glance.orders.0),
        orders_leased: grouped(glance.orders.1),
    })
}
