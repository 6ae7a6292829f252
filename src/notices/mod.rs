//! Tells people and systems of runs that they want to hear of: by e-mail, and by signed web hooks. Many nodes share it: each run is told
//! once for each rule, and told again until it is heard.

mod email;
mod hook;
mod rules;

pub use email::Mailing;
pub use rules::{Rule, read_rules};

use crate::domain::signals::Sending;
use crate::reporting::{Summary, summary};
use crate::store::notices::{self, Baseline, Notice};
use crate::store::{Store, StoreError};
use chrono::{NaiveDateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked whether there is something to tell.
const LOOK: Duration = Duration::from_millis(500);

/// For how long telling takes at most.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// How often something is told before it is given up, and how long it takes until it is told again first.
const ATTEMPTS: i32 = 12;
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(5);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// What ended that long before this process began is told too, if nobody has.
const BEFORE: TimeDelta = TimeDelta::minutes(10);

/// How many examples of each code a notice has.
const EXAMPLES: i64 = 5;

/// Who is told, and how.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    pub rules: Vec<Rule>,
    pub mailing: Mailing,
}

/// The thread that tells.
pub struct Herald {
    leaving: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Herald {
    /// Begins to tell.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(store: Store, notices: Notices, sending: Sending) -> std::io::Result<Self> {
        let leaving = Arc::new(AtomicBool::new(false));
        if notices.rules.is_empty() {
            return Ok(Self { leaving, thread: None });
        }
        let leaves = leaving.clone();
        let thread = std::thread::Builder::new().name("notices".to_owned()).spawn(move || {
            let since = Utc::now().naive_utc() - BEFORE;
            let mut baseline = None;
            while !leaves.load(Ordering::Relaxed) {
                if let Err(error) = tell_all(&store, &notices, &sending, since, &mut baseline) {
                    log::error!("runs cannot be told of: {error}");
                }
                std::thread::sleep(LOOK);
            }
        })?;
        Ok(Self { leaving, thread: Some(thread) })
    }

    /// Ends it, once what it tells is told.
    pub fn stop(self) {
        self.leaving.store(true, Ordering::Relaxed);
        if self.thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread of notices ended in a panic");
        }
    }
}

/// Tells of each rule what it is to hear; an error of one does not keep the others from it.
fn tell_all(
    store: &Store,
    notices: &Notices,
    sending: &Sending,
    since: NaiveDateTime,
    baseline: &mut Option<Baseline>,
) -> Result<(), StoreError> {
    let from = match baseline {
        Some(from) => from,
        None => baseline.insert(notices::baseline(&mut *store.connection()?, since)?),
    };
    let mut outcome = Ok(());
    // A rule that fails does not keep the others from being followed.
    for rule in &notices.rules {
        outcome = outcome.and(look(store, rule, &notices.mailing, sending, from));
    }
    outcome
}

fn look(store: &Store, rule: &Rule, mailing: &Mailing, sending: &Sending, from: &Baseline) -> Result<(), StoreError> {
    let mut db = store.connection()?;
    for (run, event) in notices::unheard(&mut db, &rule.name, from)? {
        let mut is_wanted = rule.is_of(&run.kind, run.dry_run);
        if is_wanted {
            let is_unusual = rule.wants_unusual() && event == notices::ENDED && is_unusual(&mut db, run.id)?;
            is_wanted = rule.wants(run.state(), is_unusual);
        }
        let now = Utc::now().naive_utc();
        db.write(|db| notices::hear(db, run.id, &rule.name, event, is_wanted, now))?;
    }
    let now = Utc::now().naive_utc();
    for notice in db.write(|db| notices::take(db, &rule.name, now, LEASE))? {
        let Some(summary) = summary(&mut db, notice.report.run.id, EXAMPLES)? else { continue };
        let told = tell(rule, mailing, sending, &notice, &summary);
        let wait = FIRST_WAIT * 2_i32.saturating_pow(u32::try_from(notice.attempts - 1).unwrap_or(0).min(12));
        let again = match &told {
            Ok(()) => None,
            Err(_) if notice.attempts >= ATTEMPTS => None,
            Err(_) => Some(Utc::now().naive_utc() + wait.min(LONGEST_WAIT)),
        };
        if let Err(why) = &told {
            log::warn!(run = notice.report.run.id; "the rule \"{}\" could not be told of run {}: {why}", rule.name, notice.report.run.id);
        }
        db.write(|db| notices::told(db, &notice, told.as_ref().err().map(String::as_str), again))?;
    }
    Ok(())
}

fn is_unusual(db: &mut crate::store::Db, run: i64) -> Result<bool, StoreError> {
    let comparison = summary(db, run, 0)?.and_then(|summary| summary.comparison);
    Ok(comparison.is_some_and(|comparison| !comparison.unusual.is_empty()))
}

fn tell(rule: &Rule, mailing: &Mailing, sending: &Sending, notice: &Notice, summary: &Summary) -> Result<(), String> {
    if let Some(url) = &rule.url {
        hook::tell(url, rule.secret.as_deref(), sending, notice, summary)?;
    }
    if !rule.email.is_empty() {
        mailing.send(&rule.email, summary)?;
    }
    Ok(())
}
