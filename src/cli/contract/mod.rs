//! `soapstone contract`: one file a verb.

mod check;
mod diff;
mod flat;
mod gateway;
mod mock;
pub(super) mod profile;
mod rust;
mod show;

use super::{Failure, Global, Outcome};
use clap::{Args, Subcommand};
use soapstone_codegen::Generator;
use std::path::Path;

/// Check, explain, compile, compare or serve a contract
#[derive(Args)]
#[command(after_help = "\
Examples:
  soapstone contract check wsdl/                            all contracts of a folder
  soapstone contract show service.wsdl                      services, operations, messages, samples
  soapstone contract rust service.wsdl                      the Rust code that a build script would compile
  soapstone contract rust service.wsdl --out service        a crate that compiles as it is
  soapstone contract diff old.wsdl new.wsdl                 what changed, and whether it breaks callers
  soapstone contract flat service.wsdl                      all documents in one
  soapstone contract profile service.wsdl                   does it keep the WS-I Basic Profile?
  soapstone contract mock service.wsdl                      serve it at once, with sample answers
  soapstone contract gateway service.wsdl --upstream URL    a REST face for a SOAP service somewhere else")]
pub(super) struct Contract {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Read contracts with all they import, and tell what is wrong
    Check(check::Check),
    /// Explain a contract: services, operations, messages, samples
    Show(show::Show),
    /// Print the Rust code of contracts, or write a crate of it
    Rust(rust::Rust),
    /// Compare two versions of a contract
    Diff(diff::Diff),
    /// Put a contract of several documents into one
    Flat(flat::Flat),
    /// Tell where contracts do not keep the WS-I Basic Profile
    Profile(profile::Profile),
    /// Serve a contract without any code: samples, or canned answers
    Mock(mock::Mock),
    /// Give a SOAP service a REST/JSON facade
    Gateway(gateway::Gateway),
}

impl Contract {
    pub fn run(&self, global: &Global) -> Outcome {
        match &self.what {
            What::Check(command) => command.run(global),
            What::Show(command) => command.run(global),
            What::Rust(command) => command.run(),
            What::Diff(command) => command.run(global),
            What::Flat(command) => command.run(),
            What::Profile(command) => command.run(global),
            What::Mock(command) => command.run(global),
            What::Gateway(command) => command.run(global),
        }
    }
}

/// A generator with one contract in it.
fn generator(file: &Path) -> Result<Generator, Failure> {
    let mut generator = Generator::new();
    generator.add(file)?;
    Ok(generator)
}
