//! `soapstone contract show`

use crate::cli::output::{out, outln};
use crate::cli::{Done, Global, Outcome};
use clap::Args;
use serde_json::json;
use soapstone_codegen::program::Program;
use soapstone_codegen::{Beside, Operation, sample};
use soapstone_contract::explain;
use std::path::PathBuf;

/// Explain a contract: services, operations, messages, samples
#[derive(Args)]
pub(super) struct Show {
    file: PathBuf,
    /// Only this operation
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
}

impl Show {
    pub fn run(&self, global: &Global) -> Outcome {
        let generator = super::generator(&self.file)?;
        let program = generator.program()?;
        let wanted = |operation: &&Operation| self.operation.as_ref().is_none_or(|name| *name == operation.name);
        let operations = program.services.iter().flat_map(|s| &s.operations).filter(wanted);
        if global.json {
            let list: Vec<_> = operations.map(|operation| described(&program, operation)).collect();
            outln!("{}", json!({"contract": self.file, "operations": list}));
            return Ok(Done::Well);
        }
        if let (None, Some(contract)) = (&self.operation, generator.contracts().first()) {
            out!("{}", explain::explain(contract));
        }
        for operation in operations {
            outln!("\nSample of {}", operation.name);
            let sample = |title: &str, item: usize| {
                outln!("\n  {title} (XML)\n{}", indented(&sample::xml(&program, item)));
                let json = serde_json::to_string_pretty(&sample::json(&program, item)).unwrap_or_default();
                outln!("  {title} (JSON)\n{}", indented(&json));
            };
            for item in &operation.beside_input.headers {
                sample("header of the request", *item);
            }
            sample("request", operation.input);
            attached("request", &operation.beside_input);
            match operation.output {
                Some(output) => sample("response", output),
                None => outln!("  one-way: there is no response"),
            }
            for item in &operation.beside_output.headers {
                sample("header of the response", *item);
            }
            attached("response", &operation.beside_output);
        }
        Ok(Done::Well)
    }
}

/// Tells what is attached to a message.
fn attached(title: &str, beside: &Beside) {
    for attachment in &beside.attachments {
        let types = attachment.media_types.join(" or ");
        outln!("  attachment of the {title}: {} {types}", attachment.part);
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

fn described(program: &Program, operation: &Operation) -> serde_json::Value {
    let message = |item: usize| json!({"xml": sample::xml(program, item), "json": sample::json(program, item)});
    let beside = |beside: &Beside| {
        let attachments = beside.attachments.iter().map(|a| json!({"part": a.part, "mediaTypes": a.media_types}));
        json!({
            "headers": beside.headers.iter().map(|item| message(*item)).collect::<Vec<_>>(),
            "attachments": attachments.collect::<Vec<_>>(),
        })
    };
    json!({
        "name": operation.name,
        "documentation": operation.doc,
        "soapAction": operation.soap_action,
        "style": if operation.rpc { "rpc" } else { "document" },
        "use": if operation.encoded { "encoded" } else { "literal" },
        "request": message(operation.input),
        "response": operation.output.map(message),
        "besideRequest": beside(&operation.beside_input),
        "besideResponse": beside(&operation.beside_output),
        "faults": operation.faults.iter().map(|fault| message(*fault)).collect::<Vec<_>>(),
    })
}
