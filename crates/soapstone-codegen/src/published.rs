//! The documents of a contract as callers will fetch them: by names that say nothing of the machine they lay on.

use soapstone_contract::model::{Protocol, QName};
use soapstone_contract::{Contract, brought_along, flat};

/// A document to be served.
pub struct Published {
    /// Its path relative to the folder that all have in common.
    pub name: String,
    pub text: String,
    /// What each location in it leads to: as written, and the name of the document.
    pub links: Vec<(String, String)>,
    /// Of a schema that came with Soapstone: the namespace that others import, wherever they say it lies.
    pub namespace: Option<String>,
    pub ports: Vec<PublishedPort>,
}

/// A port in a document.
pub struct PublishedPort {
    pub name: String,
    pub port_type: QName,
    /// Whether it is bound to plain HTTP, not to SOAP.
    pub http: bool,
}

/// The contract in one document, where it has several and can be one.
pub(crate) fn flat_document(contract: &Contract) -> Option<Published> {
    if contract.documents.len() < 2 {
        return None;
    }
    let text = flat(contract).ok()?;
    let ports = contract.documents.iter().flat_map(|document| ports(contract, &document.name)).collect();
    Some(Published { name: "flat.wsdl".to_owned(), text, links: Vec::new(), namespace: None, ports })
}

/// All documents of a contract, the entry first.
pub(crate) fn documents(contract: &Contract) -> Vec<Published> {
    let common = common_folder(contract);
    let name_of = |name: &str| match brought_along(name) {
        Some(own) => format!("soapstone/{own}"),
        None => name.get(common..).unwrap_or(name).to_owned(),
    };
    let is_there = |name: &str| contract.documents.iter().any(|d| d.name == name);
    let published = contract.documents.iter().map(|document| {
        let links = contract.links.iter().filter(|link| link.from == document.name && is_there(&link.to));
        let root = contract.schema_roots.iter().find(|root| root.document == document.name);
        Published {
            name: name_of(&document.name),
            text: document.text.clone(),
            links: links.map(|link| (link.location.clone(), name_of(&link.to))).collect(),
            namespace: root.filter(|_| brought_along(&document.name).is_some()).map(|root| root.namespace.clone()),
            ports: ports(contract, &document.name),
        }
    });
    published.collect()
}

fn ports(contract: &Contract, document: &str) -> Vec<PublishedPort> {
    let services = contract.services.iter().filter(|service| *service.place.file == *document);
    let ports = services.flat_map(|service| &service.ports).filter_map(|port| {
        let binding = contract.bindings.get(&port.binding)?;
        Some(PublishedPort {
            name: port.name.clone(),
            port_type: binding.port_type.clone(),
            http: matches!(binding.protocol, Protocol::Http(_)),
        })
    });
    ports.collect()
}

/// How many bytes of the names of files are the folder that they have in common, with its slash.
fn common_folder(contract: &Contract) -> usize {
    let mut names = contract.documents.iter().map(|d| d.name.as_str()).filter(|name| brought_along(name).is_none());
    let Some(first) = names.next() else { return 0 };
    let folder = |name: &str| name.rfind('/').map_or(0, |slash| slash + 1);
    let mut common = &first[..folder(first)];
    for name in names {
        while !name.starts_with(common) {
            common = &common[..folder(common.trim_end_matches('/'))];
        }
    }
    common.len()
}
