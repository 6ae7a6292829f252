//! Full files: what is not in them is deleted, but much of it only if somebody approves it.

use super::{counters, messages};
use crate::support::{Site, on_each_database};
use serde_json::Value;
use std::fmt::Write;

/// Articles of these numbers, as a file.
fn articles(site: &Site, numbers: impl Iterator<Item = u32>) -> String {
    let rows = numbers.fold("sku\n".to_owned(), |mut rows, number| {
        let _ = writeln!(rows, "A-{number:02}");
        rows
    });
    site.file("articles.csv", rows).to_string_lossy().into_owned()
}

fn import(site: &Site, kind: &str, file: &str, more: &[&str]) -> Value {
    site.run(&[&["import", kind, file, "--full", "--json"], more].concat()).json()
}

fn said(site: &Site, run: &Value) -> String {
    messages(&site.json(&["run", "messages", &run["id"].to_string()]))
}

on_each_database! {
    fn what_is_missing_is_deleted(database) {
        let site = Site::new(database);
        import(&site, "articles", &articles(&site, 0..20), &[]);
        let run = import(&site, "articles", &articles(&site, 1..20), &[]);
        assert_eq!(counters(&run), "read 19, unchanged 19, deleted 1");
        assert_eq!((&run["state"], &run["missing"], &run["mode"]), (&"succeeded".into(), &1.into(), &"full".into()));
        // A part leaves the others alone.
        let file = articles(&site, 3..4);
        assert_eq!(counters(&site.run(&["import", "articles", &file, "--json"]).json()), "read 1, unchanged 1");
    }

    fn much_of_it_waits_for_somebody(database) {
        let site = Site::new(database);
        import(&site, "articles", &articles(&site, 0..20), &[]);
        let file = articles(&site, 0..10);
        let imagined = import(&site, "articles", &file, &["--dry-run"]);
        assert_eq!(counters(&imagined), "read 10, unchanged 10, deleted 10");
        let run = import(&site, "articles", &file, &[]);
        let id = run["id"].to_string();
        assert_eq!((&run["state"], &run["missing"]), (&"waiting".into(), &10.into()));
        assert_eq!(counters(&run), "read 10, unchanged 10, warnings 1");
        assert!(said(&site, &run).contains("import.much_missing"), "{}", said(&site, &run));
        assert!(site.run(&["run", "approve", "999"]).code != 0);
        assert_eq!(site.run(&["run", "approve", &id]).code, 0);
        assert!(site.run(&["run", "approve", &id]).code != 0, "it is approved already");
        // The same file again is the same run, which goes on.
        let done = import(&site, "articles", &file, &[]);
        assert_eq!((done["id"].to_string(), &done["state"]), (id, &"succeeded".into()));
        assert_eq!(counters(&done), "read 10, unchanged 10, deleted 10, warnings 1");
        let share = import(&site, "articles", &articles(&site, 0..1), &["--delete-at-most", "90"]);
        assert_eq!(counters(&share), "read 1, unchanged 1, deleted 9");
    }

    fn one_that_waits_can_be_cancelled(database) {
        let site = Site::new(database);
        import(&site, "articles", &articles(&site, 0..20), &[]);
        let run = import(&site, "articles", &articles(&site, 0..1), &[]);
        assert_eq!(site.run(&["run", "cancel", &run["id"].to_string()]).code, 0);
        let shown = site.json(&["run", "show", &run["id"].to_string()]);
        assert_eq!(shown["state"], "cancelled");
        assert_eq!(counters(&import(&site, "articles", &articles(&site, 0..20), &[])), "read 20, unchanged 20");
    }

    fn what_is_refused_is_not_missing(database) {
        let site = Site::new(database);
        import(&site, "articles", &articles(&site, 0..4), &[]);
        let file = site.file("refused.csv", "sku,weight\nA-00,1\nA-01,heavy\nA-02,1\nA-03,1\n");
        let run = import(&site, "articles", file.to_str().unwrap(), &[]);
        assert_eq!(counters(&run), "read 4, updated 3, failed 1");
        // Whose key cannot be read may be any of them.
        let file = site.file("unread.jsonl", "{\"sku\":\"A-00\"}\n{\"sku\":\n");
        let run = import(&site, "articles", file.to_str().unwrap(), &["--delete-at-most", "100"]);
        assert_eq!(counters(&run), "read 2, unchanged 1, failed 1, warnings 1");
        assert!(said(&site, &run).contains("import.nothing_deleted"), "{}", said(&site, &run));
    }

    fn what_hangs_together_goes_together(database) {
        let site = Site::new(database);
        let all = site.file("all.csv", "id,parent\na,\nb,a\nc,b\nkept,\n");
        import(&site, "categories", all.to_str().unwrap(), &[]);
        let article = site.file("article.csv", "sku,category\nX,kept\n");
        site.run(&["import", "articles", article.to_str().unwrap()]);
        let rest = site.file("rest.csv", "id\nkept\n");
        let run = import(&site, "categories", rest.to_str().unwrap(), &["--delete-at-most", "100"]);
        assert_eq!(counters(&run), "read 1, unchanged 1, deleted 3");
    }

    fn some_kinds_are_never_full(database) {
        let site = Site::new(database);
        let file = site.file("stock.csv", "sku,quantity\nA,1\n");
        let told = site.run(&["import", "stock", file.to_str().unwrap(), "--full"]);
        assert!(told.code != 0 && told.stderr.contains("never full"), "{}", told.stderr);
    }
}
