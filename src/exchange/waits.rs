//! Runs of this process that wait for the database or for space. It cannot be in the database: that is what they wait for.

use super::Exchange;
use crate::store::faults::Resource;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest time between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// What each run waits for, and since when.
#[derive(Debug, Default)]
pub struct Waits(Mutex<HashMap<i64, (Resource, Instant)>>);

impl Waits {
    /// What a run waits for, if it waits in this process.
    pub fn of(&self, run: i64) -> Option<Resource> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&run).map(|(resource, _)| *resource)
    }

    fn set(&self, run: i64, resource: Resource) {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waits.entry(run).or_insert((resource, Instant::now())).0 = resource;
    }

    /// Records that a run got on.
    pub fn clear(&self, run: i64) {
        let waited = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
        if let Some((resource, since)) = waited {
            log::info!(run = run; "Run {run} waited {} s for {}", since.elapsed().as_secs(), name(resource));
        }
    }
}

/// A run's attempts to get on.
pub(super) struct Patience<'a> {
    exchange: &'a Exchange,
    run: i64,
    attempts: u32,
}

impl<'a> Patience<'a> {
    pub fn new(exchange: &'a Exchange, run: i64) -> Self {
        Self { exchange, run, attempts: 0 }
    }

    /// Begins with the shortest wait again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// Waits until the next attempt is due. Returns false if this process is to end.
    pub fn wait(&mut self, resource: Resource, cause: &dyn std::fmt::Display) -> bool {
        self.exchange.waits.set(self.run, resource);
        let wait = Duration::from_millis(500 << self.attempts.min(5)).min(MAX_WAIT);
        self.attempts += 1;
        let (what, millis) = (name(resource), wait.as_millis());
        log::warn!(run = self.run; "Run {} waits for {what}, and tries its batch again in {millis} ms: {cause}", self.run);
        self.exchange.sleep(wait)
    }
}

impl Drop for Patience<'_> {
    fn drop(&mut self) {
        self.exchange.waits.clear(self.run);
    }
}

/// For people.
fn name(resource: Resource) -> &'static str {
    match resource {
        Resource::Database => "the database",
        Resource::Space => "space on the disk",
    }
}

impl Exchange {
    /// Sleeps; returns false if this process is to end.
    pub(super) fn sleep(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while Instant::now() < until {
            if self.is_stopping() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        !self.is_stopping()
    }
}
