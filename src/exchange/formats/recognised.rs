//! The format of a source, by its first bytes.

use super::packed::{Packing, head, unpacked_head};
use crate::domain::spreadsheet::unmarked;
use crate::error::ServiceError;
use crate::exchange::kinds::Kind;
use crate::exchange::{Profile, Spooled};
use soapstone_contracts::exchange::RunKind;

/// Kinds whose records are files: a ZIP of them is no packing.
const FILES: [RunKind; 2] = [RunKind::Pictures, RunKind::ArticleDocuments];

/// Formats that need not be looked for.
const GIVEN: [&str; 5] = ["xml", "csv", "jsonLines", "bmecat", "openTrans"];

/// Documents of openTRANS that can be imported.
const OPENTRANS: [&str; 6] = ["OPENTRANS", "ORDER", "ORDERCHANGE", "ORDERRESPONSE", "DISPATCHNOTIFICATION", "INVOICE"];

/// The local name of the first element.
pub(super) fn root(text: &str) -> &str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        // A comment may hold anything.
        rest = match after.strip_prefix("!--") {
            Some(comment) => comment.split_once("-->").map_or("", |(_, after)| after),
            None if after.starts_with(['?', '!']) => after,
            None => {
                let name = after.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next().unwrap_or("");
                return name.rsplit(':').next().unwrap_or(name);
            }
        };
    }
    ""
}

pub(super) fn of_root(root: &str) -> &'static str {
    match root {
        "BMECAT" => "bmecat",
        root if OPENTRANS.contains(&root) => "openTrans",
        _ => "xml",
    }
}

/// The format of a source: as asked for, as the profile says, or by its first bytes.
///
/// # Errors
/// If it cannot be told.
pub fn recognise(
    asked: &str,
    profile: Option<&str>,
    kind: &Kind,
    source: &Spooled,
) -> Result<&'static str, ServiceError> {
    let read = |e: std::io::Error| ServiceError::internal(format!("{}: {e}", source.path.display()));
    let of_files = FILES.contains(&kind.of);
    if asked == "zip" && !of_files {
        let message = "A ZIP of records is one of pictures or of documents of articles; one file of others may be \
                       packed: leave the format out";
        return Err(ServiceError::invalid("import.unknown_format", message).of("format", asked));
    }
    let is_archive = Packing::of(&head(&source.path).map_err(read)?) == Packing::Zip;
    if asked == "zip" || (asked == "auto" && of_files && is_archive) {
        return Ok("zip");
    }
    if asked == "caller" {
        let known = profile.is_some();
        let message = format!("The Caller has no files of {}", kind.of);
        let unknown = || ServiceError::invalid("import.unknown_format", message).of("format", asked);
        return known.then_some("caller").ok_or_else(unknown);
    }
    if let Some(text) = profile {
        // Tables are mapped, and XML, as the profile says.
        return Profile::parse(text)
            .map(|profile| if profile.xml.is_some() { "xml" } else { "csv" })
            .map_err(|e| ServiceError::invalid("profile.invalid", e.to_string()));
    }
    if let Some(format) = GIVEN.iter().find(|format| **format == asked) {
        return Ok(format);
    }
    let head = unpacked_head(&source.path)?;
    if head.is_empty() {
        return Err(ServiceError::invalid("import.empty", "The file is empty"));
    }
    let text: String = head.iter().filter(|b| b.is_ascii() && **b != 0).map(|b| char::from(*b)).collect();
    let text = text.trim_start();
    if text.starts_with('<') {
        return Ok(of_root(root(text)));
    }
    if text.starts_with('{') {
        return Ok("jsonLines");
    }
    let first = text.lines().find(|line| !line.starts_with("sep=")).unwrap_or("").trim();
    let is_key = |key: &&str| unmarked(first).eq_ignore_ascii_case(key);
    if first.contains([',', ';', '\t', '|']) || kind.keys.iter().any(is_key) {
        return Ok("csv");
    }
    let message =
        "The file is neither XML, nor JSON lines, nor CSV with a header line: its format cannot be recognised";
    Err(ServiceError::invalid("import.unknown_format", message).of("format", asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_xml_are_told_by_the_root() {
        for (text, format) in [
            ("<?xml version=\"1.0\"?>\n<!DOCTYPE BMECAT SYSTEM \"x.dtd\">\n<BMECAT version=\"1.2\">", "bmecat"),
            ("<!-- <BMECAT> --><ot:ORDER xmlns:ot='x'>", "openTrans"),
            ("<UpsertArticles/>", "xml"),
            ("<", "xml"),
        ] {
            assert_eq!(of_root(root(text)), format, "{text}");
        }
    }
}
