//! From settings to what commands work with.

use super::{Failure, Global};
use crate::config::Config;
use crate::domain::printable;
use crate::exchange::{Exchange, Initiator, Profiles, Retention, Spool};
use crate::permissions;
use crate::store::secrets::{self, SecretKeys};
use crate::store::{Engine, Store};
use soapstone_contracts::exchange::Channel;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How long the text of a line in the log is, and how long a field.
const MAX_LINE_CHARS: usize = 8_000;
const MAX_FIELD_CHARS: usize = 1_000;

/// The configuration, with a command's own flags.
pub(super) fn config(global: &Global, own: BTreeMap<&'static str, String>) -> Result<Config, Failure> {
    let mut flags = global.flags()?;
    flags.extend(own);
    let config = Config::load(global.config.as_deref(), &flags)?;
    if let Some(mode) = config.exchange_file_mode {
        permissions::set_shared_mode(mode);
    }
    Ok(config)
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
        // What comes from outside must not look like a line of its own, nor steer a terminal.
        let text = record.args().to_string();
        let text = printable(&text, MAX_LINE_CHARS);
        write!(out, "{} {:5} {text}", chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ"), record.level())?;
        let mut fields = Fields(out);
        // A field that cannot be written is left out.
        let _ = record.key_values().visit(&mut fields);
        writeln!(out)
    });
    // The command line starts it once; a test that started it before keeps its own.
    let _ = builder.try_init();
    // Commands that end at once leave it to `soapstone doctor`.
    for warning in config.warnings.iter().cloned().chain(open_data_folder(config)).filter(|_| !quiet) {
        log::warn!("{warning}");
    }
}

struct Fields<'a>(&'a mut env_logger::fmt::Formatter);

impl<'kvs> log::kv::VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: log::kv::Key<'kvs>, value: log::kv::Value<'kvs>) -> Result<(), log::kv::Error> {
        let value = value.to_string();
        write!(self.0, " {key}={}", printable(&value, MAX_FIELD_CHARS)).map_err(log::kv::Error::from)
    }
}

/// A warning, if others than its owner may enter the data folder.
pub(super) fn open_data_folder(config: &Config) -> Option<String> {
    let mode = permissions::open_to_others(&config.data_dir)?;
    let folder = config.data_dir.display();
    Some(format!("the data folder {folder} has mode {mode}: others may read what is in it; chmod 700 {folder}"))
}

/// The store, its schema up to date and its secrets encrypted.
pub(super) fn store(config: &Config) -> Result<Store, Failure> {
    let store = Store::open(&config.database_url, config.pool_size)?;
    for name in store.migrate()? {
        log::info!("migration {name} run");
    }
    let keys = secret_keys(config, &store)?;
    let done = secrets::encrypt(&mut *store.connection()?, &keys, false)?;
    if done.plain > 0 {
        log::info!("Encrypted {} secrets that were stored as plain text", done.plain);
    }
    if !done.unreadable.is_empty() {
        return Err(Failure(format!(
            "{} secrets in the database are stored as plain text, and there is no key to encrypt them: set secrets-key-file; \
             `soapstone secret key` makes a key",
            done.unreadable.len()
        )));
    }
    Ok(store.with_secrets(keys))
}

/// The keys for secrets: those of the settings, or for SQLite those of a file in the data folder, which is created once.
pub(super) fn secret_keys(config: &Config, store: &Store) -> Result<SecretKeys, Failure> {
    if !config.secrets_key.is_empty() {
        let keys = SecretKeys::parse(&config.secrets_key).map_err(|why| Failure(format!("secrets-key: {why}")))?;
        return if keys.is_empty() { Err(Failure("secrets-key: there is no key in it".to_owned())) } else { Ok(keys) };
    }
    if store.engine() == Engine::Postgres {
        return Ok(SecretKeys::default());
    }
    let path = key_file(config);
    let counts = secrets::summary(&mut *store.connection()?)?;
    let ids: Vec<&str> = counts.keys().map(String::as_str).filter(|id| !id.is_empty()).collect();
    match SecretKeys::of_file(&path, ids.is_empty()).map_err(|why| Failure(format!("{}: {why}", path.display())))? {
        Some(keys) => Ok(keys),
        None => {
            log::error!(
                "{} is missing, but secrets in the database were encrypted with the key {}: restore it, or set the secrets again",
                path.display(),
                ids.join(", ")
            );
            Ok(SecretKeys::default())
        }
    }
}

/// Where the key for secrets is, if no setting gives it.
pub(super) fn key_file(config: &Config) -> std::path::PathBuf {
    config.data_dir.join("secrets.key")
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
        retention: Retention::of_days(config.keep_runs_days, config.keep_files_days)
            .with_audit(config.audit_days, config.audit_lines),
        shares_sources: config.shares_sources,
        at_work: Arc::default(),
        heartbeats: Arc::default(),
        waits: Arc::default(),
        max_attempts: config.run_attempts,
        workers: config.run_workers,
        runs_per_kind: config.runs_per_kind,
        marks_formulas: config.export_for_spreadsheets,
        max_artifact: u64::try_from(config.limits.body).unwrap_or(u64::MAX),
        stopping: Arc::new(AtomicBool::new(false)),
    })
}
