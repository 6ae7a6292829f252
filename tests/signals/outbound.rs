//! Calls to internal addresses, on each channel: denied when a target is stored, and at each delivery, unless the settings allow them.

use super::receiver::Receiver;
use super::{QUICK, deliveries, target, wait_for};
use crate::support::{Database, Server, Site};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What denies everything internal.
const CLOSED: &str = "outbound-allow=";

fn closed() -> Vec<&'static str> {
    [QUICK, &[CLOSED]].concat()
}

/// Counts connections, and answers none.
fn counter() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            counted.fetch_add(1, Ordering::Relaxed);
            drop(connection);
        }
    });
    (port, count)
}

fn upsert(server: &Server, url: &str) -> Value {
    let target = json!({"target": [{"key": "t", "url": url, "secret": "s"}]});
    server.post_json("/api/v1/signal-targets", &target).json()["result"][0].clone()
}

#[test]
fn an_internal_address_is_no_target_unless_it_is_allowed() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_with(&closed());
    for url in [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://LOCALHOST./",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "https://192.168.1.1/",
        "http://172.16.0.1:8080/",
        "http://0.0.0.0/",
    ] {
        let result = upsert(&server, url);
        assert_eq!(result["outcome"], "failed", "{url}: {result}");
        let message = &result["message"][0];
        assert_eq!(message["code"], "target.internal_address", "{url}: {result}");
        assert!(message["suggestion"].as_str().unwrap().contains("outbound-allow"), "{url}: {result}");
    }
    for url in ["http://good@127.0.0.1/", "http://a\\@b/", "file:///etc/passwd", "http://user:x@erp.example/"] {
        assert_eq!(upsert(&server, url)["message"][0]["code"], "target.bad_address", "{url}");
    }
    // By the form of the Navigator, and by a change of a target that is there.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let typed =
        server.call("POST", "/navigator/hooks/target", &form, b"key=t&url=http%3A%2F%2F127.0.0.1%2F&form=webHook");
    assert_eq!(typed.status, 422, "{typed:?}");
    assert_eq!(upsert(&server, "http://192.0.3.1/")["outcome"], "created");
    let changed = server.call(
        "PATCH",
        "/api/v1/signal-targets/t",
        &[("content-type", "application/json")],
        br#"{"url": "http://10.1.1.1/"}"#,
    );
    assert_eq!((changed.status, &changed.json()["code"]), (422, &json!("target.internal_address")), "{changed:?}");
    drop(server);
    let allowing = site.serve_with(&["outbound-allow=10.1.0.0/16, localhost:9, [::1]"]);
    for url in ["http://10.1.1.1/", "http://localhost:9/", "http://[::1]:7/"] {
        assert_ne!(upsert(&allowing, url)["outcome"], "failed", "{url}");
    }
    for url in ["http://10.2.1.1/", "http://127.0.0.1:9/"] {
        assert_eq!(upsert(&allowing, url)["outcome"], "failed", "{url}");
    }
    // A setting that cannot be read is no open door.
    let wrong = site.run(&["serve", "--set", "outbound-allow=10.0.0.0/40"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("outbound-allow"), "{wrong:?}");
}

#[test]
fn a_target_that_leads_inside_by_now_is_not_called() {
    let (port, connections) = counter();
    let site = Site::new(Database::Sqlite);
    let server = site.serve_with(QUICK);
    for (key, form) in [("name", "webHook"), ("number", "webHook"), ("soap", "soap11"), ("soap-number", "soap12")] {
        target(&server, &json!({"key": key, "url": format!("http://127.0.0.1:{port}/"), "form": form}));
    }
    drop(server);
    // As if its name resolved to something else since.
    site.sql(&format!("UPDATE signal_targets SET url = 'http://localhost:{port}/' WHERE key IN ('name', 'soap')"));
    let server = site.serve_with(&closed());
    for key in ["name", "number", "soap", "soap-number"] {
        server.post_json(&format!("/api/v1/signal-targets/{key}/test"), &json!({}));
    }
    for key in ["name", "number", "soap", "soap-number"] {
        let deadline = Instant::now() + Duration::from_secs(30);
        let error = loop {
            let found = deliveries(&server, &format!("target={key}"));
            if let Some(error) = found[0]["error"].as_str() {
                break error.to_owned();
            }
            assert!(Instant::now() < deadline, "{found:?}");
            std::thread::sleep(Duration::from_millis(50));
        };
        assert!(error.contains("is an internal address (loopback)"), "{key}: {error}");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 0);
    drop(server);
    // Allowed, the same are called.
    let server = site.serve_with(&[QUICK, &["outbound-allow=localhost, 127.0.0.1"]].concat());
    let deadline = Instant::now() + Duration::from_secs(30);
    while connections.load(Ordering::Relaxed) < 4 {
        assert!(Instant::now() < deadline, "{:?}", deliveries(&server, ""));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Answers each request by leading to another address.
fn redirecting(to: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            // The body is there once its last bracket is.
            let is_whole = |request: &[u8]| {
                let is_get = request.starts_with(b"GET ") && request.ends_with(b"\r\n\r\n");
                is_get || request.ends_with(b"}") || request.ends_with(b"Envelope>")
            };
            while !is_whole(&request) {
                match connection.read(&mut piece) {
                    Ok(length) if length > 0 => request.extend_from_slice(&piece[..length]),
                    _ => break,
                }
            }
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/")
}

#[test]
fn redirects_are_not_followed() {
    let (port, connections) = counter();
    let leading = redirecting(&format!("http://127.0.0.1:{port}/"));
    let server = Site::new(Database::Sqlite).serve_with(&[QUICK, &["signal-attempts=1"]].concat());
    for form in ["webHook", "soap11"] {
        target(&server, &json!({"key": form, "url": leading, "form": form}));
        server.post_json(&format!("/api/v1/signal-targets/{form}/test"), &json!({}));
    }
    let dead = wait_for(&server, "state=dead", 2);
    assert!(dead.iter().all(|delivery| delivery["error"] == "HTTP status 307"), "{dead:?}");
    assert_eq!(connections.load(Ordering::Relaxed), 0);
}

#[test]
fn the_client_of_the_erp_follows_no_redirect() {
    let (port, connections) = counter();
    let leading = redirecting(&format!("http://127.0.0.1:{port}/"));
    let site = Site::new(Database::Sqlite);
    site.file("token.txt", "secret-token");
    let settings =
        format!("server = \"{leading}\"\ntoken-file = \"token.txt\"\n[[fetch]]\npath = \"in\"\nkind = \"orders\"\n");
    site.file("client.toml", settings);
    let checked = site.run(&["client", "check", "client.toml"]);
    assert!(checked.code == 1 && checked.stderr.contains("307"), "{checked:?}");
    assert_eq!(connections.load(Ordering::Relaxed), 0);
}

#[test]
fn a_notice_is_not_sent_inside() {
    let (port, connections) = counter();
    let site = Site::new(Database::Sqlite);
    std::fs::create_dir_all(site.folder().join("data")).unwrap();
    let rules = format!(
        "[[notify]]\nname = \"number\"\non = [\"succeeded\"]\nurl = \"http://127.0.0.1:{port}/\"\n\
         [[notify]]\nname = \"name\"\non = [\"succeeded\"]\nurl = \"http://localhost:{port}/\"\n"
    );
    site.file("data/notices.toml", rules);
    let server = site.serve_with(&[CLOSED]);
    let content = [("content-type", "text/csv")];
    assert_eq!(server.call("POST", "/api/v1/imports?kind=units&format=csv", &content, b"key\na\n").status, 202);
    for rule in ["number", "name"] {
        assert!(server.logged(&format!("the rule \"{rule}\" could not be told")), "{rule}");
    }
    assert!(server.logged("127.0.0.1 is an internal address") && server.logged("localhost is an internal address"));
    assert_eq!(connections.load(Ordering::Relaxed), 0);
}

#[test]
fn a_reply_is_not_sent_inside() {
    let (port, connections) = counter();
    let hosts = format!("reply-hosts=127.0.0.1,localhost:{port}");
    let server = Site::new(Database::Sqlite).serve_with(&[&hosts, CLOSED]);
    let call = |address: &str| {
        let envelope = format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header>\
             <a:Action>urn:soapstone:catalog/v1/ListCategories</a:Action><a:MessageID>urn:x:1</a:MessageID>\
             <a:ReplyTo><a:Address>{address}</a:Address></a:ReplyTo><a:FaultTo><a:Address>{address}</a:Address></a:FaultTo></s:Header>\
             <s:Body><ListCategories xmlns=\"urn:soapstone:catalog/v1\"/></s:Body></s:Envelope>"
        );
        server.call("POST", "/soap/catalog", &[("content-type", "text/xml")], envelope.as_bytes())
    };
    // Listed as hosts of replies, but internal: by its number at once, by its name when it is called.
    let numbered = call(&format!("http://127.0.0.1:{port}/"));
    assert!(numbered.status >= 400 && numbered.body.contains("Fault"), "{numbered:?}");
    assert!(server.logged("outbound-allow"));
    assert_eq!(call(&format!("http://localhost:{port}/")).status, 202);
    assert!(server.logged("localhost is an internal address (loopback)"));
    assert_eq!(connections.load(Ordering::Relaxed), 0);
}

#[test]
fn a_gateway_calls_inside_only_where_the_command_line_says_so() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve();
    let contract = site.file("foreign.wsdl", server.get("/soap/catalog?wsdl&flat").body);
    let contract = contract.to_str().unwrap();
    let start = |more: &[&str]| {
        let arguments = [&["contract", "gateway", contract, "--listen", "127.0.0.1:0", "--json"][..], more].concat();
        let mut command = site.command(&arguments);
        command.env_remove("SOAPSTONE_OUTBOUND_ALLOW").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    // The contract names this machine.
    let denied = start(&[]).output().unwrap();
    let said = String::from_utf8_lossy(&denied.stdout).into_owned();
    assert!(
        !denied.status.success() && said.contains("is an internal address") && said.contains("--upstream"),
        "{said}"
    );
    let with_password = server.base.replace("http://", "http://user:hush@");
    let hidden = start(&["--upstream", &with_password]).output().unwrap();
    let said = String::from_utf8_lossy(&hidden.stdout).into_owned();
    assert!(!hidden.status.success() && said.contains("must not contain user or password"), "{said}");
    let upstream = format!("{}/soap/catalog", server.base);
    let gateway = site.serve_contract("gateway", std::path::Path::new(contract), &["--upstream", &upstream]);
    assert_eq!(gateway.post_json("/api/ListCategories", &json!({})).status, 200);
}

#[test]
fn a_public_name_goes_through_the_same_client() {
    let receiver = Receiver::start(|_| 200);
    let port = receiver.url("").rsplit(':').next().unwrap().to_owned();
    let server = Site::new(Database::Sqlite).serve_with(&[QUICK, &["outbound-allow=localhost"]].concat());
    target(&server, &json!({"key": "erp", "url": format!("http://localhost:{port}/hook"), "secret": "s"}));
    server.post_json("/api/v1/signal-targets/erp/test", &json!({}));
    let heard = receiver.heard(1);
    assert_eq!(heard[0].header("host"), format!("localhost:{port}"));
}
