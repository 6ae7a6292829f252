//! `soapstone import`

use super::output::{out, outln};
use super::progress::{self, Progress};
use super::run::print_messages;
use super::spelled::{meant, spelled};
use super::work::worked;
use super::{Done, Global, Outcome, setup};
use crate::exchange::Request;
use clap::Args;
use clap::builder::PossibleValuesParser;
use soapstone_contracts::exchange::{ImportMode, RunFormat, RunKind};
use soapstone_runtime::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

/// Import a file, here and now, with the same pipeline as the server's
#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone import articles articles.xml
  soapstone import categories categories.csv
  soapstone import articles products.csv --profile luma-shop
  soapstone import articles articles.xml --dry-run      tell what would be done
  soapstone import articles all.jsonl.gz --full         delete what is not in it
  soapstone import price-entries prices.csv
  soapstone import pictures pictures.zip

An import that was cut off goes on where it stopped: give the same command again, or start the server.")]
pub(super) struct Import {
    /// What the file holds
    #[arg(value_parser = kinds())]
    kind: String,
    /// The file; - for standard input
    file: PathBuf,
    /// Mapping profile: one that comes along (luma-shop), or FOLDER/profiles/NAME.toml
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The file's form
    #[arg(long, value_parser = formats(), default_value = "auto")]
    format: String,
    /// The file has all records: what is not in it is deleted
    #[arg(long)]
    full: bool,
    /// Of a full file: percent of the records that it may delete without being approved
    #[arg(long, value_name = "PERCENT", requires = "full", value_parser = clap::value_parser!(i32).range(0..=100))]
    delete_at_most: Option<i32>,
    /// Write nothing if a record is refused
    #[arg(long, conflicts_with = "dry_run")]
    all_or_nothing: bool,
    /// Tell what would be done, but write nothing
    #[arg(long)]
    dry_run: bool,
    /// Accept the run and leave it to a server to work on
    #[arg(long)]
    detach: bool,
    /// Records of one transaction [default: 500]
    #[arg(long, value_name = "COUNT")]
    batch_size: Option<String>,
}

fn kinds() -> PossibleValuesParser {
    spelled(RunKind::ALL.iter().map(|kind| kind.as_str()))
}

fn formats() -> PossibleValuesParser {
    spelled(RunFormat::ALL.iter().map(|format| format.as_str()))
}

/// How many messages are shown after an import.
const SHOWN: i64 = 20;

impl Import {
    pub fn run(&self, global: &Global) -> Outcome {
        let mut own = BTreeMap::new();
        if let Some(size) = &self.batch_size {
            own.insert("batch-size", size.clone());
        }
        let config = setup::config(global, own)?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        let exchange = setup::exchange(&config, store.clone())?;
        let source = if self.file.as_os_str() == "-" {
            exchange.spool.store(std::io::stdin().lock())
        } else {
            File::open(&self.file).and_then(|file| exchange.spool.store(file))
        };
        let source = source.map_err(|e| format!("{}: {e}", self.file.display()))?;
        let name = self.file.file_name().map_or_else(|| "-".to_owned(), |n| n.to_string_lossy().into_owned());
        let request = Request {
            kind: meant(RunKind::ALL.iter().copied(), RunKind::as_str, &self.kind).unwrap_or(RunKind::Articles),
            format: meant(RunFormat::ALL.iter().copied(), RunFormat::as_str, &self.format).unwrap_or(RunFormat::Auto),
            profile: self.profile.clone(),
            source_name: name,
            dry_run: self.dry_run,
            mode: if self.full { ImportMode::Full } else { ImportMode::Partial },
            delete_at_most: self.delete_at_most,
            retry_of: None,
            claim: None,
            priority: 0,
            all_or_nothing: self.all_or_nothing,
            initiator: setup::initiator(),
        };
        let accepted = exchange.accept(&mut *store.connection()?, &request, &source)?;
        let id = accepted.report.run.id;
        if accepted.again && !global.json {
            eprintln!("The same file was accepted before as run {id}; that run goes on.");
        }
        let report = if self.detach {
            accepted.report
        } else {
            let bar = Progress::new(&accepted.report, global.json);
            let report = worked(&exchange, &accepted.report, |report| bar.show(report));
            bar.finish();
            report?
        };
        if global.json {
            outln!("{}", json::to_string(&exchange.shown(&report)));
        } else {
            out!("{}", progress::text(&report));
            if report.progress.messages > 0 {
                print_messages(&store, id, SHOWN)?;
            }
        }
        Ok(if self.detach { Done::Well } else { progress::done(&report) })
    }
}
