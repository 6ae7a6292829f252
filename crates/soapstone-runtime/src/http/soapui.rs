//! A project for SoapUI: each operation of each binding with a sample request, and a test that calls it.

use super::only::bindings;
use crate::service::{OperationInfo, ServiceInfo};
use crate::soap::Version;
use crate::xml::{escape_attribute, escape_text};

const CONFIG: &str = "http://eviware.com/soapui/config";

/// A service in a project.
#[derive(Clone, Debug)]
pub struct Suite<'a> {
    pub service: &'a ServiceInfo,
    /// Where it is served.
    pub address: String,
    /// The steps of its test; none: each operation with its sample.
    pub steps: Vec<Step>,
}

/// A step of a test.
#[derive(Clone, Debug, Default)]
pub struct Step {
    pub operation: String,
    /// The element of the request's body.
    pub body: String,
    /// What must be found in the answer: an XPath with its namespaces declared as XQuery does, and the text there.
    pub finds: Vec<(String, String)>,
}

/// The project of services.
pub fn soapui(name: &str, suites: &[Suite<'_>]) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<con:soapui-project xmlns:con=\"{CONFIG}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" name=\"{}\" soapui-version=\"5.7.2\" \
         runType=\"SEQUENTIAL\">\n  <con:settings/>\n",
        attribute(name)
    );
    let mut tests = String::new();
    for Suite { service, address, steps } in suites {
        let mut cases = String::new();
        for binding in bindings(&service.documents.iter().collect::<Vec<_>>()) {
            // Of HTTP, or of another portType.
            let Some(version) = binding.version.filter(|_| binding.port_type == service.name) else { continue };
            interface(service, &binding.name, version, address, &mut out);
            test_case(service, steps, &binding.name, version, address, &mut cases);
        }
        tests.push_str(&format!(
            "  <con:testSuite name=\"{}\">\n    <con:settings/>\n    <con:runType>SEQUENTIAL</con:runType>\n{cases}  \
             </con:testSuite>\n",
            attribute(service.name)
        ));
    }
    out.push_str(&tests);
    out.push_str("</con:soapui-project>\n");
    out
}

fn attribute(text: &str) -> String {
    let mut out = String::new();
    escape_attribute(text, &mut out);
    out
}

fn text(text: &str) -> String {
    let mut out = String::new();
    escape_text(text, &mut out);
    out
}

/// What every request has: encoding, address, envelope; then `more`, and nobody who logs in.
fn request(body: &str, version: Version, address: &str, more: &str, indent: &str) -> String {
    let envelope = version.wrap(&format!("\n{}\n", body.trim()));
    format!(
        "{indent}<con:settings/>\n{indent}<con:encoding>UTF-8</con:encoding>\n{indent}<con:endpoint>{}</con:endpoint>\n\
         {indent}<con:request>{}</con:request>\n{more}{indent}<con:credentials><con:authType>Global HTTP \
         Settings</con:authType></con:credentials>\n",
        text(address),
        text(&envelope)
    )
}

fn interface(service: &ServiceInfo, binding: &str, version: Version, address: &str, out: &mut String) {
    let soap = if version == Version::Soap11 { "1_1" } else { "1_2" };
    out.push_str(&format!(
        "  <con:interface xsi:type=\"con:WsdlInterface\" name=\"{0}\" type=\"wsdl\" bindingName=\"{{{1}}}{0}\" \
         soapVersion=\"{soap}\" definition=\"{2}?wsdl\">\n    <con:settings/>\n    \
         <con:endpoints><con:endpoint>{3}</con:endpoint></con:endpoints>\n",
        attribute(binding),
        attribute(service.namespace),
        attribute(address),
        text(address)
    ));
    for operation in service.operations {
        let (name, kind) =
            (attribute(operation.name), if operation.output.is_some() { "Request-Response" } else { "One-Way" });
        out.push_str(&format!(
            "    <con:operation name=\"{name}\" bindingOperationName=\"{name}\" action=\"{}\" type=\"{kind}\" \
             isOneWay=\"{}\" sendsAttachments=\"{}\" receivesAttachments=\"{}\">\n      <con:settings/>\n      \
             <con:call name=\"Sample\">\n{}      </con:call>\n    </con:operation>\n",
            attribute(operation.soap_action),
            operation.output.is_none(),
            !operation.attachments.is_empty(),
            !operation.reply_attachments.is_empty(),
            request(operation.sample_request, version, address, "", "        ")
        ));
    }
    out.push_str("  </con:interface>\n");
}

fn test_case(service: &ServiceInfo, steps: &[Step], binding: &str, version: Version, address: &str, out: &mut String) {
    out.push_str(&format!(
        "    <con:testCase name=\"{}\" keepSession=\"false\" failOnError=\"false\" failTestCaseOnErrors=\"true\" \
         searchProperties=\"true\">\n      <con:settings/>\n",
        attribute(binding)
    ));
    let samples: Vec<Step>;
    let steps = if steps.is_empty() {
        let of = |operation: &OperationInfo| Step {
            operation: operation.name.to_owned(),
            body: operation.sample_request.to_owned(),
            finds: Vec::new(),
        };
        samples = service.operations.iter().map(of).collect();
        &samples
    } else {
        steps
    };
    for (number, step) in steps.iter().enumerate() {
        let operation = service.operations.iter().find(|operation| operation.name == step.operation);
        let is_answered = operation.is_some_and(|operation| operation.output.is_some());
        let name = attribute(&format!("{} {}", number + 1, step.operation));
        let assertions = if is_answered { assertions(step) } else { String::new() };
        out.push_str(&format!(
            "      <con:testStep type=\"request\" name=\"{name}\">\n        <con:settings/>\n        <con:config \
             xsi:type=\"con:RequestStep\">\n          <con:interface>{}</con:interface>\n          \
             <con:operation>{}</con:operation>\n          <con:request name=\"{name}\">\n{}          </con:request>\n        \
             </con:config>\n      </con:testStep>\n",
            text(binding),
            text(&step.operation),
            request(&step.body, version, address, &assertions, "            ")
        ));
    }
    out.push_str("    </con:testCase>\n");
}

/// What a step looks at: that the answer is an envelope as the contract says, and what is in it.
fn assertions(step: &Step) -> String {
    let one = |kind: &str, name: &str, configuration: &str| {
        format!(
            "            <con:assertion type=\"{kind}\" name=\"{}\"><con:configuration>{configuration}</con:configuration>\
             </con:assertion>\n",
            attribute(name)
        )
    };
    let mut out = one("SOAP Response", "SOAP Response", "") + &one("Schema Compliance", "Schema Compliance", "");
    for (number, (path, content)) in step.finds.iter().enumerate() {
        let configuration = format!("<path>{}</path><content>{}</content>", text(path), text(content));
        out.push_str(&one("XPath Match", &format!("found {}", number + 1), &configuration));
    }
    out
}
