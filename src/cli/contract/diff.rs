//! `soapstone contract diff`

use crate::cli::output::outln;
use crate::cli::{Done, Global, Outcome};
use clap::Args;
use serde_json::json;
use soapstone_contract::diff::{Impact, compare};
use soapstone_contract::{Files, load};
use std::path::PathBuf;

/// Compare two versions of a contract
#[derive(Args)]
#[command(after_help = "\
Each change is breaking (callers or servers that keep to the old version fail), compatible, or cosmetic.

Exit codes:
  0  nothing changed, or only what is cosmetic
  1  a contract cannot be read
  5  compatible changes
  6  breaking changes")]
pub(super) struct Diff {
    old: PathBuf,
    new: PathBuf,
}

impl Diff {
    pub fn run(&self, global: &Global) -> Outcome {
        let old = load(&Files, &self.old.to_string_lossy())?;
        let new = load(&Files, &self.new.to_string_lossy())?;
        let changes = compare(&old, &new);
        let worst = changes.iter().map(|c| c.impact).max();
        if global.json {
            let list: Vec<_> = changes
                .iter()
                .map(|c| json!({"impact": c.impact.as_str(), "place": c.place, "change": c.text}))
                .collect();
            outln!("{}", json!({"impact": worst.map_or("none", Impact::as_str), "changes": list}));
        } else if changes.is_empty() {
            outln!("Nothing changed.");
        } else {
            for impact in [Impact::Breaking, Impact::Compatible, Impact::Cosmetic] {
                for change in changes.iter().filter(|c| c.impact == impact) {
                    outln!("{:<10} {}: {}", impact.as_str(), change.place, change.text);
                }
            }
        }
        Ok(match worst {
            None | Some(Impact::Cosmetic) => Done::Well,
            Some(Impact::Compatible) => Done::Compatible,
            Some(Impact::Breaking) => Done::Breaking,
        })
    }
}
