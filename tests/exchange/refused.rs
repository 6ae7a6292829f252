//! The records that a run refuses: a file in the form of the source, which imports cleanly once it is corrected.

use super::counters;
use crate::support::{Site, on_each_database};

/// Files of three records, of which the second has a wrong weight.
const FILES: &[(&str, &[u8])] = &[
    ("list.csv", b"sku;name;weight\nA;\"a;\n\"\"x\"\"\";1\nB;\"b;\n\"\"y\"\"\";heavy\nC;c;3\n"),
    ("old.csv", b"sku;name;weight\r\nA;Gr\xf6\xdfe;1\r\nB;\xd6l f\xfcr M\xe4nner;heavy\r\nC;c;3"),
    ("list.jsonl", b"{\"sku\":\"A\"}\n{\"sku\":\"B\",\"weight\":\"heavy\"}\n{\"sku\":\"C\"}"),
    (
        "list.xml",
        b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!-- all -->\n<c:UpsertArticles xmlns:c=\"urn:soapstone:catalog/v1\">\
          <c:article><c:sku>A</c:sku></c:article><c:article><c:sku>B</c:sku><c:name>\xd6l</c:name><c:weight>heavy</c:weight></c:article>\
          \n<c:article><c:sku>C</c:sku></c:article></c:UpsertArticles>",
    ),
];

on_each_database! {
    fn corrected_it_imports_cleanly(database) {
        for (name, content) in FILES {
            let site = Site::new(database);
            let file = site.file(name, content);
            // Batches of one: the file grows by steps.
            for batch_size in ["1", "500"] {
                let run = site.run(&["import", "articles", file.to_str().unwrap(), "--batch-size", batch_size, "--json"]).json();
                assert_eq!(run["counters"]["failed"], 1, "{name}: {run}");
                let refused = site.run(&["run", "file", &run["id"].to_string()]).stdout;
                let artifact = run["artifact"].as_array().unwrap().iter().find(|a| a["kind"] == "rejected").unwrap();
                let stem = name.split('.').next().unwrap();
                assert_eq!(artifact["name"], format!("{stem}-rejected.{}", name.split('.').nth(1).unwrap()));
                assert_eq!(artifact["size"], refused.len());
                assert_eq!(refused.matches("heavy").count(), 1, "{name}: {refused}");
                let corrected = site.file(&format!("corrected-{batch_size}-{name}"), refused.replace("heavy", batch_size));
                let run = site.run(&["import", "articles", corrected.to_str().unwrap(), "--json"]).json();
                assert_eq!((counters(&run).as_str(), &run["state"]), (if batch_size == "1" { "read 1, created 1" } else { "read 1, updated 1" }, &"succeeded".into()), "{name}: {refused}");
            }
            let source = site.command(&["run", "file", "1", "source"]).output().unwrap();
            assert_eq!(source.stdout, *content, "{name}");
            let clean = site.file("clean.csv", "sku\nA\n");
            let run = site.run(&["import", "articles", clean.to_str().unwrap(), "--json"]).json();
            assert!(site.run(&["run", "file", &run["id"].to_string()]).code != 0, "nothing was refused");
            assert!(site.run(&["run", "retry", &run["id"].to_string()]).code != 0);
        }
    }

    fn a_million_complaints_stay_small(database) {
        let site = Site::new(database);
        let rows: String = (0..3000).map(|number| format!("A{number},heavy\n")).collect();
        let file = site.file("bad.csv", format!("sku,weight\n{rows}"));
        let run = site.run(&["import", "articles", file.to_str().unwrap(), "--json"]).json();
        assert_eq!(counters(&run), "read 3000, failed 3000");
        let id = run["id"].to_string();
        let summary = site.json(&["run", "summary", &id]);
        let group = &summary["group"][0];
        assert_eq!((&group["code"], &group["count"]), (&"csv.type".into(), &3000.into()), "{summary}");
        assert_eq!(group["example"].as_array().unwrap().len(), 3);
        let kept = site.json(&["run", "messages", &id, "--limit", "5000"]);
        assert_eq!(kept["message"].as_array().unwrap().len(), 1000);
        assert_eq!(site.run(&["run", "file", &id]).stdout.lines().count(), 3001);
    }
}
