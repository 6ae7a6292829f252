//! A contract for clients that know one version of SOAP only: some old ones fail at the binding of the other.

use crate::service::ContractDocument;
use crate::soap::Version;
use crate::xml::Scope;
use quick_xml::Reader;
use quick_xml::events::Event;

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
        let mut reader = Reader::from_str(document.text);
        let mut scope = Scope::default();
        let mut depth = 0;
        // The binding that is open, and how deep it stands.
        let mut open: Option<(Binding, u32)> = None;
        loop {
            let event = match reader.read_event() {
                Ok(Event::Eof) | Err(_) => break,
                Ok(event) => event,
            };
            match &event {
                Event::Start(start) | Event::Empty(start) => {
                    scope.push(depth + 1, start);
                    let (prefix, local) = start.name().0.split_once(':').unwrap_or(("", start.name().0));
                    let value = |name: &str| {
                        let found = start.attributes().flatten().find(|a| a.key.0 == name);
                        found.map_or_else(String::new, |a| a.value.rsplit(':').next().unwrap_or_default().to_owned())
                    };
                    match &mut open {
                        None if depth == 1 && local == "binding" => {
                            open =
                                Some((Binding { name: value("name"), port_type: value("type"), version: None }, depth));
                        }
                        Some((binding, at)) if depth == *at + 1 && local == "binding" => {
                            let own = BINDINGS.iter().find(|(_, uri)| scope.uri(prefix) == Some(uri));
                            binding.version = own.map(|(version, _)| *version);
                        }
                        _ => {}
                    }
                    if matches!(event, Event::Start(_)) {
                        depth += 1;
                    } else {
                        scope.pop(depth + 1);
                    }
                }
                Event::End(_) => {
                    scope.pop(depth);
                    depth = depth.saturating_sub(1);
                    if open.as_ref().is_some_and(|(_, at)| *at == depth) {
                        found.extend(open.take().map(|(binding, _)| binding));
                    }
                }
                _ => {}
            }
        }
    }
    found
}
