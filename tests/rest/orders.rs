//! What must hold when several take orders at once.

use crate::support::{Server, Site, on_each_database};
use serde_json::{Value, json};
use std::collections::HashMap;

const ORDERS: usize = 60;

fn order(number: usize) -> Value {
    json!({"number": format!("X{number}"), "position": [{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]})
}

fn post(server: &Server, path: &str, body: &Value) -> Value {
    let reply = server.post_json(path, body);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// Exports until there is nothing more; every third export is never confirmed. Gives what was confirmed, by order.
fn export(server: &Server) -> Vec<(String, String)> {
    let mut confirmed = Vec::new();
    for turn in 0.. {
        let export = post(server, "/api/v1/orders/export", &json!({"limit": 4, "leaseSeconds": 1}));
        let Some(number) = export["exportNumber"].as_str() else { break };
        if turn % 3 == 2 {
            continue;
        }
        for one in post(server, "/api/v1/orders/confirm-export", &json!({"exportNumber": number}))["result"]
            .as_array()
            .unwrap()
        {
            assert_ne!(one["outcome"], "failed", "{one}");
            confirmed.push((one["key"].as_str().unwrap().to_owned(), number.to_owned()));
        }
    }
    confirmed
}

on_each_database! {
    fn no_order_is_in_two_exports_that_were_confirmed(database) {
        let site = Site::new(database);
        let servers = match database {
            Database::Sqlite => vec![site.serve()],
            Database::Postgres => vec![site.serve(), site.serve()],
        };
        let orders: Vec<Value> = (0..ORDERS).map(order).collect();
        post(&servers[0], "/api/v1/orders", &json!({"order": orders}));
        let mut exports: HashMap<String, String> = HashMap::new();
        // Leases that were not confirmed end, and are handed out again.
        while exports.len() < ORDERS {
            let rounds: Vec<_> = std::thread::scope(|scope| {
                let servers = &servers;
                let all: Vec<_> = (0..8).map(|n| scope.spawn(move || export(&servers[n % servers.len()]))).collect();
                all.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for (order, export) in rounds.into_iter().flatten() {
                let before = exports.entry(order).or_insert_with(|| export.clone());
                assert_eq!(*before, export);
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let left = servers[0].get("/api/v1/orders?exportState=exported&limit=1000").json();
        assert_eq!(left["order"].as_array().unwrap().len(), ORDERS);
    }

    fn of_many_who_deliver_one_line_only_so_many_can(database) {
        let server = Site::new(database).serve();
        let many = json!({"order": [{"number": "M", "position": [{"text": "x", "quantity": "5", "unitPrice": "1", "taxPercent": "8.1"}]}]});
        post(&server, "/api/v1/orders", &many);
        let deliver = |n: usize| {
            let part = json!([{"position": 1, "quantity": "1"}]);
            let note = json!({"document": [{"number": format!("N{n}"), "kind": "deliveryNote", "order": "M", "part": part}]});
            usize::from(post(&server, "/api/v1/documents", &note)["result"][0]["outcome"] == "created")
        };
        let deliver = &deliver;
        let delivered: usize = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|n| scope.spawn(move || deliver(n))).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(delivered, 5);
        assert_eq!(server.get("/api/v1/orders/M").json()["order"]["state"], "delivered");
    }
}
