//! `soapstone export`

use super::output::{Output, out, outln};
use super::spelled::{meant, spelled};
use super::work::worked;
use super::{Done, Failure, Global, Outcome, progress, setup};
use crate::config::Config;
use crate::exchange::{Exchange, ExportFormat, ExportRequest, KINDS, Kind, export};
use crate::permissions::share;
use crate::reporting::RunState;
use crate::store::Store;
use chrono::{DateTime, NaiveDateTime};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use flate2::Compression;
use flate2::write::GzEncoder;
use soapstone_contracts::exchange::{ArtifactKind, ExportMode, RunFormat};
use soapstone_runtime::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write records to a file, which `soapstone import` reads again
#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone export articles articles.xml
  soapstone export price-entries prices.csv
  soapstone export customers customers.jsonl.gz
  soapstone export articles - --format jsonl | head
  soapstone export articles changed.csv --since 2026-11-01T00:00:00+01:00
  soapstone export articles changed.csv --incremental --consumer erp    what changed since the last time
  soapstone export orders orders.xml --incremental                      new orders, under a lease: then
  soapstone run confirm 12                                              they have arrived

A table has a row for each record; of orders, for each of their lines.")]
pub(super) struct Export {
    /// What to write
    #[arg(value_parser = kinds())]
    kind: String,
    /// The file, packed if it ends with .gz; - for standard output
    file: PathBuf,
    /// XML, a table for spreadsheets, or a JSON object a line [default: by the file's ending, else xml]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Only records that changed since this time, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<NaiveDateTime>,
    /// Mark cells of a table that a spreadsheet would take for formulas; import takes the marks off again [default: the
    /// export-for-spreadsheets setting]
    #[arg(long, conflicts_with = "incremental")]
    spreadsheet: bool,
    /// Only what changed since the last such export; of orders those that nobody had yet, under a lease
    #[arg(long, conflicts_with = "since")]
    incremental: bool,
    /// Whose increments: each consumer has his own
    #[arg(long, requires = "incremental")]
    consumer: Option<String>,
}

fn listed() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| kind.pages.is_some())
}

fn kinds() -> PossibleValuesParser {
    spelled(listed().map(|kind| kind.of.as_str()))
}

fn time(text: &str) -> Result<NaiveDateTime, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.naive_utc()).map_err(|_| "a time is written as 2026-11-01T00:00:00+01:00".to_owned())
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Xml,
    Csv,
    #[value(alias = "json-lines")]
    Jsonl,
    /// Orders as openTRANS 2.1, one document each, in a ZIP
    #[value(name = "opentrans", alias = "open-trans")]
    OpenTrans,
}

impl From<Format> for RunFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Xml => Self::Xml,
            Format::Csv => Self::Csv,
            Format::Jsonl => Self::JsonLines,
            Format::OpenTrans => Self::OpenTrans,
        }
    }
}

impl Export {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        if self.incremental {
            return self.increment(global, &setup::exchange(&config, store)?);
        }
        let written = if self.file.as_os_str() == "-" {
            self.write(&config, &store, &mut Output)?
        } else {
            // Under another name until it is whole, so that nobody reads half of it.
            let partial = partial(&self.file);
            let mut file = create(&partial).map_err(|e| format!("{}: {e}", partial.display()))?;
            let written = if self.is_packed() {
                let mut packed = GzEncoder::new(file, Compression::default());
                let written = self.write(&config, &store, &mut packed)?;
                packed.finish()?;
                written
            } else {
                self.write(&config, &store, &mut file)?
            };
            std::fs::rename(&partial, &self.file).map_err(|e| format!("{}: {e}", self.file.display()))?;
            written
        };
        if global.json {
            eprintln!("{}", serde_json::json!({"written": written}));
        } else if self.file.as_os_str() != "-" {
            outln!("{written} records written to {}", self.file.display());
        }
        Ok(Done::Well)
    }

    /// Has a run write what is new, and takes its file.
    fn increment(&self, global: &Global, exchange: &Exchange) -> Outcome {
        let kind = self.kind()?;
        let request = ExportRequest {
            kind: kind.of,
            format: self.format.unwrap_or_else(|| self.format()).into(),
            mode: ExportMode::Incremental,
            since: None,
            consumer: self.consumer.clone(),
            lease_seconds: None,
            warehouse: None,
            packed: self.is_packed(),
            priority: 0,
            initiator: setup::initiator(),
        };
        let accepted = exchange.accept_export(&mut *exchange.store.connection()?, &request)?;
        let report = worked(exchange, &accepted.report, |_| {})?;
        if report.run.state() == RunState::Succeeded {
            let (_, mut result) = exchange.artifact(&report, ArtifactKind::Result_)?;
            let copied = if self.file.as_os_str() == "-" {
                std::io::copy(&mut result, &mut Output)
            } else {
                let partial = partial(&self.file);
                create(&partial)
                    .and_then(|mut file| std::io::copy(&mut result, &mut file))
                    .and_then(|size| std::fs::rename(&partial, &self.file).map(|()| size))
            };
            copied.map_err(|e| format!("{}: {e}", self.file.display()))?;
        }
        if global.json {
            eprintln!("{}", json::to_string(&exchange.shown(&report)));
        } else if self.file.as_os_str() != "-" {
            out!("{}", progress::text(&report));
        }
        Ok(progress::done(&report))
    }

    fn kind(&self) -> Result<&'static Kind, Failure> {
        let kind = meant(listed(), |kind| kind.of.as_str(), &self.kind);
        kind.ok_or_else(|| Failure(format!("{} cannot be exported", self.kind)))
    }

    fn is_packed(&self) -> bool {
        self.file.extension().is_some_and(|ending| ending == "gz")
    }

    /// As the file is called.
    fn format(&self) -> Format {
        let name = if self.is_packed() { self.file.with_extension("") } else { self.file.clone() };
        match name.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Format::Csv,
            Some("jsonl" | "ndjson") => Format::Jsonl,
            Some("zip") => Format::OpenTrans,
            _ => Format::Xml,
        }
    }

    fn write(&self, config: &Config, store: &Store, out: &mut impl Write) -> Result<u64, Failure> {
        let format = self.format.unwrap_or_else(|| self.format());
        let format = ExportFormat::of(format.into()).ok_or_else(|| Failure("nothing is exported so".to_owned()))?;
        let is_for_spreadsheets = self.spreadsheet || config.export_for_spreadsheets;
        export(&mut *store.connection()?, self.kind()?, format, self.since, is_for_spreadsheets, out)
            .map_err(|e| Failure(e.to_string()))
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}

/// Creates a file that whoever asked for it may read as his other files.
fn create(path: &Path) -> std::io::Result<File> {
    let file = File::create(path)?;
    share(&file)?;
    Ok(file)
}
