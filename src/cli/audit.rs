//! `soapstone audit`

use super::output::outln;
use super::{Done, Global, Outcome, setup};
use crate::store::access::audited;
use clap::Args;
use std::collections::BTreeMap;

/// See who did what: changes, log-ins that failed, what was refused
#[derive(Args)]
pub(super) struct Audit {
    /// How many lines, the latest first
    #[arg(long, value_name = "LINES", default_value_t = 50)]
    limit: u16,
}

impl Audit {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        let lines = audited(&mut *store.connection()?, self.limit.into())?;
        if global.json {
            let lines = lines.iter().map(|line| {
                serde_json::json!({
                    "at": line.at.and_utc().to_rfc3339(), "caller": line.caller, "action": line.action,
                    "outcome": line.outcome, "peer": line.peer, "request": line.request_id,
                })
            });
            outln!("{}", serde_json::json!({"lines": lines.collect::<Vec<_>>()}));
            return Ok(Done::Well);
        }
        for line in &lines {
            let (at, caller) = (line.at.format("%Y-%m-%d %H:%M:%S"), line.caller.as_deref().unwrap_or("-"));
            outln!(
                "{at}  {caller:<24}  {:<40}  {:<20}  {}",
                line.action,
                line.outcome,
                line.peer.as_deref().unwrap_or("-")
            );
        }
        Ok(Done::Well)
    }
}
