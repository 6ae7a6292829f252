//! `soapstone message`

use super::contract::profile::tell;
use super::output::outln;
use super::{Done, Failure, Global, Outcome, setup};
use crate::profile::{Finding, Recorded, envelope};
use crate::reporting::pretty;
use crate::store::messages::{self, Kept, Wanted};
use clap::{Args, Subcommand};
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
                let wanted = Wanted { client, failed: *failed, text, limit: (*limit).into(), ..Wanted::default() };
                let found = messages::list(&mut db, &wanted)?;
                if global.json {
                    outln!("{}", json!({"messages": found.iter().map(summary).collect::<Vec<_>>()}));
                    return Ok(Done::Well);
                }
                for Kept { id, message } in &found {
                    let at = message.at.format("%Y-%m-%d %H:%M:%S");
                    let who = message.caller.as_ref().or(message.peer.as_ref()).map_or("-", String::as_str);
                    let name = format!("{}.{}", message.service, message.operation.as_deref().unwrap_or("-"));
                    outln!("{id:>6}  {at}  {who:<20}  {name:<32}  {}  {}", message.status, message.outcome);
                }
                Ok(Done::Well)
            }
            What::Check { limit } => {
                let wanted = Wanted { limit: (*limit).into(), ..Wanted::default() };
                let kept = messages::list(&mut db, &wanted)?;
                let found: Vec<_> =
                    kept.iter().filter(|kept| kept.message.channel == "soap").flat_map(against_profile).collect();
                Ok(tell(&found, global))
            }
            What::Show { name } => {
                let kept = messages::find(&mut db, name)?;
                let kept = kept.ok_or_else(|| Failure(format!("no message {name} is kept")))?;
                if global.json {
                    let mut shown = summary(&kept);
                    shown["request"] = json!(kept.message.request);
                    shown["response"] = json!(kept.message.response);
                    outln!("{shown}");
                    return Ok(Done::Well);
                }
                let message = kept.message;
                let at = message.at.format("%Y-%m-%d %H:%M:%S");
                outln!("{at} · {} · {} µs", message.request_id, message.microseconds);
                outln!("\n{}\ncontent-type: {}\n", message.target, message.request_type);
                outln!("{}", pretty(&message.request, message.request_bytes));
                outln!("\n{} {}\ncontent-type: {}\n", message.status, message.outcome, message.response_type);
                outln!("{}", pretty(&message.response, message.response_bytes));
                Ok(Done::Well)
            }
        }
    }
}

/// What in a request and its answer is against the Basic Profile. What is not there whole cannot be judged.
fn against_profile(Kept { id, message }: &Kept) -> Vec<Finding> {
    let place = |what: &str| format!("message {id}, the {what}");
    let (request, answer) = (place("request"), place("answer"));
    let is_whole = |text: &str, bytes: i64| i64::try_from(text.len()).is_ok_and(|length| length >= bytes);
    let mut found = Vec::new();
    if is_whole(&message.request, message.request_bytes) {
        let (text, media) = (message.request.as_str(), message.request_type.as_str());
        let verb = message.target.split(' ').next();
        found.extend(envelope(&Recorded { place: &request, text, media, verb, ..Recorded::default() }));
    }
    if is_whole(&message.response, message.response_bytes) {
        let (text, media) = (message.response.as_str(), message.response_type.as_str());
        let status = u16::try_from(message.status).ok();
        found.extend(envelope(&Recorded { place: &answer, text, media, status, ..Recorded::default() }));
    }
    found
}

fn summary(Kept { id, message }: &Kept) -> Value {
    json!({
        "id": id, "at": message.at.and_utc().to_rfc3339(), "request": message.request_id, "channel": message.channel,
        "service": message.service, "operation": message.operation, "caller": message.caller, "peer": message.peer,
        "status": message.status, "outcome": message.outcome, "microseconds": message.microseconds, "target": message.target,
        "requestBytes": message.request_bytes, "responseBytes": message.response_bytes,
    })
}
