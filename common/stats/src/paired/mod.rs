//! Two index tests on the same cases, each right or wrong: AI beside a reader, one version beside another.
//!
//! [`mcnemar`] tests that both are right equally often, [`tango`] gives the interval of the difference
//! and the test of non-inferiority, [`wald_difference`] is kept for comparison with other software.

mod mcnemar;
mod tango;

pub use mcnemar::{McNemar, mcnemar};
pub use tango::{NonInferiority, non_inferiority, tango};

use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::{Interval, critical_normal};

/// Cases by which of two index tests was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PairedCounts {
    /// Both were right.
    pub both: u64,
    /// The first alone was right.
    pub only_first: u64,
    /// The second alone was right.
    pub only_second: u64,
    /// Neither was right.
    pub neither: u64,
}

impl PairedCounts {
    /// All cases (saturating).
    #[must_use]
    pub fn n(&self) -> u64 {
        [self.both, self.only_first, self.only_second, self.neither]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// The counts of two disjoint cohorts together (saturating).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            both: self.both.saturating_add(other.both),
            only_first: self.only_first.saturating_add(other.only_first),
            only_second: self.only_second.saturating_add(other.only_second),
            neither: self.neither.saturating_add(other.neither),
        }
    }

    /// n, b and c as numbers.
    fn numbers(&self) -> Result<(f64, f64, f64), NotEstimable> {
        match self.n() {
            0 => Err(NotEstimable::EmptyInput),
            n => {
                Ok((count_to_f64(n), count_to_f64(self.only_first), count_to_f64(self.only_second)))
            }
        }
    }
}

/// `P(first right) − P(second right) = (b − c) / n`, in [−1, 1].
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases.
///
/// # Examples
///
/// ```
/// use fedval_stats::paired::{PairedCounts, difference};
///
/// let counts = PairedCounts { both: 60, only_first: 7, only_second: 1, neither: 12 };
/// assert!((difference(&counts)? - 0.075).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn difference(counts: &PairedCounts) -> Result<f64, NotEstimable> {
    let (n, b, c) = counts.numbers()?;
    Ok((b - c) / n)
}

/// The Wald interval of [`difference`], `d ∓ z √((b + c)/n² − (b − c)²/n³)`, for comparison: it is too
/// narrow where few cases are discordant, and may leave [−1, 1].
///
/// # Errors
///
/// Those of [`difference`] and [`NotEstimable::LevelOutOfRange`].
///
/// # Examples
///
/// ```
/// use fedval_stats::paired::{PairedCounts, wald_difference};
///
/// // 0.075 ∓ 1.96 √(8/80² − 6²/80³).
/// let counts = PairedCounts { both: 60, only_first: 7, only_second: 1, neither: 12 };
/// let interval = wald_difference(&counts, 0.95)?;
/// assert!((interval.lower - 0.0077).abs() < 5e-5 && (interval.upper - 0.1423).abs() < 5e-5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn wald_difference(counts: &PairedCounts, level: f64) -> Result<Interval, NotEstimable> {
    let (n, b, c) = counts.numbers()?;
    let d = (b - c) / n;
    let variance = ((b + c) / n - d * d) / n;
    let half_width = critical_normal(level)? * libm::sqrt(variance.max(0.0));
    Ok(Interval { estimate: d, lower: d - half_width, upper: d + half_width, level })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_adds_and_never_wraps() {
        let one = PairedCounts { both: 1, only_first: 2, only_second: 3, neither: u64::MAX };
        let sum = one.merge(one);
        assert_eq!((sum.both, sum.only_first, sum.only_second), (2, 4, 6));
        assert_eq!((sum.neither, sum.n()), (u64::MAX, u64::MAX));
    }

    #[test]
    fn no_case_has_no_difference() {
        assert_eq!(difference(&PairedCounts::default()), Err(NotEstimable::EmptyInput));
        let refused = wald_difference(&PairedCounts::default(), 0.95);
        assert_eq!(refused, Err(NotEstimable::EmptyInput));
    }
}
