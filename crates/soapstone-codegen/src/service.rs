//! PortTypes to services: operations with their messages, actions, and routes.

use crate::lower::Program;
use soapstone_contract::model::{HttpInput, Message, PartContent, Protocol, QName, Style, Use};
use soapstone_contract::{Contract, Problems, schema_documents};

/// A portType that a server can implement.
pub(crate) struct Service {
    pub module: usize,
    pub name: String,
    pub doc: String,
    pub operations: Vec<Operation>,
    /// Name and text, the WSDL first.
    pub documents: Vec<(String, String)>,
    /// Target namespace and document.
    pub schema_roots: Vec<(String, String)>,
}

/// One operation, document/literal.
pub(crate) struct Operation {
    pub name: String,
    pub doc: String,
    pub soap_action: String,
    /// The items of request and response.
    pub input: usize,
    pub output: usize,
    pub faults: Vec<usize>,
    pub routes: Vec<Route>,
}

/// A verb at a location.
pub(crate) struct Route {
    pub verb: String,
    pub location: String,
    pub input: HttpInput,
}

/// Adds the services of all portTypes that SOAP or HTTP bindings carry.
pub(crate) fn lower(contracts: &[Contract], program: &mut Program, problems: &mut Problems) {
    let mut seen: Vec<QName> = Vec::new();
    for contract in contracts {
        for (name, port_type) in &contract.port_types {
            if seen.contains(name) {
                continue;
            }
            seen.push(name.clone());
            let Some(module) = program.modules.iter().position(|m| m.namespace == *name.namespace) else { continue };
            let mut operations = Vec::new();
            for operation in &port_type.operations {
                match lower_operation(contracts, contract, program, name, operation) {
                    Ok(operation) => operations.push(operation),
                    Err(why) => {
                        let message = format!("the operation {} {why}", operation.name);
                        problems.push(
                            operation
                                .place
                                .unsupported("codegen.operation", message)
                                .remedy("bind it as document/literal with one element part for request and response"),
                        );
                    }
                }
            }
            let (documents, schema_roots) = documents(contract);
            program.services.push(Service {
                module,
                name: name.local.clone(),
                doc: port_type.documentation.clone().unwrap_or_default(),
                operations,
                documents,
                schema_roots,
            });
        }
    }
}

fn lower_operation(
    contracts: &[Contract],
    contract: &Contract,
    program: &Program,
    port_type: &QName,
    operation: &soapstone_contract::model::Operation,
) -> Result<Operation, &'static str> {
    let message = |name: &Option<QName>| name.as_ref().and_then(|n| contract.messages.get(n));
    let item = |message: Option<&Message>| match message?.parts.as_slice() {
        [part] => match &part.content {
            PartContent::Element(name) => program.message_of(name),
            PartContent::Type(_) => None,
        },
        _ => None,
    };
    let mut soap_action = String::new();
    let mut routes = Vec::new();
    for binding in contracts.iter().flat_map(|c| c.bindings_of(port_type)) {
        for bound in binding.operations.iter().filter(|b| b.name == operation.name) {
            match &binding.protocol {
                Protocol::Http(verb) => {
                    let route = Route {
                        verb: verb.clone(),
                        location: bound.location.clone().unwrap_or_default(),
                        input: bound.http_input,
                    };
                    let known = |r: &Route| r.verb == route.verb && r.location == route.location;
                    if !routes.iter().any(known) {
                        routes.push(route);
                    }
                }
                _ if bound.style == Style::Rpc => return Err("is rpc style"),
                _ if bound.input.use_ == Use::Encoded => return Err("is encoded"),
                _ => soap_action = bound.soap_action.clone().unwrap_or(soap_action),
            }
        }
    }
    let input = item(message(&operation.input)).ok_or("has no single element as its request")?;
    let output = match &operation.output {
        Some(_) => item(message(&operation.output)).ok_or("has no single element as its response")?,
        None => return Err("is one-way"),
    };
    let faults = operation.faults.iter().filter_map(|f| item(contract.messages.get(&f.message))).collect();
    Ok(Operation {
        name: operation.name.clone(),
        doc: operation.documentation.clone().unwrap_or_default(),
        soap_action,
        input,
        output,
        faults,
        routes,
    })
}

/// A document's name and text, or a namespace and the document that has it.
type Named = (String, String);

/// The documents by names relative to the folder that they have in common, and where validation starts.
fn documents(contract: &Contract) -> (Vec<Named>, Vec<Named>) {
    let folders: Vec<Vec<&str>> = contract
        .documents
        .iter()
        .map(|d| d.name.split('/').collect::<Vec<_>>())
        .map(|mut parts| {
            parts.pop();
            parts
        })
        .collect();
    let common = folders
        .first()
        .map_or(0, |first| (0..first.len()).take_while(|i| folders.iter().all(|f| f.get(*i) == first.get(*i))).count());
    let short = |name: &str| name.split('/').skip(common).collect::<Vec<_>>().join("/");
    let mut documents: Vec<Named> = contract.documents.iter().map(|d| (short(&d.name), d.text.clone())).collect();
    let mut roots: Vec<Named> = Vec::new();
    for schema in schema_documents(contract) {
        let name = short(&schema.name);
        if !documents.iter().any(|(known, _)| *known == name) {
            documents.push((name.clone(), schema.text));
        }
        if !roots.iter().any(|(namespace, _)| *namespace == schema.namespace) {
            roots.push((schema.namespace, name));
        }
    }
    (documents, roots)
}
