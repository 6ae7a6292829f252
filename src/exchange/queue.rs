//! Who works on which run: a node claims one that waits, or that another node left behind when it died.

use super::Exchange;
use super::pipeline::Pipeline;
use crate::reporting::RunState;
use crate::store::StoreError;
use crate::store::runs::{self, Run};
use chrono::TimeDelta;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A node on another machine that was not heard of for so long is taken for dead.
const SILENCE: TimeDelta = TimeDelta::seconds(20);

/// How often the queue is looked at without being told.
const POLL: Duration = Duration::from_millis(1000);

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
fn is_dead(run: &Run, now: chrono::NaiveDateTime) -> bool {
    let Some(node) = &run.node else { return true };
    let mut parts = node.split('/');
    if let (Some(name), Some(pid), Some(start)) = (parts.next(), parts.next(), parts.next())
        && name == host()
        && let Ok(pid) = pid.parse()
    {
        return started(pid).as_deref() != Some(start);
    }
    run.heartbeat_at.is_none_or(|heard| now - heard > SILENCE)
}

/// The worker of a server: one thread that takes run after run.
pub struct Queue {
    signal: Arc<(Mutex<bool>, Condvar)>,
    exchange: Exchange,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Queue {
    /// Starts the worker.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(exchange: Exchange) -> std::io::Result<Self> {
        let signal = Arc::new((Mutex::new(false), Condvar::new()));
        let (inner, waiter) = (exchange.clone(), signal.clone());
        let thread = std::thread::Builder::new().name("runs".to_owned()).spawn(move || {
            let node = node_name();
            while !inner.is_stopping() {
                match inner.take_one(&node) {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(e) => log::error!("the queue cannot be read: {e}"),
                }
                let (flag, changed) = &*waiter;
                if let Ok(told) = flag.lock()
                    && let Ok((mut told, _)) = changed.wait_timeout_while(told, POLL, |told| !*told)
                {
                    *told = false;
                }
            }
        })?;
        Ok(Self { signal, exchange, thread: Mutex::new(Some(thread)) })
    }

    /// Says that there is something to do.
    pub fn wake(&self) {
        let (flag, changed) = &*self.signal;
        if let Ok(mut told) = flag.lock() {
            *told = true;
            changed.notify_one();
        }
    }

    /// Ends the worker after its batch; the run at work is put back.
    pub fn stop(&self) {
        self.exchange.stopping.store(true, std::sync::atomic::Ordering::Relaxed);
        self.wake();
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            log::error!("the worker of runs ended in a panic");
        }
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
        for run in open {
            if self.take(&run, node)? {
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
        {
            let mut db = self.store.connection()?;
            let now = runs::now(&mut db)?;
            if run.state() == RunState::Running && !is_dead(run, now) {
                return Ok(false);
            }
            if !db.write(|db| runs::claim(db, run, node, now))? {
                return Ok(false);
            }
        }
        if run.attempt > 0 {
            log::info!(run = run.id; "run {} goes on after an interruption", run.id);
        }
        let working = AssertUnwindSafe(|| Pipeline::new(self, run.id, node).work());
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
