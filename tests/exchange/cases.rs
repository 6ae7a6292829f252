//! Files as cases: `NAME.csv` or `NAME.xml` is imported, `NAME.report` is what the run says of it.

use super::{counters, messages};
use crate::support::{Database, Site, on_each_database, project};
use std::fmt::Write;
use std::path::{Path, PathBuf};

on_each_database! {
    fn each_is_reported_as_expected(database) {
        let folder = project("tests/exchange/cases");
        let is_case = |path: &PathBuf| path.extension().is_some_and(|e| e == "csv" || e == "xml");
        let mut cases: Vec<PathBuf> = folder.read_dir().unwrap().map(|e| e.unwrap().path()).filter(is_case).collect();
        cases.sort();
        assert!(!cases.is_empty());
        let differing: Vec<String> = cases.iter().filter_map(|case| differs(case, database)).collect();
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    }
}

/// Imports the case and compares; a name that begins with `categories` says what it holds.
fn differs(case: &Path, database: Database) -> Option<String> {
    let site = Site::new(database);
    let name = case.file_name().unwrap().to_str().unwrap();
    let kind = if name.starts_with("categories") { "categories" } else { "articles" };
    let run = site.run(&["import", kind, case.to_str().unwrap(), "--json"]);
    let mut found = format!("exit {}\n", run.code);
    let told = run.json();
    if told["state"].is_string() {
        let run = told;
        let _ = writeln!(
            found,
            "{} ({}): {}",
            run["state"].as_str().unwrap(),
            run["format"].as_str().unwrap(),
            counters(&run)
        );
        found += &messages(&site.json(&["run", "messages", &run["id"].to_string()]));
        let exported = site.run(&["export", kind, "-", "--format", "jsonl"]);
        for record in exported.stdout.lines() {
            let mut record: serde_json::Value = serde_json::from_str(record).unwrap();
            let members = record.as_object_mut().unwrap();
            members.shift_remove("changedAt");
            members.retain(|_, value| value != &serde_json::json!([]));
            let _ = writeln!(found, "{record}");
        }
    } else {
        found += &run.stdout;
    }
    let expected = case.with_extension("report");
    if std::env::var_os("UPDATE").is_some() && matches!(database, Database::Sqlite) {
        std::fs::write(&expected, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&expected).unwrap_or_default();
    (found != expected).then(|| format!("==== {name}\n---- expected\n{expected}\n---- found\n{found}"))
}
