//! Contracts as they were served before, so that a page can say what changed: each version is kept when it is served first.

use chrono::{NaiveDateTime, Utc};
use soapstone_contract::diff::{Change, Impact, compare};
use soapstone_contract::{Files, load};
use soapstone_runtime::service::ServiceInfo;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Versions that are kept of a contract.
const KEPT: usize = 10;

const STAMP: &str = "%Y%m%dT%H%M%S%3f";

/// A version that was served.
struct Version {
    since: NaiveDateTime,
    file: PathBuf,
}

/// What changed with the version that is served now.
pub(super) struct Changed {
    pub since: NaiveDateTime,
    /// The version before is of then; none: this is the first.
    pub before: Option<NaiveDateTime>,
    pub changes: Vec<(&'static str, String, String)>,
}

/// A contract in one document.
fn text(info: &ServiceInfo) -> Option<&'static str> {
    info.flat.as_ref().or_else(|| info.documents.first()).map(|document| document.text)
}

fn folder(data_dir: &Path, service: &str) -> PathBuf {
    data_dir.join("contracts").join(service)
}

/// The versions of a contract, the latest first.
fn versions(folder: &Path) -> Vec<Version> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let version = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let since = NaiveDateTime::parse_from_str(name.to_str()?.strip_suffix(".wsdl")?, STAMP).ok()?;
        Some(Version { since, file: entry.path() })
    };
    let mut versions: Vec<Version> = entries.filter_map(version).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version.since));
    versions
}

/// Keeps the contracts of services that are not as they were when they were served last.
///
/// # Errors
/// Those of the file system.
pub(super) fn keep<'a>(data_dir: &Path, services: impl Iterator<Item = &'a ServiceInfo>) -> io::Result<()> {
    for info in services {
        let Some(text) = text(info) else { continue };
        let folder = folder(data_dir, info.name);
        let before = versions(&folder);
        let is_as_before =
            before.first().is_some_and(|last| fs::read_to_string(&last.file).is_ok_and(|before| before == text));
        if is_as_before {
            continue;
        }
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{}.wsdl", Utc::now().format(STAMP))), text)?;
        for old in before.into_iter().skip(KEPT - 1) {
            fs::remove_file(old.file)?;
        }
    }
    Ok(())
}

/// What changed in a contract with its last version; None: nothing is kept of it.
///
/// # Errors
/// Why a version cannot be read.
pub(super) fn changed(data_dir: &Path, service: &str) -> Result<Option<Changed>, String> {
    let versions = versions(&folder(data_dir, service));
    let Some(now) = versions.first() else { return Ok(None) };
    let Some(before) = versions.get(1) else {
        return Ok(Some(Changed { since: now.since, before: None, changes: Vec::new() }));
    };
    let read = |version: &Version| load(&Files, &version.file.to_string_lossy()).map_err(|error| error.to_string());
    let mut changes: Vec<Change> = compare(&read(before)?, &read(now)?);
    changes.sort_by_key(|change| std::cmp::Reverse(change.impact));
    let told = |change: Change| (Impact::as_str(change.impact), change.place, change.text);
    let changes = changes.into_iter().map(told).collect();
    Ok(Some(Changed { since: now.since, before: Some(before.since), changes }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use soapstone_contracts::catalog::CATALOG_INFO;

    #[test]
    fn what_changed_since_the_last_version_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let keep = || keep(folder.path(), [&CATALOG_INFO].into_iter()).unwrap();
        assert!(changed(folder.path(), "Catalog").unwrap().is_none());
        let old = text(&CATALOG_INFO).unwrap().replacen("name=\"deliveryTime\"", "name=\"deliveryDays\"", 1);
        let own = super::folder(folder.path(), "Catalog");
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join("20260101T000000000.wsdl"), old).unwrap();
        let first = changed(folder.path(), "Catalog").unwrap().unwrap();
        assert!(first.before.is_none() && first.changes.is_empty());
        keep();
        keep();
        let second = changed(folder.path(), "Catalog").unwrap().unwrap();
        assert_eq!(versions(&own).len(), 2);
        assert!(second.before.is_some(), "the version before is known");
        assert!(
            second.changes.iter().any(|(impact, place, _)| *impact == "breaking" && place.ends_with("deliveryDays")),
            "{:?}",
            second.changes
        );
    }
}
