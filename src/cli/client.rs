//! `soapstone client`

use super::output::{out, outln};
use super::until::until_told;
use super::{Done, Failure, Global, Outcome};
use crate::client::{Client as Jobs, Event, LOOK, Settings, Standing, TEMPLATE, Trouble};
use actix_web::rt::System;
use actix_web::rt::time::sleep;
use clap::{Args, Subcommand};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// On the ERP's server: send what the ERP writes to folders, fetch what the shop has for it
#[derive(Args)]
#[command(after_help = "\
The ERP sees nothing but files on its own machine. What was begun is written down: after a cut or a crash the next call goes on,
and nothing is sent or fetched twice.

Examples:
  soapstone client new > soapstone-client.toml          a configuration to begin with
  soapstone client check                                is it right, and does the server know us?
  soapstone client run                                  send and fetch what is there, and end
  soapstone client watch                                the same, as long as it runs")]
pub(super) struct Client {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a configuration to begin with
    New,
    /// Look whether the configuration is right and the server knows us
    Check(Check),
    /// Do what is to be done now, and end: for a scheduler, or a call of the ERP
    Run(Once),
    /// Do it as long as it runs: for a service
    Watch(Watch),
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone client new > soapstone-client.toml
  soapstone client check")]
struct Check {
    /// The configuration
    #[arg(value_name = "FILE", default_value = CONFIGURATION)]
    file: PathBuf,
}

#[derive(Args)]
#[command(after_help = "\
Files that were sent are worked on by the server; it is waited for. What became of a file stands beside its folder, in status.

Exit codes:
  0  all is done
  1  something is in the way; the message says what, and the next call goes on
  3  records were refused, a file was, or a run waits for somebody

Examples:
  soapstone client run
  soapstone client run erp.toml --job out/articles --job out/stock")]
struct Once {
    /// The configuration
    #[arg(value_name = "FILE", default_value = CONFIGURATION)]
    file: PathBuf,
    /// Only this folder, as the configuration calls it; may repeat
    #[arg(long, value_name = "FOLDER")]
    job: Vec<String>,
    /// Wait for runs that somebody has to approve or resume
    #[arg(long)]
    wait: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone client watch
  soapstone client watch /etc/soapstone-client.toml --json")]
struct Watch {
    /// The configuration
    #[arg(value_name = "FILE", default_value = CONFIGURATION)]
    file: PathBuf,
    /// Only this folder, as the configuration calls it; may repeat
    #[arg(long, value_name = "FOLDER")]
    job: Vec<String>,
}

const CONFIGURATION: &str = "soapstone-client.toml";

/// How often a job is tried again that something is in the way of, before a call ends.
const TRIES: u32 = 3;

/// How long it is waited at most between two tries.
const PATIENCE: Duration = Duration::from_secs(60);

impl Client {
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.command {
            Command::New => {
                out!("{TEMPLATE}");
                Ok(Done::Well)
            }
            Command::Check(check) => check.run(global),
            Command::Run(once) => once.run(global),
            Command::Watch(watch) => watch.run(global),
        }
    }
}

impl Check {
    fn run(&self, global: &Global) -> Outcome {
        let settings = Settings::read(&self.file)?;
        let jobs = Jobs::new(&settings, &[])?;
        System::new().block_on(jobs.server().greet()).map_err(|trouble| Failure(trouble.text().to_owned()))?;
        let (address, send, fetch) = (jobs.server().address(), settings.send.len(), settings.fetch.len());
        if global.json {
            outln!("{}", serde_json::json!({"server": address, "send": send, "fetch": fetch}));
        } else {
            outln!("All is in order: {address} knows us; {send} folders to send, {fetch} to fetch.");
        }
        Ok(Done::Well)
    }
}

impl Once {
    fn run(&self, global: &Global) -> Outcome {
        let settings = Settings::read(&self.file)?;
        let mut jobs = Jobs::new(&settings, &self.job)?;
        System::new().block_on(async {
            let mut teller = Teller::new(global.json);
            let mut done = BTreeSet::new();
            let mut begins = true;
            loop {
                let looked = jobs.look(begins, &mut |job, event| teller.tell(job, &event)).await;
                begins = false;
                let mut pause = LOOK;
                for (job, standing) in &looked {
                    let tries = teller.trouble(job, standing);
                    pause = pause.max(waits(tries));
                    let is_done = match standing {
                        Ok(Standing::AtWork) => false,
                        Ok(Standing::Rests) => {
                            teller.is_well &= self.wait;
                            !self.wait
                        }
                        Ok(Standing::Idle) => true,
                        Err(_) => tries >= TRIES,
                    };
                    if is_done {
                        done.insert(job.clone());
                    }
                }
                if looked.iter().all(|(job, _)| done.contains(job)) {
                    break;
                }
                sleep(pause).await;
            }
            Ok(match (teller.troubles.is_empty(), teller.is_well) {
                (false, _) => Done::Failed,
                (true, false) => Done::WithRefusals,
                (true, true) => Done::Well,
            })
        })
    }
}

impl Watch {
    fn run(&self, global: &Global) -> Outcome {
        let settings = Settings::read(&self.file)?;
        let mut jobs = Jobs::new(&settings, &self.job)?;
        if !global.json {
            outln!("Sending to and fetching from {}; Ctrl-C ends it.", jobs.server().address());
        }
        System::new().block_on(async {
            let mut teller = Teller::new(global.json);
            let working = async {
                loop {
                    let looked = jobs.look(false, &mut |job, event| teller.tell(job, &event)).await;
                    let tries = looked.iter().map(|(job, standing)| teller.trouble(job, standing)).max();
                    sleep(waits(tries.unwrap_or(0)).max(LOOK)).await;
                }
            };
            let told = until_told();
            futures_util::pin_mut!(working, told);
            // What it is at is written down: the next start goes on with it.
            match futures_util::future::select(told, working).await {
                futures_util::future::Either::Left((ended, _)) => ended?,
                futures_util::future::Either::Right((never, _)) => never,
            }
            Ok(Done::Well)
        })
    }
}

/// How long it is waited before what was in the way so often is tried again.
fn waits(tries: u32) -> Duration {
    if tries == 0 { Duration::ZERO } else { Duration::from_secs(1 << tries.min(6)).min(PATIENCE) }
}

/// Tells what goes by: a line each, or a line of JSON.
struct Teller {
    json: bool,
    /// Whether nothing was refused.
    is_well: bool,
    /// What is in the way of which job, and how often it was.
    troubles: BTreeMap<String, (String, u32)>,
}

impl Teller {
    fn new(json: bool) -> Self {
        Self { json, is_well: true, troubles: BTreeMap::new() }
    }

    fn tell(&mut self, job: &str, event: &Event) {
        if let Event::Done { is_well: false, .. } | Event::Waits { .. } = event {
            self.is_well = false;
        }
        // It gets on, if slowly.
        if let Some((_, tries)) = self.troubles.get_mut(job) {
            *tries = 0;
        }
        if self.json {
            outln!("{}", json(job, event));
        } else if let Some(line) = line(event) {
            outln!("{job}: {line}");
        }
    }

    /// Tells what is in the way, once; gives how often it was by now.
    fn trouble(&mut self, job: &str, standing: &Result<Standing, Trouble>) -> u32 {
        let Err(trouble) = standing else {
            self.troubles.remove(job);
            return 0;
        };
        let text = trouble.text();
        let (told, tries) = self.troubles.entry(job.to_owned()).or_default();
        *tries = tries.saturating_add(1);
        if told != text {
            text.clone_into(told);
            if self.json {
                outln!("{}", serde_json::json!({"job": job, "event": "trouble", "text": text}));
            } else {
                eprintln!("{job}: {text}");
            }
        }
        *tries
    }
}

fn json(job: &str, event: &Event) -> serde_json::Value {
    use serde_json::json;
    match event {
        Event::Sending { file, sent, length } => {
            json!({"job": job, "event": "sending", "file": file, "sent": sent, "length": length})
        }
        Event::Sent { file, run } => json!({"job": job, "event": "sent", "file": file, "run": run}),
        Event::Done { file, run, is_well, text } => {
            json!({"job": job, "event": "done", "file": file, "run": run, "ok": is_well, "text": text})
        }
        Event::Fetched { file, run, records } => {
            json!({"job": job, "event": "fetched", "file": file, "run": run, "records": records})
        }
        Event::Waits { file, run, text } => {
            json!({"job": job, "event": "waits", "file": file, "run": run, "text": text})
        }
    }
}

fn line(event: &Event) -> Option<String> {
    Some(match event {
        // Of small files it would be noise.
        Event::Sending { sent, length, .. } if sent == length => return None,
        Event::Sending { file, sent, length } => {
            format!("{file}: {} of {} MB sent", sent / 1_000_000, length / 1_000_000)
        }
        Event::Sent { file, run } => format!("{file} is sent, as run {run}"),
        Event::Done { file, is_well: true, text, .. } => format!("{file} is done: {text}"),
        Event::Done { file, text, .. } => format!("{file} is done, but not all is well: {text}"),
        Event::Fetched { file, records, .. } => format!("{file} is there, with {records} records"),
        Event::Waits { run, text, .. } => format!("run {run} waits: {text}"),
    })
}
