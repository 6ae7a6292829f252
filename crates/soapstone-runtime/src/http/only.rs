//! A contract for clients that know one version of SOAP only: some old ones fail at the binding of the other.

use crate::service::ContractDocument;
use crate::soap::Version;
use crate::xml::{Element, Tree};

/// The namespaces of the bindings' elements.
const BINDINGS: [(Version, &str); 2] = [
    (Version::Soap11, "http://schemas.xmlsoap.org/wsdl/soap/"),
    (Version::Soap12, "http://schemas.xmlsoap.org/wsdl/soap12/"),
];

/// The version that `soap=1.1` or `soap=1.2` in a query means.
pub(super) fn asked(query: &[(String, String)]) -> Option<Version> {
    let (_, value) = query.iter().find(|(name, _)| name.eq_ignore_ascii_case("soap"))?;
    match value.as_str() {
        "1.1" => Some(Version::Soap11),
        "1.2" => Some(Version::Soap12),
        _ => None,
    }
}

/// What a query has to say for the same.
pub(super) fn in_query(version: Version) -> &'static str {
    match version {
        Version::Soap11 => "soap=1.1",
        Version::Soap12 => "soap=1.2",
    }
}

/// A binding, as its document has it.
pub(super) struct Binding {
    pub name: String,
    /// The local name of its portType.
    pub port_type: String,
    /// None: it is not one of SOAP.
    pub version: Option<Version>,
}

/// The names of the bindings that speak another version.
pub(super) fn left_out(documents: &[&ContractDocument], version: Version) -> Vec<String> {
    let other = |binding: &Binding| binding.version.is_some_and(|own| own != version);
    bindings(documents).into_iter().filter(other).map(|binding| binding.name).collect()
}

/// All bindings.
pub(super) fn bindings(documents: &[&ContractDocument]) -> Vec<Binding> {
    let mut found = Vec::new();
    for document in documents.iter().filter(|document| document.name.ends_with(".wsdl")) {
        // What we serve was read before.
        let Ok(tree) = Tree::parse(document.text) else { continue };
        let children = tree.root().into_iter().flat_map(Element::children);
        found.extend(children.filter(|child| child.local() == "binding").map(binding));
    }
    found
}

fn binding(element: Element<'_>) -> Binding {
    let value = |name: &str| {
        let found = element.attribute("", name).unwrap_or_default();
        found.rsplit(':').next().unwrap_or_default().to_owned()
    };
    let own = element
        .children()
        .find(|child| child.local() == "binding")
        .and_then(|own| BINDINGS.iter().find(|(_, uri)| own.namespace() == *uri));
    Binding { name: value("name"), port_type: value("type"), version: own.map(|(version, _)| *version) }
}
