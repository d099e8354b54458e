//! What a call means to a patient: predictive values and likelihood ratios of the mean test.
//!
//! Both follow from mean sensitivity and mean false-positive rate, which are estimated together: errors
//! are those of the logit (predictive values) and of the logarithm (ratios), by the delta method with the
//! covariance of the two means.
//!
//! # References
//!
//! - B. H. Zwinderman, P. M. Bossuyt (2008). We should not pool diagnostic likelihood ratios in systematic
//!   reviews. Stat. Med. 27, 687–697 (ratios from the bivariate model instead).
//! - M. M. G. Leeflang et al. (2012). Bivariate meta-analysis of predictive values. J. Clin. Epidemiol. 65,
//!   1088–1097.

use super::Bivariate;
use crate::NotEstimable;
use crate::count::finite;
use crate::interval::Interval;
use crate::scale::{expit, logit};

/// Predictive values at one prevalence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictiveValues {
    /// The share of those called positive who have the target condition.
    pub positive: Interval,
    /// The share of those called negative who have not.
    pub negative: Interval,
}

/// Likelihood ratios.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikelihoodRatios {
    /// Sensitivity over false-positive rate.
    pub positive: Interval,
    /// False-negative rate over specificity.
    pub negative: Interval,
}

impl Bivariate {
    /// The predictive values that the mean test has where the share `prevalence` has the condition.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] unless `0 < prevalence < 1`; [`NotEstimable::LevelOutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::aggregate::TwoByTwo;
    /// use fedval_stats::bivariate::reitsma;
    ///
    /// let table = |tp, fn_, fp, tn| TwoByTwo { tp, fn_, fp, tn };
    /// let fit = reitsma(&[table(88, 12, 40, 360), table(45, 9, 33, 210), table(61, 20, 25, 300)])?;
    /// let rare = fit.predictive_values(0.01, 0.95)?;
    /// assert!(rare.positive.estimate < 0.1 && rare.negative.estimate > 0.99);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn predictive_values(
        &self,
        prevalence: f64,
        level: f64,
    ) -> Result<PredictiveValues, NotEstimable> {
        if !(prevalence > 0.0 && prevalence < 1.0) {
            return Err(NotEstimable::InvalidInput);
        }
        let odds = logit(prevalence);
        let [positive, negative] = self.log_ratios();
        let interval = |(centre, se)| mapped(Interval::wald(centre, se, level)?, expit);
        Ok(PredictiveValues {
            positive: interval((odds + positive.0, positive.1))?,
            // The log odds of being well, after a negative call.
            negative: interval((-odds - negative.0, negative.1))?,
        })
    }

    /// The likelihood ratios of the mean test.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where rates are so extreme that a ratio is not finite;
    /// [`NotEstimable::LevelOutOfRange`].
    pub fn likelihood_ratios(&self, level: f64) -> Result<LikelihoodRatios, NotEstimable> {
        let interval = |(centre, se)| mapped(Interval::wald(centre, se, level)?, libm::exp);
        let [positive, negative] = self.log_ratios();
        Ok(LikelihoodRatios { positive: interval(positive)?, negative: interval(negative)? })
    }

    /// Logarithms of the positive and the negative likelihood ratio, each with its error.
    fn log_ratios(&self) -> [(f64, f64); 2] {
        let [sensitivity, fpr] = self.mean.map(expit);
        let positive = libm::log(sensitivity) - libm::log(fpr);
        let negative = libm::log1p(-sensitivity) - libm::log1p(-fpr);
        [
            (positive, self.error_of([1.0 - sensitivity, fpr - 1.0])),
            (negative, self.error_of([-sensitivity, fpr])),
        ]
    }

    /// The error of a function of the means with this gradient.
    fn error_of(&self, [a, b]: [f64; 2]) -> f64 {
        let [[v11, v12], [_, v22]] = self.covariance;
        libm::sqrt((a * a * v11 + 2.0 * a * b * v12 + b * b * v22).max(0.0))
    }
}

/// An interval on another scale, if its ends are finite there.
fn mapped(interval: Interval, of: fn(f64) -> f64) -> Result<Interval, NotEstimable> {
    let mapped = interval.map_increasing(of);
    for end in [mapped.estimate, mapped.lower, mapped.upper] {
        finite(end)?;
    }
    Ok(mapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Bivariate {
        Bivariate {
            k: 5,
            is_corrected: false,
            mean: [logit(0.9), logit(0.2)],
            covariance: [[0.04, 0.01], [0.01, 0.02]],
            between: [[0.1, 0.0], [0.0, 0.1]],
            log_likelihood: 0.0,
        }
    }

    #[test]
    fn predictive_values_are_bayes_rule() {
        let values = fit().predictive_values(0.3, 0.95).unwrap();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(values.positive.estimate, 0.27 / (0.27 + 0.14)));
        assert!(close(values.negative.estimate, 0.56 / (0.56 + 0.03)));
        for prevalence in [0.0, 1.0, f64::NAN] {
            assert!(fit().predictive_values(prevalence, 0.95).is_err());
        }
    }

    #[test]
    fn ratios_are_ratios_of_rates_and_hold_their_estimate() {
        let ratios = fit().likelihood_ratios(0.95).unwrap();
        assert!((ratios.positive.estimate - 4.5).abs() < 1e-12);
        assert!((ratios.negative.estimate - 0.125).abs() < 1e-12);
        assert!(ratios.positive.lower < 4.5 && ratios.positive.upper > 4.5);
    }

    #[test]
    fn errors_are_those_of_small_changes() {
        // Numerical gradient of the logit of the positive predictive value.
        let ppv =
            |fit: &Bivariate| logit(fit.predictive_values(0.3, 0.95).unwrap().positive.estimate);
        let (step, base) = (1e-6, fit());
        let gradient = [0, 1].map(|of| {
            let mut moved = base;
            moved.mean[of] += step;
            (ppv(&moved) - ppv(&base)) / step
        });
        let se = base.error_of(gradient);
        let interval = base.predictive_values(0.3, 0.95).unwrap().positive;
        let width = logit(interval.upper) - logit(interval.lower);
        assert!((width / (2.0 * 1.959_964) - se).abs() < 1e-5, "{width} {se}");
    }
}
