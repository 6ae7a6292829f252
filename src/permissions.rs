//! Who may read the files that this program writes: its owner only, but for files that other programs are to read.

use rustix::process::umask;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// The mode of files for other programs.
static SHARED: AtomicU32 = AtomicU32::new(0o600);

/// Rights of group and others.
const OTHERS: u32 = 0o077;

/// Makes new files and folders readable by their owner only, from now on. Files for other programs get what the umask of the process
/// allowed until now.
pub fn restrict() {
    let before = umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    SHARED.store(0o666 & !before.as_raw_mode(), Ordering::Relaxed);
}

/// Sets the mode of files for other programs.
pub fn set_shared_mode(mode: u32) {
    SHARED.store(mode, Ordering::Relaxed);
}

/// Lets other programs read a file.
///
/// # Errors
/// Returns the error of the file system.
pub fn share(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(SHARED.load(Ordering::Relaxed)))
}

/// Creates a folder for other programs, with the folders above it; those that exist stay as they are.
///
/// # Errors
/// Returns the error of the file system.
pub fn create_shared_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_shared_folder(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let readable = SHARED.load(Ordering::Relaxed);
            // Who may read files may also enter.
            fs::set_permissions(path, Permissions::from_mode(0o700 | readable | (readable & 0o444) >> 2))
        }
    }
}

/// Creates a folder that only its owner may enter, with the folders above it.
///
/// # Errors
/// Returns the error of the file system.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The rights of a file or folder, if others than its owner have any: as octal digits.
pub fn open_to_others(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & OTHERS != 0).then(|| format!("{mode:04o}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "x").unwrap();
        for (mode, told) in [(0o600, None), (0o400, None), (0o640, Some("0640")), (0o604, Some("0604"))] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(open_to_others(&file).as_deref(), told);
        }
        assert_eq!(open_to_others(&folder.path().join("none")), None);
    }
}
