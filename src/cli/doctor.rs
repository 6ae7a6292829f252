//! `soapstone doctor`

use super::output::outln;
use super::{Done, Global, Outcome, setup};
use crate::config::Config;
use crate::exchange::{Profile, Profiles, Spool};
use crate::store::{Store, articles};
use clap::Args;
use soapstone_runtime::service::ServiceInfo;
use soapstone_runtime::validate::Validator;
use std::collections::BTreeMap;
use std::net::TcpListener;

/// Look whether all is in order, and say what to do where it is not
#[derive(Args)]
pub(super) struct Doctor {}

/// One thing looked at: all is well, or what is wrong and what to do.
type Finding = Result<String, String>;

impl Doctor {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        let checks: [(&str, Finding); 6] = [
            ("data folder", data_dir(&config)),
            ("database", database(&config)),
            ("schema", schema(&config)),
            ("contracts", contracts()),
            ("profiles", profiles(&config)),
            ("address", address(&config)),
        ];
        let well = checks.iter().all(|(_, finding)| finding.is_ok());
        if global.json {
            let findings: Vec<_> = checks
                .iter()
                .map(|(name, finding)| {
                    let (Ok(text) | Err(text)) = finding;
                    serde_json::json!({"check": name, "ok": finding.is_ok(), "text": text})
                })
                .collect();
            outln!("{}", serde_json::json!({"ok": well, "checks": findings}));
        } else {
            for (name, finding) in &checks {
                let (mark, text) = match finding {
                    Ok(text) => ("ok  ", text),
                    Err(text) => ("FAIL", text),
                };
                outln!("{mark}  {name:<12} {text}");
            }
        }
        Ok(if well { Done::Well } else { Done::Failed })
    }
}

fn data_dir(config: &Config) -> Finding {
    let shown = config.data_dir.display();
    let stored = Spool::open(&config.data_dir).and_then(|spool| spool.store(&b"soapstone doctor"[..]));
    match stored.and_then(|spooled| std::fs::remove_file(spooled.path)) {
        Ok(()) => Ok(format!("{shown} can be written")),
        Err(e) => Err(format!("{shown}: {e}; choose another with --data-dir, or change its owner")),
    }
}

fn database(config: &Config) -> Finding {
    let opened = Store::open(&config.database_url, 1).and_then(|store| store.connection().map(drop));
    opened
        .map(|()| "can be reached".to_owned())
        .map_err(|e| format!("{e}; check --database-url, and that the server runs"))
}

fn schema(config: &Config) -> Finding {
    let store = Store::open(&config.database_url, 1).map_err(|_| "could not be looked at".to_owned())?;
    let pending = store.pending_migrations().map_err(|e| e.to_string())?;
    if !pending.is_empty() {
        return Err(format!("{} migrations to be run: soapstone migrate", pending.len()));
    }
    let count = store.connection().and_then(|mut db| articles::count(&mut db)).map_err(|e| e.to_string())?;
    Ok(format!("up to date; {count} articles"))
}

fn contracts() -> Finding {
    let compile = |info: &'static ServiceInfo| {
        Validator::of(info).map_err(|e| format!("libxml2 refuses the schemas of {}: {e}", info.name))
    };
    for info in crate::http::SERVICES {
        compile(info)?;
    }
    Ok("libxml2 compiles their schemas".to_owned())
}

fn profiles(config: &Config) -> Finding {
    let profiles = Profiles::in_folder(&config.data_dir.join("profiles"));
    let names = profiles.names();
    for name in &names {
        let text = profiles.text(name).unwrap_or_default();
        Profile::parse(&text).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(format!("{} valid: {}", names.len(), names.join(", ")))
}

fn address(config: &Config) -> Finding {
    match TcpListener::bind(config.listen) {
        Ok(_) => Ok(format!("{} is free", config.listen)),
        Err(e) => Err(format!("{}: {e}; a server may be running there already", config.listen)),
    }
}
