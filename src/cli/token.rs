//! `soapstone token`

use super::output::outln;
use super::user::note;
use super::{Done, Failure, Global, Outcome, setup};
use crate::domain::access;
use crate::store::access as kept;
use chrono::{TimeDelta, Utc};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;

/// Give programs a key of their own
#[derive(Args)]
#[command(after_help = "\
A token does what its user may do, or less where scopes say so. It is shown once; only its hash is kept.

Examples:
  soapstone token add erp --name nightly --days 365 --scope 'Catalog.Upsert*' --scope 'Catalog.Get*'
  curl -H \"authorization: Bearer $TOKEN\" http://127.0.0.1:8080/api/v1/articles")]
pub(super) struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make a token of a user
    Add {
        user: String,
        /// What it is for
        #[arg(long, value_name = "NAME", default_value = "token")]
        name: String,
        /// Only operations of that pattern; may repeat
        #[arg(long = "scope", value_name = "PATTERN")]
        scopes: Vec<String>,
        /// How many days it holds; without it, until it is revoked
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
                access::patterns(&scopes).map_err(Failure)?;
                let made = access::NewToken::make().map_err(Failure)?;
                let found = kept::by_name(&mut *store.connection()?, user)?;
                let found = found.ok_or_else(|| Failure(format!("there is no user {user}")))?;
                let token = kept::NewToken {
                    user_id: found.id,
                    name: name.clone(),
                    public_id: made.public_id.clone(),
                    secret: made.secret_hash,
                    scopes,
                    created_at: now,
                    expires_at: days.and_then(|days| now.checked_add_signed(TimeDelta::days(days.into()))),
                };
                store.connection()?.write(|db| kept::add_token(db, &token))?;
                note(&store, format!("token add {} of {user}", made.public_id))?;
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
                if !store.connection()?.write(|db| kept::revoke(db, id, now))? {
                    return Err(Failure(format!("there is no token {id} that holds")));
                }
                note(&store, format!("token revoke {id}"))?;
            }
        }
        Ok(Done::Well)
    }
}
