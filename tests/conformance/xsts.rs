//! The schemas and instances of the W3C's XML Schema Test Suite, read, written and validated.

use super::canonical::difference;
use crate::support::shared;
use soapstone::dynamic::{Shapes, json_of, xml_of, xml_of_json};
use soapstone_codegen::Generator;
use soapstone_contract::validation_set;
use soapstone_contract::model::QName;
use soapstone_runtime::validate::Validator;
use soapstone_runtime::xml::Scope;
use std::collections::BTreeMap;
use std::path::Path;

/// Schemas with which libxml2 comes to no end.
const ENDLESS: &[&str] = &["msData/particles/particlesZ012.xsd"];

pub struct Pair {
    pub test: String,
    pub schema: String,
    pub instance: String,
    pub valid: bool,
}

pub fn pairs(folder: &Path) -> Vec<Pair> {
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let pair = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        Pair {
            test: format!("{}/{}", cells[0], cells[1]),
            schema: cells[2].to_owned(),
            instance: cells[3].to_owned(),
            valid: cells[4] == "valid",
        }
    };
    manifest.lines().skip(1).filter(|line| !line.is_empty()).map(pair).collect()
}

#[test]
fn survey() {
    let Some(folder) = shared("corpus/xsts") else { return };
    let mut by_schema: BTreeMap<String, Vec<Pair>> = BTreeMap::new();
    for pair in pairs(&folder) {
        by_schema.entry(pair.schema.clone()).or_default().push(pair);
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: &str| *counts.entry(what.to_owned()).or_default() += 1;
    for (schema, pairs) in by_schema {
        if ENDLESS.contains(&schema.as_str()) {
            continue;
        }
        let mut generator = Generator::new();
        if let Err(problems) = generator.add(&folder.join(&schema)) {
            println!("LOAD {schema}: {}", problems.0.iter().find(|p| p.severity != soapstone_contract::Severity::Warning).unwrap());
            count("load failed");
            continue;
        }
        let program = match generator.program() {
            Ok(program) => program,
            Err(problems) => {
                println!("PROGRAM {schema}: {problems}");
                count("program failed");
                continue;
            }
        };
        let shapes = Shapes::of(&program);
        let set = validation_set(&generator.contracts()[0]);
        let validator = match Validator::new(&set.documents, &set.roots) {
            Ok(validator) => Some(validator),
            Err(why) => {
                println!("LIBXML {schema}: {why}");
                count("libxml2 refuses the schema");
                None
            }
        };
        for pair in pairs {
            let bytes = std::fs::read(folder.join(&pair.instance)).unwrap();
            let Ok(text) = soapstone_runtime::xml::decode(&bytes, None) else {
                println!("DECODE {}", pair.instance);
                continue;
            };
            let verdict = validator.as_ref().map(|v| v.validate(&text, 0));
            match (&verdict, pair.valid) {
                (Some(Ok(())), true) | (Some(Err(_)), false) => count("libxml2 agrees"),
                (Some(Ok(())), false) => {
                    println!("LIBXML-ACCEPTS {} {}", pair.test, pair.instance);
                    count("libxml2 accepts an invalid one");
                }
                (Some(Err(e)), true) => {
                    println!("LIBXML-REFUSES {} {}: {}", pair.test, pair.instance, e[0]);
                    count("libxml2 refuses a valid one");
                }
                (None, _) => {}
            }
            let root = root_name(&text);
            let Some(item) = program.message_of(&root) else {
                count(if pair.valid { "valid, but no message" } else { "invalid, no message" });
                if pair.valid {
                    println!("NOMESSAGE {} {} {root}", pair.test, pair.instance);
                }
                continue;
            };
            let message = Shapes::message(&program, item);
            let body = without_prolog(&text);
            let written = xml_of(shapes, message, body, Scope::default());
            match (written, pair.valid) {
                (Err(_), false) => count("invalid, reader refuses"),
                (Ok(_), false) => count("invalid, reader accepts"),
                (Err(error), true) => {
                    println!("READ {} {}: {error}", pair.test, pair.instance);
                    count("valid, reader refuses");
                }
                (Ok(written), true) => {
                    if let Some(why) = difference(body, &written) {
                        println!("DIFF {} {}: {why}", pair.test, pair.instance);
                        count("valid, differs");
                        continue;
                    }
                    if let (Some(validator), Some(Ok(()))) = (&validator, &verdict)
                        && let Err(why) = validator.validate(&written, 0)
                    {
                        println!("INVALID {} {}: {}", pair.test, pair.instance, why[0]);
                        count("valid, written is not");
                        continue;
                    }
                    let json = json_of(shapes, message, body, Scope::default()).unwrap();
                    let value = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{}: {e}: {json}", pair.instance));
                    match xml_of_json(shapes, message, value, false) {
                        Err(error) => {
                            println!("JSON {} {}: {error}", pair.test, pair.instance);
                            count("valid, JSON refused");
                        }
                        Ok(again) => match difference(&written, &again) {
                            Some(why) => {
                                println!("JSONDIFF {} {}: {why}", pair.test, pair.instance);
                                count("valid, JSON differs");
                            }
                            None => count("valid, all well"),
                        },
                    }
                }
            }
        }
    }
    for (what, count) in counts {
        println!("COUNT {what}: {count}");
    }
}

fn root_name(text: &str) -> QName {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                let mut scope = Scope::default();
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
fn without_prolog(text: &str) -> &str {
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
