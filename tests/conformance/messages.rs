//! Messages and documents that others wrote, read and written back.

use super::loaded::{Loaded, files, root_name, without_prolog};
use soapstone::dynamic::{MessageShape, Shapes};
use soapstone_runtime::soap::{Envelope, Limits};
use soapstone_runtime::xml::Scope;
use std::fmt::Write;
use std::path::Path;

/// The chapters of the report.
pub fn report(corpus: &Path, data: Option<&Path>) -> String {
    let mut out = String::from("## Messages of others\n\n| message | outcome |\n| --- | --- |\n");
    for wsdl in files(&corpus.join("messages"), "wsdl") {
        let folder = wsdl.parent().unwrap();
        if wsdl.file_name().is_none_or(|n| n != "soap.wsdl") {
            continue;
        }
        let Ok(loaded) = Loaded::of(&wsdl) else { continue };
        for kind in ["request", "response"] {
            let path = folder.join(format!("{kind}.xml"));
            let Ok(bytes) = std::fs::read(&path) else { continue };
            let outcome = match soapstone_runtime::xml::decode(&bytes, None) {
                Ok(text) => envelope(&loaded, without_prolog(&text), kind),
                Err(error) => error.to_string(),
            };
            let name = path.strip_prefix(corpus).unwrap().display().to_string();
            let _ = writeln!(out, "| {name} | {} |", outcome.replace('|', "\\|"));
        }
    }
    if let Some(data) = data {
        let _ = writeln!(out, "\n## openTRANS 2.1 and BMEcat 2005\n\n| document | outcome |\n| --- | --- |");
        documents(&data.join("opentrans/opentrans_2_1.xsd"), &data.join("opentrans"), data, &mut out);
        documents(&data.join("opentrans/bmecat_2005.xsd"), &data.join("bmecat"), data, &mut out);
    }
    out
}

fn envelope(loaded: &Loaded, text: &str, kind: &str) -> String {
    let envelope = match Envelope::parse(text, &Limits::default()) {
        Ok(envelope) => envelope,
        Err((_, fault)) => return fault.message,
    };
    if envelope.is_fault() {
        return "a fault".to_owned();
    }
    let (body, scope) = envelope.body();
    let program = &loaded.program;
    let operations = || program.services.iter().flat_map(|s| &s.operations);
    let items = operations().filter_map(|o| if kind == "request" { Some(o.input) } else { o.output });
    let message = |item: usize| Shapes::message(program, item);
    let by_name = |message: &&'static MessageShape| {
        let (namespace, local) = &envelope.body_name;
        message.element.local == local && message.element.namespace == namespace
    };
    let Some(message) = items.map(message).find(by_name) else {
        return format!(
            "not of the contract: no {kind} has the element {{{}}}{}",
            envelope.body_name.0, envelope.body_name.1
        );
    };
    let valid = match &loaded.validator {
        Ok(validator) if !message.encoded => validator.validate(text, 2).err(),
        _ => None,
    };
    match (loaded.round_trip(message, body, scope), valid) {
        (Ok(()), None) => "the same".to_owned(),
        (Ok(()), Some(problems)) => format!("the same; libxml2 calls it invalid: {}", problems[0].message),
        (Err(_), Some(problems)) => format!("not valid by its contract: {}", problems[0].message),
        (Err(why), None) => why,
    }
}

fn documents(schema: &Path, folder: &Path, data: &Path, out: &mut String) {
    let loaded = Loaded::of(schema).unwrap_or_else(|e| panic!("{e}"));
    for path in files(folder, "xml") {
        let name = path.strip_prefix(data).unwrap().display().to_string();
        let bytes = std::fs::read(&path).unwrap();
        let text = soapstone_runtime::xml::decode(&bytes, None).unwrap();
        let body = without_prolog(&text);
        let valid = loaded.validator.as_ref().ok().and_then(|v| v.validate(&text, 0).err());
        let outcome = match loaded.message(&root_name(body, &Scope::default())) {
            None => "not of this schema".to_owned(),
            Some(message) => match (loaded.round_trip(message, body, &Scope::default()), valid) {
                (Ok(()), None) => "the same".to_owned(),
                (Ok(()), Some(problems)) => format!("the same; libxml2 calls it invalid: {}", problems[0].message),
                (Err(_), Some(problems)) => format!("not valid by its schema: {}", problems[0].message),
                (Err(why), None) => why,
            },
        };
        let _ = writeln!(out, "| {name} | {} |", outcome.replace('|', "\\|"));
    }
}
