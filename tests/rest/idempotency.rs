//! Requests that are sent twice.

use crate::support::{Database, Reply, Server, Site, on_each_database};
use serde_json::json;

fn order(server: &Server, key: &str, text: &str) -> Reply {
    let position = json!({"text": text, "quantity": "1", "unitPrice": "1"});
    let body = json!({"order": [{"position": [position]}]}).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    server.call("POST", "/api/v1/orders", &headers, body.as_bytes())
}

fn orders(server: &Server) -> usize {
    server.get("/api/v1/orders").json()["order"].as_array().unwrap().len()
}

on_each_database! {
    fn what_is_sent_twice_is_done_once(database) {
        let server = Site::new(database).serve();
        let (first, again) = (order(&server, "k-1", "a"), order(&server, "k-1", "a"));
        assert_eq!((first.status, first.header("idempotency-replayed")), (200, ""));
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
        assert_eq!((&again.body, again.header("content-type")), (&first.body, first.header("content-type")));
        assert_eq!(orders(&server), 1);
        // Another key, and no key, is another request.
        order(&server, "k-2", "a");
        assert_eq!(orders(&server), 2);
        let another = order(&server, "k-1", "b");
        assert_eq!((another.status, another.json()["code"].as_str()), (422, Some("http.idempotency_reused")));
        assert_eq!(order(&server, "", "a").json()["code"], "http.idempotency_key");
    }

    fn of_many_at_once_one_is_done(database) {
        let server = Site::new(database).serve();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let server = &server;
            let all: Vec<_> = (0..12).map(|_| scope.spawn(move || order(server, "once", "a").status)).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
        assert!(statuses.contains(&200));
        assert_eq!(orders(&server), 1);
    }
}

#[test]
fn another_node_knows_it_too() {
    let site = Site::new(Database::Postgres);
    let (one, other) = (site.serve(), site.serve());
    assert_eq!(order(&one, "k", "a").body, order(&other, "k", "a").body);
    assert_eq!(orders(&one), 1);
}

#[test]
fn what_is_refused_is_refused_again_and_a_compressed_body_is_the_same() {
    let server = Site::new(Database::Sqlite).serve();
    let headers = [("content-type", "application/json"), ("idempotency-key", "bad")];
    let bad = || server.call("POST", "/api/v1/orders", &headers, b"{}");
    assert_eq!((bad().status, bad().status, bad().header("idempotency-replayed")), (422, 422, "true"));
    let body = br#"{"warehouse": [{"key": "W"}]}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, body).unwrap();
    let zipped = encoder.finish().unwrap();
    let headers = [("content-type", "application/json"), ("idempotency-key", "zip"), ("content-encoding", "gzip")];
    assert_eq!(server.call("POST", "/api/v1/warehouses", &headers, &zipped).status, 200);
    let plain = server.call("POST", "/api/v1/warehouses", &headers[..2], body);
    assert_eq!((plain.status, plain.header("idempotency-replayed")), (200, "true"));
}
