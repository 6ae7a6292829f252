//! Who did what: written by a thread of its own, so that nobody waits for it.

use super::capture::Capture;
use super::metrics::Metrics;
use crate::store::access::{Audited, audit};
use crate::store::{Store, StoreError};
use chrono::Utc;
use soapstone_runtime::observe::{Call, Observer, Said};
use soapstone_runtime::service::Channel;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// How many lines may wait to be written.
const WAITING: usize = 10_000;

/// How many are written at once.
const BATCH: usize = 200;

/// Verbs of operations that change nothing.
const READING: [&str; 5] = ["Get", "List", "Find", "Check", "Simulate"];

/// Notes what is done.
#[derive(Clone)]
pub(super) struct Auditor {
    lines: SyncSender<Audited>,
}

impl Auditor {
    /// Starts writing.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(store: Store) -> std::io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING);
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || write(&store, &waiting))?;
        Ok(Self { lines })
    }

    /// Notes one thing.
    pub fn note(
        &self,
        caller: Option<String>,
        action: String,
        outcome: &str,
        peer: Option<String>,
        request_id: Option<String>,
    ) {
        let line =
            Audited { at: Utc::now().naive_utc(), caller, action, outcome: outcome.to_owned(), peer, request_id };
        let line = line.shortened();
        if let Err(TrySendError::Full(line) | TrySendError::Disconnected(line)) = self.lines.try_send(line) {
            // The log has it at least.
            log::error!("the audit log takes no more: {:?} {} {}", line.caller, line.action, line.outcome);
        }
    }
}

fn write(store: &Store, waiting: &Receiver<Audited>) {
    while let Ok(first) = waiting.recv() {
        let mut lines = vec![first];
        lines.extend(waiting.try_iter().take(BATCH - 1));
        let written = || -> Result<(), StoreError> { store.connection()?.write(|db| audit(db, &lines)) };
        if let Err(error) = written() {
            for line in &lines {
                log::error!("not in the audit log ({error}): {:?} {} {}", line.caller, line.action, line.outcome);
            }
        }
    }
}

/// Counts every request, notes what known callers change, and keeps what is to be kept.
pub(super) struct Witness {
    pub metrics: Arc<Metrics>,
    pub auditor: Auditor,
    pub capture: Capture,
}

impl Observer for Witness {
    fn captures(&self) -> bool {
        self.capture.is_on()
    }

    fn captured(&self, call: &Call, said: Said) {
        self.capture.keep(call, said);
    }

    fn begun(&self, channel: Channel) {
        self.metrics.begun(channel);
    }

    fn answered(&self, call: &Call) {
        self.metrics.answered(call);
        let Some(operation) = call.operation else { return };
        let has_effect = !READING.iter().any(|verb| operation.starts_with(verb));
        let is_denied = call.outcome.starts_with("access.");
        // Of callers that did not authenticate only what was done is recorded: denials would fill the log.
        if has_effect && !is_denied || is_denied && call.caller.is_some() {
            let action = format!("{}.{operation} ({})", call.service, call.channel.name());
            let (peer, id) = (call.peer.map(|peer| peer.to_string()), Some(call.request_id.clone()));
            self.auditor.note(call.caller.clone(), action, &call.outcome, peer, id);
        }
    }
}
