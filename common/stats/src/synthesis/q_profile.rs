//! The Q-profile interval of τ².
//!
//! The generalised Q statistic at the true τ² is chi-square with k − 1 degrees of freedom, and it
//! decreases in τ²: the limits are where it equals the two quantiles, or 0 where it is below a
//! quantile already at τ² = 0.
//!
//! # References
//!
//! - W. Viechtbauer (2007). Stat. Med. 26, 37–52.

use super::SiteEstimates;
use super::paule_mandel::generalised_q_root;
use super::weighted::Weighted;
use crate::NotEstimable;
use crate::count::{finite, len_to_f64};
use crate::interval::tail;
use crate::special::chi_square;

/// Confidence limits of the heterogeneity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QProfile {
    /// Lower limit of τ², in squared units of the analysis scale.
    pub tau2_lower: f64,
    /// Upper limit of τ².
    pub tau2_upper: f64,
    /// Lower limit of I² (from τ²), a fraction from 0 to 1.
    pub i2_lower: f64,
    /// Upper limit of I².
    pub i2_upper: f64,
}

/// The Q-profile interval of τ² and of the I² that follows from it.
///
/// Both limits may be 0: the sites then agree better than chance would have them.
///
/// # Errors
///
/// [`NotEstimable::TooFewSites`] for one site; [`NotEstimable::LevelOutOfRange`];
/// [`NotEstimable::NotConverged`]; [`NotEstimable::InvalidInput`] where a share is not finite.
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::{SiteEstimates, q_profile};
///
/// let sites = SiteEstimates::new(vec![2.1, 1.4, 2.6], vec![0.04, 0.06, 0.05])?;
/// let limits = q_profile(&sites, 0.95)?;
/// assert!(limits.tau2_lower > 0.0 && limits.i2_upper < 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn q_profile(sites: &SiteEstimates, level: f64) -> Result<QProfile, NotEstimable> {
    if sites.k() < 2 {
        return Err(NotEstimable::TooFewSites { k: sites.k(), needed: 2 });
    }
    let df = len_to_f64(sites.k() - 1);
    let alpha = tail(level)?;
    let limit = |p: f64| generalised_q_root(sites, chi_square::upper_quantile(p, df));
    let (tau2_lower, tau2_upper) = (limit(alpha)?, limit(1.0 - alpha)?);
    let typical = df / Weighted::at(sites, 0.0).trace_p;
    let i2 = |tau2: f64| tau2 / (tau2 + typical);
    let (i2_lower, i2_upper) = (finite(i2(tau2_lower))?, finite(i2(tau2_upper))?);
    Ok(QProfile { tau2_lower, tau2_upper, i2_lower, i2_upper })
}
