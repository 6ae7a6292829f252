//! A server without users: it answers to its own machine, by the names of it, and what it does is in the audit log.

use super::soon;
use crate::support::wire::{Answer, Wire};
use crate::support::{Database, Server, Site};
use serde_json::{Value, json};

fn code(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}

fn import(server: &Server, headers: &[(&str, &str)]) -> Answer {
    let all = [&[("content-type", "text/csv")], headers].concat();
    Wire::plain(&server.base).send("POST", "/api/v1/imports?kind=articles", &all, "sku\nA-1\n")
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let server = Site::new(Database::Sqlite).serve();
    let own = server.base.clone();
    for (headers, is_allowed) in [
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("origin", "http://evil.example")], false),
        (vec![("origin", "null")], false),
        (vec![("origin", own.as_str())], true),
        (vec![("referer", "http://evil.example/page")], false),
        (vec![], true),
    ] {
        let answer = import(&server, &headers);
        let expected = if is_allowed { (202, "") } else { (403, "access.cross_site") };
        assert_eq!((answer.status, code(&answer).as_str()), expected, "{headers:?}: {answer:?}");
    }
    // Reading is not kept from a page: without a header that allows it, it gets nothing to see.
    let answer = Wire::plain(&own).send("GET", "/api/v1/articles", &[("sec-fetch-site", "cross-site")], "");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[test]
fn the_caller_is_not_called_by_a_picture_of_another_page() {
    let server = Site::new(Database::Sqlite).serve();
    let path = "/shop/Admin/caller/caller_aufruf.php?do=get_bestellungen";
    let call = |headers: &[(&str, &str)]| Wire::plain(&server.base).send("GET", path, headers, "");
    for headers in
        [[("sec-fetch-site", "cross-site")], [("sec-fetch-site", "same-site")], [("referer", "http://evil.example/")]]
    {
        let answer = call(&headers);
        assert_eq!((answer.status, code(&answer).as_str()), (403, "access.cross_site"), "{headers:?}");
    }
    assert!(call(&[]).body.starts_with("OK"), "{:?}", call(&[]));
}

#[test]
fn a_name_that_was_made_to_lead_here_is_not_answered() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_with(&["allowed-hosts=erp.example"]);
    let to = |host: &str, method: &str, path: &str, body: &str| {
        let headers = [("host", host), ("content-type", "application/x-www-form-urlencoded")];
        Wire::plain(&server.base).send(method, path, &headers, body)
    };
    let first = "name=evil&password=correct+horse+battery&again=correct+horse+battery";
    for host in
        ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""]
    {
        for (method, path, body) in [
            ("GET", "/api/v1/articles", ""),
            ("GET", "/navigator", ""),
            ("POST", "/navigator/setup", first),
            ("POST", "/soap/catalog", ""),
            ("GET", "/shop/Admin/caller/caller_aufruf.php?do=get_bestellungen", ""),
            ("GET", "/nothing", ""),
        ] {
            let answer = to(host, method, path, body);
            // An empty Host is none that a browser sends; the server may refuse it before.
            assert!(matches!(answer.status, 421 | 400), "{host} {method} {path}: {answer:?}");
            assert!(!host.is_empty() || answer.status != 200, "{answer:?}");
        }
    }
    assert_eq!(site.json(&["user", "list"])["users"], json!([]));
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]", "erp.example", "erp.example:8080", "x.localhost"]
    {
        assert_eq!(to(host, "GET", "/api/v1/articles", "").status, 200, "{host}");
    }
    // With users it is the log-in that counts.
    assert_eq!(to("localhost", "POST", "/navigator/setup", first).status, 303);
    assert_eq!(to("evil.example", "GET", "/api/v1/articles", "").status, 401);
}

#[test]
fn the_caller_asks_for_a_log_in_wherever_the_shop_seems_to_lie() {
    let site = Site::new(Database::Sqlite);
    super::add(&site, "erp", "operator");
    super::add(&site, "viewer", "viewer");
    let server = site.serve();
    let (erp, viewer) = (super::basic("erp", super::PASSWORD), super::basic("viewer", super::PASSWORD));
    let mut wire = Wire::plain(&server.base);
    for shop in ["", "/shop", "/soap", "/soap/catalog", "/health", "/a/b/c"] {
        for job in ["get_bestellungen", "set_artikel", "get_best%65llungen"] {
            for method in ["GET", "POST"] {
                let path = format!("{shop}/Admin/caller/caller_aufruf.php?do={job}");
                let plain = [("content-type", "text/plain")];
                assert_eq!(wire.send(method, &path, &plain, "").status, 401, "{method} {path}");
                let viewing = [plain[0], ("authorization", viewer.as_str())];
                assert_eq!(wire.send(method, &path, &viewing, "").status, 403, "{method} {path}");
            }
        }
    }
    // Below the pages there is no shop.
    for shop in ["/navigator/assets", "/navigator/language"] {
        let path = format!("{shop}/Admin/caller/caller_aufruf.php?do=get_bestellungen");
        let answer = wire.send("GET", &path, &[], "");
        assert!(answer.header("location").starts_with("/navigator/login?"), "{answer:?}");
        assert_eq!(wire.send("GET", &path, &[("authorization", &erp)], "").status, 404);
    }
    let two = "/Admin/caller/caller_aufruf.php?do=get_bestellungen&do=set_artikel";
    assert_eq!(wire.send("GET", two, &[("authorization", &erp)], "").status, 400);
    let done = wire.send("GET", "/Admin/caller/caller_aufruf.php?do=get_bestellungen", &[("authorization", &erp)], "");
    assert!(done.body.starts_with("OK"), "{done:?}");
}

/// Method, path, headers, body, and the action in the audit log.
type Call = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

#[test]
fn what_has_an_effect_is_in_the_audit_log_without_a_log_in_too() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve();
    let mut wire = Wire::plain(&server.base);
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let form: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
    let soap = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><UpsertArticles xmlns=\"urn:soapstone:catalog/v1\"><article><sku>A-2</sku></article></UpsertArticles></s:Body></s:Envelope>";
    let calls: [Call; 8] = [
        ("POST", "/api/v1/articles", json, "{\"article\": [{\"sku\": \"A-1\"}]}", "Catalog.UpsertArticles (rest)"),
        ("POST", "/soap/catalog", &[("content-type", "text/xml")], soap, "Catalog.UpsertArticles (soap)"),
        (
            "POST",
            "/api/v1/imports?kind=articles",
            &[("content-type", "text/csv")],
            "sku\nA-3\n",
            "Exchange.StartImport (POST /api/v1/imports)",
        ),
        ("POST", "/api/v1/uploads", &[("upload-length", "5")], "", "Exchange.StartImport (POST /api/v1/uploads)"),
        (
            "PUT",
            "/api/v1/pictures/A-1.png",
            &[("content-type", "image/png")],
            "no picture",
            "Media.UpsertPictures (PUT /api/v1/pictures/A-1.png)",
        ),
        (
            "GET",
            "/Admin/caller/caller_aufruf.php?do=get_bestellungen",
            &[],
            "",
            "Exchange.StartExport (GET /Admin/caller/caller_aufruf.php)",
        ),
        ("POST", "/navigator/exports", form, "kind=articles&format=xml", "Exchange.StartExport articles (Navigator)"),
        ("POST", "/navigator/hooks/test", form, "target=none", "Signals.TestTarget none (Navigator)"),
    ];
    for (method, path, headers, body, _) in calls {
        let answer = wire.send(method, path, headers, body);
        assert!(!matches!(answer.status, 401 | 403 | 421), "{method} {path}: {answer:?}");
    }
    // Reading is not.
    wire.send("GET", "/api/v1/articles", &[], "");
    for (.., action) in calls {
        soon(action, || {
            let lines = site.json(&["audit"])["lines"].clone();
            let count = lines.as_array().unwrap().iter().filter(|line| line["action"] == action).count();
            assert!(count < 2, "{action} is there {count} times");
            count == 1
        });
    }
    assert!(!site.json(&["audit"]).to_string().contains("ListArticles"));
}
