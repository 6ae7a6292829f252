//! `soapstone config`

use super::output::outln;
use super::{Done, Global, Outcome, setup};
use crate::config::SETTINGS;
use clap::Args;
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// Show the configuration: each value, where it is from, what it means
#[derive(Args)]
#[command(after_help = "\
The output is a valid soapstone.toml: soapstone config > soapstone.toml")]
pub(super) struct Show {}

impl Show {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        if global.json {
            let mut values = Map::new();
            for (key, (value, origin)) in &config.values {
                values.insert((*key).to_owned(), json!({"value": hidden(value), "origin": origin.to_string()}));
            }
            outln!("{}", json!(values));
            return Ok(Done::Well);
        }
        for setting in SETTINGS {
            let Some((value, origin)) = config.values.get(setting.key) else { continue };
            outln!("# {} (from: {origin})", setting.doc);
            outln!("{} = {}\n", setting.key, toml::Value::String(hidden(value)));
        }
        Ok(Done::Well)
    }
}

/// A database address without its password.
fn hidden(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    match rest.split_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or("");
            let secret = if user.contains(':') { ":***" } else { "" };
            format!("{scheme}://{name}{secret}@{host}")
        }
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(super::hidden("postgres://me:secret@host/db"), "postgres://me:***@host/db");
        assert_eq!(super::hidden("postgres://me@host/db"), "postgres://me@host/db");
        assert_eq!(super::hidden("127.0.0.1:8080"), "127.0.0.1:8080");
    }
}
