//! Files sent to `POST /api/v1/imports`.

use crate::support::{Server, Site, on_each_database};
use serde_json::{Value, json};

const CSV: &str = "sku;name[de];listPrice;currency\nA;Größe;12.50;EUR\nB;;abc;EUR\nC;Fein;1;EUR\n";

/// The run's end, and what came of each record.
fn check(server: &Server, reply: &crate::support::Reply) {
    assert_eq!(reply.status, 202, "{reply:?}");
    let id =
        reply.json()["run"]["id"].as_str().map_or_else(|| reply.json()["run"]["id"].as_i64(), |id| id.parse().ok());
    let id = id.unwrap();
    assert_eq!(reply.header("location"), format!("/api/v1/runs/{id}"));
    let run = server.finished_run(id);
    assert_eq!(run["state"], "succeededWithErrors", "{run}");
    assert_eq!(run["counters"], counters(3, 2, 1), "{run}");
    let messages = server.get(&format!("/api/v1/runs/{id}/messages")).json();
    let message = &messages["message"][0];
    assert_eq!(message["line"], 3);
    assert_eq!((&message["field"], &message["value"]), (&json!("listPrice"), &json!("abc")));
    assert_eq!(server.get("/api/v1/articles/A").json()["article"]["name"][0]["value"], "Größe");
}

fn counters(read: i64, created: i64, failed: i64) -> Value {
    json!({"read": read, "created": created, "updated": 0, "unchanged": 0, "skipped": 0, "deleted": 0,
           "failed": failed, "warnings": 0})
}

on_each_database! {
    fn as_a_form(database) {
        let server = Site::new(database).serve();
        let form = format!(
            "--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\narticles\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n{CSV}\r\n--x--\r\n"
        );
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        let reply = server.call("POST", "/api/v1/imports", &headers, form.as_bytes());
        assert_eq!(reply.json()["run"]["sourceName"], "list.csv");
        check(&server, &reply);
    }

    fn as_the_bare_body(database) {
        let server = Site::new(database).serve();
        let path = "/api/v1/imports?kind=articles&sourceName=list.csv";
        check(&server, &server.call("POST", path, &[("content-type", "text/csv")], CSV.as_bytes()));
    }

    fn as_json(database) {
        let server = Site::new(database).serve();
        let content = "c2t1CkEK";
        let reply = server.post_json(
            "/api/v1/imports",
            &json!({"kind": "articles", "sourceName": "a.csv", "content": content}),
        );
        assert_eq!(reply.status, 200, "{reply:?}");
        let run = server.finished_run(reply.json()["run"]["id"].as_i64().unwrap());
        assert_eq!(run["counters"], counters(1, 1, 0));
    }

    fn what_is_wrong_with_a_form_is_told(database) {
        let server = Site::new(database).serve();
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        let field = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nsku\nA\n\r\n";
        for (form, code) in [
            (field("kind", "articles") + "--x--\r\n", "import.no_file"),
            (field("kind", "nonsense") + file + "--x--\r\n", "import.unknown_value"),
            (field("colour", "red") + file + "--x--\r\n", "import.unknown_field"),
            (field("profile", "nope") + file + "--x--\r\n", "profile.unknown"),
            ("nonsense".to_owned(), "http.form"),
        ] {
            let reply = server.call("POST", "/api/v1/imports", &headers, form.as_bytes());
            assert_eq!(reply.json()["code"], code, "{form}: {reply:?}");
            assert_eq!(reply.header("content-type"), "application/problem+json");
        }
        assert_eq!(server.get("/api/v1/runs").json()["run"], json!([]));
    }
}

on_each_database! {
    fn while_the_last_part_is_taken_the_upload_is_not_lost(database) {
        let server = Site::new(database).serve();
        let tus = ("tus-resumable", "1.0.0");
        let rows = (0..30_000).fold("sku\n".to_owned(), |rows, n| rows + "A-" + n.to_string().as_str() + "\n");
        for round in 0..10 {
            let content = format!("{rows}B-{round}\n");
            let length = content.len().to_string();
            let created = server.call("POST", "/api/v1/uploads", &[tus, ("upload-length", &length)], b"");
            let place = created.header("location");
            let headers = [tus, ("upload-offset", "0"), ("content-type", "application/offset+octet-stream")];
            std::thread::scope(|scope| {
                let last = scope.spawn(|| server.call("PATCH", place, &headers, content.as_bytes()));
                let run = loop {
                    let told = server.call("HEAD", place, &[tus], b"");
                    assert_eq!(told.status, 200, "{told:?}");
                    if !told.header("location").is_empty() {
                        break told.header("location").to_owned();
                    }
                };
                assert_eq!(last.join().unwrap().header("location"), run);
            });
        }
    }

    fn a_large_file_comes_in_parts_and_goes_on_after_a_cut(database) {
        use base64::Engine;
        let server = Site::new(database).serve();
        let tus = ("tus-resumable", "1.0.0");
        let options = server.call("OPTIONS", "/api/v1/uploads", &[tus], b"");
        assert_eq!((options.header("tus-version"), options.header("tus-extension")), ("1.0.0", "creation,termination"));
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let content = (0..500).fold("sku\n".to_owned(), |content, n| content + "T" + n.to_string().as_str() + "\n");
        let length = content.len().to_string();
        let about = format!("kind {},filename {}", encoded("articles"), encoded("list.csv"));
        let created = server.call("POST", "/api/v1/uploads", &[tus, ("upload-length", &length), ("upload-metadata", &about)], b"");
        assert_eq!(created.status, 201, "{created:?}");
        let place = created.header("location").to_owned();
        let send = |offset: usize, piece: &str| {
            let offset = offset.to_string();
            let headers = [tus, ("upload-offset", offset.as_str()), ("content-type", "application/offset+octet-stream")];
            server.call("PATCH", &place, &headers, piece.as_bytes())
        };
        assert_eq!(send(0, &content[..1000]).header("upload-offset"), "1000");
        // The answer was lost: where it stands is asked.
        assert_eq!(send(0, &content[..1000]).status, 409);
        let told = server.call("HEAD", &place, &[tus], b"");
        assert_eq!((told.header("upload-offset"), told.header("upload-length")), ("1000", length.as_str()));
        let done = send(1000, &content[1000..]);
        assert_eq!(done.status, 204, "{done:?}");
        let id = done.header("location").rsplit('/').next().unwrap().parse().unwrap();
        let run = server.finished_run(id);
        assert_eq!((&run["counters"]["created"], &run["sourceName"]), (&serde_json::json!(500), &serde_json::json!("list.csv")));
        // Whoever did not get that answer asks where it stands: it is that run, and the last part sent again is no second one.
        let told = server.call("HEAD", &place, &[tus], b"");
        assert_eq!((told.status, told.header("location"), told.header("upload-offset")), (200, done.header("location"), length.as_str()));
        let again = send(1000, &content[1000..]);
        assert_eq!((again.status, again.header("location")), (204, done.header("location")));
        assert_eq!(server.get("/api/v1/runs").json()["run"].as_array().map(Vec::len), Some(1));
        // What is wrong is told before anything is sent; what is not wanted any more, forgotten.
        let wrong = format!("kind {}", encoded("colours"));
        assert_eq!(server.call("POST", "/api/v1/uploads", &[tus, ("upload-length", "5"), ("upload-metadata", &wrong)], b"").status, 422);
        assert_eq!(server.call("POST", "/api/v1/uploads", &[("tus-resumable", "0.2"), ("upload-length", "5")], b"").status, 412);
        let other = server.call("POST", "/api/v1/uploads", &[tus, ("upload-length", "5")], b"");
        assert_eq!(server.call("DELETE", other.header("location"), &[tus], b"").status, 204);
        assert_eq!(server.call("HEAD", other.header("location"), &[tus], b"").status, 404);
    }
}
