//! What is exported can be imported, and is the same.

use super::counters;
use crate::support::{Site, on_each_database, shared};

/// A line without an attribute.
fn without(line: &str, attribute: &str) -> String {
    match line.split_once(&format!(" {attribute}=\"")) {
        Some((before, rest)) => format!("{before}{}", rest.split_once('"').map_or("", |(_, after)| after)),
        None => line.to_owned(),
    }
}

/// Without the times of the last change and the counts of changes, which differ.
fn comparable(export: &str) -> String {
    let line = |line: &str| without(&without(line, "changedAt"), "version");
    export.lines().map(line).collect::<Vec<_>>().join("\n")
}

on_each_database! {
    fn an_export_makes_the_same_catalogue_elsewhere(database) {
        let Some(file) = shared("data/luma-shop/products.csv") else { return };
        let first = Site::new(database);
        first.json(&["import", "articles", file.to_str().unwrap(), "--profile", "luma-shop"]);
        let second = Site::new(Database::Sqlite);
        for kind in ["categories", "articles"] {
            let path = second.folder().join(format!("{kind}.xml"));
            let exported = first.run(&["export", kind, path.to_str().unwrap()]);
            assert_eq!(exported.code, 0, "{exported:?}");
            let run = second.json(&["import", kind, path.to_str().unwrap()]);
            assert_eq!(run["state"], "succeeded", "{run}");
            let again = second.run(&["export", kind, "-"]);
            assert_eq!(comparable(&again.stdout), comparable(&std::fs::read_to_string(&path).unwrap()));
        }
    }

    fn a_dry_run_tells_what_it_would_do_and_does_nothing(database) {
        let Some(file) = shared("data/luma-shop/products.csv") else { return };
        let site = Site::new(database);
        let run = site.json(&["import", "articles", file.to_str().unwrap(), "--profile", "luma-shop", "--dry-run"]);
        assert_eq!(counters(&run), "read 1994, created 1994");
        assert_eq!(run["dryRun"], true);
        assert_eq!(site.run(&["export", "articles", "-", "--format", "jsonl"]).stdout, "");
        assert_eq!(site.run(&["export", "categories", "-", "--format", "jsonl"]).stdout, "");
    }
}
