//! Runs: a file is accepted, waits its turn, and goes through the pipeline, whoever brought it.

mod accept;
mod artifacts;
mod changes;
pub mod channels;
mod exports;
mod filter;
mod formats;
mod heartbeats;
mod initiator;
mod injected;
mod kinds;
mod missing;
mod pace;
mod pipeline;
mod preview;
mod profile;
mod profiles;
mod proposal;
mod queue;
mod reader;
mod retention;
mod shared;
mod spool;
mod telling;
mod trouble;
mod turn;
mod waits;
mod whole;

pub use accept::{Accepted, Request};
pub use exports::{ExportError, ExportFormat, ExportRequest, export};
pub use filter::Filter;
pub use formats::{Guess, Origin, SourceLine, form, guess, lines_around, recognise};
pub use initiator::Initiator;
pub use kinds::{KINDS, Kind};
pub use preview::{Previewed, preview};
pub use profile::{Profile, ProfileError};
pub use profiles::{Profiles, Sort};
pub use proposal::propose;
pub use queue::{AtWork, Queue, node_name};
pub use retention::Retention;
pub use spool::{Spool, Spooled};

use crate::domain::Rules;
use crate::pictures::Bell;
use crate::store::Store;
use heartbeats::Heartbeats;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use waits::Waits;

/// All that runs need.
#[derive(Clone)]
pub struct Exchange {
    pub store: Store,
    pub spool: Spool,
    pub profiles: Profiles,
    pub rules: Arc<Rules>,
    /// Rung when pictures came.
    pub bell: Arc<Bell>,
    /// Records a transaction.
    pub batch_size: usize,
    /// The share of records that a full file may delete without being approved, in percent.
    pub delete_at_most: i32,
    pub retention: Retention,
    /// Whether nodes have folders of their own, so that sources go through the database.
    pub shares_sources: bool,
    /// Runs that this process is at work on.
    pub at_work: Arc<Mutex<AtWork>>,
    /// Heartbeats of other nodes.
    pub heartbeats: Arc<Mutex<Heartbeats>>,
    /// Runs of this process that wait for the database or for space.
    pub waits: Arc<Waits>,
    /// How often a run may be started without making progress; 0: without limit.
    pub max_attempts: i32,
    /// How many runs one process works on at once.
    pub workers: usize,
    /// How many runs of a kind are at work at once, whoever works on them.
    pub runs_per_kind: usize,
    /// How many bytes of a file a message takes.
    pub max_artifact: u64,
    /// Whether exported tables mark what a spreadsheet would take for a formula.
    pub marks_formulas: bool,
    /// Set when this process is to end: runs at work are put back.
    pub stopping: Arc<AtomicBool>,
}

impl Exchange {
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
