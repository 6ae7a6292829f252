//! Signals: what targets hear when orders arrive and change, and what happens when they do not listen.

mod outbound;
pub mod receiver;

use crate::support::{Database, Server, Site, on_each_database};
use receiver::{Heard, Receiver};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Tries again at once.
const QUICK: &[&str] = &["signal-first-wait=0.05", "signal-timeout=2"];

fn target(server: &Server, target: &Value) {
    let reply = server.post_json("/api/v1/signal-targets", &json!({"target": [target]}));
    assert_eq!(reply.json()["result"][0]["outcome"], "created", "{reply:?}");
}

fn order(server: &Server, number: &str, warehouse: &str) {
    let position = json!({"text": "a", "quantity": "2", "unitPrice": "10", "warehouse": warehouse});
    let order = json!({"number": number, "prepaid": true, "position": [position]});
    let reply = server.post_json("/api/v1/orders", &json!({"order": [order]}));
    assert_eq!(reply.json()["result"][0]["outcome"], "created", "{reply:?}");
}

fn deliveries(server: &Server, filter: &str) -> Vec<Value> {
    server.get(&format!("/api/v1/signal-deliveries?{filter}")).json()["delivery"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// Waits until there are so many deliveries.
fn wait_for(server: &Server, filter: &str, count: usize) -> Vec<Value> {
    for _ in 0..600 {
        let found = deliveries(server, filter);
        if found.len() >= count {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("not {count} of {filter}: {:?}", deliveries(server, ""));
}

fn events(heard: &[Heard]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    heard.iter().map(|h| (text(&h.json()["event"]), text(&h.json()["state"]))).collect()
}

on_each_database! {
    fn a_web_hook_hears_of_an_order_in_the_order_of_things(database) {
        let receiver = Receiver::start(|_| 204);
        let server = Site::new(database).serve_with(QUICK);
        target(&server, &json!({"key": "erp", "url": receiver.url("/hooks"), "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}));
        order(&server, "W1", "north");
        server.post_json("/api/v1/payments", &json!({"payment": [{"key": "p", "order": "W1", "state": "paid"}]}));
        let document = |number: &str, kind: &str| json!({"number": number, "kind": kind, "order": "W1"});
        let documents = json!({"document": [document("D", "deliveryNote"), document("I", "invoice")]});
        server.post_json("/api/v1/documents", &documents);
        let heard = receiver.heard(4);
        let expected =
            [("orderArrived", "open"), ("paymentChanged", "open"), ("orderStateChanged", "delivered"), ("orderStateChanged", "paid")];
        assert_eq!(events(&heard), expected.map(|(event, state)| (event.to_owned(), state.to_owned())));
        let (arrived, paid) = (heard[0].json(), heard[1].json());
        assert_eq!((&arrived["order"], &arrived["total"]["value"], &arrived["warehouse"]), (&json!("W1"), &json!("20.00"), &json!(["north"])));
        assert_eq!((&paid["payment"], &paid["paymentState"]), (&json!("p"), &json!("paid")));
        assert_eq!(heard[3].json()["stateBefore"], "delivered");
        for one in &heard {
            assert_eq!(one.header("webhook-id"), one.json()["id"].to_string());
            let signed = format!("{}.{}.{}", one.header("webhook-id"), one.header("webhook-timestamp"), one.body);
            assert_eq!(one.header("webhook-signature"), receiver::signature("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &signed));
        }
        let delivered = wait_for(&server, "order=W1&state=delivered", 4);
        assert_eq!((&delivered[0]["status"], &delivered[0]["attempts"]), (&json!(204), &json!(1)));
    }

    fn what_fails_is_tried_again_and_then_dead_until_somebody_sends_it_again(database) {
        // It is down for three calls, then it takes everything.
        let receiver = Receiver::start(|number| if number < 3 { 503 } else { 200 });
        let settings = [QUICK, &["signal-attempts=3"]].concat();
        let server = Site::new(database).serve_with(&settings);
        target(&server, &json!({"key": "erp", "url": receiver.url("/"), "secret": "s", "event": ["orderArrived"]}));
        order(&server, "R1", "north");
        let dead = wait_for(&server, "state=dead", 1);
        assert_eq!((&dead[0]["attempts"], &dead[0]["status"]), (&json!(3), &json!(503)));
        // What the target said is in the log, not with the delivery.
        assert_eq!(dead[0]["error"], "HTTP status 503", "{dead:?}");
        assert!(server.logged("replied: as the test wants it"));
        // The next one arrives, and then the dead one.
        order(&server, "R2", "north");
        wait_for(&server, "order=R2&state=delivered", 1);
        let again = server.post_json("/api/v1/signal-deliveries/resend", &json!({"target": "erp"}));
        assert_eq!(again.json()["count"], 1);
        wait_for(&server, "order=R1&state=delivered", 1);
        let heard = receiver.heard(5);
        assert_eq!(heard[0].header("webhook-id"), heard[4].header("webhook-id"));
    }
}

#[test]
fn each_warehouse_hears_of_its_own() {
    let (north, south) = (Receiver::start(|_| 200), Receiver::start(|_| 200));
    let server = Site::new(Database::Sqlite).serve_with(QUICK);
    let of = |warehouse: &str, receiver: &Receiver| json!({"key": warehouse, "url": receiver.url("/"), "warehouse": [warehouse], "event": ["orderArrived"]});
    server.post_json("/api/v1/signal-targets", &json!({"target": [of("north", &north), of("south", &south)]}));
    order(&server, "N1", "north");
    order(&server, "S1", "south");
    order(&server, "E1", "east");
    order(&server, "N2", "north");
    wait_for(&server, "state=delivered", 3);
    // Of one order, things are told in their order; of several, at once.
    let orders = |heard: Vec<Heard>| heard.iter().map(|h| h.json()["order"].to_string()).collect::<BTreeSet<_>>();
    let set = |orders: &[&str]| orders.iter().map(|order| json!(order).to_string()).collect::<BTreeSet<_>>();
    assert_eq!((orders(north.heard(2)), orders(south.heard(1))), (set(&["N1", "N2"]), set(&["S1"])));
    assert_eq!(deliveries(&server, "order=E1").len(), 0);
}

#[test]
fn what_is_refused_is_dead_at_once() {
    let receiver = Receiver::start(|_| 410);
    let server = Site::new(Database::Sqlite).serve_with(QUICK);
    target(&server, &json!({"key": "erp", "url": receiver.url("/")}));
    order(&server, "G1", "north");
    let dead = wait_for(&server, "state=dead", 1);
    assert_eq!((&dead[0]["attempts"], &dead[0]["status"]), (&json!(1), &json!(410)));
}

#[test]
fn a_target_that_is_not_there_holds_up_nobody_else() {
    let receiver = Receiver::start(|_| 200);
    let server = Site::new(Database::Sqlite).serve_with(&["signal-first-wait=30", "signal-timeout=2"]);
    target(&server, &json!({"key": "gone", "url": "http://127.0.0.1:9/"}));
    target(&server, &json!({"key": "erp", "url": receiver.url("/")}));
    for number in 0..20 {
        order(&server, &format!("M{number}"), "north");
    }
    wait_for(&server, "target=erp&state=delivered", 20);
    let waiting = wait_for(&server, "target=gone&state=waiting", 20);
    // It is asked with one signal, the others wait for it.
    assert!(waiting.iter().filter(|delivery| delivery["attempts"] != 0).count() <= 16, "{waiting:?}");
    assert!(waiting.iter().any(|delivery| delivery["error"].as_str().is_some_and(|e| e.contains("no answer"))));
}

#[test]
fn a_listener_hears_over_soap() {
    let heard = Site::new(Database::Sqlite).serve();
    let server = Site::new(Database::Sqlite).serve_with(QUICK);
    for form in ["soap11", "soap12"] {
        let url = format!("{}/soap/listener", heard.base);
        target(&server, &json!({"key": form, "url": url, "form": form, "event": ["orderArrived", "test"]}));
        let sent = server.post_json(&format!("/api/v1/signal-targets/{form}/test"), &json!({})).json();
        assert_eq!(sent["delivery"]["state"], "waiting", "{sent}");
    }
    order(&server, "L1", "north");
    wait_for(&server, "state=delivered", 4);
    assert!(heard.logged("heard of orderArrived, order L1"));
    // One that does not know the operation refuses it.
    let url = format!("{}/soap/catalog", heard.base);
    target(&server, &json!({"key": "wrong", "url": url, "form": "soap11"}));
    server.post_json("/api/v1/signal-targets/wrong/test", &json!({}));
    let dead = wait_for(&server, "state=dead", 1);
    assert_eq!(dead[0]["error"], "SOAP fault: the message was rejected", "{dead:?}");
    assert!(server.logged("Notify"));
}

#[test]
fn two_nodes_tell_it_once() {
    let receiver = Receiver::start(|_| 200);
    let site = Site::new(Database::Postgres);
    let (one, other) = (site.serve_with(QUICK), site.serve_with(QUICK));
    target(&one, &json!({"key": "erp", "url": receiver.url("/"), "event": ["orderArrived"]}));
    for number in 0..40 {
        order(if number % 2 == 0 { &one } else { &other }, &format!("T{number}"), "north");
    }
    wait_for(&one, "state=delivered", 40);
    let heard = receiver.heard(40);
    assert_eq!(heard.len(), 40);
    let ids: std::collections::HashSet<&str> = heard.iter().map(|h| h.header("webhook-id")).collect();
    assert_eq!(ids.len(), 40);
}
