//! The likelihood-ratio test of intercept 0 and slope 1.

use super::CalibrationCase;
use super::line::{coefficients, log_likelihood};
use crate::NotEstimable;
use crate::special::chi_square;

/// The likelihood-ratio statistic of recalibration and its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecalibrationTest {
    /// Twice the gain in log-likelihood; chi-square with 2 degrees of freedom under calibration.
    pub chi_square: f64,
    /// P(X ≥ `chi_square`).
    pub p: f64,
}

/// Tests jointly that the calibration line has intercept 0 and slope 1.
///
/// # Errors
///
/// Those of [`fit`](super::fit), the covariance's apart.
///
/// # References
///
/// - D. R. Cox (1958). Biometrika 45, 562–565.
/// - M. E. Miller, S. L. Hui, W. M. Tierney (1991). Stat. Med. 10, 1213–1226.
///
/// # Examples
///
/// ```
/// use fedval_stats::calibration::{CalibrationCase, recalibration_test};
///
/// let rows: Vec<_> = [(-2.0, false), (-1.0, true), (0.0, false), (1.0, true), (2.0, true)]
///     .into_iter()
///     .zip(0..)
///     .map(|((logit, event), cluster)| CalibrationCase { logit, event, cluster })
///     .collect();
/// assert!(recalibration_test(&rows)?.p > 0.5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn recalibration_test(rows: &[CalibrationCase]) -> Result<RecalibrationTest, NotEstimable> {
    let fitted = log_likelihood(rows, coefficients(rows)?);
    let given = log_likelihood(rows, [0.0, 1.0]);
    // The fit is the maximum; rounding may still put it an ulp below.
    let chi_square = (2.0 * (fitted - given)).max(0.0);
    Ok(RecalibrationTest { chi_square, p: chi_square::upper_tail(chi_square, 2.0) })
}
