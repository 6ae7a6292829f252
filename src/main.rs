//! The `soapstone` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    soapstone::cli::main()
}
