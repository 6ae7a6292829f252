//! `soapstone contract rust`

use crate::cli::output::{out, outln};
use crate::cli::{Done, Failure, Outcome};
use crate::permissions::{create_shared_folder, share};
use clap::{Args, ValueEnum};
use soapstone_codegen::{Generator, Parts, module_name};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Print the Rust code of contracts, or write a crate of it
#[derive(Args)]
pub(super) struct Rust {
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write a crate into this folder instead
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// What to write, by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Emit::Types, Emit::Server])]
    emit: Vec<Emit>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// Types with readers and writers; they are always there
    Types,
    /// A trait for each portType, and the server that calls its implementation
    Server,
    /// A typed client for each portType
    Client,
}

impl Rust {
    pub fn run(&self) -> Outcome {
        let mut generator = Generator::new();
        for file in &self.files {
            generator.add(file)?;
        }
        let client = self.emit.contains(&Emit::Client);
        let code =
            generator.generate(Parts { server: self.emit.contains(&Emit::Server), client, ..Parts::default() })?;
        match &self.out {
            None => out!("{code}"),
            Some(folder) => {
                self.write(folder, &code, client)?;
                outln!("{}", folder.display());
            }
        }
        Ok(Done::Well)
    }

    fn write(&self, folder: &Path, code: &str, client: bool) -> Result<(), Failure> {
        let stem =
            self.files.first().and_then(|f| f.file_stem()).map_or_else(String::new, |s| s.to_string_lossy().into());
        let name = module_name(&stem).trim_end_matches('_').replace('_', "-");
        let features = if client { ", features = [\"client\"]" } else { "" };
        let version = env!("CARGO_PKG_VERSION");
        // Beside its source a crate is found by its path; elsewhere by its version.
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/soapstone-runtime");
        let place =
            if source.is_dir() { format!("path = {:?}, ", source.display().to_string()) } else { String::new() };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             soapstone-runtime = {{ {place}version = \"{version}\"{features} }}\n\n[workspace]\n"
        );
        let write = |path: &Path, text: &str| {
            let written = File::create(path).and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                share(&file)
            });
            written.map_err(|e| Failure(format!("{}: {e}", path.display())))
        };
        let sources = folder.join("src");
        create_shared_folder(&sources).map_err(|e| format!("{}: {e}", sources.display()))?;
        write(&folder.join("Cargo.toml"), &manifest)?;
        write(&sources.join("lib.rs"), code)
    }
}
