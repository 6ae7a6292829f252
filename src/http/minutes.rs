//! The last hours of this node by the minute, for a person to see: how many requests, how many of them refused, how long they took.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Minutes that are kept.
const KEPT: usize = 180;

/// Bounds of the counts by which a quantile is told, in microseconds; each is half as much again as the one before.
const BOUNDS: usize = 40;
const FIRST: f64 = 50.0;
const STEP: f64 = 1.5;

/// One minute.
#[derive(Clone, Debug)]
pub(crate) struct Minute {
    /// Since 1970.
    pub number: u64,
    pub requests: u64,
    pub refused: u64,
    counts: [u32; BOUNDS],
}

impl Minute {
    fn new(number: u64) -> Self {
        Self { number, requests: 0, refused: 0, counts: [0; BOUNDS] }
    }

    /// How long all but a twentieth took at the most, in milliseconds; None: there was nothing.
    pub fn slow_millis(&self) -> Option<f64> {
        let wanted = (self.requests * 19).div_ceil(20);
        let mut seen = 0;
        let mut bound = FIRST;
        for count in &self.counts {
            seen += u64::from(*count);
            if seen >= wanted && seen > 0 {
                return Some(bound / 1000.0);
            }
            bound *= STEP;
        }
        None
    }
}

/// The minutes of this node.
#[derive(Debug, Default)]
pub(crate) struct Minutes(Mutex<VecDeque<Minute>>);

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 60
}

impl Minutes {
    /// Counts a request.
    pub fn note(&self, took: Duration, is_refused: bool) {
        self.note_at(now(), took, is_refused);
    }

    fn note_at(&self, number: u64, took: Duration, is_refused: bool) {
        let mut place = 0;
        let mut bound = FIRST;
        #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
        let micros = took.as_micros() as f64;
        while micros > bound && place < BOUNDS - 1 {
            place += 1;
            bound *= STEP;
        }
        let mut minutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minutes.back().is_none_or(|last| last.number < number) {
            minutes.push_back(Minute::new(number));
            while minutes.len() > KEPT {
                minutes.pop_front();
            }
        }
        if let Some(minute) = minutes.back_mut() {
            minute.requests += 1;
            minute.refused += u64::from(is_refused);
            minute.counts[place] += 1;
        }
    }

    /// The last minutes, those without a request too; the oldest first.
    pub fn last(&self, count: u64) -> Vec<Minute> {
        self.last_at(now(), count)
    }

    fn last_at(&self, number: u64, count: u64) -> Vec<Minute> {
        let minutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = (number + 1).saturating_sub(count);
        let of = |number| minutes.iter().find(|minute| minute.number == number).cloned();
        (first..=number).map(|number| of(number).unwrap_or_else(|| Minute::new(number))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_the_minute() {
        let minutes = Minutes::default();
        for micros in 1..=100 {
            minutes.note_at(10, Duration::from_micros(micros * 1000), micros > 98);
        }
        minutes.note_at(12, Duration::from_secs(7000), false);
        let last = minutes.last_at(13, 4);
        assert_eq!(last.iter().map(|m| m.number).collect::<Vec<_>>(), [10, 11, 12, 13]);
        assert_eq!(
            last.iter().map(|m| (m.requests, m.refused)).collect::<Vec<_>>(),
            [(100, 2), (0, 0), (1, 0), (0, 0)]
        );
        let slow = last[0].slow_millis().unwrap();
        assert!((95.0..150.0).contains(&slow), "{slow}");
        assert_eq!((last[1].slow_millis(), last[2].slow_millis().is_some()), (None, true));
        for number in 0..1000 {
            minutes.note_at(number + 20, Duration::ZERO, false);
        }
        assert_eq!(minutes.0.lock().unwrap().len(), KEPT);
    }
}
