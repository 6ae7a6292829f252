//! Runs: a file is accepted, waits its turn, and goes through the pipeline, whoever brought it.

mod accept;
mod formats;
mod pipeline;
mod profile;
mod queue;
mod spool;

pub use accept::{Accepted, Request};
pub use formats::Change;
pub use profile::{Profile, ProfileError, Profiles};
pub use queue::{Queue, node_name};
pub use spool::{Spool, Spooled};

use crate::domain::Defaults;
use crate::store::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// All that runs need.
#[derive(Clone)]
pub struct Exchange {
    pub store: Store,
    pub spool: Spool,
    pub profiles: Profiles,
    pub defaults: Defaults,
    /// Records a transaction.
    pub batch_size: usize,
    /// Set when this process is to end: runs at work are put back.
    pub stopping: Arc<AtomicBool>,
}

impl Exchange {
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
