//! Guessed passwords: each one counts, however many come at once, and those who are logged in do not notice.

use super::{PASSWORD, add, basic, get, soon, zeep};
use crate::support::wire::Wire;
use crate::support::{Server, Site, on_each_database};
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PATH: &str = "/api/v1/articles";

fn failures(site: &Site, name: &str) -> (i64, bool) {
    let listed = site.json(&["user", "list"]);
    let user = listed["users"].as_array().unwrap().iter().find(|user| user["name"] == name).unwrap();
    (user["failures"].as_i64().unwrap(), user["locked"].as_bool().unwrap())
}

/// Sends all of them at once; their statuses.
fn at_once(server: &Server, authorizations: &[String]) -> Vec<u16> {
    let barrier = Barrier::new(authorizations.len());
    std::thread::scope(|scope| {
        let send = |authorization: &String| {
            let mut wire = Wire::plain(&server.base);
            let headers = [("authorization", authorization.as_str())];
            // The connection is there before.
            wire.send("GET", "/health", &[], "");
            barrier.wait();
            wire.send("GET", PATH, &headers, "").status
        };
        let threads: Vec<_> = authorizations.iter().map(|one| scope.spawn(move || send(one))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

on_each_database! {
    fn guesses_at_once_all_count(database) {
        let site = Site::new(database);
        add(&site, "anna", "viewer");
        add(&site, "otto", "viewer");
        let server = site.serve();
        let right = basic("anna", PASSWORD);
        // It is cached.
        assert_eq!(get(&server, PATH, &right).status, 200);
        let wrong: Vec<String> = (0..30).map(|number| basic("anna", &format!("guess {number}"))).collect();
        assert_eq!(at_once(&server, &wrong), vec![401; 30]);
        assert_eq!(failures(&site, "anna"), (30, true));
        // The right one among others, while the name is locked; it is no failure.
        let mixed: Vec<String> = (0..10).map(|number| if number == 5 { right.clone() } else { wrong[number].clone() }).collect();
        assert_eq!(at_once(&server, &mixed), vec![401; 10]);
        assert_eq!(failures(&site, "anna"), (39, true));
        let form = format!("name=anna&password={}", PASSWORD.replace(' ', "+"));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(server.call("POST", "/navigator/login", &headers, form.as_bytes()).status, 401);
        // Others are not locked.
        assert_eq!(get(&server, PATH, &basic("otto", PASSWORD)).status, 200);
        assert_eq!(site.run(&["user", "unlock", "anna"]).code, 0);
        assert_eq!(at_once(&server, &wrong[..3]), vec![401; 3]);
        assert_eq!(failures(&site, "anna"), (3, false));
        // A right one that is not cached resets them.
        let changed = site.json(&["user", "password", "anna"])["password"].as_str().unwrap().to_owned();
        assert_eq!(at_once(&server, &wrong[..3]), vec![401; 3]);
        assert_eq!(get(&server, PATH, &basic("anna", &changed)).status, 200);
        assert_eq!(failures(&site, "anna"), (0, false));
        assert_eq!(get(&server, PATH, &right).status, 401, "the password was changed");
    }

    fn wrong_digests_count_too(database) {
        let site = Site::new(database);
        add(&site, "erp", "operator");
        let secret = site.json(&["user", "digest", "erp"])["password"].as_str().unwrap().to_owned();
        let server = site.serve();
        let send = |secret: &str| zeep(&[&server.base, "", "erp", secret, "digest"]);
        assert_eq!(send("wrong"), "FailedAuthentication FailedAuthentication");
        assert_eq!(failures(&site, "erp"), (2, false));
        assert_eq!(send(&secret), "done done");
        assert_eq!(failures(&site, "erp"), (0, false));
        for _ in 0..3 {
            send("wrong");
        }
        assert_eq!(failures(&site, "erp"), (6, true));
        assert_eq!(send(&secret), "FailedAuthentication FailedAuthentication", "locked");
        assert_eq!(get(&server, PATH, &basic("erp", PASSWORD)).status, 401, "for passwords, too");
        assert_eq!(site.run(&["user", "unlock", "erp"]).code, 0);
        assert_eq!(send(&secret), "done done");
    }

    fn names_that_are_too_long_are_not_looked_up(database) {
        let site = Site::new(database);
        add(&site, "anna", "viewer");
        let server = site.serve();
        let (long, longer) = ("x".repeat(201), "y".repeat(1025));
        for (name, password) in [(long.as_str(), PASSWORD), ("anna", longer.as_str())] {
            assert_eq!(get(&server, PATH, &basic(name, password)).status, 401);
        }
        assert_eq!(failures(&site, "anna"), (0, false));
        assert_ne!(site.run(&["user", "add", &long, "--role", "viewer"]).code, 0);
        let lines = || site.json(&["audit"]).to_string();
        soon("it is not in the audit log", || lines().contains(&"x".repeat(100)));
        assert!(!lines().contains(&"x".repeat(150)));
    }
}

/// Latencies of a caller, in milliseconds: the median, and what 95 % are within.
fn latencies(mut send: impl FnMut() -> u16, lasts: Duration) -> (u128, u128) {
    let mut took = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < lasts {
        let sent = Instant::now();
        assert_eq!(send(), 200);
        took.push(sent.elapsed().as_millis());
        std::thread::sleep(Duration::from_millis(5));
    }
    took.sort_unstable();
    (took[took.len() / 2], took[took.len() * 95 / 100])
}

on_each_database! {
    fn guessers_do_not_slow_those_who_are_logged_in(database) {
        let site = Site::new(database);
        add(&site, "anna", "viewer");
        add(&site, "otto", "viewer");
        let server = site.serve();
        let cached = basic("anna", PASSWORD);
        let token = format!("Bearer {}", site.json(&["token", "add", "otto"])["token"].as_str().unwrap());
        assert_eq!((get(&server, PATH, &cached).status, get(&server, PATH, &token).status), (200, 200));
        let is_over = AtomicBool::new(false);
        let seconds = Duration::from_secs(2);
        let measure = |authorization: &str| {
            let mut wire = Wire::plain(&server.base);
            latencies(|| wire.send("GET", PATH, &[("authorization", authorization)], "").status, seconds)
        };
        let (idle, _) = measure(&cached);
        let (busy, statuses) = std::thread::scope(|scope| {
            let guess = |number: usize| {
                let (mut wire, mut statuses) = (Wire::plain(&server.base), BTreeMap::<u16, usize>::new());
                let authorization = basic(&format!("nobody {number}"), "guess");
                while !is_over.load(Ordering::Relaxed) {
                    let answer = wire.send("GET", PATH, &[("authorization", &authorization)], "");
                    assert_eq!(answer.status == 429, !answer.header("retry-after").is_empty(), "{answer:?}");
                    assert!(answer.status != 429 || answer.body.contains("access.too_many_attempts"), "{answer:?}");
                    *statuses.entry(answer.status).or_default() += 1;
                }
                statuses
            };
            let guessers: Vec<_> = (0..100).map(|number| scope.spawn(move || guess(number))).collect();
            let busy = [measure(&cached), measure(&token)];
            is_over.store(true, Ordering::Relaxed);
            let mut statuses = BTreeMap::<u16, usize>::new();
            for guesser in guessers {
                guesser.join().unwrap().into_iter().for_each(|(status, count)| *statuses.entry(status).or_default() += count);
            }
            (busy, statuses)
        });
        println!("idle {idle} ms, by password and by token {busy:?} ms, guesses {statuses:?}");
        assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [401, 429], "{statuses:?}");
        // The clients take a part of the machine themselves.
        for (median, most) in busy {
            assert!(median < idle + 500 && most < idle + 2000, "idle {idle} ms, then {busy:?} ms");
        }
    }
}
