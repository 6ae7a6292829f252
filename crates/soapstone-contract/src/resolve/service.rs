//! WSDL documents to messages, portTypes, bindings and services (WSDL 1.1, sections 2 to 5).

use super::documents::DefinitionsDocument;
use super::names::Scope;
use crate::model::{
    Attachment, Binding, BodyUse, BoundOperation, Contract, Fault, HeaderUse, HttpInput, Message, Operation, Part,
    PartContent, Place, Port, PortType, Protocol, QName, Service, Style, Use,
};
use crate::problem::Problems;
use crate::wsdl;
use crate::xml::{At, FreeText};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Resolves all definitions into the contract.
pub(crate) fn resolve(contract: &mut Contract, documents: &[DefinitionsDocument], problems: &mut Problems) {
    for document in documents {
        let namespace: Arc<str> = Arc::from(document.definitions.target_namespace.as_deref().unwrap_or(""));
        let mut resolver = Resolver { document, namespace: namespace.clone(), problems };
        resolver.definitions(contract);
        if *document.file == *contract.entry {
            contract.target_namespace = namespace;
            contract.documentation = text(&document.definitions.documentation);
        }
    }
    Links { contract, problems }.check();
}

struct Resolver<'a, 'p> {
    document: &'a DefinitionsDocument,
    namespace: Arc<str>,
    problems: &'p mut Problems,
}

impl<'a> Resolver<'a, '_> {
    fn place<T>(&self, at: &At<T>) -> Place {
        Place { file: self.document.file.clone(), position: at.position }
    }

    fn qname<T>(&mut self, at: &'a At<T>, value: &Option<String>, what: &str) -> Option<QName> {
        let place = self.place(at);
        match value {
            // WSDL 1.1 names without a prefix and without a default namespace mean the document's own.
            Some(value) => Scope::of(at, &self.namespace).qname(value, &place, self.problems),
            None => {
                let problem = place.invalid("wsdl.attribute_missing", format!("the attribute \"{what}\" is missing"));
                self.problems.push(problem.remedy(format!("add {what}=\"…\"")));
                None
            }
        }
    }

    fn own_name<T>(&mut self, at: &'a At<T>, name: &Option<String>) -> Option<QName> {
        match name {
            Some(name) => Some(QName::new(self.namespace.clone(), name.trim())),
            None => {
                let problem = self.place(at).invalid("wsdl.attribute_missing", "the attribute \"name\" is missing");
                self.problems.push(problem.remedy("add name=\"…\""));
                None
            }
        }
    }

    fn definitions(&mut self, contract: &mut Contract) {
        let definitions = &self.document.definitions;
        for at in &definitions.messages {
            if let Some(name) = self.own_name(at, &at.name) {
                let message = self.message(at, name.clone());
                contract.messages.insert(name, message);
            }
        }
        for at in &definitions.port_types {
            if let Some(name) = self.own_name(at, &at.name) {
                let port_type = self.port_type(at, name.clone());
                contract.port_types.insert(name, port_type);
            }
        }
        for at in &definitions.bindings {
            if let Some(name) = self.own_name(at, &at.name)
                && let Some(binding) = self.binding(at, name.clone())
            {
                contract.bindings.insert(name, binding);
            }
        }
        for at in &definitions.services {
            if let Some(name) = self.own_name(at, &at.name) {
                let service = self.service(at, name);
                contract.services.push(service);
            }
        }
    }

    fn message(&mut self, at: &'a At<wsdl::Message>, name: QName) -> Message {
        let mut parts = Vec::new();
        for part in &at.parts {
            let place = self.place(part);
            let content = match (&part.element, &part.type_name) {
                (Some(_), _) => self.qname(part, &part.element, "element").map(PartContent::Element),
                (None, Some(type_)) => {
                    Scope::of(part, &self.namespace).type_ref(type_, &place, self.problems).map(PartContent::Type)
                }
                (None, None) => {
                    self.problems.push(
                        place
                            .invalid("wsdl.part_empty", "the part has neither element nor type")
                            .remedy("add element=\"…\" (document style) or type=\"…\" (rpc style)"),
                    );
                    None
                }
            };
            if let Some(content) = content {
                parts.push(Part { place, name: part.name.clone().unwrap_or_default(), content });
            }
        }
        Message { place: self.place(at), name, parts }
    }

    fn port_type(&mut self, at: &'a At<wsdl::PortType>, name: QName) -> PortType {
        let mut operations = Vec::new();
        for operation in &at.operations {
            let input = operation.input.as_ref().and_then(|i| self.qname(i, &i.message, "message"));
            let output = operation.output.as_ref().and_then(|o| self.qname(o, &o.message, "message"));
            let mut faults = Vec::new();
            for fault in &operation.faults {
                if let Some(message) = self.qname(fault, &fault.message, "message") {
                    let (name, action) = (fault.name.clone().unwrap_or_default(), fault.action.clone());
                    faults.push(Fault { name, message, action });
                }
            }
            operations.push(Operation {
                place: self.place(operation),
                documentation: text(&operation.documentation),
                name: operation.name.clone().unwrap_or_default(),
                input_name: operation.input.as_ref().and_then(|i| i.name.clone()),
                input,
                output_name: operation.output.as_ref().and_then(|o| o.name.clone()),
                output,
                faults,
                input_action: operation.input.as_ref().and_then(|i| i.action.clone()),
                output_action: operation.output.as_ref().and_then(|o| o.action.clone()),
            });
        }
        PortType { place: self.place(at), documentation: text(&at.documentation), name, operations }
    }

    fn binding(&mut self, at: &'a At<wsdl::Binding>, name: QName) -> Option<Binding> {
        let port_type = self.qname(at, &at.type_name, "type")?;
        let place = self.place(at);
        let (protocol, style) = match (&at.soap11, &at.soap12, &at.http) {
            (Some(soap), _, _) => (Protocol::Soap11, soap.style.as_deref()),
            (_, Some(soap), _) => (Protocol::Soap12, soap.style.as_deref()),
            (_, _, Some(http)) => {
                (Protocol::Http(http.verb.clone().unwrap_or_else(|| "GET".to_owned()).to_uppercase()), None)
            }
            _ => {
                self.problems.push(
                    place
                        .warning("wsdl.binding_unknown", format!("the binding {} is neither SOAP nor HTTP", name.local))
                        .remedy("it is passed over; a soap:binding in it would make it usable"),
                );
                return None;
            }
        };
        let default_style = style_of(style).unwrap_or(Style::Document);
        let operations =
            at.operations.iter().map(|operation| self.bound_operation(operation, &protocol, default_style)).collect();
        Some(Binding { place, name, port_type, protocol, operations })
    }

    fn bound_operation(
        &mut self,
        at: &'a At<wsdl::BoundOperation>,
        protocol: &Protocol,
        default_style: Style,
    ) -> BoundOperation {
        let own = match protocol {
            Protocol::Soap11 => &at.soap11,
            Protocol::Soap12 => &at.soap12,
            Protocol::Http(_) => &at.http,
        };
        let input = at.input.as_ref();
        let http_input = match input {
            Some(input) if !input.mime_content.is_empty() => HttpInput::Body,
            Some(input) if input.url_encoded.is_some() => HttpInput::Query,
            _ => HttpInput::Location,
        };
        BoundOperation {
            place: self.place(at),
            name: at.name.clone().unwrap_or_default(),
            input_name: input.and_then(|i| i.name.clone()),
            style: own.as_ref().and_then(|o| style_of(o.style.as_deref())).unwrap_or(default_style),
            soap_action: own.as_ref().and_then(|o| o.soap_action.clone()),
            input: self.body_use(input, protocol),
            output: self.body_use(at.output.as_ref(), protocol),
            location: own.as_ref().and_then(|o| o.location.clone()),
            http_input,
        }
    }

    fn body_use(&mut self, message: Option<&'a At<wsdl::BoundMessage>>, protocol: &Protocol) -> BodyUse {
        let soap12 = *protocol == Protocol::Soap12;
        let multipart = || message.into_iter().flat_map(|m| &m.multipart_related).flat_map(|r| &r.parts);
        let body = message.and_then(|m| {
            let direct = if soap12 { m.soap12_body.as_ref() } else { m.soap11_body.as_ref() };
            let in_part =
                |p: &'a At<wsdl::MimePart>| if soap12 { p.soap12_body.as_ref() } else { p.soap11_body.as_ref() };
            direct.or_else(|| multipart().find_map(in_part))
        });
        let own = message.into_iter().flat_map(|m| if soap12 { &m.soap12_headers } else { &m.soap11_headers });
        let in_parts = multipart().flat_map(|p| if soap12 { &p.soap12_headers } else { &p.soap11_headers });
        let headers: Vec<HeaderUse> = own.chain(in_parts).filter_map(|header| self.header(header, soap12)).collect();
        let mut attachments: Vec<Attachment> = Vec::new();
        for content in multipart().flat_map(|p| &p.content) {
            let Some(part) = content.part.clone() else { continue };
            let known = attachments.iter().position(|a| a.part == part).unwrap_or_else(|| {
                attachments.push(Attachment { part, media_types: Vec::new() });
                attachments.len() - 1
            });
            attachments[known].media_types.extend(content.media_type.clone());
        }
        BodyUse {
            use_: if body.and_then(|b| b.usage.as_deref()) == Some("encoded") { Use::Encoded } else { Use::Literal },
            namespace: body.and_then(|b| b.namespace.clone()),
            parts: body.and_then(|b| b.parts.as_ref()).map(|p| p.split_whitespace().map(str::to_owned).collect()),
            attachments,
            headers,
        }
    }

    fn header(&mut self, at: &'a At<wsdl::Header>, soap12: bool) -> Option<HeaderUse> {
        let message = self.qname(at, &at.message, "message")?;
        let faults = if soap12 { &at.soap12_faults } else { &at.soap11_faults };
        let faults = faults
            .iter()
            .filter_map(|f| Some((self.qname(f, &f.message, "message")?, f.part.clone().unwrap_or_default())))
            .collect();
        Some(HeaderUse { message, part: at.part.clone().unwrap_or_default(), namespace: at.namespace.clone(), faults })
    }

    fn service(&mut self, at: &'a At<wsdl::Service>, name: QName) -> Service {
        let mut ports = Vec::new();
        for port in &at.ports {
            let address = port.soap11.as_ref().or(port.soap12.as_ref()).or(port.http.as_ref());
            if let Some(binding) = self.qname(port, &port.binding, "binding") {
                ports.push(Port {
                    place: self.place(port),
                    name: port.name.clone().unwrap_or_default(),
                    binding,
                    address: address.and_then(|a| a.location.clone()),
                });
            }
        }
        Service { place: self.place(at), documentation: text(&at.documentation), name, ports }
    }
}

fn style_of(style: Option<&str>) -> Option<Style> {
    match style {
        Some("rpc") => Some(Style::Rpc),
        Some("document") => Some(Style::Document),
        _ => None,
    }
}

fn text(documentation: &Option<FreeText>) -> Option<String> {
    documentation.as_ref().map(|d| d.0.trim().to_owned()).filter(|t| !t.is_empty())
}

/// Checks that what WSDL names refer to is there.
struct Links<'a, 'p> {
    contract: &'a Contract,
    problems: &'p mut Problems,
}

impl Links<'_, '_> {
    fn check(&mut self) {
        let contract = self.contract;
        for message in contract.messages.values() {
            for part in &message.parts {
                self.part(part);
            }
        }
        for port_type in contract.port_types.values() {
            let mut seen = BTreeMap::new();
            for operation in &port_type.operations {
                for name in operation.input.iter().chain(&operation.output) {
                    self.present(&contract.messages, name, "message", &operation.place);
                }
                for fault in &operation.faults {
                    self.present(&contract.messages, &fault.message, "message", &operation.place);
                }
                if seen.insert(&operation.name, ()).is_some() {
                    self.problems.push(
                        operation
                            .place
                            .warning("wsdl.overloaded", format!("the operation {} is overloaded", operation.name))
                            .remedy("it is told apart by its input's name; WS-I Basic Profile R2304 asks for a name of its own"),
                    );
                }
            }
        }
        for binding in contract.bindings.values() {
            self.present(&contract.port_types, &binding.port_type, "portType", &binding.place);
            let Some(port_type) = contract.port_types.get(&binding.port_type) else { continue };
            for bound in &binding.operations {
                if !port_type.operations.iter().any(|o| o.name == bound.name) {
                    self.problems.push(
                        bound
                            .place
                            .invalid(
                                "wsdl.unknown_operation",
                                format!("the portType {} has no operation {}", port_type.name.local, bound.name),
                            )
                            .remedy("correct the name, or add the operation to the portType"),
                    );
                }
                for header in bound.input.headers.iter().chain(&bound.output.headers) {
                    self.header(&header.message, &header.part, &bound.place);
                    for (message, part) in &header.faults {
                        self.header(message, part, &bound.place);
                    }
                }
            }
        }
        for service in &contract.services {
            for port in &service.ports {
                if !contract.bindings.contains_key(&port.binding)
                    && !self.problems.0.iter().any(|p| p.code == "wsdl.binding_unknown")
                {
                    self.present(&contract.bindings, &port.binding, "binding", &port.place);
                }
            }
        }
    }

    fn header(&mut self, message: &QName, part: &str, place: &Place) {
        let (what, remedy) = match self.contract.messages.get(message) {
            None => (format!("no message {message} of a header is declared"), "correct the name".to_owned()),
            Some(message) if !message.parts.iter().any(|p| p.name == part) => {
                let names: Vec<_> = message.parts.iter().map(|p| p.name.as_str()).collect();
                let what = format!("the message {} of a header has no part {part}", message.name.local);
                (what, format!("name one of its parts: {}", names.join(", ")))
            }
            Some(_) => return,
        };
        // Everything else of the operation can still be served.
        let problem = place.warning("wsdl.unresolved", what);
        self.problems.push(problem.remedy(format!("the header is passed over; {remedy}")));
    }

    fn part(&mut self, part: &Part) {
        match &part.content {
            PartContent::Element(name) => {
                if !super::documents::well_known(&name.namespace) {
                    self.present(&self.contract.schemas.elements, name, "element", &part.place);
                }
            }
            PartContent::Type(crate::model::TypeRef::Named(name)) => {
                if !super::documents::well_known(&name.namespace) {
                    self.present(&self.contract.schemas.types, name, "type", &part.place);
                }
            }
            PartContent::Type(_) => {}
        }
    }

    fn present<T>(&mut self, map: &BTreeMap<QName, T>, name: &QName, what: &str, place: &Place) {
        if !map.contains_key(name) {
            self.problems.push(
                place
                    .invalid("wsdl.unresolved", format!("no {what} {name} is declared"))
                    .remedy("correct the name, or import the document that declares it"),
            );
        }
    }
}
