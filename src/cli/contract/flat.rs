//! `soapstone contract flat`

use crate::cli::output::out;
use crate::cli::{Done, Failure, Outcome};
use clap::Args;
use soapstone_contract::{Files, flat, load};
use std::path::PathBuf;

/// Put a contract of several documents into one
#[derive(Args)]
#[command(after_help = "\
A server gives the same at ?wsdl&flat, with its own address.")]
pub(super) struct Flat {
    file: PathBuf,
}

impl Flat {
    pub fn run(&self) -> Outcome {
        let contract = load(&Files, &self.file.to_string_lossy())?;
        let text = flat(&contract)
            .map_err(|why| Failure(format!("{}: it cannot be one document: {why}", self.file.display())))?;
        out!("{text}");
        Ok(Done::Well)
    }
}
