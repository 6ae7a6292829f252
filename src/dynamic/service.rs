//! A service whose contract is known only at run time.

use super::copy::{json_of, xml_of, xml_of_json, xml_with};
use super::lasting::{leak, leak_list, leak_text};
use super::shapes::{MessageShape, Shapes};
use futures_util::future::BoxFuture;
use soapstone_codegen::program::Program;
use soapstone_codegen::{Generator, Published, openapi_document, sample};
use soapstone_contract::model::HttpInput as DeclaredInput;
use soapstone_runtime::attachment::Attachments;
use soapstone_runtime::service::{
    Channel, Context, ContractDocument, ContractPort, HttpInput, OperationInfo, Outcome, Route, Service, ServiceInfo,
};
use soapstone_runtime::soap::{Fault, HeaderBlock, HeaderContent, Headers};
use soapstone_runtime::xml::Scope;
use soapstone_runtime::{Field, Format, Payload, Read, ReadError, Reply};
use std::sync::Arc;

/// A request that fits the contract.
pub struct Request {
    pub service: &'static ServiceInfo,
    pub operation: &'static Operation,
    /// The body's content, written anew with namespaces of its own.
    pub body: String,
    /// The header blocks that the contract declares, as XML.
    pub headers: Headers,
    pub context: Context,
}

/// What answers requests: with the content of a body, which fits the contract, or a fault.
pub trait Handler: Send + Sync + 'static {
    fn answer(&self, request: Request) -> BoxFuture<'static, Result<String, Fault>>;
}

/// An operation of a contract.
pub struct Operation {
    pub name: String,
    pub soap_action: String,
    pub input: &'static MessageShape,
    pub output: Option<&'static MessageShape>,
    /// Header blocks of requests and of replies.
    pub headers: Vec<&'static MessageShape>,
    pub reply_headers: Vec<&'static MessageShape>,
    /// Parts of the reply that are attachments, each with its type.
    pub reply_attachments: Vec<(&'static str, String)>,
    /// The texts of header blocks that the contract calls valid.
    reply_header_samples: Vec<String>,
    /// The faults that the contract declares, by the element of their detail.
    pub faults: Vec<&'static MessageShape>,
    /// An answer that the contract calls valid.
    pub sample: String,
    pub shapes: &'static Shapes,
    /// Prefixes and namespaces of the contract.
    pub prefixes: Arc<[(String, String)]>,
}

impl Operation {
    /// A body of another server, checked and written anew.
    ///
    /// # Errors
    /// Where and why it is not this operation's answer.
    pub fn answer_of(&self, text: &str, scope: Scope<'_>, attachments: Attachments) -> Read<String> {
        match self.output {
            Some(output) => xml_with(self.shapes, output, text, scope, attachments),
            None => Ok(String::new()),
        }
    }

    /// Header blocks of a reply that the contract calls valid.
    pub fn header_samples(&self) -> Headers {
        let samples = self.reply_headers.iter().zip(&self.reply_header_samples).map(|(shape, text)| {
            let content = HeaderContent::Xml { text: text.clone(), origin: (1, 1) };
            HeaderBlock::of(shape.element.namespace, shape.element.local, content)
        });
        Headers(samples.collect())
    }

    /// A header block of a reply as the channel has it; None: it is none that the contract declares.
    ///
    /// # Errors
    /// Where and why it is not what the contract says.
    pub fn reply_block(&self, block: &HeaderBlock, channel: Channel) -> Read<Option<HeaderBlock>> {
        let own =
            |shape: &&&MessageShape| shape.element.local == block.local && shape.element.namespace == block.namespace;
        let (Some(shape), Some(text)) = (self.reply_headers.iter().find(own), block.xml()) else { return Ok(None) };
        let content = match channel {
            Channel::Soap => {
                let text = xml_of(self.shapes, shape, text, Scope::default())?;
                HeaderContent::Xml { text, origin: (1, 1) }
            }
            Channel::Rest => {
                let json = json_of(self.shapes, shape, text, Scope::default())?;
                HeaderContent::Json(serde_json::from_str(&json).unwrap_or_default())
            }
        };
        Ok(Some(HeaderBlock::of(&block.namespace, &block.local, content)))
    }

    /// The header blocks of a request that the contract declares, as XML.
    ///
    /// # Errors
    /// Where and why one is not what the contract says.
    pub fn request_blocks(&self, headers: &Headers) -> Read<Headers> {
        let mut out = Headers::default();
        for shape in &self.headers {
            let element = shape.element;
            let Some(block) = headers.find(element.namespace, element.local) else { continue };
            let text = match &block.content {
                HeaderContent::Xml { text, .. } => xml_of(self.shapes, shape, text, Scope::default())?,
                HeaderContent::Json(value) => xml_of_json(self.shapes, shape, value.clone(), false)?,
            };
            let content = HeaderContent::Xml { text, origin: (1, 1) };
            out.0.push(HeaderBlock::of(element.namespace, element.local, content));
        }
        Ok(out)
    }

    /// The detail of a fault as JSON, if the contract declares it.
    pub fn fault_json(&self, detail: &str) -> Option<String> {
        self.faults.iter().find_map(|fault| json_of(self.shapes, fault, detail, Scope::default()).ok())
    }
}

/// A portType of a contract, answered by a handler.
pub struct Served {
    info: &'static ServiceInfo,
    operations: &'static [Operation],
    handler: Arc<dyn Handler>,
}

/// The operations and services of a contract, before anything answers them.
pub struct Loaded {
    services: Vec<(&'static ServiceInfo, &'static [Operation])>,
}

impl Loaded {
    /// Reads a contract.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(generator: &Generator) -> Result<Self, String> {
        let mut program = generator.program().map_err(|problems| problems.to_string())?;
        let shapes = Shapes::of(&program);
        if program.services.iter().all(|s| s.operations.is_empty()) {
            let entry = generator.contracts().first().map_or("", |c| c.entry.as_str());
            return Err(format!("{entry}: the contract has no operation that can be called"));
        }
        add_routes(&mut program);
        let prefixes: Arc<[(String, String)]> = program
            .modules
            .iter()
            .map(|m| (m.prefix.clone(), m.namespace.clone()))
            .filter(|(_, ns)| !ns.is_empty())
            .collect();
        let services = (0..program.services.len())
            .filter(|number| !program.services[*number].operations.is_empty())
            .map(|number| {
                let operations = leak_list(operations(&program, number, shapes, &prefixes));
                (leak(info(&program, number, operations)) as &'static _, operations as &'static _)
            })
            .collect();
        Ok(Self { services })
    }

    /// The portTypes that have operations.
    pub fn services(&self) -> impl Iterator<Item = &'static ServiceInfo> {
        self.services.iter().map(|(info, _)| *info)
    }

    /// All operations.
    pub fn operations(&self) -> impl Iterator<Item = &'static Operation> {
        self.services.iter().flat_map(|(_, operations)| operations.iter())
    }

    /// The services, answered by a handler.
    pub fn answered_by(&self, handler: &Arc<dyn Handler>) -> Vec<Arc<dyn Service>> {
        let served = |(info, operations): &(&'static ServiceInfo, &'static [Operation])| {
            Arc::new(Served { info, operations, handler: handler.clone() }) as Arc<dyn Service>
        };
        self.services.iter().map(served).collect()
    }
}

/// What the contract binds to no verb is posted to its name.
fn add_routes(program: &mut Program) {
    let several = program.services.iter().filter(|s| !s.operations.is_empty()).count() > 1;
    for service in &mut program.services {
        for operation in &mut service.operations {
            // The locations of a foreign HTTP binding are for forms, not for JSON.
            let location =
                if several { format!("/{}/{}", service.name, operation.key) } else { format!("/{}", operation.key) };
            operation.routes.retain(|r| r.input == DeclaredInput::Body || r.location.contains('('));
            if operation.routes.is_empty() {
                let input = DeclaredInput::Body;
                let verb = "POST".to_owned();
                operation.routes.push(soapstone_codegen::Route { verb, location, within: None, input });
            }
        }
    }
}

fn operations(
    program: &Program,
    service: usize,
    shapes: &'static Shapes,
    prefixes: &Arc<[(String, String)]>,
) -> Vec<Operation> {
    let declared = program.services[service].operations.iter();
    declared
        .map(|operation| Operation {
            name: operation.name.clone(),
            soap_action: operation.soap_action.clone(),
            input: Shapes::message(program, operation.input),
            output: operation.output.map(|item| Shapes::message(program, item)),
            headers: messages(program, &operation.beside_input.headers),
            reply_headers: messages(program, &operation.beside_output.headers),
            reply_attachments: operation
                .beside_output
                .attachments
                .iter()
                .map(|a| {
                    (leak_text(&a.part), a.media_types.iter().find(|t| !t.contains('*')).cloned().unwrap_or_default())
                })
                .collect(),
            reply_header_samples: operation
                .beside_output
                .headers
                .iter()
                .map(|item| sample::xml(program, *item))
                .collect(),
            faults: messages(program, &operation.faults),
            sample: operation.output.map(|item| sample::xml(program, item)).unwrap_or_default(),
            shapes,
            prefixes: prefixes.clone(),
        })
        .collect()
}

fn messages(program: &Program, items: &[usize]) -> Vec<&'static MessageShape> {
    items.iter().map(|item| Shapes::message(program, *item)).collect()
}

fn info(program: &Program, number: usize, operations: &'static [Operation]) -> ServiceInfo {
    let service = &program.services[number];
    let infos = service.operations.iter().zip(operations).map(|(declared, operation)| OperationInfo {
        name: leak_text(&declared.name),
        documentation: leak_text(&declared.doc),
        soap_action: leak_text(&declared.soap_action),
        input_action: leak_text(&declared.input_action),
        output_action: leak_text(&declared.output_action),
        fault_actions: leak_list(
            operation
                .faults
                .iter()
                .zip(&declared.fault_actions)
                .map(|(shape, (_, action))| (shape.element as &'static Field, leak_text(action) as &'static str))
                .collect(),
        ),
        batched: program.is_batched(declared),
        conditional: program.is_conditional(declared),
        versioned: program.is_versioned(declared),
        encoded: declared.encoded,
        input: operation.input.element,
        begins: leak_list(
            program
                .begins(declared.input)
                .into_iter()
                .map(|(ns, local)| (leak_text(ns) as &'static str, leak_text(local) as &'static str))
                .collect(),
        ),
        output: operation.output.map(|output| output.element as &'static Field),
        headers: leak_list(operation.headers.iter().map(|header| header.element).collect()),
        reply_headers: leak_list(operation.reply_headers.iter().map(|header| header.element).collect()),
        attachments: leak_list(declared.beside_input.attachments.iter().map(|a| leak_text(&a.part)).collect()),
        reply_attachments: leak_list(operation.reply_attachments.iter().map(|(part, _)| *part).collect()),
        routes: leak_list(
            declared
                .routes
                .iter()
                .map(|route| Route {
                    verb: leak_text(&route.verb),
                    location: leak_text(&route.location),
                    within: route.within.as_deref().map(|name| leak_text(name) as &'static str),
                    input: match route.input {
                        DeclaredInput::Location => HttpInput::Location,
                        DeclaredInput::Query => HttpInput::Query,
                        DeclaredInput::Body => HttpInput::Body,
                    },
                })
                .collect(),
        ),
        sample_request: leak_text(&sample::xml(program, declared.input)),
        sample_response: leak_text(&operation.sample),
    });
    let pairs = |list: &[(String, String)]| {
        leak_list(list.iter().map(|(a, b)| (leak_text(a), leak_text(b))).collect::<Vec<_>>()) as &'static [_]
    };
    let document = |document: &Published| ContractDocument {
        name: leak_text(&document.name),
        text: leak_text(&document.text),
        links: pairs(&document.links),
        namespace: document.namespace.as_deref().map(leak_text),
        ports: leak_list(document.ports.iter().map(port).collect()),
    };
    ServiceInfo {
        name: leak_text(&service.name),
        namespace: leak_text(&program.modules[service.module].namespace),
        documentation: leak_text(&service.doc),
        operations: leak_list(infos.collect()),
        documents: leak_list(service.documents.iter().map(document).collect()),
        flat: service.flat.as_ref().map(document),
        schemas: pairs(&service.schemas.documents),
        schema_roots: pairs(&service.schemas.roots),
        openapi: leak_text(&openapi_document(program, service).to_string()),
    }
}

fn port(port: &soapstone_codegen::PublishedPort) -> ContractPort {
    ContractPort {
        name: leak_text(&port.name),
        namespace: leak_text(&port.port_type.namespace),
        port_type: leak_text(&port.port_type.local),
        http: port.http,
    }
}

impl Served {
    /// The request's body as XML of our own.
    fn body(operation: &Operation, payload: Payload<'_>) -> Read<String> {
        match payload {
            Payload::Xml { text, scope, attachments, .. } => {
                xml_with(operation.shapes, operation.input, &text, scope, attachments)
            }
            Payload::Json(value) => xml_of_json(operation.shapes, operation.input, value, false),
            Payload::Query(value) => xml_of_json(operation.shapes, operation.input, value, true),
        }
    }
}

impl Service for Served {
    fn info(&self) -> &'static ServiceInfo {
        self.info
    }

    fn call(
        self: Arc<Self>,
        context: Context,
        operation: usize,
        payload: Payload<'_>,
    ) -> Result<Outcome, Box<ReadError>> {
        let format = payload.format();
        let Some(operation) = self.operations.get(operation) else {
            return Err(soapstone_runtime::service::no_such_operation(context, payload));
        };
        let body = Self::body(operation, payload)?;
        Ok(Box::pin(async move {
            // What is wrong with a header is told before anybody acts on the request.
            let headers = operation.request_blocks(context.headers()).map_err(|e| Fault::invalid(vec![*e]))?;
            let request = Request { service: self.info, operation, body, headers, context };
            let answer = self.handler.answer(request).await?;
            let Some(output) = operation.output else { return Ok(Reply::none()) };
            match format {
                Format::Xml | Format::TypedXml | Format::Mtom => Ok(answer.into()),
                Format::Json => {
                    json_of(operation.shapes, output, &answer, Scope::default()).map(Reply::from).map_err(|error| {
                        Fault::receiver("response.invalid", 500, format!("The answer is not valid: {error}"))
                    })
                }
            }
        }))
    }
}
