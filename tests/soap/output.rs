//! Replies as fussy clients want them.

use crate::support::{Database, Server, Site};

fn call(server: &Server, namespace: &str, body: &str) -> crate::support::Reply {
    let envelope = format!("<s:Envelope xmlns:s='{namespace}'><s:Body>{body}</s:Body></s:Envelope>");
    let media = if namespace.contains("2003") { "application/soap+xml" } else { "text/xml" };
    server.call("POST", "/soap/catalog", &[("content-type", media)], envelope.as_bytes())
}

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
const UPSERT: &str = "<UpsertArticles xmlns='urn:soapstone:catalog/v1'><article><sku>A</sku><name> b </name><weight>1.50</weight></article></UpsertArticles>";

fn get(sku: &str) -> String {
    format!("<GetArticle xmlns='urn:soapstone:catalog/v1'><sku>{sku}</sku></GetArticle>")
}

#[test]
fn replies_are_written_as_they_are_wanted() {
    let site = Site::new(Database::Sqlite);
    let server =
        site.serve_with(&["soap-output=Catalog=xsi-type pretty fault-500 soap=SOAP-ENV cat=ns1, Exchange=pretty"]);
    assert_eq!(call(&server, SOAP_11, UPSERT).status, 200);
    let found = call(&server, SOAP_12, &get("A")).body;
    for part in [
        "<SOAP-ENV:Body>\n    <ns1:GetArticleResponse ",
        "\n        <ns1:sku xsi:type=\"com:Key\">A</ns1:sku>\n",
        "xsi:type=\"com:Text\"> b </ns1:name>",
        "<ns1:weight xsi:type=\"com:Amount\">1.50</ns1:weight>",
        " xsi:type=\"ns1:Article\">\n        <ns1:sku",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    for (namespace, code) in [
        (SOAP_11, "<faultcode>SOAP-ENV:Client</faultcode>"),
        (SOAP_12, "<SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value>"),
    ] {
        let fault = call(&server, namespace, &get("none"));
        assert_eq!(fault.status, 500, "{fault:?}");
        assert!(fault.body.contains(code) && !fault.body.contains("soap:"), "{fault:?}");
    }
}

#[test]
fn without_a_wish_nothing_is_different() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve();
    assert_eq!(call(&server, SOAP_11, UPSERT).status, 200);
    let found = call(&server, SOAP_12, &get("A")).body;
    assert!(found.contains("<cat:sku>A</cat:sku>") && !found.contains('\n') && !found.contains("xsi:type"), "{found}");
    assert_eq!(call(&server, SOAP_12, &get("none")).status, 400);
}

#[test]
fn mtom_is_a_policy() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_with(&["soap-output=Catalog=mtom"]);
    let contract = server.get("/soap/catalog?wsdl").body;
    assert!(contract.contains("OptimizedMimeSerialization") && contract.contains("PolicyReference"), "{contract}");
    let found = call(&server, SOAP_11, "<ListCategories xmlns='urn:soapstone:catalog/v1'/>");
    assert!(
        found.header("content-type").starts_with("multipart/related") && found.body.contains("xop+xml"),
        "{found:?}"
    );
    assert!(!server.get("/soap/exchange?wsdl").body.contains("PolicyReference"));
}

#[test]
fn a_wish_that_is_not_known_is_told() {
    let site = Site::new(Database::Sqlite);
    let told = |setting: &str| site.run(&["serve", "--listen", "127.0.0.1:0", "--set", setting]).stderr;
    assert!(told("soap-output=Catalog=ugly").contains("\"ugly\" is not known"));
    assert!(told("soap-output=Stock=pretty").contains("there is no service Stock"));
    assert!(told("soap-output=pretty").contains("such as Catalog=pretty"));
}
