//! Wilson's score interval.

use super::estimate;
use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::{Interval, critical_normal};

/// Wilson's interval for x successes in n cases, on the probability scale:
///
/// ```text
/// (p + z²/2n ∓ z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n),   p = x / n
/// ```
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] for n = 0, [`NotEstimable::InvalidInput`] for x > n,
/// [`NotEstimable::LevelOutOfRange`].
///
/// # References
///
/// - E. B. Wilson (1927). J. Am. Stat. Assoc. 22, 209–212.
/// - R. G. Newcombe (1998). Stat. Med. 17, 857–872 (method 3).
///
/// # Examples
///
/// ```
/// let interval = fedval_stats::proportion::wilson(81, 263, 0.95)?;
/// assert!((interval.lower - 0.255).abs() < 5e-4 && (interval.upper - 0.366).abs() < 5e-4);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn wilson(x: u64, n: u64, level: f64) -> Result<Interval, NotEstimable> {
    real_count(estimate(x, n)?, count_to_f64(n), level)
}

/// [`wilson`] for a real, positive number of cases, such as an effective sample size.
pub(super) fn real_count(p: f64, n: f64, level: f64) -> Result<Interval, NotEstimable> {
    let z = critical_normal(level)?;
    let per_case = z * z / n;
    let centre = (p + per_case / 2.0) / (1.0 + per_case);
    let spread = libm::sqrt(p * (1.0 - p) / n + per_case / (4.0 * n));
    let half_width = z / (1.0 + per_case) * spread;
    let (lower, upper) = ((centre - half_width).max(0.0), (centre + half_width).min(1.0));
    Ok(Interval::covering(p, lower, upper, level))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe (1998), table I, method 3.
    #[test]
    fn newcombe_1998_table_1() {
        for (x, n, lower, upper) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let got = wilson(x, n, 0.95).unwrap();
            assert!((got.lower - lower).abs() < 5e-5, "{x}/{n}");
            assert!((got.upper - upper).abs() < 5e-5, "{x}/{n}");
        }
    }

    #[test]
    fn impossible_counts_are_refused() {
        assert_eq!(wilson(0, 0, 0.95), Err(NotEstimable::EmptyInput));
        assert_eq!(wilson(3, 2, 0.95), Err(NotEstimable::InvalidInput));
        assert_eq!(wilson(1, 2, 1.0), Err(NotEstimable::LevelOutOfRange));
    }
}
