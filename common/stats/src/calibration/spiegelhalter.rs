//! Spiegelhalter's test of calibration.

use super::{outcome, require_probabilities};
use crate::NotEstimable;
use crate::special::normal;

/// Spiegelhalter's statistic and its two-sided p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spiegelhalter {
    /// Standard normal where the probabilities are right.
    pub z: f64,
    /// P(|Z| ≥ |z|).
    pub p: f64,
}

/// `z = Σ (y − p)(1 − 2p) / √(Σ (1 − 2p)² p(1 − p))`: whether the Brier score is what the
/// probabilities promise.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`]; [`NotEstimable::InvalidInput`] for a number that is no
/// probability; [`NotEstimable::ZeroVariance`] where every p is 0, ½ or 1.
///
/// # References
///
/// - D. J. Spiegelhalter (1986). Stat. Med. 5, 421–433.
///
/// # Examples
///
/// ```
/// use fedval_stats::calibration::spiegelhalter;
///
/// let test = spiegelhalter(&[(0.8, true), (0.2, false), (0.8, false)])?;
/// assert!(test.p > 0.0 && test.p < 1.0);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn spiegelhalter(rows: &[(f64, bool)]) -> Result<Spiegelhalter, NotEstimable> {
    require_probabilities(rows)?;
    let (sum, variance) = rows.iter().fold((0.0, 0.0), |(sum, variance), &(p, event)| {
        let slope = 1.0 - 2.0 * p;
        (sum + (outcome(event) - p) * slope, variance + slope * slope * p * (1.0 - p))
    });
    let z = sum / libm::sqrt(variance);
    if variance > 0.0 && z.is_finite() {
        Ok(Spiegelhalter { z, p: normal::two_sided_p(z) })
    } else {
        Err(NotEstimable::ZeroVariance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_probabilities_have_no_test() {
        let rows = [(0.0, false), (1.0, true), (0.5, true)];
        assert_eq!(spiegelhalter(&rows), Err(NotEstimable::ZeroVariance));
    }
}
