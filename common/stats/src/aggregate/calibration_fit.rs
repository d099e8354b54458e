//! A fitted calibration line in fixed point: what a site sends.

use super::MICRO;
use super::inconsistent::{Inconsistent, require};
use crate::calibration::Calibration;

/// Coefficients of a [`Calibration`] in units of 10⁻⁶.
///
/// The covariance travels as standard errors and a correlation because each of the three has a
/// bounded or natural scale, so the rounding to 10⁻⁶ is harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CalibrationFit {
    /// Intercept of `logit P(y = 1) = intercept + slope · logit p`.
    pub intercept_micro: i64,
    /// Slope of the same model.
    pub slope_micro: i64,
    /// Standard error of the intercept.
    pub se_intercept_micro: u64,
    /// Standard error of the slope.
    pub se_slope_micro: u64,
    /// Correlation of intercept and slope, −1 to 1.
    pub correlation_micro: i64,
    /// Calibration-in-the-large: the intercept with the slope fixed at 1.
    pub citl_micro: i64,
    /// Standard error of calibration-in-the-large.
    pub se_citl_micro: u64,
}

impl CalibrationFit {
    /// Rounds an estimate to fixed point.
    ///
    /// `None` where a number is not finite, exceeds 10⁹ in magnitude, or a variance is not
    /// positive: such a fit is no estimate.
    #[must_use]
    pub fn from_estimate(estimate: &Calibration) -> Option<Self> {
        let [[intercept_var, covariance], [_, slope_var]] = estimate.covariance;
        let se_intercept = libm::sqrt(intercept_var);
        let se_slope = libm::sqrt(slope_var);
        let fit = Self {
            intercept_micro: fixed(estimate.intercept)?,
            slope_micro: fixed(estimate.slope)?,
            se_intercept_micro: fixed(se_intercept)?.try_into().ok()?,
            se_slope_micro: fixed(se_slope)?.try_into().ok()?,
            correlation_micro: fixed((covariance / (se_intercept * se_slope)).clamp(-1.0, 1.0))?,
            citl_micro: fixed(estimate.citl)?,
            se_citl_micro: fixed(estimate.se_citl)?.try_into().ok()?,
        };
        fit.check().is_ok().then_some(fit)
    }

    /// The intercept, as a log-odds.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        number(self.intercept_micro)
    }

    /// The slope, a pure number; 1 is ideal.
    #[must_use]
    pub fn slope(&self) -> f64 {
        number(self.slope_micro)
    }

    /// Calibration-in-the-large, as a log-odds; 0 is ideal.
    #[must_use]
    pub fn citl(&self) -> f64 {
        number(self.citl_micro)
    }

    /// The standard error of [`citl`](Self::citl).
    #[must_use]
    pub fn se_citl(&self) -> f64 {
        unsigned_number(self.se_citl_micro)
    }

    /// The covariance matrix of intercept and slope, in this order.
    #[must_use]
    pub fn covariance(&self) -> [[f64; 2]; 2] {
        let se_intercept = unsigned_number(self.se_intercept_micro);
        let se_slope = unsigned_number(self.se_slope_micro);
        let covariance = number(self.correlation_micro) * se_intercept * se_slope;
        [[se_intercept * se_intercept, covariance], [covariance, se_slope * se_slope]]
    }

    /// Tests the relations that hold for any fit: |correlation| ≤ 1 and standard errors above 0.
    ///
    /// # Errors
    ///
    /// The first relation of [`Inconsistent`] that is violated.
    pub fn check(&self) -> Result<(), Inconsistent> {
        require(
            self.correlation_micro.unsigned_abs() <= u64::from(MICRO),
            Inconsistent::CorrelationOutOfRange,
        )?;
        let errors = [self.se_intercept_micro, self.se_slope_micro, self.se_citl_micro];
        require(errors.iter().all(|&se| se > 0), Inconsistent::ZeroError)?;
        let magnitudes = [
            self.intercept_micro.unsigned_abs(),
            self.slope_micro.unsigned_abs(),
            self.citl_micro.unsigned_abs(),
        ];
        let holds = magnitudes.iter().chain(&errors).all(|&magnitude| magnitude <= LARGEST);
        require(holds, Inconsistent::Overflow)
    }
}

/// 10⁹ in fixed point: beyond it a coefficient of a logistic model is no estimate, and below it
/// fixed point converts to f64 and back without loss.
const LARGEST: u64 = 1_000_000_000_000_000;

/// Rounds to 10⁻⁶, or `None` outside ±10⁹.
#[expect(clippy::cast_possible_truncation, reason = "the magnitude is tested, and NaN fails it")]
fn fixed(value: f64) -> Option<i64> {
    let scaled = libm::round(value * f64::from(MICRO));
    (scaled.abs() <= 1e15).then_some(scaled as i64)
}

#[expect(clippy::cast_precision_loss, reason = "a checked fit lies below 10^15")]
fn number(micro: i64) -> f64 {
    micro as f64 / f64::from(MICRO)
}

fn unsigned_number(micro: u64) -> f64 {
    crate::count::count_to_f64(micro) / f64::from(MICRO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESTIMATE: Calibration = Calibration {
        intercept: -0.25,
        slope: 0.875,
        covariance: [[0.04, -0.003], [-0.003, 0.0025]],
        citl: 0.125,
        se_citl: 0.0625,
    };

    #[test]
    fn a_fit_survives_fixed_point_to_half_a_unit() {
        let fit = CalibrationFit::from_estimate(&ESTIMATE).unwrap();
        assert_eq!((fit.intercept_micro, fit.slope_micro), (-250_000, 875_000));
        assert_eq!(fit.correlation_micro, -300_000);
        let back = fit.covariance();
        assert!((back[0][1] + 0.003).abs() < 1e-9 && (back[1][1] - 0.0025).abs() < 1e-9);
        assert!((fit.citl() - 0.125).abs() < 1e-12 && (fit.se_citl() - 0.0625).abs() < 1e-12);
        assert!((fit.intercept() + 0.25).abs() < 1e-12 && (fit.slope() - 0.875).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_estimate_has_no_fixed_point() {
        for bad in [f64::NAN, f64::INFINITY, 1e10] {
            let estimate = Calibration { slope: bad, ..ESTIMATE };
            assert_eq!(CalibrationFit::from_estimate(&estimate), None);
        }
        let singular = Calibration { covariance: [[0.0; 2]; 2], ..ESTIMATE };
        assert_eq!(CalibrationFit::from_estimate(&singular), None);
    }

    #[test]
    fn impossible_fits_are_named() {
        let fit = CalibrationFit::from_estimate(&ESTIMATE).unwrap();
        let wild = CalibrationFit { correlation_micro: 1_000_001, ..fit };
        assert_eq!(wild.check(), Err(Inconsistent::CorrelationOutOfRange));
        let exact = CalibrationFit { se_slope_micro: 0, ..fit };
        assert_eq!(exact.check(), Err(Inconsistent::ZeroError));
        let huge = CalibrationFit { citl_micro: i64::MIN, ..fit };
        assert_eq!(huge.check(), Err(Inconsistent::Overflow));
    }
}
