//! The workshop: threads that make the sizes of pictures in the background, and find the articles of those that came
//! before them. Many nodes share the work: each takes what no other has in hand.

mod archive;
mod budget;
mod zipped;

pub use archive::{PictureFile, is_rubbish, too_large, unpack, unpacked};
pub use zipped::{ZipFile, open_zip};

use crate::domain::pictures::{Taking, decoding_cost, harmonise};
use crate::store::pictures::{self, Claimed};
use crate::store::{ChangeRange, Store, StoreError, after_commit, change_numbers};
use budget::PictureBudget;
use chrono::{TimeDelta, Utc};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// For how long a picture is in hand: a thread that is gone after that does not come back with it.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// How often is looked for work without being told.
const POLL: Duration = Duration::from_secs(1);

/// How often is looked for articles of pictures that have none.
const FIND: Duration = Duration::from_secs(10);

/// Threads that make sizes of pictures.
pub struct Workshop {
    bell: Arc<Bell>,
    threads: Vec<JoinHandle<()>>,
}

/// Tells the threads that there is something to do, or that it is time to go.
#[derive(Default)]
pub struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
    closing: AtomicBool,
}

impl Bell {
    /// Wakes the threads, once what the thread of the caller writes is committed.
    pub fn ring(self: &Arc<Self>) {
        let bell = self.clone();
        after_commit(move || {
            if let Ok(mut rung) = bell.rung.lock() {
                *rung += 1;
                bell.changed.notify_all();
            }
        });
    }

    /// Waits until it rings after `heard`, but not for long.
    pub(crate) fn wait(&self, heard: &mut u64) {
        if let Ok(rung) = self.rung.lock()
            && let Ok((rung, _)) = self.changed.wait_timeout_while(rung, POLL, |rung| *rung == *heard)
        {
            *heard = *rung;
        }
    }
}

impl Workshop {
    /// Opens it with so many threads; 0: half as many as there are cores.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn open(store: &Store, taking: &Taking, threads: usize) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let count = if threads == 0 { cores.div_ceil(2) } else { threads };
        let bell = Arc::new(Bell::default());
        let budget = PictureBudget::new(taking.memory);
        let mut started = Vec::with_capacity(count);
        for number in 0..count {
            let worker =
                Worker { store: store.clone(), taking: taking.clone(), budget: budget.clone(), bell: bell.clone() };
            let name = format!("pictures-{number}");
            started.push(std::thread::Builder::new().name(name).spawn(move || worker.run(number == 0))?);
        }
        Ok(Self { bell, threads: started })
    }

    /// What tells the threads that there is something to do.
    pub fn bell(&self) -> Arc<Bell> {
        self.bell.clone()
    }

    /// Lets the threads finish the pictures that they have in hand.
    pub fn close(self) {
        self.bell.closing.store(true, Ordering::Relaxed);
        self.bell.ring();
        for thread in self.threads {
            if thread.join().is_err() {
                log::error!("a worker of pictures ended in a panic");
            }
        }
    }
}

struct Worker {
    store: Store,
    taking: Taking,
    budget: Arc<PictureBudget>,
    bell: Arc<Bell>,
}

impl Worker {
    fn run(&self, finds: bool) {
        let mut heard = 0;
        // When articles were looked for last, and up to which change.
        let mut looked: Option<(Instant, i64)> = None;
        while !self.bell.closing.load(Ordering::Relaxed) {
            match self.make_one() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => log::error!("pictures cannot be worked on: {error}"),
            }
            if finds && looked.is_none_or(|(at, _)| at.elapsed() >= FIND) {
                match self.find_articles(looked.map_or(-1, |(_, until)| until)) {
                    Ok(until) => looked = Some((Instant::now(), until)),
                    Err(error) => log::error!("articles of pictures cannot be looked for: {error}"),
                }
            }
            self.bell.wait(&mut heard);
        }
    }

    /// Makes the sizes of the next picture that waits. False: none waits.
    fn make_one(&self) -> Result<bool, StoreError> {
        let now = Utc::now().naive_utc();
        let mut db = self.store.connection()?;
        // Looking is no reason to hold up those who write.
        if !pictures::is_waiting(&mut db, now)? {
            return Ok(false);
        }
        let Some(claimed) = db.write(|db| pictures::claim(db, now, LEASE))? else { return Ok(false) };
        drop(db);
        let made = self.made(&claimed);
        self.store.connection()?.write(|db| match &made {
            Ok(made) => pictures::ready(db, &claimed, made, Utc::now().naive_utc()),
            Err(why) => pictures::failed(db, claimed.id, &claimed.sha256, why),
        })?;
        match made {
            Ok(_) => log::info!("the picture {} is ready in all sizes", claimed.file_name),
            Err(why) => log::warn!("the picture {} cannot be read: {why}", claimed.file_name),
        }
        Ok(true)
    }

    fn made(&self, claimed: &Claimed) -> Result<Vec<crate::domain::pictures::Made>, String> {
        // Readers of pictures are fed with anything that anybody sends: one that gives up takes no thread with it.
        let making = AssertUnwindSafe(|| {
            let cost = decoding_cost(&claimed.bytes, &self.taking)?;
            let reserved = self.budget.reserve(cost);
            let _reserved = reserved.ok_or_else(|| format!("it takes {cost} bytes of memory (picture-memory)"))?;
            harmonise(&claimed.bytes, self.taking.most_pixels)
        });
        catch_unwind(making).unwrap_or_else(|_| Err("it breaks the program that reads it".to_owned()))
    }

    /// Finds articles that changed after a change number; returns up to which one it looked.
    fn find_articles(&self, after: i64) -> Result<i64, StoreError> {
        let mut db = self.store.connection()?;
        let until = change_numbers::complete_until(&mut db)?;
        if !pictures::has_orphans_and_news(&mut db, ChangeRange { after, until })? {
            return Ok(until);
        }
        let found = pictures::found_again(&mut db, &self.taking.pattern)?;
        if !found.is_empty() {
            let given = db.write(|db| pictures::give(db, &found, Utc::now().naive_utc()))?;
            log::info!("{given} pictures found their articles");
        }
        Ok(until)
    }
}
