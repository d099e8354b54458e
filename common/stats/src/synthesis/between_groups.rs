//! Whether subgroups of sites differ: the heterogeneity between their pooled estimates.

use super::SiteEstimates;
use crate::NotEstimable;
use crate::count::{finite, len_to_f64};
use crate::special::chi_square;

/// The test that subgroups share one mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetweenGroups {
    /// `Σ w (μ̂_g − μ̂)²` with `w = 1/se²`.
    pub q: f64,
    /// Subgroups less one.
    pub df: usize,
    /// P(X ≥ q) where they share one mean.
    pub p: f64,
}

/// Tests pooled estimates of subgroups, each with the square of its error as its variance, for one mean.
/// With each subgroup synthesised by its own τ² this is the usual test of subgroups.
///
/// # Errors
///
/// [`NotEstimable::TooFewSites`] with fewer than two subgroups; [`NotEstimable::InvalidInput`] where they are
/// so far apart that Q is not finite.
///
/// # References
///
/// - M. Borenstein, L. V. Hedges, J. P. T. Higgins, H. R. Rothstein (2009). Introduction to Meta-Analysis,
///   chapter 19.
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::{SiteEstimates, between_groups};
///
/// let pooled = SiteEstimates::new(vec![1.9, 1.2], vec![0.01, 0.02])?;
/// assert!(between_groups(&pooled)?.p < 0.001);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn between_groups(pooled: &SiteEstimates) -> Result<BetweenGroups, NotEstimable> {
    let k = pooled.k();
    if k < 2 {
        return Err(NotEstimable::TooFewSites { k, needed: 2 });
    }
    let sums = super::weighted::Weighted::at(pooled, 0.0);
    let q = finite(sums.q)?;
    Ok(BetweenGroups { q, df: k - 1, p: chi_square::upper_tail(q, len_to_f64(k - 1)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subgroup_cannot_differ() {
        let one = SiteEstimates::new(vec![1.0], vec![0.1]).unwrap();
        assert!(between_groups(&one).is_err());
        let equal = SiteEstimates::new(vec![1.0, 1.0], vec![0.1, 0.2]).unwrap();
        assert!((between_groups(&equal).unwrap().p - 1.0).abs() < 1e-15);
    }
}
