//! Requirements on what goes over the wire.

use super::tree::{self, Element};
use super::{Finding, Findings};
use quick_xml::Reader;
use quick_xml::events::Event;
use soapstone_runtime::attachment::MediaType;

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A message as it was recorded.
#[derive(Clone, Debug, Default)]
pub struct Recorded<'a> {
    /// What it is called in findings.
    pub place: &'a str,
    pub text: &'a str,
    /// The content type.
    pub media: &'a str,
    /// Of a request: its verb.
    pub verb: Option<&'a str>,
    /// Of an answer: its status.
    pub status: Option<u16>,
    /// The elements that its body may have, by namespace and name, where they are known; a fault may always be there.
    pub expected: &'a [(&'a str, &'a str)],
    /// Of an answer: whether the operation is one-way.
    pub one_way: bool,
}

/// What in a message does not keep the profile.
pub fn envelope(recorded: &Recorded<'_>) -> Vec<Finding> {
    let mut found = Findings::new(recorded.place);
    found.expect(recorded.verb.is_none_or(|verb| verb == "POST"), "R1132", 1, || "it is no POST".to_owned());
    if recorded.text.is_empty() {
        return found.found;
    }
    if recorded.one_way && recorded.status.is_some_and(|status| status < 300) {
        found.add("R2714", 1, "a one-way message is answered with an envelope");
    }
    let has_charset = MediaType::parse(recorded.media).parameter("charset").is_some();
    let is_multipart = recorded.media.starts_with("multipart/");
    found.expect(has_charset || is_multipart, "R1018", 1, || format!("the media type is \"{}\"", recorded.media));
    markup(recorded.text, &mut found);
    let Some(root) = tree::parse(recorded.text) else {
        found.add("R9980", 1, "it is no XML");
        return found.found;
    };
    structure(&root, recorded, &mut found);
    found.found
}

/// What a tree does not show.
fn markup(text: &str, found: &mut Findings<'_>) {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::DocType(_)) => found.add("R1008", 1, "it has a DOCTYPE"),
            Ok(Event::PI(_)) => found.add("R1009", 1, "it has a processing instruction"),
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn structure(root: &Element, recorded: &Recorded<'_>, found: &mut Findings<'_>) {
    let soap = root.namespace.as_str();
    let is_envelope = root.local == "Envelope" && [SOAP_11, SOAP_12].contains(&soap);
    if !is_envelope {
        return found.add("R9980", root.line, format!("the root element is {}", root.local));
    }
    let Some(at) = root.children.iter().position(|child| child.is(soap, "Body")) else {
        return found.add("R9980", root.line, "there is no body");
    };
    let before = &root.children[..at];
    let is_header = before.len() <= 1 && before.iter().all(|child| child.is(soap, "Header"));
    found.expect(is_header, "R9980", root.line, || "something but a header stands before the body".to_owned());
    let body = &root.children[at];
    found.expect(root.children.len() == at + 1, "R1011", body.line, || "something follows the body".to_owned());
    found.expect(body.children.len() <= 1, "R9981", body.line, || "the body has several elements".to_owned());
    for element in root.deep() {
        let declares_xml = element.declared.iter().any(|(prefix, uri)| prefix == "xml" && uri == XML);
        found.expect(!declares_xml, "R1033", element.line, || "the prefix xml is declared".to_owned());
        let has_style = element.attribute_of(soap, "encodingStyle").is_some();
        found.expect(!(has_style && element.namespace == soap), "R1005", element.line, || {
            format!("{} has an encodingStyle", element.local)
        });
        let has_array = element.attribute_of(ENCODING, "arrayType").is_some();
        found.expect(!has_array, "R2113", element.line, || format!("{} has an arrayType", element.local));
    }
    for block in before.iter().flat_map(|header| &header.children) {
        let value = block.attribute_of(soap, "mustUnderstand");
        let is_right = value
            .is_none_or(|value| matches!(value, "0" | "1") || (soap == SOAP_12 && matches!(value, "true" | "false")));
        found.expect(is_right, "R1013", block.line, || format!("mustUnderstand is {}", value.unwrap_or("")));
    }
    let Some(content) = body.children.first() else { return };
    found
        .expect(!content.namespace.is_empty(), "R1014", content.line, || format!("{} has no namespace", content.local));
    let has_style = content.attribute_of(soap, "encodingStyle").is_some();
    found.expect(!has_style, "R1006", content.line, || format!("{} has an encodingStyle", content.local));
    if content.is(soap, "Fault") {
        return fault(content, soap, recorded, found);
    }
    found.expect(recorded.status.is_none_or(|status| status == 200), "R1111", 1, || {
        format!("the status is {}", recorded.status.unwrap_or(0))
    });
    let is_expected =
        recorded.expected.is_empty() || recorded.expected.iter().any(|(namespace, local)| content.is(namespace, local));
    found.expect(is_expected, "R2712", content.line, || format!("{} is no element of the contract", content.local));
}

fn fault(fault: &Element, soap: &str, recorded: &Recorded<'_>, found: &mut Findings<'_>) {
    let is_11 = soap == SOAP_11;
    let is_status = recorded.status.is_none_or(|status| status == 500);
    // What HTTP refuses, before there is a message, it refuses by its own statuses (R1113 to R1116, RFC 9110).
    let by_http = recorded.status.is_some_and(|status| matches!(status, 400 | 401 | 403 | 405 | 408 | 413 | 415 | 503));
    found.expect(is_status || by_http, "R1126", 1, || format!("the status is {}", recorded.status.unwrap_or(0)));
    let known: &[&str] = if is_11 {
        &["faultcode", "faultstring", "faultactor", "detail"]
    } else {
        &["Code", "Reason", "Node", "Role", "Detail"]
    };
    for child in &fault.children {
        found.expect(known.contains(&child.local.as_str()), "R1000", child.line, || {
            format!("a fault has {}", child.local)
        });
        found.expect(!is_11 || child.namespace.is_empty(), "R1001", child.line, || {
            format!("{} has a namespace", child.local)
        });
    }
    let Some(code) = fault.first("", "faultcode").filter(|_| is_11) else { return };
    let (namespace, local) = code.resolved(&code.text);
    found.expect(!namespace.is_empty(), "R1004", code.line, || format!("the faultcode {local} has no namespace"));
    found.expect(!(namespace == SOAP_11 && local.contains('.')), "R1031", code.line, || {
        format!("the faultcode is {local}")
    });
}
