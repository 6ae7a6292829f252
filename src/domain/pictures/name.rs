//! Whose a picture is, by the name of its file.

use crate::domain::{base_name, compared, folded};
use regex::Regex;

/// How names of files tell articles: a regular expression with the groups `sku` and, for several pictures of one, `position`.
#[derive(Clone, Debug)]
pub struct NamePattern(Regex);

/// Whose a picture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// As the article has it.
    pub sku: String,
    pub position: i32,
}

/// The name of a file as it is compared, of a path or an address.
pub fn file_key(location: &str) -> String {
    folded(base_name(location.split('?').next().unwrap_or(location)))
}

/// What a name may mean: the article's number as it is spelled there, and the position.
pub type Meaning = (String, i32);

impl NamePattern {
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, String> {
        let regex = Regex::new(&format!("^(?i:{text})$")).map_err(|e| e.to_string().replace('\n', " "))?;
        if regex.capture_names().flatten().any(|name| name == "sku") {
            Ok(Self(regex))
        } else {
            Err("it has no group (?<sku>…)".to_owned())
        }
    }

    /// What the name of a file may mean, the likeliest first: that all of it is the number goes before what the pattern
    /// takes apart, as numbers may have what looks like a position.
    pub fn meanings(&self, file_name: &str) -> Vec<Meaning> {
        let name = compared(base_name(file_name));
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let mut meanings = vec![(stem.to_owned(), 1)];
        if let Some(found) = self.0.captures(stem)
            && let Some(sku) = found.name("sku")
        {
            let position = found.name("position").and_then(|p| p.as_str().parse().ok()).filter(|p| *p >= 1);
            meanings.push((sku.as_str().to_owned(), position.unwrap_or(1)));
        }
        meanings.dedup();
        meanings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern() -> NamePattern {
        NamePattern::read("(?<sku>.+?)(?:_(?<position>[0-9]+))?").unwrap()
    }

    fn meanings(name: &str) -> Vec<(String, i32)> {
        pattern().meanings(name)
    }

    #[test]
    fn a_name_is_a_number_or_a_number_and_a_position() {
        let of = |sku: &str, position| (sku.to_owned(), position);
        assert_eq!(meanings("A-1.jpg"), [of("A-1", 1)]);
        assert_eq!(meanings("A-1_2.JPG"), [of("A-1_2", 1), of("A-1", 2)]);
        assert_eq!(meanings("pics/U\u{308}ber_10.webp"), [of("Über_10", 1), of("Über", 10)]);
        assert_eq!(meanings("v1.5_3.png"), [of("v1.5_3", 1), of("v1.5", 3)]);
        assert_eq!(meanings("a_0.png"), [of("a_0", 1), of("a", 1)]);
        assert_eq!(meanings("bare"), [of("bare", 1)]);
    }

    #[test]
    fn an_address_is_known_by_the_file_at_its_end() {
        assert_eq!(file_key("https://cdn.example/m/h/MH01.JPG?v=3"), "mh01.jpg");
        assert_eq!(file_key("/m/h/"), "");
    }

    #[test]
    fn patterns_without_an_article_are_refused() {
        assert!(NamePattern::read("(?<position>[0-9]+)").is_err());
        assert!(NamePattern::read("(?<sku>").is_err());
        let own = NamePattern::read("(?<sku>[^-]+)-(?<position>[0-9]+)-web").unwrap();
        assert_eq!(own.meanings("77-3-web.jpg"), [("77-3-web".to_owned(), 1), ("77".to_owned(), 3)]);
    }
}
