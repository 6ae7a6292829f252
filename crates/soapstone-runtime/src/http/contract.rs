//! The contract as callers get it: `?wsdl`, and `?xsd=` for what it imports, with addresses that lead back to us.

use super::only;
use crate::service::{ContractDocument, ServiceInfo};
use crate::soap::Version;
use crate::soap::security::Policy;
use crate::xml::escape_attribute;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// Where the services of a contract are found by the caller who asks for it.
#[derive(Clone, Debug, Default)]
pub struct Addresses<'a> {
    /// The address of the endpoint that is asked.
    pub own: &'a str,
    /// The addresses of portTypes, by namespace and name.
    pub services: Vec<(&'a str, &'a str, String)>,
    /// The address of the REST facade.
    pub rest: Option<String>,
    /// How messages have to be secured, as the contract says it; empty: in no way.
    pub policy: String,
    /// The version of SOAP whose bindings alone are wanted.
    pub only: Option<Version>,
}

/// A service's contract, published at an address.
#[derive(Clone, Copy, Debug)]
pub struct PublishedContract {
    info: &'static ServiceInfo,
}

impl PublishedContract {
    pub fn new(info: &'static ServiceInfo) -> Self {
        Self { info }
    }

    /// The WSDL.
    pub fn wsdl(&self, addresses: &Addresses<'_>) -> Option<String> {
        let document = self.info.documents.first()?;
        Some(self.rewritten(document, addresses))
    }

    /// The contract in one document; None: it cannot be one.
    pub fn flat(&self, addresses: &Addresses<'_>) -> Option<String> {
        match &self.info.flat {
            Some(document) => Some(self.rewritten(document, addresses)),
            None if self.info.documents.len() == 1 => self.wsdl(addresses),
            None => None,
        }
    }

    /// Another document of the contract, by its name.
    pub fn document(&self, name: &str, addresses: &Addresses<'_>) -> Option<String> {
        let document = self.info.documents.iter().find(|d| d.name == name)?;
        Some(self.rewritten(document, addresses))
    }

    /// A document with its locations changed to addresses of ours.
    fn rewritten(&self, document: &ContractDocument, addresses: &Addresses<'_>) -> String {
        let text = document.text;
        let mut reader = Reader::from_str(text);
        let mut out = String::with_capacity(text.len() + 512);
        let mut copied = 0;
        let mut port = String::new();
        let left_out = match addresses.only {
            Some(version) => only::left_out(&self.info.documents.iter().chain([document]).collect::<Vec<_>>(), version),
            None => Vec::new(),
        };
        let mut policies =
            Policies { policy: &addresses.policy, port_type: self.info.name, path: Vec::new(), told: false };
        loop {
            let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = reader.read_event();
            let after = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let (start, end) = match event {
                Ok(Event::Start(start)) => (start, ">"),
                Ok(Event::Empty(start)) => (start, "/>"),
                Ok(Event::End(_)) => {
                    policies.path.pop();
                    continue;
                }
                // The documents were read when the program was built.
                Ok(Event::Eof) | Err(_) => break,
                Ok(_) => continue,
            };
            let name = match start.local_name().into_inner() {
                "binding" if policies.path.len() == 1 => attribute(&start, "name"),
                "port" => attribute(&start, "binding").map(|name| local(&name).to_owned()),
                _ => None,
            };
            if name.is_some_and(|name| left_out.contains(&name)) {
                if end == ">" && reader.read_to_end(start.to_end().name()).is_err() {
                    break;
                }
                out.push_str(&text[copied..before]);
                copied = usize::try_from(reader.buffer_position()).unwrap_or(before);
                continue;
            }
            if let Some(policy) = policies.before(&start, end == "/>") {
                out.push_str(&text[copied..before]);
                out.push_str(&policy);
                copied = before;
            }
            let changed = match start.local_name().into_inner() {
                "port" => {
                    port = attribute(&start, "name").unwrap_or_default();
                    None
                }
                "address" => address(document, &port, addresses).map(|address| ("location", address)),
                "import" | "include" | "redefine" => self.link(document, &start, addresses),
                _ => None,
            };
            if let Some((name, value)) = changed {
                out.push_str(&text[copied..before]);
                push_changed(&mut out, &start, name, &value);
                out.push_str(end);
                copied = after;
            }
        }
        out.push_str(&text[copied..]);
        out
    }

    /// The address of the document that an import means: by its location, or else by its namespace.
    fn link(
        &self,
        document: &ContractDocument,
        start: &BytesStart<'_>,
        addresses: &Addresses<'_>,
    ) -> Option<(&'static str, String)> {
        let schema = attribute(start, "schemaLocation");
        let wsdl = attribute(start, "location");
        let name = if wsdl.is_some() && schema.is_none() { "location" } else { "schemaLocation" };
        let location = schema.or(wsdl);
        let by_location =
            || document.links.iter().find(|(written, _)| Some(*written) == location.as_deref()).map(|(_, name)| *name);
        let by_namespace = || {
            let namespace = attribute(start, "namespace")?;
            self.info.documents.iter().find(|d| d.namespace == Some(&namespace)).map(|d| d.name)
        };
        let target = by_location().or_else(by_namespace)?;
        let kind = if target.ends_with(".wsdl") { "wsdl" } else { "xsd" };
        let only = addresses
            .only
            .filter(|_| kind == "wsdl")
            .map_or_else(String::new, |version| format!("&{}", only::in_query(version)));
        Some((name, format!("{}?{kind}={}{only}", addresses.own, in_query(target))))
    }
}

/// Puts a policy into a WSDL: itself before all else, and a reference into each SOAP binding of the portType.
struct Policies<'a> {
    policy: &'a str,
    port_type: &'a str,
    /// Names of the elements that are open, and whether each is a binding of the portType.
    path: Vec<(String, bool)>,
    told: bool,
}

impl Policies<'_> {
    /// What goes before an element.
    fn before(&mut self, start: &BytesStart<'_>, is_empty: bool) -> Option<String> {
        let name = start.local_name().into_inner();
        let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
        let found = match (names.as_slice(), name) {
            _ if self.policy.is_empty() => None,
            (["definitions"], "documentation") => None,
            (["definitions"], _) if !self.told => {
                self.told = true;
                Some(self.policy.to_owned())
            }
            // Only that of SOAP has a transport.
            (["definitions", "binding"], "binding") if self.path[1].1 && attribute(start, "transport").is_some() => {
                Some(Policy::reference())
            }
            _ => None,
        };
        if !is_empty {
            let own = attribute(start, "type").is_some_and(|name| local(&name) == self.port_type);
            self.path.push((name.to_owned(), own));
        }
        found
    }
}

/// The address of a port: where its portType is served. One that nobody serves keeps its own.
fn address(document: &ContractDocument, port: &str, addresses: &Addresses<'_>) -> Option<String> {
    let port = document.ports.iter().find(|p| p.name == port)?;
    if port.http {
        return addresses.rest.clone();
    }
    let served =
        addresses.services.iter().find(|(namespace, name, _)| *namespace == port.namespace && *name == port.port_type);
    served.map(|(_, _, address)| address.clone())
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.attributes().flatten().find(|a| a.key.0 == name)?;
    let value = quick_xml::escape::unescape(&found.value).unwrap_or(Cow::Borrowed(&found.value));
    Some(value.trim().to_owned())
}

/// The start of an element with one attribute changed, or added.
fn push_changed(out: &mut String, start: &BytesStart<'_>, name: &str, value: &str) {
    out.push('<');
    out.push_str(start.name().0);
    let mut push = |key: &str, value: &dyn Fn(&mut String)| {
        out.push(' ');
        out.push_str(key);
        out.push_str("=\"");
        value(out);
        out.push('"');
    };
    let mut written = false;
    for found in start.attributes().flatten() {
        if found.key.0 == name {
            written = true;
            push(name, &|out| escape_attribute(value, out));
        } else {
            push(found.key.0, &|out| out.push_str(&found.value.replace('"', "&quot;")));
        }
    }
    if !written {
        push(name, &|out| escape_attribute(value, out));
    }
}

/// A document's name as the value in a query.
fn in_query(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ContractPort;

    #[test]
    fn locations_lead_back_to_us() {
        const WSDL: &str = "<d xmlns:s='x'><xs:import namespace=\"u\" schemaLocation=\"../xsd/a b.xsd\"/>\n\
            <xs:import namespace='urn:known'/><xs:import namespace='urn:out' schemaLocation='http://far/x.xsd'/>\
            <port name='p'><soap:address location='REPLACED'/></port><port name='q'><soap:address location='KEPT'/></port>\
            <port name='r'><http:address location='REST'/></port></d>";
        const PORTS: &[ContractPort] = &[
            ContractPort { name: "p", namespace: "urn:t", port_type: "T", http: false },
            ContractPort { name: "q", namespace: "urn:t", port_type: "Other", http: false },
            ContractPort { name: "r", namespace: "urn:t", port_type: "T", http: true },
        ];
        static INFO: ServiceInfo = ServiceInfo {
            name: "T",
            namespace: "urn:t",
            documentation: "",
            operations: &[],
            documents: &[
                ContractDocument {
                    name: "c.wsdl",
                    text: WSDL,
                    links: &[("../xsd/a b.xsd", "xsd/a b.xsd")],
                    namespace: None,
                    ports: PORTS,
                },
                ContractDocument {
                    name: "soapstone/known.xsd",
                    text: "<s/>",
                    links: &[],
                    namespace: Some("urn:known"),
                    ports: &[],
                },
            ],
            flat: None,
            schemas: &[],
            schema_roots: &[],
            openapi: "",
        };
        let addresses = Addresses {
            own: "http://h/soap/c",
            services: vec![("urn:t", "T", "http://h/soap/t".to_owned())],
            rest: Some("http://h/api".to_owned()),
            policy: String::new(),
            only: None,
        };
        assert_eq!(
            PublishedContract::new(&INFO).wsdl(&addresses).unwrap(),
            "<d xmlns:s='x'><xs:import namespace=\"u\" schemaLocation=\"http://h/soap/c?xsd=xsd/a%20b.xsd\"/>\n\
             <xs:import namespace=\"urn:known\" schemaLocation=\"http://h/soap/c?xsd=soapstone/known.xsd\"/>\
             <xs:import namespace='urn:out' schemaLocation='http://far/x.xsd'/>\
             <port name='p'><soap:address location=\"http://h/soap/t\"/></port><port name='q'><soap:address location='KEPT'/></port>\
             <port name='r'><http:address location=\"http://h/api\"/></port></d>"
        );
    }
}
