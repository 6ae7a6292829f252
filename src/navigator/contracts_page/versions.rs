//! Contracts as they were served before, so that a page can say what changed: each version is kept when it is served first.

use crate::history::{History, Version};
use chrono::NaiveDateTime;
use soapstone_contract::diff::{Change, Impact, compare};
use soapstone_contract::{Files, load};
use soapstone_runtime::service::ServiceInfo;
use std::fs;
use std::io;
use std::path::Path;

/// Versions that are kept of a contract.
const KEPT: usize = 10;

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

fn history(data_dir: &Path) -> History {
    History::new(data_dir.join("contracts"), KEPT)
}

/// Keeps the contracts of services that are not as they were when they were served last.
///
/// # Errors
/// Those of the file system.
pub(super) fn keep<'a>(data_dir: &Path, services: impl Iterator<Item = &'a ServiceInfo>) -> io::Result<()> {
    let history = history(data_dir);
    for info in services {
        let Some(text) = text(info) else { continue };
        let last = history.versions(info.name).into_iter().next();
        let is_as_before = last.is_some_and(|last| fs::read_to_string(last.file).is_ok_and(|before| before == text));
        if !is_as_before {
            history.put(info.name, text)?;
        }
    }
    Ok(())
}

/// What changed in a contract with its last version; None: nothing is kept of it.
///
/// # Errors
/// Why a version cannot be read.
pub(super) fn changed(data_dir: &Path, service: &str) -> Result<Option<Changed>, String> {
    let versions = history(data_dir).versions(service);
    let Some(now) = versions.first() else { return Ok(None) };
    let Some(before) = versions.get(1) else {
        return Ok(Some(Changed { since: now.at, before: None, changes: Vec::new() }));
    };
    let read = |version: &Version| load(&Files, &version.file.to_string_lossy()).map_err(|error| error.to_string());
    let mut changes: Vec<Change> = compare(&read(before)?, &read(now)?);
    changes.sort_by_key(|change| std::cmp::Reverse(change.impact));
    let told = |change: Change| (Impact::as_str(change.impact), change.place, change.text);
    let changes = changes.into_iter().map(told).collect();
    Ok(Some(Changed { since: now.at, before: Some(before.at), changes }))
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
        history(folder.path()).put("Catalog", &old).unwrap();
        let first = changed(folder.path(), "Catalog").unwrap().unwrap();
        assert!(first.before.is_none() && first.changes.is_empty());
        keep();
        keep();
        let second = changed(folder.path(), "Catalog").unwrap().unwrap();
        assert_eq!(history(folder.path()).versions("Catalog").len(), 2);
        assert!(second.before.is_some(), "the version before is known");
        assert!(
            second.changes.iter().any(|(impact, place, _)| *impact == "breaking" && place.ends_with("deliveryDays")),
            "{:?}",
            second.changes
        );
    }
}
