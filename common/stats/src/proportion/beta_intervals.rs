//! Intervals from quantiles of the beta distribution.

use super::estimate;
use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::{Interval, tail};
use crate::special::beta;

/// The Clopper–Pearson ("exact") interval for x successes in n cases, on the probability scale:
/// `B(α/2; x, n − x + 1)` to `B(1 − α/2; x + 1, n − x)`, with 0 at x = 0 and 1 at x = n.
///
/// # Errors
///
/// Those of [`wilson`](super::wilson()).
///
/// # References
///
/// - C. J. Clopper, E. S. Pearson (1934). Biometrika 26, 404–413.
///
/// # Examples
///
/// ```
/// // With no success in n cases the upper limit is 1 − (α/2)^(1/n).
/// let interval = fedval_stats::proportion::clopper_pearson(0, 10, 0.95)?;
/// assert!((interval.upper - 0.308_497_1).abs() < 1e-7);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn clopper_pearson(x: u64, n: u64, level: f64) -> Result<Interval, NotEstimable> {
    equal_tailed(x, n, level, [(0.0, 1.0), (1.0, 0.0)])
}

/// The Jeffreys interval for x successes in n cases, on the probability scale: quantiles of
/// `Beta(x + ½, n − x + ½)`, with 0 at x = 0 and 1 at x = n.
///
/// # Errors
///
/// Those of [`wilson`](super::wilson()).
///
/// # References
///
/// - L. D. Brown, T. T. Cai, A. DasGupta (2001). Stat. Sci. 16(2), 101–133.
///
/// # Examples
///
/// ```
/// // The quantiles of Beta(2.5, 8.5) at 0.025 and 0.975.
/// let interval = fedval_stats::proportion::jeffreys(2, 10, 0.95)?;
/// assert!((interval.lower - 0.044_059).abs() < 1e-6);
/// assert!((interval.upper - 0.502_775).abs() < 1e-6);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn jeffreys(x: u64, n: u64, level: f64) -> Result<Interval, NotEstimable> {
    equal_tailed(x, n, level, [(0.5, 0.5), (0.5, 0.5)])
}

/// Quantiles of Beta(x + a, n − x + b), with one pair (a, b) for each limit.
fn equal_tailed(
    x: u64,
    n: u64,
    level: f64,
    [lower_shape, upper_shape]: [(f64, f64); 2],
) -> Result<Interval, NotEstimable> {
    let p = estimate(x, n)?;
    let alpha = tail(level)?;
    let (hits, misses) = (count_to_f64(x), count_to_f64(n - x));
    let limit = |at: f64, (a, b): (f64, f64)| beta::quantile(at, hits + a, misses + b);
    let lower = if x == 0 { 0.0 } else { limit(alpha, lower_shape) };
    let upper = if x == n { 1.0 } else { limit(1.0 - alpha, upper_shape) };
    Ok(Interval::covering(p, lower, upper, level))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe (1998), table I, method 5 (the "exact" interval).
    #[test]
    fn newcombe_1998_table_1() {
        for (x, n, lower, upper) in [
            (81, 263, 0.2527, 0.3676),
            (15, 148, 0.0578, 0.1617),
            (0, 20, 0.0, 0.1684),
            (1, 29, 0.0009, 0.1776),
        ] {
            let got = clopper_pearson(x, n, 0.95).unwrap();
            assert!((got.lower - lower).abs() < 5e-5, "{x}/{n}");
            assert!((got.upper - upper).abs() < 5e-5, "{x}/{n}");
        }
    }

    #[test]
    fn the_ends_are_pinned() {
        for interval in [clopper_pearson(5, 5, 0.95), jeffreys(5, 5, 0.95)] {
            assert!((interval.unwrap().upper - 1.0).abs() < 1e-15);
        }
        assert!(jeffreys(0, 5, 0.95).unwrap().lower.abs() < 1e-15);
    }

    #[test]
    fn a_million_cases_are_no_harder() {
        let got = clopper_pearson(1_000, 1_000_000, 0.95).unwrap();
        assert!(got.lower > 0.000_938 && got.upper < 0.001_065);
    }
}
