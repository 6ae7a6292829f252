//! `soapstone export`

use super::output::{Output, outln};
use super::spelled::{meant, spelled};
use super::{Done, Failure, Global, Outcome, setup};
use crate::exchange::{ExportFormat, KINDS, Kind, export};
use crate::store::Store;
use chrono::{DateTime, NaiveDateTime};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use flate2::Compression;
use flate2::write::GzEncoder;
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
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Xml => Self::Xml,
            Format::Csv => Self::Csv,
            Format::Jsonl => Self::JsonLines,
        }
    }
}

impl Export {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        let written = if self.file.as_os_str() == "-" {
            self.write(&store, &mut Output)?
        } else {
            // Under another name until it is whole, so that nobody reads half of it.
            let partial = partial(&self.file);
            let mut file = File::create(&partial).map_err(|e| format!("{}: {e}", partial.display()))?;
            let written = if self.is_packed() {
                let mut packed = GzEncoder::new(file, Compression::default());
                let written = self.write(&store, &mut packed)?;
                packed.finish()?;
                written
            } else {
                self.write(&store, &mut file)?
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

    fn is_packed(&self) -> bool {
        self.file.extension().is_some_and(|ending| ending == "gz")
    }

    /// As the file is called.
    fn format(&self) -> Format {
        let name = if self.is_packed() { self.file.with_extension("") } else { self.file.clone() };
        match name.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Format::Csv,
            Some("jsonl" | "ndjson") => Format::Jsonl,
            _ => Format::Xml,
        }
    }

    fn write(&self, store: &Store, out: &mut impl Write) -> Result<u64, Failure> {
        let format = self.format.unwrap_or_else(|| self.format());
        let kind = meant(listed(), |kind| kind.of.as_str(), &self.kind);
        let kind = kind.ok_or_else(|| Failure(format!("{} cannot be exported", self.kind)))?;
        export(&mut *store.connection()?, kind, format.into(), self.since, out).map_err(|e| Failure(e.to_string()))
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}
