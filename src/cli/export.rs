//! `soapstone export`

use super::output::{Output, outln};
use super::{Done, Failure, Global, Outcome, setup};
use crate::store::{Store, articles, categories};
use clap::{Args, ValueEnum};
use soapstone_contracts::catalog::{self, Article, Category};
use soapstone_runtime::{Message, Value, json, xml};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Write records to a file, which `soapstone import` reads again
#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone export articles articles.xml
  soapstone export articles - --format jsonl | head")]
pub(super) struct Export {
    /// What to write
    kind: Kind,
    /// The file; - for standard output
    file: PathBuf,
    /// XML as xsd/catalog.xsd has it, or a JSON object a line [default: by the file's ending, else xml]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Articles,
    Categories,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Xml,
    Jsonl,
}

/// Records read at once.
const PAGE: i64 = 500;

impl Export {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        let by_name = if self.file.extension().is_some_and(|e| e == "jsonl") { Format::Jsonl } else { Format::Xml };
        let format = self.format.unwrap_or(by_name);
        let written = if self.file.as_os_str() == "-" {
            self.write(&store, format, Output)?
        } else {
            // Under another name until it is whole, so that nobody reads half of it.
            let partial = partial(&self.file);
            let file = File::create(&partial).map_err(|e| format!("{}: {e}", partial.display()))?;
            let written = self.write(&store, format, file)?;
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

    fn write(&self, store: &Store, format: Format, out: impl Write) -> Result<u64, Failure> {
        let mut writer = Writer { out: BufWriter::with_capacity(256 << 10, out), format, written: 0 };
        let mut db = store.connection()?;
        match self.kind {
            Kind::Articles => {
                writer.open("articles")?;
                let mut after = None;
                loop {
                    let filter = articles::Filter { after, limit: PAGE, ..articles::Filter::default() };
                    let (page, next) = articles::list(&mut db, &filter)?;
                    for stored in &page {
                        writer.record::<Article>(&stored.record.to_contract(stored.version, stored.changed_at))?;
                    }
                    if next.is_none() {
                        break;
                    }
                    after = next;
                }
                writer.close("articles")?;
            }
            Kind::Categories => {
                writer.open("categories")?;
                let mut after = None;
                loop {
                    let limit = usize::try_from(PAGE).unwrap_or(1);
                    let (page, next) = categories::list(
                        &mut db,
                        &categories::Filter { after: after.clone(), limit, ..categories::Filter::default() },
                    )?;
                    for stored in &page {
                        writer.record::<Category>(&stored.record.to_contract(stored.version, stored.changed_at))?;
                    }
                    if next.is_none() {
                        break;
                    }
                    after = next;
                }
                writer.close("categories")?;
            }
        }
        writer.out.flush()?;
        Ok(writer.written)
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}

struct Writer<W: Write> {
    out: BufWriter<W>,
    format: Format,
    written: u64,
}

impl<W: Write> Writer<W> {
    fn open(&mut self, root: &str) -> std::io::Result<()> {
        if self.format == Format::Xml {
            let namespace = catalog::NAMESPACE;
            writeln!(self.out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cat:{root} xmlns:cat=\"{namespace}\">")?;
        }
        Ok(())
    }

    /// Writes a record, as the element `M` of its type.
    fn record<M: Message>(&mut self, value: &impl Value) -> std::io::Result<()> {
        self.written += 1;
        match self.format {
            Format::Xml => writeln!(self.out, "{}", xml::element_to_string(M::ELEMENT, M::NAMESPACES, value)),
            Format::Jsonl => writeln!(self.out, "{}", json::to_string(value)),
        }
    }

    fn close(&mut self, root: &str) -> std::io::Result<()> {
        if self.format == Format::Xml {
            writeln!(self.out, "</cat:{root}>")?;
        }
        Ok(())
    }
}
