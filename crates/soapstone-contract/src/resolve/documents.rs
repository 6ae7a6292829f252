//! The closure of documents: the entry and all that it imports, includes or redefines, each read once.

use super::schema::REDEFINED;
use crate::bundled;
use crate::model::{Link, SchemaRoot};
use crate::problem::{Problem, Problems};
use crate::source::{Document, Sources, decode};
use crate::wsdl::Definitions;
use crate::xml::{self, At, Position, WSDL, XSD};
use crate::xsd::{Redefine, Schema};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A schema document, with the namespace it counts for: a chameleon include takes that of its includer.
pub(crate) struct SchemaDocument {
    pub file: Arc<str>,
    pub target_namespace: Arc<str>,
    pub schema: At<Schema>,
    /// Whether it was included without a namespace of its own: its unprefixed names mean the includer's.
    pub chameleon: bool,
}

/// A WSDL document.
pub(crate) struct DefinitionsDocument {
    pub file: Arc<str>,
    pub definitions: At<Definitions>,
}

/// All documents of a contract.
#[derive(Default)]
pub(crate) struct Closure {
    pub entry: String,
    pub all: Vec<Document>,
    pub links: Vec<Link>,
    pub roots: Vec<SchemaRoot>,
    pub schemas: Vec<SchemaDocument>,
    pub definitions: Vec<DefinitionsDocument>,
}

struct Reader<'a> {
    sources: &'a dyn Sources,
    problems: &'a mut Problems,
    closure: Closure,
    /// Documents met, with the namespace they count for.
    met: BTreeSet<(String, String)>,
    /// Namespaces that are imported.
    wanted: BTreeSet<String>,
}

impl Closure {
    pub fn read(sources: &dyn Sources, entry: &str, problems: &mut Problems) -> Self {
        let mut reader =
            Reader { sources, problems, closure: Self::default(), met: BTreeSet::new(), wanted: BTreeSet::new() };
        let name = sources.locate(None, entry);
        reader.closure.entry.clone_from(&name);
        if let Some(text) = reader.fetch(&name, None) {
            reader.document(&name, &text, Reach::Whole);
        }
        reader.bring_along();
        reader.closure
    }
}

/// How a document is reached.
#[derive(Clone, Copy)]
enum Reach<'a> {
    /// In its own right: asked for, or imported.
    Whole,
    /// As a part of a schema with that namespace: included or redefined.
    Part(&'a str),
}

/// Who asks for a document: by what in which file, and whether there is no going on without it.
struct Asker<'a> {
    file: &'a str,
    position: Position,
    needed: bool,
}

impl Reader<'_> {
    fn fetch(&mut self, name: &str, asker: Option<Asker<'_>>) -> Option<String> {
        if let Some(known) = self.closure.all.iter().find(|d| d.name == name) {
            return Some(known.text.clone());
        }
        let text = match self.sources.fetch(name) {
            Ok(bytes) => match decode(name, &bytes) {
                Ok(text) => text,
                Err(problem) => {
                    self.problems.push(problem);
                    return None;
                }
            },
            Err(why) => {
                let (file, position, needed) = match asker {
                    Some(asker) => (asker.file, asker.position, asker.needed),
                    None => (name, Position::default(), true),
                };
                let text = format!("the document \"{name}\" cannot be read: {why}");
                let problem = if needed {
                    Problem::invalid("contract.not_found", file, position, text)
                } else {
                    // A location is a hint (XSD part 1, section 4.2.3); what is missing is told where it is used.
                    Problem::warning("contract.not_found", file, position, text)
                };
                self.problems.push(
                    problem
                        .remedy("put the file at that place, or correct the location; contracts must be local files"),
                );
                return None;
            }
        };
        self.closure.all.push(Document { name: name.to_owned(), text: text.clone() });
        Some(text)
    }

    fn document(&mut self, name: &str, text: &str, reach: Reach<'_>) {
        let root = match xml::root(name, text) {
            Ok(root) => root,
            Err(problem) => return self.problems.push(problem),
        };
        match (root.0.as_str(), root.1.as_str()) {
            (WSDL, "definitions") => self.definitions(name, text),
            (XSD, "schema") => match xml::read::<Schema>(name, text) {
                Ok(schema) => self.schema(&Arc::from(name), schema, reach, &[]),
                Err(problem) => self.problems.push(problem),
            },
            ("http://www.w3.org/ns/wsdl", _) => self.problems.push(
                Problem::unsupported(
                    "wsdl.version",
                    name,
                    Position { line: 1, column: 1 },
                    "this is a WSDL 2.0 document",
                )
                .remedy("ask for the WSDL 1.1 form, which practically every service publishes as well"),
            ),
            (ns, local) => self.problems.push(
                Problem::invalid(
                    "contract.not_a_contract",
                    name,
                    Position { line: 1, column: 1 },
                    format!("the root element is {{{ns}}}{local}, neither a WSDL 1.1 definitions nor an XSD schema"),
                )
                .remedy("name a .wsdl or .xsd file"),
            ),
        }
    }

    fn definitions(&mut self, name: &str, text: &str) {
        if !self.met.insert((name.to_owned(), String::new())) {
            return;
        }
        let definitions = match xml::read::<Definitions>(name, text) {
            Ok(definitions) => definitions,
            Err(problem) => return self.problems.push(problem),
        };
        self.required_extensions(name, text);
        let file: Arc<str> = Arc::from(name);
        let inline: Vec<String> = definitions
            .types
            .iter()
            .flat_map(|t| &t.schemas)
            .map(|s| s.target_namespace.clone().unwrap_or_default())
            .collect();
        for schema in definitions.types.iter().flat_map(|t| &t.schemas) {
            self.schema(&file, schema.clone(), Reach::Whole, &inline);
        }
        for import in &definitions.imports {
            let Some(location) = import.location.clone() else {
                self.problems.push(
                    Problem::invalid("wsdl.import_location", name, import.position, "the import has no location")
                        .remedy("WSDL 1.1 section 2.1.1 wants location=\"…\" on every wsdl:import"),
                );
                continue;
            };
            self.follow(name, import.position, &location, Reach::Whole, true);
        }
        self.closure.definitions.push(DefinitionsDocument { file, definitions });
    }

    /// Extensions that must be understood (WSDL 1.1, section 2.1.3), but are not. All others are passed over.
    fn required_extensions(&mut self, name: &str, text: &str) {
        if !text.contains("required") {
            return;
        }
        for (position, extension) in xml::required_extensions(text) {
            let problem = Problem::unsupported(
                "wsdl.required_extension",
                name,
                position,
                format!("the extension {extension} is required, but Soapstone does not know it"),
            );
            self.problems.push(problem.remedy("ask for a contract without it, or leave out wsdl:required"));
        }
    }

    fn schema(&mut self, file: &Arc<str>, schema: At<Schema>, reach: Reach<'_>, inline: &[String]) {
        self.want_what_is_referred_to(file, &schema);
        let includer = match reach {
            Reach::Whole => None,
            Reach::Part(namespace) => Some(namespace),
        };
        let own = schema.target_namespace.clone();
        if let (Some(own), Some(includer)) = (own.as_deref(), includer)
            && own != includer
        {
            self.problems.push(
                Problem::invalid(
                    "xsd.include_namespace",
                    file,
                    schema.position,
                    format!("the schema has the namespace \"{own}\", but is included in one with \"{includer}\""),
                )
                .remedy("import it instead; what is included must have the same namespace, or none"),
            );
        }
        let chameleon = own.is_none() && includer.is_some();
        let namespace: Arc<str> = Arc::from(own.as_deref().or(includer).unwrap_or(""));
        // Inline schemas share a file, so only documents of their own are told apart by name.
        let key = format!("{file}#{}:{}", schema.position.line, schema.position.column);
        if !self.met.insert((key, namespace.to_string())) {
            return;
        }
        if includer.is_none() {
            let root =
                SchemaRoot { namespace: namespace.to_string(), document: file.to_string(), position: schema.position };
            if !self.closure.roots.contains(&root) {
                self.closure.roots.push(root);
            }
        }
        for include in &schema.includes {
            match include.schema_location.clone() {
                Some(location) => self.follow(file, include.position, &location, Reach::Part(&namespace), false),
                None => self.problems.push(
                    Problem::invalid(
                        "xsd.include_location",
                        file,
                        include.position,
                        "the include has no schemaLocation",
                    )
                    .remedy("say which file is included"),
                ),
            }
        }
        for redefine in &schema.redefines {
            if let Some(location) = redefine.schema_location.clone() {
                self.follow(file, redefine.position, &location, Reach::Part(&namespace), true);
                self.set_aside(redefine, &namespace);
            }
        }
        for import in &schema.imports {
            let wanted = import.namespace.clone().unwrap_or_default();
            self.wanted.insert(wanted.clone());
            // Without a location, the namespace is one of the other inline schemas, or one that we bring along.
            if let Some(location) = import.schema_location.clone().filter(|l| !l.is_empty())
                && !well_known(&wanted)
                && !(inline.contains(&wanted) && location.contains("://"))
            {
                self.follow_import(file, import.position, &location, &wanted);
            }
        }
        self.closure.schemas.push(SchemaDocument {
            file: file.clone(),
            target_namespace: namespace,
            schema,
            chameleon,
        });
    }

    /// Follows an import; where the file is not to be had, a schema that we bring along serves as well.
    fn follow_import(&mut self, from: &str, position: Position, location: &str, namespace: &str) {
        let to = self.sources.locate(Some(from), location);
        let known = self.closure.all.iter().any(|d| d.name == to);
        if !known && bundled::schema(namespace).is_some() && self.sources.fetch(&to).is_err() {
            return;
        }
        self.follow(from, position, location, Reach::Whole, false);
    }

    /// Gives what is redefined another name, under which its successor finds it.
    fn set_aside(&mut self, redefine: &Redefine, namespace: &str) {
        fn rename<'n>(names: impl Iterator<Item = &'n mut Option<String>>, wanted: &Option<String>) {
            for name in names.filter(|name| *name == wanted) {
                *name = name.as_ref().map(|name| format!("{}{REDEFINED}", name.trim()));
            }
        }
        for document in self.closure.schemas.iter_mut().filter(|d| *d.target_namespace == *namespace) {
            let schema = &mut document.schema.node;
            for made in &redefine.simple_types {
                rename(schema.simple_types.iter_mut().map(|t| &mut t.node.name), &made.name);
            }
            for made in &redefine.complex_types {
                rename(schema.complex_types.iter_mut().map(|t| &mut t.node.name), &made.name);
            }
            for made in &redefine.groups {
                rename(schema.groups.iter_mut().map(|g| &mut g.node.name), &made.name);
            }
            for made in &redefine.attribute_groups {
                rename(schema.attribute_groups.iter_mut().map(|g| &mut g.node.name), &made.name);
            }
        }
    }

    /// Namespaces that nobody imports, but whose names are used, may be among those that we bring along.
    fn want_what_is_referred_to(&mut self, file: &str, schema: &At<Schema>) {
        let Some(document) = self.closure.all.iter().find(|d| d.name == file) else { return };
        for (prefix, namespace) in schema.namespaces.iter().filter(|(prefix, _)| !prefix.is_empty()) {
            if namespace != WSDL
                && bundled::schema(namespace).is_some()
                && (document.text.contains(&format!("\"{prefix}:")) || document.text.contains(&format!("'{prefix}:")))
            {
                self.wanted.insert(namespace.clone());
            }
        }
    }

    /// Adds the schemas that we bring along for namespaces that are imported and that no document has.
    fn bring_along(&mut self) {
        for namespace in std::mem::take(&mut self.wanted) {
            let is_there = self.closure.schemas.iter().any(|s| *s.target_namespace == *namespace);
            let Some((name, text)) = bundled::schema(&namespace).filter(|_| !is_there) else { continue };
            self.closure.all.push(Document { name: name.clone(), text: text.clone() });
            self.document(&name, &text, Reach::Whole);
        }
    }

    fn follow(&mut self, from: &str, position: Position, location: &str, reach: Reach<'_>, needed: bool) {
        let to = self.sources.locate(Some(from), location);
        let link = Link { from: from.to_owned(), location: location.to_owned(), to: to.clone() };
        if !self.closure.links.contains(&link) {
            self.closure.links.push(link);
        }
        if let Some(text) = self.fetch(&to, Some(Asker { file: from, position, needed })) {
            self.document(&to, &text, reach);
        }
    }
}

/// Namespaces whose schema Soapstone brings along.
pub(crate) fn well_known(namespace: &str) -> bool {
    matches!(
        namespace,
        "http://schemas.xmlsoap.org/soap/encoding/"
            | "http://schemas.xmlsoap.org/soap/envelope/"
            | "http://www.w3.org/2003/05/soap-encoding"
            | "http://www.w3.org/2001/XMLSchema"
            | "http://www.w3.org/XML/1998/namespace"
    )
}
