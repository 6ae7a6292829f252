//! The command line: one file a subcommand.

mod audit;
mod cert;
mod client;
mod config;
mod contract;
mod doctor;
mod export;
mod import;
mod message;
mod migrate;
mod output;
mod picture;
mod profile;
mod progress;
mod run;
mod secret;
mod serve;
mod setup;
mod spelled;
mod token;
mod until;
mod user;
mod work;
mod worker;

use clap::{Args, Parser, Subcommand};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Contract-first integration server: SOAP, REST and files from one WSDL.
#[derive(Parser)]
#[command(name = "soapstone", version, disable_help_subcommand = false, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  soapstone serve                                       start the server on 127.0.0.1:8080
  soapstone import articles articles.xml                import a file, with progress
  soapstone import articles shop.csv --profile luma-shop
  soapstone run list                                    what was imported, and how it went
  soapstone run show 12                                 the report of run 12
  soapstone export articles articles.xml                write the catalogue to a file
  soapstone worker                                      work on runs, beside a server
  soapstone client watch                                on the ERP's server: send and fetch files
  soapstone contract check service.wsdl                 is this contract right?
  soapstone contract mock service.wsdl                  serve it at once, with sample answers

Exit codes:
  0  done
  1  failed; the message says why
  2  the command line is wrong
  3  done, but some records were refused
  4  cancelled
  5  a contract changed compatibly (contract diff)
  6  a contract changed and breaks callers (contract diff)

Every setting can be given as a flag, as SOAPSTONE_NAME in the environment, or in soapstone.toml;
`soapstone config` shows each with its value and where that is from.";

/// Settings that most commands know.
#[derive(Args)]
struct Global {
    /// Configuration file [default: soapstone.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the embedded database, sources and profiles
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// `postgres://…`, or the path of an SQLite file
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Any other setting, as NAME=VALUE; may repeat
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Write JSON, for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server
    Serve(serve::Serve),
    /// Work on runs, without a server
    Worker(worker::Worker),
    /// Import a file
    Import(import::Import),
    /// Write records to a file
    Export(export::Export),
    /// See what runs did, or stop one
    Run(run::Run),
    /// On the ERP's server: send and fetch files
    Client(client::Client),
    /// Check, explain, compile, compare or serve a contract
    Contract(contract::Contract),
    /// Bring the database's schema up to date
    Migrate(migrate::Migrate),
    /// Say who may log in, and what he may do
    User(user::User),
    /// Give programs a key of their own
    Token(token::Token),
    /// Manage the keys that secrets in the database are encrypted with
    Secret(secret::Secret),
    /// See who did what
    Audit(audit::Audit),
    /// Look at requests and answers that were kept
    Message(message::Message),
    /// Take pictures of articles
    Picture(picture::Picture),
    /// Map foreign tables: propose a profile, or see what it does
    Profile(profile::Profile),
    /// Make certificates for development
    Cert(cert::Cert),
    /// Show the configuration and where each value is from
    Config(config::Show),
    /// Look whether all is in order
    Doctor(doctor::Doctor),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Well,
    WithRefusals,
    Cancelled,
    Failed,
    /// A contract has changed, but breaks nobody.
    Compatible,
    /// A contract has changed so that callers break.
    Breaking,
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        Self::from(match done {
            Done::Well => 0,
            Done::Failed => 1,
            Done::WithRefusals => 3,
            Done::Cancelled => 4,
            Done::Compatible => 5,
            Done::Breaking => 6,
        })
    }
}

/// A failure, told in one line.
#[derive(Debug)]
struct Failure(String);

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

type Outcome = Result<Done, Failure>;

impl Global {
    /// The settings given as flags.
    fn flags(&self) -> Result<BTreeMap<&'static str, String>, Failure> {
        let mut flags = BTreeMap::new();
        // Settings whose values are in files.
        let mut in_files = Vec::new();
        let mut plain = Vec::new();
        for given in &self.set {
            let Some((name, value)) = given.split_once('=') else {
                return Err(Failure(format!("--set {given}: write it as NAME=VALUE")));
            };
            let name = name.trim();
            if let Some(key) = crate::config::setting_of(name) {
                if let Some(warning) = crate::config::warning(Path::new(value)) {
                    eprintln!("soapstone: {warning}");
                }
                in_files.push(key);
                flags.insert(key, crate::config::read_value(Path::new(value))?);
                continue;
            }
            let setting = crate::config::SETTINGS.iter().find(|s| s.key == name);
            let Some(setting) = setting else {
                return Err(Failure(format!(
                    "--set {given}: there is no setting {name}; `soapstone config` lists them"
                )));
            };
            plain.push(setting.key);
            flags.insert(setting.key, value.to_owned());
        }
        if let Some(key) = in_files.iter().find(|key| plain.contains(key)) {
            return Err(Failure(format!("--set {key}: {key}-file is given as well; give one of them")));
        }
        if let Some(folder) = &self.data_dir {
            flags.insert("data-dir", folder.clone());
        }
        if let Some(url) = &self.database_url {
            flags.insert("database-url", url.clone());
        }
        Ok(flags)
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    crate::permissions::restrict();
    let global = &cli.global;
    let outcome = match &cli.command {
        Command::Serve(command) => command.run(global),
        Command::Worker(command) => command.run(global),
        Command::Import(command) => command.run(global),
        Command::Export(command) => command.run(global),
        Command::Run(command) => command.run(global),
        Command::Client(command) => command.run(global),
        Command::Contract(command) => command.run(global),
        Command::Migrate(command) => command.run(global),
        Command::User(command) => command.run(global),
        Command::Token(command) => command.run(global),
        Command::Secret(command) => command.run(global),
        Command::Audit(command) => command.run(global),
        Command::Message(command) => command.run(global),
        Command::Picture(command) => command.run(global),
        Command::Profile(command) => command.run(global),
        Command::Cert(command) => command.run(),
        Command::Config(command) => command.run(global),
        Command::Doctor(command) => command.run(global),
    };
    match outcome {
        Ok(done) => done.into(),
        Err(Failure(why)) => {
            if global.json {
                output::outln!("{}", serde_json::json!({"error": why}));
            } else {
                eprintln!("soapstone: {why}");
            }
            ExitCode::FAILURE
        }
    }
}
