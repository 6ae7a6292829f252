//! Follows files: what was made of them is made again when they change.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How often files are polled.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Calls `reload` when one of the files changes, and again until it succeeds: files that belong together are seldom written at once.
pub(super) fn follow(
    what: &'static str,
    files: Vec<PathBuf>,
    mut reload: impl FnMut() -> Result<(), String> + Send + 'static,
) {
    let changed = move || -> Vec<Option<SystemTime>> {
        files.iter().map(|file| std::fs::metadata(file).and_then(|m| m.modified()).ok()).collect()
    };
    let mut known = changed();
    let poll = move || {
        loop {
            std::thread::sleep(POLL_INTERVAL);
            let now = changed();
            if now == known {
                continue;
            }
            match reload() {
                Ok(()) => {
                    log::info!("Reloaded {what}");
                    known = now;
                }
                Err(why) => log::warn!("Failed to reload {what}, the previous ones stay in use: {why}"),
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("reload".to_owned()).spawn(poll) {
        log::warn!("Changes of {what} are not followed: {error}");
    }
}
