//! What reaches the audit log from outside: short, of one line, and kept for as long as is set.

use crate::support::{Server, Site, on_each_database};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::{Duration, Instant};

/// The actions in the audit log, the latest first.
fn actions(site: &Site) -> Vec<String> {
    let lines = site.json(&["audit", "--limit", "1000"])["lines"].as_array().cloned().unwrap();
    lines.iter().map(|line| line["action"].as_str().unwrap().to_owned()).collect()
}

fn log_in(server: &Server, name: &str) {
    let header = format!("Basic {}", STANDARD.encode(format!("{name}:wrong-password")));
    assert_eq!(server.call("GET", "/api/v1/articles", &[("authorization", &header)], b"").status, 401);
}

/// Waits until something is so: lines are written by a thread of their own.
fn wait(site: &Site, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let found = actions(site);
        if is_so(&found) || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

on_each_database! {
    fn names_are_cut_and_escaped_and_old_lines_pruned(database) {
        let site = Site::new(database);
        assert_eq!(site.run(&["user", "add", "anna", "--role", "admin"]).code, 0);
        let server = site.serve();
        log_in(&server, &format!("eve\r\n2026-12-01 admin ok \u{1b}[2J\u{202e}{}", "x".repeat(20_000)));
        let found = wait(&site, |actions| actions.iter().any(|action| action.contains("eve")));
        let line = found.iter().find(|action| action.contains("eve")).unwrap();
        assert!(line.contains("eve\\r\\n2026") && line.contains("\\u{1b}[2J\\u{202e}"), "{line}");
        assert!(line.chars().count() <= 501, "{}", line.len());
        // Nor does it become a line of the log.
        assert!(!server.log().contains("\n2026-12-01 admin ok"), "{}", server.log());
        (0..20).for_each(|n| log_in(&server, &format!("name-{n}")));
        wait(&site, |actions| actions.iter().any(|action| action.contains("name-19")));
        server.stop();
        let server = site.serve_with(&["audit-lines=5"]);
        let left = wait(&site, |actions| actions.len() == 5);
        assert_eq!(left.len(), 5, "{left:?}");
        assert!(left[0].contains("name-19"), "{left:?}");
        assert!(server.logged("lines of the audit log"));
        let doctor = site.run(&["doctor", "--set", "audit-lines=5"]).stdout;
        assert!(doctor.contains("audit log") && doctor.contains("5 lines (audit-days, audit-lines)"), "{doctor}");
    }
}
