//! Groups of customers: what they are called.

use crate::domain::change::repeated;
use crate::domain::{Defaults, Issue, compared};
use chrono::NaiveDateTime;
use soapstone_contracts::common;
use soapstone_contracts::customers as contract;
use soapstone_runtime::DateTime;

/// A group as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub kind: contract::GroupKind,
    pub key: String,
    /// Language and name.
    pub names: Vec<(String, String)>,
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
            let language = |text: &common::Text| text.language.clone().unwrap_or_else(|| defaults.language.clone());
            group.names = given.name.iter().map(|text| (language(text), text.value.clone())).collect();
            group.names.sort();
            if let Some(language) = repeated(group.names.iter().map(|(language, _)| language.as_str())) {
                let text = format!("two names in the language {language}");
                issues.push(Issue::error("group.duplicate_language", text).of("name", language));
            }
        }
        issues.is_empty().then_some(group)
    }

    /// The group as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::Group {
        let name = self.names.iter();
        contract::Group {
            version: Some(version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(changed_at)),
            kind: self.kind,
            key: self.key.clone(),
            name: name.map(|(l, n)| common::Text { language: Some(l.clone()), value: n.clone() }).collect(),
        }
    }
}
