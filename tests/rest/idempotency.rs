//! Requests that are sent twice.

use crate::support::{Database, Reply, Server, Site, on_each_database};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

const JSON: (&str, &str) = ("content-type", "application/json");

fn order_of(text: &str) -> String {
    json!({"order": [{"position": [{"text": text, "quantity": "1", "unitPrice": "1"}]}]}).to_string()
}

fn order(server: &Server, key: &str, text: &str) -> Reply {
    server.call("POST", "/api/v1/orders", &[JSON, ("idempotency-key", key)], order_of(text).as_bytes())
}

fn orders(server: &Server) -> usize {
    server.get("/api/v1/orders").json()["order"].as_array().unwrap().len()
}

fn replayed(reply: &Reply) -> (u16, bool) {
    (reply.status, reply.header("idempotency-replayed") == "true")
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.json()["code"].as_str().unwrap_or_default().to_owned())
}

on_each_database! {
    fn what_is_sent_twice_is_done_once(database) {
        let server = Site::new(database).serve();
        let (first, again) = (order(&server, "k-1", "a"), order(&server, "k-1", "a"));
        assert_eq!((replayed(&first), replayed(&again)), ((200, false), (200, true)));
        assert_eq!((&again.body, again.header("content-type")), (&first.body, first.header("content-type")));
        assert_eq!(orders(&server), 1);
        // Another key, and no key, is another request.
        order(&server, "k-2", "a");
        assert_eq!(orders(&server), 2);
        assert_eq!(code(&order(&server, "k-1", "b")), (422, "http.idempotency_reused".to_owned()));
        assert_eq!(code(&order(&server, "", "a")), (400, "http.idempotency_key".to_owned()));
        assert_eq!(orders(&server), 2);
    }

    fn of_many_at_once_one_is_done(database) {
        let server = Site::new(database).serve();
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let server = &server;
            let all: Vec<_> = (0..12).map(|_| scope.spawn(move || order(server, "once", "a"))).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for reply in &replies {
            assert!(reply.status == 200 || code(reply) == (409, "http.idempotency_in_progress".to_owned()), "{reply:?}");
        }
        assert_eq!(replies.iter().filter(|reply| replayed(reply) == (200, false)).count(), 1);
        assert_eq!(orders(&server), 1);
    }

    fn what_fails_changes_nothing_and_leaves_the_key_unused(database) {
        let site = Site::new(database);
        let server = site.serve();
        // Orders can be written, but not what they consist of.
        site.sql("ALTER TABLE order_positions RENAME TO away");
        assert_eq!(order(&server, "k", "a").status, 500);
        site.sql("ALTER TABLE away RENAME TO order_positions");
        assert_eq!(orders(&server), 0);
        assert_eq!(replayed(&order(&server, "k", "a")), (200, false));
        assert_eq!(replayed(&order(&server, "k", "a")), (200, true));
        assert_eq!(orders(&server), 1);
    }

    fn a_stored_answer_is_for_callers_who_may_have_it(database) {
        let site = Site::new(database);
        let server = site.serve();
        for name in ["anna", "berta"] {
            let mut command = site.command(&["user", "add", name, "--role", "operator", "--stdin"]);
            let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(b"correct horse battery").unwrap();
            assert!(child.wait().unwrap().success());
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        while server.get("/metrics").status != 401 {
            assert!(Instant::now() < deadline, "the users are not known");
            std::thread::sleep(Duration::from_millis(50));
        }
        let send = |name: &str| {
            let authorization = format!("Basic {}", STANDARD.encode(format!("{name}:correct horse battery")));
            let headers = [JSON, ("idempotency-key", "k"), ("authorization", &authorization)];
            server.call("POST", "/api/v1/orders", &headers, order_of("a").as_bytes())
        };
        let roles = |role: &str| assert_eq!(site.run(&["user", "roles", "anna", role]).code, 0);
        assert_eq!((replayed(&send("anna")), replayed(&send("anna"))), ((200, false), (200, true)));
        let message = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:a=\"http://www.w3.org/2005/08/addressing\">\
            <s:Header><a:Action>urn:soapstone:orders/v1/CreateOrders</a:Action><a:MessageID>urn:m:1</a:MessageID></s:Header><s:Body>\
            <CreateOrders xmlns=\"urn:soapstone:orders/v1\"><order><position><text>b</text><quantity>1</quantity><unitPrice>1</unitPrice>\
            </position></order></CreateOrders></s:Body></s:Envelope>";
        let over_soap = || {
            let authorization = format!("Basic {}", STANDARD.encode("anna:correct horse battery"));
            let headers = [("content-type", "text/xml"), ("authorization", authorization.as_str())];
            server.call("POST", "/soap/orders", &headers, message.as_bytes())
        };
        assert_eq!((replayed(&over_soap()), replayed(&over_soap())), ((200, false), (200, true)));
        roles("viewer");
        assert_eq!(code(&send("anna")), (403, "access.forbidden".to_owned()));
        let denied = over_soap();
        assert!(denied.body.contains("access.forbidden") && !denied.body.contains("created"), "{denied:?}");
        roles("operator");
        assert_eq!(replayed(&send("anna")), (200, true));
        // The key of another user is another one.
        assert_eq!((replayed(&send("berta")), replayed(&send("berta"))), ((200, false), (200, true)));
    }

    fn a_run_is_accepted_once(database) {
        let server = Site::new(database).serve();
        let content = STANDARD.encode("sku\nA-1\n");
        let body = json!({"kind": "articles", "sourceName": "a.csv", "content": content}).to_string();
        let send = || server.call("POST", "/api/v1/imports", &[JSON, ("idempotency-key", "k")], body.as_bytes());
        let first = send();
        let run = first.json()["run"]["id"].as_i64().unwrap();
        // It is found by the worker once it is committed.
        assert_eq!(server.finished_run(run)["state"], "succeeded");
        let again = send();
        assert_eq!((replayed(&again), &again.body), ((200, true), &first.body));
        assert_eq!(server.get("/api/v1/runs").json()["run"].as_array().unwrap().len(), 1);
        let retry = format!("/api/v1/runs/{run}/retry");
        let retry = || server.call("POST", &retry, &[JSON, ("idempotency-key", "k")], b"");
        assert_eq!((code(&retry()), replayed(&retry())), ((409, "run.nothing_refused".to_owned()), (409, true)));
    }
}

#[test]
fn another_node_knows_it_too() {
    let site = Site::new(Database::Postgres);
    let (one, other) = (site.serve(), site.serve());
    assert_eq!(order(&one, "k", "a").body, order(&other, "k", "a").body);
    // Of many at once, on either node, one is done.
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let nodes = [&one, &other];
        let all: Vec<_> = (0..12).map(|n| scope.spawn(move || order(nodes[n % 2], "once", "a"))).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status)), "{replies:?}");
    assert_eq!(replies.iter().filter(|reply| replayed(reply) == (200, false)).count(), 1);
    assert_eq!(orders(&one), 2);
}

#[test]
fn every_json_request_that_changes_something_can_have_a_key() {
    let server = Site::new(Database::Sqlite).serve();
    let send = |method: &str, path: &str, media: &str, key: &str, body: &str| {
        server.call(method, path, &[("content-type", media), ("idempotency-key", key)], body.as_bytes())
    };
    let body = r#"{"warehouse": [{"key": "W"}]}"#;
    // The media type has parameters, or a suffix; the content counts, not its spaces.
    assert_eq!(
        replayed(&send("POST", "/api/v1/warehouses", "application/json; charset=utf-8", "k", body)),
        (200, false)
    );
    assert_eq!(
        replayed(&send("POST", "/api/v1/warehouses", "application/vnd.erp+json", "k", &body.replace(' ', "\n"))),
        (200, true)
    );
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body.as_bytes()).unwrap();
    let headers = [JSON, ("idempotency-key", "k"), ("content-encoding", "gzip")];
    assert_eq!(replayed(&server.call("POST", "/api/v1/warehouses", &headers, &encoder.finish().unwrap())), (200, true));
    assert_eq!(server.post_json("/api/v1/articles", &json!({"article": [{"sku": "A-1"}]})).status, 200);
    let patch = |version: &str, name: &str| {
        let headers = [JSON, ("idempotency-key", "p"), ("if-match", version)];
        server.call("PATCH", "/api/v1/articles/A-1", &headers, json!({"manufacturer": name}).to_string().as_bytes())
    };
    let first = patch("\"1\"", "a");
    assert_eq!((replayed(&first), first.header("etag")), ((200, false), "\"2\""), "{first:?}");
    let again = patch("\"1\"", "a");
    assert_eq!((replayed(&again), again.header("etag"), &again.body), ((200, true), "\"2\"", &first.body));
    assert_eq!(code(&patch("\"2\"", "a")).1, "http.idempotency_reused");
    // Spelled otherwise it is the same resource.
    let path = "/api/v1/articles/%41-1";
    assert_eq!(
        send("PATCH", path, "application/json", "p", r#"{"manufacturer": "b"}"#).json()["code"],
        "http.idempotency_reused"
    );
    let deleted = send("DELETE", "/api/v1/warehouses/W", "application/json", "d", "");
    let again = send("DELETE", "/api/v1/warehouses/W", "application/json", "d", "");
    assert_eq!((deleted.status, replayed(&again), &again.body), (200, (200, true), &deleted.body), "{deleted:?}");
    // A rejected request is not executed: its key can be used by a corrected one.
    assert_eq!(replayed(&send("POST", "/api/v1/orders", "application/json", "c", "{}")), (422, false));
    assert_eq!(replayed(&send("POST", "/api/v1/orders", "application/json", "c", &order_of("a"))), (200, false));
    // An error of the operation itself is its answer.
    let missing = || send("PATCH", "/api/v1/warehouses/X", "application/json", "m", "{}");
    assert_eq!((replayed(&missing()), replayed(&missing())), ((404, false), (404, true)));
    // A request that changes nothing has nothing to do once.
    assert_eq!(replayed(&send("GET", "/api/v1/warehouses", "application/json", "k", "")), (200, false));
}

#[test]
fn a_key_that_would_have_no_effect_is_rejected() {
    let server = Site::new(Database::Sqlite).serve();
    for (method, path, headers) in [
        ("POST", "/api/v1/imports?kind=articles", vec![("content-type", "text/csv")]),
        ("POST", "/api/v1/uploads", vec![("upload-length", "5"), ("tus-resumable", "1.0.0")]),
        ("PUT", "/api/v1/pictures/a.jpg", vec![("content-type", "image/jpeg")]),
        ("POST", "/api/v1/pictures", vec![("content-type", "application/zip")]),
    ] {
        let headers = [&headers[..], &[("idempotency-key", "k")]].concat();
        let reply = server.call(method, path, &headers, b"sku\nA-1\n");
        assert_eq!(code(&reply), (400, "http.idempotency_unsupported".to_owned()), "{method} {path}");
    }
    assert_eq!(server.get("/api/v1/runs").json()["run"].as_array().unwrap().len(), 0);
}

#[test]
fn a_server_that_stops_leaves_every_key_unused_or_answered() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve();
    let address = server.base.strip_prefix("http://").unwrap().to_owned();
    assert_eq!(orders(&server), 0);
    // Sent, and hung up at once.
    for n in 0..20 {
        let body = order_of(&format!("gone {n}"));
        let mut connection = std::net::TcpStream::connect(&address).unwrap();
        write!(
            connection,
            "POST /api/v1/orders HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nidempotency-key: {n}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    }
    assert_eq!(server.stop(), Some(0));
    let server = site.serve();
    let replies: Vec<_> = (0..20).map(|n| order(&server, &n.to_string(), &format!("gone {n}"))).collect();
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert_eq!(orders(&server), 20);
}
