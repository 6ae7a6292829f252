//! Values that are in files of their own: `NAME-file` in the configuration and on the command line, `SOAPSTONE_NAME_FILE` in the environment.

use super::{ConfigError, SETTINGS};
use crate::permissions::open_to_others;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The end of the name of a setting whose value is in a file.
pub const SUFFIX: &str = "-file";

/// Bytes of such a file.
const MAX_VALUE: u64 = 64 << 10;

/// The setting that a name gives by a file, such as `database-url-file`.
pub fn setting_of(name: &str) -> Option<&'static str> {
    let key = name.strip_suffix(SUFFIX)?;
    SETTINGS.iter().map(|setting| setting.key).find(|known| *known == key)
}

/// Reads a value from its file, without the end of its line.
///
/// # Errors
/// Returns a `ConfigError` that names the file and what is wrong with it, but not what it contains.
pub fn read_value(path: &Path) -> Result<String, ConfigError> {
    let wrong = |why: &str| ConfigError(format!("{}: {why}", path.display()));
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_VALUE + 1).read_to_end(&mut bytes));
    read.map_err(|e| wrong(&e.to_string()))?;
    if bytes.len() as u64 > MAX_VALUE {
        return Err(wrong(&format!("larger than {MAX_VALUE} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("not UTF-8"))?;
    let value = text.trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err(wrong("empty"));
    }
    Ok(value.to_owned())
}

/// A warning, if others than its owner may read a file with a secret.
pub fn warning(path: &Path) -> Option<String> {
    let mode = open_to_others(path)?;
    Some(format!("{} has mode {mode}: others may read the secret; chmod 600 it", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_without_the_end_of_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        for (content, value) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), (" a b \n\n", " a b "), ("a\nb\n", "a\nb")] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(read_value(&path).as_deref(), Ok(value));
        }
        for content in [&b"\n"[..], b"", b"\xff", &vec![b'x'; 70_000]] {
            std::fs::write(&path, content).unwrap();
            let error = read_value(&path).unwrap_err();
            assert!(error.0.contains("value: ") && !error.0.contains("xx"), "{error}");
        }
        assert!(read_value(&folder.path().join("none")).is_err());
    }

    #[test]
    fn every_setting_can_be_given_by_a_file() {
        assert_eq!(setting_of("database-url-file"), Some("database-url"));
        assert_eq!(setting_of("database-url"), None);
        assert_eq!(setting_of("colour-file"), None);
        // No setting has a name that means another one's file.
        assert!(SETTINGS.iter().all(|setting| setting_of(setting.key).is_none()));
    }
}
