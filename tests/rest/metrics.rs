//! What those who run the server see of requests: metrics, log lines, ids.

use crate::support::{Database, Site, on_each_database};

const LIST: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><ListCategories xmlns=\"urn:soapstone:catalog/v1\"/></s:Body></s:Envelope>";

on_each_database! {
    fn requests_are_counted_by_what_they_were(database) {
        let server = Site::new(database).serve();
        let soap = |body: &str| server.call("POST", "/soap/catalog", &[("content-type", "text/xml")], body.as_bytes());
        assert_eq!((soap(LIST).status, soap(LIST).status), (200, 200));
        assert_eq!(soap(&LIST.replace("ListCategories", "GetArticle")).status, 500);
        assert_eq!(soap("no xml").status, 500);
        assert_eq!(server.get("/api/v1/articles/none").status, 404);
        let reply = server.get("/metrics");
        assert_eq!(reply.status, 200);
        assert!(reply.header("content-type").starts_with("application/openmetrics-text"), "{reply:?}");
        for line in [
            "soapstone_requests_total{service=\"Catalog\",operation=\"ListCategories\",channel=\"soap\",outcome=\"ok\"} 2",
            "soapstone_requests_total{service=\"Catalog\",operation=\"GetArticle\",channel=\"soap\",outcome=\"message.invalid\"} 1",
            "soapstone_requests_total{service=\"Catalog\",operation=\"\",channel=\"soap\",outcome=\"message.invalid\"} 1",
            "soapstone_requests_total{service=\"Catalog\",operation=\"GetArticle\",channel=\"rest\",outcome=\"article.not_found\"} 1",
            "soapstone_validation_failures_total{service=\"Catalog\",operation=\"GetArticle\",channel=\"soap\"} 1",
            "soapstone_request_duration_seconds_count{service=\"Catalog\",operation=\"ListCategories\",channel=\"soap\"} 2",
            "soapstone_requests_in_flight{channel=\"soap\"} 0",
            "soapstone_database_connections{state=\"open\"}",
            "# EOF",
        ] {
            assert!(reply.body.contains(line), "{line} is not in {}", reply.body);
        }
    }
}

#[test]
fn a_request_is_one_line_in_the_log_under_the_id_that_its_caller_is_told() {
    let server = Site::new(Database::Sqlite).serve();
    let soap = |body: &str| server.call("POST", "/soap/catalog", &[("content-type", "text/xml")], body.as_bytes());
    let (well, wrong) = (soap(LIST), soap(&LIST.replace("ListCategories", "GetArticle")));
    let declared = soap(
        &LIST.replace("<ListCategories", "<GetArticle").replace("/></s:Body", "><sku>none</sku></GetArticle></s:Body"),
    );
    for reply in [&well, &wrong, &declared] {
        assert!(server.logged(&format!("answered request_id={}", reply.header("x-request-id"))), "{}", server.log());
    }
    let log = server.log();
    let lines = |id: &str| log.lines().filter(|l| l.contains(id)).count();
    for reply in [&well, &wrong, &declared] {
        let id = reply.header("x-request-id");
        assert_eq!((id.len(), lines(id)), (16, 1), "{reply:?}\n{log}");
    }
    assert!(log.contains("reason=There is no article \"none\""), "{log}");
    assert!(wrong.body.contains(&format!("request=\"{}\"", wrong.header("x-request-id"))), "{wrong:?}");
    assert!(declared.body.contains("article.not_found"), "{declared:?}");
    assert!(declared.body.contains(&format!("id=\"{}\"", declared.header("x-request-id"))), "{declared:?}");
    for part in
        ["channel=soap", "service=Catalog", "operation=ListCategories", "status=200", "outcome=ok", "us=", "bytes="]
    {
        assert!(log.lines().any(|line| line.contains("answered") && line.contains(part)), "{part}: {log}");
    }
}

#[test]
fn the_bytes_of_a_rest_request_are_counted_too() {
    let server = Site::new(Database::Sqlite).serve();
    for (body, status) in [("{\"category\":[]}", 200), ("{\"category\":[{}]}", 422)] {
        let reply = server.call("POST", "/api/v1/categories", &[("content-type", "application/json")], body.as_bytes());
        assert_eq!(reply.status, status, "{reply:?}");
        let id = reply.header("x-request-id");
        assert!(server.logged(&format!("answered request_id={id}")), "{}", server.log());
        let log = server.log();
        let line = log.lines().find(|line| line.contains(id)).unwrap_or_default();
        assert!(line.contains(&format!("bytes={} ", body.len())), "{line}");
    }
}

#[test]
fn where_nothing_is_the_caller_is_told_where_things_are() {
    let server = Site::new(Database::Sqlite).serve();
    for (method, path) in [("POST", "/soap/v1/catalog"), ("GET", "/services/Catalog?wsdl"), ("GET", "/api/v1/nothing")]
    {
        let reply = server.call(method, path, &[("content-type", "text/xml")], LIST.as_bytes());
        assert_eq!((reply.status, &reply.json()["code"]), (404, &"http.not_found".into()), "{path}: {reply:?}");
        let told = if path.starts_with("/api") { "/api lists" } else { "SOAP is at /soap/catalog" };
        assert!(reply.json()["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{path}: {reply:?}");
    }
}

#[test]
fn head_is_answered_wherever_get_is() {
    let server = Site::new(Database::Sqlite).serve();
    let paths =
        ["/soap/catalog?wsdl", "/soap/catalog", "/api", "/openapi.json", "/metrics", "/navigator", "/api/v1/articles"];
    for path in paths {
        let (get, head) = (server.get(path), server.call("HEAD", path, &[], b""));
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        assert_eq!((get.status, get.header("content-type")), (200, head.header("content-type")), "{path}");
    }
}
