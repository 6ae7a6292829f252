//! Files of all kinds: `NN-KIND.FORMAT` are imported one after the other into the same database, each twice. `NN-KIND.report` is
//! what the first run says of it, what it refused, and what the second run says.

use super::{counters, messages};
use crate::support::{Database, Site, on_each_database, project};
use std::fmt::Write;
use std::path::{Path, PathBuf};

on_each_database! {
    fn files_of_all_kinds_are_taken(database) {
        let site = Site::new(database);
        let folder = project("tests/exchange/kinds");
        let is_case = |path: &PathBuf| path.extension().is_some_and(|e| e != "report");
        let mut cases: Vec<PathBuf> = folder.read_dir().unwrap().map(|e| e.unwrap().path()).filter(is_case).collect();
        cases.sort();
        assert!(cases.len() > 20);
        let differing: Vec<String> = cases.iter().filter_map(|case| differs(&site, case, database)).collect();
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    }
}

fn differs(site: &Site, case: &Path, database: Database) -> Option<String> {
    let name = case.file_stem().unwrap().to_str().unwrap();
    let (_, kind) = name.split_once('-').unwrap();
    let import = || site.run(&["import", kind, case.to_str().unwrap(), "--json"]).json();
    let told = |run: &serde_json::Value| {
        let (state, format) = (run["state"].as_str().unwrap(), run["format"].as_str().unwrap());
        format!("{state} ({format}): {}\n", counters(run))
    };
    let first = import();
    let id = first["id"].to_string();
    let mut found = told(&first);
    found += &messages(&site.json(&["run", "messages", &id]));
    if first["artifact"].as_array().unwrap().iter().any(|artifact| artifact["kind"] == "rejected") {
        let _ = write!(found, "---- refused\n{}----\n", site.run(&["run", "file", &id]).stdout);
    }
    let _ = write!(found, "again {}", told(&import()));
    let expected = case.with_extension("report");
    if std::env::var_os("UPDATE").is_some() && matches!(database, Database::Sqlite) {
        std::fs::write(&expected, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&expected).unwrap_or_default();
    (found != expected).then(|| format!("==== {name}\n---- expected\n{expected}\n---- found\n{found}"))
}

/// Kinds that can be exported, and how many records the files of this folder leave of each.
const EXPORTED: &[(&str, u64)] = &[
    ("categories", 2),
    ("units", 2),
    ("manufacturers", 1),
    ("accounting-groups", 1),
    ("attributes", 2),
    ("warehouses", 2),
    ("articles", 3),
    ("customers", 1),
    ("price-entries", 2),
    ("line-discounts", 1),
    ("vouchers", 1),
    ("stock", 2),
    ("orders", 1),
];

on_each_database! {
    fn what_is_exported_is_what_is_there(database) {
        let site = Site::new(database);
        let mut cases: Vec<PathBuf> = project("tests/exchange/kinds").read_dir().unwrap().map(|e| e.unwrap().path()).collect();
        cases.retain(|path| path.extension().is_some_and(|e| e != "report"));
        cases.sort();
        for case in &cases {
            let (_, kind) = case.file_stem().unwrap().to_str().unwrap().split_once('-').unwrap();
            site.run(&["import", kind, case.to_str().unwrap()]);
        }
        for (kind, count) in EXPORTED {
            for ending in ["xml", "csv", "jsonl", "csv.gz"] {
                let path = site.folder().join(format!("exported.{ending}"));
                let told = site.run(&["export", kind, path.to_str().unwrap()]);
                assert!(told.stdout.starts_with(&format!("{count} records")), "{kind} {ending}: {told:?}");
                let run = site.run(&["import", kind, path.to_str().unwrap(), "--json"]).json();
                let expected = format!("read {count}, unchanged {count}");
                let said = || messages(&site.json(&["run", "messages", &run["id"].to_string()]));
                assert_eq!(counters(&run), expected, "{kind} {ending}: {}", said());
            }
            let nothing = site.run(&["export", kind, "-", "--format", "jsonl", "--since", "2099-01-01T00:00:00Z"]);
            assert_eq!(nothing.stdout, "", "{kind}");
        }
        for kind in ["colours", "pictures"] {
            assert!(site.run(&["export", kind, "-"]).code != 0, "{kind}");
        }
    }

    fn orders_have_a_row_for_each_line(database) {
        let site = Site::new(database);
        let order = r#"{"number":"O-1","position":[{"text":"a; b","quantity":"1","unitPrice":"1.00","taxPercent":"8.1"},{"text":"=c","quantity":"2","unitPrice":"2.00","taxPercent":"8.1"}]}"#;
        let file = site.file("orders.jsonl", order);
        site.run(&["import", "orders", file.to_str().unwrap()]);
        let table = site.run(&["export", "orders", "-", "--format", "csv"]).stdout;
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), 3, "{table}");
        assert!(rows[0].starts_with("\u{feff}number;") && rows[0].contains(";position/text;"), "{table}");
        assert!(rows[1].contains("\"a; b\"") && rows[2].contains(";=c;"), "{table}");
    }
}
