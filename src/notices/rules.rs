//! Who is told of which runs.

use crate::reporting::RunState;
use lettre::message::Mailbox;
use serde::Deserialize;
use soapstone_contracts::exchange::RunKind;
use soapstone_runtime::outbound::{Denied, Outbound};
use std::path::PathBuf;

/// What can be told of.
const EVENTS: [&str; 6] = ["succeeded", "succeededWithErrors", "failed", "cancelled", "waiting", "unusual"];

/// A rule, as the file of rules has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub name: String,
    /// States of runs, and `unusual` for those that are out of the ordinary.
    #[serde(default = "what_needs_somebody")]
    on: Vec<String>,
    /// Only these kinds; none: all.
    #[serde(default)]
    kinds: Vec<String>,
    /// Dry runs too.
    #[serde(default, rename = "dry-runs")]
    dry_runs: bool,
    /// A web hook, and what its messages are signed with.
    pub url: Option<String>,
    pub secret: Option<String>,
    /// The file that has the secret; the configuration reads it.
    #[serde(default, rename = "secret-file")]
    pub secret_file: Option<PathBuf>,
    /// Addresses of e-mail.
    #[serde(default)]
    pub email: Vec<Mailbox>,
}

fn what_needs_somebody() -> Vec<String> {
    ["succeededWithErrors", "failed", "waiting", "unusual"].map(str::to_owned).to_vec()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    #[serde(default)]
    notify: Vec<Rule>,
}

/// Reads a file of rules.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read_rules(text: &str) -> Result<Vec<Rule>, String> {
    let rules: Rules = toml::from_str(text).map_err(|e| e.to_string().trim().to_owned())?;
    for (place, rule) in rules.notify.iter().enumerate() {
        let wrong = |why: String| Err(format!("the rule \"{}\": {why}", rule.name));
        if rules.notify[..place].iter().any(|other| other.name == rule.name) {
            return wrong("there are two of that name".to_owned());
        }
        if let Some(event) = rule.on.iter().find(|event| !EVENTS.contains(&event.as_str())) {
            return wrong(format!("nothing is told of {event}; there are {}", EVENTS.join(", ")));
        }
        if let Some(kind) = rule.kinds.iter().find(|kind| !RunKind::ALL.iter().any(|known| known.as_str() == *kind)) {
            return wrong(format!("there is no kind {kind}"));
        }
        if rule.secret.is_some() && rule.secret_file.is_some() {
            return wrong("it has both a secret and a secret-file".to_owned());
        }
        if rule.url.is_none() && rule.email.is_empty() {
            return wrong("it has neither a url nor an email".to_owned());
        }
        if let Some(url) = &rule.url
            && let Err(denied @ Denied::Url(_)) = Outbound::default().endpoint(url)
        {
            return wrong(format!("\"{url}\" is no address of a web hook: {denied}"));
        }
    }
    Ok(rules.notify)
}

impl Rule {
    /// Whether it may want a run of that kind told at all.
    pub(super) fn is_of(&self, kind: &str, dry_run: bool) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|own| own == kind)) && (self.dry_runs || !dry_run)
    }

    /// Whether it wants a run in that state told.
    pub(super) fn wants(&self, state: RunState, is_unusual: bool) -> bool {
        self.on.iter().any(|event| event == state.as_str() || (is_unusual && event == "unusual"))
    }

    /// Whether it matters to it what is out of the ordinary.
    pub(super) fn wants_unusual(&self) -> bool {
        self.on.iter().any(|event| event == "unusual")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_of_rules_is_told() {
        for (text, told) in [
            ("name = \"x\"\non = [\"late\"]\nurl = \"http://x\"", "late"),
            ("name = \"x\"", "neither"),
            ("name = \"x\"\nemail = [\"nobody\"]", "email"),
            ("name = \"x\"\nurl = \"ftp://x\"", "ftp"),
            ("name = \"x\"\nurl = \"http://u:p@x\"", "user or password"),
            ("name = \"x\"\nurl = \"http://x\"\nsecret = \"a\"\nsecret-file = \"b\"", "both"),
            ("name = \"x\"\nkinds = [\"colours\"]\nurl = \"http://x\"", "colours"),
        ] {
            let wrong = read_rules(&format!("[[notify]]\n{text}\n")).unwrap_err();
            assert!(wrong.contains(told), "{wrong}");
        }
    }

    #[test]
    fn rules_say_what_is_told() {
        let rules =
            read_rules("[[notify]]\nname = \"x\"\nemail = [\"Ops <ops@example.com>\"]\nkinds = [\"stock\"]\n").unwrap();
        let rule = &rules[0];
        assert!(rule.is_of("stock", false) && !rule.is_of("stock", true) && !rule.is_of("articles", false));
        assert!(rule.wants(RunState::Failed, false) && rule.wants(RunState::Succeeded, true));
        assert!(!rule.wants(RunState::Succeeded, false));
    }
}
