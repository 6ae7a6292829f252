//! Services: a trait for a person to implement, and the server that calls it.

use super::{Emitter, doc, literal};
use crate::names::{constant_name, field_name};
use crate::published::Published;
use crate::service::{Operation, Service};
use crate::{openapi, sample};
use soapstone_contract::model::{Attachment, HttpInput};
use std::fmt::Write;

/// The types that an attachment may have, for the documentation.
fn types(attachment: &Attachment) -> String {
    let types: Vec<_> = attachment.media_types.iter().map(|t| format!("`{t}`")).collect();
    if types.is_empty() { String::new() } else { format!(" ({})", types.join(" or ")) }
}

impl Emitter<'_> {
    /// The type of an operation's answer.
    pub(super) fn output_type(&self, operation: &Operation) -> String {
        operation.output.map_or_else(|| "()".to_owned(), |item| self.path(item))
    }

    /// What the documentation says of an operation's faults.
    pub(super) fn faults_doc(&self, out: &mut String, operation: &Operation) {
        out.push_str("#[doc = \"\"]\n#[doc = \" # Errors\"]\n");
        let faults: Vec<_> = operation.faults.iter().map(|f| format!("[`{}`]", self.path(*f))).collect();
        let faults =
            if faults.is_empty() { " None is declared.".to_owned() } else { format!(" {}.", faults.join(", ")) };
        let _ = writeln!(out, "#[doc = {}]", literal(&faults));
    }

    /// What the documentation says of header blocks and attachments.
    fn beside_doc(&self, out: &mut String, operation: &Operation) {
        let mut line = |text: String| {
            let _ = writeln!(out, "#[doc = \"\"]\n#[doc = {}]", literal(&format!(" {text}")));
        };
        for item in &operation.beside_input.headers {
            let path = self.path(*item);
            line(format!("Header of the request: [`{path}`], by `context.header::<{path}>()`."));
        }
        for attachment in &operation.beside_input.attachments {
            line(format!(
                "Attachment of the request: `context.attachment({:?})`{}.",
                attachment.part,
                types(attachment)
            ));
        }
        for item in operation.beside_output.headers.iter().chain(&operation.beside_input.header_faults) {
            line(format!("Header of the reply: [`{}`], by `context.reply_header(…)`.", self.path(*item)));
        }
        for attachment in &operation.beside_output.attachments {
            line(format!("Attachment of the reply: `context.attach({:?}, …)`{}.", attachment.part, types(attachment)));
        }
    }

    pub(super) fn server(&self, out: &mut String, service: &Service) {
        let trait_name = &service.rust_name;
        doc(out, Some(&service.doc), &format!("portType {}", service.name));
        let _ = writeln!(
            out,
            "pub trait {trait_name}: Send + Sync + 'static {{
                /// What a handler fails with.
                type Error: Into<rt::soap::Fault> + Send;"
        );
        for operation in &service.operations {
            let text = if operation.doc.is_empty() {
                format!("The operation {}.", operation.name)
            } else {
                operation.doc.clone()
            };
            doc(out, Some(&text), "");
            self.beside_doc(out, operation);
            self.faults_doc(out, operation);
            let _ = writeln!(
                out,
                "fn {}(&self, context: &rt::service::Context, request: {}) -> impl Future<Output = Result<{}, Self::Error>> + Send;",
                field_name(&operation.key),
                self.path(operation.input),
                self.output_type(operation),
            );
        }
        out.push_str("}\n");
        let info = constant_name(&format!("{} info", service.name));
        let _ = writeln!(
            out,
            "/// Answers calls of [`{trait_name}`] with a person's handlers.
            pub struct {trait_name}Server<T>(pub T);
            impl<T: {trait_name}> rt::service::Service for {trait_name}Server<T> {{
                fn info(&self) -> &'static rt::service::ServiceInfo {{ &{info} }}
                fn call(self: std::sync::Arc<Self>, context: rt::service::Context, operation: usize, payload: rt::Payload<'_>)
                    -> rt::Read<rt::service::Outcome> {{
                    match operation {{"
        );
        for (number, operation) in service.operations.iter().enumerate() {
            let _ = writeln!(out, "{number} => self.{}(context, payload),", field_name(&operation.key));
        }
        out.push_str("_ => Err(rt::service::no_such_operation(context, payload)),\n}}}\n");
        // A function for each operation: one for all would take the compiler long.
        let _ = writeln!(out, "impl<T: {trait_name}> {trait_name}Server<T> {{");
        for operation in &service.operations {
            let name = field_name(&operation.key);
            let call = format!("self.0.{name}(&context, request).await.map_err(Into::into)?");
            let (format, answer) = match operation.output {
                Some(_) => (
                    "let format = payload.format();",
                    format!("let response = {call}; Ok(rt::Reply::new(format, &response))"),
                ),
                None => ("", format!("{call}; Ok(rt::Reply::none())")),
            };
            let _ = writeln!(
                out,
                "fn {name}(self: std::sync::Arc<Self>, context: rt::service::Context, payload: rt::Payload<'_>) -> rt::Read<rt::service::Outcome> {{
                    {format}
                    let request = payload.read::<{}>()?;
                    Ok(Box::pin(async move {{ {answer} }}))
                }}",
                self.path(operation.input),
            );
        }
        out.push_str("}\n");
        self.service_info(out, service, &info);
    }

    /// The names of parts, as literals.
    pub(super) fn parts(&self, attachments: &[Attachment]) -> String {
        attachments.iter().map(|a| literal(&a.part)).collect::<Vec<_>>().join(", ")
    }

    fn service_info(&self, out: &mut String, service: &Service, info: &str) {
        let _ = writeln!(
            out,
            "/// What is known of the service at build time.
            pub static {info}: rt::service::ServiceInfo = rt::service::ServiceInfo {{
                name: {}, namespace: NAMESPACE, documentation: {}, operations: &[",
            literal(&service.name),
            literal(&service.doc)
        );
        for operation in &service.operations {
            let mut routes = String::new();
            for route in &operation.routes {
                let input = match route.input {
                    HttpInput::Location => "Location",
                    HttpInput::Query => "Query",
                    HttpInput::Body => "Body",
                };
                let _ = write!(
                    routes,
                    "rt::service::Route {{
                        verb: {}, location: {}, within: {}, input: rt::service::HttpInput::{input},
                    }},",
                    literal(&route.verb),
                    literal(&route.location),
                    route.within.as_ref().map_or_else(|| "None".to_owned(), |name| format!("Some({})", literal(name))),
                );
            }
            let element = |item: usize| format!("<{} as rt::Message>::ELEMENT", self.path(item));
            let output = operation.output.map_or_else(|| "None".to_owned(), |item| format!("Some({})", element(item)));
            let elements = |items: &[usize]| items.iter().map(|item| element(*item)).collect::<Vec<_>>().join(", ");
            let actions = operation.fault_actions.iter();
            let actions = actions.map(|(item, action)| format!("({}, {})", element(*item), literal(action)));
            let fault_actions = actions.collect::<Vec<_>>().join(", ");
            let begins = self.program.begins(operation.input).into_iter();
            let begins = begins.map(|(ns, local)| format!("({}, {})", literal(ns), literal(local)));
            let begins = begins.collect::<Vec<_>>().join(", ");
            let headers = elements(&operation.beside_input.headers);
            let reply_headers = elements(&operation.beside_output.headers);
            let attachments = self.parts(&operation.beside_input.attachments);
            let reply_attachments = self.parts(&operation.beside_output.attachments);
            let sample_response = operation.output.map(|item| sample::xml(self.program, item)).unwrap_or_default();
            let _ = writeln!(
                out,
                "rt::service::OperationInfo {{
                    name: {}, documentation: {}, soap_action: {},
                    input_action: {}, output_action: {}, fault_actions: &[{fault_actions}],
                    batched: {}, conditional: {}, versioned: {}, encoded: {},
                    input: {}, begins: &[{begins}], output: {output},
                    headers: &[{headers}], reply_headers: &[{reply_headers}],
                    attachments: &[{attachments}], reply_attachments: &[{reply_attachments}],
                    routes: &[{routes}],
                    sample_request: {}, sample_response: {},
                }},",
                literal(&operation.name),
                literal(&operation.doc),
                literal(&operation.soap_action),
                literal(&operation.input_action),
                literal(&operation.output_action),
                self.program.is_batched(operation),
                self.program.is_conditional(operation),
                self.program.is_versioned(operation),
                operation.encoded,
                element(operation.input),
                literal(&sample::xml(self.program, operation.input)),
                literal(&sample_response),
            );
        }
        out.push_str("], documents: &[");
        for document in &service.documents {
            out.push_str(&contract_document(document));
            out.push(',');
        }
        let flat =
            service.flat.as_ref().map_or_else(|| "None".to_owned(), |d| format!("Some({})", contract_document(d)));
        let _ = write!(out, "], flat: {flat}, schemas: &[");
        for (name, text) in &service.schemas.documents {
            let _ = writeln!(out, "({}, {}),", literal(name), literal(text));
        }
        out.push_str("], schema_roots: &[");
        for (namespace, name) in &service.schemas.roots {
            let _ = writeln!(out, "({}, {}),", literal(namespace), literal(name));
        }
        let _ = writeln!(out, "], openapi: {} }};", literal(&openapi::document(self.program, service).to_string()));
    }
}

/// A document as a constant.
fn contract_document(document: &Published) -> String {
    let mut links = String::new();
    for (location, name) in &document.links {
        let _ = write!(links, "({}, {}),", literal(location), literal(name));
    }
    let mut ports = String::new();
    for port in &document.ports {
        let _ = write!(
            ports,
            "rt::service::ContractPort {{ name: {}, namespace: {}, port_type: {}, http: {} }},",
            literal(&port.name),
            literal(&port.port_type.namespace),
            literal(&port.port_type.local),
            port.http
        );
    }
    let namespace =
        document.namespace.as_ref().map_or_else(|| "None".to_owned(), |ns| format!("Some({})", literal(ns)));
    format!(
        "rt::service::ContractDocument {{
            name: {}, text: {}, links: &[{links}], namespace: {namespace}, ports: &[{ports}],
        }}",
        literal(&document.name),
        literal(&document.text)
    )
}
