//! The common-effect model: one true value, inverse-variance weights.

use super::SiteEstimates;
use super::weighted::Weighted;
use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::interval::critical_normal;
use crate::special::{chi_square, normal};

/// A fitted common-effect model, on the analysis scale of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct CommonEffect {
    /// Number of sites; 1 is allowed, the estimate then is the site's.
    pub k: usize,
    /// The weighted mean.
    pub mu: f64,
    /// Its standard error, `1 / √Σw`.
    pub se_mu: f64,
    /// Lower confidence limit of `mu`, by normal quantiles.
    pub ci_lower: f64,
    /// Upper confidence limit of `mu`.
    pub ci_upper: f64,
    /// Cochran's Q; 0 for one site.
    pub q: f64,
    /// Its degrees of freedom, k − 1.
    pub q_df: usize,
    /// P(X ≥ Q) under homogeneity; 1 for one site.
    pub q_p: f64,
    /// `mu / se_mu`.
    pub statistic: f64,
    /// Its two-sided p-value.
    pub p: f64,
}

/// Fits the common-effect model, `mu = Σ y/v / Σ 1/v`.
///
/// # Errors
///
/// [`NotEstimable::LevelOutOfRange`]; [`NotEstimable::InvalidInput`] where the numbers are so
/// extreme that a result is not finite.
///
/// # References
///
/// - W. G. Cochran (1954). Biometrics 10, 101–129.
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::{SiteEstimates, common_effect};
///
/// let sites = SiteEstimates::new(vec![1.0, 3.0], vec![0.5, 0.5])?;
/// let fit = common_effect(&sites, 0.95)?;
/// assert!((fit.mu - 2.0).abs() < 1e-15 && (fit.q - 4.0).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn common_effect(sites: &SiteEstimates, level: f64) -> Result<CommonEffect, NotEstimable> {
    let k = sites.k();
    let sums = Weighted::at(sites, 0.0);
    let se_mu = 1.0 / libm::sqrt(sums.sum_w);
    let half_width = critical_normal(level)? * se_mu;
    let statistic = sums.mean / se_mu;
    let q_p = if k > 1 { chi_square::upper_tail(sums.q, len_to_f64(k - 1)) } else { 1.0 };
    let fit = CommonEffect {
        k,
        mu: sums.mean,
        se_mu,
        ci_lower: sums.mean - half_width,
        ci_upper: sums.mean + half_width,
        q: sums.q,
        q_df: k - 1,
        q_p,
        statistic,
        p: normal::two_sided_p(statistic),
    };
    let numbers = [fit.mu, fit.se_mu, fit.ci_lower, fit.ci_upper, fit.q, fit.q_p, fit.statistic];
    if numbers.iter().all(|number| number.is_finite()) {
        Ok(fit)
    } else {
        Err(NotEstimable::InvalidInput)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_site_is_its_own_synthesis() {
        let one = SiteEstimates::new(vec![1.2], vec![0.1]).unwrap();
        let fit = common_effect(&one, 0.95).unwrap();
        assert!((fit.mu - 1.2).abs() < 1e-15 && (fit.se_mu - libm::sqrt(0.1)).abs() < 1e-15);
        assert!(fit.q.abs() < 1e-300 && (fit.q_p - 1.0).abs() < 1e-15);
    }
}
