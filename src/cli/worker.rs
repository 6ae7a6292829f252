//! `soapstone worker`

use super::output::outln;
use super::until::until_told;
use super::{Done, Failure, Global, Outcome, setup};
use crate::exchange::channels::{Attendant, Caller};
use crate::exchange::{Exchange, Queue, node_name};
use crate::notices::Herald;
use crate::pictures::Workshop;
use clap::Args;
use std::collections::BTreeMap;

/// Work on runs, without a server: as many of them as you like beside one PostgreSQL
#[derive(Args)]
#[command(after_help = "\
A worker takes runs that wait, watches folders, keeps schedules and makes sizes of pictures, as a server does. Of a worker that
dies, another one goes on where it stopped. A server that is to leave the work to workers is started with --set run-workers=0.

Examples:
  soapstone worker --database-url postgres://soapstone@db/soapstone
  soapstone worker --runs 4")]
pub(super) struct Worker {
    /// Runs at once [default: the setting run-workers]
    #[arg(long, value_name = "COUNT")]
    runs: Option<String>,
}

impl Worker {
    pub fn run(&self, global: &Global) -> Outcome {
        let mut own = BTreeMap::new();
        if let Some(runs) = &self.runs {
            own.insert("run-workers", runs.clone());
        }
        let config = setup::config(global, own)?;
        setup::logging(&config, false);
        let store = setup::store(&config)?;
        let exchange = setup::exchange(&config, store.clone())?;
        let workshop = Workshop::open(&store, &config.rules.pictures, config.picture_workers)
            .map_err(|e| Failure(format!("no thread for pictures: {e}")))?;
        let exchange = Exchange { bell: workshop.bell(), ..exchange };
        let queue = Queue::start(exchange.clone()).map_err(|e| Failure(format!("no thread for runs: {e}")))?;
        let herald = Herald::start(store, config.notices.clone(), config.sending.clone())
            .map_err(|e| Failure(format!("no thread for notices: {e}")))?;
        let caller = Caller::in_folder(&config.caller_folder);
        let attendant = Attendant::start(exchange, queue.bell(), config.channels.clone(), caller)
            .map_err(|e| Failure(format!("no thread for folders and schedules: {e}")))?;
        if global.json {
            outln!("{}", serde_json::json!({"working": node_name()}));
        } else {
            outln!("Soapstone works on runs as {}.", node_name());
        }
        actix_web::rt::System::new().block_on(until_told())?;
        attendant.stop();
        herald.stop();
        queue.stop();
        workshop.close();
        Ok(Done::Well)
    }
}
