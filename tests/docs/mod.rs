//! The documents say what the code does: every error code that can arise is listed, and no other.

mod mapping;

use crate::support::project;
use std::collections::BTreeSet;
use std::path::Path;

/// What codes begin with.
const FAMILIES: &[&str] = &[
    "access",
    "unit",
    "upload",
    "serial_number",
    "shipment",
    "master",
    "manufacturer",
    "article_document",
    "accounting_group",
    "article",
    "attribute",
    "bmecat",
    "category",
    "content",
    "codegen",
    "contract",
    "credit",
    "csv",
    "customer",
    "delivery",
    "document",
    "export",
    "filter",
    "group",
    "http",
    "import",
    "line_discount",
    "list",
    "media",
    "message",
    "opentrans",
    "order",
    "page",
    "payment",
    "pdf",
    "picture",
    "price",
    "price_entry",
    "profile",
    "record",
    "response",
    "run",
    "secret",
    "server",
    "soap",
    "source",
    "stock",
    "target",
    "tax",
    "upstream",
    "voucher",
    "warehouse",
    "wsdl",
    "xml",
    "xsd",
];

/// What looks like a code but is a file's name.
const EXTENSIONS: &[&str] = &["css", "csv", "html", "js", "rs", "sqlite", "toml", "wsdl", "xml", "xsd"];

/// Codes that are put together from a kind and an ending.
const COMPOSED: &[&str] = &[
    "attribute.not_found",
    "content.not_found",
    "group.not_found",
    "payment.not_found",
    "shipment.not_found",
    "warehouse.not_found",
    "unit.not_found",
    "serial_number.not_found",
    "manufacturer.not_found",
    "article_document.not_found",
    "accounting_group.not_found",
    "article.not_found",
    "category.not_found",
    "customer.not_found",
    "document.not_found",
    "export.not_found",
    "line_discount.not_found",
    "order.not_found",
    "pdf.not_found",
    "picture.not_found",
    "price_entry.not_found",
    "run.not_found",
    "upload.not_found",
    "target.not_found",
    "voucher.not_found",
];

fn is_code(text: &str) -> bool {
    text.split_once('.').is_some_and(|(family, name)| {
        FAMILIES.contains(&family)
            && !EXTENSIONS.contains(&name)
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    })
}

fn codes_between(mark: char, text: &str, found: &mut BTreeSet<String>) {
    found.extend(text.split(mark).filter(|part| is_code(part)).map(str::to_owned));
}

fn codes_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_below(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            codes_between('"', &std::fs::read_to_string(&path).unwrap(), found);
        }
    }
}

#[test]
fn every_error_code_is_documented() {
    let mut used: BTreeSet<String> = COMPOSED.iter().map(|code| (*code).to_owned()).collect();
    for folder in ["src", "crates"] {
        codes_below(&project(folder), &mut used);
    }
    let mut documented = BTreeSet::new();
    codes_between('`', &std::fs::read_to_string(project("docs/errors.md")).unwrap(), &mut documented);
    let missing: Vec<_> = used.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&used).collect();
    assert!(missing.is_empty() && stale.is_empty(), "not documented: {missing:?}; documented, but not used: {stale:?}");
}

/// docs/files.md tells of each kind of records, and whether a file of it may be full.
#[test]
fn each_kind_of_files_is_told_of() {
    let text = std::fs::read_to_string(project("docs/files.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    for kind in soapstone::exchange::KINDS {
        let (name, element) = (format!("`{}`", kind.of), format!("`{}`", kind.element.local));
        let row = rows.iter().find(|row| row[1] == name).unwrap_or_else(|| panic!("docs/files.md lacks {name}"));
        assert_eq!((row[2], row[5] == "yes"), (element.as_str(), kind.place.is_some()), "{name}");
    }
}
