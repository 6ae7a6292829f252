//! `soapstone config`

use super::output::outln;
use super::{Done, Global, Outcome, setup};
use clap::Args;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Show the configuration: each value, where it is from, what it means
#[derive(Args)]
#[command(after_help = "\
The output is a valid soapstone.toml: soapstone config > soapstone.toml")]
pub(super) struct Show {}

impl Show {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        let told = config.told();
        if global.json {
            let values: Map<String, Value> = told
                .into_iter()
                .map(|told| (told.key.to_owned(), json!({"value": told.value, "origin": told.origin})))
                .collect();
            outln!("{}", json!(values));
            return Ok(Done::Well);
        }
        for told in told {
            outln!("# {} (from: {})", told.doc, told.origin);
            outln!("{} = {}\n", told.key, toml::Value::String(told.value));
        }
        Ok(Done::Well)
    }
}
