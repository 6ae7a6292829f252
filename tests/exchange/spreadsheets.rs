//! Tables that people open in a spreadsheet: nothing in them is a formula, and what was marked is read back exactly.

use super::counters;
use crate::support::{Site, on_each_database};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What articles are made by: formulas, their marks, and what only looks like one.
const MAKERS: [&str; 12] = [
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+41 79 123 45 67",
    "-1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "'=quoted",
    "'",
    "''",
    "-5",
    "-5.25",
    "a=b",
    "it's",
    "=",
];

/// The makers of all articles, by number.
fn makers(site: &Site) -> BTreeMap<String, Value> {
    let exported = site.run(&["export", "articles", "-", "--format", "jsonl"]).stdout;
    let article = |line: &str| {
        let article: Value = serde_json::from_str(line).unwrap();
        (article["sku"].as_str().unwrap().to_owned(), article["manufacturer"].clone())
    };
    exported.lines().map(article).collect()
}

on_each_database! {
    fn marked_tables_are_read_back_exactly(database) {
        let site = Site::new(database);
        let lines = MAKERS.iter().enumerate().map(|(n, maker)| json!({"sku": format!("A-{n}"), "manufacturer": maker}).to_string());
        let file = site.file("articles.jsonl", lines.collect::<Vec<_>>().join("\n"));
        site.json(&["import", "articles", file.to_str().unwrap()]);
        let before = makers(&site);
        assert_eq!(before.len(), MAKERS.len());
        let export = |more: &[&str]| site.run(&[&["export", "articles", "-", "--format", "csv"], more].concat()).stdout;
        let (plain, marked) = (export(&[]), export(&["--spreadsheet"]));
        // A table for programs has what there is.
        assert!(plain.contains(";@SUM(1)") && !plain.contains("'@SUM(1)"), "{plain}");
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(marked.trim_start_matches('\u{feff}').as_bytes());
        assert_eq!(reader.headers().unwrap().get(0), Some("'sku"));
        for record in reader.records() {
            for cell in record.unwrap().iter() {
                let is_number = cell.trim_start_matches('-').parse::<f64>().is_ok();
                assert!(is_number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
            }
        }
        for (name, table) in [("plain", plain), ("marked", marked)] {
            let other = Site::new(Database::Sqlite);
            let file = other.file("articles.csv", table);
            let run = other.json(&["import", "articles", file.to_str().unwrap()]);
            assert_eq!(counters(&run), "read 12, created 12", "{name}: {run}");
            assert_eq!(makers(&other), before, "{name}");
        }
    }
}

#[test]
fn the_messages_of_a_run_have_no_formulas() {
    let site = Site::new(crate::support::Database::Sqlite);
    let file = site.file("bad.csv", "sku;weight\n=1+1;=2+2\n-7;-x\n'A;\u{1b}[31m\n");
    let run = site.json(&["import", "articles", file.to_str().unwrap()]);
    assert_eq!(run["counters"]["failed"], 3, "{run}");
    let id = run["run"]["id"].as_i64().or(run["id"].as_i64()).unwrap();
    let server = site.serve();
    let table = server.get(&format!("/api/v1/runs/{id}/artifacts/messages/file")).body;
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').from_reader(table.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cells = |row: usize| (rows[row].get(4).unwrap().to_owned(), rows[row].get(6).unwrap().to_owned());
    assert_eq!(cells(0), ("'=1+1".to_owned(), "'=2+2".to_owned()));
    // A number stays one.
    assert_eq!(cells(1), ("-7".to_owned(), "'-x".to_owned()));
    assert_eq!(cells(2), ("''A".to_owned(), "\\u{1b}[31m".to_owned()));
}
