//! Names of records, one a language.

use super::change::repeated;
use super::{Defaults, Issue};
use soapstone_contracts::common;

/// Language and name.
pub type Names = Vec<(String, String)>;

/// The names that are given, in the order of their languages; two in one language are refused under the code.
pub(super) fn names(
    given: Vec<common::Text>,
    code: &'static str,
    field: &str,
    defaults: &Defaults,
    issues: &mut Vec<Issue>,
) -> Names {
    let language = |text: &common::Text| text.language.clone().unwrap_or_else(|| defaults.language.clone());
    let mut names: Names = given.into_iter().map(|text| (language(&text), text.value)).collect();
    names.sort();
    if let Some(language) = repeated(names.iter().map(|(language, _)| language.as_str())) {
        let text = format!("two names in the language {language}");
        issues.push(Issue::error(code, text).of(field, language));
    }
    names
}

/// Names as the contract has them.
pub(super) fn texts(names: &[(String, String)]) -> Vec<common::Text> {
    names.iter().map(|(l, n)| common::Text { language: Some(l.clone()), value: n.clone() }).collect()
}
