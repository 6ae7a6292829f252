//! `soapstone message`

use super::contract::profile::tell;
use super::output::outln;
use super::{Done, Failure, Global, Outcome, setup};
use crate::profile::{Finding, Recorded, envelope};
use crate::store::messages::{self, Message as Kept, Wanted};
use clap::{Args, Subcommand};
use quick_xml::{Reader, Writer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Look at requests and answers that were kept
#[derive(Args)]
#[command(after_help = "\
Messages are kept of clients that capture-clients names, without what capture-secrets names, up to capture-bytes of
each, for capture-days.

Examples:
  soapstone serve --set capture-clients=erp,10.1.2.3
  soapstone message list --client erp --failed
  soapstone message show 2f9c1b7a44d0e613            by the id that a fault names")]
pub(super) struct Message {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List messages, the latest first
    List {
        /// Only those of a user or an address
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
        /// Only those that went wrong
        #[arg(long)]
        failed: bool,
        /// Only those with that text in request or answer
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        /// How many
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: u16,
    },
    /// Tell where messages do not keep the WS-I Basic Profile
    Check {
        /// How many, the latest first
        #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
        limit: u16,
    },
    /// Show a message whole, by its number or by the id of its request
    Show {
        #[arg(value_name = "ID")]
        name: String,
    },
}

impl Message {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        let mut db = store.connection()?;
        match &self.what {
            What::List { client, failed, text, limit } => {
                let (client, text) = (client.clone(), text.clone());
                let wanted = Wanted { client, failed: *failed, text, limit: (*limit).into() };
                let found = messages::list(&mut db, &wanted)?;
                if global.json {
                    outln!("{}", json!({"messages": found.iter().map(summary).collect::<Vec<_>>()}));
                    return Ok(Done::Well);
                }
                for kept in &found {
                    let (at, operation) =
                        (kept.at.format("%Y-%m-%d %H:%M:%S"), kept.operation.as_deref().unwrap_or("-"));
                    let who = kept.caller.as_ref().or(kept.peer.as_ref()).map_or("-", String::as_str);
                    let name = format!("{}.{operation}", kept.service);
                    outln!("{:>6}  {at}  {who:<20}  {name:<32}  {}  {}", kept.id, kept.status, kept.outcome);
                }
                Ok(Done::Well)
            }
            What::Check { limit } => {
                let wanted = Wanted { limit: (*limit).into(), ..Wanted::default() };
                let kept = messages::list(&mut db, &wanted)?;
                let found: Vec<_> =
                    kept.iter().filter(|kept| kept.channel == "soap").flat_map(against_profile).collect();
                Ok(tell(&found, global))
            }
            What::Show { name } => {
                let kept = messages::find(&mut db, name)?;
                let kept = kept.ok_or_else(|| Failure(format!("no message {name} is kept")))?;
                if global.json {
                    let mut shown = summary(&kept);
                    shown["request"] = json!(kept.request);
                    shown["response"] = json!(kept.response);
                    outln!("{shown}");
                    return Ok(Done::Well);
                }
                outln!("{} · {} · {} µs", kept.at.format("%Y-%m-%d %H:%M:%S"), kept.request_id, kept.microseconds);
                outln!("\n{}\ncontent-type: {}\n", kept.target, kept.request_type);
                outln!("{}", pretty(&kept.request, kept.request_bytes));
                outln!("\n{} {}\ncontent-type: {}\n", kept.status, kept.outcome, kept.response_type);
                outln!("{}", pretty(&kept.response, kept.response_bytes));
                Ok(Done::Well)
            }
        }
    }
}

/// What in a request and its answer is against the Basic Profile. What is not there whole cannot be judged.
fn against_profile(kept: &Kept) -> Vec<Finding> {
    let place = |what: &str| format!("message {}, the {what}", kept.id);
    let (request, answer) = (place("request"), place("answer"));
    let is_whole = |text: &str, bytes: i64| i64::try_from(text.len()).is_ok_and(|length| length >= bytes);
    let mut found = Vec::new();
    if is_whole(&kept.request, kept.request_bytes) {
        let (text, media) = (kept.request.as_str(), kept.request_type.as_str());
        let verb = kept.target.split(' ').next();
        found.extend(envelope(&Recorded { place: &request, text, media, verb, ..Recorded::default() }));
    }
    if is_whole(&kept.response, kept.response_bytes) {
        let (text, media) = (kept.response.as_str(), kept.response_type.as_str());
        let status = u16::try_from(kept.status).ok();
        found.extend(envelope(&Recorded { place: &answer, text, media, status, ..Recorded::default() }));
    }
    found
}

fn summary(kept: &Kept) -> Value {
    json!({
        "id": kept.id, "at": kept.at.and_utc().to_rfc3339(), "request": kept.request_id, "channel": kept.channel,
        "service": kept.service, "operation": kept.operation, "caller": kept.caller, "peer": kept.peer,
        "status": kept.status, "outcome": kept.outcome, "microseconds": kept.microseconds, "target": kept.target,
        "requestBytes": kept.request_bytes, "responseBytes": kept.response_bytes,
    })
}

/// A message for reading; says how long it was, if it is not whole.
fn pretty(text: &str, bytes: i64) -> String {
    let mut out = if text.trim_start().starts_with('<') {
        indented(text)
    } else {
        let value = serde_json::from_str::<Value>(text).ok();
        value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
    };
    if bytes > i64::try_from(text.len()).unwrap_or(i64::MAX) {
        out.push_str(&format!("\n… of {bytes} bytes"));
    }
    out
}

/// XML with an element a line, as far as it goes.
fn indented(text: &str) -> String {
    let mut reader = Reader::from_str(text);
    reader.config_mut().trim_text(true);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    while let Ok(event) = reader.read_event() {
        if matches!(event, quick_xml::events::Event::Eof) || writer.write_event(event).is_err() {
            break;
        }
    }
    String::from_utf8(writer.into_inner()).unwrap_or_default()
}
