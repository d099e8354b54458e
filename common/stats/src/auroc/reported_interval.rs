//! The choice of interval that reports make.

use super::{auc_of, clustered, delong, logit_interval, newcombe5};
use crate::aggregate::{ClusterRankSums, RankSums};
use crate::{Interval, NotEstimable};

/// The interval to report, on the probability scale, with the name of its method.
///
/// The logit interval with DeLong's error, or with Obuchowski's where `clusters` are given. Where
/// that does not exist or collapses (perfect or tied area, one case in a class, variance not
/// positive), Newcombe's method 5 on the class sizes; for clustered data on the number of clusters
/// that hold each class, since that is what the data are worth at the least.
///
/// Methods: `logit_delong`, `logit_obuchowski`, `newcombe5`, `newcombe5_clusters`.
///
/// # Errors
///
/// Those of [`auc_of`], [`NotEstimable::InvalidInput`] where the aggregates contradict each other,
/// and [`NotEstimable::LevelOutOfRange`].
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::RankSums;
/// use fedval_stats::auroc::interval;
///
/// let perfect = RankSums { n_pos: 2, n_neg: 2, doubled_u: 8, pos_squares: 32, neg_squares: 32 };
/// assert_eq!(interval(&perfect, None, 0.95)?.1, "newcombe5");
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn interval(
    ranks: &RankSums,
    clusters: Option<&ClusterRankSums>,
    level: f64,
) -> Result<(Interval, &'static str), NotEstimable> {
    let auc = auc_of(ranks)?;
    let (estimate, method) = match clusters {
        Some(clusters) => (clustered(ranks, clusters), "logit_obuchowski"),
        None => (delong(ranks), "logit_delong"),
    };
    match estimate {
        Err(NotEstimable::InvalidInput) => return Err(NotEstimable::InvalidInput),
        Ok(auroc) if auroc.variance > 0.0 && auc > 0.0 && auc < 1.0 => {
            return Ok((logit_interval(&auroc, level)?, method));
        }
        Ok(_) | Err(_) => {}
    }
    Ok(match clusters {
        Some(clusters) => {
            let interval = newcombe5(auc, clusters.clusters_pos, clusters.clusters_neg, level)?;
            (interval, "newcombe5_clusters")
        }
        None => (newcombe5(auc, ranks.n_pos, ranks.n_neg, level)?, "newcombe5"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{RankedCase, rank_sums};

    fn cohort(keys: &[(i64, bool, u32)]) -> (RankSums, ClusterRankSums) {
        let cases: Vec<_> = keys
            .iter()
            .map(|&(rank_key, positive, cluster)| RankedCase { rank_key, positive, cluster })
            .collect();
        rank_sums(&cases)
    }

    #[test]
    fn ordinary_data_get_the_logit_interval() {
        let (ranks, clusters) = cohort(&[(4, true, 0), (2, true, 1), (3, false, 2), (1, false, 3)]);
        assert_eq!(interval(&ranks, None, 0.95).unwrap().1, "logit_delong");
        assert_eq!(interval(&ranks, Some(&clusters), 0.95).unwrap().1, "logit_obuchowski");
    }

    #[test]
    fn one_positive_cluster_falls_back_to_the_number_of_clusters() {
        let (ranks, clusters) = cohort(&[(4, true, 0), (2, true, 0), (3, false, 2), (1, false, 3)]);
        let (got, method) = interval(&ranks, Some(&clusters), 0.95).unwrap();
        assert_eq!(method, "newcombe5_clusters");
        assert_eq!(Ok(got), newcombe5(0.75, 1, 2, 0.95));
    }

    #[test]
    fn all_ties_are_not_a_point() {
        let (ranks, _) = cohort(&[(1, true, 0), (1, true, 1), (1, false, 2), (1, false, 3)]);
        let (got, method) = interval(&ranks, None, 0.95).unwrap();
        assert_eq!(method, "newcombe5");
        assert!(got.upper - got.lower > 0.3);
    }
}
