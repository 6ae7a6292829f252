//! Groups of customers: what they are called.

use crate::domain::names::{Names, names, texts};
use crate::domain::{Defaults, Issue, compared};
use chrono::NaiveDateTime;
use soapstone_contracts::customers as contract;
use soapstone_runtime::DateTime;

/// A group as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub kind: contract::GroupKind,
    pub key: String,
    pub names: Names,
}

impl Group {
    /// Applies a change to a group, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::Group,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let new = Self { kind: given.kind, key: compared(&given.key), names: Vec::new() };
        let mut group = existing.unwrap_or(new);
        if !given.name.is_empty() {
            group.names = names(given.name, "group.duplicate_language", "name", defaults, issues);
        }
        issues.is_empty().then_some(group)
    }

    /// The group as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::Group {
        contract::Group {
            version: Some(version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(changed_at)),
            kind: self.kind,
            key: self.key.clone(),
            name: texts(&self.names),
        }
    }
}
