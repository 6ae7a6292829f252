//! Contracts to Rust: types with readers and writers, service traits, servers, and OpenAPI.
//!
//! From a build script: [`compile`]. By hand: [`Generator`]. The journey: [`lower`] turns schema components into
//! Rust items, [`emit`] writes them, [`openapi`] and [`sample`] describe them for people and tools.

mod action;
mod beside;
mod emit;
mod encoding;
mod lower;
mod names;
mod openapi;
pub mod program;
mod published;
pub mod sample;
mod service;

pub use beside::Beside;
pub use emit::Parts;
pub use names::{field_name, module_name, type_name};
pub use openapi::document as openapi_document;
pub use published::{Published, PublishedPort};
pub use service::{Operation, Route, Service};

use soapstone_contract::{Contract, Files, Problems, load};
use std::path::{Path, PathBuf};

/// Collects contracts and generates one Rust file for all of them; types that they share are generated once.
#[derive(Default)]
pub struct Generator {
    contracts: Vec<Contract>,
}

impl Generator {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a contract, and its `NAME.rest.wsdl` if there is one beside it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, path: &Path) -> Result<&mut Self, Problems> {
        self.contracts.push(load(&Files, &path.to_string_lossy())?);
        let rest = path.with_extension("rest.wsdl");
        if rest.is_file() {
            self.contracts.push(load(&Files, &rest.to_string_lossy())?);
        }
        Ok(self)
    }

    /// Adds a contract that was read already.
    pub fn add_contract(&mut self, contract: Contract) -> &mut Self {
        self.contracts.push(contract);
        self
    }

    /// The files that were read.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            self.contracts.iter().flat_map(|c| &c.documents).map(|d| PathBuf::from(&d.name)).collect();
        // What Soapstone brings along is in no file.
        files.retain(|file| file.is_file());
        files.sort();
        files.dedup();
        files
    }

    /// The contracts as Rust will have them, before they are text.
    ///
    /// # Errors
    /// What cannot be expressed in Rust.
    pub fn program(&self) -> Result<program::Program, Problems> {
        lower::lower(&self.contracts)
    }

    /// The contracts that were added.
    pub fn contracts(&self) -> &[Contract] {
        &self.contracts
    }

    /// The Rust code, formatted.
    ///
    /// # Errors
    /// What cannot be expressed in Rust.
    pub fn generate(&self, parts: Parts) -> Result<String, Problems> {
        let program = program::Program { typed: parts.typed, ..self.program()? };
        let code = emit::emit(&program, parts);
        match syn::parse_file(&code) {
            Ok(file) => Ok(prettyplease::unparse(&file)),
            Err(error) => {
                let at = error.span().start();
                let line = code.lines().nth(at.line.saturating_sub(1)).unwrap_or("");
                let place = self.contracts.first().map_or("", |c| c.entry.as_str());
                Err(soapstone_contract::Problem::unsupported(
                    "codegen.syntax",
                    place,
                    soapstone_contract::Position::default(),
                    format!("the generated code does not parse: {error} in: {line}"),
                )
                .into())
            }
        }
    }
}

/// One path, or several.
pub trait Paths {
    fn paths(&self) -> Vec<PathBuf>;
}

impl Paths for &str {
    fn paths(&self) -> Vec<PathBuf> {
        vec![PathBuf::from(self)]
    }
}

impl Paths for &Path {
    fn paths(&self) -> Vec<PathBuf> {
        vec![self.to_path_buf()]
    }
}

impl<P: AsRef<Path>> Paths for &[P] {
    fn paths(&self) -> Vec<PathBuf> {
        self.iter().map(|path| path.as_ref().to_owned()).collect()
    }
}

impl<P: AsRef<Path>, const N: usize> Paths for &[P; N] {
    fn paths(&self) -> Vec<PathBuf> {
        self.iter().map(|path| path.as_ref().to_owned()).collect()
    }
}

/// Compiles contracts from a build script into `OUT_DIR/contracts.rs`, and asks cargo to watch their files. Include it
/// with `include!(concat!(env!("OUT_DIR"), "/contracts.rs"));`.
///
/// # Panics
/// With the contracts' problems, which is how a build script tells them.
pub fn compile(paths: impl Paths) {
    compile_parts(paths, Parts { server: true, ..Parts::default() });
}

/// As [`compile`], with a say in what is written.
///
/// # Panics
/// With the contracts' problems.
pub fn compile_parts(paths: impl Paths, parts: Parts) {
    let mut generator = Generator::new();
    for path in paths.paths() {
        println!("cargo::rerun-if-changed={}", path.display());
        if let Err(problems) = generator.add(&path) {
            panic!("{problems}");
        }
    }
    for file in generator.files() {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let code = generator.generate(parts).unwrap_or_else(|problems| panic!("{problems}"));
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    let file = folder.join("contracts.rs");
    if let Err(error) = std::fs::write(&file, code) {
        panic!("{}: {error}", file.display());
    }
}
