//! The AUROC of pairs of one site.

use crate::NotEstimable;
use crate::aggregate::RankSums;
use crate::count::count_to_f64;

/// The site-stratified AUROC `Σ U_s / Σ n⁺_s n⁻_s`: each pair of a positive and a negative of the same site
/// counts once, none across sites does. A site with one class has no pair.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without sites, [`NotEstimable::OneClassOnly`] where no site has a pair,
/// [`NotEstimable::InvalidInput`] where sums fail their check.
///
/// # References
///
/// - H. Janes, M. S. Pepe (2009). Biometrika 96, 371–382 (covariate-adjusted ROC).
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::RankSums;
/// use fedval_stats::pooled_roc::within_sites;
///
/// let one = RankSums { n_pos: 1, n_neg: 1, doubled_u: 2, pos_squares: 4, neg_squares: 4 };
/// let other = RankSums { n_pos: 1, n_neg: 1, doubled_u: 0, pos_squares: 0, neg_squares: 0 };
/// assert!((within_sites(&[one, other])? - 0.5).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn within_sites(sites: &[RankSums]) -> Result<f64, NotEstimable> {
    if sites.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    if sites.iter().any(|sums| sums.check().is_err()) {
        return Err(NotEstimable::InvalidInput);
    }
    let (mut won, mut pairs) = (0.0, 0.0);
    for sums in sites {
        won += sums.mann_whitney_u();
        pairs += count_to_f64(sums.n_pos) * count_to_f64(sums.n_neg);
    }
    if pairs > 0.0 { Ok(won / pairs) } else { Err(NotEstimable::OneClassOnly) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_with_one_class_changes_nothing() {
        let both = RankSums { n_pos: 2, n_neg: 1, doubled_u: 3, pos_squares: 5, neg_squares: 9 };
        let healthy = RankSums { n_pos: 0, n_neg: 9, doubled_u: 0, pos_squares: 0, neg_squares: 0 };
        let alone = within_sites(&[both]).unwrap();
        assert!((within_sites(&[both, healthy]).unwrap() - alone).abs() < 1e-15);
        assert_eq!(within_sites(&[healthy]), Err(NotEstimable::OneClassOnly));
    }
}
