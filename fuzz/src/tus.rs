//! Any text as the metadata of a resumable upload.

#![no_main]

use libfuzzer_sys::fuzz_target;
use soapstone::http::upload_metadata::parse;

fuzz_target!(|text: &str| {
    let Ok(fields) = parse(text) else { return };
    assert!(!fields.contains_key("filetype") && !fields.contains_key("filename"), "{text}");
    assert!(fields.len() <= text.split(',').count(), "{text}");
    assert!(fields.values().map(String::len).sum::<usize>() <= text.len(), "{text}");
});
