//! Exports as runs: a file that is fetched, increments of each consumer, orders under a lease.

use super::counters;
use crate::support::{Reply, Server, Site, on_each_database};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn start(server: &Server, wanted: &Value) -> Value {
    let reply = server.post_json("/api/v1/exports", wanted);
    assert_eq!(reply.status, 200, "{reply:?}");
    server.finished_run(reply.json()["run"]["id"].as_i64().unwrap())
}

fn result(server: &Server, run: &Value) -> Reply {
    assert_eq!(run["state"], "succeeded", "{run}");
    server.get(&format!("/api/v1/runs/{}/artifacts/result/file", run["id"]))
}

fn articles(server: &Server, skus: &[&str], weight: &str) {
    let articles: Vec<Value> = skus.iter().map(|sku| json!({"sku": sku, "weight": weight})).collect();
    assert_eq!(server.post_json("/api/v1/articles", &json!({"article": articles})).status, 200);
}

fn orders(server: &Server, numbers: std::ops::Range<usize>) {
    let position = json!([{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]);
    let orders: Vec<Value> = numbers.map(|n| json!({"number": format!("X{n:03}"), "position": position})).collect();
    assert_eq!(server.post_json("/api/v1/orders", &json!({"order": orders})).status, 200);
}

/// The numbers of the orders in JSON lines.
fn numbers(file: &str) -> Vec<String> {
    let number = |line: &str| serde_json::from_str::<Value>(line).unwrap()["number"].as_str().unwrap().to_owned();
    file.lines().map(number).collect()
}

on_each_database! {
    fn an_export_is_a_file_of_its_run(database) {
        let site = Site::new(database);
        let server = site.serve();
        articles(&server, &["A", "B"], "1");
        let run = start(&server, &json!({"kind": "articles", "format": "csv"}));
        assert_eq!((&run["direction"], &run["sourceName"]), (&json!("export"), &json!("articles.csv")));
        assert_eq!(counters(&run), "read 2");
        let file = result(&server, &run);
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"articles.csv\"");
        assert!(file.body.contains("A;") && file.body.lines().count() == 3, "{}", file.body);
        let fetched = server.get(&format!("/api/v1/runs/{}/artifacts/result", run["id"])).json();
        assert_eq!(fetched["artifact"]["size"], run["sourceSize"]);
        // What it wrote, an import takes, and nothing changes.
        let path = site.file("again.csv", &file.body);
        drop(server);
        assert_eq!(counters(&site.run(&["import", "articles", path.to_str().unwrap(), "--json"]).json()), "read 2, unchanged 2");
    }

    fn a_packed_one_is_unpacked_by_an_import(database) {
        let site = Site::new(database);
        let server = site.serve();
        articles(&server, &["A", "B"], "1");
        let run = start(&server, &json!({"kind": "articles", "format": "jsonLines", "packed": true}));
        assert_eq!(run["sourceName"], "articles.jsonl.gz");
        let path = site.folder().join("data/results").join(run["id"].to_string());
        drop(server);
        assert_eq!(counters(&site.run(&["import", "articles", path.to_str().unwrap(), "--json"]).json()), "read 2, unchanged 2");
    }

    fn each_consumer_gets_what_changed_since_he_had_all(database) {
        let server = Site::new(database).serve();
        articles(&server, &["A", "B"], "1");
        let increment = |consumer: &str| {
            let wanted = json!({"kind": "articles", "format": "jsonLines", "mode": "incremental", "consumer": consumer});
            let run = start(&server, &wanted);
            let skus: Vec<String> = result(&server, &run).body.lines().map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["sku"].as_str().unwrap().to_owned()
            }).collect();
            (run, skus)
        };
        let (first, mut skus) = increment("erp");
        while skus.len() < 2 {
            skus.extend(increment("erp").1);
        }
        assert_eq!(skus, ["A", "B"]);
        assert!(first["since"].is_null(), "{first}");
        articles(&server, &["C"], "1");
        articles(&server, &["A"], "2");
        let (second, skus) = increment("erp");
        assert!(second["since"].is_string(), "{second}");
        // On PostgreSQL, writers of other databases of the cluster may delay it.
        let mut skus: BTreeSet<String> = skus.into_iter().collect();
        while skus.len() < 2 {
            skus.extend(increment("erp").1);
        }
        assert_eq!(skus, ["A", "C"].map(str::to_owned).into());
        assert_eq!(increment("erp").1, Vec::<String>::new());
        assert_eq!(increment("marketplace").1, ["A", "B", "C"]);
    }

    fn new_orders_are_leased_until_they_are_confirmed(database) {
        let server = Site::new(database).serve();
        orders(&server, 0..5);
        let wanted = json!({"kind": "orders", "format": "jsonLines", "mode": "incremental", "leaseSeconds": 1});
        let run = start(&server, &wanted);
        let number = run["exportNumber"].as_str().unwrap().to_owned();
        assert_eq!(numbers(&result(&server, &run).body), ["X000", "X001", "X002", "X003", "X004"]);
        orders(&server, 5..7);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        // Nobody confirmed in time: they are handed out again, under their number.
        let again = start(&server, &wanted);
        assert_eq!(again["exportNumber"].as_str(), Some(number.as_str()));
        assert_eq!(numbers(&result(&server, &again).body).len(), 5);
        let confirmed = server.post_json("/api/v1/orders/confirm-export", &json!({"exportNumber": number})).json();
        assert_eq!(confirmed["result"].as_array().unwrap().len(), 5);
        let rest = start(&server, &json!({"kind": "orders", "format": "jsonLines", "mode": "incremental"}));
        assert_eq!(numbers(&result(&server, &rest).body), ["X005", "X006"]);
        let nothing = start(&server, &json!({"kind": "orders", "mode": "incremental"}));
        assert!(nothing["exportNumber"].is_null(), "{nothing}");
        assert_eq!(counters(&nothing), "");
    }

    fn eight_exporters_never_confirm_an_order_twice(database) {
        let site = Site::new(database);
        let servers = match database {
            Database::Sqlite => vec![site.serve_with(&["runs-per-kind=8", "run-workers=4"])],
            Database::Postgres => vec![site.serve_with(&["runs-per-kind=8", "run-workers=4"]), site.serve_with(&["runs-per-kind=8", "run-workers=4"])],
        };
        let wanted = json!({"kind": "orders", "format": "jsonLines", "mode": "incremental", "leaseSeconds": 1});
        let mut exports = std::collections::HashMap::<String, String>::new();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
        for round in 0.. {
            if round < 4 {
                orders(&servers[0], round * 10..round * 10 + 10);
            } else if exports.len() == 40 {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{exports:?}");
            let (servers, wanted) = (&servers, &wanted);
            let rounds: Vec<_> = std::thread::scope(|scope| {
                let export = |n: usize| move || {
                    let server = &servers[n % servers.len()];
                    let run = start(server, wanted);
                    let Some(number) = run["exportNumber"].as_str().map(str::to_owned) else { return Vec::new() };
                    if (n + round).is_multiple_of(3) {
                        return Vec::new();
                    }
                    let orders = numbers(&result(server, &run).body);
                    let results: Vec<Value> = orders.iter().map(|order| json!({"order": order, "accepted": true})).collect();
                    if results.is_empty() {
                        return Vec::new();
                    }
                    let confirmed = server.post_json("/api/v1/orders/confirm-export", &json!({"exportNumber": number, "result": results})).json();
                    let taken = confirmed["result"].as_array().unwrap().iter().filter(|one| one["outcome"] != "failed");
                    taken.map(|one| (one["key"].as_str().unwrap().to_owned(), number.clone())).collect()
                };
                let all: Vec<_> = (0..8).map(|n| scope.spawn(export(n))).collect();
                all.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for (order, export) in rounds.into_iter().flatten() {
                let before = exports.entry(order).or_insert_with(|| export.clone());
                assert_eq!(*before, export);
            }
        }
    }

    fn the_command_line_takes_increments_too(database) {
        let site = Site::new(database);
        let server = site.serve();
        orders(&server, 0..2);
        drop(server);
        let path = site.folder().join("orders.csv");
        let run = site.run(&["export", "orders", path.to_str().unwrap(), "--incremental"]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.contains("soapstone run confirm 1"), "{}", run.stdout);
        assert!(std::fs::read_to_string(&path).unwrap().contains("X001"));
        assert!(site.run(&["run", "confirm", "1"]).stdout.contains("2 orders confirmed"));
        site.run(&["export", "orders", path.to_str().unwrap(), "--incremental"]);
        assert!(!std::fs::read_to_string(&path).unwrap().contains("X00"));
    }

    fn what_is_asked_wrong_is_told(database) {
        let server = Site::new(database).serve();
        for (wanted, code) in [
            (json!({"kind": "payments"}), "export.kind"),
            (json!({"kind": "articles", "format": "zip"}), "export.format"),
            (json!({"kind": "articles", "format": "bmecat"}), "export.format"),
            (json!({"kind": "articles", "mode": "incremental", "since": "2026-01-01T00:00:00Z"}), "export.since"),
            (json!({"kind": "articles", "consumer": "erp"}), "export.consumer"),
            (json!({"kind": "articles", "mode": "incremental", "leaseSeconds": 5}), "export.lease"),
        ] {
            let reply = server.post_json("/api/v1/exports", &wanted);
            assert_eq!((reply.status, &reply.json()["code"]), (422, &json!(code)), "{wanted}");
        }
    }
}
