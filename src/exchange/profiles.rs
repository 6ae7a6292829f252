//! The profiles and filters that are known, and those of them that somebody may change: files of a folder, with what they were before.

use super::channels::caller::Job;
use crate::history::{History, Version};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Profiles that come along.
pub(super) const SHIPPED: &[(&str, &str)] = &[("luma-shop", include_str!("../../profiles/luma-shop.toml"))];

/// Where earlier versions are.
const HISTORY: &str = "history";

/// Versions that are kept of a file.
const VERSIONS: usize = 50;

/// What a file of the folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Profile,
    Filter,
}

impl Sort {
    pub const ALL: [Self; 2] = [Self::Profile, Self::Filter];

    /// How its file's name ends.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Profile => "toml",
            Self::Filter => "rhai",
        }
    }

    pub fn of_ending(ending: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.ending() == ending)
    }
}

/// The profiles that are known: those in a folder, then those that come along.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    folder: Option<PathBuf>,
}

impl Profiles {
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()) }
    }

    /// Where a file of the folder is; None: it cannot be called so.
    fn place(&self, name: &str, sort: Sort) -> Option<PathBuf> {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !plain || name.starts_with('.') || name.len() > 100 {
            return None;
        }
        self.folder.as_ref().map(|folder| folder.join(format!("{name}.{}", sort.ending())))
    }

    /// A file of the folder, by the profile's name; None: there is none, though one may come along.
    pub fn own(&self, name: &str, sort: Sort) -> Option<String> {
        self.place(name, sort).and_then(|path| fs::read_to_string(path).ok())
    }

    /// Whether a file can be called so.
    pub fn is_name(&self, name: &str) -> bool {
        self.place(name, Sort::Profile).is_some()
    }

    /// Writes a file; what it was before is kept.
    ///
    /// # Errors
    /// Those of the file system; or it cannot be called so.
    pub fn save(&self, name: &str, sort: Sort, text: &str) -> io::Result<()> {
        let path = self.place(name, sort).ok_or(io::ErrorKind::InvalidFilename)?;
        if fs::read_to_string(&path).is_ok_and(|before| before == text) {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        self.keep(&path)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    }

    /// Removes a file; what it was is kept.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove(&self, name: &str, sort: Sort) -> io::Result<()> {
        let path = self.place(name, sort).ok_or(io::ErrorKind::InvalidFilename)?;
        self.keep(&path)?;
        fs::remove_file(&path)
    }

    /// Keeps what a file says, if there is one, among its earlier versions.
    fn keep(&self, path: &Path) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match (self.history(), fs::read(path)) {
            (Some(history), Ok(text)) => history.put(&name, text),
            (None, _) => Ok(()),
            (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            (_, Err(error)) => Err(error),
        }
    }

    fn history(&self) -> Option<History> {
        self.folder.as_ref().map(|folder| History::new(folder.join(HISTORY), VERSIONS))
    }

    /// The earlier versions of a file with when each was replaced, the latest first.
    pub fn versions(&self, name: &str, sort: Sort) -> Vec<Version> {
        self.history().map(|history| history.versions(&format!("{name}.{}", sort.ending()))).unwrap_or_default()
    }

    /// An earlier version of a file.
    pub fn version(&self, name: &str, sort: Sort, stamp: &str) -> Option<String> {
        let known = self.versions(name, sort).into_iter().find(|version| version.stamp == stamp)?;
        fs::read_to_string(known.file).ok()
    }

    /// The script that goes with a profile, or alone is one.
    pub fn filter(&self, name: &str) -> Option<String> {
        self.own(name, Sort::Filter)
    }

    /// The text of a profile by its name.
    pub fn text(&self, name: &str) -> Option<String> {
        let of_caller = || Some(Job::find(name.strip_prefix("caller-")?)?.profile.to_owned());
        self.own(name, Sort::Profile)
            .or_else(of_caller)
            .or_else(|| SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()))
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
        if let Some(entries) = self.folder.as_ref().and_then(|folder| fs::read_dir(folder).ok()) {
            names.extend(entries.flatten().filter_map(|entry| {
                let path = entry.path();
                let is_one = path.extension().is_some_and(|e| e == "toml" || e == "rhai");
                is_one.then(|| path.file_stem().map(|s| s.to_string_lossy().into_owned()))?
            }));
        }
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_was_before_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let profiles = Profiles::in_folder(&folder.path().join("profiles"));
        assert_eq!((profiles.own("erp", Sort::Profile), profiles.versions("erp", Sort::Profile)), (None, Vec::new()));
        for text in ["one", "two", "two", "three"] {
            profiles.save("erp", Sort::Profile, text).unwrap();
        }
        profiles.save("erp.old", Sort::Profile, "other").unwrap();
        assert_eq!(profiles.own("erp", Sort::Profile).as_deref(), Some("three"));
        let versions = profiles.versions("erp", Sort::Profile);
        let texts: Vec<_> = versions.iter().map(|v| profiles.version("erp", Sort::Profile, &v.stamp)).collect();
        assert_eq!(texts, [Some("two".to_owned()), Some("one".to_owned())]);
        profiles.remove("erp", Sort::Profile).unwrap();
        assert_eq!(profiles.versions("erp", Sort::Profile).len(), 3);
        assert_eq!(profiles.names(), ["erp.old", "luma-shop"]);
    }

    #[test]
    fn nothing_outside_of_the_folder_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        let profiles = Profiles::in_folder(folder.path());
        for name in ["", "../x", "a/b", ".x", "a\\b", "a b"] {
            assert!(!profiles.is_name(name) && profiles.save(name, Sort::Filter, "x").is_err(), "{name}");
        }
        assert_eq!(profiles.version("x", Sort::Profile, "../../etc/passwd"), None);
    }
}
