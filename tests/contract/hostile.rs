//! Contracts that mean harm, or are broken: a clear error each, in bounded time, and nothing from elsewhere.

use crate::support::{Database, Site};
use std::fmt::Write;
use std::time::{Duration, Instant};

const XS: &str = "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"";

/// Checks a contract; gives the verdict and what is said.
fn check(site: &Site, file: &std::path::Path) -> (String, String) {
    let began = Instant::now();
    let output = site.run(&["contract", "check", file.to_str().unwrap(), "--json"]);
    assert!(began.elapsed() < Duration::from_secs(60), "{}: it took {:?}", file.display(), began.elapsed());
    assert!(output.code == 0 || output.code == 1, "{output:?}");
    assert!(output.stderr.is_empty(), "{}", output.stderr);
    let told: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    (told["verdict"].as_str().unwrap().to_owned(), told["problems"].to_string())
}

fn schema(site: &Site, name: &str, body: &str) -> std::path::PathBuf {
    site.file(name, format!("<xs:schema {XS} xmlns:t=\"urn:t\" targetNamespace=\"urn:t\">{body}</xs:schema>"))
}

#[test]
fn schemas_that_import_each_other_are_fine() {
    let site = Site::new(Database::Sqlite);
    site.file("b.xsd", format!("<xs:schema {XS} targetNamespace=\"urn:b\"><xs:import namespace=\"urn:t\" schemaLocation=\"a.xsd\"/></xs:schema>"));
    let import = "<xs:import namespace=\"urn:b\" schemaLocation=\"b.xsd\"/><xs:include schemaLocation=\"a.xsd\"/>";
    assert_eq!(check(&site, &schema(&site, "a.xsd", import)).0, "ok");
}

#[test]
fn types_and_groups_that_contain_themselves_come_to_an_end() {
    let site = Site::new(Database::Sqlite);
    for (name, body, code) in [
        (
            "group",
            "<xs:group name=\"g\"><xs:sequence><xs:group ref=\"t:g\"/></xs:sequence></xs:group><xs:complexType name=\"c\"><xs:group ref=\"t:g\"/></xs:complexType>",
            "xsd.circular_group",
        ),
        (
            "type",
            "<xs:simpleType name=\"a\"><xs:restriction base=\"t:b\"/></xs:simpleType><xs:simpleType name=\"b\"><xs:restriction base=\"t:a\"/></xs:simpleType><xs:element name=\"e\" type=\"t:a\"/>",
            "xsd.circular_type",
        ),
        (
            "complex",
            "<xs:complexType name=\"a\"><xs:complexContent><xs:extension base=\"t:b\"/></xs:complexContent></xs:complexType><xs:complexType name=\"b\"><xs:complexContent><xs:extension base=\"t:a\"/></xs:complexContent></xs:complexType>",
            "xsd.circular_type",
        ),
        (
            "attributes",
            "<xs:attributeGroup name=\"g\"><xs:attributeGroup ref=\"t:g\"/></xs:attributeGroup><xs:complexType name=\"c\"><xs:attributeGroup ref=\"t:g\"/></xs:complexType>",
            "xsd.circular_group",
        ),
    ] {
        let (verdict, problems) = check(&site, &schema(&site, &format!("{name}.xsd"), body));
        assert_eq!(verdict, "invalid", "{name}: {problems}");
        assert!(problems.contains(code), "{name}: {problems}");
    }
}

#[test]
fn deep_nesting_is_told() {
    let site = Site::new(Database::Sqlite);
    let mut body = String::from("<xs:element name=\"e\"><xs:complexType>");
    body.push_str(&"<xs:sequence>".repeat(100_000));
    body.push_str(&"</xs:sequence>".repeat(100_000));
    body.push_str("</xs:complexType></xs:element>");
    let (verdict, problems) = check(&site, &schema(&site, "deep.xsd", &body));
    assert_eq!(verdict, "invalid");
    assert!(problems.contains("xml.too_deep"), "{problems}");
}

#[test]
fn a_schema_of_very_many_elements_is_read_in_time() {
    let site = Site::new(Database::Sqlite);
    let mut body = String::new();
    for number in 0..100_000 {
        let _ = write!(body, "<xs:element name=\"e{number}\" type=\"xs:string\"/>");
    }
    assert_eq!(check(&site, &schema(&site, "wide.xsd", &body)).0, "ok");
    let million = "<xs:element name=\"e\" type=\"xs:string\"/>".repeat(1_000_000);
    let (verdict, problems) = check(&site, &schema(&site, "million.xsd", &million));
    assert_eq!(verdict, "invalid");
    assert!(problems.contains("xml.too_large"), "{problems}");
}

#[test]
fn nothing_is_read_from_elsewhere() {
    let site = Site::new(Database::Sqlite);
    for location in ["http://127.0.0.1:9/x.xsd", "https://elsewhere.example/x.xsd", "ftp://elsewhere.example/x.xsd"] {
        let import = format!(
            "<xs:import namespace=\"urn:b\" schemaLocation=\"{location}\"/><xs:element xmlns:b=\"urn:b\" name=\"e\" type=\"b:t\"/>"
        );
        let (verdict, problems) = check(&site, &schema(&site, "network.xsd", &import));
        assert_eq!(verdict, "invalid", "{location}: {problems}");
        assert!(
            problems.contains("never fetched over the network") && problems.contains("xsd.unresolved"),
            "{problems}"
        );
    }
    let secret = "<xs:import namespace=\"urn:b\" schemaLocation=\"file:///etc/passwd\"/><xs:element xmlns:b=\"urn:b\" name=\"e\" type=\"b:t\"/>";
    let (verdict, problems) = check(&site, &schema(&site, "secret.xsd", secret));
    assert_eq!(verdict, "invalid");
    assert!(!problems.contains("root:"), "{problems}");
}

#[test]
fn entities_and_wrong_encodings_are_told() {
    let site = Site::new(Database::Sqlite);
    let laughs = format!(
        "<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;\">]><xs:schema {XS}><xs:element name=\"&b;\"/></xs:schema>",
        "ha".repeat(1000)
    );
    let (verdict, problems) = check(&site, &site.file("laughs.xsd", laughs));
    assert_eq!(verdict, "invalid", "{problems}");
    let mut bytes =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><xs:schema {XS}><xs:element name=\"e\"/>").into_bytes();
    bytes.extend([0xFF, 0xFE, 0x80]);
    bytes.extend(b"</xs:schema>");
    let (verdict, problems) = check(&site, &site.file("encoding.xsd", bytes));
    assert_eq!(verdict, "invalid");
    assert!(problems.contains("xml.encoding"), "{problems}");
    let utf16: Vec<u8> = [0xFF_u8, 0xFE]
        .into_iter()
        .chain(format!("<xs:schema {XS}/>").encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(check(&site, &site.file("utf16.xsd", utf16)).0, "ok");
}

#[test]
fn what_is_no_contract_is_told() {
    let site = Site::new(Database::Sqlite);
    for (name, content, code) in [
        ("empty.wsdl", "", "xml.empty"),
        ("text.wsdl", "hello", "xml.empty"),
        ("html.wsdl", "<html><body/></html>", "contract.not_a_contract"),
        ("cut.wsdl", "<wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\"><wsdl:types>", "xml.malformed"),
        (
            "required.wsdl",
            "<d:definitions xmlns:d=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:x=\"urn:x\"><x:must d:required=\"true\"/><x:may/></d:definitions>",
            "wsdl.required_extension",
        ),
        ("two.wsdl", "<description xmlns=\"http://www.w3.org/ns/wsdl\"/>", "wsdl.version"),
    ] {
        let (verdict, problems) = check(&site, &site.file(name, content));
        assert_ne!(verdict, "ok", "{name}");
        assert!(problems.contains(code), "{name}: {problems}");
    }
    let output = site.run(&["contract", "check", "missing.wsdl", "--json"]);
    assert!(output.stdout.contains("contract.not_found"), "{output:?}");
}
