//! The one place that reads the monotonic clock: measuring time is what this crate is for.

use std::time::Instant;

/// A running stopwatch.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's own time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    /// Seconds between the starts of two stopwatches.
    #[must_use]
    pub fn seconds_until(&self, later: &Self) -> f64 {
        later.0.duration_since(self.0).as_secs_f64()
    }
}
