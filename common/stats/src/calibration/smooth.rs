//! The integrated calibration index and its companions from a smooth calibration curve.

use super::loess::Loess;
use super::{outcome, require_probabilities};
use crate::NotEstimable;
use crate::count::len_to_f64;

/// The share of the cases in each neighbourhood: the default of R's `loess`.
const SPAN: f64 = 0.75;

/// Distances between the smooth calibration curve and the diagonal, on the probability scale.
///
/// For use at the site only: `emax` is a maximum and may point at single patients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothCalibration {
    /// The mean distance over the cases (integrated calibration index).
    pub ici: f64,
    /// The median distance.
    pub e50: f64,
    /// The 90th percentile of the distance.
    pub e90: f64,
    /// The largest distance.
    pub emax: f64,
}

/// Smooths outcome on probability (local quadratic, span 0.75, tricube weights, values clipped to
/// [0, 1]) and summarises |curve − p| over the cases. Percentiles are of type 7.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`]; [`NotEstimable::InvalidInput`] for a number that is no
/// probability; [`NotEstimable::ConstantScore`] where all probabilities are equal.
///
/// # References
///
/// - P. C. Austin, E. W. Steyerberg (2019). Stat. Med. 38, 4051–4065.
///
/// # Examples
///
/// ```
/// use fedval_stats::calibration::ici_loess;
///
/// let rows: Vec<_> = (0..50).map(|i| (f64::from(i) / 50.0, i % 2 == 0)).collect();
/// let smooth = ici_loess(&rows)?;
/// assert!(smooth.e50 <= smooth.e90 && smooth.e90 <= smooth.emax);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn ici_loess(rows: &[(f64, bool)]) -> Result<SmoothCalibration, NotEstimable> {
    require_probabilities(rows)?;
    let mut sorted: Vec<_> = rows.iter().map(|&(p, event)| (p, outcome(event))).collect();
    // Events after non-events at a tie: sums then do not depend on the order of the cases.
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    if sorted[0].0 >= sorted[sorted.len() - 1].0 {
        return Err(NotEstimable::ConstantScore);
    }
    let curve = Loess::of(&sorted, SPAN);
    let mut distances: Vec<f64> =
        sorted.iter().map(|&(p, _)| (curve.at(p).clamp(0.0, 1.0) - p).abs()).collect();
    let sum = distances.iter().fold(0.0, |sum, distance| sum + distance);
    distances.sort_unstable_by(f64::total_cmp);
    Ok(SmoothCalibration {
        ici: sum / len_to_f64(distances.len()),
        e50: percentile(&distances, 0.5),
        e90: percentile(&distances, 0.9),
        emax: percentile(&distances, 1.0),
    })
}

/// The percentile of type 7 (linear between order statistics) of sorted, non-empty values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position within the values"
)]
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let position = len_to_f64(sorted.len() - 1) * share;
    let below = position as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (position - len_to_f64(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_score_has_no_curve() {
        assert_eq!(ici_loess(&[(0.4, true), (0.4, false)]), Err(NotEstimable::ConstantScore));
    }

    #[test]
    fn a_calibrated_staircase_is_close_to_the_diagonal() {
        // At p = i/20, i of 20 cases are events.
        let rows: Vec<_> =
            (0..=20).flat_map(|i| (0..20).map(move |j| (f64::from(i) / 20.0, j < i))).collect();
        assert!(ici_loess(&rows).unwrap().emax < 1e-10);
    }

    #[test]
    fn percentiles_are_linear_between_order_statistics() {
        assert!((percentile(&[1.0, 2.0, 4.0], 0.75) - 3.0).abs() < 1e-15);
        assert!((percentile(&[7.0], 0.9) - 7.0).abs() < 1e-15);
    }
}
