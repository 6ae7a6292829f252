//! A run that ends the process it runs in, each time at the same record: it is given up, and the others go on.

use super::{counters, messages};
use crate::support::{Site, on_each_database};
use serde_json::{Value, json};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

fn runs(site: &Site) -> Vec<Value> {
    let mut runs = site.run(&["run", "list", "--json"]).json()["run"].as_array().cloned().unwrap_or_default();
    runs.sort_by_key(|run| run["id"].as_i64());
    runs
}

fn is_done(run: &Value) -> bool {
    !matches!(run["state"].as_str(), Some("queued" | "running"))
}

fn worker(site: &Site, settings: &[&str]) -> Child {
    let mut command = site.command(&["worker"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.env("SOAPSTONE_CRASH_AT", "poison.csv:5").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Starts workers, as whatever supervises them would, until all runs are done; gives how many crashed.
fn supervise(site: &Site, settings: &[&str], most: usize) -> usize {
    let deadline = Instant::now() + Duration::from_secs(90);
    let mut crashes = 0;
    let mut child = worker(site, settings);
    loop {
        if child.try_wait().unwrap().is_some() {
            crashes += 1;
            assert!(crashes <= most, "it goes on crashing: {:?}", runs(site));
            child = worker(site, settings);
        }
        if runs(site).iter().all(is_done) {
            let _ = child.kill();
            child.wait().unwrap();
            return crashes;
        }
        assert!(Instant::now() < deadline, "{:?}", runs(site));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn import(site: &Site, kind: &str, name: &str, header: &str, rows: usize) {
    let rows: String = (1..=rows).map(|n| format!("{name}{n}\n")).collect();
    let file = site.file(&format!("{name}.csv"), format!("{header}\n{rows}"));
    let told = site.run(&["import", kind, file.to_str().unwrap(), "--batch-size", "1", "--detach"]);
    assert_eq!(told.code, 0, "{told:?}");
}

on_each_database! {
    fn a_run_that_ends_its_process_is_given_up(database) {
        let site = Site::new(database);
        import(&site, "articles", "poison", "sku", 8);
        import(&site, "customers", "good", "number", 3);
        import(&site, "articles", "other", "sku", 3);
        // The first attempt got on, so that it does not count.
        assert_eq!(supervise(&site, &[], 4), 4);
        let all = runs(&site);
        let told: Vec<(&str, String)> = all.iter().map(|run| (run["state"].as_str().unwrap(), counters(run))).collect();
        assert_eq!(told[0], ("failed", "read 4, created 4".to_owned()), "{all:?}");
        assert_eq!(told[1], ("succeeded", "read 3, created 3".to_owned()), "{all:?}");
        assert_eq!(told[2], ("succeeded", "read 3, created 3".to_owned()), "{all:?}");
        assert_eq!(all[0]["attempt"], 4, "{}", all[0]);
        assert!(all[0]["failure"].as_str().unwrap().starts_with("given up after 3 attempts"), "{}", all[0]);
        let said = messages(&site.json(&["run", "messages", "1"]));
        assert!(said.contains("code run.crashed") && said.contains("after record 4"), "{said}");
        // Sent again without what was in the way, it is a run as any other.
        let again = site.run(&["import", "articles", "poison.csv", "--json"]).json();
        assert_eq!((&again["state"], counters(&again)), (&json!("succeeded"), "read 8, created 4, unchanged 4".to_owned()));
    }

    fn how_often_is_a_setting(database) {
        let site = Site::new(database);
        import(&site, "articles", "poison", "sku", 8);
        assert_eq!(supervise(&site, &["run-attempts=1"], 2), 2);
        assert!(runs(&site)[0]["failure"].as_str().unwrap().starts_with("given up after 1 attempt:"), "{:?}", runs(&site));
    }
}
