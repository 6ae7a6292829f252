//! A contract with all that is needed to read and write its documents.

use super::canonical::difference;
use quick_xml::events::Event;
use soapstone::dynamic::{MessageShape, Shapes, json_of, xml_of, xml_of_json};
use soapstone_codegen::Generator;
use soapstone_codegen::program::Program;
use soapstone_contract::model::QName;
use soapstone_contract::{Problem, Severity, validation_set};
use soapstone_runtime::validate::Validator;
use soapstone_runtime::xml::Scope;
use std::path::Path;

pub struct Loaded {
    pub generator: Generator,
    pub program: Program,
    pub shapes: &'static Shapes,
    /// What libxml2 makes of the schemas.
    pub validator: Result<Validator, String>,
}

impl Loaded {
    pub fn of(path: &Path) -> Result<Self, Problem> {
        let worst = |problems: soapstone_contract::Problems| {
            problems.0.into_iter().find(|p| p.severity != Severity::Warning).expect("a reason")
        };
        let mut generator = Generator::new();
        generator.add(path).map_err(worst)?;
        let program = generator.program().map_err(worst)?;
        let shapes = Shapes::of(&program);
        let set = validation_set(&generator.contracts()[0]);
        let validator = Validator::new(&set.documents, &set.roots);
        Ok(Self { generator, program, shapes, validator })
    }

    pub fn message(&self, root: &QName) -> Option<&'static MessageShape> {
        self.program.message_of(root).map(|item| Shapes::message(&self.program, item))
    }

    /// Reads and writes a text; what was written says the same and is valid if the text was; so is its way over JSON.
    pub fn round_trip(&self, message: &MessageShape, text: &str, scope: &Scope<'_>) -> Result<(), String> {
        let written = xml_of(self.shapes, message, text, scope.clone()).map_err(|error| format!("refused: {error}"))?;
        if let Some(why) = difference(&whole(text, scope), &written) {
            return Err(format!("changed: {why}"));
        }
        if let Ok(validator) = &self.validator
            && !message.encoded
            && validator.validate(&whole(text, scope), 0).is_ok()
            && let Err(problems) = validator.validate(&written, 0)
        {
            return Err(format!("not valid any more: {}", problems[0]));
        }
        let json = json_of(self.shapes, message, text, scope.clone()).map_err(|e| format!("no JSON: {e}"))?;
        let value = serde_json::from_str(&json).map_err(|e| format!("wrong JSON: {e}"))?;
        let again = xml_of_json(self.shapes, message, value, false).map_err(|e| format!("JSON refused: {e}"))?;
        match difference(&written, &again) {
            // In JSON the order of members says nothing, nor does that of `xs:all`.
            Some(why) if sorted(&written) != sorted(&again) => Err(format!("changed by JSON: {why}")),
            _ => Ok(()),
        }
    }
}

/// The characters of a document in order, which tells whether anything but the order changed.
fn sorted(text: &str) -> Vec<char> {
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters
}

/// An element with the namespaces around it.
pub fn whole(text: &str, scope: &Scope<'_>) -> String {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                let begin = text.find('<').unwrap_or(0);
                return scope.standalone(&text[begin..], &start);
            }
            Ok(Event::Eof) | Err(_) => return text.to_owned(),
            Ok(_) => {}
        }
    }
}

/// The name of the root element.
pub fn root_name(text: &str, outer: &Scope<'_>) -> QName {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                let mut scope = outer.outer();
                scope.push(1, &start);
                let (prefix, local) = start.name().0.split_once(':').unwrap_or(("", start.name().0));
                return QName::new(scope.uri(prefix).unwrap_or_default(), local);
            }
            Ok(Event::Eof) | Err(_) => return QName::new("", ""),
            Ok(_) => {}
        }
    }
}

/// A document from its root element on.
pub fn without_prolog(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let end = match rest {
            r if r.starts_with("<?") => r.find("?>").map(|e| e + 2),
            r if r.starts_with("<!--") => r.find("-->").map(|e| e + 3),
            r if r.starts_with("<!DOCTYPE") => r.find("]>").map(|e| e + 2).or_else(|| r.find('>').map(|e| e + 1)),
            _ => return rest,
        };
        let Some(end) = end else { return rest };
        rest = rest[end..].trim_start();
    }
}

/// The files below a folder, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
