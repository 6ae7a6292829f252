//! Runs over REST: their files, what they said, and going on.

use crate::support::{Server, Site, on_each_database};
use serde_json::{Value, json};

fn import(server: &Server, query: &str, content: &str) -> Value {
    let path = format!("/api/v1/imports?sourceName=list.csv&{query}");
    let reply = server.call("POST", &path, &[("content-type", "text/csv")], content.as_bytes());
    assert_eq!(reply.status, 202, "{reply:?}");
    server.finished_run(reply.json()["run"]["id"].as_i64().unwrap())
}

on_each_database! {
    fn the_refused_records_are_a_file_and_are_taken_again(database) {
        let server = Site::new(database).serve();
        let run = import(&server, "kind=articles", "sku;weight;category\nA;heavy;\nB;;later\nC;1;\n");
        let id = &run["id"];
        let names: Vec<&Value> = run["artifact"].as_array().unwrap().iter().map(|artifact| &artifact["name"]).collect();
        assert_eq!(names, [&json!("list.csv"), &json!("list-rejected.csv")]);
        let file = server.get(&format!("/api/v1/runs/{id}/artifacts/rejected/file"));
        assert_eq!(file.body, "sku;weight;category\nA;heavy;\nB;;later\n");
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"list-rejected.csv\"");
        let in_message = server.get(&format!("/api/v1/runs/{id}/artifacts/rejected")).json();
        assert_eq!(in_message["artifact"]["size"], file.body.len());
        for path in ["rejected/file", "colour/file", "rejected"] {
            let missing = server.get(&format!("/api/v1/runs/999/artifacts/{path}"));
            assert_eq!(missing.status, 404, "{path}");
        }
        let summary = server.get(&format!("/api/v1/runs/{id}/summary?examples=1")).json();
        let codes: Vec<_> = summary["group"].as_array().unwrap().iter().map(|group| (&group["code"], &group["count"])).collect();
        assert_eq!(codes, [(&json!("article.unknown_category"), &json!(1)), (&json!("csv.type"), &json!(1))]);

        // One of them was refused for what has come since.
        server.post_json("/api/v1/categories", &json!({"category": [{"id": "later"}]}));
        let retried = server.post_json(&format!("/api/v1/runs/{id}/retry"), &json!({}));
        assert_eq!(retried.status, 200, "{retried:?}");
        let run = server.finished_run(retried.json()["run"]["id"].as_i64().unwrap());
        assert_eq!((&run["retryOf"], &run["counters"]["created"], &run["counters"]["failed"]), (id, &json!(1), &json!(1)));
    }

    fn what_would_delete_much_is_approved(database) {
        let server = Site::new(database).serve();
        import(&server, "kind=units&mode=full", "key\na\nb\nc\n");
        let run = import(&server, "kind=units&mode=full&deleteAtMost=50", "key\na\n");
        assert_eq!((&run["state"], &run["missing"]), (&json!("waiting"), &json!(2)));
        let id = run["id"].as_i64().unwrap();
        assert_eq!(server.post_json(&format!("/api/v1/runs/{id}/approve"), &json!({})).status, 200);
        let run = server.finished_run(id);
        assert_eq!((&run["state"], &run["counters"]["deleted"]), (&json!("succeeded"), &json!(2)));
        let again = server.post_json(&format!("/api/v1/runs/{id}/approve"), &json!({}));
        assert_eq!((again.status, &again.json()["code"]), (409, &json!("run.not_waiting")));
        assert_eq!(server.post_json(&format!("/api/v1/runs/{id}/retry"), &json!({})).json()["code"], "run.nothing_refused");
    }

    fn what_is_asked_wrong_is_told(database) {
        let server = Site::new(database).serve();
        for (query, code) in [
            ("kind=stock&mode=full", "import.never_full"),
            ("kind=articles&mode=half", "import.unknown_value"),
            ("kind=articles&mode=full&deleteAtMost=101", "import.unknown_value"),
            ("kind=articles&format=zip", "import.unknown_format"),
        ] {
            let path = format!("/api/v1/imports?{query}");
            let reply = server.call("POST", &path, &[("content-type", "text/csv")], b"sku\nA\n");
            assert_eq!((reply.status, &reply.json()["code"]), (422, &json!(code)), "{query}");
        }
    }
}
