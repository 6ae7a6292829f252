//! `soapstone picture`

use super::output::outln;
use super::{Done, Failure, Global, Outcome, setup};
use crate::domain::Severity;
use crate::pictures::{Workshop, too_large, unpacked};
use crate::services::MediaService;
use crate::store::batch::{Outcome as Became, Recorded};
use crate::store::pictures::{self, Filled};
use crate::store::{Db, StoreError};
use chrono::Utc;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Take pictures of articles
#[derive(Args)]
#[command(after_help = "\
The article is found by the name of the file (A-1.jpg, A-1_2.jpg; picture-pattern), or by articles whose media name it.

Examples:
  soapstone picture add photos/                 a folder with all that is below it
  soapstone picture add photos.zip A-1_2.png
  soapstone picture add photos/ --detach        leave the making of sizes to a server")]
pub(super) struct Picture {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Take pictures, folders and ZIPs of them, and make their sizes
    Add {
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Leave the making of sizes to a server
        #[arg(long)]
        detach: bool,
    },
    /// Tell how far the pictures are
    Progress,
}

impl Picture {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, true);
        let store = setup::store(&config)?;
        match &self.what {
            What::Add { paths, detach } => {
                let workers = config.picture_workers;
                let (workshop, bell) = if *detach {
                    (None, crate::pictures::Bell::default().into())
                } else {
                    let workshop = Workshop::open(&store, &config.rules.pictures, workers)?;
                    let bell = workshop.bell();
                    (Some(workshop), bell)
                };
                let media = MediaService { store: store.clone(), rules: config.rules.clone(), bell };
                let mut db = store.connection()?;
                let taken = add(&media, &mut db, paths)?;
                if let Some(workshop) = workshop {
                    wait(&mut db, global)?;
                    workshop.close();
                }
                Ok(tell(&taken, global))
            }
            What::Progress => {
                let progress = pictures::progress(&mut *store.connection()?, Utc::now().naive_utc())?;
                let (waiting, ready, failed) = (progress.waiting, progress.ready, progress.failed);
                if global.json {
                    let orphans = progress.orphans;
                    outln!("{}", json!({"waiting": waiting, "ready": ready, "failed": failed, "orphans": orphans}));
                } else {
                    outln!(
                        "{ready} ready, {waiting} waiting, {failed} failed; {} without an article",
                        progress.orphans
                    );
                }
                Ok(Done::Well)
            }
        }
    }
}

/// Takes what lies at paths: pictures, ZIPs, folders.
fn add(media: &MediaService, db: &mut Db, paths: &[PathBuf]) -> Result<Vec<(String, Recorded)>, Failure> {
    let mut filled = Filled::default();
    let mut taken = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        gather(path, &mut files)?;
    }
    for file in files {
        let unreadable = |e: std::io::Error| format!("{}: {e}", file.display());
        let is_archive = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
        if is_archive {
            let archive = File::open(&file).map_err(unreadable)?;
            let done = unpacked(archive, &media.rules.pictures, |picture| {
                taken.push(media.take_file(db, picture, &mut filled)?);
                media.bell.ring();
                Ok::<_, StoreError>(())
            });
            done.map_err(|e| format!("{}: {e}", file.display()))?;
            continue;
        }
        let size = file.metadata().map_err(unreadable)?.len();
        let content = if size > media.rules.pictures.most_bytes {
            Err(too_large(&media.rules.pictures))
        } else {
            Ok(std::fs::read(&file).map_err(unreadable)?.into())
        };
        taken.push(media.take_file(db, (file.to_string_lossy().into_owned(), content), &mut filled)?);
        media.bell.ring();
    }
    Ok(taken)
}

/// The files at a path, and below it, in the order of their names.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut below = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    below.sort();
    let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    below.iter().filter(|path| !is_hidden(path)).try_for_each(|path| gather(path, files))
}

/// Waits until all sizes are made.
fn wait(db: &mut Db, global: &Global) -> Result<(), Failure> {
    let bar = if global.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")?);
    bar.set_message("making sizes");
    let mut all = 0;
    loop {
        let waiting = u64::try_from(pictures::progress(db, Utc::now().naive_utc())?.waiting).unwrap_or(0);
        all = all.max(waiting);
        bar.set_length(all);
        bar.set_position(all - waiting);
        if waiting == 0 {
            bar.finish_and_clear();
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn tell(taken: &[(String, Recorded)], global: &Global) -> Done {
    let count = |became: Became| taken.iter().filter(|(_, r)| r.outcome == became).count();
    let refused = count(Became::Refused);
    if global.json {
        let of = |(name, recorded): &(String, Recorded)| {
            let codes: Vec<&str> = recorded.issues.iter().map(|issue| issue.code).collect();
            json!({"fileName": name, "outcome": format!("{:?}", recorded.outcome).to_lowercase(), "codes": codes})
        };
        outln!("{}", json!({"pictures": taken.iter().map(of).collect::<Vec<_>>()}));
    } else {
        for (name, recorded) in taken {
            for issue in recorded.issues.iter().filter(|issue| issue.severity > Severity::Info) {
                outln!("{name}: {issue}");
            }
        }
        let (new, changed, same) = (count(Became::Created), count(Became::Updated), count(Became::Unchanged));
        outln!("{new} new, {changed} changed, {same} as they were, {refused} refused");
    }
    if refused > 0 { Done::WithRefusals } else { Done::Well }
}
