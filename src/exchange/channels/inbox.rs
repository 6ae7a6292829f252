//! A folder that files come in by: a file is taken once it does not grow any more, kept aside while it is worked on, and filed by day;
//! what became of it is told beside it. The server's watched folders and the client's are alike.
//!
//! A file is taken by renaming it, which only one process can, however many look.

use super::status;
use crate::domain::hex;
use crate::exchange::spool::sync_folder_of;
use crate::exchange::{Initiator, Request};
use crate::permissions::create_shared_folder;
use crate::reporting::RunState;
use serde::Deserialize;
use soapstone_contracts::exchange::{Channel, ImportMode, RunFormat, RunKind};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Where files are while they are worked on.
const WORKING: &str = ".working";

/// How names end while somebody still writes the file.
const UNFINISHED: [&str; 6] = ["tmp", "part", "partial", "filepart", "crdownload", "swp"];

/// A folder that files come in by, as the file of folders has it.
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

impl HotFolder {
    /// Sees to it that it means something.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        let path = self.path.display();
        if self.kind().is_none() {
            let known: Vec<&str> = RunKind::ALL.iter().map(|kind| kind.as_str()).collect();
            return Err(format!("{path}: there is no kind {}; there are {}", self.kind, known.join(", ")));
        }
        if self.run_format().is_none() {
            let known: Vec<&str> = RunFormat::ALL.iter().map(|format| format.as_str()).collect();
            return Err(format!("{path}: there is no such format; there are {}", known.join(", ")));
        }
        if !(0.0..=3600.0).contains(&self.settle_seconds) {
            return Err(format!("{path}: settle-seconds is from 0 to 3600"));
        }
        Ok(())
    }

    fn kind(&self) -> Option<RunKind> {
        RunKind::ALL.iter().copied().find(|kind| kind.as_str() == self.kind)
    }

    fn run_format(&self) -> Option<RunFormat> {
        let name = self.format.as_deref().unwrap_or(RunFormat::Auto.as_str());
        RunFormat::ALL.iter().copied().find(|format| format.as_str() == name)
    }

    /// What is to be done with a file, by the names of the fields of an upload.
    pub fn fields(&self, file: &str) -> Vec<(&'static str, String)> {
        let mode = if self.full { ImportMode::Full } else { ImportMode::Partial };
        let fields = [
            ("kind", Some(self.kind.clone())),
            ("format", self.format.clone()),
            ("profile", self.profile.clone()),
            ("sourceName", Some(file.to_owned())),
            ("mode", Some(mode.as_str().to_owned())),
            ("deleteAtMost", self.delete_at_most.map(|most| most.to_string())),
            ("priority", Some(self.priority.to_string())),
            ("allOrNothing", Some(self.all_or_nothing.to_string())),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    pub(super) fn request(&self, source_name: String, claim: String) -> Request {
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
            initiator: Initiator::new(Channel::HotFolder, Some(&self.path.to_string_lossy())),
        }
    }
}

/// How many files are in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Files that were not taken yet.
    pub waiting: i64,
    /// Files that were, and whose runs are not over.
    pub working: i64,
}

impl HotFolder {
    /// Counts its files.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn glance(&self) -> io::Result<Glance> {
        let mut glance = Glance::default();
        for entry in fs::read_dir(&self.path)?.flatten() {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            glance.waiting += i64::from(is_file && self.is_wanted(&entry.file_name()));
        }
        if let Ok(working) = fs::read_dir(self.path.join(WORKING)) {
            glance.working = i64::try_from(working.count()).unwrap_or(i64::MAX);
        }
        Ok(glance)
    }

    fn is_wanted(&self, name: &OsStr) -> bool {
        let ending = Path::new(name).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let ending = ending.unwrap_or_default();
        let name = name.to_string_lossy();
        let is_unfinished = name.starts_with('.') || name.ends_with('~') || UNFINISHED.contains(&ending.as_str());
        !is_unfinished && fits(&self.pattern, &name)
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
pub struct Inbox {
    pub folder: HotFolder,
    seen: HashMap<PathBuf, Seen>,
    tidied: Option<Instant>,
}

/// A file that was taken.
#[derive(Debug)]
pub struct Taken {
    pub path: PathBuf,
    /// Names it, and no other.
    pub token: String,
    /// As it was called before.
    pub name: String,
}

/// What became of a file.
pub struct Fate<'a> {
    pub state: RunState,
    /// For a person, and for programs.
    pub text: &'a str,
    /// Its refused records.
    pub rejected: Option<&'a mut dyn Read>,
}

impl Inbox {
    pub fn new(folder: HotFolder) -> Self {
        Self { folder, seen: HashMap::new(), tidied: None }
    }

    /// Takes the files that do not change any more, unless another process was faster; gives all that are taken and not filed yet,
    /// those of an earlier start too.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn take(&mut self) -> io::Result<Vec<Taken>> {
        let working = self.folder.path.join(WORKING);
        create_shared_folder(&working)?;
        for path in self.settled_files()? {
            self.seen.remove(&path);
            claim(&path, &working)?;
        }
        let mut taken = Vec::new();
        for entry in fs::read_dir(&working)?.flatten() {
            let token = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_file() && !token.starts_with('.') {
                let name = token.split_once('-').map_or(token.as_str(), |(_, name)| name).to_owned();
                let changed = entry.metadata()?.modified().ok();
                taken.push((changed, Taken { path: entry.path(), token, name }));
            }
        }
        // In the order in which they came.
        taken.sort_by(|(one, a), (other, b)| (one, &a.name).cmp(&(other, &b.name)));
        self.tidy()?;
        Ok(taken.into_iter().map(|(_, taken)| taken).collect())
    }

    /// Whether files are there that may still change.
    pub fn is_settling(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Files that have not changed for long enough.
    fn settled_files(&mut self) -> io::Result<Vec<PathBuf>> {
        let mut settled = Vec::new();
        let mut there = HashMap::new();
        let least = Duration::try_from_secs_f64(self.folder.settle_seconds).unwrap_or_default();
        for entry in fs::read_dir(&self.folder.path)?.flatten() {
            let path = entry.path();
            let Ok(about) = entry.metadata() else { continue };
            if !about.is_file() || !self.folder.is_wanted(&entry.file_name()) {
                continue;
            }
            let seen = self.seen_again(&path, &about);
            if seen.since.elapsed() >= least {
                settled.push(path.clone());
            }
            there.insert(path, seen);
        }
        self.seen = there;
        Ok(settled)
    }

    fn seen_again(&self, path: &Path, about: &Metadata) -> Seen {
        let (size, changed) = (about.len(), about.modified().ok());
        match self.seen.get(path) {
            Some(seen) if (seen.size, seen.changed) == (size, changed) => *seen,
            _ => Seen { size, changed, since: Instant::now() },
        }
    }

    /// Tells what became of a file, and files it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn file(&self, taken: &Taken, fate: Fate<'_>) -> io::Result<()> {
        let folder = self.folder.path.join("status");
        create_shared_folder(&folder)?;
        if let Some(rejected) = fate.rejected {
            let place = folder.join(format!("{}.rejected", taken.name));
            status::put_shared(&place, |file| io::copy(rejected, file).map(drop))?;
        }
        let (ending, other) = if fate.state == RunState::Succeeded { ("ok", "err") } else { ("err", "ok") };
        let place = folder.join(format!("{}.{ending}", taken.name));
        status::put_shared(&place, |file| io::Write::write_all(file, fate.text.as_bytes()))?;
        // Of an earlier file of that name.
        let _ = fs::remove_file(folder.join(format!("{}.{other}", taken.name)));
        let day = self.folder.path.join("archive").join(chrono::Utc::now().format("%Y-%m-%d").to_string());
        create_shared_folder(&day)?;
        match fs::rename(&taken.path, day.join(&taken.token)) {
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

/// Takes a file, unless another process was faster.
fn claim(path: &Path, working: &Path) -> io::Result<()> {
    let mut token = [0; 8];
    openssl::rand::rand_bytes(&mut token)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let taken = working.join(format!("{}-{name}", hex(&token)));
    match fs::rename(path, &taken) {
        // A power cut must not bring it back under its first name: it would be taken once more.
        Ok(()) => sync_folder_of(path).and_then(|()| sync_folder_of(&taken)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) => Ok(()),
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
}
