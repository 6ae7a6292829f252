//! The WS-I Basic Profile: our contracts and messages keep it, and each requirement is noticed where it is not kept.

use crate::support::{Database, Site, project};
use soapstone::profile::{self, REQUIREMENTS, Recorded, envelope};
use soapstone_contract::{Memory, load};
use std::collections::{BTreeMap, BTreeSet};

/// A contract that keeps every requirement, document-literal with a header and a fault.
const GOOD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t">
<w:import namespace="urn:more" location="more.wsdl"/>
<w:types><x:schema targetNamespace="urn:t"><x:import namespace="urn:other" schemaLocation="other.xsd"/>
<x:element name="a" type="x:string"/><x:element name="b" type="x:string"/><x:element name="h" type="x:string"/><x:complexType name="c"><x:sequence><x:element name="i" type="x:int"/></x:sequence></x:complexType></x:schema></w:types>
<w:message name="in"><w:part name="p" element="t:a"/><w:part name="h" element="t:h"/></w:message>
<w:message name="other"><w:part name="p" element="t:b"/></w:message>
<w:message name="out"><w:part name="p" element="t:b"/></w:message>
<w:portType name="T"><w:operation name="o"><w:input message="t:in"/><w:output message="t:out"/><w:fault name="f" message="t:out"/></w:operation><w:operation name="q"><w:input message="t:other"/></w:operation></w:portType>
<w:binding name="B" type="t:T"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<w:operation name="o"><s:operation soapAction=""/><w:input><s:body parts="p" use="literal"/><s:header message="t:in" part="h" use="literal"/></w:input><w:output><s:body use="literal"/></w:output><w:fault name="f"><s:fault name="f" use="literal"/></w:fault></w:operation>
<w:operation name="q"><s:operation soapAction=""/><w:input><s:body use="literal"/></w:input></w:operation></w:binding>
<w:service name="S"><w:port name="P" binding="t:B"><s:address location="http://localhost/a"/></w:port></w:service>
</w:definitions>"#;

/// The same, rpc-literal.
fn rpc() -> String {
    GOOD.replace("element=\"t:a\"/><w:part name=\"h\"", "type=\"x:string\"/><w:part name=\"h\"")
        .replace(
            "<w:message name=\"other\"><w:part name=\"p\" element=\"t:b\"/>",
            "<w:message name=\"other\"><w:part name=\"p\" type=\"x:string\"/>",
        )
        .replace(
            "<w:message name=\"out\">",
            "<w:message name=\"rpcOut\"><w:part name=\"p\" type=\"x:string\"/></w:message><w:message name=\"out\">",
        )
        .replace("<w:output message=\"t:out\"/>", "<w:output message=\"t:rpcOut\"/>")
        .replace("<s:binding transport", "<s:binding style=\"rpc\" transport")
        .replace("<s:body parts=\"p\" use=\"literal\"/>", "<s:body parts=\"p\" use=\"literal\" namespace=\"urn:t\"/>")
        .replace("<s:body use=\"literal\"/>", "<s:body use=\"literal\" namespace=\"urn:t\"/>")
}

const MORE: &str = "<w:definitions xmlns:w='http://schemas.xmlsoap.org/wsdl/' targetNamespace='urn:more'/>";
const OTHER: &str = "<x:schema xmlns:x='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:other'/>";

/// The requirements that a contract does not keep; None: it cannot be read.
fn broken(wsdl: &str, more: &str) -> Option<BTreeSet<&'static str>> {
    let documents = [("a.wsdl", wsdl), ("more.wsdl", more), ("other.xsd", OTHER)];
    let documents = documents.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let contract = load(&Memory(BTreeMap::from(documents)), "a.wsdl").ok()?;
    Some(profile::contract(&contract).iter().map(|finding| finding.requirement.number).collect())
}

/// Requirement, what is changed, and into what.
const CHANGES: &[(&str, &str, &str)] = &[
    ("R2003", "<w:message name=\"in\">", "<w:message name=\"in\"><x:import namespace=\"urn:z\"/>"),
    ("R2005", "<w:import namespace=\"urn:more\"", "<w:import namespace=\"urn:less\""),
    ("R2803", "<w:import namespace=\"urn:more\"", "<w:import namespace=\"more\""),
    (
        "R2022",
        "<w:message name=\"in\">",
        "<w:import namespace=\"urn:more\" location=\"more.wsdl\"/><w:message name=\"in\">",
    ),
    ("R2023", "<w:types>", "<w:message name=\"early\"/><w:types>"),
    ("R4003", "encoding=\"utf-8\"", "encoding=\"iso-8859-1\""),
    ("R4005", "<w:types>", "<w:types xmlns:xml=\"http://www.w3.org/XML/1998/namespace\">"),
    ("R2026", "<w:types>", "<y:z xmlns:y=\"urn:y\" w:required=\"true\"/><w:types>"),
    ("R2102", "type=\"x:int\"", "type=\"z:Int\" xmlns:z=\"urn:more-types\""),
    ("R2105", "<w:types>", "<w:types><x:schema><x:element name=\"n\" type=\"x:string\"/></x:schema>"),
    ("R2112", "<x:element name=\"h\"", "<x:element name=\"ArrayOfH\" type=\"x:string\"/><x:element name=\"h\""),
    (
        "R2114",
        "<w:types>",
        "<w:types><x:schema targetNamespace=\"urn:t\"><x:element name=\"z\" type=\"x:string\"/></x:schema>",
    ),
    ("R2201", "parts=\"p\"", "parts=\"p h\""),
    ("R2210", "<w:message name=\"out\">", "<w:message name=\"out\"><w:part name=\"q\" element=\"t:a\"/>"),
    (
        "R2204",
        "<w:message name=\"other\"><w:part name=\"p\" element=\"t:b\"/>",
        "<w:message name=\"other\"><w:part name=\"p\" type=\"x:string\"/>",
    ),
    ("R2205", "<w:part name=\"h\" element=\"t:h\"/>", "<w:part name=\"h\" type=\"x:string\"/>"),
    (
        "R2209",
        "<w:part name=\"h\" element=\"t:h\"/>",
        "<w:part name=\"h\" element=\"t:h\"/><w:part name=\"z\" element=\"t:h\"/>",
    ),
    (
        "R2304",
        "<w:operation name=\"q\"><w:input message=\"t:other\"/></w:operation></w:portType>",
        "<w:operation name=\"q\"><w:input name=\"one\" message=\"t:other\"/></w:operation><w:operation name=\"q\"><w:input name=\"two\" message=\"t:other\"/></w:operation></w:portType>",
    ),
    (
        "R2303",
        "<w:input message=\"t:in\"/><w:output message=\"t:out\"/>",
        "<w:output message=\"t:out\"/><w:input message=\"t:in\"/>",
    ),
    ("R2701", " transport=\"http://schemas.xmlsoap.org/soap/http\"", ""),
    ("R2702", "http://schemas.xmlsoap.org/soap/http", "http://schemas.xmlsoap.org/soap/smtp"),
    (
        "R2705",
        "<w:operation name=\"q\"><s:operation soapAction=\"\"/>",
        "<w:operation name=\"q\"><s:operation soapAction=\"\" style=\"rpc\"/>",
    ),
    ("R2706", "<w:output><s:body use=\"literal\"/>", "<w:output><s:body use=\"encoded\"/>"),
    ("R2710", "<w:input message=\"t:other\"/>", "<w:input message=\"t:in\"/>"),
    (
        "R2711",
        "<w:port name=\"P\"",
        "<w:port name=\"Z\" binding=\"t:B\"><s:address location=\"http://localhost/a\"/></w:port><w:port name=\"P\"",
    ),
    ("R2716", "<w:output><s:body", "<w:output><s:body namespace=\"urn:t\""),
    (
        "R2718",
        "<w:operation name=\"q\"><s:operation soapAction=\"\"/><w:input><s:body use=\"literal\"/></w:input></w:operation>",
        "",
    ),
    ("R2749", "<s:header message", "<s:header parts=\"h\" message"),
    ("R2721", "<s:fault name=\"f\"", "<s:fault"),
    ("R2754", "<s:fault name=\"f\"", "<s:fault name=\"g\""),
    ("R2723", "<s:fault name=\"f\" use=\"literal\"", "<s:fault name=\"f\" use=\"encoded\""),
    (
        "R2401",
        "<w:service",
        "<w:binding name=\"G\" type=\"t:T\"><h:binding xmlns:h=\"http://schemas.xmlsoap.org/wsdl/http/\" verb=\"GET\"/></w:binding><w:service",
    ),
    ("R2111", "<x:sequence><x:element name=\"i\"", "<x:sequence><x:element w:arrayType=\"x:int[]\" name=\"i\""),
    (
        "R2110",
        "<x:complexType name=\"c\"><x:sequence><x:element name=\"i\" type=\"x:int\"/></x:sequence></x:complexType>",
        "<x:import namespace=\"http://schemas.xmlsoap.org/soap/encoding/\"/><x:complexType name=\"c\"><x:complexContent><x:restriction xmlns:e=\"http://schemas.xmlsoap.org/soap/encoding/\" base=\"e:Array\"/></x:complexContent></x:complexType>",
    ),
];

/// Those of contracts that are refused as a whole before the profile is asked, or of the other style.
const ELSEWHERE: [&str; 14] = [
    "R2001", "R2002", "R2007", "R2011", "R4004", "R2101", "R2206", "R2306", "R2203", "R2717", "R2726", "R2720",
    "R2712", "R2714",
];

#[test]
fn what_keeps_it_is_not_blamed() {
    assert_eq!(broken(GOOD, MORE), Some(BTreeSet::new()));
    assert_eq!(broken(&rpc(), MORE), Some(BTreeSet::new()));
}

#[test]
fn each_requirement_on_contracts_is_noticed() {
    let mut wrong = Vec::new();
    for (number, from, to) in CHANGES {
        assert!(GOOD.contains(from), "{number}: {from}");
        let found = broken(&GOOD.replacen(from, to, 1), MORE);
        // What nobody can work with is refused with a problem of its own.
        if found.as_ref().is_some_and(|found| !found.contains(number)) {
            wrong.push(format!("{number}: {found:?}"));
        }
        if found.is_none() {
            println!("{number} is refused");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (number, from, to) in [
        (
            "R2203",
            "<w:message name=\"rpcOut\"><w:part name=\"p\" type=\"x:string\"/>",
            "<w:message name=\"rpcOut\"><w:part name=\"p\" element=\"t:b\"/>",
        ),
        ("R2717", "<s:body use=\"literal\" namespace=\"urn:t\"/>", "<s:body use=\"literal\"/>"),
        ("R2726", "<s:header message", "<s:header namespace=\"urn:t\" message"),
    ] {
        let text = rpc().replacen(from, to, 1);
        assert!(text != rpc() && broken(&text, MORE).is_none_or(|found| found.contains(number)), "{number}");
    }
    // Imports of something else.
    assert!(broken(GOOD, OTHER).is_none_or(|found| found.contains("R2001") && found.contains("R2002")));
    // Nobody reads those.
    assert!(
        broken(&GOOD.replace("version=\"1.0\"", "version=\"1.1\""), MORE).is_none_or(|found| found.contains("R4004"))
    );
}

/// Requirement and an envelope that does not keep it, with its media type and status.
fn envelopes() -> Vec<(&'static str, String, &'static str, u16)> {
    const MEDIA: &str = "text/xml; charset=utf-8";
    let with =
        |inner: &str| format!("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>{inner}</s:Envelope>");
    let body = |inner: &str| with(&format!("<s:Body>{inner}</s:Body>"));
    let fault = |inner: &str| body(&format!("<s:Fault>{inner}</s:Fault>"));
    vec![
        ("R9980", "<a/>".to_owned(), MEDIA, 200),
        ("R9980", with(""), MEDIA, 200),
        ("R9980", with("<s:Header/><s:Header/><s:Body/>"), MEDIA, 200),
        ("R9981", body("<a xmlns='urn:a'/><b xmlns='urn:b'/>"), MEDIA, 200),
        ("R1014", body("<a/>"), MEDIA, 200),
        ("R1008", format!("<!DOCTYPE a>{}", body("")), MEDIA, 200),
        ("R1009", body("<?a b?>"), MEDIA, 200),
        ("R1033", body("<a xmlns='urn:a' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>"), MEDIA, 200),
        ("R1011", with("<s:Body/><a/>"), MEDIA, 200),
        ("R1005", with("<s:Body s:encodingStyle='urn:x'/>"), MEDIA, 200),
        ("R1006", body("<a xmlns='urn:a' s:encodingStyle='urn:x'/>"), MEDIA, 200),
        ("R1013", with("<s:Header><a xmlns='urn:a' s:mustUnderstand='true'/></s:Header><s:Body/>"), MEDIA, 200),
        ("R1000", fault("<faultcode>s:Client</faultcode><more/>"), MEDIA, 500),
        ("R1001", fault("<s:faultcode>s:Client</s:faultcode>"), MEDIA, 500),
        ("R1004", fault("<faultcode>Mine</faultcode>"), MEDIA, 500),
        ("R1031", fault("<faultcode>s:Client.Mine</faultcode>"), MEDIA, 500),
        (
            "R2113",
            body("<a xmlns='urn:a' xmlns:e='http://schemas.xmlsoap.org/soap/encoding/' e:arrayType='x[1]'/>"),
            MEDIA,
            200,
        ),
        ("R2712", body("<other xmlns='urn:a'/>"), MEDIA, 200),
        ("R1111", body("<a xmlns='urn:a'/>"), MEDIA, 201),
        ("R1126", fault("<faultcode>s:Client</faultcode>"), MEDIA, 200),
        ("R1018", body("<a xmlns='urn:a'/>"), "text/xml", 200),
    ]
}

#[test]
fn each_requirement_on_messages_is_noticed() {
    let judged = |text: &str, media: &str, status: u16| -> BTreeSet<&'static str> {
        let expected = &[("urn:a", "a")];
        let recorded = Recorded { place: "x", text, media, status: Some(status), expected, ..Recorded::default() };
        envelope(&recorded).iter().map(|finding| finding.requirement.number).collect()
    };
    for (number, text, media, status) in envelopes() {
        let found = judged(&text, media, status);
        assert!(found.contains(number), "{number}: {found:?} of {text}");
    }
    for version in ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"] {
        let good = format!(
            "<s:Envelope xmlns:s='{version}'><s:Header><h xmlns='urn:h' s:mustUnderstand='1'/></s:Header><s:Body><a xmlns='urn:a'/></s:Body></s:Envelope>"
        );
        assert_eq!(judged(&good, "text/xml; charset=utf-8", 200), BTreeSet::new());
    }
    let get = Recorded { place: "x", verb: Some("GET"), ..Recorded::default() };
    assert_eq!(envelope(&get)[0].requirement.number, "R1132");
    let (_, text, media, _) = envelopes().remove(20);
    let answered = Recorded { place: "x", text: &text, media, status: Some(200), one_way: true, ..Recorded::default() };
    assert!(envelope(&answered).iter().any(|finding| finding.requirement.number == "R2714"));
}

#[test]
fn every_requirement_has_a_case() {
    let mut cases: BTreeSet<&str> = CHANGES.iter().map(|(number, ..)| *number).chain(ELSEWHERE).collect();
    let envelopes = envelopes();
    cases.extend(envelopes.iter().map(|(number, ..)| *number).chain(["R1132"]));
    let known: BTreeSet<&str> = REQUIREMENTS.iter().map(|requirement| requirement.number).collect();
    assert_eq!(known.len(), REQUIREMENTS.len());
    assert_eq!(known.difference(&cases).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(cases.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn our_contracts_keep_it() {
    let site = Site::new(Database::Sqlite);
    let ours = [
        "wsdl/catalog.wsdl",
        "wsdl/exchange.wsdl",
        "examples/document-server/wsdl/stock.wsdl",
        "examples/documents/wsdl/documents.wsdl",
    ];
    let ours = ours.map(|file| project(file).display().to_string());
    let mut arguments = vec!["contract", "profile"];
    arguments.extend(ours.iter().map(String::as_str));
    assert_eq!(site.json(&arguments)["findings"], serde_json::json!([]));
    // Encoding is what it does not want; it is told, with its number.
    let encoded = site.run(&["contract", "profile", project("examples/rpc-encoded/wsdl/shop.wsdl").to_str().unwrap()]);
    assert!(encoded.code == 1 && encoded.stdout.contains("R2706 (must)"), "{encoded:?}");
}

/// What is kept of requests and answers is judged too; all answers of the cases are, where they are compared.
#[test]
fn recorded_messages_are_judged() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_with(&["capture-clients=*"]);
    let envelope = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><ListCategories xmlns='urn:soapstone:catalog/v1'/></s:Body></s:Envelope>";
    for media in ["text/xml; charset=utf-8", "text/xml"] {
        server.call("POST", "/soap/catalog", &[("content-type", media)], envelope.as_bytes());
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while site.json(&["message", "list"])["messages"].as_array().unwrap().len() < 2 {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let told = site.run(&["message", "check"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert!(
        told.stdout.starts_with("message 2, the request:1: R1018 (must)") && told.stdout.lines().count() == 2,
        "{told:?}"
    );
}
