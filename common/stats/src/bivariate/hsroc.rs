//! The hierarchical summary ROC curve that is the bivariate model in other words.

use super::{Matrix, vanishes};
use crate::NotEstimable;
use crate::scale::{expit, logit};

/// Percents of false-positive rate between which mada takes the area.
const FIRST: u32 = 1;
const LAST: u32 = 99;

/// Width and number of the steps over the logit of the false-positive rate: to ±40.
const WIDTH: f64 = 0.05;
const STEPS: i32 = 800;

/// Rutter and Gatsonis' parameters, by Harbord's formulas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hsroc {
    /// Θ, the mean threshold.
    pub threshold: f64,
    /// Λ, the mean accuracy.
    pub accuracy: f64,
    /// β, the asymmetry of the curve; 0 is symmetric.
    pub shape: f64,
    /// Variance of the threshold over sites.
    pub threshold_variance: f64,
    /// Variance of the accuracy over sites.
    pub accuracy_variance: f64,
}

impl Hsroc {
    pub(super) fn of(mean: [f64; 2], between: &Matrix) -> Result<Self, NotEstimable> {
        // Harbord's B is the logit of specificity.
        let (a, b) = (libm::sqrt(between[0][0]), libm::sqrt(between[1][1]));
        let (mean_a, mean_b, cross) = (mean[0], -mean[1], -between[0][1]);
        let ratio = libm::sqrt(b / a);
        if vanishes(between[0][0]) || vanishes(between[1][1]) || !ratio.is_finite() {
            return Err(NotEstimable::ZeroVariance);
        }
        Ok(Self {
            threshold: (ratio * mean_a - mean_b / ratio) / 2.0,
            accuracy: ratio * mean_a + mean_b / ratio,
            shape: libm::log(b / a),
            threshold_variance: (a * b - cross) / 2.0,
            accuracy_variance: 2.0 * (a * b + cross),
        })
    }

    /// The sensitivity on the summary curve at a false-positive rate strictly between 0 and 1.
    #[must_use]
    pub fn sensitivity_at(&self, fpr: f64) -> f64 {
        self.sensitivity_at_logit(logit(fpr))
    }

    /// The area under the summary curve.
    #[must_use]
    pub fn area(&self) -> f64 {
        // Over the logit of the false-positive rate: of a function that vanishes at both ends, trapezia are
        // exact to the last digits.
        let sum = (-STEPS..=STEPS).fold(0.0, |sum, step| {
            let t = f64::from(step) * WIDTH;
            let fpr = expit(t);
            sum + self.sensitivity_at_logit(t) * fpr * expit(-t)
        });
        sum * WIDTH
    }

    /// The area as mada gives it: trapezia over the percents from 1 to 99, by the number of percents rather
    /// than their range. For comparison.
    #[must_use]
    pub fn area_by_percent(&self) -> f64 {
        let at = |percent: u32| self.sensitivity_at(f64::from(percent) / 100.0);
        let sum = (FIRST..LAST).fold(0.0, |sum, p| sum + f64::midpoint(at(p), at(p + 1)));
        sum / f64::from(LAST)
    }

    fn sensitivity_at_logit(&self, logit_fpr: f64) -> f64 {
        expit(self.accuracy * libm::exp(-self.shape / 2.0) + libm::exp(-self.shape) * logit_fpr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_runs_through_the_mean() {
        let hsroc = Hsroc::of([1.5, -2.0], &[[0.3, 0.1], [0.1, 0.2]]).unwrap();
        assert!((logit(hsroc.sensitivity_at(expit(-2.0))) - 1.5).abs() < 1e-12);
        assert!((hsroc.area() - hsroc.area_by_percent()).abs() < 0.01);
    }

    #[test]
    fn a_curve_along_the_diagonal_has_half_the_area() {
        let hsroc = Hsroc::of([-1.0, -1.0], &[[0.2, 0.1], [0.1, 0.2]]).unwrap();
        assert!((hsroc.area() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn without_variance_there_is_no_curve() {
        assert_eq!(Hsroc::of([1.0, -1.0], &[[0.0; 2]; 2]), Err(NotEstimable::ZeroVariance));
    }
}
