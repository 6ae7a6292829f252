//! `soapstone user`

use super::output::outln;
use super::{Done, Failure, Global, Outcome, setup};
use crate::config::Config;
use crate::domain::access;
use crate::store::access::{self as kept, Audited, Change, NewUser};
use crate::store::{Db, Store, StoreError};
use chrono::Utc;
use clap::{Args, Subcommand};
use openssl::x509::X509;
use soapstone_runtime::service::{Certificate, CertificateField};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Manage users and their roles
#[derive(Args)]
#[command(after_help = "\
Roles: viewer reads, operator does all but manage users, admin everything; `soapstone config` shows others under \"roles\".
Authentication is off until the first user exists; until then the server listens to its own machine only. From then on it
is required, even if all users are removed again. The last user who can log in and manage users cannot be removed,
disabled or demoted.

Examples:
  soapstone user add anna --role operator              with a generated password, shown once
  soapstone user add erp --role shop --certificate erp  known by the certificate with that value (certificate-field)
  soapstone user certificate erp --file erp.pem
  printf %s \"$SECRET\" | soapstone user password anna --stdin
  curl -u anna http://127.0.0.1:8080/api/v1/runs")]
pub(super) struct User {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Add a user
    Add {
        name: String,
        /// Role of the user; may repeat
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<String>,
        /// Read the password from standard input instead of generating one
        #[arg(long)]
        stdin: bool,
        /// Authenticate the user by the client certificate with that value of the certificate-field, without a password
        #[arg(long, value_name = "VALUE", conflicts_with = "stdin")]
        certificate: Option<String>,
    },
    /// List users
    List,
    /// Set a password, or remove it
    Password {
        name: String,
        /// Read it from standard input instead of generating one
        #[arg(long)]
        stdin: bool,
        /// Remove the password
        #[arg(long, conflicts_with = "stdin")]
        remove: bool,
    },
    /// Generate the secret of a user's WS-Security digests, or remove it
    Digest {
        name: String,
        /// Remove the secret
        #[arg(long)]
        remove: bool,
    },
    /// Set the certificate that a user is known by, or remove it
    Certificate {
        name: String,
        /// Value of the certificate-field, such as the common name
        #[arg(required_unless_present_any = ["file", "remove"], conflicts_with_all = ["file", "remove"])]
        value: Option<String>,
        /// PEM file of the certificate to take the value from
        #[arg(long, value_name = "FILE", conflicts_with = "remove")]
        file: Option<PathBuf>,
        /// Remove the certificate
        #[arg(long)]
        remove: bool,
    },
    /// Replace the roles of a user
    Roles {
        name: String,
        #[arg(value_name = "ROLE", required_unless_present = "role")]
        roles: Vec<String>,
        /// Role of the user; may repeat
        #[arg(long = "role", value_name = "ROLE", conflicts_with = "roles")]
        role: Vec<String>,
    },
    /// Disable a user: sessions end; passwords, tokens and certificates are denied
    Disable { name: String },
    /// Enable a disabled user
    Enable { name: String },
    /// Reset the failed log-ins of a locked user
    Unlock { name: String },
    /// Remove a user with their tokens
    Remove { name: String },
}

impl User {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        self.what.execute(&config, &store, global)?;
        Ok(Done::Well)
    }
}

impl What {
    fn execute(&self, config: &Config, store: &Store, global: &Global) -> Result<(), Failure> {
        let change = |name: &str, action: &str, change: Change| {
            apply(store, &format!("user {action} {name}"), |db| {
                Ok(kept::change(db, &config.roles, name, &change)?.then_some(()))
            })?
            .ok_or_else(|| unknown(name))
        };
        match self {
            Self::Add { name, roles, stdin, certificate } => {
                access::check_name(name).map_err(Failure)?;
                let roles = config.roles.known(roles).map_err(Failure)?;
                let certificate = certificate.as_ref().map(|value| config.certificate_field.normalized(value));
                let password = if certificate.is_some() { None } else { Some(password(*stdin)?) };
                let hash = password.as_ref().map(|p| access::hashed(&p.text)).transpose().map_err(Failure)?;
                let created_at = Utc::now().naive_utc();
                let user = NewUser { name: name.clone(), password: hash, certificate, roles, created_at };
                let added = apply(store, &format!("user add {name}"), |db| Ok(kept::add(db, &user)?.then_some(())))?;
                added.ok_or_else(|| Failure(format!("The user {name} exists already")))?;
                show(global, name, password.as_ref());
            }
            Self::List => list(store, global)?,
            Self::Password { name, remove: true, .. } => {
                change(name, "password --remove", Change { password: Some(None), ..Change::default() })?;
            }
            Self::Password { name, stdin, .. } => {
                let password = password(*stdin)?;
                let hash = access::hashed(&password.text).map_err(Failure)?;
                change(name, "password", Change { password: Some(Some(hash)), ..Change::unlocked() })?;
                show(global, name, Some(&password));
            }
            Self::Digest { name, remove: true } => {
                change(name, "digest --remove", Change { digest_secret: Some(None), ..Change::default() })?;
            }
            Self::Digest { name, .. } => {
                let secret = access::new_password().map_err(Failure)?;
                let sealed = kept::sealed_digest(store.secrets(), name, &secret)?;
                change(name, "digest", Change { digest_secret: Some(Some(sealed)), ..Change::default() })?;
                show(global, name, Some(&Password { text: secret, is_new: true }));
            }
            Self::Certificate { name, value, file, .. } => {
                let field = config.certificate_field;
                let value = match (value, file) {
                    (Some(value), _) => Some(field.normalized(value)),
                    (None, Some(file)) => Some(value_in(file, field)?),
                    (None, None) => None,
                };
                if value.as_ref().is_some_and(String::is_empty) {
                    return Err(Failure("The value of the certificate is empty".to_owned()));
                }
                let action = match &value {
                    Some(value) => format!("certificate \"{value}\" of"),
                    None => "certificate --remove".to_owned(),
                };
                change(name, &action, Change { certificate: Some(value), ..Change::default() })?;
            }
            Self::Roles { name, roles, role } => {
                let roles = config.roles.known(if role.is_empty() { roles } else { role }).map_err(Failure)?;
                let action = format!("roles \"{roles}\" of");
                change(name, &action, Change { roles: Some(roles), ..Change::default() })?;
            }
            Self::Disable { name } => change(name, "disable", Change::disabled(Utc::now().naive_utc()))?,
            Self::Enable { name } => change(name, "enable", Change::enabled())?,
            Self::Unlock { name } => change(name, "unlock", Change::unlocked())?,
            Self::Remove { name } => {
                let removed = apply(store, &format!("user remove {name}"), |db| {
                    Ok(kept::remove(db, &config.roles, name)?.then_some(()))
                })?;
                removed.ok_or_else(|| unknown(name))?;
            }
        }
        Ok(())
    }
}

/// The value of a field of a certificate in a file.
fn value_in(file: &Path, field: CertificateField) -> Result<String, Failure> {
    let wrong = |why: String| Failure(format!("{}: {why}", file.display()));
    let pem = std::fs::read(file).map_err(|e| wrong(e.to_string()))?;
    let certificate = X509::from_pem(&pem).map_err(|_| wrong("not a certificate in PEM".to_owned()))?;
    match Certificate::of(&certificate).values(field).as_slice() {
        [value] => Ok(value.clone()),
        [] => Err(wrong(format!("the certificate has no {field} (certificate-field)"))),
        several => {
            Err(wrong(format!("the certificate has several values of {field}; name one: {}", several.join(", "))))
        }
    }
}

/// A password, and whether it was generated and must be shown.
struct Password {
    text: String,
    is_new: bool,
}

fn password(stdin: bool) -> Result<Password, Failure> {
    if !stdin {
        return Ok(Password { text: access::new_password().map_err(Failure)?, is_new: true });
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|e| Failure(format!("standard input: {e}")))?;
    Ok(Password { text: text.trim_end_matches(['\r', '\n']).to_owned(), is_new: false })
}

fn show(global: &Global, name: &str, password: Option<&Password>) {
    let shown = password.filter(|password| password.is_new).map(|password| password.text.as_str());
    if global.json {
        outln!("{}", serde_json::json!({"user": name, "password": shown}));
    } else if let Some(shown) = shown {
        outln!("{name} has the password {shown}\nIt is shown this once only.");
    }
}

fn unknown(name: &str) -> Failure {
    Failure(format!("Unknown user {name}"))
}

/// Changes something at the command line and records it in the audit log, in one transaction; a change that is rejected is recorded,
/// too. None: there was nothing to change, which is not recorded.
pub(super) fn apply<T>(
    store: &Store,
    action: &str,
    work: impl FnOnce(&mut Db) -> Result<Option<T>, StoreError>,
) -> Result<Option<T>, Failure> {
    let mut db = store.connection()?;
    let done = db.write(|db| {
        let done = work(db)?;
        if done.is_some() {
            kept::audit(db, &[line(action, "ok")])?;
        }
        Ok(done)
    });
    if let Err(StoreError::Refused(error)) = &done {
        db.write(|db| kept::audit(db, &[line(action, &error.code())]))?;
    }
    Ok(done?)
}

fn line(action: &str, outcome: &str) -> Audited {
    let caller = std::env::var("USER").ok().map(|name| format!("{name} (command line)"));
    let (action, outcome) = (action.to_owned(), outcome.to_owned());
    Audited { at: Utc::now().naive_utc(), caller, action, outcome, peer: None, request_id: None }
}

/// Records an action at the command line in the audit log.
pub(super) fn note(store: &Store, action: String) -> Result<(), Failure> {
    Ok(store.connection()?.write(|db| kept::audit(db, &[line(&action, "ok")]))?)
}

fn list(store: &Store, global: &Global) -> Result<(), Failure> {
    let mut db = store.connection()?;
    let users = kept::all(&mut db)?;
    let now = Utc::now().naive_utc();
    if global.json {
        let users = users.iter().map(|user| {
            serde_json::json!({
                "name": user.name,
                "roles": user.roles.split_whitespace().collect::<Vec<_>>(),
                "certificate": user.certificate,
                "password": user.password.is_some(),
                "digest": user.digest_secret.is_some(),
                "failures": user.failures,
                "locked": user.is_locked(now),
                "disabled": user.disabled_at.is_some(),
            })
        });
        outln!("{}", serde_json::json!({"users": users.collect::<Vec<_>>()}));
        return Ok(());
    }
    if users.is_empty() {
        let state = if kept::is_authentication_required(&mut db)? {
            "No users: all callers are denied"
        } else {
            "No users: authentication is off"
        };
        outln!("{state}. Add one with: soapstone user add NAME --role admin");
    }
    for user in &users {
        let by = match (&user.certificate, &user.password) {
            (Some(certificate), Some(_)) => format!("password, certificate {certificate}"),
            (Some(certificate), None) => format!("certificate {certificate}"),
            (None, Some(_)) => "password".to_owned(),
            (None, None) => "tokens only".to_owned(),
        };
        let locked = if user.is_locked(now) { ", locked" } else { "" };
        let disabled = if user.disabled_at.is_some() { ", disabled" } else { "" };
        outln!("{:<20}  {:<24}  {by}{locked}{disabled}", user.name, user.roles);
    }
    Ok(())
}
