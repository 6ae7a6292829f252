//! `soapstone secret`

use super::output::outln;
use super::{Done, Global, Outcome, setup, user};
use crate::store::secrets::{SecretKeys, encrypt, summary};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;

/// Manage the keys that secrets in the database are encrypted with
#[derive(Args)]
#[command(after_help = "\
Secrets of web hooks, passwords of signal targets and secrets of digests are stored encrypted. The keys are in the file that the
setting secrets-key-file names: the first one encrypts, all of them decrypt. To change the key:
  1. soapstone secret key            put the new key into the file, in a line below the old one; restart all nodes
  2. put the new key first           restart all nodes
  3. soapstone secret rotate         encrypts all secrets with the new key
  4. remove the old key              keep it as long as there are backups that need it

Examples:
  soapstone secret key > secrets.key
  soapstone secret list
  soapstone secret rotate")]
pub(super) struct Secret {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print a new key
    Key,
    /// List the keys, and how many secrets each of them encrypted
    List,
    /// Encrypt all secrets with the first key
    Rotate,
}

impl Secret {
    pub fn run(&self, global: &Global) -> Outcome {
        if let Command::Key = self.command {
            outln!("{}", SecretKeys::generate()?);
            return Ok(Done::Well);
        }
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        match self.command {
            Command::Key => Ok(Done::Well),
            Command::List => {
                let counts = summary(&mut *store.connection()?)?;
                let ids: Vec<&str> = store.secrets().ids().collect();
                if global.json {
                    outln!("{}", serde_json::json!({"keys": ids, "secrets": counts}));
                    return Ok(Done::Well);
                }
                for (place, id) in ids.iter().enumerate() {
                    let role = if place == 0 { "encrypts" } else { "decrypts" };
                    outln!("{id}  {role:<9} {} secrets", counts.get(*id).unwrap_or(&0));
                }
                for (id, count) in counts.iter().filter(|(id, _)| !ids.contains(&id.as_str())) {
                    outln!("{id}  missing   {count} secrets");
                }
                Ok(Done::Well)
            }
            Command::Rotate => {
                let done = encrypt(&mut *store.connection()?, store.secrets(), true)?;
                user::note(&store, format!("secret rotate: {} secrets", done.other_key))?;
                if global.json {
                    let unreadable: Vec<_> = done.unreadable.iter().map(|(place, _)| place).collect();
                    outln!("{}", serde_json::json!({"rotated": done.other_key, "unreadable": unreadable}));
                } else {
                    outln!("{} secrets are encrypted with the first key now.", done.other_key);
                    for (place, why) in &done.unreadable {
                        eprintln!("{place}: {why}");
                    }
                }
                Ok(if done.unreadable.is_empty() { Done::Well } else { Done::Failed })
            }
        }
    }
}
