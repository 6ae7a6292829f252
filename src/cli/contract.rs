//! `soapstone contract`

use super::output::{out, outln};
use super::{Done, Failure, Global, Outcome};
use clap::{Args, Subcommand};
use serde_json::json;
use soapstone_codegen::{Generator, Parts};
use soapstone_contract::{Files, Problems, Severity, explain, load};
use std::path::{Path, PathBuf};

/// Check, explain or compile a contract
#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone contract check wsdl/                all contracts of a folder
  soapstone contract show service.wsdl          services, operations, messages
  soapstone contract rust service.wsdl          the Rust code that a build script would compile")]
pub(super) struct Contract {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Read contracts with all they import, and tell what is wrong
    Check {
        /// Files, or folders with .wsdl and .xsd files
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Explain a contract: services, operations, messages
    Show { file: PathBuf },
    /// Print the Rust code of contracts
    Rust {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

impl Contract {
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.what {
            What::Check { paths } => check(paths, global.json),
            What::Show { file } => show(file),
            What::Rust { files } => {
                let mut generator = Generator::new();
                for file in files {
                    generator.add(file)?;
                }
                out!("{}", generator.generate(Parts { server: true, client: false })?);
                Ok(Done::Well)
            }
        }
    }
}

fn show(file: &Path) -> Outcome {
    let contract = load(&Files, &file.to_string_lossy())?;
    out!("{}", explain::explain(&contract));
    Ok(Done::Well)
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

fn check(paths: &[PathBuf], as_json: bool) -> Outcome {
    let mut files = Vec::new();
    for path in paths {
        contracts(path, &mut files)?;
    }
    let mut all_ok = true;
    for file in &files {
        let name = file.to_string_lossy();
        let (verdict, problems, counts) = match load(&Files, &name) {
            Ok(contract) => {
                let operations: usize = contract.port_types.values().map(|p| p.operations.len()).sum();
                let counts = (contract.services.len(), operations, contract.schemas.types.len());
                ("ok", contract.warnings, counts)
            }
            Err(problems) => {
                all_ok = false;
                let invalid = problems.0.iter().any(|p| p.severity == Severity::Invalid);
                (if invalid { "invalid" } else { "unsupported" }, problems, (0, 0, 0))
            }
        };
        if as_json {
            outln!("{}", line(&name, verdict, &problems, counts));
        } else {
            let (services, operations, types) = counts;
            match verdict {
                "ok" => outln!("{name}: ok, {services} services, {operations} operations, {types} types"),
                verdict => outln!("{name}: {verdict}"),
            }
            for problem in &problems.0 {
                outln!("  {}", problem.to_string().replace('\n', "\n  "));
            }
        }
    }
    Ok(if all_ok { Done::Well } else { Done::Failed })
}

fn line(path: &str, verdict: &str, problems: &Problems, counts: (usize, usize, usize)) -> serde_json::Value {
    let problems: Vec<_> = problems
        .0
        .iter()
        .map(|p| {
            json!({
                "code": p.code, "file": p.file, "line": p.position.line, "column": p.position.column,
                "message": p.message, "remedy": p.remedy,
            })
        })
        .collect();
    let (services, operations, types) = counts;
    json!({
        "path": path, "verdict": verdict, "services": services, "operations": operations, "types": types,
        "problems": problems,
    })
}
