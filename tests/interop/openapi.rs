//! The OpenAPI document as others read it: a validator, and a program that makes requests of it, right ones and wrong ones,
//! and compares what comes with what is said.

use super::clients::installed;
use crate::support::{Database, Site};
use std::process::Command;

/// How many requests are made of each operation, at most, beside those that its limits call for.
const EXAMPLES: &str = "10";

fn run(program: &str, arguments: &[&str], folder: &std::path::Path) {
    let mut command = Command::new(installed(&format!("python/bin/{program}")));
    let output = command.current_dir(folder).env("NO_COLOR", "1").args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "make interop installs it"]
fn the_document_is_valid() {
    let site = Site::new(Database::Sqlite);
    site.file("openapi.json", site.serve().get("/openapi.json").body);
    run("openapi-spec-validator", &["--schema", "3.1", "openapi.json"], site.folder());
}

/// What a schema cannot say (that a lease lasts a second, that one of two is given) is refused with a reason: that alone is not
/// held against the server.
#[test]
#[ignore = "make interop installs it"]
fn whatever_is_asked_the_answer_is_as_documented() {
    for database in [Database::Sqlite, Database::Postgres] {
        let site = Site::new(database);
        let server = site.serve_with(&["log=error"]);
        site.file("openapi.json", server.get("/openapi.json").body);
        let url = format!("{}/api/v1", server.base);
        let arguments = ["run", "openapi.json", "--url", &url, "--max-examples", EXAMPLES, "--workers", "2"];
        let checks = ["--exclude-checks", "positive_data_acceptance", "--seed", "7"];
        run("schemathesis", &[&arguments[..], &checks[..]].concat(), site.folder());
    }
}
