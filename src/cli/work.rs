//! Working on a run here and now.

use super::Failure;
use crate::exchange::{Exchange, node_name};
use crate::reporting::{self, Report, RunState};
use std::time::Duration;

/// Works on the run, or watches another node do it, until it is done or rests; shows how far it is.
pub(super) fn worked(exchange: &Exchange, accepted: &Report, show: impl Fn(&Report)) -> Result<Report, Failure> {
    let id = accepted.run.id;
    let current = || -> Result<Report, Failure> {
        let mut db = exchange.store.connection()?;
        reporting::report(&mut db, id)?.ok_or_else(|| Failure(format!("run {id} is gone")))
    };
    std::thread::scope(|scope| {
        let mut worker = None;
        loop {
            let report = current()?;
            show(&report);
            let state = report.run.state();
            if state.is_final() || matches!(state, RunState::Waiting | RunState::Paused) {
                return Ok(report);
            }
            if worker.as_ref().is_none_or(std::thread::ScopedJoinHandle::is_finished) {
                let run = report.run.clone();
                worker = Some(scope.spawn(move || {
                    if let Err(e) = exchange.take(&run, &node_name()) {
                        log::error!("run {}: {e}", run.id);
                    }
                }));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    })
}
