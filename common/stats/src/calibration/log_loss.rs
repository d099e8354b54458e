//! The logarithmic loss.

use super::CalibrationCase;
use super::line::log_likelihood;
use crate::NotEstimable;
use crate::count::{finite, len_to_f64};

/// The mean negative log-likelihood of the outcomes, in nats: 0 is ideal.
///
/// Takes logits rather than probabilities, so that it is finite wherever they are.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`]; [`NotEstimable::InvalidInput`] for a logit that is not finite.
///
/// # Examples
///
/// ```
/// use fedval_stats::calibration::{CalibrationCase, log_loss};
///
/// let even = [CalibrationCase { logit: 0.0, event: true, cluster: 0 }];
/// assert!((log_loss(&even)? - std::f64::consts::LN_2).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn log_loss(rows: &[CalibrationCase]) -> Result<f64, NotEstimable> {
    if rows.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    if rows.iter().any(|row| !row.logit.is_finite()) {
        return Err(NotEstimable::InvalidInput);
    }
    finite(-log_likelihood(rows, [0.0, 1.0]) / len_to_f64(rows.len()))
}
