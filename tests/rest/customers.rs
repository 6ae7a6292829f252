//! What must hold when many ask at once.

use crate::support::{Database, Server, Site, on_each_database};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Asks from many threads at once, turn by turn of the servers.
fn at_once<T: Send>(servers: &[&Server], threads: usize, ask: impl Fn(&Server, usize) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let ask = &ask;
        let asked: Vec<_> = (0..threads).map(|n| scope.spawn(move || ask(servers[n % servers.len()], n))).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Numbers from 64 allocators, some asked for as such, some by customers without one.
fn allocated(servers: &[&Server]) -> Vec<String> {
    let numbers = at_once(servers, 64, |server, n| {
        let key = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
        let mut numbers = Vec::new();
        for _ in 0..3 {
            let reply = server.post_json("/api/v1/customers/numbers", &json!({"count": n % 7 + 1}));
            numbers.extend(reply.json()["number"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()));
            let reply =
                server.post_json("/api/v1/customers", &json!({"customer": [{"lastName": "a"}, {"lastName": "b"}]}));
            numbers.extend(reply.json()["result"].as_array().unwrap().iter().map(|result| key(result, "key")));
        }
        numbers
    });
    numbers.into_iter().flatten().collect()
}

fn assert_all_different(numbers: &[String]) {
    assert_eq!(numbers.len(), (0..64).map(|n| 3 * (n % 7 + 1 + 2)).sum::<usize>());
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
}

#[test]
fn two_nodes_never_give_the_same_number() {
    let site = Site::new(Database::Postgres);
    let (one, other) = (site.serve(), site.serve());
    assert_all_different(&allocated(&[&one, &other]));
}

#[test]
fn one_node_never_gives_the_same_number() {
    let site = Site::new(Database::Sqlite);
    assert_all_different(&allocated(&[&site.serve()]));
}

#[test]
fn provisional_numbers_are_of_their_own_range() {
    let site = Site::new(Database::Sqlite);
    let settings = ["customer-numbers=erp", "customer-number-provisional=W-8..W-9"];
    let server = site.serve_with(&settings);
    let number = |server: &Server| server.post_json("/api/v1/customers/numbers", &json!({}));
    assert_eq!(number(&server).json()["number"], json!(["W-8"]));
    assert_eq!(number(&server).json()["number"], json!(["W-9"]));
    let exhausted = number(&server);
    assert_eq!((exhausted.status, exhausted.json()["code"].as_str()), (409, Some("customer.numbers_exhausted")));
}

on_each_database! {
    fn of_many_who_change_one_version_one_wins(database) {
        let site = Site::new(database);
        let server = site.serve();
        server.post_json("/api/v1/customers", &json!({"customer": [{"number": "K"}]}));
        let change = |version: i64| {
            let replies = at_once(&[&server], 16, |server, n| {
                let body = json!({"customer": [{"number": if version == 0 { "NEW" } else { "K" }, "company": format!("{n}"), "ifVersion": version}]});
                let reply = server.post_json("/api/v1/customers", &body).json();
                reply["result"][0]["outcome"].as_str().unwrap().to_owned()
            });
            replies.iter().filter(|outcome| *outcome != "failed").count()
        };
        assert_eq!(change(1), 1);
        assert_eq!(change(0), 1);
    }
}
