//! Standard output of a command, which may be a pipe that nobody reads to its end.

use std::fmt;
use std::io::{self, ErrorKind, Write};

/// Standard output; ends the command quietly when the reader has gone, as `| head` does.
pub(in crate::cli) struct Output;

fn checked<T>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        other => other,
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        checked(io::stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        checked(io::stdout().flush())
    }
}

/// Writes a text whole.
pub(in crate::cli) fn write(text: fmt::Arguments<'_>) {
    if let Err(error) = Output.write_fmt(text) {
        eprintln!("soapstone: the output cannot be written: {error}");
        std::process::exit(1);
    }
}

/// As `print!`, but without a panic.
macro_rules! out {
    ($($arguments:tt)*) => { $crate::cli::output::write(format_args!($($arguments)*)) };
}

/// As `println!`, but without a panic.
macro_rules! outln {
    ($($arguments:tt)*) => { $crate::cli::output::write(format_args!("{}\n", format_args!($($arguments)*))) };
}

pub(in crate::cli) use {out, outln};
