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

/// The names of the bindings that speak another version.
pub(super) fn left_out(documents: &[&ContractDocument], version: Version) -> Vec<String> {
    let mut found = Vec::new();
    for document in documents.iter().filter(|document| document.name.ends_with(".wsdl")) {
        let mut reader = Reader::from_str(document.text);
        let mut scope = Scope::default();
        // The names of the elements that are open, each with its attribute `name`.
        let mut open: Vec<(String, String)> = Vec::new();
        loop {
            let event = match reader.read_event() {
                Ok(Event::Eof) | Err(_) => break,
                Ok(event) => event,
            };
            match &event {
                Event::Start(start) | Event::Empty(start) => {
                    let depth = u32::try_from(open.len()).unwrap_or(u32::MAX - 1) + 1;
                    scope.push(depth, start);
                    let (prefix, local) = start.name().0.split_once(':').unwrap_or(("", start.name().0));
                    if let [_, (parent, binding)] = open.as_slice()
                        && (parent.as_str(), local) == ("binding", "binding")
                        && BINDINGS.iter().any(|(own, uri)| *own != version && scope.uri(prefix) == Some(uri))
                    {
                        found.push(binding.clone());
                    }
                    if matches!(event, Event::Start(_)) {
                        let name = start.attributes().flatten().find(|a| a.key.0 == "name");
                        open.push((local.to_owned(), name.map_or_else(String::new, |a| a.value.into_owned())));
                    } else {
                        scope.pop(depth);
                    }
                }
                Event::End(_) => {
                    scope.pop(u32::try_from(open.len()).unwrap_or(u32::MAX));
                    open.pop();
                }
                _ => {}
            }
        }
    }
    found
}
