//! Folders that are watched: a file that is put there is taken once it does not grow any more, imported, and filed by day; a status
//! file says how it went.
//!
//! A file is taken by renaming it, which only one node can; its run is told by that name, so that there is one however many look.

use super::claimed::Claimed;
use super::status;
use crate::domain::hex;
use crate::exchange::{Exchange, Request};
use crate::reporting::RunState;
use serde::Deserialize;
use soapstone_contracts::exchange::{Channel, ImportMode, RunFormat, RunKind};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Where files are while they are worked on.
const WORKING: &str = ".working";

/// How names end while somebody still writes the file.
const UNFINISHED: [&str; 6] = ["tmp", "part", "partial", "filepart", "crdownload", "swp"];

/// A folder that is watched, as the file of folders has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HotFolder {
    pub path: PathBuf,
    /// Which files: `*` stands for any letters, `?` for one.
    #[serde(default = "all_files")]
    pub pattern: String,
    pub kind: String,
    #[serde(default)]
    pub format: Option<String>,
    #[serde(default)]
    pub profile: Option<String>,
    /// Files have all records.
    #[serde(default)]
    pub full: bool,
    #[serde(default)]
    pub delete_at_most: Option<i32>,
    #[serde(default)]
    pub all_or_nothing: bool,
    #[serde(default)]
    pub priority: i32,
    /// For how long a file must not have changed.
    #[serde(default = "settled")]
    pub settle_seconds: f64,
    /// For how many days files are kept once they are done; 0: for ever.
    #[serde(default)]
    pub keep_days: u32,
}

fn all_files() -> String {
    "*".to_owned()
}

fn settled() -> f64 {
    2.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Folders {
    #[serde(default)]
    folder: Vec<HotFolder>,
}

/// Reads a file of folders.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read_folders(text: &str) -> Result<Vec<HotFolder>, String> {
    let folders: Folders = toml::from_str(text).map_err(|e| e.to_string().trim().to_owned())?;
    for folder in &folders.folder {
        let path = folder.path.display();
        if folder.kind().is_none() {
            let known: Vec<&str> = RunKind::ALL.iter().map(|kind| kind.as_str()).collect();
            return Err(format!("{path}: there is no kind {}; there are {}", folder.kind, known.join(", ")));
        }
        if folder.run_format().is_none() {
            let known: Vec<&str> = RunFormat::ALL.iter().map(|format| format.as_str()).collect();
            return Err(format!("{path}: there is no such format; there are {}", known.join(", ")));
        }
        if !(0.0..=3600.0).contains(&folder.settle_seconds) {
            return Err(format!("{path}: settle-seconds is from 0 to 3600"));
        }
    }
    Ok(folders.folder)
}

impl HotFolder {
    fn kind(&self) -> Option<RunKind> {
        RunKind::ALL.iter().copied().find(|kind| kind.as_str() == self.kind)
    }

    fn run_format(&self) -> Option<RunFormat> {
        let name = self.format.as_deref().unwrap_or(RunFormat::Auto.as_str());
        RunFormat::ALL.iter().copied().find(|format| format.as_str() == name)
    }

    fn request(&self, source_name: String, claim: String) -> Request {
        Request {
            kind: self.kind().unwrap_or(RunKind::Articles),
            format: self.run_format().unwrap_or(RunFormat::Auto),
            profile: self.profile.clone(),
            source_name,
            dry_run: false,
            mode: if self.full { ImportMode::Full } else { ImportMode::Partial },
            delete_at_most: self.delete_at_most,
            retry_of: None,
            claim: Some(claim),
            priority: self.priority,
            all_or_nothing: self.all_or_nothing,
            channel: Channel::HotFolder.as_str(),
        }
    }
}

/// Whether a name is of a pattern.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pattern_chars = pattern.chars();
    match pattern_chars.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = pattern_chars.as_str();
            name.char_indices().map(|(place, _)| place).chain([name.len()]).any(|place| fits(rest, &name[place..]))
        }
        Some(wanted) => {
            let mut name_chars = name.chars();
            name_chars.next().is_some_and(|char| {
                (wanted == '?' || char.to_lowercase().eq(wanted.to_lowercase()))
                    && fits(pattern_chars.as_str(), name_chars.as_str())
            })
        }
    }
}

/// A file as it was seen last, and since when it is so.
#[derive(Clone, Copy)]
struct Seen {
    size: u64,
    changed: Option<SystemTime>,
    since: Instant,
}

/// A folder, with what was seen in it.
pub(super) struct Watched {
    folder: HotFolder,
    seen: HashMap<PathBuf, Seen>,
    /// What could not be done, so that it is told once.
    trouble: Option<String>,
    tidied: Option<Instant>,
}

impl Watched {
    pub fn new(folder: HotFolder) -> Self {
        Self { folder, seen: HashMap::new(), trouble: None, tidied: None }
    }

    /// Looks at the folder once. Gives whether there are new runs.
    pub fn look(&mut self, exchange: &Exchange) -> bool {
        match self.take_and_tend(exchange) {
            Ok(found) => {
                self.trouble = None;
                found
            }
            Err(error) => {
                let told = format!("{}: {error}", self.folder.path.display());
                if self.trouble.as_ref() != Some(&told) {
                    log::error!("a folder cannot be watched: {told}");
                }
                self.trouble = Some(told);
                false
            }
        }
    }

    fn take_and_tend(&mut self, exchange: &Exchange) -> io::Result<bool> {
        let working = self.folder.path.join(WORKING);
        fs::create_dir_all(&working)?;
        for path in self.settled_files()? {
            self.seen.remove(&path);
            self.take(&path, &working)?;
        }
        let mut found = false;
        for entry in fs::read_dir(&working)?.flatten() {
            if entry.file_type()?.is_file() {
                found |= self.tend(exchange, &entry.path())?;
            }
        }
        self.tidy()?;
        Ok(found)
    }

    /// Files that have not changed for long enough.
    fn settled_files(&mut self) -> io::Result<Vec<PathBuf>> {
        let mut settled = Vec::new();
        let mut there = HashMap::new();
        let least = Duration::try_from_secs_f64(self.folder.settle_seconds).unwrap_or_default();
        for entry in fs::read_dir(&self.folder.path)?.flatten() {
            let path = entry.path();
            let Ok(about) = entry.metadata() else { continue };
            if !about.is_file() || !self.is_wanted(entry.file_name().as_os_str(), &path) {
                continue;
            }
            let seen = self.seen_again(&path, &about);
            if seen.since.elapsed() >= least {
                settled.push(path.clone());
            }
            there.insert(path, seen);
        }
        self.seen = there;
        // In the order in which they came.
        settled.sort_by_key(|path| (self.seen.get(path).and_then(|seen| seen.changed), path.clone()));
        Ok(settled)
    }

    fn is_wanted(&self, name: &OsStr, path: &Path) -> bool {
        let name = name.to_string_lossy();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let is_unfinished = name.starts_with('.') || name.ends_with('~') || UNFINISHED.contains(&ending.as_str());
        !is_unfinished && fits(&self.folder.pattern, &name)
    }

    fn seen_again(&self, path: &Path, about: &Metadata) -> Seen {
        let (size, changed) = (about.len(), about.modified().ok());
        match self.seen.get(path) {
            Some(seen) if (seen.size, seen.changed) == (size, changed) => *seen,
            _ => Seen { size, changed, since: Instant::now() },
        }
    }

    /// Takes a file, unless another node was faster.
    fn take(&self, path: &Path, working: &Path) -> io::Result<()> {
        let mut token = [0; 8];
        openssl::rand::rand_bytes(&mut token)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match fs::rename(path, working.join(format!("{}-{name}", hex(&token)))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Sees to it that a file that was taken has its run, and is filed once that is done.
    fn tend(&self, exchange: &Exchange, path: &Path) -> io::Result<bool> {
        let token = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = token.split_once('-').map_or(token.as_str(), |(_, name)| name).to_owned();
        let claim = format!("folder {token}");
        let request = self.folder.request(name.clone(), claim);
        let (state, text) = match Claimed::tend(exchange, path, &request)? {
            Claimed::New => return Ok(true),
            Claimed::AtWork(_) => return Ok(false),
            Claimed::Refused(fault) => (RunState::Failed, fault),
            Claimed::Done(report) => {
                let text = status::text(exchange, &report)?;
                if let Some(mut rejected) = status::rejected(exchange, &report) {
                    let place = self.folder.path.join("status").join(format!("{name}.rejected"));
                    fs::create_dir_all(self.folder.path.join("status"))?;
                    status::put(&place, |file| io::copy(&mut rejected, file).map(drop))?;
                }
                (report.run.state(), text)
            }
        };
        let ending = if state == RunState::Succeeded { "ok" } else { "err" };
        let folder = self.folder.path.join("status");
        fs::create_dir_all(&folder)?;
        status::put(&folder.join(format!("{name}.{ending}")), |file| io::Write::write_all(file, text.as_bytes()))?;
        let other = if ending == "ok" { "err" } else { "ok" };
        // Of an earlier file of that name.
        let _ = fs::remove_file(folder.join(format!("{name}.{other}")));
        self.file(path, &token)?;
        Ok(false)
    }

    /// Files what is done, by day.
    fn file(&self, path: &Path, token: &str) -> io::Result<()> {
        let day = self.folder.path.join("archive").join(chrono::Utc::now().format("%Y-%m-%d").to_string());
        fs::create_dir_all(&day)?;
        match fs::rename(path, day.join(token)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes files that are kept long enough.
    fn tidy(&mut self) -> io::Result<()> {
        let is_time = self.tidied.is_none_or(|at| at.elapsed() > Duration::from_secs(3600));
        if self.folder.keep_days == 0 || !is_time {
            return Ok(());
        }
        self.tidied = Some(Instant::now());
        let oldest = chrono::Utc::now().date_naive() - chrono::TimeDelta::days(self.folder.keep_days.into());
        let Ok(days) = fs::read_dir(self.folder.path.join("archive")) else { return Ok(()) };
        for day in days.flatten() {
            let is_old = day
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<chrono::NaiveDate>().ok())
                .is_some_and(|d| d < oldest);
            if is_old {
                fs::remove_dir_all(day.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_by_patterns() {
        for (pattern, name, is_one) in [
            ("*", "a.csv", true),
            ("*.csv", "A.CSV", true),
            ("art*_??.csv", "artikel_01.csv", true),
            ("art*_??.csv", "artikel_1.csv", false),
            ("*.csv", "a.csv.gz", false),
        ] {
            assert_eq!(fits(pattern, name), is_one, "{pattern} {name}");
        }
    }

    #[test]
    fn a_wrong_file_of_folders_is_told() {
        let wrong = |text: &str| read_folders(text).unwrap_err();
        assert!(wrong("[[folder]]\npath = \"x\"\nkind = \"colours\"\n").contains("colours"));
        assert!(wrong("[[folder]]\npath = \"x\"\nkind = \"articles\"\nwrong = 1\n").contains("line 4"));
        assert_eq!(read_folders("[[folder]]\npath = \"x\"\nkind = \"stock\"\n").map(|folders| folders.len()), Ok(1));
    }
}
