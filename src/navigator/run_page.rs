//! One run: how far it is, what became of its records, what it has to say, how long it took.

use super::query::address;
use super::visitor::Visitor;
use super::{not_found, page, unavailable};
use crate::reporting::{self, Chart, Direction, Report, RunMessage, RunState, Summary, draw, duration, grouped, size};
use crate::store::{Db, Store, StoreError, runs};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use chrono::NaiveDateTime;
use serde::Deserialize;
use soapstone_contracts::exchange::{ArtifactKind, RunChange as Change};

/// Messages on one page.
const PAGE: i64 = 50;

/// Changes that are shown of a dry run.
const CHANGES: i64 = 25;

#[derive(Deserialize)]
pub(super) struct Wanted {
    after: Option<i64>,
    /// Messages of that code only.
    #[serde(default)]
    code: String,
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    visitor: Visitor,
    deeds: Vec<Deed>,
    changes: Vec<Change>,
    more_changes: bool,
    id: i64,
    kind: String,
    way: &'static str,
    source: String,
    state: &'static str,
    label: &'static str,
    active: bool,
    dry_run: bool,
    percent: i64,
    counters: Vec<Counter>,
    facts: Vec<(&'static str, String)>,
    failure: Option<String>,
    /// How many records would be deleted, if somebody approved it.
    waiting_for: Option<String>,
    /// What its files are called, and where they are.
    files: Vec<(&'static str, String)>,
    codes: Vec<Code>,
    /// The code that is looked at; empty: all.
    code: String,
    messages: Vec<Line>,
    next: Option<String>,
    remaining: Option<String>,
    rate: Option<String>,
    beside: Vec<Beside>,
    unusual: Vec<String>,
    earlier: usize,
    can_correct: bool,
    stages: Vec<Stage>,
    chart: Option<Chart>,
    chart_seconds: String,
    chart_records: String,
}

struct Counter {
    name: &'static str,
    value: String,
    /// Which colour it has; none where there is nothing.
    class: &'static str,
    share: i64,
}

struct Code {
    severity: String,
    code: String,
    count: String,
}

/// A figure of the run, and what is usual.
struct Beside {
    name: &'static str,
    own: String,
    usual: String,
}

struct Line {
    severity: String,
    place: String,
    /// Where the source shows it.
    address: Option<String>,
    key: String,
    field: String,
    value: String,
    text: String,
    suggestion: String,
    code: String,
}

struct Stage {
    name: &'static str,
    time: String,
    share: i64,
}

impl Line {
    fn of(message: RunMessage, run: i64, visitor: &Visitor, is_kept: bool) -> Self {
        let address = message.line.filter(|_| is_kept).map(|line| {
            let column = message.column.map(|column| format!("&column={column}")).unwrap_or_default();
            format!("/navigator/runs/{run}/source?line={line}{column}")
        });
        let place = match (message.line, message.column) {
            (Some(line), Some(column)) => visitor.tell_two("line {}, column {}", line, column),
            (Some(line), None) => visitor.tell("line {}", line),
            _ => String::new(),
        };
        Self {
            severity: message.severity,
            place,
            address,
            key: message.record_key.unwrap_or_default(),
            field: message.field.unwrap_or_default(),
            value: message.value.unwrap_or_default(),
            text: message.text,
            suggestion: message.suggestion.unwrap_or_default(),
            code: message.code,
        }
    }
}

fn counters(report: &Report) -> Vec<Counter> {
    let counters = report.progress.counters;
    if report.run.direction() == Direction::Export {
        return vec![Counter { name: "written", value: grouped(counters.read), class: "created", share: 100 }];
    }
    let share = |count: i64| (count * 100).checked_div(counters.read).unwrap_or(0);
    let of = |name, value, class| Counter {
        name,
        value: grouped(value),
        class: if value == 0 { "none" } else { class },
        share: share(value),
    };
    let mut all = vec![
        of("created", counters.created, "created"),
        of("updated", counters.updated, "updated"),
        of("unchanged", counters.unchanged, "unchanged"),
        of("refused", counters.failed, "failed"),
    ];
    if report.run.mode == "full" {
        all.push(of("deleted", counters.deleted, "failed"));
    }
    all
}

/// The files of a run, with their addresses.
fn files(report: &Report) -> Vec<(&'static str, String)> {
    let address = |kind: ArtifactKind| format!("/api/v1/runs/{}/artifacts/{kind}/file", report.run.id);
    let mut files = Vec::new();
    if report.run.direction() == Direction::Import {
        files.push(("What was sent", address(ArtifactKind::Source)));
    } else if report.run.state() == RunState::Succeeded {
        files.push(("What was written", address(ArtifactKind::Result_)));
    }
    if report.run.state().is_final() && report.progress.rejected_bytes > 0 {
        files.push(("The refused records, to correct and import", address(ArtifactKind::Rejected)));
    }
    files.push(("The report, to print", address(ArtifactKind::Report)));
    if report.progress.messages > 0 {
        files.push(("All messages, as CSV", address(ArtifactKind::Messages)));
    }
    files
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let run = &report.run;
    let time = |at: Option<NaiveDateTime>| {
        at.map_or_else(|| "–".to_owned(), |t| t.format("%Y-%m-%d %H:%M:%S UTC").to_string())
    };
    let mut facts = vec![
        ("File", run.source_name.clone()),
        ("Size", size(run.source_size)),
        ("SHA-256", run.source_sha256.clone()),
        ("Format", run.profile.as_ref().map_or_else(|| run.format.clone(), |p| format!("{}, profile {p}", run.format))),
        ("Came by", channel(&run.channel).to_owned()),
        ("Accepted", time(Some(run.created_at))),
        ("Started", time(run.started_at)),
        ("Ended", time(run.finished_at)),
    ];
    if let Some(client) = &run.client {
        facts.insert(5, ("Begun by", client.clone()));
    }
    if run.mode == "full" {
        facts.push(("Holds", "all records: what is not in it is deleted".to_owned()));
    }
    if let Some(of) = run.retry_of {
        facts.push(("Takes again", format!("what run {of} refused")));
    }
    if run.attempt > 1 {
        facts.push(("Attempts", run.attempt.to_string()));
    }
    facts
}

fn stages(report: &Report) -> Vec<Stage> {
    let (read, write) = (report.progress.read_time.as_secs_f64(), report.progress.write_time.as_secs_f64());
    let all = report.seconds().unwrap_or(0.0).max(read).max(write).max(0.001);
    #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 100")]
    let stage =
        |name, seconds: f64| Stage { name, time: duration(seconds), share: (seconds / all * 100.0).round() as i64 };
    let filter = report.progress.filter_time.as_secs_f64();
    let mut stages = vec![stage("Reading and mapping", read)];
    if filter > 0.0 {
        stages.push(stage("Filtering", filter));
    }
    stages.push(stage("Comparing and writing", write));
    stages
}

fn timeline(report: &Report, samples: &[(NaiveDateTime, i64)]) -> Option<Chart> {
    let start = report.run.started_at?;
    #[expect(clippy::cast_precision_loss, reason = "seconds on a picture")]
    let seconds = |at: NaiveDateTime| (at - start).num_milliseconds() as f64 / 1000.0;
    let points: Vec<(f64, i64)> = samples.iter().map(|(at, done)| (seconds(*at), *done)).collect();
    draw(&points)
}

struct Found {
    summary: Summary,
    messages: (Vec<RunMessage>, bool),
    changes: (Vec<runs::Change>, bool),
}

fn look(db: &mut Db, id: i64, code: Option<&str>, after: i64) -> Result<Option<Found>, StoreError> {
    let Some(summary) = reporting::summary(db, id, 0)? else { return Ok(None) };
    let messages = runs::messages(db, id, None, code, after, PAGE)?;
    Ok(Some(Found { summary, messages, changes: runs::changes(db, id, 0, CHANGES)? }))
}

/// The run beside those of its kind before it.
fn beside(summary: &Summary) -> Vec<Beside> {
    let (Some(usual), report) = (&summary.comparison, &summary.report) else { return Vec::new() };
    let counters = report.progress.counters;
    let share = |part: i64, whole: i64| {
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let share = part as f64 * 100.0 / whole.max(1) as f64;
        format!("{share:.1} %")
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
    let took = |millis: i64| duration(millis as f64 / 1000.0);
    vec![
        Beside { name: "Duration", own: report.seconds().map(duration).unwrap_or_default(), usual: took(usual.millis) },
        Beside { name: "Records", own: grouped(counters.read), usual: grouped(usual.records) },
        Beside {
            name: "Refused",
            own: share(counters.failed, counters.read),
            usual: format!("{} %", usual.failed_percent().with_scale(1)),
        },
    ]
}

/// A button.
struct Deed {
    /// As the address has it.
    name: &'static str,
    label: &'static str,
    /// Of how many records, where that matters.
    count: Option<String>,
    /// What it does, in a sentence.
    hint: &'static str,
    /// What it takes away cannot be brought back.
    is_grave: bool,
}

/// What can be done to a run as it stands.
fn deeds(report: &Report) -> Vec<Deed> {
    let deed = |name, label, hint, is_grave| Deed { name, label, count: None, hint, is_grave };
    let cancel = || deed("cancel", "Cancel", "It ends; what is written stays.", true);
    let run = &report.run;
    match run.state() {
        RunState::Queued | RunState::Running => {
            let pause = deed("pause", "Pause", "It halts after its batch, and goes on when you say so.", false);
            // One transaction cannot be halted half-way.
            let pausable = !(run.all_or_nothing && run.state() == RunState::Running);
            pausable.then_some(pause).into_iter().chain([cancel()]).collect()
        }
        RunState::Paused => vec![deed("resume", "Go on", "It goes on where it stopped.", false), cancel()],
        RunState::Waiting => {
            let count = Some(grouped(report.progress.missing.unwrap_or(0)));
            let approve =
                deed("approve", "Delete the records that are missing:", "Those that are not in the file.", true);
            vec![Deed { count, ..approve }, cancel()]
        }
        _ => {
            let mut deeds = Vec::new();
            if run.dry_run && run.direction() == Direction::Import && run.state() != RunState::Cancelled {
                deeds.push(deed(
                    "carry-out",
                    "Import it now",
                    "The same file, and what is told here is written.",
                    false,
                ));
            }
            if report.progress.rejected_bytes > 0 {
                let hint = "The refused records again, as they are: once what they need is there.";
                deeds.push(deed("retry", "Take the refused again", hint, false));
            }
            if run.direction() == Direction::Import && !run.source_path.is_empty() {
                let hint = "A dry run of the same file: what it would change as things are now.";
                deeds.push(deed("try-again", "Try it again", hint, false));
            }
            deeds
        }
    }
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, id: Path<i64>, wanted: Query<Wanted>) -> HttpResponse {
    let Wanted { after, code } = wanted.into_inner();
    let (id, after) = (id.into_inner(), after.unwrap_or(0));
    let of_code = Some(code.clone()).filter(|code| !code.is_empty());
    let Found { summary, messages: (messages, more), changes: (changes, more_changes) } =
        match store.read(move |db| look(db, id, of_code.as_deref(), after)).await {
            Ok(Some(found)) => found,
            Ok(None) => return not_found(visitor, format!("There is no run {id}.")),
            Err(e) => return unavailable(visitor, &e),
        };
    let report = &summary.report;
    let is_kept = report.run.direction() == Direction::Import && !report.run.source_path.is_empty();
    let is_final = report.run.state().is_final();
    let next = messages
        .last()
        .filter(|_| more)
        .map(|last| address(&format!("/navigator/runs/{id}"), &[("after", &last.number.to_string()), ("code", &code)]));
    let mut facts = facts(report);
    if let Some(seconds) = report.seconds() {
        facts.push(("Took", duration(seconds)));
    }
    if let Some(rate) = report.rate() {
        #[expect(clippy::cast_possible_truncation, reason = "a rate for people")]
        facts.push(("Rate", format!("{} records/s", grouped(rate.round() as i64))));
    }
    let chart = timeline(report, &summary.samples);
    #[expect(clippy::cast_possible_truncation, reason = "a rate for people")]
    let rate = report.rate().map(|rate| grouped(rate.round() as i64));
    page(&RunPage {
        deeds: if visitor.may_change() { deeds(report) } else { Vec::new() },
        can_correct: visitor.may_change() && is_kept && is_final && report.progress.counters.failed > 0,
        remaining: report.remaining().map(duration),
        rate: rate.filter(|_| report.run.state() == RunState::Running),
        beside: beside(&summary),
        unusual: summary.comparison.as_ref().map(|comparison| comparison.unusual.clone()).unwrap_or_default(),
        earlier: summary.comparison.as_ref().map_or(0, |comparison| comparison.runs),
        messages: messages.into_iter().map(|message| Line::of(message, id, &visitor, is_kept)).collect(),
        next,
        code,
        changes: changes.into_iter().map(reporting::change).collect(),
        more_changes,
        visitor,
        id,
        kind: report.run.kind.clone(),
        way: if report.run.direction() == Direction::Export { "Export" } else { "Import" },
        source: report.run.source_name.clone(),
        state: report.run.state().as_str(),
        label: report.run.state().label(),
        active: matches!(report.run.state(), RunState::Queued | RunState::Running),
        dry_run: report.run.dry_run,
        percent: report.percent(),
        counters: counters(report),
        failure: report.run.failure.clone(),
        waiting_for: report.progress.missing.filter(|_| report.run.state() == RunState::Waiting).map(grouped),
        files: files(report),
        codes: summary
            .groups
            .iter()
            .map(|group| Code {
                severity: group.severity.clone(),
                code: group.code.clone(),
                count: grouped(group.count),
            })
            .collect(),
        stages: stages(report),
        chart_seconds: chart.as_ref().map(|c| duration(c.seconds)).unwrap_or_default(),
        chart_records: chart.as_ref().map(|c| grouped(c.records)).unwrap_or_default(),
        chart,
        facts,
    })
}

/// How a run was started, in words.
pub(super) fn channel(channel: &str) -> &str {
    match channel {
        "soap" => "SOAP",
        "rest" => "REST",
        "commandLine" => "command line",
        "navigator" => "Navigator",
        "hotFolder" => "watched folder",
        "schedule" => "schedule",
        "caller" => "Caller",
        "client" => "client at the ERP",
        other => other,
    }
}
