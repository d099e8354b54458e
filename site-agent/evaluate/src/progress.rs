//! How far an evaluation is.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How far an evaluation is: for this site's own screens, never sent.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Progress {
    /// Cases done and cases in all.
    #[must_use]
    pub fn get(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Sets how many cases there are in all, and how many were done before.
    pub(crate) fn begin(&self, total: usize, done: usize) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
    }

    /// Counts cases that are on the disk, or of a dry run, that were looked at.
    pub(crate) fn add(&self, cases: usize) {
        self.done.fetch_add(cases, Ordering::Relaxed);
    }
}
