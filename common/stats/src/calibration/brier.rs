//! The Brier score.

use super::bins::event_rate;
use super::{outcome, require_probabilities};
use crate::NotEstimable;
use crate::count::len_to_f64;

/// The Brier score, `Σ (y − p)² / n`: 0 is ideal, 1 is worst.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`]; [`NotEstimable::InvalidInput`] for a number that is no
/// probability.
///
/// # References
///
/// - G. W. Brier (1950). Mon. Weather Rev. 78, 1–3.
///
/// # Examples
///
/// ```
/// let brier = fedval_stats::calibration::brier_score(&[(0.75, true), (0.5, false)])?;
/// assert!((brier - 0.156_25).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn brier_score(rows: &[(f64, bool)]) -> Result<f64, NotEstimable> {
    require_probabilities(rows)?;
    let sum = rows.iter().fold(0.0, |sum, &(p, event)| {
        let residual = outcome(event) - p;
        sum + residual * residual
    });
    Ok(sum / len_to_f64(rows.len()))
}

/// The Brier score relative to a model that gives everyone the event rate r:
/// `1 − Brier / (r (1 − r))`; 1 is ideal, 0 is uninformative.
///
/// # Errors
///
/// Those of [`brier_score`], and [`NotEstimable::OneClassOnly`].
///
/// # References
///
/// - E. W. Steyerberg et al. (2010). Epidemiology 21, 128–138.
///
/// # Examples
///
/// ```
/// // A Brier score of 0.15625 beside ½ · ½ for the event rate.
/// let scaled = fedval_stats::calibration::brier_scaled(&[(0.75, true), (0.5, false)])?;
/// assert!((scaled - 0.375).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn brier_scaled(rows: &[(f64, bool)]) -> Result<f64, NotEstimable> {
    let brier = brier_score(rows)?;
    let rate = event_rate(rows);
    let reference = rate * (1.0 - rate);
    if reference > 0.0 { Ok(1.0 - brier / reference) } else { Err(NotEstimable::OneClassOnly) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_rate_itself_scores_zero() {
        let rows = [(0.25, true), (0.25, false), (0.25, false), (0.25, false)];
        assert!(brier_scaled(&rows).unwrap().abs() < 1e-15);
    }

    #[test]
    fn one_class_has_no_reference() {
        assert_eq!(brier_scaled(&[(0.9, true)]), Err(NotEstimable::OneClassOnly));
    }
}
