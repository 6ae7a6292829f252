//! The key file of the embedded database.

use super::SecretKeys;
use crate::permissions::create_private_folder;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use tempfile::NamedTempFile;

impl SecretKeys {
    /// Reads the keys of a file; where there is none, creates it with a new key if `create` says so. Of several programs that start at
    /// once, one creates it.
    ///
    /// # Errors
    /// Returns a message if the file cannot be read or written, or has no key in it.
    pub fn of_file(path: &Path, create: bool) -> Result<Option<Self>, String> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && !create => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = Self::generate().map_err(|why| why.to_string())?;
                write_new(path, &key).map_err(|e| e.to_string())?;
                fs::read_to_string(path).map_err(|e| e.to_string())?
            }
            Err(error) => return Err(error.to_string()),
        };
        let keys = Self::parse(&text)?;
        if keys.is_empty() { Err("there is no key in it".to_owned()) } else { Ok(Some(keys)) }
    }
}

/// Writes a file under its name once it is complete, unless another program was faster.
fn write_new(path: &Path, key: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_private_folder(folder)?;
    // Readable by its owner only.
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "# Encrypts secrets in the database: keep it, but not with backups of the database.\n{key}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::open_to_others;

    #[test]
    fn the_file_is_created_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/secrets.key");
        assert!(SecretKeys::of_file(&path, false).unwrap().is_none());
        let created = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| SecretKeys::of_file(&path, true))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap().unwrap()).collect::<Vec<_>>()
        });
        let ids: std::collections::HashSet<String> =
            created.iter().flat_map(SecretKeys::ids).map(str::to_owned).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(open_to_others(&path), None);
        std::fs::write(&path, "# nothing\n").unwrap();
        assert!(SecretKeys::of_file(&path, true).is_err());
    }
}
