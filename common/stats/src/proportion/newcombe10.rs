//! The difference of two independent proportions.

use super::{estimate, wilson};
use crate::NotEstimable;
use crate::interval::Interval;

/// Newcombe's interval for `p₁ − p₂`, each a proportion `(x, n)` of its own cases: method 10, which
/// squares and adds the distances of [`wilson`]'s limits `(l, u)`,
///
/// ```text
/// lower = d − √((p₁ − l₁)² + (u₂ − p₂)²),   upper = d + √((u₁ − p₁)² + (p₂ − l₂)²)
/// ```
///
/// on the probability scale, in [−1, 1].
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] where an n is 0, [`NotEstimable::InvalidInput`] where an x exceeds its
/// n, [`NotEstimable::LevelOutOfRange`].
///
/// # References
///
/// - R. G. Newcombe (1998). Stat. Med. 17, 873–890 (method 10).
///
/// # Examples
///
/// ```
/// // Newcombe's own example: 56/70 and 48/80.
/// let gap = fedval_stats::proportion::newcombe10((56, 70), (48, 80), 0.95)?;
/// assert!((gap.lower - 0.0524).abs() < 5e-5 && (gap.upper - 0.3339).abs() < 5e-5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn newcombe10(
    first: (u64, u64),
    second: (u64, u64),
    level: f64,
) -> Result<Interval, NotEstimable> {
    let (p1, p2) = (estimate(first.0, first.1)?, estimate(second.0, second.1)?);
    let (a, b) = (wilson(first.0, first.1, level)?, wilson(second.0, second.1, level)?);
    let difference = p1 - p2;
    let lower = difference - libm::hypot(p1 - a.lower, b.upper - p2);
    let upper = difference + libm::hypot(a.upper - p1, p2 - b.lower);
    Ok(Interval::covering(difference, lower.max(-1.0), upper.min(1.0), level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanging_the_proportions_mirrors_the_interval() {
        let there = newcombe10((9, 10), (3, 10), 0.9).unwrap();
        let back = newcombe10((3, 10), (9, 10), 0.9).unwrap();
        assert!((there.lower + back.upper).abs() < 1e-15);
        assert!((there.upper + back.lower).abs() < 1e-15);
    }

    #[test]
    fn the_ends_stay_within_one() {
        let all = newcombe10((10, 10), (0, 10), 0.95).unwrap();
        assert!((all.estimate - 1.0).abs() < 1e-15 && all.upper <= 1.0 && all.lower > 0.5);
        assert_eq!(newcombe10((0, 0), (1, 2), 0.95), Err(NotEstimable::EmptyInput));
    }
}
