//! Notices by e-mail: a few lines, with the report to be printed attached.

use crate::reporting::{Direction, Summary, report_html};
use crate::signals::excerpt;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Message, SmtpTransport, Transport};
use std::fmt::Write;
use std::time::Duration;

/// How long a mail server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How e-mail is sent.
#[derive(Clone, Debug, Default)]
pub struct Mailing {
    /// `smtp://user:password@host:587?tls=required`, `smtps://…`; none: no e-mail is sent.
    pub server: Option<String>,
    pub from: Option<Mailbox>,
}

/// The subject: what happened, to what.
fn subject(summary: &Summary) -> String {
    let run = &summary.report.run;
    let way = if run.direction() == Direction::Export { "Export" } else { "Import" };
    format!("{way} of {} {}: run {}, {}", run.kind, run.state().label(), run.id, run.source_name)
}

fn text(summary: &Summary) -> String {
    let (run, counters) = (&summary.report.run, summary.report.progress.counters);
    let mut text = format!("{}\n\n", subject(summary));
    if let Some(failure) = &run.failure {
        let _ = writeln!(text, "{failure}\n");
    }
    if let Some(missing) = summary.report.progress.missing.filter(|_| !run.state().is_final()) {
        let _ = writeln!(
            text,
            "{missing} records are not in the file. Nothing is deleted until somebody approves it:\nsoapstone run approve {}\n",
            run.id
        );
    }
    for unusual in summary.comparison.iter().flat_map(|comparison| &comparison.unusual) {
        let _ = writeln!(text, "Out of the ordinary: {unusual}.");
    }
    for (name, count) in [
        ("read", counters.read),
        ("created", counters.created),
        ("updated", counters.updated),
        ("unchanged", counters.unchanged),
        ("skipped", counters.skipped),
        ("deleted", counters.deleted),
        ("refused", counters.failed),
        ("warnings", counters.warnings),
    ] {
        let _ = writeln!(text, "{name:<10} {count:>9}");
    }
    for group in &summary.groups {
        let _ = writeln!(text, "\n{} × {} [{}]", group.count, group.severity, group.code);
        for example in &group.examples {
            let line = example.line.map_or_else(String::new, |line| format!("line {line}: "));
            let _ = writeln!(text, "  {line}{}", example.text);
        }
    }
    text
}

/// What a failure means, without the words of the mail server: they are in the log.
fn outcome(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "no answer in time".to_owned(),
        None if error.is_tls() => "no secure connection to the mail server".to_owned(),
        None => "no answer from the mail server".to_owned(),
    }
}

impl Mailing {
    /// Sends a notice to all addresses of a rule.
    ///
    /// # Errors
    /// Why the mail server did not take it.
    pub(super) fn send(&self, to: &[Mailbox], summary: &Summary) -> Result<(), String> {
        let (Some(server), Some(from)) = (&self.server, &self.from) else {
            return Err("there is no mail server: set smtp-server and smtp-from".to_owned());
        };
        let mut message = Message::builder().from(from.clone()).subject(subject(summary));
        for mailbox in to {
            message = message.to(mailbox.clone());
        }
        let report = Attachment::new(format!("run-{}.html", summary.report.run.id))
            .body(report_html(summary), ContentType::TEXT_HTML);
        let body = MultiPart::mixed().singlepart(SinglePart::plain(text(summary))).singlepart(report);
        let message = message.multipart(body).map_err(|e| e.to_string())?;
        let transport =
            SmtpTransport::from_url(server).map_err(|e| format!("smtp-server: {e}"))?.timeout(Some(PATIENCE)).build();
        transport.send(&message).map(drop).map_err(|error| {
            log::warn!("The mail server did not take a message: {}", excerpt(&error.to_string()));
            outcome(&error)
        })
    }
}
