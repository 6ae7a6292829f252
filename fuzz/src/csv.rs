//! Any bytes as a CSV file of any kind of records; the first byte chooses the kind.

#![no_main]

mod file;

use libfuzzer_sys::fuzz_target;
use soapstone::exchange::KINDS;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let Some(kind) = KINDS.get(usize::from(*first) % KINDS.len()) else { return };
    file::read(bytes, kind, "csv", None);
});
