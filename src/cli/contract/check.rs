//! `soapstone contract check`

use crate::cli::output::outln;
use crate::cli::{Done, Failure, Global, Outcome};
use clap::Args;
use serde_json::json;
use soapstone_codegen::Generator;
use soapstone_contract::{Contract, Problem, Problems, Severity, validation_set};
use soapstone_runtime::validate::Validator;
use std::path::{Path, PathBuf};

/// Read contracts with all they import, and tell what is wrong
#[derive(Args)]
#[command(after_help = "\
The verdict is `ok`, `invalid` (the contract is wrong), or `unsupported` (it is right, but beyond Soapstone).
Exit code 0 only if all are ok. With --json a line for each file: path, verdict, services, operations, types, problems.")]
pub(super) struct Check {
    /// Files, or folders with .wsdl and .xsd files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

/// How many things a contract has.
#[derive(Default)]
struct Counts {
    services: usize,
    operations: usize,
    types: usize,
}

impl Check {
    pub fn run(&self, global: &Global) -> Outcome {
        let mut files = Vec::new();
        for path in &self.paths {
            contracts(path, &mut files)?;
        }
        let mut all_ok = true;
        for file in &files {
            let (verdict, problems, counts) = check(file);
            all_ok &= verdict == "ok";
            if global.json {
                outln!("{}", line(&file.to_string_lossy(), verdict, &problems, &counts));
            } else {
                tell(file, verdict, &problems, &counts);
            }
        }
        Ok(if all_ok { Done::Well } else { Done::Failed })
    }
}

/// The contracts below a path, sorted.
fn contracts(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(|e| format!("{}: {e}", path.display()))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() || entry.extension().is_some_and(|e| e == "wsdl" || e == "xsd") {
            contracts(&entry, found)?;
        }
    }
    Ok(())
}

fn check(file: &Path) -> (&'static str, Problems, Counts) {
    let mut generator = Generator::new();
    let found = generator.add(file).map(|_| ()).and_then(|()| generator.program().map(|_| ()));
    match (found, generator.contracts().first()) {
        (Ok(()), Some(contract)) => {
            let mut problems = contract.warnings.clone();
            if let Some(problem) = refused_by_libxml2(contract) {
                problems.push(problem);
            }
            let counts = Counts {
                services: contract.services.len(),
                operations: contract.port_types.values().map(|p| p.operations.len()).sum(),
                types: contract.schemas.types.len(),
            };
            ("ok", problems, counts)
        }
        (Err(problems), _) => {
            let invalid = problems.0.iter().any(|p| p.severity == Severity::Invalid);
            (if invalid { "invalid" } else { "unsupported" }, problems, Counts::default())
        }
        (Ok(()), None) => ("ok", Problems::default(), Counts::default()),
    }
}

/// What libxml2 has against the schemas: then only our own readers check messages.
fn refused_by_libxml2(contract: &Contract) -> Option<Problem> {
    let set = validation_set(contract);
    if set.roots.is_empty() {
        return None;
    }
    let why = Validator::new(&set.documents, &set.roots).err()?;
    let why = why.lines().next().unwrap_or_default().split_once(": ").map_or(why.as_str(), |(_, why)| why).to_owned();
    let position = soapstone_contract::Position::default();
    let message =
        format!("libxml2 does not take the schemas, so that only the generated reader checks messages: {why}");
    Some(Problem::warning("contract.libxml2", &contract.entry, position, message).remedy("correct the schema"))
}

fn tell(file: &Path, verdict: &str, problems: &Problems, counts: &Counts) {
    let name = file.display();
    match verdict {
        "ok" => {
            outln!("{name}: ok, {} services, {} operations, {} types", counts.services, counts.operations, counts.types)
        }
        verdict => outln!("{name}: {verdict}"),
    }
    for problem in &problems.0 {
        let kind = if problem.severity == Severity::Warning { "warning: " } else { "" };
        outln!("  {kind}{}", problem.to_string().replace('\n', "\n  "));
    }
}

fn line(path: &str, verdict: &str, problems: &Problems, counts: &Counts) -> serde_json::Value {
    let problems: Vec<_> = problems
        .0
        .iter()
        .map(|p| {
            let severity = match p.severity {
                Severity::Invalid => "invalid",
                Severity::Unsupported => "unsupported",
                Severity::Warning => "warning",
            };
            json!({
                "severity": severity, "code": p.code, "file": p.file, "line": p.position.line,
                "column": p.position.column, "message": p.message, "remedy": p.remedy,
            })
        })
        .collect();
    json!({
        "path": path, "verdict": verdict, "services": counts.services, "operations": counts.operations,
        "types": counts.types, "problems": problems,
    })
}
