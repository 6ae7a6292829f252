//! `soapstone user`

use super::output::outln;
use super::{Done, Failure, Global, Outcome, setup};
use crate::domain::access;
use crate::store::Store;
use crate::store::access::{self as kept, Audited, Change, NewUser};
use chrono::Utc;
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::io::Read;

/// Say who may log in, and what he may do
#[derive(Args)]
#[command(after_help = "\
Roles: viewer reads, operator does all but say who has access, admin everything; `soapstone config` shows others under
\"roles\". As long as there is no user nobody has to log in, and the server listens to its own machine only.

Examples:
  soapstone user add anna --role operator              with a password made up and shown once
  soapstone user add erp --role shop --certificate erp  known by the certificate of that common name
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
        /// What he may do; may repeat
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<String>,
        /// Read the password from standard input; without it one is made up
        #[arg(long)]
        stdin: bool,
        /// He is known by the client certificate of that common name, and has no password
        #[arg(long, value_name = "NAME", conflicts_with = "stdin")]
        certificate: Option<String>,
    },
    /// List users
    List,
    /// Set a password
    Password {
        name: String,
        /// Read it from standard input; without it one is made up
        #[arg(long)]
        stdin: bool,
    },
    /// Make the secret that a user's WS-Security digests are made with: it cannot be his password, of which only a
    /// hash is kept
    Digest { name: String },
    /// Set what a user may do
    Roles {
        name: String,
        #[arg(required = true)]
        roles: Vec<String>,
    },
    /// Let a user in again who is locked out
    Unlock { name: String },
    /// Remove a user, and his tokens
    Remove { name: String },
}

impl User {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        match &self.what {
            What::Add { name, roles, stdin, certificate } => {
                access::check_name(name).map_err(Failure)?;
                let roles = config.roles.known(roles).map_err(Failure)?;
                let password = if certificate.is_some() { None } else { Some(password(*stdin)?) };
                let hash = password.as_ref().map(|p| access::hashed(&p.text)).transpose().map_err(Failure)?;
                let user = NewUser {
                    name: name.clone(),
                    password: hash,
                    certificate: certificate.clone(),
                    roles,
                    created_at: Utc::now().naive_utc(),
                };
                if !store.connection()?.write(|db| kept::add(db, &user))? {
                    return Err(Failure(format!("there is a user {name} already")));
                }
                note(&store, format!("user add {name}"))?;
                told(global, name, password.as_ref());
            }
            What::List => list(&store, global)?,
            What::Password { name, stdin } => {
                let password = password(*stdin)?;
                let hash = access::hashed(&password.text).map_err(Failure)?;
                let change = Change { password: Some(hash), ..Change::unlocked() };
                changed(&store, name, &change)?;
                note(&store, format!("user password {name}"))?;
                told(global, name, Some(&password));
            }
            What::Digest { name } => {
                let secret = access::new_password().map_err(Failure)?;
                changed(&store, name, &Change { digest_secret: Some(secret.clone()), ..Change::default() })?;
                note(&store, format!("user digest {name}"))?;
                told(global, name, Some(&Password { text: secret, is_new: true }));
            }
            What::Roles { name, roles } => {
                let roles = config.roles.known(roles).map_err(Failure)?;
                changed(&store, name, &Change { roles: Some(roles), ..Change::default() })?;
                note(&store, format!("user roles {name}"))?;
            }
            What::Unlock { name } => {
                changed(&store, name, &Change::unlocked())?;
                note(&store, format!("user unlock {name}"))?;
            }
            What::Remove { name } => {
                if !store.connection()?.write(|db| kept::remove(db, name))? {
                    return Err(nobody(name));
                }
                note(&store, format!("user remove {name}"))?;
            }
        }
        Ok(Done::Well)
    }
}

/// A password, and whether somebody has to be told it.
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

fn told(global: &Global, name: &str, password: Option<&Password>) {
    let shown = password.filter(|password| password.is_new).map(|password| password.text.as_str());
    if global.json {
        outln!("{}", serde_json::json!({"user": name, "password": shown}));
    } else if let Some(shown) = shown {
        outln!("{name} has the password {shown}\nIt is shown this once only.");
    }
}

fn nobody(name: &str) -> Failure {
    Failure(format!("there is no user {name}"))
}

fn changed(store: &Store, name: &str, change: &Change) -> Result<(), Failure> {
    if store.connection()?.write(|db| kept::change(db, name, change))? { Ok(()) } else { Err(nobody(name)) }
}

/// Notes what was done at the command line.
pub(super) fn note(store: &Store, action: String) -> Result<(), Failure> {
    let at = Utc::now().naive_utc();
    let caller = std::env::var("USER").ok().map(|name| format!("{name} (command line)"));
    let line = Audited { at, caller, action, outcome: "ok".to_owned(), peer: None, request_id: None };
    Ok(store.connection()?.write(|db| kept::audit(db, &[line]))?)
}

fn list(store: &Store, global: &Global) -> Result<(), Failure> {
    let users = kept::all(&mut *store.connection()?)?;
    let now = Utc::now().naive_utc();
    let locked = |user: &kept::User| user.locked_until.is_some_and(|until| until > now);
    if global.json {
        let users = users.iter().map(|user| {
            serde_json::json!({
                "name": user.name,
                "roles": user.roles.split_whitespace().collect::<Vec<_>>(),
                "certificate": user.certificate,
                "password": user.password.is_some(),
                "locked": locked(user),
            })
        });
        outln!("{}", serde_json::json!({"users": users.collect::<Vec<_>>()}));
        return Ok(());
    }
    if users.is_empty() {
        outln!("There are no users: nobody has to log in. Add one with: soapstone user add NAME --role operator");
    }
    for user in &users {
        let by = user.certificate.as_ref().map_or_else(|| "password".to_owned(), |name| format!("certificate {name}"));
        let state = if locked(user) { ", locked out" } else { "" };
        outln!("{:<20}  {:<24}  {by}{state}", user.name, user.roles);
    }
    Ok(())
}
