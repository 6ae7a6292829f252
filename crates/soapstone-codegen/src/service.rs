//! PortTypes to services: operations with their messages, actions, and routes.

use crate::action::Actions;
use crate::beside::Beside;
use crate::lower::Lowerer;
use crate::names::Unique;
use crate::program::{ElementName, Field, FieldType, ItemKind, Kind};
use crate::published::{self, Published};
use soapstone_contract::model::{
    Binding, BodyUse, BoundOperation, HttpInput, Message, Operation as Declared, Part, PartContent, Protocol, QName,
    Style, Use,
};
use soapstone_contract::{Contract, Problems, ValidationSet, validation_set};

/// A portType that a server can implement.
pub struct Service {
    pub module: usize,
    pub name: String,
    /// The name of its trait, which no type of its module has.
    pub rust_name: String,
    pub doc: String,
    pub operations: Vec<Operation>,
    /// The WSDL first.
    pub documents: Vec<Published>,
    /// All in one.
    pub flat: Option<Published>,
    /// What its messages are validated with.
    pub schemas: ValidationSet,
}

/// One operation.
pub struct Operation {
    pub name: String,
    /// Its Rust name, before it is in Rust's style: operations may be overloaded.
    pub key: String,
    pub doc: String,
    pub soap_action: String,
    /// What WS-Addressing says of requests and answers.
    pub input_action: String,
    pub output_action: String,
    pub rpc: bool,
    pub encoded: bool,
    /// The items of request and response; no response: one-way.
    pub input: usize,
    pub output: Option<usize>,
    pub faults: Vec<usize>,
    /// What WS-Addressing says of faults, by the item of their detail.
    pub fault_actions: Vec<(usize, String)>,
    /// What travels beside the body of the request.
    pub beside_input: Beside,
    /// And of the response.
    pub beside_output: Beside,
    pub routes: Vec<Route>,
}

/// A verb at a location.
pub struct Route {
    pub verb: String,
    pub location: String,
    /// The member of the request that body and location are the members of, if they are not those of the request itself.
    pub within: Option<String>,
    pub input: HttpInput,
}

/// How an operation is bound to SOAP, where it is.
struct Bound<'a> {
    binding: &'a Binding,
    operation: &'a BoundOperation,
}

/// Adds the services of all portTypes.
pub(crate) fn lower(contracts: &[Contract], lowerer: &mut Lowerer<'_>, problems: &mut Problems) {
    let mut seen: Vec<QName> = Vec::new();
    for contract in contracts {
        for (name, port_type) in &contract.port_types {
            if seen.contains(name) {
                continue;
            }
            seen.push(name.clone());
            let module = lowerer.module_of(&name.namespace);
            let mut keys = Unique::default();
            let mut operations = Vec::new();
            for operation in &port_type.operations {
                let lowering = Lowering { contracts, contract, port_type: name };
                match lowering.operation(lowerer, operation, &mut keys) {
                    Ok(operation) => operations.push(operation),
                    Err((message, remedy)) => problems.push(
                        operation
                            .place
                            .warning("codegen.operation", format!("the operation {} {message}", operation.name))
                            .remedy(remedy),
                    ),
                }
            }
            let (documents, schemas) = (published::documents(contract), validation_set(contract));
            let rust_name = lowerer.service_name(module, &name.local);
            lowerer.program.services.push(Service {
                module,
                name: name.local.clone(),
                rust_name,
                doc: port_type.documentation.clone().unwrap_or_default(),
                operations,
                documents,
                flat: published::flat_document(contract),
                schemas,
            });
        }
    }
}

pub(crate) struct Lowering<'a> {
    contracts: &'a [Contract],
    contract: &'a Contract,
    port_type: &'a QName,
}

type Refused = (&'static str, &'static str);

impl<'a> Lowering<'a> {
    fn bound(&self, operation: &Declared) -> Vec<Bound<'a>> {
        let bindings = self.contracts.iter().flat_map(|c| c.bindings_of(self.port_type));
        let mut found = Vec::new();
        for binding in bindings {
            let own = binding.operations.iter().filter(|b| b.name == operation.name);
            let overloaded = |b: &&BoundOperation| b.input_name.is_none() || b.input_name == operation.input_name;
            found.extend(own.filter(overloaded).map(|operation| Bound { binding, operation }));
        }
        found
    }

    fn operation(
        &self,
        lowerer: &mut Lowerer<'_>,
        operation: &Declared,
        keys: &mut Unique,
    ) -> Result<Operation, Refused> {
        let bound = self.bound(operation);
        if operation.input.is_none() {
            return Err((
                "has no input: the server would have to call its clients",
                "it is left out; give it an input to make it callable",
            ));
        }
        let soap = bound.iter().find(|b| !matches!(b.binding.protocol, Protocol::Http(_)));
        let style = soap.map_or(Style::Document, |b| b.operation.style);
        // What is bound to HTTP only has parameters by name, as rpc has them.
        let is_rpc = |message: Option<&QName>| {
            style == Style::Rpc || (soap.is_none() && !message.is_some_and(|name| self.has_element_parts(name)))
        };
        let rpc = is_rpc(operation.input.as_ref());
        let encoded = soap.is_some_and(|b| b.operation.input.use_ == Use::Encoded);
        let key = keys.take(operation.name.clone());
        let input_use = soap.map(|b| &b.operation.input);
        let output_use = soap.map(|b| &b.operation.output);
        let input = self.message(lowerer, operation.input.as_ref(), input_use, rpc, &operation.name, &key, "request");
        let output = operation.output.as_ref().map(|output| {
            let wrapper = format!("{}Response", operation.name);
            self.message(lowerer, Some(output), output_use, is_rpc(Some(output)), &wrapper, &key, "response")
        });
        if encoded {
            lowerer.program.encoded = true;
            lowerer.program.encoded_messages.extend([input].into_iter().chain(output));
        }
        let actions = Actions { port_type: self.port_type, operation };
        let declared = operation.faults.iter();
        let fault_actions: Vec<(usize, String)> =
            declared.filter_map(|fault| Some((self.fault(lowerer, &fault.message)?, actions.fault(fault)))).collect();
        let beside_input = self.beside(lowerer, input_use);
        let beside_output = self.beside(lowerer, output_use);
        Ok(Operation {
            soap_action: soap.and_then(|b| b.operation.soap_action.clone()).unwrap_or_default(),
            name: operation.name.clone(),
            key,
            doc: operation.documentation.clone().unwrap_or_default(),
            rpc,
            encoded,
            input,
            output,
            input_action: actions.input(),
            output_action: actions.output(),
            faults: fault_actions.iter().map(|(item, _)| *item).collect(),
            fault_actions,
            beside_input,
            beside_output,
            routes: routes(&bound),
        })
    }

    fn has_element_parts(&self, message: &QName) -> bool {
        self.find(message)
            .into_iter()
            .flat_map(|m| &m.parts)
            .any(|part| matches!(part.content, PartContent::Element(_)))
    }

    pub(crate) fn find(&self, name: &QName) -> Option<&'a Message> {
        self.contracts.iter().find_map(|c| c.messages.get(name)).or_else(|| self.contract.messages.get(name))
    }

    /// The item of a message: the element of its only part, or a struct of its parts.
    #[allow(clippy::too_many_arguments)]
    fn message(
        &self,
        lowerer: &mut Lowerer<'_>,
        name: Option<&QName>,
        body: Option<&BodyUse>,
        rpc: bool,
        wrapper: &str,
        key: &str,
        role: &str,
    ) -> usize {
        let module = lowerer.module_of(&self.port_type.namespace);
        let parts: Vec<_> = name.and_then(|n| self.find(n)).map(|m| m.parts.iter().collect()).unwrap_or_default();
        let in_body = |part: &&Part| name.zip(body).is_none_or(|(message, body)| body.carries(message, &part.name));
        let parts: Vec<_> = parts.into_iter().filter(in_body).collect();
        if !rpc
            && let [part] = parts.as_slice()
            && let PartContent::Element(element) = &part.content
            && let Some(item) = lowerer.program.message_of(element)
        {
            return item;
        }
        let mut fields = Vec::new();
        for part in parts {
            let field = match &part.content {
                PartContent::Type(type_) => lowerer.part_field(&part.name, type_, module),
                PartContent::Element(element) => match lowerer.reference_field(element, module) {
                    Some(field) => field,
                    // An element of a schema that nobody has, or that every element can stand for.
                    None => Field::new(Kind::Any, &part.name, FieldType::Fragment),
                },
            };
            fields.push(field);
        }
        let element = rpc.then(|| {
            let namespace = body.and_then(|b| b.namespace.clone()).unwrap_or_default();
            ElementName { namespace: lowerer.module_of(&namespace), local: wrapper.to_owned() }
        });
        let encoded = body.is_some_and(|b| b.use_ == Use::Encoded);
        if encoded || rpc {
            // A part may be left out by clients in whose language there is nothing to send.
            for field in fields.iter_mut().filter(|f| f.kind == Kind::Element && f.item().is_some()) {
                field.nillable = true;
            }
        }
        lowerer.synthetic(&format!("{key} {role}"), module, element, fields)
    }

    fn fault(&self, lowerer: &mut Lowerer<'_>, message: &QName) -> Option<usize> {
        let message = self.find(message)?;
        let part = message.parts.first()?;
        let doing = format!("{} fault", message.name.local);
        self.part_item(lowerer, message, part, "", &doing)
    }

    /// The item of a part that is an element of its own: a fault's detail, or a header block.
    pub(crate) fn part_item(
        &self,
        lowerer: &mut Lowerer<'_>,
        message: &Message,
        part: &Part,
        namespace: &str,
        wanted: &str,
    ) -> Option<usize> {
        match &part.content {
            PartContent::Element(element) => lowerer.program.message_of(element),
            PartContent::Type(type_) => {
                let module = lowerer.module_of(&self.port_type.namespace);
                let element = ElementName { namespace: lowerer.module_of(namespace), local: part.name.clone() };
                let known = lowerer.program.items.iter().position(|item| {
                    matches!(&item.kind, ItemKind::Wrapper(own, _) if *own == element)
                        && item.origin == message.name.local
                });
                known.or_else(|| {
                    let field = lowerer.part_field(&part.name, type_, module);
                    let kind = ItemKind::Wrapper(element, Box::new(field));
                    Some(lowerer.add_item(module, wanted, &message.name.local, None, kind))
                })
            }
        }
    }
}

fn routes(bound: &[Bound<'_>]) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for Bound { binding, operation } in bound {
        if let Protocol::Http(verb) = &binding.protocol {
            let location = operation.location.clone().unwrap_or_default();
            let location = if location.starts_with('/') { location } else { format!("/{location}") };
            let (location, within) = without_outer(&location);
            let known = routes.iter().any(|r| r.verb == *verb && r.location == location);
            if !known {
                routes.push(Route { verb: verb.clone(), location, within, input: operation.http_input });
            }
        }
    }
    routes
}

/// A location whose members stand within another one, such as `/articles/(article.sku)`: the location without that one,
/// and its name.
fn without_outer(location: &str) -> (String, Option<String>) {
    let outer = location.split('(').skip(1).find_map(|rest| rest.split(')').next()?.split_once('.'));
    match outer {
        Some((outer, _)) => (location.replace(&format!("({outer}."), "("), Some(outer.to_owned())),
        None => (location.to_owned(), None),
    }
}
