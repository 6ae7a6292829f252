//! `soapstone import`

use super::output::{out, outln};
use super::progress::{self, Progress};
use super::run::print_messages;
use super::{Done, Failure, Global, Outcome, setup};
use crate::exchange::{Request, node_name};
use crate::reporting::{self, Report};
use clap::{Args, ValueEnum};
use soapstone_runtime::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

/// Import a file, here and now, with the same pipeline as the server's
#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone import articles articles.xml
  soapstone import categories categories.csv
  soapstone import articles products.csv --profile luma-shop
  soapstone import articles articles.xml --dry-run      tell what would be done

An import that was cut off goes on where it stopped: give the same command again, or start the server.")]
pub(super) struct Import {
    /// What the file holds
    kind: Kind,
    /// The file; - for standard input
    file: PathBuf,
    /// Mapping profile: one that comes along (luma-shop), or FOLDER/profiles/NAME.toml
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The file's form
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
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

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Articles,
    Categories,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Auto,
    Xml,
    Csv,
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
            kind: match self.kind {
                Kind::Articles => "articles",
                Kind::Categories => "categories",
            }
            .to_owned(),
            format: match self.format {
                Format::Auto => "auto",
                Format::Xml => "xml",
                Format::Csv => "csv",
            }
            .to_owned(),
            profile: self.profile.clone(),
            source_name: name,
            dry_run: self.dry_run,
            channel: "commandLine",
        };
        let accepted = exchange.accept(&mut *store.connection()?, &request, &source)?;
        let id = accepted.report.run.id;
        if accepted.again && !global.json {
            eprintln!("The same file was accepted before as run {id}; that run goes on.");
        }
        let report = if self.detach { accepted.report } else { self.work(global, &exchange, &accepted.report)? };
        if global.json {
            outln!("{}", json::to_string(&report.to_contract()));
        } else {
            out!("{}", progress::text(&report));
            if report.progress.messages > 0 {
                print_messages(&store, id, SHOWN)?;
            }
        }
        Ok(if self.detach { Done::Well } else { progress::done(&report) })
    }

    /// Works on the run, or watches another node do it, until it is done.
    fn work(
        &self,
        global: &Global,
        exchange: &crate::exchange::Exchange,
        accepted: &Report,
    ) -> Result<Report, Failure> {
        let id = accepted.run.id;
        let bar = Progress::new(accepted, global.json);
        let current = || -> Result<Report, Failure> {
            let mut db = exchange.store.connection()?;
            reporting::report(&mut db, id)?.ok_or_else(|| Failure(format!("run {id} is gone")))
        };
        let report = std::thread::scope(|scope| -> Result<Report, Failure> {
            let mut worker = None;
            loop {
                let report = current()?;
                bar.show(&report);
                if report.run.state().is_final() {
                    return Ok(report);
                }
                if worker.as_ref().is_none_or(std::thread::ScopedJoinHandle::is_finished) {
                    let run = report.run.clone();
                    worker = Some(scope.spawn(move || {
                        if let Err(e) = exchange.take(&run, &node_name()) {
                            log::error!("run {}: {e}", run.id);
                        }
                    }));
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        bar.finish();
        report
    }
}
