//! Typed clients: a method for each operation.

use super::{Emitter, doc, literal};
use crate::beside::Beside;
use crate::names::field_name;
use crate::service::Service;
use std::fmt::Write;

impl Emitter<'_> {
    pub(super) fn client(&mut self, out: &mut String, service: &Service) {
        let name = format!("{}Client", service.rust_name);
        doc(out, Some(&service.doc), &format!("portType {}", service.name));
        let _ = writeln!(
            out,
            "#[derive(Clone, Debug)]
            pub struct {name}(pub rt::client::Client);
            impl {name} {{
                /// A client of the service at an address.
                ///
                /// # Errors
                /// If the address is none, or TLS cannot be set up.
                pub fn new(address: &str) -> Result<Self, rt::client::CallError> {{
                    rt::client::Client::new(address).map(Self)
                }}"
        );
        let beside = |beside: &Beside| !beside.headers.is_empty() || !beside.attachments.is_empty();
        if service.operations.iter().any(|o| !o.beside_input.headers.is_empty()) {
            out.push_str(
                "/// The same client, which sends that header with every call.
                #[must_use]
                pub fn with_header<T: rt::Message>(&self, header: &T) -> Self {
                    Self(self.0.clone().soap_header(header))
                }\n",
            );
        }
        if service.operations.iter().any(|o| !o.beside_input.attachments.is_empty()) {
            out.push_str(
                "/// The same client, which sends that attachment with every call.
                #[must_use]
                pub fn with_attachment(&self, part: &str, media_type: &str, content: impl Into<rt::attachment::Content>) -> Self {
                    Self(self.0.clone().attach(part, media_type, content))
                }\n",
            );
        }
        for operation in &service.operations {
            let text =
                if operation.doc.is_empty() { format!("Calls {}.", operation.name) } else { operation.doc.clone() };
            doc(out, Some(&text), "");
            self.faults_doc(out, operation);
            let call = if operation.output.is_some() { "call" } else { "send" };
            let _ = writeln!(
                out,
                "pub async fn {}(&self, request: &{}) -> Result<{}, rt::client::CallError> {{
                    self.0.{call}({}, request).await
                }}",
                field_name(&operation.key),
                self.path(operation.input),
                self.output_type(operation),
                literal(&operation.soap_action),
            );
            if operation.output.is_some() && beside(&operation.beside_output) {
                let text = format!("{text}\n\nGives the headers and attachments of the answer as well.");
                doc(out, Some(&text), "");
                self.faults_doc(out, operation);
                let _ = writeln!(
                    out,
                    "pub async fn {}(&self, request: &{}) -> Result<rt::client::Replied<{}>, rt::client::CallError> {{
                        self.0.call_for_all({}, request, &[{}]).await
                    }}",
                    field_name(&format!("{} for all", operation.key)),
                    self.path(operation.input),
                    self.output_type(operation),
                    literal(&operation.soap_action),
                    self.parts(&operation.beside_output.attachments),
                );
            }
        }
        out.push_str("}\n");
    }
}
