//! Obuchowski's variance of the AUROC for clustered cases, from integer sums.
//!
//! With A the area, cluster k's deviations `a_k = Σ (V10_i − A)` over its positives and
//! `b_k = Σ (V01_j − A)` over its negatives, I clusters of which I10 hold positives and I01
//! negatives, m positives and n negatives in total,
//!
//! ```text
//! S10 = I10 / ((I10 − 1) m) Σ a_k²      S01 = I01 / ((I01 − 1) n) Σ b_k²
//! S11 = I / (I − 1) Σ a_k b_k           var(A) = S10/m + S01/n + 2 S11/(mn)
//! ```
//!
//! Since `a_k = (m D_k − 2U m_k) / 2mn` and `b_k = (n E_k − 2U n_k) / 2mn`, the three sums are
//! polynomials of the integer aggregates; they are formed exactly and rounded once. With one case
//! a cluster this is DeLong's variance.
//!
//! # References
//!
//! - N. A. Obuchowski (1997). Nonparametric analysis of clustered ROC curve data.
//!   Biometrics 53, 567–578.

use super::Auroc;
use super::delong::auc_of;
use crate::NotEstimable;
use crate::aggregate::{ClusterRankSums, RankSums};
use crate::count::count_to_f64;
use crate::wide::Wide;

/// Obuchowski's estimate of the area and its variance for clustered cases.
///
/// # Errors
///
/// Those of [`auc_of`]; [`NotEstimable::TooFewClusters`] where fewer than two clusters hold
/// positives or negatives; [`NotEstimable::InvalidInput`] where the two aggregates contradict each
/// other; [`NotEstimable::NegativeVariance`] where the covariance of the mixed clusters outweighs
/// the rest, which it does in no data: somebody sent sums that no cases have.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::{RankedCase, rank_sums};
/// use fedval_stats::auroc::clustered;
///
/// let case = |rank_key, positive, cluster| RankedCase { rank_key, positive, cluster };
/// let (ranks, clusters) = rank_sums(&[
///     case(9, true, 0),
///     case(7, true, 0),
///     case(4, true, 1),
///     case(6, false, 2),
///     case(2, false, 3),
/// ]);
/// let auroc = clustered(&ranks, &clusters)?;
/// assert!((auroc.auc - 5.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn clustered(ranks: &RankSums, clusters: &ClusterRankSums) -> Result<Auroc, NotEstimable> {
    let auc = auc_of(ranks)?;
    let ClusterComponents { s10, s01, s11, variance } = cluster_components(ranks, clusters)?;
    if variance < 0.0 {
        return Err(NotEstimable::NegativeVariance);
    }
    Ok(Auroc { auc, s10, s01, s11: Some(s11), variance, se: libm::sqrt(variance) })
}

/// The components of Obuchowski's variance and their sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterComponents {
    /// Variance component of the positives.
    pub s10: f64,
    /// Variance component of the negatives.
    pub s01: f64,
    /// Covariance component of the clusters that hold both classes.
    pub s11: f64,
    /// `s10/m + s01/n + 2 s11/(mn)`.
    pub variance: f64,
}

/// The components of [`clustered`]: for comparison with other software, which prints them.
///
/// # Errors
///
/// Those of [`clustered`] but [`NotEstimable::NegativeVariance`].
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::{RankedCase, rank_sums};
/// use fedval_stats::auroc::cluster_components;
///
/// // Two patients with both classes: A = ¾, a = (¼, −¼), b = (−¼, ¼).
/// let case = |rank_key, positive, cluster| RankedCase { rank_key, positive, cluster };
/// let (ranks, clusters) =
///     rank_sums(&[case(4, true, 0), case(3, false, 0), case(2, true, 1), case(1, false, 1)]);
/// let components = cluster_components(&ranks, &clusters)?;
/// assert!((components.s10 - 0.125).abs() < 1e-15 && (components.s11 + 0.25).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn cluster_components(
    ranks: &RankSums,
    clusters: &ClusterRankSums,
) -> Result<ClusterComponents, NotEstimable> {
    auc_of(ranks)?;
    clusters.check_against(ranks).map_err(|_| NotEstimable::InvalidInput)?;
    if clusters.clusters_pos < 2 || clusters.clusters_neg < 2 {
        return Err(NotEstimable::TooFewClusters);
    }
    let (m, n) = (count_to_f64(ranks.n_pos), count_to_f64(ranks.n_neg));
    let deviations = deviations(ranks, clusters).ok_or(NotEstimable::InvalidInput)?;
    let s10 = small_sample(clusters.clusters_pos) * deviations.pos / m;
    let s01 = small_sample(clusters.clusters_neg) * deviations.neg / n;
    let s11 = small_sample(clusters.clusters) * deviations.cross;
    let (classes, mixed) = (s10 / m + s01 / n, 2.0 * s11 / (m * n));
    // Of data the sum is never negative; where it is 0, rounding may leave it on either side.
    let variance = classes + mixed;
    let variance = if variance.abs() < ROUNDING * classes { 0.0 } else { variance };
    Ok(ClusterComponents { s10, s01, s11, variance })
}

/// Relative to its parts, a variance below this is rounding.
const ROUNDING: f64 = 1e-14;

/// `Σ a_k²`, `Σ b_k²` and `Σ a_k b_k`.
struct Deviations {
    pos: f64,
    neg: f64,
    cross: f64,
}

/// `None` where a product exceeds 256 bits, which no cohort can reach.
fn deviations(ranks: &RankSums, clusters: &ClusterRankSums) -> Option<Deviations> {
    let (m, n, u) = (u128::from(ranks.n_pos), u128::from(ranks.n_neg), ranks.doubled_u);
    let u_squared = u.checked_mul(u)?;
    let size_cross = u128::from(clusters.size_cross);
    let pairs = 2.0 * count_to_f64(ranks.n_pos) * count_to_f64(ranks.n_neg);
    let scale = pairs * pairs;
    let one_class = |cases: u128, squares: u128, by_size: u128, size_squares: u64| {
        let own = Wide::product(cases.checked_mul(cases)?, squares);
        let sizes = Wide::product(u_squared, u128::from(size_squares));
        let mixed = Wide::product(u.checked_mul(cases)?, by_size);
        Some(own.checked_add(sizes)?.difference(mixed.checked_add(mixed)?) / scale)
    };
    let positive = Wide::product(m.checked_mul(n)?, clusters.cross)
        .checked_add(Wide::product(u_squared, size_cross))?;
    let negative = Wide::product(u.checked_mul(m)?, clusters.pos_by_neg_size)
        .checked_add(Wide::product(u.checked_mul(n)?, clusters.neg_by_pos_size))?;
    Some(Deviations {
        pos: one_class(m, clusters.pos_squares, clusters.pos_by_size, clusters.pos_size_squares)?,
        neg: one_class(n, clusters.neg_squares, clusters.neg_by_size, clusters.neg_size_squares)?,
        cross: positive.difference(negative) / scale,
    })
}

/// The factor `I / (I − 1)` that removes the bias of a between-cluster sum of squares.
fn small_sample(clusters: u64) -> f64 {
    count_to_f64(clusters) / count_to_f64(clusters - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{RankedCase, rank_sums};

    fn case(rank_key: i64, positive: bool, cluster: u32) -> RankedCase {
        RankedCase { rank_key, positive, cluster }
    }

    #[test]
    fn one_cluster_of_a_class_is_too_few() {
        let (ranks, clusters) =
            rank_sums(&[case(5, true, 0), case(6, true, 0), case(3, false, 1), case(9, false, 2)]);
        assert_eq!(clustered(&ranks, &clusters), Err(NotEstimable::TooFewClusters));
    }

    #[test]
    fn sums_of_two_cohorts_do_not_mix() {
        let (ranks, _) = rank_sums(&[case(5, true, 0), case(6, true, 1), case(3, false, 2)]);
        let (_, clusters) = rank_sums(&[case(5, true, 0), case(6, false, 1)]);
        assert_eq!(clustered(&ranks, &clusters), Err(NotEstimable::InvalidInput));
    }

    #[test]
    fn patients_who_cancel_themselves_leave_no_variance_rather_than_a_negative_one() {
        // Each patient's positive is ranked right above their own negative: every patient counts the same.
        for patients in 2..40 {
            let pair = |patient: u32| {
                let rank = i64::from(patient) * 2;
                [case(rank + 1, true, patient), case(rank, false, patient)]
            };
            let (ranks, clusters) = rank_sums(&(0..patients).flat_map(pair).collect::<Vec<_>>());
            let auroc = clustered(&ranks, &clusters).unwrap();
            assert!(auroc.variance.abs() < 1e-30, "{patients}: {}", auroc.variance);
        }
    }

    #[test]
    fn sums_that_no_cases_have_are_refused() {
        let cases = [case(9, true, 0), case(8, false, 0), case(2, true, 1), case(1, false, 1)];
        let (ranks, clusters) = rank_sums(&cases);
        let impossible = ClusterRankSums { cross: 0, ..clusters };
        assert!(clustered(&ranks, &impossible).is_err());
    }

    #[test]
    fn an_area_of_one_has_no_variance() {
        let cases = [case(5, true, 0), case(6, true, 1), case(1, false, 2), case(2, false, 3)];
        let (ranks, clusters) = rank_sums(&cases);
        let auroc = clustered(&ranks, &clusters).unwrap();
        assert!(auroc.variance.abs() < 1e-15 && (auroc.auc - 1.0).abs() < 1e-15);
    }
}
