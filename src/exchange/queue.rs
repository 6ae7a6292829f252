//! Who works on which run: a node claims one that waits, or that another node left behind when it died.

use super::pipeline::Pipeline;
use super::{Exchange, exports, turn};
use crate::pictures::Bell;
use crate::reporting::{Direction, RunState};
use crate::store::StoreError;
use crate::store::runs::{self, Run};
use chrono::TimeDelta;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// A node on another machine that was not heard of for so long is taken for dead.
const SILENCE: TimeDelta = TimeDelta::seconds(20);

/// This process, in a way that another on the same machine can tell whether it is alive.
pub fn node_name() -> String {
    format!("{}/{}/{}", host(), std::process::id(), started(std::process::id()).unwrap_or_default())
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "localhost".to_owned(), |h| h.trim().to_owned())
}

/// When a process was started, in ticks since boot; None if there is none.
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may have blanks.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // A zombie is dead: nobody has asked how it died yet.
    (state != "Z").then(|| fields.nth(18).unwrap_or_default().to_owned())
}

/// Whether the node that has a run is surely not at work on it any more.
fn is_dead(run: &Run, now: chrono::NaiveDateTime, at_work: &HashSet<i64>) -> bool {
    let Some(node) = &run.node else { return true };
    if *node == node_name() {
        // This process lost hold of it, such as when its end could not be noted.
        return !at_work.contains(&run.id);
    }
    let mut parts = node.split('/');
    if let (Some(name), Some(pid), Some(start)) = (parts.next(), parts.next(), parts.next())
        && name == host()
        && let Ok(pid) = pid.parse()
    {
        return started(pid).as_deref() != Some(start);
    }
    run.heartbeat_at.is_none_or(|heard| now - heard > SILENCE)
}

/// The workers of a process: threads that take run after run.
pub struct Queue {
    bell: Arc<Bell>,
    exchange: Exchange,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Queue {
    /// Starts the workers.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(exchange: Exchange) -> std::io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let mut threads = Vec::new();
        for number in 1..=exchange.workers {
            let (inner, bell) = (exchange.clone(), bell.clone());
            let worker = std::thread::Builder::new().name(format!("runs-{number}"));
            threads.push(worker.spawn(move || {
                let node = node_name();
                let mut heard = 0;
                while !inner.is_stopping() {
                    match inner.take_one(&node) {
                        // Another may have waited for it.
                        Ok(true) => bell.ring(),
                        Ok(false) => bell.wait(&mut heard),
                        Err(e) => {
                            log::error!("the queue cannot be read: {e}");
                            bell.wait(&mut heard);
                        }
                    }
                }
            })?);
        }
        Ok(Self { bell, exchange, threads: Mutex::new(threads) })
    }

    /// What wakes the workers.
    pub fn bell(&self) -> Arc<Bell> {
        self.bell.clone()
    }

    /// Says that there is something to do.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// Ends the workers after their batches; runs at work are put back.
    pub fn stop(&self) {
        self.exchange.stopping.store(true, std::sync::atomic::Ordering::Relaxed);
        self.wake();
        let threads = self.threads.lock().map(|mut threads| std::mem::take(&mut *threads)).unwrap_or_default();
        for thread in threads {
            if thread.join().is_err() {
                log::error!("a worker of runs ended in a panic");
            }
        }
    }
}

/// A run that a thread of this process has in hand.
struct Hold<'a> {
    all: &'a Mutex<HashSet<i64>>,
    id: i64,
}

impl<'a> Hold<'a> {
    /// Takes hold of a run, unless another thread has.
    fn on(all: &'a Mutex<HashSet<i64>>, id: i64) -> Option<Self> {
        let is_free = all.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        // Made only if it is: what is made lets go of the run once it is dropped.
        is_free.then(|| Self { all, id })
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Exchange {
    /// Takes one open run and works through it. Gives false if there was none to take.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_one(&self, node: &str) -> Result<bool, StoreError> {
        let open = {
            let mut db = self.store.connection()?;
            runs::open(&mut db)?
        };
        for run in &open {
            if turn::is_queued(run) && turn::must_wait(run, &open) {
                continue;
            }
            if self.take(run, node)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes that run, if nobody alive has it, and works through it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take(&self, run: &Run, node: &str) -> Result<bool, StoreError> {
        let Some(_hold) = Hold::on(&self.at_work, run.id) else { return Ok(false) };
        {
            let mut db = self.store.connection()?;
            let now = runs::now(&mut db)?;
            // Held by this very call: by whom else is what counts.
            let at_work: HashSet<i64> = {
                let held = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
                held.iter().copied().filter(|id| *id != run.id).collect()
            };
            if run.state() == RunState::Running && !is_dead(run, now, &at_work) {
                return Ok(false);
            }
            let claimed = db.write(|db| {
                runs::only_in_turn(db)?;
                let running = runs::running(db, run)?;
                let others =
                    running.iter().filter(|other| other.id != run.id && !is_dead(other, now, &at_work)).count();
                if others >= self.runs_per_kind {
                    return Ok(false);
                }
                runs::claim(db, run, node, now)
            });
            if !claimed? {
                return Ok(false);
            }
        }
        if run.attempt > 0 {
            log::info!(run = run.id; "run {} goes on after an interruption", run.id);
        }
        let working = AssertUnwindSafe(|| match run.direction() {
            Direction::Import => Pipeline::new(self, run.id, node).work(),
            Direction::Export => exports::work(self, run.id, node),
        });
        if catch_unwind(working).is_err() {
            log::error!(run = run.id; "run {} ended in a panic", run.id);
            let mut db = self.store.connection()?;
            let now = runs::now(&mut db)?;
            let why = Some("an internal error; the log has the details");
            db.write(|db| runs::finish(db, run.id, node, RunState::Failed, why, now))?;
        }
        Ok(true)
    }
}
