//! `soapstone token`

use super::output::outln;
use super::user::apply;
use super::{Done, Failure, Global, Outcome, setup};
use crate::domain::access;
use crate::store::access as kept;
use chrono::{TimeDelta, Utc};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;

/// Manage access tokens of programs
#[derive(Args)]
#[command(after_help = "\
A token may do what its user may, or less if it has scopes: patterns of operations, each of which must match at least one.
It is shown once; only its hash is stored.

Examples:
  soapstone token add erp --name nightly --days 365 --scope 'Catalog.Upsert*' --scope 'Catalog.Get*'
  curl -H \"authorization: Bearer $TOKEN\" http://127.0.0.1:8080/api/v1/articles")]
pub(super) struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Create a token of a user
    Add {
        user: String,
        /// What it is for
        #[arg(long, value_name = "NAME", default_value = "token")]
        name: String,
        /// Pattern of the operations that it may call; may repeat [default: all of its user]
        #[arg(long = "scope", value_name = "PATTERN")]
        scopes: Vec<String>,
        /// Days until it expires [default: never]
        #[arg(long, value_name = "DAYS")]
        days: Option<u16>,
    },
    /// List tokens
    List,
    /// Revoke a token, by the id that the list shows
    Revoke { id: String },
}

impl Token {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        let now = Utc::now().naive_utc();
        match &self.what {
            What::Add { user, name, scopes, days } => {
                let scopes = scopes.join(" ");
                crate::http::known_operations().patterns(&scopes).map_err(Failure)?;
                let made = access::NewToken::make().map_err(Failure)?;
                let added = apply(&store, &format!("token add {} of {user}", made.public_id), |db| {
                    let Some(found) = kept::by_name(db, user)? else { return Ok(None) };
                    let token = kept::NewToken {
                        user_id: found.id,
                        name: name.clone(),
                        public_id: made.public_id.clone(),
                        secret: made.secret_hash.clone(),
                        scopes: scopes.clone(),
                        created_at: now,
                        expires_at: days.and_then(|days| now.checked_add_signed(TimeDelta::days(days.into()))),
                    };
                    Ok(Some(kept::add_token(db, &token)?))
                })?;
                added.ok_or_else(|| Failure(format!("Unknown user {user}")))?;
                if global.json {
                    outln!("{}", serde_json::json!({"id": made.public_id, "token": made.text}));
                } else {
                    outln!(
                        "{}\nIt is shown this once only. Revoke it with: soapstone token revoke {}",
                        made.text,
                        made.public_id
                    );
                }
            }
            What::List => {
                let tokens = kept::all_tokens(&mut *store.connection()?)?;
                let time = |at: Option<chrono::NaiveDateTime>| at.map(|at| at.format("%Y-%m-%d %H:%M").to_string());
                if global.json {
                    let tokens = tokens.iter().map(|(token, user)| {
                        serde_json::json!({
                            "id": token.public_id, "user": user, "name": token.name, "state": token.state(now),
                            "scopes": token.scopes.split_whitespace().collect::<Vec<_>>(),
                            "expires": time(token.expires_at), "used": time(token.used_at),
                        })
                    });
                    outln!("{}", serde_json::json!({"tokens": tokens.collect::<Vec<_>>()}));
                    return Ok(Done::Well);
                }
                for (token, user) in &tokens {
                    let used = time(token.used_at).unwrap_or_else(|| "never used".to_owned());
                    let scopes = if token.scopes.is_empty() { "all of its user" } else { &token.scopes };
                    outln!(
                        "{}  {user:<16}  {:<16}  {:<8}  {used:<16}  {scopes}",
                        token.public_id,
                        token.name,
                        token.state(now)
                    );
                }
            }
            What::Revoke { id } => {
                let revoked =
                    apply(&store, &format!("token revoke {id}"), |db| Ok(kept::revoke(db, id, now)?.then_some(())))?;
                revoked.ok_or_else(|| Failure(format!("No active token {id}")))?;
            }
        }
        Ok(Done::Well)
    }
}
