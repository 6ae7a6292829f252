//! A contract of several documents as one: schemas inside, imports gone. Old tools want it so.

use crate::model::Contract;
use crate::schemas::{attribute, escaped, extracted};
use crate::xml::{WSDL, XSD};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The prefix of the namespace that all definitions are in afterwards.
const PREFIX: &str = "flat";

/// The whole contract as one WSDL.
///
/// # Errors
/// Why it cannot be one: names that differ only in their namespace, or a redefinition of a schema.
pub fn flat(contract: &Contract) -> Result<String, String> {
    let is_wsdl = |text: &str| root(text).is_some_and(|root| root.0 == "definitions");
    let wsdls: Vec<_> = contract.documents.iter().filter(|d| is_wsdl(&d.text)).collect();
    let Some(main) = wsdls.first() else { return Err("it is no WSDL".to_owned()) };
    let namespace = contract.target_namespace.to_string();
    let all: BTreeSet<String> = wsdls.iter().filter_map(|d| root(&d.text)).map(|(_, namespace)| namespace).collect();
    let mut sections: [String; 6] = Default::default();
    let mut names: BTreeSet<(usize, String)> = BTreeSet::new();
    for document in &wsdls {
        for child in children(&document.text) {
            let (section, kind) = match child.local.as_str() {
                "types" | "import" => continue,
                "documentation" if document.name == main.name => (0, ""),
                "documentation" => continue,
                "message" => (2, "message"),
                "portType" => (3, "portType"),
                "binding" => (4, "binding"),
                "service" => (5, "service"),
                _ => (1, ""),
            };
            if !kind.is_empty() && !names.insert((section, child.name.clone())) {
                let name = &child.name;
                return Err(format!("there are two declarations of the {kind} {name}"));
            }
            sections[section].push_str(&rehomed(&child.text, &all, &namespace));
            sections[section].push('\n');
        }
    }
    let schemas = Schemas::of(contract)?;
    let [documentation, extensions, rest @ ..] = sections;
    let mut out = format!(
        "<wsdl:definitions xmlns:wsdl=\"{WSDL}\" xmlns:{PREFIX}=\"{0}\" targetNamespace=\"{0}\"",
        escaped(&namespace)
    );
    if let Some(name) = first_start(&main.text).and_then(|start| attribute(&start, "name")) {
        let _ = write!(out, " name=\"{}\"", escaped(&name));
    }
    let _ = write!(out, ">\n{documentation}{extensions}");
    if !schemas.is_empty() {
        let _ = write!(out, "<wsdl:types>\n{schemas}</wsdl:types>\n");
    }
    out.push_str(&rest.concat());
    out.push_str("</wsdl:definitions>\n");
    Ok(out)
}

/// A child of a document's root element.
struct Child {
    local: String,
    /// Its `name`.
    name: String,
    /// With the namespaces declared that its root declares.
    text: String,
}

fn first_start(text: &str) -> Option<BytesStart<'_>> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => return Some(start),
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// The local name of the root element, and its target namespace.
fn root(text: &str) -> Option<(String, String)> {
    let start = first_start(text)?;
    Some((start.local_name().into_inner().to_owned(), attribute(&start, "targetNamespace").unwrap_or_default()))
}

/// The children of the root element.
fn children(text: &str) -> Vec<Child> {
    let mut reader = Reader::from_str(text);
    let mut declarations: Vec<(String, String)> = Vec::new();
    let mut found = Vec::new();
    let mut inside = false;
    loop {
        let before = offset(&reader);
        let (start, has_end) = match reader.read_event() {
            Ok(Event::Start(start)) => (start, true),
            Ok(Event::Empty(start)) => (start, false),
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => continue,
        };
        if !inside {
            inside = true;
            let declared = start.attributes().flatten().filter(|a| is_declaration(a.key.0));
            declarations = declared.map(|a| (a.key.0.to_owned(), a.value.into_owned())).collect();
            continue;
        }
        if has_end && reader.read_to_end(start.to_end().name()).is_err() {
            return found;
        }
        let own: Vec<String> = start.attributes().flatten().map(|a| a.key.0.to_owned()).collect();
        let name_end = before + 1 + start.name().0.len();
        let mut out = text[before..name_end].to_owned();
        for (name, uri) in declarations.iter().filter(|(name, _)| !own.contains(name)) {
            let _ = write!(out, " {name}=\"{}\"", uri.replace('"', "&quot;"));
        }
        out.push_str(&text[name_end..offset(&reader)]);
        found.push(Child {
            local: start.local_name().into_inner().to_owned(),
            name: attribute(&start, "name").unwrap_or_default(),
            text: out,
        });
    }
}

fn is_declaration(name: &str) -> bool {
    name == "xmlns" || name.starts_with("xmlns:")
}

fn offset(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// A declaration of WSDL with what it refers to in one namespace.
fn rehomed(text: &str, all: &BTreeSet<String>, namespace: &str) -> String {
    let mut reader = Reader::from_str(text);
    let mut scope: Vec<(u32, String, String)> = Vec::new();
    let mut depth = 0;
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    loop {
        let before = offset(&reader);
        let (start, is_empty) = match reader.read_event() {
            Ok(Event::Start(start)) => (start, false),
            Ok(Event::Empty(start)) => (start, true),
            Ok(Event::End(_)) => {
                scope.retain(|(level, ..)| *level < depth);
                depth -= 1;
                continue;
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => continue,
        };
        depth += 1;
        for declared in start.attributes().flatten().filter(|a| is_declaration(a.key.0)) {
            let prefix = declared.key.0.strip_prefix("xmlns:").unwrap_or("").to_owned();
            scope.push((depth, prefix, declared.value.into_owned()));
        }
        let local = start.local_name().into_inner();
        let refers = |name: &str| name == "message" || name == "binding" || (name == "type" && local == "binding");
        let moved = |value: &str| {
            let (prefix, local) = value.trim().split_once(':').unwrap_or(("", value.trim()));
            let uri = scope.iter().rev().find(|(_, known, _)| known == prefix).map_or("", |(.., uri)| uri.as_str());
            // Without prefix and default namespace a name is the document's own.
            let is_own = uri.is_empty() || uri == WSDL || (uri != namespace && all.contains(uri));
            is_own.then(|| format!("{PREFIX}:{local}"))
        };
        let changed = start.attributes().flatten().any(|a| refers(a.key.0) && moved(&a.value).is_some());
        if changed {
            out.push_str(&text[copied..before]);
            let _ = write!(out, "<{}", start.name().0);
            for a in start.attributes().flatten() {
                let value = if refers(a.key.0) { moved(&a.value) } else { None };
                let value = value.unwrap_or_else(|| a.value.replace('"', "&quot;"));
                let _ = write!(out, " {}=\"{value}\"", a.key.0);
            }
            out.push_str(if is_empty { "/>" } else { ">" });
            copied = offset(&reader);
        }
        if is_empty {
            scope.retain(|(level, ..)| *level < depth);
            depth -= 1;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// The schemas of a contract, one for each namespace and way of qualifying.
struct Schemas<'a> {
    contract: &'a Contract,
    /// The start tag, and what is in it.
    merged: Vec<(String, String)>,
    /// Documents that were included, each under a namespace.
    seen: BTreeSet<(String, String)>,
}

impl<'a> Schemas<'a> {
    /// All schemas as text.
    fn of(contract: &'a Contract) -> Result<String, String> {
        let mut schemas = Self { contract, merged: Vec::new(), seen: BTreeSet::new() };
        for root in &contract.schema_roots {
            let Some(document) = contract.documents.iter().find(|d| d.name == root.document) else { continue };
            let inline = extracted(&document.text).into_iter().find(|(position, _)| *position == root.position);
            match inline {
                Some((_, text)) if self::root(&document.text).is_some_and(|(local, _)| local != "schema") => {
                    schemas.add(&document.name, &text, &root.namespace)?;
                }
                _ => schemas.add_document(&document.name, &document.text, &root.namespace)?,
            }
        }
        Ok(schemas.merged.into_iter().fold(String::new(), |mut out, (start, content)| {
            let _ = writeln!(out, "{start}\n{content}</xs:schema>");
            out
        }))
    }

    fn add_document(&mut self, name: &str, text: &str, namespace: &str) -> Result<(), String> {
        if self.seen.insert((name.to_owned(), namespace.to_owned())) { self.add(name, text, namespace) } else { Ok(()) }
    }

    /// Adds a schema of that document; one without a namespace takes on that of who includes it.
    fn add(&mut self, document: &str, text: &str, namespace: &str) -> Result<(), String> {
        let Some(start) = first_start(text) else { return Ok(()) };
        let mut tag = format!("<xs:schema xmlns:xs=\"{XSD}\"");
        if !namespace.is_empty() {
            let _ = write!(tag, " targetNamespace=\"{}\"", escaped(namespace));
        }
        for name in ["elementFormDefault", "attributeFormDefault", "blockDefault", "finalDefault"] {
            if let Some(value) = attribute(&start, name) {
                let _ = write!(tag, " {name}=\"{}\"", escaped(&value));
            }
        }
        tag.push('>');
        let takes_on = attribute(&start, "targetNamespace").is_none() && !namespace.is_empty();
        let has_default = start.attributes().flatten().any(|a| a.key.0 == "xmlns");
        let mut imports = String::new();
        let mut content = String::new();
        for child in children(text) {
            let element = first_start(&child.text);
            let location = element.as_ref().and_then(|start| attribute(start, "schemaLocation"));
            match child.local.as_str() {
                "import" => {
                    let imported = element.as_ref().and_then(|start| attribute(start, "namespace")).unwrap_or_default();
                    let import = if imported.is_empty() {
                        "<xs:import/>\n".to_owned()
                    } else {
                        format!("<xs:import namespace=\"{}\"/>\n", escaped(&imported))
                    };
                    imports.push_str(&import);
                }
                "include" => {
                    let location = location.unwrap_or_default();
                    let links = &self.contract.links;
                    let link = links.iter().find(|l| l.from == document && l.location == location);
                    let included = link.and_then(|l| self.contract.documents.iter().find(|d| d.name == l.to));
                    if let Some(included) = included {
                        self.add_document(&included.name, &included.text, namespace)?;
                    }
                }
                "redefine" => return Err("a schema is redefined, and that takes a document of its own".to_owned()),
                _ if takes_on && !has_default => {
                    // What has no prefix in it means the namespace taken on.
                    let end = child.text.find([' ', '>', '/', '\n', '\t']).unwrap_or(child.text.len());
                    let (name, rest) = child.text.split_at(end);
                    let _ = writeln!(content, "{name} xmlns=\"{}\"{rest}", escaped(namespace));
                }
                _ => {
                    content.push_str(&child.text);
                    content.push('\n');
                }
            }
        }
        match self.merged.iter_mut().find(|(known, _)| *known == tag) {
            Some((_, merged)) => {
                // Imports come first.
                let new: String =
                    imports.lines().filter(|line| !merged.contains(line)).map(|l| format!("{l}\n")).collect();
                merged.insert_str(0, &new);
                merged.push_str(&content);
            }
            None => self.merged.push((tag, imports + &content)),
        }
        Ok(())
    }
}
