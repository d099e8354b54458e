//! Estimates from counts that were rounded and numbers on grids.
//!
//! Rounding is an error like sampling: a count that may be h off, up or down, adds a variance of
//! h(h + 1) / 3 and its interval covers every count it may stand for; a number on a grid g adds
//! g² / 12.

use fedval_stats::{Interval, NotEstimable, auroc, proportion};
use fedval_study::coarse::{GridScores, OnGrid};

use super::contribution::number;
use crate::report::Reason;

/// A rounded share: errors among cases, each off by at most `rounding`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoundedShare {
    pub(super) successes: u64,
    pub(super) cases: u64,
    pub(super) rounding: u64,
}

impl RoundedShare {
    /// The standard error, of sampling and rounding.
    pub(super) fn se(self) -> Result<f64, NotEstimable> {
        let share = proportion::estimate(self.successes, self.cases)?;
        let n = number(self.cases);
        let rounded = rounding_variance(self.rounding) / (n * n);
        Ok((share * (1.0 - share) / n + rounded).sqrt())
    }

    /// Wilson's interval over every count that this one may stand for.
    pub(super) fn interval(self, level: f64) -> Result<Interval, NotEstimable> {
        let most = self.successes.saturating_add(self.rounding).min(self.cases);
        let least = self.successes.saturating_sub(self.rounding);
        let lowest = proportion::wilson(least, self.cases, level)?;
        let highest = proportion::wilson(most, self.cases, level)?;
        let estimate = proportion::estimate(self.successes, self.cases)?;
        Ok(Interval { estimate, lower: lowest.lower, upper: highest.upper, ..lowest })
    }
}

/// The area with Hanley and McNeil's error and that of its grid.
pub(super) fn area(grid: &GridScores, n_pos: u64, n_neg: u64) -> Result<(f64, f64), Reason> {
    let area = grid.auroc.ok_or(Reason::Withheld)?;
    let sampling = auroc::hanley_mcneil_se(area.value(), n_pos, n_neg)?;
    Ok((area.value(), with_grid(sampling, area)))
}

/// A coefficient with its released error and that of its grid.
pub(super) fn coefficient(value: OnGrid, se: OnGrid) -> (f64, f64) {
    (value.value(), with_grid(se.value(), value))
}

/// Variance of a count that may be `rounding` off, up or down.
pub(super) fn rounding_variance(rounding: u64) -> f64 {
    let h = number(rounding);
    h * (h + 1.0) / 3.0
}

/// Variance of a number on a grid.
pub(super) fn grid_variance(on: OnGrid) -> f64 {
    (number(on.grid_micro) / 1e6).powi(2) / 12.0
}

fn with_grid(se: f64, on: OnGrid) -> f64 {
    (se * se + grid_variance(on)).sqrt()
}
