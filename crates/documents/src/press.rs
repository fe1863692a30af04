//! How many documents are typeset at once.

use std::sync::{Condvar, Mutex, PoisonError};

/// Lets as many typesetters run at once as there are cores; the others wait.
pub struct Press {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Press {
    /// A gate for `places` at once.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { free: Mutex::new(places.max(1)), freed: Condvar::new() }
    }

    /// Runs `work` as soon as there is a place.
    pub fn through<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        drop(free);
        let _place = Place(self);
        work()
    }
}

/// A place behind the gate; given back also when the work panics.
struct Place<'a>(&'a Press);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
