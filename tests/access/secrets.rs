//! Secrets in the database: encrypted, bound to their rows, and encrypted again with another key.

use crate::signals::receiver::{Receiver, signature};
use crate::support::{Database, SECRETS_KEY, Server, Site, on_each_database};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const QUICK: &[&str] = &["signal-first-wait=0.05", "signal-timeout=2"];

/// In base64, as `signature` wants it.
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn target(server: &Server, target: &Value) -> Value {
    server.post_json("/api/v1/signal-targets", &json!({"target": [target]})).json()["result"][0].clone()
}

fn send(server: &Server, key: &str) {
    assert_eq!(server.post_json(&format!("/api/v1/signal-targets/{key}/test"), &json!({})).status, 200);
}

fn error_of(server: &Server, key: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let found = server.get(&format!("/api/v1/signal-deliveries?target={key}")).json()["delivery"].clone();
        if let Some(error) = found[0]["error"].as_str() {
            return error.to_owned();
        }
        assert!(Instant::now() < deadline, "{found}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Fails if a secret of the database matches a pattern, or is not there.
fn assert_none_like(site: &Site, pattern: &str) {
    let found = format!(
        "SELECT count(*) FROM (SELECT secret AS s FROM signal_targets UNION ALL SELECT password FROM signal_targets \
         UNION ALL SELECT digest_secret FROM users) AS all_secrets WHERE s LIKE '{pattern}' OR s NOT LIKE 'enc:v1:%'"
    );
    if site.database_url().is_empty() {
        let database = rusqlite::Connection::open(site.folder().join("data/soapstone.sqlite")).unwrap();
        assert_eq!(database.query_row(&found, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    } else {
        site.sql(&format!("DO $$ BEGIN IF ({found}) > 0 THEN RAISE 'a secret is plain'; END IF; END $$"));
    }
}

fn is_signed(receiver: &Receiver, number: usize, secret: &str) -> bool {
    let heard = receiver.heard(number + 1);
    let signed = format!(
        "{}.{}.{}",
        heard[number].header("webhook-id"),
        heard[number].header("webhook-timestamp"),
        heard[number].body
    );
    heard[number].header("webhook-signature") == signature(secret, &signed)
}

on_each_database! {
    fn secrets_are_encrypted_in_the_database(database) {
        let receiver = Receiver::start(|_| 200);
        let site = Site::new(database);
        let server = site.serve_with(QUICK);
        let erp = json!({"key": "erp", "url": receiver.url("/"), "secret": format!("whsec_{SECRET}"), "user": "me", "password": "hush-hush"});
        assert_eq!(target(&server, &erp)["outcome"], "created");
        // What was encrypted before is compared by what it says.
        assert_eq!(target(&server, &erp)["outcome"], "unchanged");
        send(&server, "erp");
        assert!(is_signed(&receiver, 0, SECRET));
        assert_eq!(receiver.heard(1)[0].header("authorization"), format!("Basic {}", STANDARD.encode("me:hush-hush")));
        for secret in [SECRET, "hush"] {
            assert_none_like(&site, &format!("%{secret}%"));
        }
        let listed = site.json(&["secret", "list"]);
        assert_eq!((listed["secrets"].as_object().unwrap().len(), &listed["secrets"][listed["keys"][0].as_str().unwrap()]), (1, &json!(2)), "{listed}");
        // Those that were stored before are encrypted at the next start, and stay what they are.
        drop(server);
        let other = STANDARD.encode("another secret of the past");
        site.sql(&format!("UPDATE signal_targets SET secret = 'whsec_{other}', password = 'old-password'"));
        let doctor = site.run(&["doctor", "--set", "listen=127.0.0.1:0"]);
        assert!(doctor.code == 1 && doctor.stdout.contains("2 are stored as plain text"), "{doctor:?}");
        let server = site.serve_with(QUICK);
        assert!(server.logged("Encrypted 2 secrets"));
        assert_none_like(&site, "%old-password%");
        if site.database_url().is_empty() {
            for file in ["soapstone.sqlite", "soapstone.sqlite-wal"] {
                let bytes = std::fs::read(site.folder().join("data").join(file)).unwrap();
                let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
                assert!(!has("old-password") && !has(&other), "the plain text is still in {file}");
            }
        }
        send(&server, "erp");
        assert!(is_signed(&receiver, 1, &other));
        drop(server);
        assert_eq!(site.run(&["user", "add", "anna", "--role", "admin"]).code, 0);
        let digest = site.json(&["user", "digest", "anna"])["password"].as_str().unwrap().to_owned();
        assert_none_like(&site, &format!("%{digest}%"));
        site.sql(&format!("UPDATE users SET digest_secret = '{digest}'"));
        assert_eq!(site.json(&["secret", "list"])["secrets"].as_object().unwrap().len(), 1);
        assert_none_like(&site, &format!("%{digest}%"));
    }

    fn a_secret_of_another_row_is_none(database) {
        let receiver = Receiver::start(|_| 200);
        let site = Site::new(database);
        let server = site.serve_with(QUICK);
        for key in ["one", "other"] {
            target(&server, &json!({"key": key, "url": receiver.url("/"), "secret": format!("secret of {key}")}));
        }
        site.sql("UPDATE signal_targets SET secret = (SELECT t.secret FROM signal_targets t WHERE t.key = 'other') WHERE key = 'one'");
        send(&server, "one");
        assert!(error_of(&server, "one").contains("cannot be decrypted"));
        assert!(server.logged("signal_targets/one/secret: the encrypted secret is damaged"));
        // A change of something else leaves it as it is; a new secret mends it.
        assert_eq!(target(&server, &json!({"key": "one", "warehouse": ["north"]}))["outcome"], "updated");
        assert_eq!(target(&server, &json!({"key": "one", "secret": format!("whsec_{SECRET}")}))["outcome"], "updated");
        assert!(is_signed(&receiver, 0, SECRET));
    }

    fn keys_are_changed_while_nothing_is_lost(database) {
        let receiver = Receiver::start(|_| 200);
        let site = Site::new(database);
        let (old, new) = (site.run(&["secret", "key"]).stdout, site.run(&["secret", "key"]).stdout);
        let keys = site.file("keys", &old);
        let keys_set = format!("secrets-key-file={}", keys.display());
        let settings = [QUICK, &[keys_set.as_str()]].concat();
        let secret = |command: &str| {
            let mut command = site.command(&["secret", command, "--json"]);
            let output = command.env_remove("SOAPSTONE_SECRETS_KEY").env("SOAPSTONE_SECRETS_KEY_FILE", &keys).output().unwrap();
            (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default())
        };
        let server = site.serve_with(&settings);
        assert_eq!(target(&server, &json!({"key": "erp", "url": receiver.url("/"), "secret": format!("whsec_{SECRET}")}))["outcome"], "created");
        drop(server);
        // Both keys: the new one encrypts, the old one still decrypts.
        std::fs::write(&keys, format!("{new}{old}")).unwrap();
        let server = site.serve_with(&settings);
        send(&server, "erp");
        assert!(is_signed(&receiver, 0, SECRET));
        assert_eq!(secret("rotate"), (Some(0), json!({"rotated": 1, "unreadable": []})));
        assert_eq!(secret("rotate"), (Some(0), json!({"rotated": 0, "unreadable": []})));
        drop(server);
        std::fs::write(&keys, &new).unwrap();
        let server = site.serve_with(&settings);
        send(&server, "erp");
        assert!(is_signed(&receiver, 1, SECRET));
        drop(server);
        // Without its key a secret is told of, and nothing goes out unsigned.
        std::fs::write(&keys, &old).unwrap();
        let server = site.serve_with(&settings);
        send(&server, "erp");
        assert!(error_of(&server, "erp").contains("cannot be decrypted"));
        assert_eq!(receiver.heard(2).len(), 2);
        assert!(server.logged("is missing; add it to secrets-key-file"));
        assert_eq!(secret("rotate").0, Some(1));
    }
}

#[test]
fn without_a_key_no_secret_is_stored() {
    let site = Site::new(Database::Postgres);
    let without = |arguments: &[&str]| {
        let mut command = site.command(arguments);
        command.env_remove("SOAPSTONE_SECRETS_KEY").env("SOAPSTONE_LISTEN", "127.0.0.1:0");
        command
    };
    let server = site.start(without(&["serve", "--json"]));
    let refused = target(&server, &json!({"key": "erp", "url": "https://erp.example/", "secret": "hush"}));
    assert_eq!(
        (&refused["outcome"], &refused["message"][0]["code"]),
        (&json!("failed"), &json!("secret.no_key")),
        "{refused}"
    );
    assert_eq!(target(&server, &json!({"key": "erp", "url": "https://erp.example/"}))["outcome"], "created");
    drop(server);
    site.sql("UPDATE signal_targets SET secret = 'plain'");
    let output = without(&["user", "list"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("1 secrets") && said.contains("secrets-key-file"), "{said}");
    let digest = without(&["secret", "list"]).env("SOAPSTONE_SECRETS_KEY", SECRETS_KEY).output().unwrap();
    assert!(digest.status.success(), "{digest:?}");
    assert_none_like(&site, "plain");
}

#[test]
fn a_lost_key_file_is_not_replaced() {
    let site = Site::new(Database::Sqlite);
    let key = site.folder().join("data/secrets.key");
    let server = site.serve();
    target(&server, &json!({"key": "erp", "url": "https://erp.example/", "secret": "hush"}));
    drop(server);
    std::fs::remove_file(&key).unwrap();
    let server = site.serve();
    assert!(server.logged("restore it") && !key.exists());
    let refused = target(&server, &json!({"key": "pim", "url": "https://pim.example/", "secret": "hush"}));
    assert_eq!(refused["message"][0]["code"], "secret.no_key", "{refused}");
    let doctor = site.run(&["doctor", "--set", "listen=127.0.0.1:0"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("which is missing"), "{doctor:?}");
}
