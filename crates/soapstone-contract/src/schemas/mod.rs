//! The schemas of a contract as a validator wants them: those inside a WSDL taken out, every location one of these
//! documents, nothing in them for people; and elements for the messages of rpc style, which no schema declares.

mod relax;

use crate::model::{Binding, Contract, Message, PartContent, Protocol, QName, SchemaRoot, Style, TypeRef, Use};
use crate::xml::{Position, WSDL, XSD};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Documents that refer to each other by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidationSet {
    /// Name and text.
    pub documents: Vec<(String, String)>,
    /// Where to start: for each target namespace one document.
    pub roots: Vec<(String, String)>,
}

/// The schemas of a contract for a validator.
pub fn validation_set(contract: &Contract) -> ValidationSet {
    let mut set = ValidationSet::default();
    // Inline schemas by document and place; the others by document.
    let mut names: BTreeMap<(&str, Option<Position>), String> = BTreeMap::new();
    let is_inline = |document: &str| {
        contract
            .documents
            .iter()
            .any(|d| d.name == document && d.text.contains(WSDL) && target_namespace(&d.text).is_none())
    };
    let inline: BTreeSet<&str> =
        contract.documents.iter().map(|d| d.name.as_str()).filter(|name| is_inline(name)).collect();
    for root in contract.schema_roots.iter().filter(|r| inline.contains(r.document.as_str())) {
        let name = format!("s{}.xsd", names.len() + 1);
        names.insert((root.document.as_str(), Some(root.position)), name);
    }
    for document in contract.documents.iter().filter(|d| !inline.contains(d.name.as_str())) {
        let name = format!("s{}.xsd", names.len() + 1);
        names.insert((document.name.as_str(), None), name);
    }
    let name_of = |root: &'_ SchemaRoot| -> Option<&String> {
        let of =
            |position| names.iter().find(|((d, p), _)| *d == root.document && *p == position).map(|(_, name)| name);
        of(Some(root.position)).or_else(|| of(None))
    };
    // What a namespace is imported from, where a location does not say it.
    let mut by_namespace: BTreeMap<&str, &String> = BTreeMap::new();
    let mut roots: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for root in &contract.schema_roots {
        if let Some(name) = name_of(root) {
            by_namespace.entry(&root.namespace).or_insert(name);
            roots.entry(&root.namespace).or_default().push(name);
        }
    }
    let wrappers = rpc_elements(contract);
    let joined: BTreeSet<&str> = roots
        .iter()
        .filter(|(namespace, documents)| documents.len() > 1 || wrappers.contains_key(**namespace))
        .map(|(namespace, _)| *namespace)
        .collect();
    let join_name = |namespace: &str| {
        let index = roots.keys().position(|known| *known == namespace).unwrap_or(roots.len());
        format!("n{index}.xsd")
    };
    for document in &contract.documents {
        let locate = |kind: &str, location: Option<&str>, namespace: &str| -> Option<String> {
            if kind == "import" {
                if joined.contains(namespace) {
                    return Some(join_name(namespace));
                }
                return by_namespace.get(namespace).map(|name| (*name).clone());
            }
            let location = location?;
            let link = contract.links.iter().find(|l| l.from == document.name && l.location == location)?;
            names.get(&(link.to.as_str(), None)).cloned()
        };
        if inline.contains(document.name.as_str()) {
            for (position, text) in extracted(&document.text) {
                if let Some(name) = names.get(&(document.name.as_str(), Some(position))) {
                    set.documents.push((name.clone(), relax::relaxed(&prepared(&text, &locate))));
                }
            }
        } else if let Some(name) = names.get(&(document.name.as_str(), None)) {
            set.documents.push((name.clone(), relax::relaxed(&prepared(&document.text, &locate))));
        }
    }
    for (namespace, documents) in &roots {
        if joined.contains(namespace) {
            let elements = wrappers.get(*namespace);
            set.documents.push((join_name(namespace), join(namespace, documents, elements, roots.keys())));
            set.roots.push(((*namespace).to_owned(), join_name(namespace)));
        } else if let Some(document) = documents.first() {
            set.roots.push(((*namespace).to_owned(), (*document).clone()));
        }
    }
    for (number, (namespace, elements)) in
        wrappers.iter().filter(|(ns, _)| !roots.contains_key(ns.as_str())).enumerate()
    {
        let name = format!("r{number}.xsd");
        set.documents.push((name.clone(), join(namespace, &[], Some(elements), roots.keys())));
        set.roots.push((namespace.clone(), name));
    }
    set
}

/// A schema that is made of others of its namespace, and of elements.
fn join<'a>(
    namespace: &str,
    documents: &[&String],
    elements: Option<&String>,
    all: impl Iterator<Item = &'a &'a str>,
) -> String {
    let mut out = format!("<xs:schema xmlns:xs=\"{XSD}\"");
    if !namespace.is_empty() {
        let _ = write!(out, " targetNamespace=\"{}\"", escaped(namespace));
    }
    out.push('>');
    for document in documents {
        let _ = write!(out, "<xs:include schemaLocation=\"{document}\"/>");
    }
    if elements.is_some() {
        for other in all.filter(|other| **other != namespace) {
            match *other {
                "" => out.push_str("<xs:import/>"),
                other => {
                    let _ = write!(out, "<xs:import namespace=\"{}\"/>", escaped(other));
                }
            }
        }
    }
    out.push_str(elements.map_or("", String::as_str));
    out.push_str("</xs:schema>");
    out
}

/// The elements of messages in rpc/literal (WSDL 1.1, section 3.5), by namespace.
fn rpc_elements(contract: &Contract) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for binding in contract.bindings.values().filter(|b| !matches!(b.protocol, Protocol::Http(_))) {
        let Some(port_type) = contract.port_types.get(&binding.port_type) else { continue };
        for bound in binding.operations.iter().filter(|o| o.style == Style::Rpc) {
            let Some(operation) = port_type.operations.iter().find(|o| o.name == bound.name) else { continue };
            let directions = [
                (&operation.input, &bound.input, operation.name.clone()),
                (&operation.output, &bound.output, format!("{}Response", operation.name)),
            ];
            for (message, body, name) in directions {
                let Some(message) = message.as_ref().and_then(|m| contract.messages.get(m)) else { continue };
                let namespace = body.namespace.clone().unwrap_or_default();
                let declared = QName::new(namespace.as_str(), name.as_str());
                let is_declared = contract.schemas.elements.contains_key(&declared);
                if body.use_ == Use::Encoded || is_declared || !seen.insert((namespace.clone(), name.clone())) {
                    continue;
                }
                let in_body = |part: &str| body.carries(&message.name, part);
                found.entry(namespace).or_default().push_str(&rpc_element(&name, message, in_body));
            }
        }
    }
    // Messages with typed parts of portTypes that no SOAP binding carries.
    for port_type in contract.port_types.values() {
        let is_soap = |b: &Binding| b.port_type == port_type.name && !matches!(b.protocol, Protocol::Http(_));
        if contract.bindings.values().any(is_soap) {
            continue;
        }
        for operation in &port_type.operations {
            let response = format!("{}Response", operation.name);
            for (message, name) in [(&operation.input, &operation.name), (&operation.output, &response)] {
                let Some(message) = message.as_ref().and_then(|m| contract.messages.get(m)) else { continue };
                if seen.insert((String::new(), name.clone())) {
                    found.entry(String::new()).or_default().push_str(&rpc_element(name, message, |_| true));
                }
            }
        }
    }
    found
}

fn rpc_element(name: &str, message: &Message, in_body: impl Fn(&str) -> bool) -> String {
    let mut out = format!("<xs:element name=\"{}\"><xs:complexType><xs:sequence>", escaped(name));
    for part in message.parts.iter().filter(|p| in_body(&p.name)) {
        let _ = match &part.content {
            PartContent::Element(element) => {
                write!(out, "<xs:element xmlns:p=\"{}\" ref=\"p:{}\"/>", escaped(&element.namespace), element.local)
            }
            PartContent::Type(type_) => {
                let (namespace, local) = match type_ {
                    TypeRef::Named(name) => (name.namespace.to_string(), name.local.as_str()),
                    TypeRef::Builtin(builtin) => (XSD.to_owned(), builtin.name()),
                    TypeRef::Anonymous(_) => (XSD.to_owned(), "anyType"),
                };
                let reference = if namespace.is_empty() { local.to_owned() } else { format!("p:{local}") };
                let declaration =
                    if namespace.is_empty() { String::new() } else { format!(" xmlns:p=\"{}\"", escaped(&namespace)) };
                let part = escaped(&part.name);
                write!(
                    out,
                    "<xs:element{declaration} name=\"{part}\" type=\"{reference}\" nillable=\"true\" form=\"unqualified\"/>"
                )
            }
        };
    }
    out.push_str("</xs:sequence></xs:complexType></xs:element>");
    out
}

pub(crate) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

pub(crate) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    start.try_get_attribute(name).ok().flatten().map(|a| {
        quick_xml::escape::unescape(&a.value).map_or_else(|_| a.value.to_string(), std::borrow::Cow::into_owned)
    })
}

/// The target namespace, if the document is a schema.
fn target_namespace(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                let schema = start.local_name().into_inner() == "schema";
                return schema.then(|| attribute(&start, "targetNamespace").unwrap_or_default());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn offset(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// The schemas inside a WSDL with their places, each with the namespaces declared around it.
pub(crate) fn extracted(text: &str) -> Vec<(Position, String)> {
    let mut reader = Reader::from_str(text);
    let mut scope: Vec<(usize, String, String)> = Vec::new();
    let mut lines = crate::xml::Lines::new(text);
    let mut depth = 0;
    let mut found = Vec::new();
    loop {
        let before = offset(&reader);
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                depth += 1;
                let declarations = |a: quick_xml::events::attributes::Attribute<'_>| {
                    (a.key.0 == "xmlns" || a.key.0.starts_with("xmlns:"))
                        .then(|| (depth, a.key.0.to_owned(), a.value.into_owned()))
                };
                scope.extend(start.attributes().flatten().filter_map(declarations));
                let prefix = start.name().prefix().map(|p| format!("xmlns:{}", p.into_inner()));
                let prefix = prefix.unwrap_or_else(|| "xmlns".to_owned());
                let namespace = scope.iter().rev().find(|(_, name, _)| *name == prefix).map(|(_, _, uri)| uri.as_str());
                if start.local_name().into_inner() == "schema" && namespace == Some(XSD) {
                    if reader.read_to_end(start.to_end().name()).is_err() {
                        return found;
                    }
                    let end = offset(&reader);
                    let name_end = before + 1 + start.name().0.len();
                    let mut out = text[before..name_end].to_owned();
                    let mut declared: Vec<&str> = Vec::new();
                    for (level, prefix, uri) in scope.iter().rev() {
                        let is_own = *level == depth;
                        if !declared.contains(&prefix.as_str()) {
                            declared.push(prefix);
                            if !is_own {
                                let _ = write!(out, " {prefix}=\"{uri}\"");
                            }
                        }
                    }
                    out.push_str(&text[name_end..end]);
                    found.push((lines.position(before), out));
                    scope.retain(|(level, ..)| *level < depth);
                    depth -= 1;
                }
            }
            Ok(Event::End(_)) => {
                scope.retain(|(level, ..)| *level < depth);
                depth -= 1;
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

/// Finds the name of a document: by what refers to it (import, include, redefine), the location, and the namespace.
type Locate<'a> = dyn Fn(&str, Option<&str>, &str) -> Option<String> + 'a;

/// A schema with its locations changed, and without annotations.
fn prepared(text: &str, locate: &Locate<'_>) -> String {
    let mut reader = Reader::from_str(text);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at_root = true;
    loop {
        let before = offset(&reader);
        let event = match reader.read_event() {
            Ok(Event::Eof) | Err(_) => break,
            Ok(event) => event,
        };
        if let Event::Start(start) = &event
            && std::mem::take(&mut at_root)
        {
            // What nobody imports, but has a prefix here, is imported: elsewhere it is often just taken for granted.
            let end = offset(&reader);
            out.push_str(&text[copied..end]);
            copied = end;
            let own = attribute(start, "targetNamespace").unwrap_or_default();
            let declared = start.attributes().flatten().filter(|a| a.key.0.starts_with("xmlns:"));
            for namespace in declared.map(|a| a.value.to_string()).filter(|ns| *ns != own && *ns != XSD) {
                let is_imported = text.contains(&format!("namespace=\"{namespace}\""))
                    || text.contains(&format!("namespace='{namespace}'"));
                if let Some(found) = locate("import", None, &namespace).filter(|_| !is_imported) {
                    let prefix = start.name().0.rsplit_once(':').map_or_else(String::new, |(p, _)| format!("{p}:"));
                    let _ = write!(out, "<{prefix}import namespace=\"{namespace}\" schemaLocation=\"{found}\"/>");
                }
            }
            continue;
        }
        match &event {
            Event::Decl(_) | Event::Comment(_) | Event::DocType(_) | Event::PI(_) => {
                out.push_str(&text[copied..before]);
                copied = offset(&reader);
            }
            Event::Start(start) | Event::Empty(start) => {
                let kind = start.local_name().into_inner();
                match kind {
                    "annotation" => {
                        if matches!(event, Event::Start(_)) && reader.read_to_end(start.to_end().name()).is_err() {
                            break;
                        }
                        out.push_str(&text[copied..before]);
                        copied = offset(&reader);
                    }
                    "import" | "include" | "redefine" => {
                        let location = attribute(start, "schemaLocation");
                        let namespace = attribute(start, "namespace").unwrap_or_default();
                        let found = locate(kind, location.as_deref(), &namespace);
                        out.push_str(&text[copied..before]);
                        if kind == "include" && found.is_none() {
                            // There is nothing to include.
                            if matches!(event, Event::Start(_)) && reader.read_to_end(start.to_end().name()).is_err() {
                                break;
                            }
                            copied = offset(&reader);
                            continue;
                        }
                        let _ = write!(out, "<{}", start.name().0);
                        for a in start.attributes().flatten().filter(|a| a.key.0 != "schemaLocation") {
                            let quote = if a.value.contains('"') { '\'' } else { '"' };
                            let _ = write!(out, " {}={quote}{}{quote}", a.key.0, a.value);
                        }
                        if let Some(found) = found {
                            let _ = write!(out, " schemaLocation=\"{found}\"");
                        }
                        out.push_str(if matches!(event, Event::Start(_)) { ">" } else { "/>" });
                        copied = offset(&reader);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    // White space between tags says nothing in a schema.
    let mut tight = String::with_capacity(out.len());
    for line in out.lines() {
        let line = line.trim();
        if !line.is_empty() {
            if !tight.is_empty() {
                tight.push('\n');
            }
            tight.push_str(line);
        }
    }
    tight
}
