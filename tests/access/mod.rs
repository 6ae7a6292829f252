//! Who may do what: users, roles, tokens, lock-out, the audit log.

mod audited;
mod authority;
mod certificates;
mod guessing;
mod matrix;
mod open;
mod secrets;
mod users;

use crate::support::{Database, Reply, Server, Site, on_each_database};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

const LIST: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><ListCategories xmlns=\"urn:soapstone:catalog/v1\"/></s:Body></s:Envelope>";
const PASSWORD: &str = "correct horse battery";

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn add(site: &Site, name: &str, role: &str) {
    let mut command = site.command(&["user", "add", name, "--role", role, "--stdin"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn get(server: &Server, path: &str, authorization: &str) -> Reply {
    server.call("GET", path, &[("authorization", authorization)], b"")
}

fn soap(server: &Server, authorization: Option<&str>, body: &str) -> Reply {
    let mut headers = vec![("content-type", "text/xml")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    server.call("POST", "/soap/catalog", &headers, body.as_bytes())
}

/// Waits until something is so: users are looked for every few seconds only, and the audit log is written aside.
fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

on_each_database! {
    fn everybody_says_who_he_is_once_there_is_a_user(database) {
        let site = Site::new(database);
        let server = site.serve();
        assert_eq!(soap(&server, None, LIST).status, 200);
        add(&site, "ännä", "operator");
        soon("strangers are let in", || soap(&server, None, LIST).status == 401);
        let refused = soap(&server, None, LIST);
        assert!(refused.header("www-authenticate").starts_with("Basic realm"), "{refused:?}");
        assert!(refused.body.contains("<faultcode>soap:Client</faultcode>") && refused.body.contains("access.unknown"), "{refused:?}");
        let right = basic("ännä", PASSWORD);
        assert_eq!(soap(&server, Some(&right), LIST).status, 200);
        assert_eq!(get(&server, "/api/v1/articles", &right).status, 200);
        let wrong = get(&server, "/api/v1/articles", &basic("ännä", "wrong"));
        assert_eq!((wrong.status, wrong.header("content-type")), (401, "application/problem+json"));
        for path in ["/metrics", "/api/v1/articles", "/nothing"] {
            assert_eq!(server.get(path).status, 401, "{path}");
        }
        assert_eq!(server.get("/navigator").header("location"), "/navigator/login?next=%2Fnavigator");
        assert_eq!(get(&server, "/navigator", &basic("ännä", "wrong")).status, 401);
        for path in ["/health", "/ready", "/soap/catalog?wsdl", "/soap/catalog", "/openapi.json"] {
            assert_eq!(server.get(path).status, 200, "{path}");
        }
        for nonsense in ["Basic", "Basic !!", "Bearer", "Bearer sst_1_2", "Digest x", "Basic bm9jb2xvbg=="] {
            assert_eq!(get(&server, "/api/v1/articles", nonsense).status, 401, "{nonsense}");
        }
    }

    fn roles_say_who_may_call_what(database) {
        let site = Site::new(database);
        let server = site.serve_with(&["roles=shop=Catalog.GetArticle Catalog.Upsert*"]);
        let added = site.run(&["--set", "roles=shop=Catalog.*", "user", "add", "shop", "--role", "shop", "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&added.stdout).unwrap();
        add(&site, "viewer", "viewer");
        let (viewer, shop) = (basic("viewer", PASSWORD), basic("shop", shown["password"].as_str().unwrap()));
        soon("the users are not known", || server.get("/metrics").status == 401);
        let article = json!({"article": [{"sku": "A-1"}]}).to_string();
        let upsert = |who: &str| {
            let headers = [("content-type", "application/json"), ("authorization", who)];
            server.call("POST", "/api/v1/articles", &headers, article.as_bytes())
        };
        assert_eq!((upsert(&shop).status, upsert(&viewer).status), (200, 403));
        assert_eq!((get(&server, "/api/v1/articles", &viewer).status, get(&server, "/api/v1/articles", &shop).status), (200, 403));
        assert_eq!((get(&server, "/metrics", &viewer).status, get(&server, "/metrics", &shop).status), (200, 403));
        assert_eq!((get(&server, "/navigator", &viewer).status, get(&server, "/navigator", &shop).status), (200, 403));
        let forbidden = soap(&server, Some(&shop), LIST);
        assert!(forbidden.body.contains("access.forbidden") && forbidden.body.contains("shop may not call Catalog.ListCategories"), "{forbidden:?}");
        let upload = server.call("POST", "/api/v1/imports?kind=articles", &[("content-type", "text/csv"), ("authorization", &viewer)], b"sku\nA-2\n");
        assert_eq!(upload.status, 403, "{upload:?}");
        let begun = server.call("POST", "/api/v1/uploads", &[("upload-length", "5"), ("authorization", &viewer)], b"");
        assert_eq!(begun.status, 403, "{begun:?}");
        assert!(!site.folder().join("data/uploads").exists(), "what is refused leaves nothing");
        let unknown = site.run(&["user", "roles", "viewer", "king"]);
        assert!(unknown.code != 0 && unknown.stderr.contains("admin, operator, viewer"), "{unknown:?}");
    }

    fn tokens_hold_until_they_are_revoked(database) {
        let site = Site::new(database);
        let server = site.serve();
        add(&site, "erp", "operator");
        let token = |arguments: &[&str]| {
            let made = site.json(&[&["token", "add", "erp"], arguments].concat());
            (made["id"].as_str().unwrap().to_owned(), format!("Bearer {}", made["token"].as_str().unwrap()))
        };
        let (id, whole) = token(&[]);
        let (_, narrow) = token(&["--scope", "Catalog.List*", "--days", "1"]);
        let (_, expired) = token(&["--days", "0"]);
        soon("the user is not known", || server.get("/metrics").status == 401);
        assert_eq!(get(&server, "/api/v1/articles", &whole).status, 200);
        assert_eq!((get(&server, "/api/v1/articles", &narrow).status, get(&server, "/api/v1/runs", &narrow).status), (200, 403));
        assert_eq!(get(&server, "/api/v1/articles", &expired).status, 401);
        server.call("POST", "/api/v1/imports", &[("content-type", "text/csv"), ("authorization", &whole)], b"sku\nA\n");
        assert_eq!(get(&server, "/api/v1/runs", &whole).json()["run"][0]["client"], "erp");
        assert_eq!(get(&server, "/api/v1/articles", &whole[..whole.len() - 1]).status, 401);
        assert_eq!(site.run(&["token", "revoke", &id]).code, 0);
        assert_eq!(get(&server, "/api/v1/articles", &whole).status, 401);
        let listed = site.json(&["token", "list"]);
        let states: Vec<_> = listed["tokens"].as_array().unwrap().iter().map(|t| t["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["revoked", "holds", "expired"]);
        // The secret may have an underscore itself.
        let shown = whole.splitn(3, '_').nth(2).unwrap();
        assert!(!listed.to_string().contains(shown), "{listed}");
    }

    fn guessing_locks_out_and_is_noted(database) {
        let site = Site::new(database);
        let server = site.serve();
        add(&site, "anna", "operator");
        let right = basic("anna", PASSWORD);
        soon("the user is not known", || server.get("/metrics").status == 401);
        assert_eq!(get(&server, "/api/v1/articles", &right).status, 200);
        for _ in 0..5 {
            assert_eq!(get(&server, "/api/v1/articles", &basic("anna", "guess")).status, 401);
        }
        // Now the right one does not help either, until the wait is over or somebody helps.
        assert_eq!(get(&server, "/api/v1/articles", &right).status, 401);
        assert_eq!(site.json(&["user", "list"])["users"][0]["locked"], true);
        assert_eq!(site.run(&["user", "unlock", "anna"]).code, 0);
        assert_eq!(get(&server, "/api/v1/articles", &right).status, 200);
        let headers = [("content-type", "application/json"), ("authorization", right.as_str())];
        let body = json!({"article": [{"sku": "A-1"}]}).to_string();
        assert_eq!(server.call("POST", "/api/v1/articles", &headers, body.as_bytes()).status, 200);
        let has = |lines: &serde_json::Value, caller: serde_json::Value, action: &str, outcome: &str| {
            lines["lines"].as_array().unwrap().iter().any(|line| {
                line["caller"] == caller && line["action"] == action && line["outcome"] == outcome
            })
        };
        soon("it is not in the audit log", || {
            let lines = site.json(&["audit"]);
            has(&lines, json!("anna"), "Catalog.UpsertArticles (rest)", "ok")
                && has(&lines, json!(null), "log in as anna", "refused")
                && lines.to_string().contains("user unlock anna")
        });
        assert!(!site.json(&["audit"]).to_string().contains("guess"));
    }
}

#[test]
fn a_client_certificate_is_a_user() {
    let site = Site::new(Database::Sqlite);
    let certs = site.folder().join("certs");
    let made = site.run(&["cert", "dev", certs.to_str().unwrap(), "--client", "erp"]);
    assert_eq!(made.code, 0, "{made:?}");
    let added = site.run(&["user", "add", "connector", "--role", "viewer", "--certificate", "erp"]);
    assert_eq!(added.code, 0, "{added:?}");
    let set = |key: &str, file: &str| format!("{key}={}", certs.join(file).display());
    let settings =
        [set("tls-certificate", "server.pem"), set("tls-key", "server.key"), set("tls-client-authority", "ca.pem")];
    let mut settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    settings.push("tls-client-certificates=optional");
    let server = site.serve_with(&settings);
    let status = |own: bool| {
        let mut command = std::process::Command::new("curl");
        command
            .args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert"])
            .arg(certs.join("ca.pem"));
        if own {
            command.arg("--cert").arg(certs.join("client.pem")).arg("--key").arg(certs.join("client.key"));
        }
        let output = command.arg(format!("{}/api/v1/articles", server.base)).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!((status(true).as_str(), status(false).as_str()), ("200", "401"));
    assert!(server.logged("caller=connector"), "{}", server.log());
}

/// Debian's own Python, which has Debian's zeep.
fn zeep(arguments: &[&str]) -> String {
    let script = crate::support::project("tests/access/zeep_security.py");
    let output = std::process::Command::new("/usr/bin/python3").arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

on_each_database! {
    fn a_message_says_who_sends_it(database) {
        let site = Site::new(database);
        let server = site.serve();
        add(&site, "erp", "operator");
        let secret = site.json(&["user", "digest", "erp"])["password"].as_str().unwrap().to_owned();
        soon("the user is not known", || server.get("/metrics").status == 401);
        let told = |secret: &str, more: &[&str]| zeep(&[&[server.base.as_str(), "", "erp", secret], more].concat());
        assert_eq!(told(&secret, &["digest"]), "done done");
        assert_eq!(told("wrong", &["digest"]), "FailedAuthentication FailedAuthentication");
        // The same message twice is a replay, also on another node of the same database.
        assert_eq!(told(&secret, &["digest", "replay"]), "done InvalidSecurityToken");
        // A password in the clear is none, however right it is.
        assert_eq!(told(PASSWORD, &["text"]), "FailedAuthentication FailedAuthentication");
        assert!(server.logged("caller=erp"), "{}", server.log());
    }
}

#[test]
fn a_password_in_a_message_goes_over_tls() {
    let site = Site::new(Database::Sqlite);
    let certs = site.folder().join("certs");
    assert_eq!(site.run(&["cert", "dev", certs.to_str().unwrap()]).code, 0);
    add(&site, "erp", "viewer");
    let set = |key: &str, file: &str| format!("{key}={}", certs.join(file).display());
    let server = site.serve_with(&[&set("tls-certificate", "server.pem"), &set("tls-key", "server.key")]);
    let authority = certs.join("ca.pem");
    let told = |secret: &str| zeep(&[&server.base, authority.to_str().unwrap(), "erp", secret, "text"]);
    assert_eq!(told(PASSWORD), "done done");
    assert_eq!(told("wrong"), "FailedAuthentication FailedAuthentication");
}

#[test]
fn a_gateway_says_who_it_is() {
    let site = Site::new(Database::Sqlite);
    let certs = site.folder().join("certs");
    let in_certs = |file: &str| certs.join(file).display().to_string();
    assert_eq!(site.run(&["cert", "dev", &in_certs(""), "--client", "gateway"]).code, 0);
    add(&site, "erp", "viewer");
    assert_eq!(site.run(&["user", "add", "gateway", "--role", "viewer", "--certificate", "gateway"]).code, 0);
    let secret = site.json(&["user", "digest", "erp"])["password"].as_str().unwrap().to_owned();
    let set = |key: &str, file: &str| format!("{key}={}", in_certs(file));
    let server = site.serve_with(&[
        &set("tls-certificate", "server.pem"),
        &set("tls-key", "server.key"),
        &set("tls-client-authority", "ca.pem"),
        "tls-client-certificates=optional",
    ]);
    let upstream = format!("{}/soap/catalog", server.base);
    let contract = crate::support::project("wsdl/catalog.wsdl");
    let answer = |more: &[&str]| {
        let arguments = [&["--upstream", upstream.as_str()], more].concat();
        let gateway = site.serve_contract("gateway", &contract, &arguments);
        let reply = gateway.post_json("/api/ListCategories", &json!({}));
        (reply.status, reply.body)
    };
    let authority = in_certs("ca.pem");
    let trusting = ["--authority", authority.as_str()];
    let (text, digest) = (format!("erp:{PASSWORD}"), format!("erp:{secret}"));
    let (certificate, key) = (in_certs("client.pem"), in_certs("client.key"));
    for way in [
        vec!["--username-token", text.as_str()],
        vec!["--username-token", digest.as_str(), "--digest"],
        vec!["--certificate", certificate.as_str(), "--key", key.as_str()],
    ] {
        let (status, body) = answer(&[&trusting[..], &way].concat());
        assert_eq!(status, 200, "{way:?}: {body}");
    }
    assert_eq!(answer(&trusting).0, 502);
    assert_eq!(answer(&["--username-token", &text]).0, 502, "a server that nobody vouches for");
}
