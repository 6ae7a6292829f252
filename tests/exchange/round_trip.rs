//! What is exported can be imported, and is the same.

use super::counters;
use crate::support::{Site, on_each_database, shared};
use serde_json::{Value, json};

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

    fn of_many_new_articles_each_member_is_in_its_place(database) {
        let site = Site::new(database);
        let article = |n: usize| json!({
            "sku": format!("A-{n}"), "manufacturer": format!("maker {n}"), "manufacturerNumber": format!("M-{n}"),
            "gtin": format!("G-{n}"), "unit": format!("unit{n}"), "taxClass": format!("class{n}"), "weight": format!("1.{n}1"),
            "length": format!("2.{n}1"), "width": format!("3.{n}1"), "height": format!("4.{n}1"),
            "listPrice": {"value": format!("{n}.01"), "currency": "EUR", "gross": false},
            "specialPrice": {"value": format!("{n}.02"), "currency": "CHF", "gross": true, "from": "2026-01-01T00:00:00Z",
                "until": "2026-02-01T00:00:00Z"},
            "priceGroup": format!("pg{n}"), "discountGroup": format!("dg{n}"), "accountingGroup": format!("ag{n}"),
            "active": n.is_multiple_of(2), "activeFrom": "2026-03-01T00:00:00Z", "activeUntil": "2026-04-01T00:00:00Z",
            "availability": "always", "deliveryTime": format!("{n} days"), "variantOf": format!("V-{n}")
        });
        let lines: Vec<String> = (0..700).map(|n| article(n).to_string()).collect();
        let file = site.file("articles.jsonl", lines.join("\n"));
        assert_eq!(counters(&site.json(&["import", "articles", file.to_str().unwrap()])), "read 700, created 700");
        let exported = site.run(&["export", "articles", "-", "--format", "jsonl"]).stdout;
        assert_eq!(exported.lines().count(), 700);
        for line in exported.lines() {
            let found: Value = serde_json::from_str(line).unwrap();
            let number = found["sku"].as_str().unwrap().trim_start_matches("A-").parse().unwrap();
            for (name, value) in article(number).as_object().unwrap() {
                assert_eq!(&found[name], value, "{name} in {line}");
            }
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
