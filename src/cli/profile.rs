//! `soapstone profile`

use super::output::{out, outln};
use super::spelled::{meant, spelled};
use super::{Done, Failure, Global, Outcome, setup};
use crate::exchange::{Kind, Origin, Previewed, Profiles, Spooled, form, preview, propose, recognise};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use soapstone_contracts::exchange::RunKind;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Mapping profiles: how the columns of a foreign table become records
#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone profile new artikel.csv > data/profiles/erp.toml      propose one
  soapstone profile test erp artikel.csv                          the first records, mapped
  soapstone import articles artikel.csv --profile erp --dry-run

A profile is a TOML file in FOLDER/profiles, where FOLDER is the data folder.")]
pub(super) struct Profile {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The profiles that are known
    List,
    /// Propose one for a table, by what its columns are called
    New {
        file: PathBuf,
        /// What the file holds
        #[arg(long, default_value = "articles", value_parser = spelled(RunKind::ALL.iter().map(|kind| kind.as_str())))]
        kind: String,
    },
    /// Show the first records of a file, mapped
    Test {
        /// Its name, or its file
        profile: String,
        file: PathBuf,
        /// What the file holds
        #[arg(long, default_value = "articles", value_parser = spelled(RunKind::ALL.iter().map(|kind| kind.as_str())))]
        kind: String,
        /// How many records
        #[arg(long, default_value_t = 5)]
        limit: usize,
    },
}

fn kind(name: &str) -> Result<&'static Kind, Failure> {
    let kind = meant(RunKind::ALL.iter().copied(), RunKind::as_str, name).and_then(|kind| Kind::find(kind.as_str()));
    kind.ok_or_else(|| Failure(format!("there are no files of {name}")))
}

impl Profile {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let profiles = Profiles::in_folder(&config.data_dir.join("profiles"));
        match &self.what {
            What::List => {
                profiles.names().iter().for_each(|name| outln!("{name}"));
                Ok(Done::Well)
            }
            What::New { file, kind: name } => {
                let table = form(file).map_err(|issue| Failure(format!("{}: {}", file.display(), issue.text)))?;
                out!("{}", propose(kind(name)?, &table, &file.file_name().unwrap_or_default().to_string_lossy()));
                Ok(Done::Well)
            }
            What::Test { profile, file, kind: name, limit } => {
                let text = text(&profiles, profile)?;
                let size = std::fs::metadata(file).map_err(|e| Failure(format!("{}: {e}", file.display())))?.len();
                let kind = kind(name)?;
                let source = Spooled { path: file.clone(), sha256: String::new(), size };
                let format = recognise("auto", Some(&text), kind, &source)?;
                let origin = Origin { path: file, size, format, profile: Some(&text) };
                let records = preview(&origin, kind, &config.rules, *limit, None);
                let records = records.map_err(|broken| {
                    let hint = broken.issue.suggestion.map_or_else(String::new, |hint| format!("; {hint}"));
                    Failure(format!("{}: {}{hint}", file.display(), broken.issue.text))
                })?;
                Ok(tell(records, global.json))
            }
        }
    }
}

/// The text of a profile by its name or its file.
fn text(profiles: &Profiles, name: &str) -> Result<String, Failure> {
    if Path::new(name).is_file() {
        return std::fs::read_to_string(name).map_err(|e| Failure(format!("{name}: {e}")));
    }
    let known = || profiles.names().join(", ");
    profiles.text(name).ok_or_else(|| Failure(format!("there is no profile or file {name}; known are {}", known())))
}

/// Shows records without what is empty, and what is against those that are refused.
fn tell(records: Vec<Previewed>, as_json: bool) -> Done {
    let mut refused = false;
    for record in records {
        let line = record.line.unwrap_or(0);
        match record.record {
            Ok(mut members) => {
                if let Some(members) = members.as_object_mut() {
                    members.retain(|_, value| *value != json!([]));
                }
                if as_json {
                    outln!("{}", json!({"line": line, "record": members, "categories": record.categories}));
                } else {
                    outln!("line {line}");
                    outln!("{}", serde_json::to_string_pretty(&members).unwrap_or_default());
                    record.categories.iter().for_each(|category| outln!("  makes the category {category}"));
                }
            }
            Err(issues) => {
                refused = true;
                for issue in issues {
                    let value = issue.value.map_or(Value::Null, Value::String);
                    if as_json {
                        outln!(
                            "{}",
                            json!({"line": line, "code": issue.code, "text": issue.text, "field": issue.field, "value": value})
                        );
                    } else {
                        outln!("line {line}: {} [{}]", issue.text, issue.code);
                    }
                }
            }
        }
    }
    if refused { Done::WithRefusals } else { Done::Well }
}
