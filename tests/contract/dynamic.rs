//! `soapstone contract mock` and `gateway`: contracts served without any code.

use crate::support::{Database, Server, Site, project};
use serde_json::json;
use std::path::PathBuf;

fn stock() -> PathBuf {
    project("examples/document-server/wsdl/stock.wsdl")
}

fn shop() -> PathBuf {
    project("examples/rpc-encoded/wsdl/shop.wsdl")
}

fn envelope(body: &str) -> String {
    format!("<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>{body}</e:Body></e:Envelope>")
}

fn soap(server: &Server, path: &str, body: &str) -> crate::support::Reply {
    server.call("POST", path, &[("content-type", "text/xml")], envelope(body).as_bytes())
}

const GET_STOCK: &str = "<GetStock xmlns=\"urn:example:stock\"><sku>AB-123</sku></GetStock>";

#[test]
fn a_mock_answers_with_samples_and_validates() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_contract("mock", &stock(), &[]);
    let reply = soap(&server, "/soap/Stock", GET_STOCK);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body.contains("GetStockResponse") && reply.body.contains("quantity>12.50<"), "{}", reply.body);
    let wrong = soap(&server, "/soap/Stock", "<GetStock xmlns=\"urn:example:stock\"><sku>x</sku></GetStock>");
    assert_eq!(wrong.status, 500);
    assert!(wrong.body.contains("pattern [A-Z]{2}-[0-9]{3}"), "{}", wrong.body);
    assert!(server.logged("GetStock answered with a sample"), "{}", server.log());
    assert!(server.get("/soap/Stock?wsdl").body.contains(&format!("location=\"{}/soap/Stock\"", server.base)));
    let rest = server.post_json("/api/GetStock", &json!({"sku": ["AB-123"]}));
    assert_eq!(rest.status, 200, "{rest:?}");
    assert_eq!(rest.json()["stock"][0]["quantity"], "12.50");
    let refused = server.post_json("/api/GetStock", &json!({"sku": "AB-123"}));
    assert_eq!((refused.status, refused.header("content-type")), (422, "application/problem+json"));
    assert!(server.get("/openapi.json").json()["paths"]["/GetStock"]["post"].is_object());
}

#[test]
fn canned_answers_are_chosen_by_operation_and_xpath() {
    let site = Site::new(Database::Sqlite);
    let folder = site.folder().join("answers");
    std::fs::create_dir(&folder).unwrap();
    let answer = |quantity: &str| {
        format!(
            "<GetStockResponse xmlns=\"urn:example:stock\"><stock><sku>AB-123</sku><quantity>{quantity}</quantity></stock></GetStockResponse>"
        )
    };
    std::fs::write(folder.join("GetStock.xml"), answer("1")).unwrap();
    let special = format!("<!-- when: //sto:sku = 'AB-124' -->\n{}", answer("2"));
    std::fs::write(folder.join("GetStock-second.xml"), special).unwrap();
    let fault = envelope(
        "<e:Fault><faultcode>e:Client</faultcode><faultstring>Gone</faultstring><detail><UnknownArticle xmlns=\"urn:example:stock\"><sku>ZZ-000</sku></UnknownArticle></detail></e:Fault>",
    );
    let fault = format!("<!-- when: starts-with(//sto:sku, 'ZZ') -->{fault}");
    std::fs::write(folder.join("GetStock-unknown.xml"), fault).unwrap();
    let server = site.serve_contract("mock", &stock(), &["--answers", folder.to_str().unwrap()]);
    let ask = |sku: &str| server.post_json("/api/GetStock", &json!({"sku": [sku]}));
    assert_eq!(ask("AB-123").json()["stock"][0]["quantity"], "1");
    assert_eq!(ask("AB-124").json()["stock"][0]["quantity"], "2");
    let unknown = ask("ZZ-000");
    assert_eq!(unknown.status, 422);
    assert_eq!(unknown.json()["fault"]["sku"], "ZZ-000");
    let unknown = soap(&server, "/soap/Stock", "<GetStock xmlns=\"urn:example:stock\"><sku>ZZ-000</sku></GetStock>");
    assert!(unknown.body.contains("UnknownArticle") && unknown.body.contains("Gone"), "{}", unknown.body);

    std::fs::write(folder.join("GetStock-wrong.xml"), answer("many")).unwrap();
    let output = site.run(&["contract", "mock", stock().to_str().unwrap(), "--answers", folder.to_str().unwrap()]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("GetStock-wrong.xml") && output.stderr.contains("quantity"), "{}", output.stderr);
}

#[test]
fn a_gateway_turns_json_into_soap_and_back() {
    let site = Site::new(Database::Sqlite);
    // The verbs are those of the contract's HTTP binding. What is behind is our own server, which speaks SOAP like any other.
    let upstream = site.serve();
    let address = format!("{}/soap/catalog", upstream.base);
    let gateway = site.serve_contract("gateway", &project("wsdl/catalog.wsdl"), &["--upstream", &address]);
    let article = json!({"article": [{"sku": "Ü-1", "name": [{"value": "Säge <&> 😀", "language": "de"}], "weight": "0.123456789012345678"}]});
    let reply = gateway.post_json("/api/articles", &article);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["result"][0]["outcome"], "created");
    let read = gateway.get("/api/articles/%C3%9C-1");
    assert_eq!(read.json()["article"]["weight"], "0.123456789012345678", "{read:?}");
    assert_eq!(read.json()["article"]["name"][0]["value"], "Säge <&> 😀");
    // The same behind SOAP.
    let body = "<GetArticle xmlns=\"urn:soapstone:catalog/v1\"><sku>Ü-1</sku></GetArticle>";
    assert_eq!(soap(&gateway, "/soap/Catalog", body).status, 200);
    let missing = gateway.get("/api/articles/none");
    assert_eq!((missing.status, missing.header("content-type")), (422, "application/problem+json"));
    assert_eq!(missing.json()["fault"]["code"], "article.not_found", "{}", missing.body);
    let unknown = gateway.post_json("/api/articles", &json!({"article": [], "colour": "red"}));
    assert_eq!(unknown.json()["errors"][0]["pointer"], "/colour");
    drop(upstream);
    let gone = gateway.get("/api/articles/x");
    assert_eq!((gone.status, gone.json()["code"].as_str()), (502, Some("upstream.unreachable")));
}

#[test]
fn an_encoded_service_is_json_to_its_callers() {
    let site = Site::new(Database::Sqlite);
    let upstream = site.serve_contract("mock", &shop(), &[]);
    let address = format!("{}/soap/ShopPortType", upstream.base);
    let gateway = site.serve_contract("gateway", &shop(), &["--upstream", &address]);
    let reply = gateway.post_json("/api/productList", &json!({"sessionId": "1", "skus": {"item": ["a", null]}}));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["storeView"]["item"][0]["sku"], "sku", "{}", reply.body);
    let referring = "<s:productList xmlns:s=\"urn:example:shop\"><sessionId>1</sessionId><skus href=\"#a\"/></s:productList>\
        <m id=\"a\" xmlns:enc=\"http://schemas.xmlsoap.org/soap/encoding/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
        enc:arrayType=\"xsd:string[1]\"><enc:string>MH-1</enc:string></m>";
    let reply = soap(&upstream, "/soap/ShopPortType", referring);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body.contains("enc:arrayType=\"sho:product[1]\""), "{}", reply.body);
}

#[test]
fn samples_of_a_contract_are_shown() {
    let site = Site::new(Database::Sqlite);
    let shown = site.run(&["contract", "show", stock().to_str().unwrap()]);
    assert_eq!(shown.code, 0);
    for part in ["PortType Stock", "The articles that are asked for.", "<sto:GetStock", "\"sku\": ["] {
        assert!(shown.stdout.contains(part), "{part} is not in {}", shown.stdout);
    }
    let told = site.json(&["contract", "show", stock().to_str().unwrap()]);
    assert_eq!(told["operations"][0]["soapAction"], "urn:example:stock/GetStock");
    assert_eq!(told["operations"][0]["faults"][0]["json"]["sku"], "AA-000", "{told}");
}
