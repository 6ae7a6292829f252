//! Typed clients: a method for each operation.

use super::{Emitter, doc, literal};
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
        }
        out.push_str("}\n");
    }
}
