//! `soapstone doctor`

use super::output::outln;
use super::{Done, Global, Outcome, setup};
use crate::config::Config;
use crate::exchange::{Profile, Profiles, Spool};
use crate::navigator;
use crate::permissions::open_to_others;
use crate::revocation;
use crate::store::access::{self as kept, audit_extent};
use crate::store::secrets::{SecretKeys, summary};
use crate::store::{Engine, Store, articles};
use clap::Args;
use soapstone_runtime::service::ServiceInfo;
use soapstone_runtime::validate::Validator;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;

/// Look whether all is in order, and say what to do where it is not
#[derive(Args)]
pub(super) struct Doctor {}

/// One thing looked at: all is well, or what is wrong and what to do.
type Finding = Result<String, String>;

impl Doctor {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        let checks: [(&str, Finding); 12] = [
            ("data folder", data_dir(&config)),
            ("file rights", file_rights(&config)),
            ("secrets", secrets(&config)),
            ("database", database(&config)),
            ("durability", durability(&config)),
            ("schema", schema(&config)),
            ("access", access(&config)),
            ("certificates", certificates(&config)),
            ("audit log", audit_log(&config)),
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

/// Looks for files that others than their owner may read.
fn file_rights(config: &Config) -> Finding {
    let is_secret = |path: &&PathBuf| open_to_others(path).is_some();
    let keys = [config.tls.as_ref().map(|tls| tls.key.clone()), config.message_security.own.clone().map(|own| own.1)];
    let keys: Vec<PathBuf> = keys.into_iter().flatten().chain([setup::key_file(config)]).collect();
    let key = keys.iter().find(is_secret).map(|path| {
        let mode = open_to_others(path).unwrap_or_default();
        format!("{} has mode {mode}: others may read the key; chmod 600 it", path.display())
    });
    let found = setup::open_data_folder(config).into_iter().chain(config.warnings.iter().cloned()).chain(key);
    let found: Vec<String> = found.collect();
    if found.is_empty() {
        Ok("data folder, keys and secrets are readable by their owner only".to_owned())
    } else {
        Err(found.join("; "))
    }
}

/// Looks whether all secrets of the database can be decrypted.
fn secrets(config: &Config) -> Finding {
    let store = Store::open(&config.database_url, 1).map_err(|_| "could not be looked at".to_owned())?;
    if !store.pending_migrations().map_err(|e| e.to_string())?.is_empty() {
        return Err("could not be looked at: soapstone migrate".to_owned());
    }
    let counts = store.connection().and_then(|mut db| summary(&mut db)).map_err(|e| e.to_string())?;
    let keys = if config.secrets_key.is_empty() {
        let file = SecretKeys::of_file(&setup::key_file(config), false)?;
        file.filter(|_| store.engine() == Engine::Sqlite).unwrap_or_default()
    } else {
        SecretKeys::parse(&config.secrets_key)?
    };
    let ids: Vec<&str> = keys.ids().collect();
    if let Some(count) = counts.get("") {
        return Err(format!(
            "{count} are stored as plain text; start the server with secrets-key-file set to encrypt them"
        ));
    }
    if let Some((id, count)) = counts.iter().find(|(id, _)| !ids.contains(&id.as_str())) {
        return Err(format!("{count} were encrypted with the key {id}, which is missing; add it to secrets-key-file"));
    }
    let count: usize = counts.values().sum();
    Ok(match (keys.is_empty(), config.secrets_key.is_empty()) {
        (true, true) if store.engine() == Engine::Sqlite => "none; the key is created at the first start".to_owned(),
        (true, _) => "none; without secrets-key-file none can be stored".to_owned(),
        (false, true) => format!(
            "{count} encrypted; the key is in the data folder, which protects backups of the database only if they are without it"
        ),
        (false, false) => format!("{count} encrypted with the key of the settings"),
    })
}

fn database(config: &Config) -> Finding {
    let opened = Store::open(&config.database_url, 1).and_then(|store| store.connection().map(drop));
    opened
        .map(|()| "can be reached".to_owned())
        .map_err(|e| format!("{e}; check --database-url, and that the server runs"))
}

/// Tells what a power cut may take.
fn durability(config: &Config) -> Finding {
    let store = Store::open(&config.database_url, 1).map_err(|_| "could not be looked at".to_owned())?;
    store.durability().map(|durability| durability.to_string()).map_err(|e| e.to_string())
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

/// Reports whether someone can log in and manage users.
fn access(config: &Config) -> Finding {
    let store = Store::open(&config.database_url, 1).map_err(|_| "could not be looked at".to_owned())?;
    if !store.pending_migrations().map_err(|e| e.to_string())?.is_empty() {
        return Err("could not be looked at: soapstone migrate".to_owned());
    }
    let mut db = store.connection().map_err(|e| e.to_string())?;
    let users = kept::all(&mut db).map_err(|e| e.to_string())?;
    let is_required = kept::is_authentication_required(&mut db).map_err(|e| e.to_string())?;
    let has_administrator = kept::has_administrator(&mut db, &config.roles).map_err(|e| e.to_string())?;
    let known = crate::http::known_operations();
    for (token, user) in kept::all_tokens(&mut db).map_err(|e| e.to_string())? {
        let is_active = token.revoked_at.is_none();
        known.patterns(&token.scopes).map(drop).or_else(|why| {
            if is_active {
                Err(format!("token {} of {user}: {why}; revoke it and add another", token.public_id))
            } else {
                Ok(())
            }
        })?;
    }
    match (users.len(), is_required, has_administrator) {
        (0, false, _) => Ok("authentication is off: there are no users yet".to_owned()),
        (count, _, true) => Ok(format!("{count} users")),
        (count, _, false) => Err(format!(
            "{count} users, of which none can log in and manage users: soapstone user add NAME --role admin"
        )),
    }
}

/// Reports certificates and revocation lists that have expired or are about to, and what is missing for their checks.
fn certificates(config: &Config) -> Finding {
    let lists = [config.tls.as_ref().and_then(|tls| tls.client_crl.as_ref()), config.message_security.crl.as_ref()];
    for file in lists.into_iter().flatten() {
        let read = revocation::read(file)?;
        if let Some(list) = read.iter().find(|list| list.is_expired()) {
            return Err(format!(
                "the revocation list of {} has expired: certificates of this issuer are rejected until there is a new one",
                list.issuer
            ));
        }
    }
    let found = navigator::certificates(config);
    if let Some(over) = found.iter().find(|one| one.is_over) {
        return Err(format!("{}: {} has expired on {}", over.file, over.subject, over.until));
    }
    if let Some(soon) = found.iter().find(|one| one.is_soon) {
        return Err(format!("{}: {} expires on {}", soon.file, soon.subject, soon.until));
    }
    let field = config.certificate_field;
    let hsts = match config.hsts_seconds {
        0 => "HSTS is off".to_owned(),
        seconds => format!("HSTS for {} days", seconds / 86_400),
    };
    Ok(match &config.tls {
        None if found.is_empty() => format!("no TLS; users of certificates are known by their {field}"),
        None => format!("{} valid, no TLS; users are known by their {field}", found.len()),
        Some(tls) => {
            let revocation = match (&tls.client_authority, &tls.client_crl) {
                (None, _) => "no client certificates",
                (Some(_), None) => "revocation of clients is not checked (tls-client-crl)",
                (Some(_), Some(_)) => "revocation of clients is checked",
            };
            format!("{} valid; {revocation}; users are known by their {field}; {hsts}", found.len())
        }
    })
}

fn audit_log(config: &Config) -> Finding {
    let store = Store::open(&config.database_url, 1).map_err(|_| "could not be looked at".to_owned())?;
    let extent = store.connection().and_then(|mut db| audit_extent(&mut db));
    let (lines, oldest) = extent.map_err(|e| e.to_string())?;
    let since = oldest.map(|at| format!(" since {}", at.format("%Y-%m-%d"))).unwrap_or_default();
    let bound =
        |number: u32, unit: &str| if number == 0 { format!("no limit of {unit}") } else { format!("{number} {unit}") };
    let (days, most) = (bound(config.audit_days, "days"), bound(config.audit_lines, "lines"));
    Ok(format!("{lines} lines{since}; kept are {days}, {most} (audit-days, audit-lines)"))
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
