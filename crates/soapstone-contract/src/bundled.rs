//! Schemas that contracts refer to, but that nobody has at hand: Soapstone brings them along.

/// The documents, with the namespaces that each serves.
const SCHEMAS: &[(&[&str], &str, &str)] = &[
    (&["http://www.w3.org/XML/1998/namespace"], "xml.xsd", include_str!("../bundled/xml.xsd")),
    (
        &[
            "http://www.w3.org/2005/05/xmlmime",
            "http://www.w3.org/2004/11/xmlmime",
            "http://www.w3.org/2004/06/xmlmime",
        ],
        "xmlmime.xsd",
        include_str!("../bundled/xmlmime.xsd"),
    ),
    (&["http://www.w3.org/2005/08/addressing"], "ws-addressing.xsd", include_str!("../bundled/ws-addressing.xsd")),
    (
        &["http://schemas.xmlsoap.org/soap/encoding/", "http://www.w3.org/2003/05/soap-encoding"],
        "soap-encoding.xsd",
        include_str!("../bundled/soap-encoding.xsd"),
    ),
    (&["http://schemas.xmlsoap.org/wsdl/"], "wsdl-array.xsd", include_str!("../bundled/wsdl-array.xsd")),
];

/// The prefix of their names: no file has it.
pub(crate) const PREFIX: &str = "soapstone:";

/// The own name of a document that came with Soapstone; None for those of a contract.
pub fn brought_along(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

/// The schema of a namespace: its name and text.
pub(crate) fn schema(namespace: &str) -> Option<(String, String)> {
    SCHEMAS.iter().find_map(|(namespaces, name, text)| {
        let index = namespaces.iter().position(|ns| *ns == namespace)?;
        let name = if index == 0 { format!("{PREFIX}{name}") } else { format!("{PREFIX}{index}-{name}") };
        Some((name, text.replace("TARGET", namespace)))
    })
}
