//! Entity tags, conditions and preferences.

use crate::support::{Database, Site};
use serde_json::json;

#[test]
fn a_change_is_made_only_to_what_was_read() {
    let server = Site::new(Database::Sqlite).serve();
    server.post_json("/api/v1/customers", &json!({"customer": [{"number": "T"}]}));
    let path = "/api/v1/customers/T";
    let read = server.get(path);
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(server.call("GET", path, &[("if-none-match", "\"1\"")], b"").status, 304);
    let patch = |condition: &str, company: &str| {
        let headers = [("content-type", "application/json"), ("if-match", condition)];
        server.call("PATCH", path, &headers, json!({"company": company}).to_string().as_bytes())
    };
    let changed = patch("\"1\"", "a");
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""));
    let late = patch("\"1\"", "b");
    assert_eq!((late.status, late.json()["code"].as_str()), (412, Some("record.version_conflict")));
    assert_eq!(server.call("GET", path, &[("if-none-match", "\"1\", W/\"7\"")], b"").status, 200);
    assert_eq!(patch("*", "c").status, 200);
    assert_eq!((patch("\"x\"", "d").status, patch("\"1\", \"2\"", "d").status), (400, 400));
    let nothing = server.call("GET", path, &[("if-match", "\"1\"")], b"");
    assert_eq!((nothing.status, nothing.json()["code"].as_str()), (400, Some("http.condition")));
}

#[test]
fn who_prefers_little_gets_little() {
    let server = Site::new(Database::Sqlite).serve();
    server.post_json("/api/v1/customers", &json!({"customer": [{"number": "T"}]}));
    let headers = [("content-type", "application/json"), ("prefer", "respond-async, return=minimal")];
    let reply = server.call("PATCH", "/api/v1/customers/T", &headers, br#"{"company":"a"}"#);
    assert_eq!((reply.status, reply.body.as_str(), reply.header("etag")), (204, "", "\"2\""));
    assert_eq!(reply.header("preference-applied"), "return=minimal");
}
