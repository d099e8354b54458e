//! Charts of proportions.

use crate::NotEstimable;
use crate::count::{count_to_f64, finite};
use crate::interval::tail;
use crate::special::beta;

/// Limits of a p-chart lie so many standard deviations from the usual proportion.
const WIDTH: f64 = 3.0;

/// As in R: a probability that is reached up to rounding counts as reached.
const FUZZ: f64 = 64.0 * f64::EPSILON;

/// One round on a p-chart, on the probability scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PChartPoint {
    /// `(x/n − p₀) / √(p₀ (1 − p₀) / n)`.
    pub z: f64,
    /// Lower limit, three standard deviations below p₀, not below 0.
    pub lower: f64,
    /// Upper limit, not above 1.
    pub upper: f64,
}

/// One round's x of n cases beside the usual proportion.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] for n = 0; [`NotEstimable::InvalidInput`] for x > n, or unless the usual
/// proportion lies strictly, and not by a hair, between 0 and 1.
///
/// # References
///
/// - D. C. Montgomery (2013). Introduction to Statistical Quality Control, 7th ed., section 7.2.
///
/// # Examples
///
/// ```
/// // One standard deviation is √(0.9 · 0.1 / 100) = 0.03.
/// let point = fedval_stats::control_chart::p_chart(80, 100, 0.9)?;
/// assert!((point.z + 0.1 / 0.03).abs() < 1e-12);
/// assert!((point.lower - 0.81).abs() < 1e-12 && (point.upper - 0.99).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn p_chart(x: u64, n: u64, usual: f64) -> Result<PChartPoint, NotEstimable> {
    check(n, usual)?;
    let proportion = crate::proportion::estimate(x, n)?;
    let sd = libm::sqrt(usual * (1.0 - usual) / count_to_f64(n));
    Ok(PChartPoint {
        z: finite((proportion - usual) / sd)?,
        lower: (usual - WIDTH * sd).max(0.0),
        upper: (usual + WIDTH * sd).min(1.0),
    })
}

/// The exact limits of a funnel plot: between them lies a proportion of n cases with probability
/// `level`, or more, where the true one is `usual`.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] for n = 0; [`NotEstimable::InvalidInput`] unless the usual proportion
/// lies strictly between 0 and 1; [`NotEstimable::LevelOutOfRange`].
///
/// # References
///
/// - D. J. Spiegelhalter (2005). Stat. Med. 24, 1185–1202.
///
/// # Examples
///
/// ```
/// let (lower, upper) = fedval_stats::control_chart::funnel_limits(50, 0.9, 0.95)?;
/// assert!((lower - 0.82).abs() < 1e-15 && (upper - 0.98).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn funnel_limits(n: u64, usual: f64, level: f64) -> Result<(f64, f64), NotEstimable> {
    check(n, usual)?;
    let tail = tail(level)?;
    let limit = |p: f64| count_to_f64(binomial_quantile(p, n, usual)) / count_to_f64(n);
    Ok((limit(tail), limit(1.0 - tail)))
}

fn check(n: u64, usual: f64) -> Result<(), NotEstimable> {
    if n == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    if usual > 0.0 && usual < 1.0 { Ok(()) } else { Err(NotEstimable::InvalidInput) }
}

/// The smallest x with P(X ≤ x) ≥ p for X ~ Binomial(n, q).
fn binomial_quantile(p: f64, n: u64, q: f64) -> u64 {
    let reached = |x: u64| {
        let (above, below) = (count_to_f64(n - x), count_to_f64(x + 1));
        x == n || beta::incomplete(above, below, 1.0 - q, q) >= p * (1.0 - FUZZ)
    };
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_do_not_leave_the_scale() {
        let point = p_chart(5, 5, 0.9).unwrap();
        assert!((point.upper - 1.0).abs() < 1e-15 && point.lower > 0.4);
    }

    #[test]
    fn a_quantile_is_the_first_that_reaches() {
        // Binomial(2, ½): ¼, ¾, 1.
        for (p, x) in [(0.25, 0), (0.250_001, 1), (0.75, 1), (0.76, 2), (1.0, 2)] {
            assert_eq!(binomial_quantile(p, 2, 0.5), x, "{p}");
        }
    }

    #[test]
    fn no_cases_and_no_proportion_are_refused() {
        assert_eq!(p_chart(0, 0, 0.5), Err(NotEstimable::EmptyInput));
        assert_eq!(p_chart(0, 1, 1.0), Err(NotEstimable::InvalidInput));
        assert_eq!(funnel_limits(9, f64::NAN, 0.95), Err(NotEstimable::InvalidInput));
        assert_eq!(funnel_limits(9, 0.5, 1.0), Err(NotEstimable::LevelOutOfRange));
    }
}
