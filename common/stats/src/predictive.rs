//! The predictive distribution of a new site's true value: `mu + √(τ² + se²) · t_df`.

use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::interval::critical_t;
use crate::special::student_t;

/// The centre, scale and degrees of freedom of the predictive distribution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Predictive {
    mu: f64,
    scale: f64,
    df: f64,
}

impl Predictive {
    /// Of a model with `k` sites that spent `lost` degrees of freedom.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::TooFewSites`] where no degree of freedom is left.
    pub(crate) fn new(
        mu: f64,
        tau2: f64,
        se_mu: f64,
        k: usize,
        lost: usize,
    ) -> Result<Self, NotEstimable> {
        if k <= lost {
            return Err(NotEstimable::TooFewSites { k, needed: lost + 1 });
        }
        Ok(Self { mu, scale: libm::sqrt(tau2 + se_mu * se_mu), df: len_to_f64(k - lost) })
    }

    /// The central interval of probability `level`.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::LevelOutOfRange`]; [`NotEstimable::InvalidInput`] where it is not finite.
    pub(crate) fn interval(&self, level: f64) -> Result<(f64, f64), NotEstimable> {
        let half_width = critical_t(level, self.df)? * self.scale;
        finite_pair(self.mu - half_width, self.mu + half_width)
    }

    /// P(value ≥ limit).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] for a limit that is not finite;
    /// [`NotEstimable::ZeroVariance`] where the distribution is a point.
    pub(crate) fn probability_at_least(&self, limit: f64) -> Result<f64, NotEstimable> {
        if !limit.is_finite() {
            return Err(NotEstimable::InvalidInput);
        }
        if self.scale <= 0.0 {
            return Err(NotEstimable::ZeroVariance);
        }
        // Beyond 10¹⁰⁰ standard errors the probability is 0 or 1 and squaring would overflow.
        let distance = ((self.mu - limit) / self.scale).clamp(-1e100, 1e100);
        Ok(student_t::cdf(distance, self.df))
    }
}

/// Both numbers, where both are finite.
pub(crate) fn finite_pair(lower: f64, upper: f64) -> Result<(f64, f64), NotEstimable> {
    if lower.is_finite() && upper.is_finite() {
        Ok((lower, upper))
    } else {
        Err(NotEstimable::InvalidInput)
    }
}
