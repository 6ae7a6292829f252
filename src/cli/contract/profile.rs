//! `soapstone contract profile`

use crate::cli::output::outln;
use crate::cli::{Done, Global, Outcome};
use crate::profile::{self, Finding};
use clap::Args;
use serde_json::{Value, json};
use soapstone_contract::{Files, load};
use std::path::PathBuf;

/// Tell where contracts do not keep the WS-I Basic Profile
#[derive(Args)]
#[command(after_help = "\
What is found names the requirement by its number in the profile (1.1 and 1.2 for SOAP 1.1, 2.0 for SOAP 1.2). Exit code 0
if every MUST is kept; a SHOULD is told as well. `soapstone message check` judges what went over the wire.")]
pub(super) struct Profile {
    /// WSDL files
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Profile {
    pub fn run(&self, global: &Global) -> Outcome {
        let mut found = Vec::new();
        for file in &self.files {
            found.extend(profile::contract(&load(&Files, &file.to_string_lossy())?));
        }
        Ok(tell(&found, global))
    }
}

/// Tells what was found.
pub(in crate::cli) fn tell(found: &[Finding], global: &Global) -> Done {
    if global.json {
        let lines: Vec<Value> = found
            .iter()
            .map(|finding| {
                json!({
                    "requirement": finding.requirement.number, "must": finding.requirement.must,
                    "place": finding.place, "line": finding.line, "told": finding.told,
                })
            })
            .collect();
        outln!("{}", json!({"findings": lines}));
    } else {
        found.iter().for_each(|finding| outln!("{finding}"));
        if found.is_empty() {
            outln!("Nothing is against the Basic Profile.");
        }
    }
    if found.iter().any(|finding| finding.requirement.must) { Done::Failed } else { Done::Well }
}
