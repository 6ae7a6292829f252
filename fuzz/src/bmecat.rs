//! Any bytes as a BMEcat catalogue.

#![no_main]

mod file;

use libfuzzer_sys::fuzz_target;
use soapstone::exchange::KINDS;

fuzz_target!(|bytes: &[u8]| {
    for kind in KINDS.iter().filter(|kind| matches!(kind.of.as_str(), "articles" | "categories")) {
        file::read(bytes, kind, "bmecat", None);
    }
});
