//! Who works on which run: a node claims one that waits, or that another node left behind when it died.

use super::pipeline::Pipeline;
use super::telling::{Place, Telling};
use super::{Exchange, exports, turn};
use crate::domain::Issue;
use crate::pictures::Bell;
use crate::reporting::{Direction, RunState};
use crate::store::runs::{self, Run};
use crate::store::{Db, StoreError, orders};
use chrono::{NaiveDateTime, TimeDelta};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

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

/// Whether a run is this process's own.
fn is_own(run: &Run) -> bool {
    run.node.as_deref() == Some(node_name().as_str())
}

/// Whether a run may have been left behind by another process that ended in the middle of it. Without progress since it may be what ended
/// the process, so it runs alone: those that were at work beside it are not given up with it.
fn is_of_other_process(run: &Run) -> bool {
    run.state() == RunState::Running && !is_own(run)
}

impl Exchange {
    /// Whether the node that has a run has surely crashed, or lost hold of it.
    fn is_orphaned(&self, run: &Run) -> bool {
        let Some(node) = &run.node else { return true };
        if is_own(run) {
            // This process lost hold of it, such as when its end could not be noted.
            return !self.at_work.lock().unwrap_or_else(PoisonError::into_inner).runs.contains(&run.id);
        }
        is_gone(node).unwrap_or_else(|| {
            let mut heartbeats = self.heartbeats.lock().unwrap_or_else(PoisonError::into_inner);
            heartbeats.is_silent(run.id, (run.heartbeat_at, run.attempt), Instant::now())
        })
    }
}

/// Whether the process of a node has ended; None: it is of another machine.
fn is_gone(node: &str) -> Option<bool> {
    let mut parts = node.split('/');
    if let (Some(name), Some(pid), Some(start)) = (parts.next(), parts.next(), parts.next())
        && name == host()
        && let Ok(pid) = pid.parse()
    {
        return Some(started(pid).as_deref() != Some(start));
    }
    None
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

/// The runs that this process is at work on.
#[derive(Debug, Default)]
pub struct AtWork {
    runs: HashSet<i64>,
    /// The one of them that runs alone.
    alone: Option<i64>,
}

/// A run that a thread of this process has in hand.
struct Hold<'a> {
    all: &'a Mutex<AtWork>,
    id: i64,
}

impl<'a> Hold<'a> {
    /// Takes hold of a run, unless another thread has, or one of the two is to run alone.
    fn on(all: &'a Mutex<AtWork>, id: i64, is_alone: bool) -> Option<Self> {
        let mut at_work = all.lock().unwrap_or_else(PoisonError::into_inner);
        if at_work.alone.is_some() || (is_alone && !at_work.runs.is_empty()) || !at_work.runs.insert(id) {
            return None;
        }
        if is_alone {
            at_work.alone = Some(id);
        }
        // Made only if it is: what is made lets go of the run once it is dropped.
        Some(Self { all, id })
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut at_work = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.runs.remove(&self.id);
        at_work.alone = at_work.alone.filter(|id| *id != self.id);
    }
}

impl Exchange {
    /// Takes one open run and works through it. Gives false if there was none to take.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_one(&self, node: &str) -> Result<bool, StoreError> {
        let (open, stalled) = {
            let mut db = self.store.connection()?;
            let open = runs::open(&mut db)?;
            let left: Vec<i64> = open.iter().filter(|run| is_of_other_process(run)).map(|run| run.id).collect();
            let stalled = if left.is_empty() { HashMap::new() } else { runs::stalled_attempts(&mut db, &left)? };
            (open, stalled)
        };
        {
            let mut heartbeats = self.heartbeats.lock().unwrap_or_else(PoisonError::into_inner);
            heartbeats.retain(|id| open.iter().any(|run| run.id == id && run.state() == RunState::Running));
        }
        // What has to run alone is taken when nothing runs, and would never be if others always came first.
        let (suspects, others): (Vec<&Run>, Vec<&Run>) = open.iter().partition(|run| stalled.contains_key(&run.id));
        for run in suspects.into_iter().chain(others) {
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
        // Before it is held by this very call: by whom else is what counts.
        if run.state() == RunState::Running && !self.is_orphaned(run) {
            return Ok(false);
        }
        let mut db = self.store.connection()?;
        let attempts = runs::stalled_attempts(&mut db, &[run.id])?.remove(&run.id).unwrap_or(0);
        let is_suspect = is_of_other_process(run) && attempts > 0;
        let Some(_hold) = Hold::on(&self.at_work, run.id, is_suspect) else { return Ok(false) };
        {
            let now = runs::now(&mut db)?;
            if is_suspect && self.max_attempts > 0 && attempts >= self.max_attempts {
                return db.write(|db| self.give_up(db, run, node, now, attempts));
            }
            let claimed = db.write(|db| {
                runs::only_in_turn(db)?;
                let running = runs::running(db, run)?;
                let others = running.iter().filter(|other| other.id != run.id && !self.is_orphaned(other)).count();
                if others >= self.runs_per_kind {
                    return Ok(false);
                }
                // Counted before the work starts. What this process lost hold of did not end it.
                let attempts = attempts + i32::from(run.state() != RunState::Running || is_of_other_process(run));
                runs::claim(db, run, node, now, attempts)
            });
            if !claimed? {
                return Ok(false);
            }
        }
        drop(db);
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

    /// Ends a run that ended its process as often as it may. Returns false if another node was faster.
    fn give_up(
        &self,
        db: &mut Db,
        run: &Run,
        node: &str,
        now: NaiveDateTime,
        attempts: i32,
    ) -> Result<bool, StoreError> {
        if !runs::take_over(db, run, node)? {
            return Ok(false);
        }
        let Some(report) = runs::get(db, run.id)? else { return Ok(false) };
        let plural = if attempts == 1 { "" } else { "s" };
        let why = format!(
            "given up after {attempts} attempt{plural}: each ended with the process it ran in, without progress after record {}",
            report.progress.counters.read
        );
        let mut telling = Telling::after(report.progress.messages, runs::message_counts(db, run.id)?);
        let issue = Issue::error("run.crashed", why.clone());
        telling.tell(
            &Place::default(),
            &issue.suggest("see the log for the cause; divide the file, or correct what follows"),
        );
        let mut progress = report.progress;
        progress.messages = telling.number;
        runs::advance(db, run.id, node, now, &progress, &telling.said())?;
        runs::finish(db, run.id, node, RunState::Failed, Some(&why), now)?;
        if let Some(export) = report.export.and_then(|export| export.export_id) {
            // Its orders go to the next export.
            orders::extend(db, export, TimeDelta::zero(), now)?;
        }
        log::error!(run = run.id; "Run {} failed: {why}", run.id);
        Ok(true)
    }
}
