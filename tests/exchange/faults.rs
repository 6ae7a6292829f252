//! What goes wrong: nodes that are killed, a disk that is full, a database that goes away, a source that changes. No record may be
//! lost, none taken twice, and the report has to be true afterwards.

use super::counters;
use crate::support::{Site, on_each_database, signal};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Records of each kind.
const RECORDS: usize = 600;

/// How often a node is killed, on each database.
const KILLS: usize = 105;

/// A picture of one dot.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Numbers that look like chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A file of each kind, in an order in which they can be sent, each with the number of its records.
fn files() -> Vec<(&'static str, &'static str, String, usize)> {
    let table = |header: &str, row: &dyn Fn(usize) -> String| {
        (0..RECORDS).fold(format!("{header}\n"), |mut file, n| {
            let _ = writeln!(file, "{}", row(n));
            file
        })
    };
    let lines = |row: &dyn Fn(usize) -> Value| {
        (0..RECORDS).fold(String::new(), |mut file, n| {
            let _ = writeln!(file, "{}", row(n));
            file
        })
    };
    let order = |n: usize| json!({"number": format!("O{n}"), "position": [{"text": "x", "quantity": "9", "unitPrice": "1", "taxPercent": "8.1"}]});
    let merges = (0..RECORDS / 2).fold("number,into\n".to_owned(), |mut file, n| {
        let _ = writeln!(file, "K{},K{}", 2 * n, 2 * n + 1);
        file
    });
    let mut all: Vec<(&str, &str, String, usize)> = vec![
        ("categories", "csv", table("id", &|n| format!("c{n}")), RECORDS),
        ("attributes", "csv", table("code", &|n| format!("a{n}")), RECORDS),
        ("manufacturers", "csv", table("key", &|n| format!("m{n}")), RECORDS),
        ("units", "csv", table("key", &|n| format!("u{n}")), RECORDS),
        ("accounting-groups", "csv", table("key", &|n| format!("g{n}")), RECORDS),
        ("customer-groups", "csv", table("kind,key", &|n| format!("price,G{n}")), RECORDS),
        ("warehouses", "csv", table("key", &|n| format!("w{n}")), RECORDS),
        ("articles", "csv", table("sku,category,weight", &|n| format!("A{n},c{n},1")), RECORDS),
        ("option-articles", "csv", table("sku,option", &|n| format!("A{n},A{}", (n + 1) % RECORDS)), RECORDS),
        ("serial-numbers", "csv", table("sku,number", &|n| format!("A{n},S{n}")), RECORDS),
        ("customers", "csv", table("number,email", &|n| format!("K{n},k{n}@example.com")), RECORDS),
        ("delivery-addresses", "csv", table("customer,address/key,address/city", &|n| format!("K{n},1,Zug")), RECORDS),
        ("credits", "csv", table("key,customer,amount,amount/currency", &|n| format!("C{n},K1,1,CHF")), RECORDS),
        ("customer-merges", "csv", merges, RECORDS / 2),
        ("price-entries", "csv", table("key,sku,price,price/currency", &|n| format!("P{n},A{n},2,CHF")), RECORDS),
        ("line-discounts", "csv", table("key,sku,percent", &|n| format!("D{n},A{n},5")), RECORDS),
        ("vouchers", "csv", table("code,amount,amount/currency", &|n| format!("V{n},5,CHF")), RECORDS),
        ("stock", "csv", table("key,sku,warehouse,change", &|n| format!("B{n},A7,w1,{}", 1)), RECORDS),
        ("orders", "jsonl", lines(&order), RECORDS),
        ("payments", "csv", table("key,order,amount,state", &|n| format!("PAY{n},O{n},1,paid")), RECORDS),
        ("delivery-status", "csv", table("key,order,carrier", &|n| format!("SHIP{n},O{n},Post")), RECORDS),
        ("documents", "csv", table("number,kind,order", &|n| format!("LS{n},deliveryNote,O{n}")), RECORDS),
    ];
    all.push(("pictures", "jsonl", lines(&|n| json!({"fileName": format!("A{n}.png"), "content": DOT})), RECORDS));
    all.push((
        "article-documents",
        "jsonl",
        lines(&|n| json!({"fileName": format!("A{n}.pdf"), "sku": format!("A{n}"), "content": "JVBERi0xLjQgbWFudWFs"})),
        RECORDS,
    ));
    all
}

fn worker(site: &Site, more: &[&str]) -> Child {
    // Nodes are killed that often here, that it may be without progress: that is not the run's fault.
    let arguments = [&["worker", "--set", "picture-workers=1", "--set", "run-attempts=0", "--json"], more].concat();
    let mut child = site.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("working"), "the worker did not begin: {line}");
    child
}

fn runs(site: &Site) -> Vec<Value> {
    site.run(&["run", "list", "--limit", "1000", "--json"]).json()["run"].as_array().cloned().unwrap_or_default()
}

fn is_done(run: &Value) -> bool {
    !matches!(run["state"].as_str(), Some("queued" | "running"))
}

fn finish(site: &Site) -> Vec<Value> {
    let mut child = worker(site, &[]);
    let deadline = Instant::now() + Duration::from_secs(180);
    let mut found = runs(site);
    while !found.iter().all(is_done) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
        found = runs(site);
    }
    signal("TERM", child.id());
    child.wait().unwrap();
    assert!(found.iter().all(is_done), "the runs do not end: {found:?}");
    found
}

on_each_database! {
    fn killed_nodes_lose_nothing_and_take_nothing_twice(database) {
        let site = Site::new(database);
        let mut expected = BTreeMap::new();
        for (kind, ending, content, records) in files() {
            let file = site.file(&format!("{kind}.{ending}"), content);
            let run = site.run(&["import", kind, file.to_str().unwrap(), "--batch-size", "4", "--detach", "--json"]).json();
            expected.insert(run["id"].as_i64().unwrap(), (kind, records));
        }
        let mut chance = Chance(2026);
        let mut kills = 0;
        let longest = if matches!(database, Database::Sqlite) { 40 } else { 140 };
        while kills < KILLS {
            let mut child = worker(&site, &[]);
            std::thread::sleep(Duration::from_millis(chance.below(longest)));
            signal("KILL", child.id());
            child.wait().unwrap();
            kills += 1;
            if kills % 20 == 0 && runs(&site).iter().all(is_done) {
                break;
            }
        }
        assert!(kills >= 100, "the runs were over after {kills} kills: there is not enough to do");
        let runs = finish(&site);
        assert_eq!(runs.len(), expected.len());
        let mut attempts = 0;
        for run in &runs {
            let (kind, records) = expected[&run["id"].as_i64().unwrap()];
            let count = |name: &str| run["counters"][name].as_i64().unwrap() as usize;
            assert_eq!(run["state"], "succeeded", "{kind}: {run}");
            assert_eq!((count("read"), count("created") + count("updated")), (records, records), "{kind}: {}", counters(run));
            attempts += run["attempt"].as_i64().unwrap();
        }
        assert!(attempts > runs.len() as i64, "no run was cut off");
        // What is there is what was sent: once.
        for (kind, records) in [("categories", RECORDS), ("articles", RECORDS), ("price-entries", RECORDS), ("vouchers", RECORDS), ("orders", RECORDS), ("customers", RECORDS / 2)] {
            let there = site.run(&["export", kind, "-", "--format", "jsonl"]).stdout.lines().count();
            assert_eq!(there, records, "{kind}");
        }
        let server = site.serve();
        // Relative bookings and credits would tell of anything that was taken twice.
        let stock = server.get("/api/v1/stocks?sku=A7").json();
        assert!(stock.to_string().contains(&format!("\"{RECORDS}\"")), "{stock}");
        let customer = server.get("/api/v1/customers/K1").json();
        assert_eq!(customer["customer"]["credit"][0]["value"], RECORDS.to_string(), "{customer}");
    }

    fn killed_exports_give_each_order_once(database) {
        let site = Site::new(database);
        let server = site.serve_with(&["run-workers=0"]);
        let orders: Vec<Value> = (0..300).map(|n| json!({"number": format!("E{n:03}"), "position": [{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]})).collect();
        server.post_json("/api/v1/orders", &json!({"order": orders}));
        let run = server.post_json("/api/v1/exports", &json!({"kind": "orders", "format": "jsonLines", "mode": "incremental"})).json();
        let id = run["run"]["id"].as_i64().unwrap();
        let mut chance = Chance(7);
        for _ in 0..5 {
            let mut child = worker(&site, &[]);
            std::thread::sleep(Duration::from_millis(chance.below(30)));
            signal("KILL", child.id());
            child.wait().unwrap();
        }
        let mut child = worker(&site, &[]);
        let run = server.finished_run(id);
        signal("TERM", child.id());
        child.wait().unwrap();
        assert_eq!(run["state"], "succeeded", "{run}");
        let file = server.get(&format!("/api/v1/runs/{id}/artifacts/result/file")).body;
        let mut numbers: Vec<&str> = file.lines().map(|line| line.split('"').nth(line.split('"').position(|part| part == "number").unwrap() + 2).unwrap()).collect();
        assert_eq!(numbers.len(), 300);
        numbers.dedup();
        assert_eq!(numbers.len(), 300);
        // Nothing is left to hand out.
        let next = server.post_json("/api/v1/orders/export", &json!({})).json();
        assert!(next["exportNumber"].is_null(), "{next}");
    }

    fn a_source_that_is_cut_off_in_the_middle_is_told(database) {
        let site = Site::new(database);
        let mut content = "<UpsertArticles xmlns=\"urn:soapstone:catalog/v1\">\n".to_owned();
        for n in 0..20_000 {
            let _ = writeln!(content, "<article><sku>T{n}</sku></article>");
        }
        content.push_str("</UpsertArticles>\n");
        let file = site.file("articles.xml", &content);
        let run = site.run(&["import", "articles", file.to_str().unwrap(), "--batch-size", "4", "--detach", "--json"]).json();
        let source = site.folder().join("data/sources").join(run["sourceSha256"].as_str().unwrap());
        let mut child = worker(&site, &[]);
        let deadline = Instant::now() + Duration::from_secs(60);
        while runs(&site)[0]["counters"]["read"].as_i64().unwrap() < 200 {
            assert!(Instant::now() < deadline, "the run does not begin");
        }
        std::fs::OpenOptions::new().write(true).open(&source).unwrap().set_len(content.len() as u64 / 2).unwrap();
        while !is_done(&runs(&site)[0]) {
            assert!(Instant::now() < deadline, "the run does not end");
            std::thread::sleep(Duration::from_millis(100));
        }
        signal("TERM", child.id());
        child.wait().unwrap();
        let run = &runs(&site)[0];
        assert_eq!(run["state"], "failed", "{run}");
        assert!(run["failure"].as_str().unwrap().contains("not well-formed") || run["failure"].as_str().unwrap().contains("ends early"), "{run}");
        let there = site.run(&["export", "articles", "-", "--format", "jsonl"]).stdout.lines().count();
        assert_eq!(run["counters"]["created"], there, "{run}");
    }
}

/// A disk is full where files must not grow.
#[test]
fn a_full_disk_is_waited_for() {
    let site = Site::new(crate::support::Database::Sqlite);
    let rows = (0..40_000).fold("sku,weight\n".to_owned(), |mut rows, n| {
        let _ = writeln!(rows, "F{n:06},1");
        rows
    });
    let file = site.file("articles.csv", rows);
    site.run(&["import", "articles", file.to_str().unwrap(), "--batch-size", "20", "--detach"]);
    // 4 MB, in blocks of 512 bytes.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 8000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_soapstone"), "worker"]);
    let log = site.folder().join("worker.log");
    limited
        .current_dir(site.folder())
        .env("SOAPSTONE_DATA_DIR", site.folder().join("data"))
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap());
    let mut child = limited.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !std::fs::read_to_string(&log).unwrap().contains("tries its batch again") {
        assert!(Instant::now() < deadline, "{}", std::fs::read_to_string(&log).unwrap());
        std::thread::sleep(Duration::from_millis(100));
    }
    let run = &runs(&site)[0];
    assert_eq!(run["state"], "running", "{run}");
    signal("KILL", child.id());
    child.wait().unwrap();
    let run = &finish(&site)[0];
    assert_eq!((counters(run), &run["state"]), ("read 40000, created 40000".to_owned(), &json!("succeeded")));
}

#[test]
fn a_database_that_goes_away_is_waited_for() {
    let site = Site::new(crate::support::Database::Postgres);
    let rows = (0..6_000).fold("sku,weight\n".to_owned(), |mut rows, n| {
        let _ = writeln!(rows, "L{n:05},1");
        rows
    });
    let file = site.file("articles.csv", rows);
    site.run(&["import", "articles", file.to_str().unwrap(), "--batch-size", "20", "--detach"]);
    let mut child = worker(&site, &[]);
    let name = site.database_url().rsplit('/').next().unwrap().to_owned();
    let sever = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid();"
    );
    let deadline = Instant::now() + Duration::from_secs(120);
    for _ in 0..6 {
        std::thread::sleep(Duration::from_millis(150));
        site.sql(&sever);
    }
    while !is_done(&runs(&site)[0]) {
        assert!(Instant::now() < deadline, "the run does not end: {}", runs(&site)[0]);
        std::thread::sleep(Duration::from_millis(100));
    }
    signal("TERM", child.id());
    child.wait().unwrap();
    let run = &runs(&site)[0];
    assert_eq!((counters(run), &run["state"]), ("read 6000, created 6000".to_owned(), &json!("succeeded")), "{run}");
}

/// Two machines: what one was sent, the other works on.
#[test]
fn a_worker_with_a_folder_of_its_own_gets_the_source() {
    let site = Site::new(crate::support::Database::Postgres);
    let server = site.serve_with(&["run-workers=0"]);
    let reply = server.call(
        "POST",
        "/api/v1/imports?kind=articles&format=csv",
        &[("content-type", "text/csv")],
        b"sku;weight\nA;1\nB;heavy\n",
    );
    let id = reply.json()["run"]["id"].as_i64().unwrap();
    let elsewhere = site.folder().join("elsewhere");
    let mut command = site.command(&["worker", "--data-dir", elsewhere.to_str().unwrap()]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The first machine's folder is gone for the second.
    let run = server.finished_run(id);
    assert_eq!(counters(&run), "read 2, created 1, failed 1");
    assert_eq!(server.get(&format!("/api/v1/runs/{id}/artifacts/rejected/file")).body, "sku;weight\nB;heavy\n");
    let run = server.post_json("/api/v1/exports", &json!({"kind": "articles", "format": "csv"})).json();
    let run = server.finished_run(run["run"]["id"].as_i64().unwrap());
    let result = server.get(&format!("/api/v1/runs/{}/artifacts/result/file", run["id"]));
    assert!(result.body.contains("A;"), "{result:?}");
    signal("TERM", child.id());
    assert!(child.wait().unwrap().success());
    std::io::stdout().flush().unwrap();
}
