//! `soapstone run`

use super::output::{out, outln};
use super::{Done, Failure, Global, Outcome, progress, setup};
use crate::error::ServiceError;
use crate::exchange::Exchange;
use crate::reporting::{self, Report, RunMessage};
use crate::store::batch::Outcome as Recording;
use crate::store::{Db, Store, StoreError, orders, runs};
use chrono::Utc;
use clap::{Args, Subcommand};
use soapstone_contracts::exchange::{ArtifactKind, GetRunChangesResponse, GetRunMessagesResponse, ListRunsResponse};
use soapstone_runtime::json;
use std::collections::BTreeMap;

/// See what runs did; approve, retry or stop one
#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone run list --limit 5
  soapstone run show 12
  soapstone run messages 12 --json
  soapstone run file 12 > rejected.csv      the refused records, to correct and import
  soapstone run changes 12                  what a dry run would change
  soapstone run confirm 12                  the orders of this export have arrived
  soapstone run cancel 12")]
pub(super) struct Run {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The latest runs
    List {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: i64,
        /// Only runs in this state
        #[arg(long)]
        state: Option<String>,
        /// Only runs of this user, folder, schedule or address
        #[arg(long)]
        client: Option<String>,
    },
    /// The report of one run, with its first messages
    Show { id: i64 },
    /// All messages of one run
    Messages {
        id: i64,
        /// How many at most
        #[arg(long, default_value_t = 1000)]
        limit: i64,
    },
    /// What one run said how often, with examples
    Summary { id: i64 },
    /// What a dry run would change
    Changes {
        id: i64,
        /// How many records at most
        #[arg(long, default_value_t = 100)]
        limit: i64,
    },
    /// Write a file of a run: the records that it refused, what was sent, what an export wrote, its messages or report
    File {
        id: i64,
        /// Which file
        #[arg(value_parser = ArtifactKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), default_value = "rejected")]
        kind: String,
    },
    /// Take the refused records of a run again, by a run of its own
    Retry { id: i64 },
    /// Have a run go on that waits, and delete what its file lacks
    Approve { id: i64 },
    /// Halt a run at its next batch
    Pause { id: i64 },
    /// Have a paused run go on where it stopped
    Resume { id: i64 },
    /// Say that the orders of an export have arrived
    Confirm { id: i64 },
    /// Stop a run; what it has written stays
    Cancel { id: i64 },
}

/// How many examples of each code a summary shows.
const EXAMPLES: i64 = 3;

/// How many messages a report shows.
const SHOWN: i64 = 20;

impl Run {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        match &self.what {
            What::List { limit, state, client } => {
                list(&store, *limit, state.as_deref(), client.as_deref(), global.json)
            }
            What::Show { id } => show(&store, *id, global.json),
            What::Messages { id, limit } => messages(&store, *id, *limit, global.json),
            What::Summary { id } => summary(&store, *id, global.json),
            What::File { id, kind } => file(&setup::exchange(&config, store)?, *id, kind),
            What::Retry { id } => retry(&setup::exchange(&config, store)?, *id, global.json),
            What::Approve { id } => change(
                &store,
                *id,
                global.json,
                runs::approve,
                ["goes on; a server works on it", "does not wait to be approved"],
            ),
            What::Changes { id, limit } => changes(&store, *id, *limit, global.json),
            What::Pause { id } => change(
                &store,
                *id,
                global.json,
                runs::pause,
                ["stops at its next batch", "neither waits for its turn nor is at work"],
            ),
            What::Resume { id } => {
                change(&store, *id, global.json, runs::resume, ["goes on; a server works on it", "is not paused"])
            }
            What::Confirm { id } => confirm(&store, *id, global.json),
            What::Cancel { id } => cancel(&store, *id, global.json),
        }
    }
}

fn report(store: &Store, id: i64) -> Result<Report, Failure> {
    let found = reporting::report(&mut *store.connection()?, id)?;
    Ok(found.ok_or(ServiceError::NotFound { kind: "run", key: id.to_string() })?)
}

fn list(store: &Store, limit: i64, state: Option<&str>, client: Option<&str>, as_json: bool) -> Outcome {
    let (state, client) = (state.map(str::to_owned), client.map(str::to_owned));
    let filter = runs::Filter { state, client, limit, ..runs::Filter::default() };
    let (reports, _) = runs::list(&mut *store.connection()?, &filter)?;
    if as_json {
        let run = reports.iter().map(Report::to_contract).collect();
        outln!("{}", json::to_string(&ListRunsResponse { run, next_cursor: None }));
        return Ok(Done::Well);
    }
    if reports.is_empty() {
        outln!("No runs yet. Start one with: soapstone import articles FILE");
        return Ok(Done::Well);
    }
    outln!(
        "{:>6}  {:<19}  {:<10}  {:<21}  {:>9}  {:>7}  source",
        "run",
        "accepted",
        "kind",
        "state",
        "records",
        "refused"
    );
    for report in &reports {
        outln!(
            "{:>6}  {:<19}  {:<10}  {:<21}  {:>9}  {:>7}  {}",
            report.run.id,
            report.run.created_at.format("%Y-%m-%d %H:%M:%S"),
            report.run.kind,
            report.run.state().label(),
            report.progress.counters.read,
            report.progress.counters.failed,
            report.run.source_name,
        );
    }
    Ok(Done::Well)
}

fn show(store: &Store, id: i64, as_json: bool) -> Outcome {
    let report = report(store, id)?;
    if as_json {
        outln!("{}", json::to_string(&report.to_contract()));
    } else {
        out!("{}", progress::text(&report));
        if report.progress.messages > 0 {
            print_messages(store, id, SHOWN)?;
        }
    }
    Ok(Done::Well)
}

fn messages(store: &Store, id: i64, limit: i64, as_json: bool) -> Outcome {
    report(store, id)?;
    if as_json {
        let (found, more) = runs::messages(&mut *store.connection()?, id, None, None, 0, limit)?;
        let next_cursor = found.last().filter(|_| more).map(|m| m.number.to_string());
        let message = found.iter().map(RunMessage::to_contract).collect();
        outln!("{}", json::to_string(&GetRunMessagesResponse { message, next_cursor }));
    } else {
        print_messages(store, id, limit)?;
    }
    Ok(Done::Well)
}

/// The first messages of a run, a line each, with what to do about it.
pub(super) fn print_messages(store: &Store, id: i64, limit: i64) -> Result<(), Failure> {
    let (found, more) = runs::messages(&mut *store.connection()?, id, None, None, 0, limit)?;
    for message in &found {
        let line = message.line.map_or_else(String::new, |line| format!("line {line}"));
        let column = message.column.map_or_else(String::new, |column| format!(":{column}"));
        let key = message.record_key.as_ref().map_or_else(String::new, |key| format!(" {key}"));
        outln!("  {} {line}{column}{key}: {} [{}]", message.severity, message.text, message.code);
        if let (Some(field), Some(value)) = (&message.field, &message.value) {
            outln!("      {field} = \"{}\"", value.replace('\n', "\\n"));
        }
        if let Some(suggestion) = &message.suggestion {
            outln!("      {suggestion}");
        }
    }
    if more {
        outln!("  … and more: soapstone run messages {id}");
    }
    Ok(())
}

fn summary(store: &Store, id: i64, as_json: bool) -> Outcome {
    let found = reporting::summary(&mut *store.connection()?, id, EXAMPLES)?;
    let summary = found.ok_or(ServiceError::NotFound { kind: "run", key: id.to_string() })?;
    if as_json {
        outln!("{}", json::to_string(&summary.to_contract()));
        return Ok(Done::Well);
    }
    for group in &summary.groups {
        outln!("{:>9} × {} [{}]", group.count, group.severity, group.code);
        for example in &group.examples {
            let line = example.line.map_or_else(String::new, |line| format!("line {line}: "));
            outln!("            {line}{}", example.text);
        }
    }
    Ok(Done::Well)
}

fn file(exchange: &Exchange, id: i64, kind: &str) -> Outcome {
    let kind = ArtifactKind::ALL.iter().copied().find(|of| of.as_str() == kind).unwrap_or(ArtifactKind::Rejected);
    let (_, mut file) = exchange.artifact(&report(&exchange.store, id)?, kind)?;
    std::io::copy(&mut file, &mut std::io::stdout().lock()).map_err(|e| Failure(format!("cannot write: {e}")))?;
    Ok(Done::Well)
}

fn retry(exchange: &Exchange, id: i64, as_json: bool) -> Outcome {
    let refused = report(&exchange.store, id)?;
    let accepted = exchange.retry(&mut *exchange.store.connection()?, &refused, setup::initiator())?;
    if as_json {
        outln!("{}", json::to_string(&exchange.shown(&accepted.report)));
    } else {
        outln!("Run {} takes them; a server works on it.", accepted.report.run.id);
    }
    Ok(Done::Well)
}

/// Changes a run; `said` is what is said if that went, and if not.
fn change(
    store: &Store,
    id: i64,
    as_json: bool,
    how: fn(&mut Db, i64) -> Result<bool, StoreError>,
    said: [&str; 2],
) -> Outcome {
    report(store, id)?;
    let [done, not_done] = said;
    if !store.connection()?.write(|db| how(db, id))? {
        return Err(Failure(format!("run {id} {not_done}")));
    }
    if as_json {
        outln!("{}", json::to_string(&report(store, id)?.to_contract()));
    } else {
        outln!("Run {id} {done}.");
    }
    Ok(Done::Well)
}

fn confirm(store: &Store, id: i64, as_json: bool) -> Outcome {
    let Some(export) = report(store, id)?.export.and_then(|export| export.export_id) else {
        return Err(Failure(format!("run {id} did not hand out orders under a lease")));
    };
    let confirm = |db: &mut Db| orders::confirm(db, &export.to_string(), &[], Utc::now().naive_utc());
    let confirmed = store.connection()?.write(confirm)?.unwrap_or_default();
    let wrong = confirmed.iter().filter(|(_, recorded)| recorded.outcome == Recording::Refused).count();
    if as_json {
        outln!(
            "{}",
            serde_json::json!({"exportNumber": export.to_string(), "confirmed": confirmed.len() - wrong, "failed": wrong})
        );
    } else {
        outln!("Export {export}: {} orders confirmed.", confirmed.len() - wrong);
    }
    Ok(if wrong > 0 { Done::WithRefusals } else { Done::Well })
}

fn changes(store: &Store, id: i64, limit: i64, as_json: bool) -> Outcome {
    report(store, id)?;
    let (found, more) = runs::changes(&mut *store.connection()?, id, 0, limit)?;
    if as_json {
        let next_cursor = found.last().filter(|_| more).map(|change| change.number.to_string());
        let change = found.into_iter().map(reporting::change).collect();
        outln!("{}", json::to_string(&GetRunChangesResponse { change, next_cursor }));
        return Ok(Done::Well);
    }
    for change in &found {
        outln!("{} {}", change.outcome, change.key);
        for field in &change.fields {
            let shown = |value: &Option<String>| value.as_ref().map_or_else(|| "–".to_owned(), |v| format!("\"{v}\""));
            outln!("      {} {} → {}", field.field, shown(&field.before), shown(&field.after));
        }
    }
    if more {
        outln!("  … and more: soapstone run changes {id} --limit 1000");
    }
    Ok(Done::Well)
}

fn cancel(store: &Store, id: i64, as_json: bool) -> Outcome {
    report(store, id)?;
    let cancelled = store.connection()?.write(|db| runs::cancel(db, id, Utc::now().naive_utc()))?;
    if !cancelled {
        return Err(Failure(format!("run {id} is done already and cannot be cancelled")));
    }
    let report = report(store, id)?;
    if as_json {
        outln!("{}", json::to_string(&report.to_contract()));
    } else {
        outln!("Run {id} stops after its batch; what it has written stays.");
    }
    Ok(Done::Well)
}
