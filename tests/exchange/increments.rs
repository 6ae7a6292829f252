//! Increments: every change is exported once, whatever the clock does, however transactions overlap, and wherever the database came from.

use crate::support::cluster::{client, psql};
use crate::support::{Database, Server, Site, on_each_database};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Numbers that look like chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What a consumer has of each record: its key with its version.
#[derive(Default)]
struct Consumer(BTreeMap<String, i64>);

impl Consumer {
    /// Takes an increment: it has nothing that the consumer has already. Gives the keys.
    fn take(&mut self, server: &Server, kind: &str, key: &str) -> Vec<String> {
        let wanted = json!({"kind": kind, "format": "jsonLines", "mode": "incremental", "consumer": "erp"});
        let run = server.post_json("/api/v1/exports", &wanted).json();
        let run = server.finished_run(run["run"]["id"].as_i64().unwrap_or_else(|| panic!("{run}")));
        assert_eq!(run["state"], "succeeded", "{run}");
        let file = server.get(&format!("/api/v1/runs/{}/artifacts/result/file", run["id"])).body;
        let mut keys = Vec::new();
        for line in file.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let (key, version) = (record[key].as_str().unwrap().to_owned(), record["version"].as_i64().unwrap_or(0));
            let before = self.0.insert(key.clone(), version);
            assert!(before.is_none_or(|before| before < version), "{key} is repeated: {before:?}, then {version}");
            keys.push(key);
        }
        keys.sort();
        keys
    }

    /// Takes increments until it has those keys in them, each once. Writers of other databases of the cluster may delay that.
    fn take_all(&mut self, server: &Server, kind: &str, key: &str, expected: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut taken = Vec::new();
        loop {
            taken.extend(self.take(server, kind, key));
            taken.sort();
            if taken == expected {
                return;
            }
            let is_too_much = taken.iter().any(|key| !expected.contains(&key.as_str())) || taken.len() > expected.len();
            assert!(!is_too_much && Instant::now() < deadline, "{kind}: {taken:?} instead of {expected:?}");
        }
    }
}

fn put(server: &Server, skus: &[&str], weight: &str) {
    let articles: Vec<Value> = skus.iter().map(|sku| json!({"sku": sku, "weight": weight})).collect();
    let reply = server.post_json("/api/v1/articles", &json!({"article": articles}));
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// The versions that there are.
fn versions(server: &Server) -> BTreeMap<String, i64> {
    let (mut all, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = server.get(&format!("/api/v1/articles?limit=500&cursor={cursor}")).json();
        for article in page["article"].as_array().unwrap() {
            all.insert(article["sku"].as_str().unwrap().to_owned(), article["version"].as_i64().unwrap());
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return all,
        }
    }
}

/// A session of PostgreSQL that is kept open.
struct Session(Child, BufReader<std::process::ChildStdout>);

impl Session {
    fn new(site: &Site) -> Self {
        let mut command = client();
        command.args(["-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", site.database_url()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    /// Runs statements and waits until they are done.
    fn run(&mut self, statements: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{statements}\n\\echo done").unwrap();
        let mut line = String::new();
        while line.trim() != "done" {
            line.clear();
            assert!(self.1.read_line(&mut line).unwrap() > 0, "psql ended at {statements}");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Changes an article as no clock would tell.
fn change(sku: &str) -> String {
    format!("UPDATE articles SET version = version + 1 WHERE sku_key = '{sku}';")
}

#[test]
fn a_transaction_that_commits_late_delays_and_loses_nothing() {
    let site = Site::new(Database::Postgres);
    let server = site.serve();
    put(&server, &["A", "B", "C"], "1");
    let mut erp = Consumer::default();
    erp.take_all(&server, "articles", "sku", &["A", "B", "C"]);
    // The first transaction, which commits last, and one that is given up.
    let (mut early, mut given_up) = (Session::new(&site), Session::new(&site));
    early.run(&format!("BEGIN; {}", change("A")));
    given_up.run(&format!("BEGIN; {}", change("C")));
    put(&server, &["B"], "2");
    for _ in 0..3 {
        assert_eq!(erp.take(&server, "articles", "sku"), Vec::<String>::new());
    }
    given_up.run("ROLLBACK;");
    assert_eq!(erp.take(&server, "articles", "sku"), Vec::<String>::new());
    early.run("COMMIT;");
    erp.take_all(&server, "articles", "sku", &["A", "B"]);
    // A transaction that only reads holds up nothing.
    early.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM articles;");
    put(&server, &["C"], "3");
    erp.take_all(&server, "articles", "sku", &["C"]);
    assert_eq!(erp.0, versions(&server));
}

/// Writers that overlap in every way, and a consumer that takes one increment after the other.
fn overlapping(server: &Server, write: &(dyn Fn(u64, &str) + Sync)) {
    let skus: Vec<String> = (0..40).map(|n| format!("S{n:02}")).collect();
    put(server, &skus.iter().map(String::as_str).collect::<Vec<_>>(), "1");
    let is_over = AtomicBool::new(false);
    let mut erp = Consumer::default();
    let mut increments = 0;
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let skus = &skus;
                scope.spawn(move || {
                    let mut chance = Chance(number + 1);
                    for _ in 0..12 {
                        let changes: String =
                            (0..=chance.below(3)).map(|_| change(&skus[chance.below(40) as usize])).collect();
                        write(chance.below(1 << 20), &changes);
                    }
                })
            })
            .collect();
        let is_over = &is_over;
        scope.spawn(move || {
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            is_over.store(true, Ordering::Relaxed);
        });
        while !is_over.load(Ordering::Relaxed) {
            erp.take(server, "articles", "sku");
            increments += 1;
        }
    });
    assert!(increments > 3, "only {increments} increments while it was written");
    let (there, deadline) = (versions(server), Instant::now() + Duration::from_secs(60));
    while erp.0 != there {
        assert!(Instant::now() < deadline, "lost: {:?} instead of {there:?}", erp.0);
        erp.take(server, "articles", "sku");
    }
    assert!(there.values().any(|version| *version > 2), "{there:?}");
}

on_each_database! {
    fn overlapping_writers_are_exported_once_each(database) {
        let site = Site::new(database);
        let server = site.serve();
        let write = |chance: u64, changes: &str| match database {
            Database::Sqlite => {
                let path = site.folder().join("data/soapstone.sqlite");
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.busy_timeout(Duration::from_secs(30)).unwrap();
                connection.execute_batch(&format!("BEGIN IMMEDIATE; {changes}")).unwrap();
                std::thread::sleep(Duration::from_millis(chance % 20));
                connection.execute_batch(if chance.is_multiple_of(5) { "ROLLBACK" } else { "COMMIT" }).unwrap();
                // The server gets its turn.
                std::thread::sleep(Duration::from_millis(100));
            }
            // Two writers may want the same articles in another order: then one of them is given up.
            Database::Postgres => {
                let end = if chance.is_multiple_of(5) { "ROLLBACK" } else { "COMMIT" };
                let sleep = (chance % 250) as f64 / 1000.0;
                let mut session = client();
                session.args(["-q", "-c", "SET client_min_messages = fatal", "-c"]);
                session.arg(format!("BEGIN; {changes} SELECT pg_sleep({sleep}); {end};")).arg(site.database_url());
                session.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            }
        };
        overlapping(&server, &write);
    }

    /// Not articles alone: what else is exported, and what changes it.
    fn every_kind_has_its_increments(database) {
        let site = Site::new(database);
        let server = site.serve();
        let post = |path: &str, body: Value| {
            let reply = server.post_json(path, &body);
            assert_eq!(reply.status, 200, "{path}: {reply:?}");
        };
        put(&server, &["A", "B"], "1");
        post("/api/v1/categories", json!({"category": [{"id": "c1"}, {"id": "c2"}]}));
        post("/api/v1/customers", json!({"customer": [{"number": "K1"}, {"number": "K2"}]}));
        post("/api/v1/units", json!({"unit": [{"key": "u1"}, {"key": "u2"}]}));
        post("/api/v1/warehouses", json!({"warehouse": [{"key": "w1"}, {"key": "w2"}]}));
        let entry = |key: &str, customer: &str| json!({"key": key, "sku": "A", "customer": customer, "price": {"value": "2", "currency": "CHF"}});
        post("/api/v1/price-entries", json!({"entry": [entry("p1", "K1"), entry("p2", "K2")]}));
        post("/api/v1/stock-bookings", json!({"booking": [{"sku": "A", "warehouse": "w1", "quantity": "3"}, {"sku": "B", "warehouse": "w1", "quantity": "4"}]}));
        let kinds = [
            ("categories", "id", ["c1", "c2"]),
            ("customers", "number", ["K1", "K2"]),
            ("units", "key", ["u1", "u2"]),
            ("warehouses", "key", ["w1", "w2"]),
            ("priceEntries", "key", ["p1", "p2"]),
        ];
        let mut consumers: Vec<Consumer> = kinds.iter().map(|_| Consumer::default()).collect();
        for ((kind, key, all), consumer) in kinds.iter().zip(&mut consumers) {
            consumer.take_all(&server, kind, key, all);
            assert_eq!(consumer.take(&server, kind, key), Vec::<String>::new(), "{kind}");
        }
        let stock = || {
            let mut consumer = Consumer::default();
            consumer.take(&server, "stock", "sku")
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        let stock_of = |expected: &[&str]| {
            let mut taken = stock();
            while taken != expected {
                assert!(Instant::now() < deadline, "{taken:?} instead of {expected:?}");
                taken.extend(stock());
            }
        };
        stock_of(&["A", "B"]);
        // A change of each, and an import that brings stock with its article.
        post("/api/v1/categories", json!({"category": [{"id": "c2", "position": 7}]}));
        post("/api/v1/customers", json!({"customer": [{"number": "K2", "email": "k2@example.com"}]}));
        post("/api/v1/units", json!({"unit": [{"key": "u2", "decimals": 2}]}));
        post("/api/v1/warehouses", json!({"warehouse": [{"key": "w2", "name": [{"language": "de", "value": "Lager"}]}]}));
        post("/api/v1/price-entries", json!({"entry": [{"key": "p2", "price": {"value": "3", "currency": "CHF"}}]}));
        post("/api/v1/articles", json!({"article": [{"sku": "B", "stock": [{"warehouse": "w1", "value": "9"}]}]}));
        for ((kind, key, all), consumer) in kinds.iter().zip(&mut consumers) {
            consumer.take_all(&server, kind, key, &all[1..]);
        }
        stock_of(&["B"]);
        // What says the same changes nothing.
        post("/api/v1/units", json!({"unit": [{"key": "u2", "decimals": 2}]}));
        assert_eq!(consumers[2].take(&server, "units", "key"), Vec::<String>::new());
    }

    /// Data of before there were numbers: consumers get what they have not had, and rather more than less.
    fn marks_of_earlier_versions_go_on(database) {
        let site = Site::new(database);
        drop(site.serve());
        let (folder, table) = match database {
            Database::Sqlite => ("sqlite", "__diesel_schema_migrations"),
            Database::Postgres => ("postgres", "__diesel_schema_migrations"),
        };
        let down = format!("migrations/{folder}/2026-12-01-000002_change_sequence/down.sql");
        let mut sql = std::fs::read_to_string(crate::support::project(&down)).unwrap();
        sql.push_str(&format!("DELETE FROM {table} WHERE version = '20261201000002';"));
        for (sku, at) in [("OLD", "2026-11-01 10:00:00.123456"), ("SAME", "2026-11-02 10:00:00.500"), ("NEW", "2026-11-03 10:00:00"), ("FAR", "2030-01-01 00:00:00")] {
            sql.push_str(&format!("INSERT INTO articles (sku, sku_key, active, version, changed_at) VALUES ('{sku}', '{sku}', TRUE, 1, '{at}');"));
        }
        sql.push_str("INSERT INTO export_marks (kind, consumer, changed_before) VALUES ('articles', 'erp', '2026-11-02 10:00:00.500');");
        site.sql(&sql);
        let server = site.serve();
        let mut erp = Consumer::default();
        erp.take_all(&server, "articles", "sku", &["FAR", "NEW", "SAME"]);
        put(&server, &["OLD"], "2");
        erp.take_all(&server, "articles", "sku", &["OLD"]);
        assert_eq!(erp.take(&server, "articles", "sku"), Vec::<String>::new());
    }
}

/// A dump that is restored into another cluster: transactions are numbered from the beginning there.
#[test]
fn numbers_ascend_after_a_move_to_another_cluster() {
    let site = Site::new(Database::Postgres);
    let server = site.serve();
    put(&server, &["A", "B"], "1");
    let mut erp = Consumer::default();
    erp.take_all(&server, "articles", "sku", &["A", "B"]);
    drop(server);
    psql(
        site.database_url(),
        "CREATE OR REPLACE FUNCTION change_base() RETURNS BIGINT LANGUAGE sql STABLE AS 'SELECT -1000000000::bigint';",
    );
    let server = site.serve();
    assert!(server.logged("Raised the change numbers"));
    put(&server, &["B"], "2");
    erp.take_all(&server, "articles", "sku", &["B"]);
    drop(server);
    let server = site.serve();
    put(&server, &["A"], "2");
    erp.take_all(&server, "articles", "sku", &["A"]);
    assert!(!server.log().contains("Raised the change numbers"));
}

/// The library that shows a program another time; None, if it is not installed.
fn faked_time() -> Option<std::path::PathBuf> {
    let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|machine| format!("/usr/lib/{machine}/faketime/libfaketime.so.1"));
    let found = places.into_iter().map(std::path::PathBuf::from).find(|path| path.exists());
    if found.is_none() {
        println!("skipped: libfaketime is not installed (apt-get install faketime)");
    }
    found
}

on_each_database! {
    fn steps_of_the_clock_lose_and_repeat_nothing(database) {
        let Some(library) = faked_time() else { return };
        let site = Site::new(database);
        let clock = site.file("clock", "+0");
        let set = |offset: &str| {
            // At once: the program reads it at each look at the clock.
            std::fs::write(site.folder().join("clock.new"), offset).unwrap();
            std::fs::rename(site.folder().join("clock.new"), &clock).unwrap();
        };
        let mut command = site.command(&["serve", "--json", "--listen", "127.0.0.1:0"]);
        command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &clock).env("FAKETIME_NO_CACHE", "1");
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
        let server = site.start(command);
        put(&server, &["A", "B", "C"], "1");
        let position = json!([{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]);
        let order = |number: &str| {
            let reply = server.post_json("/api/v1/orders", &json!({"order": [{"number": number, "position": position}]}));
            assert_eq!(reply.status, 200, "{reply:?}");
        };
        let lease = || server.post_json("/api/v1/orders/export", &json!({"leaseSeconds": 3600})).json();
        let mut erp = Consumer::default();
        erp.take_all(&server, "articles", "sku", &["A", "B", "C"]);
        order("O0");
        let first = lease();
        assert_eq!(first["order"].as_array().unwrap().len(), 1, "{first}");
        for (round, offset) in ["-1h", "+1d", "+0", "+1d", "-1h", "+0"].into_iter().enumerate() {
            set(offset);
            let sku = ["A", "B", "C"][round % 3];
            put(&server, &[sku], &(round + 2).to_string());
            let changed = server.get(&format!("/api/v1/articles/{sku}")).json()["article"]["changedAt"].to_string();
            let day = chrono::Utc::now() + chrono::TimeDelta::days(1);
            assert_eq!(changed.contains(&day.format("%Y-%m-%d").to_string()), offset == "+1d", "{changed} at {offset}");
            erp.take_all(&server, "articles", "sku", &[sku]);
            assert_eq!(erp.take(&server, "articles", "sku"), Vec::<String>::new(), "at {offset}");
            // A lease of an hour is not over because the clock says so.
            order(&format!("O{}", round + 1));
            let next = lease();
            let numbers: Vec<&str> = next["order"].as_array().unwrap().iter().map(|order| order["number"].as_str().unwrap()).collect();
            assert_eq!(numbers, [format!("O{}", round + 1)], "at {offset}");
        }
        assert_eq!(erp.0, versions(&server));
    }
}
