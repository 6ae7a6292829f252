//! Which nodes are silent: judged by how long this process has seen the same heartbeat, on a clock that nobody sets. The heartbeat's own
//! time is compared with itself only, so that a step of any machine's clock lets no run look orphaned.

use chrono::NaiveDateTime;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A node on another machine whose heartbeat does not change for so long is taken for crashed.
const MAX_SILENCE: Duration = Duration::from_secs(20);

/// A heartbeat of a run: when, and in which attempt.
type Heartbeat = (Option<NaiveDateTime>, i32);

/// The last heartbeats that were seen of runs, and since when.
#[derive(Debug, Default)]
pub struct Heartbeats(HashMap<i64, (Heartbeat, Instant)>);

impl Heartbeats {
    /// Whether the heartbeat of a run has been the same for too long.
    pub fn is_silent(&mut self, run: i64, heartbeat: Heartbeat, now: Instant) -> bool {
        let (seen, since) = self.0.entry(run).or_insert((heartbeat, now));
        if *seen != heartbeat {
            (*seen, *since) = (heartbeat, now);
        }
        now.duration_since(*since) > MAX_SILENCE
    }

    /// Drops all but these runs.
    pub fn retain(&mut self, is_open: impl Fn(i64) -> bool) {
        self.0.retain(|run, _| is_open(*run));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn only_a_heartbeat_that_stays_the_same_is_silent() {
        let mut heartbeats = Heartbeats::default();
        let (began, at) = (Instant::now(), NaiveDateTime::default());
        let after = |seconds| began + Duration::from_secs(seconds);
        assert!(!heartbeats.is_silent(1, (Some(at), 1), began));
        // A clock that is set a day forward or an hour back makes heartbeats of other times, but it makes them.
        let stepped = at + TimeDelta::days(1);
        assert!(!heartbeats.is_silent(1, (Some(stepped), 1), after(19)));
        let stepped_back = at - TimeDelta::hours(1);
        assert!(!heartbeats.is_silent(1, (Some(stepped_back), 1), after(38)));
        assert!(!heartbeats.is_silent(1, (Some(stepped_back), 1), after(58)));
        assert!(heartbeats.is_silent(1, (Some(stepped_back), 1), after(59)));
        // Another node took it over.
        assert!(!heartbeats.is_silent(1, (Some(stepped_back), 2), after(60)));
        heartbeats.retain(|run| run != 1);
        assert!(!heartbeats.is_silent(1, (Some(stepped_back), 2), after(600)));
    }
}
