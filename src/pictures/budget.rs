//! Memory for pictures that are decoded, shared by all threads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How much memory is left.
#[derive(Debug)]
pub struct PictureBudget {
    total: u64,
    left: Mutex<u64>,
    released: Condvar,
}

/// Memory that is held until it is dropped.
#[derive(Debug)]
pub struct PictureReservation {
    budget: Arc<PictureBudget>,
    bytes: u64,
}

impl PictureBudget {
    pub fn new(total: u64) -> Arc<Self> {
        Arc::new(Self { total, left: Mutex::new(total), released: Condvar::new() })
    }

    fn left(&self) -> MutexGuard<'_, u64> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for so much memory; None if there is never so much.
    pub fn reserve(self: &Arc<Self>, bytes: u64) -> Option<PictureReservation> {
        if bytes > self.total {
            return None;
        }
        let mut left = self.left();
        while *left < bytes {
            left = self.released.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
        *left -= bytes;
        Some(PictureReservation { budget: self.clone(), bytes })
    }
}

impl Drop for PictureReservation {
    fn drop(&mut self) {
        *self.budget.left() += self.bytes;
        self.budget.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn threads_share_what_there_is() {
        let budget = PictureBudget::new(100);
        assert!(budget.reserve(101).is_none());
        let (used, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for n in 0..20 {
                let (budget, used, most) = (&budget, &used, &most);
                scope.spawn(move || {
                    let bytes = 30 + n;
                    let _held = budget.reserve(bytes).unwrap();
                    let now = used.fetch_add(bytes, Ordering::SeqCst) + bytes;
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    used.fetch_sub(bytes, Ordering::SeqCst);
                });
            }
        });
        assert!(most.into_inner() <= 100);
        assert_eq!(*budget.left(), 100);
    }
}
