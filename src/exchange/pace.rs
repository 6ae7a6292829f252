//! How many records go into a transaction: few where records take long, so that a run that is to stop does so within moments.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a batch may take before the next ones are smaller.
const LONG: Duration = Duration::from_millis(800);

/// How long a batch takes at most if the next ones may be larger.
const SHORT: Duration = Duration::from_millis(300);

/// Records of the first batch.
const FIRST: usize = 64;

pub(super) struct Pace {
    size: AtomicUsize,
    most: usize,
    is_steady: bool,
}

impl Pace {
    /// Batches of at most so many, as their time allows.
    pub fn up_to(most: usize) -> Self {
        let most = most.max(1);
        Self { size: AtomicUsize::new(most.min(FIRST)), most, is_steady: false }
    }

    /// Batches of so many, however long they take.
    pub fn steady(size: usize) -> Self {
        Self { size: AtomicUsize::new(size), most: size, is_steady: true }
    }

    pub fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// A batch took so long.
    pub fn took(&self, time: Duration) {
        if self.is_steady {
            return;
        }
        let size = self.size();
        let next = if time > LONG {
            (size / 2).max(1)
        } else if time < SHORT {
            (size * 2).min(self.most)
        } else {
            size
        };
        self.size.store(next, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_they_are_fast_and_shrink_when_they_are_slow() {
        let pace = Pace::up_to(500);
        let mut sizes = Vec::new();
        for millis in [10, 10, 10, 10, 500, 900, 2000, 10] {
            sizes.push(pace.size());
            pace.took(Duration::from_millis(millis));
        }
        assert_eq!(sizes, [64, 128, 256, 500, 500, 500, 250, 125]);
        let one = Pace::up_to(1);
        one.took(Duration::from_secs(9));
        assert_eq!(one.size(), 1);
    }

    #[test]
    fn a_steady_one_stays() {
        let pace = Pace::steady(1000);
        pace.took(Duration::from_secs(9));
        assert_eq!(pace.size(), 1000);
    }
}
