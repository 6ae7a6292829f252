//! The report of a run as a page that stands alone: to be printed, filed, or sent.

use super::{Chart, Direction, Summary, draw, duration, grouped, size};
use askama::Template;
use chrono::NaiveDateTime;

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    title: String,
    state: &'static str,
    facts: Vec<(&'static str, String)>,
    counters: Vec<Bar>,
    stages: Vec<Bar>,
    chart: Option<Chart>,
    chart_seconds: String,
    chart_records: String,
    unusual: Vec<String>,
    usual: Option<String>,
    groups: Vec<GroupShown>,
}

/// A figure as a bar.
struct Bar {
    name: &'static str,
    value: String,
    percent: i64,
}

struct GroupShown {
    severity: String,
    code: String,
    count: String,
    examples: Vec<(String, String)>,
}

fn share(part: i64, whole: i64) -> i64 {
    (part.saturating_mul(100)).checked_div(whole).unwrap_or(0).clamp(0, 100)
}

/// The page of a run.
pub fn report_html(summary: &Summary) -> String {
    let (run, progress) = (&summary.report.run, &summary.report.progress);
    let is_export = run.direction() == Direction::Export;
    let time = |at: Option<NaiveDateTime>| {
        at.map_or_else(|| "–".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
    };
    let mut facts = vec![
        ("Run", run.id.to_string()),
        ("File", run.source_name.clone()),
        ("Size", size(run.source_size)),
        ("SHA-256", run.source_sha256.clone()),
        ("Format", run.format.clone()),
        ("Profile", run.profile.clone().unwrap_or_else(|| "–".to_owned())),
        ("Accepted", time(Some(run.created_at))),
        ("Started", time(run.started_at)),
        ("Ended", time(run.finished_at)),
    ];
    if let Some(client) = &run.client {
        facts.push(("Begun by", client.clone()));
    }
    if let Some(seconds) = summary.report.seconds() {
        facts.push(("Took", duration(seconds)));
    }
    if run.dry_run {
        facts.push(("Dry run", "nothing was written".to_owned()));
    }
    if let Some(failure) = &run.failure {
        facts.push(("Failed", failure.clone()));
    }
    let counted = progress.counters;
    let bar = |name, count: i64| Bar { name, value: grouped(count), percent: share(count, counted.read) };
    let counters = if is_export {
        vec![bar("written", counted.read)]
    } else {
        vec![
            bar("read", counted.read),
            bar("created", counted.created),
            bar("updated", counted.updated),
            bar("unchanged", counted.unchanged),
            bar("skipped", counted.skipped),
            bar("deleted", counted.deleted),
            bar("refused", counted.failed),
            bar("warnings", counted.warnings),
        ]
    };
    let stages = summary.stages();
    let longest = stages.iter().map(|(_, millis)| *millis).max().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a stage")]
    let stage = |(name, millis): (&'static str, i64)| Bar {
        name,
        value: duration(millis as f64 / 1000.0),
        percent: share(millis, longest),
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds on a picture")]
    let point = |(at, records): &(NaiveDateTime, i64)| {
        (run.started_at.map_or(0.0, |start| (*at - start).num_milliseconds() as f64 / 1000.0), *records)
    };
    let chart = draw(&summary.samples.iter().map(point).collect::<Vec<_>>());
    let comparison = summary.comparison.as_ref();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
    let usual = comparison.map(|comparison| {
        format!(
            "Of the {} runs before it, half took {} at most, had {} records and refused {} %.",
            comparison.runs,
            duration(comparison.millis as f64 / 1000.0),
            grouped(comparison.records),
            comparison.failed_percent().to_plain_string()
        )
    });
    let groups = summary.groups.iter().map(|group| GroupShown {
        severity: group.severity.clone(),
        code: group.code.clone(),
        count: grouped(group.count),
        examples: group
            .examples
            .iter()
            .map(|message| {
                let line = message.line.map_or_else(String::new, |line| format!("line {line}"));
                let place = [line, message.record_key.clone().unwrap_or_default()];
                (place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "), message.text.clone())
            })
            .collect(),
    });
    let page = ReportPage {
        title: format!("{} of {}", if is_export { "Export" } else { "Import" }, run.kind),
        state: run.state().label(),
        facts,
        counters,
        stages: stages.into_iter().map(stage).collect(),
        chart_seconds: chart.as_ref().map(|chart| duration(chart.seconds)).unwrap_or_default(),
        chart_records: chart.as_ref().map(|chart| grouped(chart.records)).unwrap_or_default(),
        chart,
        unusual: comparison.map(|comparison| comparison.unusual.clone()).unwrap_or_default(),
        usual,
        groups: groups.collect(),
    };
    page.render().unwrap_or_else(|error| {
        log::error!("a report cannot be drawn: {error}");
        String::new()
    })
}
