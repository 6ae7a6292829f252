//! The metadata of a resumable upload, as tus has it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use soapstone_runtime::soap::Fault;
use std::collections::BTreeMap;

/// Reads `kind YXJ0aWNsZXM=,sourceName …`: names with values in base64.
///
/// # Errors
/// Returns `http.header` if a value is not base64 of UTF-8.
pub fn parse(text: &str) -> Result<BTreeMap<String, String>, Fault> {
    let wrong = || Fault::sender("http.header", 400, "Upload-Metadata is a list of names, each with a value in base64");
    let mut fields = BTreeMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = STANDARD.decode(value.trim()).map_err(|_| wrong())?;
        let value = String::from_utf8(value).map_err(|_| wrong())?;
        // As tus clients call it.
        let name = if name == "filename" { "sourceName" } else { name };
        // And what they say of their own accord.
        if name != "filetype" {
            fields.insert(name.to_owned(), value);
        }
    }
    Ok(fields)
}
