//! Runs that somebody steers: paused and resumed, in another order, all or nothing, only imagined.

use super::counters;
use crate::support::{Server, Site, catalogue, on_each_database};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn send(server: &Server, query: &str, content: &[u8]) -> i64 {
    let reply = server.call("POST", &format!("/api/v1/imports?{query}"), &[("content-type", "text/csv")], content);
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.json()["run"]["id"].as_i64().unwrap()
}

fn import(server: &Server, query: &str, content: &str) -> Value {
    server.finished_run(send(server, query, content.as_bytes()))
}

fn shown(server: &Server, id: i64) -> Value {
    server.get(&format!("/api/v1/runs/{id}")).json()["run"].clone()
}

fn wait(server: &Server, id: i64, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let run = shown(server, id);
        if is_so(&run) {
            return run;
        }
        assert!(Instant::now() < deadline, "{run}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn large() -> Vec<u8> {
    let mut file = Vec::new();
    catalogue::write(20_000, &mut file).unwrap();
    file
}

on_each_database! {
    fn a_paused_run_goes_on_where_it_stopped(database) {
        let server = Site::new(database).serve_with(&["batch-size=20"]);
        let id = send(&server, "kind=articles", &large());
        wait(&server, id, |run| run["counters"]["read"].as_i64() > Some(500));
        assert_eq!(server.post_json(&format!("/api/v1/runs/{id}/pause"), &json!({})).status, 200);
        let paused = wait(&server, id, |run| run["state"] == "paused");
        let read = paused["counters"]["read"].as_i64().unwrap();
        assert!(read < 20_000, "{paused}");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(shown(&server, id)["counters"]["read"], read);
        assert_eq!(server.post_json(&format!("/api/v1/runs/{id}/resume"), &json!({})).status, 200);
        let run = server.finished_run(id);
        assert_eq!((counters(&run), &run["state"]), ("read 20000, created 20000".to_owned(), &json!("succeeded")));
        for path in ["pause", "resume"] {
            assert_eq!(server.post_json(&format!("/api/v1/runs/{id}/{path}"), &json!({})).status, 409, "{path}");
        }
    }

    fn the_highest_priority_goes_first_but_not_before_what_it_needs(database) {
        let server = Site::new(database).serve_with(&["batch-size=5", "run-workers=1"]);
        let busy = send(&server, "kind=units", &(0..3000).fold(b"key\n".to_vec(), |mut file, n| {
            file.extend(format!("u{n}\n").bytes());
            file
        }));
        let manufacturers = send(&server, "kind=manufacturers", b"key\nm\n");
        let urgent = send(&server, "kind=warehouses&priority=5", b"key\nw\n");
        let categories = send(&server, "kind=categories", b"id\nc\n");
        let articles = send(&server, "kind=articles&priority=9", b"sku,category\na,c\n");
        let runs: Vec<Value> = [busy, manufacturers, urgent, categories, articles].iter().map(|id| server.finished_run(*id)).collect();
        assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{runs:?}");
        let began = |place: usize| runs[place]["startedAt"].as_str().unwrap();
        assert!(began(2) < began(1), "the urgent one waited");
        assert!(began(3) < began(4), "articles were taken before their categories");
    }

    fn all_or_nothing_writes_nothing_if_a_record_is_refused(database) {
        let server = Site::new(database).serve();
        let run = import(&server, "kind=articles&allOrNothing=true&format=csv", "sku;weight\nA;1\nB;heavy\nC;1\n");
        assert_eq!(run["state"], "failed", "{run}");
        assert_eq!(counters(&run), "read 3, skipped 2, failed 1");
        assert_eq!(run["failure"], "1 of 3 records were refused, so nothing was written");
        assert!(server.get("/api/v1/articles").json()["article"].is_null() || server.get("/api/v1/articles").json()["article"] == json!([]));
        let rejected = server.get(&format!("/api/v1/runs/{}/artifacts/rejected/file", run["id"]));
        assert_eq!(rejected.body, "sku;weight\nB;heavy\n");
        let messages = server.get(&format!("/api/v1/runs/{}/messages", run["id"])).json();
        assert_eq!(messages["message"][0]["code"], "csv.type");
        let run = import(&server, "kind=articles&allOrNothing=true", "sku;weight\nA;1\nB;2\nC;1\n");
        assert_eq!(counters(&run), "read 3, created 3");
    }

    fn all_or_nothing_of_a_full_file_waits_before_it_writes(database) {
        let server = Site::new(database).serve();
        import(&server, "kind=units", "key\na\nb\nc\n");
        let run = import(&server, "kind=units&allOrNothing=true&mode=full", "key;name[de]\na;neu\n");
        assert_eq!((&run["state"], &run["missing"]), (&json!("waiting"), &json!(2)));
        assert!(!server.get("/api/v1/units/a").body.contains("neu"));
        let id = run["id"].as_i64().unwrap();
        assert_eq!(server.post_json(&format!("/api/v1/runs/{id}/approve"), &json!({})).status, 200);
        let run = server.finished_run(id);
        assert_eq!(counters(&run), "read 1, updated 1, deleted 2");
        assert_eq!(server.get("/api/v1/units").json()["unit"].as_array().unwrap().len(), 1);
    }

    fn a_dry_run_tells_member_by_member_what_would_change(database) {
        let server = Site::new(database).serve();
        import(&server, "kind=articles", "sku;weight;name[de]\nA;1;Hammer\nB;1;Zange\n");
        let run = import(&server, "kind=articles&dryRun=true", "sku;weight;name[de];active\nA;2;Hammer;\nB;1;Zange;\nC;;Säge;nein\n");
        assert_eq!(counters(&run), "read 3, created 1, updated 1, unchanged 1");
        let changes = server.get(&format!("/api/v1/runs/{}/changes", run["id"])).json();
        let told: Vec<String> = changes["change"].as_array().unwrap().iter().map(|change| {
            let fields = change["field"].as_array().unwrap().iter().map(|field| {
                format!("{} {} > {}", field["field"].as_str().unwrap(), field["before"].as_str().unwrap_or("-"), field["after"].as_str().unwrap_or("-"))
            });
            format!("{} {} {}: {}", change["record"], change["outcome"].as_str().unwrap(), change["recordKey"].as_str().unwrap(), fields.collect::<Vec<_>>().join(", "))
        }).collect();
        assert_eq!(told, [
            "1 updated A: weight 1 > 2",
            "3 created C: active - > false, name[de] - > Säge, sku - > C",
        ]);
        // Nothing of it is there.
        assert_eq!(server.get("/api/v1/articles/A").json()["article"]["weight"], "1");
        let page = server.get(&format!("/api/v1/runs/{}/changes?limit=1", run["id"])).json();
        let rest = server.get(&format!("/api/v1/runs/{}/changes?cursor={}", run["id"], page["nextCursor"].as_str().unwrap())).json();
        assert_eq!((page["change"].as_array().unwrap().len(), &rest["change"][0]["recordKey"]), (1, &json!("C")));
    }

    fn a_run_is_compared_with_those_before_it(database) {
        let server = Site::new(database).serve();
        for n in 0..3 {
            let rows = (0..20).fold("key;name[de]\n".to_owned(), |rows, unit| format!("{rows}u{unit};{n}\n"));
            import(&server, "kind=units", &rows);
        }
        let run = import(&server, "kind=units", "key;name[de]\nu1;x\n");
        let summary = server.get(&format!("/api/v1/runs/{}/summary", run["id"])).json();
        assert_eq!(summary["comparison"]["runs"], 3);
        assert_eq!(summary["comparison"]["records"], 20);
        assert_eq!(summary["comparison"]["unusual"], json!(["it had 1 records, where 20 are usual"]));
        let stages: Vec<&str> = summary["stage"].as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect();
        assert_eq!(stages, ["reading", "filtering", "writing"]);
    }
}
