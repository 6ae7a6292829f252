//! From settings to what commands work with.

use super::{Failure, Global};
use crate::config::Config;
use crate::exchange::{Exchange, Initiator, Profiles, Retention, Spool};
use crate::store::Store;
use soapstone_contracts::exchange::Channel;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The configuration, with a command's own flags.
pub(super) fn config(global: &Global, own: BTreeMap<&'static str, String>) -> Result<Config, Failure> {
    let mut flags = global.flags()?;
    flags.extend(own);
    Ok(Config::load(global.config.as_deref(), &flags)?)
}

/// Who begins a run by a command: as the system knows him.
pub(super) fn initiator() -> Initiator {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    Initiator::new(Channel::CommandLine, user.as_deref())
}

/// Starts logging to standard error: time, level, message, then what belongs to it.
pub(super) fn logging(config: &Config, quiet: bool) {
    let filter = if quiet && config.log == "info" { "warn" } else { config.log.as_str() };
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter).format(|out, record| {
        write!(out, "{} {:5} {}", chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ"), record.level(), record.args())?;
        let mut fields = Fields(out);
        // A field that cannot be written is left out.
        let _ = record.key_values().visit(&mut fields);
        writeln!(out)
    });
    // The command line starts it once; a test that started it before keeps its own.
    let _ = builder.try_init();
}

struct Fields<'a>(&'a mut env_logger::fmt::Formatter);

impl<'kvs> log::kv::VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: log::kv::Key<'kvs>, value: log::kv::Value<'kvs>) -> Result<(), log::kv::Error> {
        write!(self.0, " {key}={value}").map_err(log::kv::Error::from)
    }
}

/// The store, its schema up to date.
pub(super) fn store(config: &Config) -> Result<Store, Failure> {
    let store = Store::open(&config.database_url, config.pool_size)?;
    for name in store.migrate()? {
        log::info!("migration {name} run");
    }
    Ok(store)
}

/// What runs need.
pub(super) fn exchange(config: &Config, store: Store) -> Result<Exchange, Failure> {
    let spool = Spool::open(&config.data_dir).map_err(|e| format!("{}: {e}", config.data_dir.display()))?;
    Ok(Exchange {
        store,
        spool,
        profiles: Profiles::in_folder(&config.data_dir.join("profiles")),
        rules: config.rules.clone(),
        bell: Arc::default(),
        batch_size: config.batch_size,
        delete_at_most: config.delete_at_most,
        retention: Retention::of_days(config.keep_runs_days, config.keep_files_days),
        shares_sources: config.shares_sources,
        at_work: Arc::default(),
        workers: config.run_workers,
        runs_per_kind: config.runs_per_kind,
        max_artifact: u64::try_from(config.limits.body).unwrap_or(u64::MAX),
        stopping: Arc::new(AtomicBool::new(false)),
    })
}
