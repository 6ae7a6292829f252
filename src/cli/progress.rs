//! A run as it goes on, for whoever waits at the terminal.

use super::Done;
use crate::reporting::{Direction, Report, RunState};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal;

/// A bar on a terminal; nothing where output is read by a program.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub fn new(report: &Report, json: bool) -> Self {
        let size = u64::try_from(report.run.source_size).unwrap_or(0);
        let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr_with_hz(8));
        if json || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}  {elapsed} of about {duration}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self(bar)
    }

    pub fn show(&self, report: &Report) {
        self.0.set_position(u64::try_from(report.progress.bytes).unwrap_or(0));
        let counters = report.progress.counters;
        let rate = report.rate().map_or_else(String::new, |r| format!(", {r:.0}/s"));
        self.0.set_message(format!("{} records, {} refused{rate}", counters.read, counters.failed));
    }

    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The report for a person.
pub(super) fn text(report: &Report) -> String {
    let run = &report.run;
    let counters = report.progress.counters;
    let mut out = String::new();
    let dry = if run.dry_run { " (dry run: nothing was written)" } else { "" };
    let is_export = run.direction() == Direction::Export;
    let way = if is_export { "to" } else { "from" };
    let _ = writeln!(out, "Run {} · {} {way} {} · {}{dry}", run.id, run.kind, run.source_name, run.state().label());
    let rows = [
        (if is_export { "written" } else { "read" }, counters.read),
        ("created", counters.created),
        ("updated", counters.updated),
        ("unchanged", counters.unchanged),
        ("skipped", counters.skipped),
        ("deleted", counters.deleted),
        ("refused", counters.failed),
        ("warnings", counters.warnings),
    ];
    for (name, count) in rows {
        if count > 0 || !is_export && matches!(name, "read" | "created" | "updated" | "unchanged" | "refused") {
            let _ = writeln!(out, "  {name:<10} {count:>9}");
        }
    }
    if let Some(seconds) = report.seconds() {
        let rate = report.rate().map_or_else(String::new, |r| format!(" · {r:.0} records/s"));
        let _ = writeln!(
            out,
            "  took {seconds:.1} s{rate} · reading {:.1} s, writing {:.1} s{}",
            report.progress.read_time.as_secs_f64(),
            report.progress.write_time.as_secs_f64(),
            if run.attempt > 1 { format!(" · {} attempts", run.attempt) } else { String::new() },
        );
    }
    if let Some(number) = report.export.as_ref().and_then(|export| export.export_id) {
        let _ = writeln!(out, "  export {number}: once the orders have arrived: soapstone run confirm {}", run.id);
    }
    if let (RunState::Waiting, Some(missing)) = (run.state(), report.progress.missing) {
        let _ = writeln!(out, "  {missing} records are not in the file: soapstone run approve {} deletes them", run.id);
    }
    if run.dry_run && counters.created + counters.updated > 0 {
        let _ = writeln!(out, "  what would change: soapstone run changes {}", run.id);
    }
    if run.state().is_final() && report.progress.rejected_bytes > 0 {
        let _ = writeln!(out, "  the refused records, to correct and import: soapstone run file {}", run.id);
    }
    if let Some(failure) = &run.failure {
        let _ = writeln!(out, "  failed: {failure}");
    }
    out
}

/// The exit code of a run.
pub(super) fn done(report: &Report) -> Done {
    match report.run.state() {
        RunState::SucceededWithErrors => Done::WithRefusals,
        RunState::Failed => Done::Failed,
        RunState::Cancelled => Done::Cancelled,
        RunState::Waiting => Done::WithRefusals,
        RunState::Succeeded | RunState::Paused | RunState::Queued | RunState::Running => Done::Well,
    }
}
