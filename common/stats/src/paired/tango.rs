//! Tango's score interval of a paired difference, and the test of non-inferiority on it.

use super::{PairedCounts, difference};
use crate::NotEstimable;
use crate::interval::{Interval, critical_normal};
use crate::root::brent;
use crate::special::normal;

/// How near to −1 and 1 a limit is sought: at the ends themselves the score is 0/0.
const END: f64 = 1e-12;

/// Tango's interval for `P(first right) − P(second right)`: the δ whose score statistic
///
/// ```text
/// T(δ) = (b − c − nδ) / √(n (2 q̃₂₁ + δ (1 − δ)))
/// ```
///
/// lies within ∓z, with `q̃₂₁` the probability of a case that the second alone has right, estimated
/// under δ. In [−1, 1].
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases, [`NotEstimable::LevelOutOfRange`].
///
/// # References
///
/// - T. Tango (1998). Stat. Med. 17, 891–908, eq. 10–12.
///
/// # Examples
///
/// ```
/// use fedval_stats::paired::{PairedCounts, tango};
///
/// let counts = PairedCounts { both: 60, only_first: 7, only_second: 1, neither: 12 };
/// let interval = tango(&counts, 0.95)?;
/// assert!((interval.lower - 0.0074).abs() < 5e-5 && (interval.upper - 0.1597).abs() < 5e-5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn tango(counts: &PairedCounts, level: f64) -> Result<Interval, NotEstimable> {
    let score = Score::of(counts)?;
    let (d, z) = (difference(counts)?, critical_normal(level)?);
    let (bottom, top) = (-1.0 + END, 1.0 - END);
    // T falls from far left to far right; where it never reaches z, the interval ends at the end.
    let lower = brent(|delta| score.at(delta) - z, bottom, d.max(bottom)).unwrap_or(-1.0);
    let upper = brent(|delta| score.at(delta) + z, d.min(top), top).unwrap_or(1.0);
    Ok(Interval::covering(d, lower, upper, level))
}

/// Whether the first index test is right at most `margin` less often than the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NonInferiority {
    /// `T(−margin)`.
    pub z: f64,
    /// The one-sided p-value of the hypothesis that the first is worse by the margin or more.
    pub p_one_sided: f64,
}

/// Tests non-inferiority of the first index test by Tango's score at `−margin`.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases; [`NotEstimable::InvalidInput`] for a margin outside
/// (−1, 1); [`NotEstimable::ZeroVariance`] where the score does not exist.
///
/// # References
///
/// - T. Tango (1998). Stat. Med. 17, 891–908.
///
/// # Examples
///
/// ```
/// use fedval_stats::paired::{PairedCounts, non_inferiority};
///
/// // T(−0.05) = (7 − 1 + 80 · 0.05) / √(80 (2 · 0.09466 − 0.05 · 1.05)).
/// let counts = PairedCounts { both: 60, only_first: 7, only_second: 1, neither: 12 };
/// let test = non_inferiority(&counts, 0.05)?;
/// assert!((test.z - 3.022_628).abs() < 1e-6 && (test.p_one_sided - 0.001_253).abs() < 1e-6);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn non_inferiority(counts: &PairedCounts, margin: f64) -> Result<NonInferiority, NotEstimable> {
    let score = Score::of(counts)?;
    if !(margin > -1.0 && margin < 1.0) {
        return Err(NotEstimable::InvalidInput);
    }
    if score.variance(-margin) <= 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    let z = score.at(-margin);
    Ok(NonInferiority { z, p_one_sided: normal::cdf(-z) })
}

/// The statistic T.
struct Score {
    n: f64,
    b: f64,
    c: f64,
}

impl Score {
    fn of(counts: &PairedCounts) -> Result<Self, NotEstimable> {
        let (n, b, c) = counts.numbers()?;
        Ok(Self { n, b, c })
    }

    /// `n (2 q̃₂₁ + δ (1 − δ))`.
    fn variance(&self, delta: f64) -> f64 {
        let linear = (2.0 * self.n - self.b + self.c) * delta - self.b - self.c;
        let constant = -self.c * delta * (1.0 - delta);
        let root = libm::sqrt((linear * linear - 8.0 * self.n * constant).max(0.0));
        // Of the two forms of the root of a quadratic, the one without cancellation.
        let q21 = if linear <= 0.0 {
            (root - linear) / (4.0 * self.n)
        } else {
            -2.0 * constant / (root + linear)
        };
        self.n * (2.0 * q21 + delta * (1.0 - delta))
    }

    fn at(&self, delta: f64) -> f64 {
        let excess = self.b - self.c - self.n * delta;
        let variance = self.variance(delta);
        // Only where nothing is left to be explained: at the estimate itself.
        if variance <= 0.0 { 0.0 } else { excess / libm::sqrt(variance) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(only_first: u64, only_second: u64, rest: u64) -> PairedCounts {
        PairedCounts { both: rest, only_first, only_second, neither: 0 }
    }

    #[test]
    fn exchanging_the_tests_mirrors_the_interval() {
        let there = tango(&counts(9, 2, 40), 0.95).unwrap();
        let back = tango(&counts(2, 9, 40), 0.95).unwrap();
        assert!((there.lower + back.upper).abs() < 1e-12);
        assert!((there.upper + back.lower).abs() < 1e-12);
    }

    #[test]
    fn without_discordant_cases_zero_lies_inside_a_symmetric_interval() {
        let interval = tango(&counts(0, 0, 50), 0.95).unwrap();
        assert!(interval.estimate.abs() < 1e-15);
        assert!((interval.lower + interval.upper).abs() < 1e-12 && interval.upper < 0.08);
    }

    #[test]
    fn all_discordant_on_one_side_ends_at_one() {
        // There T(δ) = √(n (1 − δ) / (1 + δ)).
        let interval = tango(&counts(10, 0, 0), 0.95).unwrap();
        assert!((interval.upper - 1.0).abs() < 1e-9 && (interval.lower - 0.4449).abs() < 1e-4);
        let mirrored = tango(&counts(0, 10, 0), 0.95).unwrap();
        assert!((mirrored.lower + 1.0).abs() < 1e-9 && (mirrored.upper + 0.4449).abs() < 1e-4);
    }

    #[test]
    fn a_margin_must_be_a_difference_of_probabilities() {
        for margin in [1.0, -1.0, 1.5, f64::NAN] {
            let refused = non_inferiority(&counts(1, 1, 8), margin);
            assert_eq!(refused, Err(NotEstimable::InvalidInput));
        }
    }
}
