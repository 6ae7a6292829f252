//! The client on the ERP's own server: files both ways, cuts and crashes between.

use crate::support::{Output, Server, Site, on_each_database};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SEND: &str = "[[send]]\npath = \"out\"\nkind = \"articles\"\nsettle-seconds = 0.1\n";
const FETCH: &str = "[[fetch]]\npath = \"in\"\nkind = \"orders\"\nformat = \"jsonLines\"\nlease-seconds = 1\n";

fn configured(site: &Site, address: &str, jobs: &str) {
    fs::create_dir_all(site.folder().join("out")).unwrap();
    site.file("soapstone-client.toml", format!("server = \"{address}\"\n{jobs}"));
}

fn client(site: &Site) -> Output {
    site.run(&["client", "run", "--json"])
}

/// What was told of a kind.
fn told(output: &Output, event: &str) -> Vec<Value> {
    let lines = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == event).collect()
}

fn runs(server: &Server) -> Vec<Value> {
    server.get("/api/v1/runs").json()["run"].as_array().cloned().unwrap_or_default()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

fn orders(server: &Server, numbers: std::ops::Range<usize>) {
    let position = json!([{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]);
    let orders: Vec<Value> = numbers.map(|n| json!({"number": format!("X{n}"), "position": position})).collect();
    assert_eq!(server.post_json("/api/v1/orders", &json!({"order": orders})).status, 200);
}

fn fetched_orders(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for name in names(folder) {
        for line in fs::read_to_string(folder.join(name)).unwrap().lines() {
            all.push(serde_json::from_str::<Value>(line).unwrap()["number"].as_str().unwrap().to_owned());
        }
    }
    all
}

/// A table of articles, large enough to come in many parts.
fn table(rows: usize) -> String {
    let filler = "word ".repeat(800);
    let mut table = "sku;longText[en]\n".to_owned();
    for row in 0..rows {
        let _ = writeln!(table, "C-{row};{filler}{row}");
    }
    table
}

/// A way to the server that is cut off after so many bytes from the client, again and again.
fn cut_way(server: &str, bytes: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { break };
            let left = Arc::new(AtomicU64::new(bytes));
            let copy = |mut from: TcpStream, mut to: TcpStream, counts: bool| {
                let left = left.clone();
                std::thread::spawn(move || {
                    let mut piece = vec![0; 16 << 10];
                    while let Ok(size @ 1..) = from.read(&mut piece) {
                        let before = left.load(Ordering::Relaxed);
                        if counts && before < size as u64 {
                            break;
                        }
                        if counts {
                            left.store(before - size as u64, Ordering::Relaxed);
                        }
                        if to.write_all(&piece[..size]).is_err() {
                            break;
                        }
                    }
                    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                });
            };
            copy(client.try_clone().unwrap(), server.try_clone().unwrap(), true);
            copy(server, client, false);
        }
    });
    address
}

on_each_database! {
    fn files_are_sent_and_told_of(database) {
        let site = Site::new(database);
        let server = site.serve();
        configured(&site, &server.base, SEND);
        let out = site.folder().join("out");
        fs::write(out.join("good.csv"), "sku;weight\nA;1\nB;2\n").unwrap();
        let done = client(&site);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(told(&done, "done")[0]["text"].as_str().unwrap().starts_with("2 read, 2 created"), "{done:?}");
        let run = &runs(&server)[0];
        assert_eq!((&run["channel"], &run["sourceName"]), (&json!("client"), &json!("good.csv")));
        assert!(fs::read_to_string(out.join("status/good.csv.ok")).unwrap().contains("created 2"));
        assert_eq!(names(&out), ["archive", "status"]);
        // Refused records come back, to be corrected.
        fs::write(out.join("bad.csv"), "sku;weight\nC;1\nD;heavy\n").unwrap();
        let done = client(&site);
        assert_eq!(done.code, 3, "{done:?}");
        let status = fs::read_to_string(out.join("status/bad.csv.err")).unwrap();
        assert!(status.contains("refused 1") && status.contains("csv.type"), "{status}");
        assert_eq!(fs::read_to_string(out.join("status/bad.csv.rejected")).unwrap(), "sku;weight\nD;heavy\n");
        // One that the server does not take at all.
        fs::write(out.join("none.csv"), "").unwrap();
        assert_eq!(client(&site).code, 3);
        let status = fs::read_to_string(out.join("status/none.csv.err")).unwrap();
        assert!(status.contains("empty"), "{status}");
        assert_eq!((runs(&server).len(), client(&site).code), (2, 0));
    }

    fn a_run_that_waits_is_left_until_it_is_approved(database) {
        let site = Site::new(database);
        let server = site.serve();
        configured(&site, &server.base, &format!("{SEND}full = true\n"));
        let out = site.folder().join("out");
        fs::write(out.join("all.csv"), "sku\nA\nB\nC\n").unwrap();
        assert_eq!(client(&site).code, 0);
        fs::write(out.join("all.csv"), "sku\nA\n").unwrap();
        let waits = client(&site);
        assert_eq!(waits.code, 3, "{waits:?}");
        assert!(told(&waits, "waits")[0]["text"].as_str().unwrap().contains("delete 2"), "{waits:?}");
        assert_eq!(server.post_json("/api/v1/runs/2/approve", &json!({})).status, 200);
        let done = client(&site);
        assert_eq!((done.code, told(&done, "done").len()), (0, 1), "{done:?}");
        assert_eq!(runs(&server).len(), 2);
    }

    fn orders_are_fetched_and_confirmed_once(database) {
        let site = Site::new(database);
        let server = site.serve();
        configured(&site, &server.base, FETCH);
        let folder = site.folder().join("in");
        assert_eq!(client(&site).code, 0);
        assert_eq!(names(&folder), Vec::<String>::new());
        orders(&server, 0..3);
        let done = client(&site);
        assert_eq!((done.code, &told(&done, "fetched")[0]["records"]), (0, &json!(3)), "{done:?}");
        assert_eq!(fetched_orders(&folder), ["X0", "X1", "X2"]);
        assert_eq!(server.get("/api/v1/orders/X1").json()["order"]["exportState"], "exported");
        // Longer than the lease: nothing comes again.
        std::thread::sleep(Duration::from_millis(1100));
        assert_eq!(client(&site).code, 0);
        orders(&server, 3..4);
        assert_eq!(client(&site).code, 0);
        assert_eq!(fetched_orders(&folder), ["X0", "X1", "X2", "X3"]);
    }

    fn a_file_that_the_erp_has_not_taken_is_not_overwritten(database) {
        let site = Site::new(database);
        let server = site.serve();
        configured(&site, &server.base, &format!("{FETCH}file = \"orders.jsonl\"\n"));
        let file = site.folder().join("in/orders.jsonl");
        orders(&server, 0..1);
        assert_eq!(client(&site).code, 0);
        orders(&server, 1..2);
        assert_eq!(client(&site).code, 0);
        assert!(!fs::read_to_string(&file).unwrap().contains("X1"));
        fs::remove_file(&file).unwrap();
        assert_eq!(client(&site).code, 0);
        assert!(fs::read_to_string(&file).unwrap().contains("X1"));
    }

    fn a_killed_client_sends_and_fetches_nothing_twice(database) {
        let site = Site::new(database);
        let server = site.serve();
        configured(&site, &server.base, &format!("{SEND}{FETCH}"));
        let rows = 4000;
        fs::write(site.folder().join("out/large.csv"), table(rows)).unwrap();
        orders(&server, 0..9);
        for cut in 0..14 {
            let mut watching = site.command(&["client", "watch", "--json"]).stdout(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(60 + cut * 47));
            let _ = watching.kill();
            watching.wait().unwrap();
            orders(&server, 10 + cut as usize..11 + cut as usize);
        }
        let done = client(&site);
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(client(&site).code, 0);
        let runs = runs(&server);
        let sent: Vec<&Value> = runs.iter().filter(|run| run["direction"] == "import").collect();
        assert_eq!((sent.len(), &sent[0]["counters"]["created"]), (1, &json!(rows)), "{sent:?}");
        let mut fetched = fetched_orders(&site.folder().join("in"));
        fetched.sort();
        let mut expected: Vec<String> = (0..9).chain(10..24).map(|n| format!("X{n}")).collect();
        expected.sort();
        assert_eq!(fetched, expected);
        assert_eq!(names(&site.folder().join("out")), ["archive", "status"]);
    }
}

#[test]
fn a_line_that_is_cut_again_and_again_gets_a_file_through() {
    let site = Site::new(crate::support::Database::Sqlite);
    let server = site.serve();
    // More than a part and less than two, so that each connection gets one part through.
    configured(&site, &cut_way(&server.base, 6 << 20), SEND);
    let content = table(5000);
    assert!(content.len() > 16 << 20);
    fs::write(site.folder().join("out/large.csv"), content).unwrap();
    let done = client(&site);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!told(&done, "trouble").is_empty(), "{done:?}");
    let runs = runs(&server);
    assert_eq!((runs.len(), &runs[0]["counters"]["created"]), (1, &json!(5000)));
}

#[test]
fn what_is_in_the_way_is_told_and_nothing_is_filed() {
    let site = Site::new(crate::support::Database::Sqlite);
    configured(&site, "http://127.0.0.1:1", SEND);
    let check = site.run(&["client", "check"]);
    assert_eq!((check.code, check.stderr.contains("127.0.0.1:1 is not reached")), (1, true), "{check:?}");
    let added = site.run(&["user", "add", "erp", "--role", "operator", "--certificate", "erp"]);
    assert_eq!(added.code, 0, "{added:?}");
    let token = site.json(&["token", "add", "erp"]);
    let server = site.serve();
    configured(&site, &server.base, SEND);
    fs::write(site.folder().join("out/a.csv"), "sku\nA\n").unwrap();
    let unknown = client(&site);
    assert_eq!((unknown.code, unknown.stdout.contains("token-file")), (1, true), "{unknown:?}");
    assert_eq!(names(&site.folder().join("out/status")), Vec::<String>::new());
    site.file("token.txt", token["token"].as_str().unwrap());
    configured(&site, &server.base, &format!("token-file = \"token.txt\"\n{SEND}"));
    assert!(site.run(&["client", "check"]).stdout.contains("in order"));
    let done = client(&site);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(names(&site.folder().join("out/status")), ["a.csv.ok"]);
    let other = site.run(&["client", "run", "--job", "nothing"]);
    assert!(other.code == 1 && other.stderr.contains("there are out"), "{other:?}");
    let missing = site.run(&["client", "run", "missing.toml"]);
    assert!(missing.code == 1 && missing.stderr.contains("client new"), "{missing:?}");
}
