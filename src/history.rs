//! Texts as they were before: files of a folder, each named by what it is of and when it was put there.

use chrono::{NaiveDateTime, Utc};
use std::fs;
use std::io;
use std::path::PathBuf;

/// When a version was put there, as its name has it: fine enough for those that follow each other at once.
const STAMP: &str = "%Y%m%dT%H%M%S%9f";

/// The versions of a folder.
#[derive(Clone, Debug)]
pub struct History {
    folder: PathBuf,
    /// How many are kept of each text.
    most: usize,
}

/// A version of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// When it was put there.
    pub at: NaiveDateTime,
    /// What it is asked for by.
    pub stamp: String,
    pub file: PathBuf,
}

impl History {
    pub fn new(folder: PathBuf, most: usize) -> Self {
        Self { folder, most }
    }

    /// The versions of a text, the latest first.
    pub fn versions(&self, name: &str) -> Vec<Version> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let version = |entry: fs::DirEntry| {
            let file = entry.file_name();
            let stamp = file.to_str()?.strip_prefix(name)?.strip_prefix('.')?.to_owned();
            Some(Version { at: NaiveDateTime::parse_from_str(&stamp, STAMP).ok()?, stamp, file: entry.path() })
        };
        let mut versions: Vec<Version> = entries.filter_map(version).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.at));
        versions
    }

    /// Puts a version there; the oldest ones go.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        fs::write(self.folder.join(format!("{name}.{}", Utc::now().format(STAMP))), text)?;
        self.versions(name).into_iter().skip(self.most).try_for_each(|old| fs::remove_file(old.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_ones_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::new(folder.path().join("history"), 2);
        assert!(history.versions("a").is_empty());
        for text in ["one", "two", "three"] {
            history.put("a", text).unwrap();
        }
        history.put("a.b", "other").unwrap();
        let texts = history.versions("a").into_iter().map(|version| fs::read_to_string(version.file).unwrap());
        assert_eq!(texts.collect::<Vec<_>>(), ["three", "two"]);
    }
}
