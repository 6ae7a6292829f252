//! The WSDLs of the corpus: verdict, generated code, and samples that are valid.

use super::loaded::{Loaded, files, whole};
use super::served;
use soapstone::dynamic::{Shapes, xml_of, xml_of_json};
use soapstone_codegen::{Parts, sample};
use soapstone_runtime::xml::Scope;
use std::fmt::Write;
use std::path::Path;

/// The chapter of the report, and the code of every contract that is sound, by a module's name.
pub fn report(corpus: &Path) -> (String, Vec<(String, String)>) {
    let mut sources = Vec::new();
    let (mut rows, mut wrong) = (String::new(), String::new());
    let (mut sound, mut operations, mut calls) = (0, 0, 0);
    for folder in ["wsdl", "messages"] {
        for path in files(&corpus.join(folder), "wsdl") {
            let name = path.strip_prefix(corpus).unwrap().display().to_string();
            match Loaded::of(&path) {
                Err(problem) => {
                    let message = problem.message.replace(&format!("{}/", corpus.display()), "");
                    let file = problem.file.replace(&format!("{}/", corpus.display()), "");
                    let place = format!("{file}:{}:{}", problem.position.line, problem.position.column);
                    let _ =
                        writeln!(wrong, "| {name} | {place} | `{}` | {} |", problem.code, message.replace('|', "\\|"));
                }
                Ok(loaded) => {
                    sound += 1;
                    let parts = Parts { server: true, client: true, ..Parts::default() };
                    let code = loaded.generator.generate(parts).unwrap_or_else(|e| panic!("{name}: {e}"));
                    let again = loaded.generator.generate(parts).unwrap();
                    assert!(code == again, "{name}: the code is not the same twice");
                    let (good, all, why) = samples(&loaded);
                    operations += all;
                    let samples = if good == all { format!("{all}") } else { format!("{good} of {all}: {why}") };
                    let callable = loaded.program.services.iter().any(|s| !s.operations.is_empty());
                    let (good, all, why) = if callable { served::answered(&path) } else { Default::default() };
                    calls += all;
                    let served = if good == all { format!("{all}") } else { format!("{good} of {all}: {why}") };
                    let _ = writeln!(
                        rows,
                        "| {name} | {} | {} | {samples} | {served} |",
                        loaded.program.items.len(),
                        code.len() / 1024
                    );
                    sources.push((format!("c{}", sources.len()), code));
                }
            }
        }
    }
    let mut out = String::from("## WSDLs of others\n\n");
    let _ = writeln!(
        out,
        "{sound} contracts are sound: each is checked, generated (types, server, client) and compiled without a \
         warning of clippy; samples of {operations} messages, in XML and in JSON, are read again and validated. {calls} \
         operations are called with JSON through the gateway of the contract, behind which its mock speaks SOAP.\n"
    );
    let _ = writeln!(
        out,
        "| contract | Rust types | KB of Rust | messages with valid samples | calls through gateway and mock |\n| --- | --- | --- | --- | --- |\n{rows}"
    );
    let _ = writeln!(
        out,
        "These are wrong, some of them on purpose:\n\n| contract | place | code | what |\n| --- | --- | --- | --- |\n{wrong}"
    );
    (out, sources)
}

/// How many samples are valid, of how many; and what is wrong with the first that is not.
fn samples(loaded: &Loaded) -> (usize, usize, String) {
    let (mut good, mut all, mut first) = (0, 0, String::new());
    let program = &loaded.program;
    for operation in program.services.iter().flat_map(|s| &s.operations) {
        for item in [operation.input].into_iter().chain(operation.output) {
            all += 1;
            match sample_is_valid(loaded, item) {
                Ok(()) => good += 1,
                Err(why) if first.is_empty() => first = format!("{}: {why}", operation.name).replace('|', "\\|"),
                Err(_) => {}
            }
        }
    }
    (good, all, first)
}

fn sample_is_valid(loaded: &Loaded, item: usize) -> Result<(), String> {
    let message = Shapes::message(&loaded.program, item);
    let xml = sample::xml(&loaded.program, item);
    let written = xml_of(loaded.shapes, message, &xml, Scope::default()).map_err(|e| format!("XML refused: {e}"))?;
    let json = sample::json(&loaded.program, item);
    xml_of_json(loaded.shapes, message, json, false).map_err(|e| format!("JSON refused: {e}"))?;
    let valid = |text: &str| match &loaded.validator {
        Ok(validator) if !message.encoded && !message.element.local.is_empty() => {
            validator.validate(&whole(text, &Scope::default()), 0).map_err(|p| p[0].to_string())
        }
        _ => Ok(()),
    };
    valid(&xml)?;
    valid(&written)
}
