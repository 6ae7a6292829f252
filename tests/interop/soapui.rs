//! The project for SoapUI: every operation with a sample, and a test that is done here as SoapUI would do it.

use crate::support::{Database, Server, Site, contracts, project};
use libxml::parser::Parser;
use libxml::tree::{Document, Node};
use libxml::xpath::Context;
use soapstone::dynamic::Loaded;
use soapstone_codegen::Generator;
use soapstone_runtime::http::{Step, Suite, soapui};
use soapstone_runtime::validate::Validator;
use std::fmt::Write;

const FILE: &str = "tests/interop/soapui/soapstone-soapui-project.xml";
const CONFIG: &str = "http://eviware.com/soapui/config";
const NAMESPACES: &[(&str, &str)] = &[
    ("cat", "urn:soapstone:catalog/v1"),
    ("com", "urn:soapstone:common/v1"),
    ("cus", "urn:soapstone:customers/v1"),
    ("exc", "urn:soapstone:exchange/v1"),
    ("inv", "urn:soapstone:inventory/v1"),
    ("lis", "urn:soapstone:listener/v1"),
    ("med", "urn:soapstone:media/v1"),
    ("ord", "urn:soapstone:orders/v1"),
    ("pri", "urn:soapstone:pricing/v1"),
    ("sig", "urn:soapstone:signals/v1"),
];

fn read(text: &str) -> Document {
    Parser::default().parse_string(text).unwrap_or_else(|_| panic!("no XML: {text}"))
}

/// The steps of a contract, as its file in `steps/` has them.
fn steps(contract: &str) -> Vec<Step> {
    let file = project(&format!("tests/interop/soapui/steps/{contract}.xml"));
    let document = read(&std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display())));
    let root = document.get_root_element().unwrap();
    let step = |node: Node| {
        let children = node.get_child_elements();
        let finds = children.iter().filter(|child| child.get_name() == "find").map(|find| {
            let declared = NAMESPACES.iter().fold(String::new(), |mut out, (prefix, uri)| {
                let _ = writeln!(out, "declare namespace {prefix}='{uri}';");
                out
            });
            (declared + find.get_attribute("path").unwrap().as_str(), find.get_content())
        });
        Step {
            operation: node.get_attribute("operation").unwrap(),
            body: document.node_to_string(children.last().unwrap()),
            finds: finds.collect(),
        }
    };
    root.get_child_elements().into_iter().map(step).collect()
}

/// The project of all services, as it is kept.
fn made() -> String {
    let mut generator = Generator::new();
    for name in contracts() {
        generator.add(&project(&format!("wsdl/{name}.wsdl"))).unwrap();
    }
    let loaded = Loaded::of(&generator).unwrap();
    let suites: Vec<Suite<'_>> = loaded
        .services()
        .map(|service| {
            let operations: Vec<&str> = service.operations.iter().map(|operation| operation.name).collect();
            let steps = steps(&service.name.to_lowercase());
            for operation in &operations {
                assert!(steps.iter().any(|step| step.operation == *operation), "{operation} has no step");
            }
            let address = format!("http://127.0.0.1:8080/soap/{}", service.name.to_lowercase());
            Suite { service, address, steps }
        })
        .collect();
    soapui("Soapstone", &suites)
}

fn validator() -> Validator {
    let schema = std::fs::read_to_string(project("tests/interop/soapui/project.xsd")).unwrap();
    Validator::new(&[("project.xsd".to_owned(), schema)], &[(CONFIG.to_owned(), "project.xsd".to_owned())]).unwrap()
}

#[test]
fn the_project_has_every_operation() {
    let made = made();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(project(FILE), &made).unwrap();
    }
    let kept = std::fs::read_to_string(project(FILE)).unwrap_or_default();
    assert!(kept == made, "{FILE} is out of date: UPDATE=1 writes it");
    assert_eq!(validator().validate(&made, 0), Ok(()));
    let server = Site::new(Database::Sqlite).serve();
    for service in contracts() {
        let served = server.get(&format!("/soap/{service}?soapui"));
        assert_eq!((served.status, validator().validate(&served.body, 0)), (200, Ok(())));
        assert!(served.body.contains(&format!("{}/soap/{service}?wsdl", server.base)));
    }
}

/// All elements of that name in a node.
fn all(node: &Node, name: &str) -> Vec<Node> {
    node.findnodes(&format!(".//*[local-name() = '{name}']")).unwrap()
}

fn content(node: &Node, name: &str) -> String {
    all(node, name)[0].get_content()
}

/// What an XPath with declarations finds, as text.
fn found(answer: &str, path: &str) -> String {
    let document = read(answer);
    let context = Context::new(&document).unwrap();
    let (declarations, path) = path.rsplit_once(";\n").unwrap();
    for declaration in declarations.split(";\n") {
        let (prefix, uri) = declaration.trim_start_matches("declare namespace ").split_once('=').unwrap();
        context.register_namespace(prefix, uri.trim_matches('\'')).unwrap();
    }
    context.evaluate(path).unwrap().to_string()
}

fn run(server: &Server, step: &Node) -> Result<(), String> {
    let request = &all(step, "request")[0];
    let envelope = content(request, "request");
    let path = content(request, "endpoint").trim_start_matches("http://127.0.0.1:8080").to_owned();
    let media = if envelope.contains("2003/05/soap-envelope") { "application/soap+xml" } else { "text/xml" };
    let reply = server.call("POST", &path, &[("content-type", media)], envelope.as_bytes());
    for assertion in all(request, "assertion") {
        let is_right = match assertion.get_attribute("type").unwrap().as_str() {
            "SOAP Response" => reply.body.contains("Envelope") && read(&reply.body).get_root_element().is_some(),
            // The server validates its answers, here in the tests; what would not fit is another fault.
            "Schema Compliance" => !reply.body.contains("response.invalid"),
            "XPath Match" => found(&reply.body, &content(&assertion, "path")) == content(&assertion, "content"),
            other => panic!("{other} is not known"),
        };
        if !is_right {
            return Err(format!("{}: {}", assertion.get_content(), reply.body));
        }
    }
    Ok(())
}

#[test]
fn the_tests_of_the_project_pass() {
    let server = Site::new(Database::Sqlite).serve();
    let document = read(&std::fs::read_to_string(project(FILE)).unwrap());
    let cases = all(&document.get_root_element().unwrap(), "testCase");
    assert_eq!(cases.len(), 2 * contracts().len());
    let mut wrong = Vec::new();
    for case in &cases {
        let steps = all(case, "testStep");
        assert!(!steps.is_empty());
        for step in &steps {
            if let Err(why) = run(&server, step) {
                wrong.push(format!(
                    "{} {}: {why}",
                    case.get_attribute("name").unwrap(),
                    step.get_attribute("name").unwrap()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
