//! How often something holds.

/// Probabilities of holding, summed: 0 or 1 for an interval that holds one truth, in between where the
/// truth is a distribution.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    held: f64,
    squares: f64,
    of: f64,
    /// Intervals that did not exist.
    pub(crate) without: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, held: Option<f64>) {
        match held {
            Some(held) => {
                self.held += held;
                self.squares += held * held;
                self.of += 1.0;
            }
            None => self.without += 1.0,
        }
    }

    /// The coverage; `None` where no interval existed.
    pub(crate) fn coverage(&self) -> Option<f64> {
        (self.of > 0.0).then(|| self.held / self.of)
    }

    /// Its Monte Carlo standard error.
    pub(crate) fn error(&self) -> f64 {
        let mean = self.held / self.of.max(1.0);
        ((self.squares / self.of.max(1.0) - mean * mean).max(0.0) / self.of.max(1.0)).sqrt()
    }
}
