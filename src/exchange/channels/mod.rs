//! Ways in that nobody waits at: folders that are watched, PepperShop's Caller, schedules. One thread of a process looks after all of
//! them; of many nodes each may, and nothing is done twice.

pub mod caller;
mod claimed;
mod folder;
mod inbox;
mod schedule;
mod status;

pub use caller::Caller;
pub use folder::read_folders;
pub use inbox::{Fate, Glance, HotFolder, Inbox, Taken};
pub use schedule::{Schedule, read_schedules};
pub use status::{put, put_shared, told};

use super::Exchange;
use crate::pictures::Bell;
use crate::store::faults;
use folder::Watched;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often all are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What is to be looked after.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    pub folders: Vec<HotFolder>,
    pub schedules: Vec<Schedule>,
}

/// How often what is old is forgotten.
const TIDY: Duration = Duration::from_secs(3600);

/// The thread that looks after them.
pub struct Attendant {
    leaving: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Attendant {
    /// Begins to look after channels; `bell` wakes those who work on runs.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(exchange: Exchange, bell: Arc<Bell>, channels: Channels, caller: Caller) -> io::Result<Self> {
        let leaving = Arc::new(AtomicBool::new(false));
        let leaves = leaving.clone();
        let thread = std::thread::Builder::new().name("channels".to_owned()).spawn(move || {
            let mut watched: Vec<Watched> = channels.folders.into_iter().map(Watched::new).collect();
            let mut tidied: Option<Instant> = None;
            let mut timetable = schedule::Timetable::new(channels.schedules);
            while !leaves.load(Ordering::Relaxed) {
                let look = AssertUnwindSafe(|| {
                    let found = watched.iter_mut().fold(false, |found, folder| folder.look(&exchange) | found);
                    let called = caller.look(&exchange);
                    let due = timetable.look(&exchange);
                    if tidied.is_none_or(|at| at.elapsed() > TIDY) {
                        tidied = Some(Instant::now());
                        if let Err(error) = exchange.tidy() {
                            log::error!("old runs cannot be forgotten: {error}");
                        }
                    }
                    if let Err(error) = faults::look_again(&exchange.store) {
                        log::warn!("Database still unavailable: {error}");
                    }
                    if found || called || due {
                        bell.ring();
                    }
                });
                if catch_unwind(look).is_err() {
                    log::error!("looking after folders and schedules ended in a panic");
                }
                std::thread::sleep(LOOK);
            }
        })?;
        Ok(Self { leaving, thread: Mutex::new(Some(thread)) })
    }

    /// Ends it, once it has looked.
    pub fn stop(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread of folders and schedules ended in a panic");
        }
    }
}
