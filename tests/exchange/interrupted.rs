//! Runs that are cut off: by a power cut, by a stop of the server, by a person.

use super::counters;
use crate::support::{Server, Site, catalogue, on_each_database, signal};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ARTICLES: u32 = 30_000;

/// So small that a run takes long enough to be cut off, however busy the machine is.
const BATCH: &str = "batch-size=5";

fn large_file(site: &Site) -> std::path::PathBuf {
    let path = site.folder().join("articles.xml");
    catalogue::write(ARTICLES, File::create(&path).unwrap()).unwrap();
    path
}

/// Waits until a run is well under way.
fn wait_until_under_way(mut run: impl FnMut() -> Value) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let run = run();
        let read = run["counters"]["read"].as_i64().unwrap_or(0);
        assert!(
            run["state"] == "queued" || run["state"] == "running" || run["error"].is_string() || run.is_null(),
            "over too soon: {run}"
        );
        if read >= i64::from(ARTICLES / 10) {
            return;
        }
        assert!(Instant::now() < deadline, "{run}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn run_of(server: &Server) -> Value {
    server.get("/api/v1/runs/1").json()["run"].clone()
}

fn upload(server: &Server, file: &std::path::Path) {
    let content = std::fs::read(file).unwrap();
    let reply = server.call("POST", "/api/v1/imports", &[("content-type", "text/xml")], &content);
    assert_eq!(reply.status, 202, "{reply:?}");
}

/// Every article is there, and each once.
fn assert_whole(site: &Site) {
    let exported = site.run(&["export", "articles", "-", "--format", "jsonl"]);
    let mut keys = BTreeSet::new();
    let mut count = 0;
    for line in exported.stdout.lines() {
        let article: Value = serde_json::from_str(line).unwrap();
        assert_eq!(article["version"], 1, "written twice: {line}");
        keys.insert(article["sku"].as_str().unwrap().to_owned());
        count += 1;
    }
    assert_eq!((keys.len(), count), (ARTICLES as usize, ARTICLES as usize));
}

on_each_database! {
    fn a_killed_server_goes_on_where_it_stopped(database) {
        let site = Site::new(database);
        let file = large_file(&site);
        let server = site.serve_with(&[BATCH]);
        upload(&server, &file);
        wait_until_under_way(|| run_of(&server));
        server.kill();
        let server = site.serve();
        let run = server.finished_run(1);
        assert_eq!(counters(&run), format!("read {ARTICLES}, created {ARTICLES}"), "{run}");
        assert_eq!(run["attempt"], 2);
        assert_whole(&site);
    }

    fn a_killed_command_goes_on_when_it_is_given_again(database) {
        let site = Site::new(database);
        let file = large_file(&site);
        let mut child = site.command(&["import", "articles", "articles.xml", "--set", BATCH]).stderr(Stdio::null()).spawn().unwrap();
        wait_until_under_way(|| {
            let shown = site.run(&["run", "show", "1", "--json"]);
            serde_json::from_str(&shown.stdout).unwrap_or(Value::Null)
        });
        child.kill().unwrap();
        child.wait().unwrap();
        let run = site.json(&["import", "articles", file.to_str().unwrap()]);
        assert_eq!(run["id"], 1);
        assert_eq!(counters(&run), format!("read {ARTICLES}, created {ARTICLES}"), "{run}");
        assert_whole(&site);
    }

    fn a_stopped_server_puts_its_run_back(database) {
        let site = Site::new(database);
        let file = large_file(&site);
        let server = site.serve_with(&[BATCH]);
        upload(&server, &file);
        wait_until_under_way(|| run_of(&server));
        assert_eq!(server.stop(), Some(0));
        assert_eq!(site.json(&["run", "show", "1"])["state"], "queued");
        let server = site.serve();
        assert_eq!(counters(&server.finished_run(1)), format!("read {ARTICLES}, created {ARTICLES}"));
    }

    fn a_cancelled_run_stops_soon_and_keeps_what_it_wrote(database) {
        let site = Site::new(database);
        let file = large_file(&site);
        let server = site.serve_with(&[BATCH]);
        upload(&server, &file);
        wait_until_under_way(|| run_of(&server));
        let reply = server.post_json("/api/v1/runs/1/cancel", &serde_json::json!({}));
        assert_eq!(reply.status, 200, "{reply:?}");
        let asked = Instant::now();
        let run = server.finished_run(1);
        assert_eq!(run["state"], "cancelled", "{run}");
        assert!(asked.elapsed() < Duration::from_secs(2));
        let written = run["counters"]["created"].as_u64().unwrap();
        assert!(written > 0 && written < u64::from(ARTICLES));
        let exported = site.run(&["export", "articles", "-", "--format", "jsonl"]);
        assert_eq!(exported.stdout.lines().count() as u64, written);
    }
}

#[test]
fn a_command_stopped_from_the_keyboard_can_be_given_again() {
    let site = Site::new(crate::support::Database::Sqlite);
    large_file(&site);
    let import = site.command(&["import", "articles", "articles.xml", "--set", BATCH]);
    // Who runs the tests in the background may have it ignored, and children inherit that.
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(import.get_program()).args(import.get_args()).env_clear();
    command.envs(import.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(site.folder());
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until_under_way(|| {
        let shown = site.run(&["run", "show", "1", "--json"]);
        serde_json::from_str(&shown.stdout).unwrap_or(Value::Null)
    });
    signal("INT", child.id());
    child.wait().unwrap();
    let run = site.json(&["import", "articles", "articles.xml"]);
    assert_eq!(counters(&run), format!("read {ARTICLES}, created {ARTICLES}"), "{run}");
}
