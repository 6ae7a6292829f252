//! Documents of articles for their buyers: data sheets, manuals.

use super::change::{as_given, change};
use super::names::{Names, names, texts};
use super::{Defaults, Issue, base_name, compared};
use chrono::NaiveDateTime;
use soapstone_contracts::media as contract;
use soapstone_runtime::{DateTime, Nillable};

/// What files are by the endings of their names.
const MEDIA_TYPES: [(&str, &str); 14] = [
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("xml", "application/xml"),
    ("html", "text/html"),
    ("jpg", "image/jpeg"),
    ("png", "image/png"),
    ("mp4", "video/mp4"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("dxf", "image/vnd.dxf"),
    ("step", "model/step"),
];

/// What nobody knows better.
const BYTES: &str = "application/octet-stream";

/// A document as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Without a path.
    pub name: String,
    /// The article, as its number is compared; it may come later.
    pub sku: Option<String>,
    pub titles: Names,
    pub media_type: String,
    /// Of its content, hexadecimal.
    pub sha256: String,
}

/// What the server knows of a document beside what was said of it.
#[derive(Clone, Debug)]
pub struct Standing {
    pub version: i64,
    pub changed_at: NaiveDateTime,
    pub bytes: i64,
    /// The articles that have it.
    pub articles: Vec<String>,
}

impl File {
    /// Applies a change to a document, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::ArticleDocument,
        sha256: Option<String>,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let is_new = existing.is_none();
        let name = compared(base_name(&given.file_name));
        let mut file =
            existing.unwrap_or_else(|| Self { media_type: media_type(&name).to_owned(), name, ..Self::default() });
        match sha256 {
            Some(sha256) => file.sha256 = sha256,
            None if is_new => {
                let issue = Issue::error("article_document.no_content", "a new document needs its content");
                issues.push(issue.of("content", "").suggest("send the file itself with it"));
            }
            None => {}
        }
        if let Some(media_type) = given.media_type {
            if is_media_type(&media_type) {
                file.media_type = media_type;
            } else {
                let issue = Issue::error("article_document.media_type", "it is no media type");
                issues.push(issue.of("mediaType", &media_type).suggest("give one such as application/pdf"));
            }
        }
        change(&mut file.sku, given.sku, as_given, issues);
        file.sku = file.sku.as_deref().map(compared);
        if !given.title.is_empty() {
            file.titles = names(given.title, "article_document.duplicate_language", "title", defaults, issues);
        }
        issues.is_empty().then_some(file)
    }

    /// The document as the contract has it, without its content.
    pub fn to_contract(&self, standing: Standing) -> contract::ArticleDocument {
        contract::ArticleDocument {
            version: Some(standing.version),
            changed_at: Some(DateTime::from_utc(standing.changed_at)),
            if_version: None,
            content: None,
            file_name: self.name.clone(),
            sku: self.sku.clone().map(Nillable::Value),
            title: texts(&self.titles),
            media_type: Some(self.media_type.clone()),
            bytes: Some(standing.bytes),
            sha256: Some(self.sha256.clone()),
            article: standing.articles,
        }
    }
}

fn media_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    MEDIA_TYPES.iter().find(|(known, _)| *known == ending).map_or(BYTES, |(_, media_type)| media_type)
}

/// Whether it can stand in a header as it is.
fn is_media_type(text: &str) -> bool {
    let is_token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_it_is() {
        assert_eq!((media_type("a.PDF"), media_type("b.tar"), media_type("c")), ("application/pdf", BYTES, BYTES));
    }

    #[test]
    fn media_types_fit_into_headers() {
        assert!(is_media_type("application/vnd.api+json"));
        for wrong in ["", "pdf", "text/", "/plain", "text/plain; charset=utf-8", "text/a\r\nb"] {
            assert!(!is_media_type(wrong), "{wrong}");
        }
    }
}
