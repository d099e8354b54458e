//! The calibration line: logistic regression of the outcome on the logit of the probability.
//!
//! ```text
//! logit P(y = 1) = a + b · logit p
//! ```
//!
//! by maximum likelihood (Newton's method, which for this model is iteratively reweighted least
//! squares). The log-likelihood is concave, so Newton with step halving climbs to its maximum
//! wherever that exists; it exists iff the two classes overlap on the score, which is tested first.
//!
//! # References
//!
//! - D. R. Cox (1958). Biometrika 45, 562–565 (the model).
//! - A. Albert, J. A. Anderson (1984). Biometrika 71, 1–10 (existence of the maximum).
//! - B. Van Calster et al. (2019). BMC Med. 17, 230 (the hierarchy of calibration).

use super::in_the_large::citl;
use super::sandwich::{Matrix, inverse, robust};
use super::{Calibration, CalibrationCase, Covariance, events_of_both_classes, outcome};
use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::scale::{expit, log1p_exp, logit};

/// Newton settles in about ten steps; more than this means arithmetic has broken down.
const MAX_STEPS: u32 = 200;

/// A Newton decrement g'H⁻¹g below this means a step of 10⁻⁷ standard errors; convergence being
/// quadratic, that step and one more leave an error of about 10⁻¹⁴.
const DECREMENT: f64 = 1e-14;

/// Fits the calibration line and calibration-in-the-large.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`]; [`NotEstimable::InvalidInput`] for a logit that is not finite;
/// [`NotEstimable::OneClassOnly`]; [`NotEstimable::ConstantScore`]; [`NotEstimable::Separation`]
/// where the classes do not overlap; [`NotEstimable::TooFewClusters`] for a cluster-robust
/// covariance of one cluster; [`NotEstimable::NotConverged`].
///
/// # Examples
///
/// ```
/// use fedval_stats::calibration::{CalibrationCase, Covariance, fit};
///
/// let rows: Vec<_> = [(-2.0, false), (-1.0, true), (0.0, false), (1.0, true), (2.0, true)]
///     .into_iter()
///     .zip(0..)
///     .map(|((logit, event), cluster)| CalibrationCase { logit, event, cluster })
///     .collect();
/// let line = fit(&rows, Covariance::ModelBased)?;
/// assert!(line.slope > 0.0);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn fit(rows: &[CalibrationCase], covariance: Covariance) -> Result<Calibration, NotEstimable> {
    let [intercept, slope] = coefficients(rows)?;
    let in_the_large = citl(rows, covariance)?;
    let step = newton_step(rows, [intercept, slope])?;
    let covariance = match covariance {
        Covariance::ModelBased => step.inverse_information,
        Covariance::ClusterRobust => {
            let scores = rows.iter().map(|row| {
                let residual = outcome(row.event) - expit(intercept + slope * row.logit);
                (row.cluster, [residual, residual * row.logit])
            });
            robust(&step.inverse_information, scores)?
        }
    };
    Ok(Calibration {
        intercept,
        slope,
        covariance,
        citl: in_the_large.citl,
        se_citl: in_the_large.se,
    })
}

/// The maximum-likelihood intercept and slope.
pub(super) fn coefficients(rows: &[CalibrationCase]) -> Result<[f64; 2], NotEstimable> {
    let events = events_of_both_classes(rows)?;
    require_overlap(rows)?;
    let mut at = [logit(events / len_to_f64(rows.len())), 0.0];
    let mut likelihood = log_likelihood(rows, at);
    for _ in 0..MAX_STEPS {
        let step = newton_step(rows, at)?;
        if step.decrement <= DECREMENT {
            let near = step.applied_to(at, 1.0);
            return Ok(newton_step(rows, near)?.applied_to(near, 1.0));
        }
        let mut length = 1.0;
        loop {
            let next = step.applied_to(at, length);
            let next_likelihood = log_likelihood(rows, next);
            // Equality counts as progress: near the maximum rounding hides the gain.
            if next_likelihood >= likelihood - f64::EPSILON * likelihood.abs() {
                (at, likelihood) = (next, next_likelihood);
                break;
            }
            length *= 0.5;
            if length < 1e-10 {
                return Err(NotEstimable::NotConverged);
            }
        }
    }
    Err(NotEstimable::NotConverged)
}

/// Tests that the maximum exists: the score varies and the classes overlap.
fn require_overlap(rows: &[CalibrationCase]) -> Result<(), NotEstimable> {
    let range = |event: bool| {
        rows.iter()
            .filter(|row| row.event == event)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| {
                (low.min(row.logit), high.max(row.logit))
            })
    };
    let ((low, high), (event_low, event_high)) = (range(false), range(true));
    if low.min(event_low) >= high.max(event_high) {
        return Err(NotEstimable::ConstantScore);
    }
    // A common point at the border is quasi-complete separation: the slope still diverges.
    if high <= event_low || event_high <= low {
        return Err(NotEstimable::Separation);
    }
    Ok(())
}

/// `Σ y ln p + (1 − y) ln(1 − p)` at intercept and slope.
pub(super) fn log_likelihood(rows: &[CalibrationCase], [a, b]: [f64; 2]) -> f64 {
    rows.iter().fold(0.0, |sum, row| {
        let eta = a + b * row.logit;
        sum - log1p_exp(if row.event { -eta } else { eta })
    })
}

struct NewtonStep {
    direction: [f64; 2],
    /// Twice the gain in log-likelihood that the quadratic model promises.
    decrement: f64,
    inverse_information: Matrix,
}

impl NewtonStep {
    fn applied_to(&self, [a, b]: [f64; 2], length: f64) -> [f64; 2] {
        [a + length * self.direction[0], b + length * self.direction[1]]
    }
}

fn newton_step(rows: &[CalibrationCase], [a, b]: [f64; 2]) -> Result<NewtonStep, NotEstimable> {
    let mut gradient = [0.0; 2];
    let mut information = [[0.0; 2]; 2];
    for row in rows {
        let p = expit(a + b * row.logit);
        let residual = outcome(row.event) - p;
        let weight = p * (1.0 - p);
        gradient[0] += residual;
        gradient[1] += residual * row.logit;
        information[0][0] += weight;
        information[0][1] += weight * row.logit;
        information[1][1] += weight * row.logit * row.logit;
    }
    information[1][0] = information[0][1];
    let inverse_information = inverse(&information).ok_or(NotEstimable::NotConverged)?;
    let row = |r: [f64; 2]| r[0] * gradient[0] + r[1] * gradient[1];
    let direction = [row(inverse_information[0]), row(inverse_information[1])];
    let decrement = direction[0] * gradient[0] + direction[1] * gradient[1];
    if decrement.is_finite() {
        Ok(NewtonStep { direction, decrement, inverse_information })
    } else {
        Err(NotEstimable::NotConverged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cases: &[(f64, bool)]) -> Vec<CalibrationCase> {
        cases
            .iter()
            .zip(0..)
            .map(|(&(logit, event), cluster)| CalibrationCase { logit, event, cluster })
            .collect()
    }

    fn reason(cases: &[(f64, bool)]) -> NotEstimable {
        fit(&rows(cases), Covariance::ModelBased).unwrap_err()
    }

    #[test]
    fn each_missing_precondition_has_its_reason() {
        assert_eq!(reason(&[]), NotEstimable::EmptyInput);
        assert_eq!(reason(&[(f64::NAN, true), (0.0, false)]), NotEstimable::InvalidInput);
        assert_eq!(reason(&[(1.0, true), (0.0, true)]), NotEstimable::OneClassOnly);
        assert_eq!(reason(&[(1.0, true), (1.0, false)]), NotEstimable::ConstantScore);
    }

    #[test]
    fn separation_is_seen_in_both_directions_and_at_a_shared_border() {
        let complete = [(-1.0, false), (0.0, false), (1.0, true), (2.0, true)];
        let quasi = [(-1.0, false), (1.0, false), (1.0, true), (2.0, true)];
        let inverted = [(-1.0, true), (0.0, true), (1.0, false), (2.0, false)];
        for cases in [complete, quasi, inverted] {
            assert_eq!(reason(&cases), NotEstimable::Separation);
        }
    }

    #[test]
    fn a_two_by_two_table_has_its_closed_form() {
        // At logit 0: 3 of 10 events, at logit 1: 6 of 8. The line passes through both.
        let mut cases = vec![(0.0, true); 3];
        cases.extend(vec![(0.0, false); 7]);
        cases.extend(vec![(1.0, true); 6]);
        cases.extend(vec![(1.0, false); 2]);
        let line = fit(&rows(&cases), Covariance::ModelBased).unwrap();
        let (low, high) = (logit(0.3), logit(0.75));
        assert!((line.intercept - low).abs() < 1e-13);
        assert!((line.slope - (high - low)).abs() < 1e-13);
        let slope_var = 1.0 / 3.0 + 1.0 / 7.0 + 1.0 / 6.0 + 1.0 / 2.0;
        assert!((line.covariance[1][1] - slope_var).abs() < 1e-12);
    }

    #[test]
    fn nearly_separated_data_still_converge() {
        let cases = [(-3.0, false), (-2.0, false), (0.001, false), (0.0, true), (3.0, true)];
        let line = fit(&rows(&cases), Covariance::ModelBased).unwrap();
        assert!(line.slope.is_finite() && line.slope > 1.0);
    }

    #[test]
    fn repeated_cases_in_a_cluster_widen_the_error() {
        let base =
            [(-2.0, false), (-1.0, true), (0.0, false), (0.5, true), (1.0, false), (2.0, true)];
        let mut doubled = rows(&base);
        doubled.extend(rows(&base));
        let naive = fit(&doubled, Covariance::ModelBased).unwrap();
        let robust = fit(&doubled, Covariance::ClusterRobust).unwrap();
        let single = fit(&rows(&base), Covariance::ClusterRobust).unwrap();
        assert!((naive.slope - robust.slope).abs() < 1e-14);
        // The sandwich sees six patients either way; the model sees twelve cases.
        assert!((robust.covariance[1][1] / single.covariance[1][1] - 1.0).abs() < 1e-10);
        assert!((robust.se_citl / single.se_citl - 1.0).abs() < 1e-10);
    }
}
