//! The OpenAPI document, and the page made of it.

use crate::support::{Database, Site};
use serde_json::Value;

#[test]
fn every_reference_of_the_document_resolves() {
    let server = Site::new(Database::Sqlite).serve();
    let document = server.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(reference)) => out.push(reference.clone()),
                    _ => collect(member, out),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        _ => {}
    }
}

#[test]
fn every_documented_path_is_there() {
    let server = Site::new(Database::Sqlite).serve();
    let document = server.get("/openapi.json").json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|m| ["get", "post", "delete"].contains(&m.as_str()))
        {
            let path = format!("/api/v1{}", path.replace("{id}", "1").replace("{sku}", "a"));
            let reply = server.call(&method.to_uppercase(), &path, &[], b"");
            assert_ne!(reply.json()["code"], "http.not_found", "{method} {path}");
            assert_ne!(reply.status, 405, "{method} {path}");
        }
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let server = Site::new(Database::Sqlite).serve();
    let page = server.get("/api").body;
    assert!(page.contains("UpsertArticles") && page.contains("/imports"));
    for forbidden in ["src=\"http", "href=\"http", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}
