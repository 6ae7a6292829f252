//! Bytes as a file of records, read as a run would read it.

use soapstone::config::Config;
use soapstone::domain::Rules;
use soapstone::exchange::{Kind, Origin, preview};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Records that are read.
const RECORDS: usize = 50;

fn rules() -> &'static Arc<Rules> {
    static RULES: OnceLock<Arc<Rules>> = OnceLock::new();
    RULES.get_or_init(|| Config::load(None, &BTreeMap::new()).expect("the defaults are valid").rules)
}

/// In memory, where the system has such files.
fn path() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        folder.join(format!("soapstone-fuzz-{}", std::process::id()))
    })
}

pub fn read(bytes: &[u8], kind: &'static Kind, format: &str, profile: Option<&str>) {
    let path = path();
    std::fs::write(path, bytes).expect("the file can be written");
    let origin = Origin { path, size: bytes.len() as u64, format, profile };
    match preview(&origin, kind, rules(), RECORDS, None) {
        Ok(records) => assert!(records.len() <= RECORDS),
        Err(broken) => assert!(!broken.issue.code.is_empty()),
    }
}
