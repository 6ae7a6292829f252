//! The `soapstone` program.

use std::process::ExitCode;

/// Records are read on one thread and let go on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    soapstone::cli::main()
}
