//! Tells other systems what happens to orders: takes what the outbox has for them, sends it, and writes down what came
//! of it. Many nodes share the outbox: each takes what no other has in hand.

mod soap;
mod web_hook;

pub use web_hook::{Hooks, delivery_error, excerpt};

use crate::domain::Secret;
use crate::domain::signals::{Sending, Target};
use crate::store::signals::{self, Heard, Taken};
use crate::store::{Store, StoreError};
use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use soapstone_contracts::signals::Form;
use soapstone_runtime::client::Client;
use std::collections::HashMap;
use std::time::Duration;

/// How often the outbox is looked at.
const POLL: Duration = Duration::from_millis(500);

/// How many are sent at once.
const AT_ONCE: i64 = 16;

/// How often what is old is forgotten.
const PRUNE: TimeDelta = TimeDelta::hours(1);

/// Sends what the outbox has.
pub struct Sender {
    store: Store,
    sending: Sending,
    hooks: Hooks,
    /// Ways to targets that speak SOAP, each with the target as it was then.
    soap: HashMap<i64, (Target, Client)>,
    pruned: chrono::DateTime<Utc>,
}

impl Sender {
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(store: Store, sending: Sending) -> Result<Self, String> {
        let hooks = Hooks::new(&sending)?;
        Ok(Self { store, sending, hooks, soap: HashMap::new(), pruned: chrono::DateTime::<Utc>::MIN_UTC })
    }

    /// Sends for ever.
    pub async fn run(mut self) {
        loop {
            match self.send_due().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => log::error!("signals cannot be sent: {error}"),
            }
            actix_web::rt::time::sleep(POLL).await;
        }
    }

    /// Sends what is due. Gives how many were tried.
    async fn send_due(&mut self) -> Result<usize, StoreError> {
        self.prune().await?;
        // Whoever is gone after that long does not come back with an answer.
        let lease = TimeDelta::from_std(self.sending.timeout * 2).unwrap_or_default() + TimeDelta::seconds(10);
        let now = Utc::now().naive_utc();
        // Looking is no reason to hold up those who write.
        if !self.store.read(move |db| signals::is_due(db, now)).await? {
            return Ok(0);
        }
        let secrets = self.store.secrets().clone();
        let taken = self.store.write(move |db| signals::claim(db, &secrets, now, lease, AT_ONCE)).await?;
        if taken.is_empty() {
            return Ok(0);
        }
        for taken in &taken {
            self.prepare(taken);
        }
        let told = join_all(taken.iter().map(|taken| self.tell(taken))).await;
        let (count, sending) = (taken.len(), self.sending.clone());
        let written = self.store.write(move |db| {
            for (taken, heard) in taken.iter().zip(&told) {
                note(taken, heard);
                let now = Utc::now().naive_utc();
                signals::answered(db, taken, heard, sending.first_wait, sending.attempts, now)?;
            }
            Ok(())
        });
        written.await?;
        Ok(count)
    }

    /// Makes a way to a target, if there is none as it is now.
    fn prepare(&mut self, taken: &Taken) {
        if taken.target.form == Form::WebHook {
            self.hooks.prepare(&taken.target.url);
            return;
        }
        if self.soap.get(&taken.target_id).is_some_and(|(known, _)| *known == taken.target) {
            return;
        }
        match soap::way(&taken.target, &self.sending) {
            Ok(client) => drop(self.soap.insert(taken.target_id, (taken.target.clone(), client))),
            Err(error) => {
                self.soap.remove(&taken.target_id);
                log::error!("the target {} cannot be told anything: {error}", taken.target.key);
            }
        }
    }

    async fn tell(&self, taken: &Taken) -> Heard {
        let target = &taken.target;
        if [&target.secret, &target.password].into_iter().flatten().any(Secret::is_sealed) {
            // Unsigned, or without the password, nothing is sent.
            return failed("the secret of the target cannot be decrypted; the log has the reason");
        }
        if let Err(denied) = self.sending.outbound.endpoint(&target.url) {
            return failed(&denied.to_string());
        }
        if target.form == Form::WebHook {
            return web_hook::tell(&self.hooks, taken).await;
        }
        match self.soap.get(&taken.target_id) {
            Some((_, client)) => soap::tell(client, taken).await,
            None => failed("the client cannot be set up; the log has the reason"),
        }
    }

    async fn prune(&mut self) -> Result<(), StoreError> {
        let now = Utc::now();
        if now.signed_duration_since(self.pruned) < PRUNE {
            return Ok(());
        }
        let oldest = now.naive_utc() - TimeDelta::days(self.sending.days.into());
        let gone = self.store.write(move |db| signals::prune(db, oldest)).await?;
        if gone > 0 {
            log::info!("{gone} signals of more than {} days ago are forgotten", self.sending.days);
        }
        self.pruned = now;
        Ok(())
    }
}

/// What an attempt without an answer means.
fn failed(why: &str) -> Heard {
    Heard::Failed { status: None, why: why.to_owned(), unwell: true }
}

/// What an HTTP status that is no success means: some say that it will never be taken, others that nothing is taken now. What else the
/// target said is in the log only: deliveries are shown to viewers.
fn of_status(status: u16) -> Heard {
    let (told, why) = (Some(i32::from(status)), format!("HTTP status {status}"));
    match status {
        400 | 405 | 410 | 413 | 415 | 422 => Heard::Refused { status: told, why },
        _ => Heard::Failed { status: told, why, unwell: true },
    }
}

/// Logs what a target said, for those who run the server.
fn log_reply(taken: &Taken, reply: &str) {
    if !reply.is_empty() {
        log::info!(delivery = taken.id; "{} replied: {}", taken.target.key, excerpt(reply));
    }
}

fn note(taken: &Taken, heard: &Heard) {
    let (id, target, event) = (taken.id, &taken.target.key, taken.what.event.as_str());
    match heard {
        Heard::Accepted { .. } => log::info!(delivery = id; "{target} was told of {event}"),
        Heard::Failed { why, .. } => log::warn!(delivery = id; "{target} could not be told of {event}: {why}"),
        Heard::Refused { why, .. } => log::warn!(delivery = id; "{target} does not take {event}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_to_try_again() {
        assert!(matches!(of_status(410), Heard::Refused { status: Some(410), .. }));
        assert!(matches!(of_status(503), Heard::Failed { unwell: true, .. }));
        // Whoever is not let in may be let in later.
        assert!(matches!(of_status(401), Heard::Failed { .. }));
        assert!(matches!(of_status(302), Heard::Failed { .. }));
    }
}
