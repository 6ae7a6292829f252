//! Requirements on a WSDL document.

use super::Findings;
use super::tree::{Element, WSDL, XSD};
use soapstone_contract::Contract;
use std::collections::BTreeSet;

/// The namespaces of SOAP's bindings.
const SOAP: [&str; 2] = ["http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/"];
const HTTP: &str = "http://schemas.xmlsoap.org/soap/http";

type Trees<'a> = [(&'a str, Element)];

pub(super) fn check(text: &str, root: &Element, contract: &Contract, trees: &Trees<'_>, found: &mut Findings<'_>) {
    form(text, root, found);
    imports(root, contract, trees, found);
    types(root, found);
    messages(root, found);
    for port_type in root.all(WSDL, "portType") {
        port_type_of(port_type, found);
    }
    let all = All { trees };
    for binding in root.all(WSDL, "binding") {
        binding_of(binding, &all, found);
    }
    addresses(root, found);
}

/// The document as such, and the order in it.
fn form(text: &str, root: &Element, found: &mut Findings<'_>) {
    let declaration = text.strip_prefix("<?xml").and_then(|rest| rest.split("?>").next()).unwrap_or("");
    let says = |name: &str| declaration.split(name).nth(1).map(|rest| rest.trim_start_matches([' ', '=', '"', '\'']));
    found.expect(says("version").is_none_or(|v| v.starts_with("1.0")), "R4004", 1, || "it is no XML 1.0".to_owned());
    let encoding = says("encoding").map(str::to_ascii_lowercase).unwrap_or_default();
    let is_unicode = encoding.is_empty() || encoding.starts_with("utf-8") || encoding.starts_with("utf-16");
    found.expect(is_unicode, "R4003", 1, || "it is neither in UTF-8 nor in UTF-16".to_owned());
    for element in root.deep() {
        let declares_xml = element.declared.iter().any(|(prefix, _)| prefix == "xml");
        found.expect(!declares_xml, "R4005", element.line, || "the prefix xml is declared".to_owned());
        let is_required = element.namespace != WSDL && element.attribute_of(WSDL, "required") == Some("true");
        found.expect(!is_required, "R2026", element.line, || format!("the extension {} is required", element.local));
    }
    let (mut after_imports, mut after_types) = (false, false);
    for child in root.children.iter().filter(|child| child.namespace == WSDL) {
        match child.local.as_str() {
            "documentation" => {}
            "import" => {
                found.expect(!after_imports, "R2022", child.line, || {
                    "wsdl:import stands after other elements".to_owned()
                });
            }
            "types" => {
                found.expect(!after_types, "R2023", child.line, || "wsdl:types stands after other elements".to_owned());
                after_imports = true;
            }
            _ => (after_imports, after_types) = (true, true),
        }
    }
}

fn imports(root: &Element, contract: &Contract, trees: &Trees<'_>, found: &mut Findings<'_>) {
    for import in root.all(WSDL, "import") {
        let location = import.attribute("location").unwrap_or("");
        let namespace = import.attribute("namespace").unwrap_or("");
        found.expect(!location.is_empty(), "R2007", import.line, || "wsdl:import has no location".to_owned());
        found.expect(namespace.contains(':'), "R2803", import.line, || format!("\"{namespace}\" is no absolute URI"));
        let link = contract.links.iter().find(|link| link.from == found.place && link.location == location);
        let Some((_, target)) = link.and_then(|link| trees.iter().find(|(name, _)| *name == link.to)) else { continue };
        if target.is(XSD, "schema") {
            found.add("R2002", import.line, format!("{location} is a schema"));
        }
        found.expect(target.is(WSDL, "definitions"), "R2001", import.line, || format!("{location} is no WSDL"));
        let own = target.attribute("targetNamespace").unwrap_or("");
        found.expect(own == namespace, "R2005", import.line, || format!("{location} has the namespace {own}"));
    }
}

fn types(root: &Element, found: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for schema in root.all(WSDL, "types").flat_map(|types| types.all(XSD, "schema")) {
        let only_imports = schema.children.iter().all(|c| c.is(XSD, "import") || c.is(XSD, "annotation"));
        match schema.attribute("targetNamespace").filter(|target| !target.is_empty()) {
            Some(target) => {
                let is_new = seen.insert(target);
                found.expect(is_new, "R2114", schema.line, || format!("another schema has the namespace {target}"));
            }
            None => found.expect(only_imports, "R2105", schema.line, || "a schema has no targetNamespace".to_owned()),
        }
    }
}

fn messages(root: &Element, found: &mut Findings<'_>) {
    let schemas: Vec<&Element> = root.all(WSDL, "types").flat_map(|types| types.all(XSD, "schema")).collect();
    let mut known: BTreeSet<&str> = BTreeSet::from([XSD, root.attribute("targetNamespace").unwrap_or("")]);
    known.extend(schemas.iter().filter_map(|schema| schema.attribute("targetNamespace")));
    known.extend(schemas.iter().flat_map(|s| s.all(XSD, "import")).filter_map(|i| i.attribute("namespace")));
    known.extend(root.all(WSDL, "import").filter_map(|import| import.attribute("namespace")));
    for part in root.all(WSDL, "message").flat_map(|message| message.all(WSDL, "part")) {
        let name = part.attribute("name").unwrap_or("");
        let (element, kind) = (part.name_in("element"), part.name_in("type"));
        let has_both = element.is_some() && kind.is_some();
        found.expect(!has_both, "R2306", part.line, || format!("the part {name} has an element and a type"));
        let is_type = element.as_ref().is_some_and(|(namespace, _)| namespace == XSD);
        found.expect(!is_type, "R2206", part.line, || format!("the part {name} names a type as its element"));
        for (namespace, local) in element.iter().chain(&kind) {
            found.expect(known.contains(namespace.as_str()), "R2101", part.line, || {
                format!("{local} is in {namespace}, which is not imported")
            });
        }
    }
}

fn port_type_of(port_type: &Element, found: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for operation in port_type.all(WSDL, "operation") {
        let name = operation.attribute("name").unwrap_or("");
        found.expect(seen.insert(name), "R2304", operation.line, || format!("there are two operations {name}"));
        let first = operation.children.iter().find(|c| c.is(WSDL, "input") || c.is(WSDL, "output"));
        let is_asked = first.is_some_and(|c| c.local == "input");
        found.expect(is_asked, "R2303", operation.line, || format!("{name} begins with its output"));
    }
}

/// The documents of a contract, to look names up in.
struct All<'a> {
    trees: &'a Trees<'a>,
}

impl<'a> All<'a> {
    fn find(&self, kind: &'a str, name: &(String, String)) -> Option<&'a Element> {
        let of = |root: &&'a (&str, Element)| root.1.attribute("targetNamespace").unwrap_or("") == name.0;
        let roots = self.trees.iter().filter(of);
        roots.flat_map(|(_, root)| root.all(WSDL, kind)).find(|e| e.attribute("name") == Some(&name.1))
    }

    /// The parts of a message that an input, output or fault names.
    fn parts(&self, direction: &Element) -> Vec<&'a Element> {
        let message = direction.name_in("message").and_then(|name| self.find("message", &name));
        message.map(|message| message.all(WSDL, "part").collect()).unwrap_or_default()
    }
}

fn style_of(element: Option<&Element>) -> Option<&str> {
    element.and_then(|element| element.attribute("style"))
}

fn binding_of(binding: &Element, all: &All<'_>, found: &mut Findings<'_>) {
    let name = binding.attribute("name").unwrap_or("");
    let Some((soap, own)) = SOAP.iter().find_map(|uri| binding.first(uri, "binding").map(|own| (*uri, own))) else {
        return found.add("R2401", binding.line, format!("{name} is no binding of SOAP"));
    };
    let transport = own.attribute("transport").unwrap_or("");
    found.expect(!transport.is_empty(), "R2701", own.line, || format!("{name} names no transport"));
    // SOAP 1.2 has a URI of its own, which hardly anybody uses.
    let is_http = [HTTP, "http://www.w3.org/2003/05/soap/bindings/HTTP/"].contains(&transport);
    found.expect(transport.is_empty() || is_http, "R2702", own.line, || {
        format!("the transport of {name} is {transport}")
    });
    let default = style_of(Some(own)).unwrap_or("document");
    let styles: BTreeSet<&str> = binding
        .all(WSDL, "operation")
        .map(|operation| style_of(operation.first(soap, "operation")).unwrap_or(default))
        .collect();
    found.expect(styles.len() <= 1, "R2705", binding.line, || format!("{name} has operations of both styles"));
    let is_rpc = styles.first().is_some_and(|style| *style == "rpc");
    let Some(port_type) = binding.name_in("type").and_then(|port_type| all.find("portType", &port_type)) else {
        return;
    };
    let names = |element: &Element| -> BTreeSet<String> {
        element.all(WSDL, "operation").filter_map(|o| o.attribute("name")).map(str::to_owned).collect()
    };
    let (bound, declared) = (names(binding), names(port_type));
    found.expect(bound == declared, "R2718", binding.line, || {
        let differ: Vec<_> = bound.symmetric_difference(&declared).map(String::as_str).collect();
        format!("{name} and its portType differ in {}", differ.join(", "))
    });
    let mut signatures = BTreeSet::new();
    for operation in binding.all(WSDL, "operation") {
        let called = operation.attribute("name").unwrap_or("");
        let Some(abstract_one) = port_type.all(WSDL, "operation").find(|o| o.attribute("name") == Some(called)) else {
            continue;
        };
        let signature = if is_rpc {
            Some((String::new(), called.to_owned()))
        } else {
            abstract_one.first(WSDL, "input").and_then(|i| all.parts(i).first().and_then(|p| p.name_in("element")))
        };
        let is_new = signatures.insert(signature);
        found.expect(is_new, "R2710", operation.line, || format!("{called} has the body of another operation"));
        for direction in ["input", "output"] {
            if let (Some(bound), Some(declared)) =
                (operation.first(WSDL, direction), abstract_one.first(WSDL, direction))
            {
                let place = format!("the {direction} of {called}");
                direction_of(bound, &all.parts(declared), soap, is_rpc, &place, all, found);
            }
        }
        for fault in operation.all(WSDL, "fault") {
            fault_of(fault, abstract_one, soap, is_rpc, all, found);
        }
    }
}

fn literal(element: &Element, place: &str, found: &mut Findings<'_>) {
    let is_literal = element.attribute("use").is_none_or(|value| value == "literal");
    found.expect(is_literal, "R2706", element.line, || format!("{place} is not literal"));
}

/// An input or output of a binding, whose message has those parts.
fn direction_of(
    bound: &Element,
    parts: &[&Element],
    soap: &str,
    is_rpc: bool,
    place: &str,
    all: &All<'_>,
    found: &mut Findings<'_>,
) {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let headers: Vec<&Element> = bound.deep().into_iter().filter(|e| e.is(soap, "header")).collect();
    for header in &headers {
        header_of(header, is_rpc, place, all, found);
        used.extend(header.attribute("part"));
        for fault in header.all(soap, "headerfault") {
            header_of(fault, is_rpc, place, all, found);
        }
    }
    let Some(body) = bound.deep().into_iter().find(|element| element.is(soap, "body")) else { return };
    literal(body, place, found);
    let listed: Option<Vec<&str>> = body.attribute("parts").map(|parts| parts.split_whitespace().collect());
    let attached = |part: &str| bound.deep().iter().any(|e| e.local == "content" && e.attribute("part") == Some(part));
    let in_body: Vec<&&Element> = parts
        .iter()
        .filter(|part| {
            let name = part.attribute("name").unwrap_or("");
            match &listed {
                Some(listed) => listed.contains(&name),
                None => !used.contains(name) && !attached(name),
            }
        })
        .collect();
    used.extend(in_body.iter().filter_map(|part| part.attribute("name")));
    let unbound = parts.iter().filter_map(|p| p.attribute("name")).find(|name| !used.contains(name) && !attached(name));
    if let Some(name) = unbound {
        found.add("R2209", body.line, format!("the part {name} of {place} is not bound"));
    }
    if is_rpc {
        let namespace = body.attribute("namespace").unwrap_or("");
        found.expect(namespace.contains(':'), "R2717", body.line, || format!("{place} has no namespace"));
        for part in in_body {
            found.expect(part.attribute("type").is_some(), "R2203", part.line, || {
                format!("a part of {place} has no type")
            });
        }
        return;
    }
    found.expect(body.attribute("namespace").is_none(), "R2716", body.line, || format!("{place} has a namespace"));
    match &listed {
        Some(listed) => found.expect(listed.len() <= 1, "R2201", body.line, || format!("{place} names several parts")),
        None => {
            found.expect(in_body.len() <= 1, "R2210", body.line, || format!("the message of {place} has several parts"))
        }
    }
    for part in in_body {
        found.expect(part.attribute("element").is_some(), "R2204", part.line, || {
            format!("a part of {place} has no element")
        });
    }
}

fn header_of(header: &Element, is_rpc: bool, place: &str, all: &All<'_>, found: &mut Findings<'_>) {
    literal(header, place, found);
    let number = if is_rpc { "R2726" } else { "R2716" };
    found.expect(header.attribute("namespace").is_none(), number, header.line, || {
        format!("a header of {place} has a namespace")
    });
    let part = header.attribute("part");
    found.expect(part.is_some_and(|p| !p.contains(char::is_whitespace)), "R2720", header.line, || {
        format!("a header of {place} names no part")
    });
    found
        .expect(header.attribute("parts").is_none(), "R2749", header.line, || format!("a header of {place} has parts"));
    let declared = all.parts(header).into_iter().find(|p| p.attribute("name") == part);
    found.expect(declared.is_none_or(|p| p.attribute("element").is_some()), "R2205", header.line, || {
        format!("the part of a header of {place} has no element")
    });
}

fn fault_of(fault: &Element, operation: &Element, soap: &str, is_rpc: bool, all: &All<'_>, found: &mut Findings<'_>) {
    let name = fault.attribute("name").unwrap_or("");
    let place = format!("the fault {name} of {}", operation.attribute("name").unwrap_or(""));
    let Some(own) = fault.first(soap, "fault") else { return };
    found.expect(own.attribute("name").is_some(), "R2721", own.line, || format!("{place} has no name in soap:fault"));
    found.expect(own.attribute("name").is_none_or(|own| own == name), "R2754", own.line, || {
        format!("{place} has another name in soap:fault")
    });
    let is_literal = own.attribute("use").is_none_or(|value| value == "literal");
    found.expect(is_literal, "R2723", own.line, || format!("{place} is not literal"));
    let number = if is_rpc { "R2726" } else { "R2716" };
    found.expect(own.attribute("namespace").is_none(), number, own.line, || format!("{place} has a namespace"));
    let declared = operation.all(WSDL, "fault").find(|f| f.attribute("name") == Some(name));
    let parts = declared.map(|declared| all.parts(declared)).unwrap_or_default();
    let has_elements = parts.iter().all(|part| part.attribute("element").is_some());
    found.expect(has_elements, "R2205", own.line, || format!("the part of {place} has no element"));
}

fn addresses(root: &Element, found: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for port in root.all(WSDL, "service").flat_map(|service| service.all(WSDL, "port")) {
        for address in port.children.iter().filter(|child| child.local == "address") {
            // Each version of SOAP has addresses of its own.
            let location = (address.namespace.as_str(), address.attribute("location").unwrap_or(""));
            let is_new = location.1.is_empty() || seen.insert(location);
            found.expect(is_new, "R2711", address.line, || format!("another port has the address {}", location.1));
        }
    }
}
