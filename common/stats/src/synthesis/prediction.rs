//! What a new site can be expected to show.
//!
//! ```text
//! prediction interval:   mu ∓ t_{k−2} √(τ² + se²)
//! P(new site ≥ limit):   T_{k−2}((mu − limit) / √(τ² + se²))
//! ```
//!
//! # References
//!
//! - J. P. T. Higgins, S. G. Thompson, D. J. Spiegelhalter (2009). J. R. Stat. Soc. A 172,
//!   137–159, section 2.
//! - C. Partlett, R. D. Riley (2017). Stat. Med. 36, 301–317 (with the Hartung–Knapp error).

use super::RandomEffects;
use crate::NotEstimable;
use crate::interval::critical_normal;
use crate::predictive::{Predictive, finite_pair};

/// The distribution whose quantiles span a prediction interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PredictionReference {
    /// Standard normal: metafor's choice beside Wald's test.
    Normal,
    /// t with k − 1 degrees of freedom: metafor's choice beside Hartung–Knapp.
    TKMinus1,
    /// t with k − 2 degrees of freedom: what reports show.
    TKMinus2,
}

impl RandomEffects {
    /// The interval in which the true value of a new site lies with probability `level`, on the
    /// analysis scale: `mu ∓ t_{k−2} √(τ² + se²)` with the fitted row's error.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::TooFewSites`] below three sites, [`NotEstimable::LevelOutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::synthesis::{SiteEstimates, primary};
    ///
    /// let sites = SiteEstimates::new(vec![2.1, 1.4, 2.6, 1.9], vec![0.04, 0.06, 0.05, 0.03])?;
    /// let fit = primary(&sites, 0.95)?;
    /// let (lower, upper) = fit.prediction_interval(0.95)?;
    /// assert!(lower < fit.ci_lower && fit.ci_upper < upper);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prediction_interval(&self, level: f64) -> Result<(f64, f64), NotEstimable> {
        self.prediction_interval_by(PredictionReference::TKMinus2, level)
    }

    /// [`prediction_interval`](Self::prediction_interval) with another reference distribution, for
    /// comparison with other software.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::TooFewSites`] where the reference has no degrees of freedom,
    /// [`NotEstimable::LevelOutOfRange`].
    pub fn prediction_interval_by(
        &self,
        reference: PredictionReference,
        level: f64,
    ) -> Result<(f64, f64), NotEstimable> {
        let lost = match reference {
            PredictionReference::Normal => {
                let half_width = critical_normal(level)? * libm::sqrt(self.prediction_variance());
                return finite_pair(self.mu - half_width, self.mu + half_width);
            }
            PredictionReference::TKMinus1 => 1,
            PredictionReference::TKMinus2 => 2,
        };
        self.predictive(lost)?.interval(level)
    }

    /// The probability that the true value of a new site is at least `limit_on_scale`, a limit on
    /// the analysis scale (for a sensitivity of 0.9: logit 0.9).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::TooFewSites`] below three sites; [`NotEstimable::ZeroVariance`] where τ² and
    /// the error are both 0; [`NotEstimable::InvalidInput`] for a limit that is not finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::synthesis::{SiteEstimates, primary};
    ///
    /// let sites = SiteEstimates::new(vec![2.1, 1.4, 2.6, 1.9], vec![0.04, 0.06, 0.05, 0.03])?;
    /// let fit = primary(&sites, 0.95)?;
    /// assert!((fit.probability_new_site_at_least(fit.mu)? - 0.5).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn probability_new_site_at_least(&self, limit_on_scale: f64) -> Result<f64, NotEstimable> {
        self.predictive(2)?.probability_at_least(limit_on_scale)
    }

    fn predictive(&self, lost: usize) -> Result<Predictive, NotEstimable> {
        Predictive::new(self.mu, self.tau2, self.se_mu, self.k, lost)
    }

    fn prediction_variance(&self) -> f64 {
        self.tau2 + self.se_mu * self.se_mu
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthesis::{SiteEstimates, primary};

    #[test]
    fn two_sites_have_no_prediction() {
        let two = SiteEstimates::new(vec![1.0, 2.0], vec![0.1, 0.1]).unwrap();
        let fit = primary(&two, 0.95).unwrap();
        let reason = NotEstimable::TooFewSites { k: 2, needed: 3 };
        assert_eq!(fit.prediction_interval(0.95), Err(reason));
        assert_eq!(fit.probability_new_site_at_least(0.0), Err(reason));
    }

    #[test]
    fn the_interval_and_the_probability_agree() {
        let sites =
            SiteEstimates::new(vec![2.1, 1.4, 2.6, 1.9], vec![0.04, 0.06, 0.05, 0.03]).unwrap();
        let fit = primary(&sites, 0.95).unwrap();
        let (lower, upper) = fit.prediction_interval(0.95).unwrap();
        assert!((fit.probability_new_site_at_least(lower).unwrap() - 0.975).abs() < 1e-11);
        assert!((fit.probability_new_site_at_least(upper).unwrap() - 0.025).abs() < 1e-11);
        assert!(fit.probability_new_site_at_least(1e308).unwrap() < 1e-100);
    }
}
