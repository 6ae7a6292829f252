//! Messages that are kept to look at.

use crate::support::{Database, Server, Site, on_each_database};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";

fn call(server: &Server, header: &str, body: &str) -> String {
    let envelope = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    );
    server.call("POST", "/soap/catalog", &[("content-type", "text/xml; charset=utf-8")], envelope.as_bytes()).body
}

fn article(sku: &str) -> String {
    format!("<GetArticle xmlns='urn:soapstone:catalog/v1'><sku>{sku}</sku></GetArticle>")
}

/// Waits until that many are kept: they are written aside.
fn kept(site: &Site, count: usize, arguments: &[&str]) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let listed = site.json(&[&["message", "list"], arguments].concat());
        let messages = listed["messages"].as_array().unwrap().clone();
        if messages.len() >= count {
            return messages;
        }
        assert!(Instant::now() < deadline, "{messages:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

on_each_database! {
    fn messages_are_kept_without_their_secrets(database) {
        let site = Site::new(database);
        let server = site.serve_with(&["capture-clients=*"]);
        let token = format!("<w:Security xmlns:w='{WSSE}'><w:UsernameToken><w:Username>anna</w:Username><w:Password>sesame</w:Password></w:UsernameToken></w:Security>");
        let fault = call(&server, &token, &article("Ä-1"));
        let found = call(&server, "", "<ListCategories xmlns='urn:soapstone:catalog/v1'/>");
        assert!(found.contains("ListCategoriesResponse"), "{found}");
        server.post_json("/api/v1/articles?token=t0k3n", &json!({"article": [{"sku": "Ä-2"}], "password": "sesame"}));
        let messages = kept(&site, 3, &[]);
        let [rest, listed, refused] = messages.as_slice() else { panic!("{messages:?}") };
        assert_eq!((&rest["channel"], &rest["target"]), (&json!("rest"), &json!("POST /api/v1/articles?token=***")));
        assert_eq!((&listed["operation"], &listed["outcome"], &listed["status"]), (&json!("ListCategories"), &json!("ok"), &json!(200)));
        assert_eq!(refused["outcome"], "soap.security");
        let shown = site.json(&["message", "show", refused["request"].as_str().unwrap()]);
        assert!(shown["request"].as_str().unwrap().contains("<w:Username>anna</w:Username><w:Password>***</w:Password>"), "{shown}");
        assert!(shown["request"].as_str().unwrap().contains("<sku>Ä-1</sku>"), "{shown}");
        assert_eq!(shown["response"].as_str().unwrap(), fault);
        let shown = site.run(&["message", "show", &rest["id"].to_string()]);
        assert!(shown.stdout.contains("\"sku\": \"Ä-2\"") && shown.stdout.contains("\"password\": \"***\""), "{shown:?}");
        let all = format!("{:?}", messages.iter().map(|m| site.run(&["message", "show", &m["id"].to_string()]).stdout).collect::<Vec<_>>());
        assert!(!all.contains("sesame") && !all.contains("t0k3n"), "{all}");
        assert_eq!(kept(&site, 1, &["--text", "Ä-1"]).len(), 1);
        assert_eq!(kept(&site, 1, &["--failed"]).len(), 2);
        assert_eq!(kept(&site, 3, &["--client", "127.0.0.1"]).len(), 3);
        assert_ne!(site.run(&["message", "show", "nothing"]).code, 0);
    }

    fn no_more_is_kept_than_was_said(database) {
        let site = Site::new(database);
        let server = site.serve_with(&["capture-clients=127.0.0.1", "capture-bytes=150", "capture-messages=2"]);
        for number in 0..3 {
            call(&server, "", &article(&format!("{number}{}", "x".repeat(50))));
        }
        kept(&site, 3, &[]);
        drop(server);
        let deadline = Instant::now() + Duration::from_secs(20);
        // Old ones are looked for at the first message of a program, and then now and again.
        let again = site.serve_with(&["capture-clients=127.0.0.1", "capture-bytes=150", "capture-messages=2"]);
        call(&again, "", &article("last"));
        while kept(&site, 1, &[]).len() != 2 {
            assert!(Instant::now() < deadline, "{:?}", kept(&site, 1, &[]));
            std::thread::sleep(Duration::from_millis(50));
        }
        let last = kept(&site, 2, &[]).remove(0);
        let shown = site.json(&["message", "show", &last["id"].to_string()]);
        assert!(shown["request"].as_str().unwrap().len() <= 150 && shown["requestBytes"].as_i64().unwrap() > 150, "{shown}");
    }
}

#[test]
fn only_messages_of_those_clients_are_kept() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_with(&["capture-clients=erp,10.1.2.3"]);
    call(&server, "", &article("x"));
    drop(server);
    assert_eq!(site.json(&["message", "list"])["messages"], json!([]));
}
