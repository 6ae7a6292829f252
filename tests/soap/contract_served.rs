//! The contract as clients fetch it.

use crate::support::{Database, Site};

#[test]
fn addresses_are_those_the_caller_used() {
    let server = Site::new(Database::Sqlite).serve();
    let wsdl = server.get("/soap/catalog?wsdl").body;
    assert!(wsdl.contains(&format!("location=\"{}/soap/catalog\"", server.base)), "{wsdl}");
    let other = server.call("GET", "/soap/catalog?wsdl", &[("host", "erp.example:8443")], b"").body;
    assert!(other.contains("location=\"http://erp.example:8443/soap/catalog\""), "{other}");
}

#[test]
fn forwarded_addresses_count_only_from_trusted_proxies() {
    let site = Site::new(Database::Sqlite);
    let headers = [("x-forwarded-host", "shop.example"), ("x-forwarded-proto", "https")];
    let server = site.serve();
    let wsdl = server.call("GET", "/soap/catalog?wsdl", &headers, b"").body;
    assert!(!wsdl.contains("shop.example"), "{wsdl}");
    drop(server);
    let server = site.serve_with(&["trusted-proxies=127.0.0.1"]);
    let wsdl = server.call("GET", "/soap/catalog?wsdl", &headers, b"").body;
    assert!(wsdl.contains("location=\"https://shop.example/soap/catalog\""), "{wsdl}");
}

#[test]
fn every_import_of_the_contract_is_served() {
    let server = Site::new(Database::Sqlite).serve();
    for service in ["catalog", "exchange"] {
        let wsdl = server.get(&format!("/soap/{service}?WSDL")).body;
        let mut open: Vec<String> = locations(&wsdl, &server.base);
        assert!(!open.is_empty(), "{wsdl}");
        let mut seen: Vec<String> = Vec::new();
        while let Some(path) = open.pop() {
            let reply = server.get(&path);
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(reply.header("content-type"), "text/xml; charset=utf-8");
            if !seen.contains(&path) {
                seen.push(path);
            }
            open.extend(locations(&reply.body, &server.base).into_iter().filter(|path| !seen.contains(path)));
        }
        assert_eq!(seen.len(), 2, "{seen:?}");
    }
}

/// The paths that a document imports.
fn locations(document: &str, base: &str) -> Vec<String> {
    document
        .split("schemaLocation=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or("").replace("&amp;", "&"))
        .map(|address| address.strip_prefix(base).unwrap_or_else(|| panic!("{address} is not on {base}")).to_owned())
        .collect()
}

#[test]
fn the_page_for_a_person_shows_each_operation() {
    let server = Site::new(Database::Sqlite).serve();
    let page = server.get("/soap/catalog");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for operation in
        ["UpsertArticles", "GetArticle", "ListArticles", "DeleteArticles", "UpsertCategories", "ListCategories"]
    {
        assert!(page.body.contains(operation), "{operation}");
    }
}

#[test]
fn a_contract_can_be_had_for_one_version_of_soap() {
    let server = Site::new(Database::Sqlite).serve();
    let count = |query: &str, text: &str| server.get(&format!("/soap/catalog?{query}")).body.matches(text).count();
    for query in ["wsdl&soap=1.1", "wsdl&flat&soap=1.1"] {
        assert_eq!((count(query, "<soap12:"), count(query, "<wsdl:port ")), (0, 1), "{query}");
        assert!(count(query, "<soap:body") > 0 && count(query, "CatalogSoap11") > 1, "{query}");
    }
    assert_eq!((count("wsdl&soap=1.2", "<soap:"), count("wsdl&soap=1.2", "<wsdl:port ")), (0, 1));
    assert_eq!(count("wsdl&soap=2", "<wsdl:port "), 2);
}
