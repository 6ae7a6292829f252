//! `soapstone migrate`

use super::output::outln;
use super::{Done, Global, Outcome, setup};
use crate::store::Store;
use clap::Args;
use std::collections::BTreeMap;

/// Bring the database's schema up to date; other commands do so by themselves
#[derive(Args)]
pub(super) struct Migrate {
    /// Only tell which migrations are still to be run
    #[arg(long)]
    check: bool,
}

impl Migrate {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = Store::open(&config.database_url, 1)?;
        let names = if self.check { store.pending_migrations()? } else { store.migrate()? };
        if global.json {
            let key = if self.check { "pending" } else { "run" };
            outln!("{}", serde_json::json!({key: names}));
        } else if names.is_empty() {
            outln!("The schema is up to date.");
        } else {
            for name in &names {
                outln!("{name}: {}", if self.check { "to be run" } else { "run" });
            }
        }
        Ok(if self.check && !names.is_empty() { Done::Failed } else { Done::Well })
    }
}
