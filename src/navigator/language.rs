//! The languages of the pages. A page says everything in English; what `german.toml` has a German text for is said so.

use crate::http::auth::cookie;
use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;
use std::collections::HashMap;
use std::sync::LazyLock;

static GERMAN: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("german.toml")).unwrap_or_else(|e| {
        log::error!("the German texts cannot be read: {e}");
        HashMap::new()
    })
});

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    #[default]
    English,
    German,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// As the page's `lang` has it.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// What it calls itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// What has a browser keep it.
    pub fn cookie(self) -> &'static str {
        match self {
            Self::English => "soapstone_language=en; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
            Self::German => "soapstone_language=de; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// What was chosen, else what the browser would rather have.
    pub fn of(request: &HttpRequest) -> Self {
        let chosen = cookie(request.headers(), "soapstone_language").and_then(Self::parse);
        let liked = || request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map(Self::liked);
        chosen.or_else(liked).unwrap_or_default()
    }

    fn liked(accepted: &str) -> Self {
        let mut best = (0.0, Self::default());
        for part in accepted.split(',') {
            let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
            let code = tag.trim().split('-').next().unwrap_or_default();
            let quality: f32 = quality.trim().parse().unwrap_or(0.0);
            if let Some(language) = Self::parse(code)
                && quality > best.0
            {
                best = (quality, language);
            }
        }
        best.1
    }

    /// A text in this language; what is not known stays as it is.
    pub fn say(self, text: &str) -> &str {
        match self {
            Self::English => text,
            Self::German => GERMAN.get(text).map_or(text, String::as_str),
        }
    }

    /// A text with values where it has `{}`.
    pub fn say_with(self, text: &str, values: &[&dyn std::fmt::Display]) -> String {
        let text = self.say(text);
        let mut parts = text.split("{}");
        let mut said = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values) {
            said.push_str(&value.to_string());
            said.push_str(part);
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    #[test]
    fn what_a_browser_likes_best_is_taken() {
        for (accepted, expected) in [
            ("de-CH,de;q=0.9,en;q=0.8", Language::German),
            ("fr,en;q=0.5,de;q=0.4", Language::English),
            ("fr, de;q=0.4", Language::German),
            ("*", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::liked(accepted), expected, "{accepted}");
        }
    }

    #[test]
    fn values_stand_where_they_belong() {
        assert_eq!(Language::English.say_with("{} of {}", &[&1, &"2"]), "1 of 2");
    }

    fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, ending, found);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }

    /// The texts that are said by `t("…")` or `tell("…")`.
    fn said(text: &str) -> BTreeSet<String> {
        let mut said = BTreeSet::new();
        for call in ["visitor.t(\"", "visitor.tell(\"", "visitor.tell_two(\"", "link(\""] {
            for rest in text.split(call).skip(1) {
                let literal = if call == "link(\"" { rest.split('"').nth(2) } else { rest.split('"').next() };
                said.extend(literal.map(str::to_owned));
            }
        }
        said
    }

    #[test]
    fn everything_is_said_in_german_too() {
        let navigator = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/navigator");
        let mut found = Vec::new();
        files(&navigator, "html", &mut found);
        let mut all = BTreeSet::new();
        for file in found {
            all.extend(said(&std::fs::read_to_string(file).unwrap()));
        }
        let missing: Vec<&String> = all.iter().filter(|text| !GERMAN.contains_key(*text)).collect();
        assert!(!all.is_empty() && missing.is_empty(), "german.toml lacks {missing:#?}");
    }

    #[test]
    fn a_german_text_has_the_same_places() {
        for (english, german) in GERMAN.iter() {
            assert_eq!(english.matches("{}").count(), german.matches("{}").count(), "{english}");
        }
    }
}
