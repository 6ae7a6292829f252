//! Where documents come from: files, or memory. Never the network.

use crate::problem::Problem;
use crate::xml::Position;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// One document of a contract: a WSDL or an XSD file.
#[derive(Clone, Debug)]
pub struct Document {
    /// The path or name it was fetched by.
    pub name: String,
    /// Its text, decoded to UTF-8 and without a byte order mark.
    pub text: String,
}

/// A place that documents can be fetched from.
pub trait Sources {
    /// The name of the document that `location`, found in document `base`, means.
    fn locate(&self, base: Option<&str>, location: &str) -> String;

    /// The document's bytes.
    ///
    /// # Errors
    /// A sentence that says why it cannot be had.
    fn fetch(&self, name: &str) -> Result<Vec<u8>, String>;
}

/// Documents in the file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files;

impl Sources for Files {
    fn locate(&self, base: Option<&str>, location: &str) -> String {
        let location = location.strip_prefix("file://").unwrap_or(location);
        if has_scheme(location) {
            return location.to_owned();
        }
        let joined = match base.and_then(|b| Path::new(b).parent()) {
            Some(folder) => folder.join(percent_decoded(location)),
            None => PathBuf::from(location),
        };
        normal(&joined).to_string_lossy().into_owned()
    }

    fn fetch(&self, name: &str) -> Result<Vec<u8>, String> {
        if has_scheme(name) {
            return Err("it lies on another host, and contracts are never fetched over the network".to_owned());
        }
        std::fs::read(name).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => e.to_string(),
        })
    }
}

/// Documents in memory, by name.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Sources for Memory {
    fn locate(&self, base: Option<&str>, location: &str) -> String {
        Files.locate(base, location)
    }

    fn fetch(&self, name: &str) -> Result<Vec<u8>, String> {
        self.0.get(name).cloned().ok_or_else(|| "there is no such document".to_owned())
    }
}

fn has_scheme(location: &str) -> bool {
    location.contains("://") || location.starts_with("urn:")
}

/// `%20` and its like in a `schemaLocation`, which is a URI reference.
fn percent_decoded(location: &str) -> String {
    let bytes = location.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = bytes.get(i + 1..i + 3).and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[i], hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 3;
            }
            (byte, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `a/b/../c` as `a/c`, so that one file has one name.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The text of a document in any encoding that XML declares: byte order mark first, then the declaration.
pub(crate) fn decode(name: &str, bytes: &[u8]) -> Result<String, Problem> {
    let encoding = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => declared_encoding(bytes),
    };
    let (text, _, malformed) = encoding.decode(bytes);
    if malformed {
        return Err(Problem::invalid(
            "xml.encoding",
            name,
            Position::default(),
            format!("the bytes are not valid {}", encoding.name()),
        )
        .remedy("save the file in UTF-8, or name its encoding in the XML declaration"));
    }
    Ok(text.into_owned())
}

fn declared_encoding(bytes: &[u8]) -> &'static encoding_rs::Encoding {
    let head = &bytes[..bytes.len().min(200)];
    let head = String::from_utf8_lossy(head);
    let label = head
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split("?>").next())
        .and_then(|declaration| declaration.split_once("encoding"))
        .map(|(_, rest)| rest.trim_start().trim_start_matches('=').trim_start())
        .and_then(|rest| rest.get(1..)?.split(['"', '\'']).next());
    label.and_then(|l| encoding_rs::Encoding::for_label(l.as_bytes())).unwrap_or(encoding_rs::UTF_8)
}
