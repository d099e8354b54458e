//! From ranked cases to placement sums, in O(n log n).

use super::{ClusterRankSums, RankSums};

/// One case as rank statistics see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RankedCase {
    /// The score as an integer key: only order and equality matter.
    pub rank_key: i64,
    /// Whether the target condition is present.
    pub positive: bool,
    /// The patient's index: cases of one patient share it.
    pub cluster: u32,
}

/// The placement totals and sizes of one cluster.
#[derive(Debug, Clone, Copy, Default)]
struct Cluster {
    pos_total: u128,
    pos_size: u64,
    neg_total: u128,
    neg_size: u64,
}

/// Reduces cases to DeLong's and Obuchowski's sums.
///
/// A case's doubled placement needs only how many cases of the other class lie below (or above)
/// its tie group, so one sort and one sweep suffice. The order of the cases does not matter.
///
/// # References
///
/// - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988). Biometrics 44, 837–845.
/// - X. Sun, W. Xu (2014). IEEE Signal Process. Lett. 21(11), 1389–1393 (the sort).
/// - N. A. Obuchowski (1997). Biometrics 53, 567–578.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::{RankedCase, rank_sums};
///
/// let case = |rank_key, positive, cluster| RankedCase { rank_key, positive, cluster };
/// let (ranks, clusters) = rank_sums(&[case(3, true, 0), case(3, false, 1), case(1, false, 2)]);
/// assert_eq!(ranks.doubled_u, 3); // one pair won, one tied
/// assert_eq!(clusters.clusters, 3);
/// ```
#[must_use]
pub fn rank_sums(cases: &[RankedCase]) -> (RankSums, ClusterRankSums) {
    rank_sums_of(cases.to_vec())
}

/// The same of cases that nobody needs afterwards: nothing is held beside them, however many there are.
#[must_use]
pub fn rank_sums_of(mut cases: Vec<RankedCase>) -> (RankSums, ClusterRankSums) {
    cases.sort_unstable_by_key(|case| case.rank_key);
    let n_pos = count(&cases, true);
    let mut sums = RankSums {
        n_pos,
        n_neg: count(&cases, false),
        doubled_u: 0,
        pos_squares: 0,
        neg_squares: 0,
    };
    let (mut pos_below, mut neg_below) = (0, 0);
    for ties in cases.chunk_by_mut(|a, b| a.rank_key == b.rank_key) {
        let (pos_tied, neg_tied) = (count(ties, true), count(ties, false));
        let pos_placement = 2 * neg_below + neg_tied;
        let neg_placement = 2 * (n_pos - pos_below - pos_tied) + pos_tied;
        sums.doubled_u += product(pos_tied, pos_placement);
        sums.pos_squares += u128::from(pos_tied) * product(pos_placement, pos_placement);
        sums.neg_squares += u128::from(neg_tied) * product(neg_placement, neg_placement);
        // Its key is not looked at again: the placement stands in its place, at most twice the number of cases.
        for case in ties {
            let placement = if case.positive { pos_placement } else { neg_placement };
            case.rank_key = i64::try_from(placement).unwrap_or(i64::MAX);
        }
        pos_below += pos_tied;
        neg_below += neg_tied;
    }
    cases.sort_unstable_by_key(|case| case.cluster);
    let clusters = cases.chunk_by(|a, b| a.cluster == b.cluster).map(Cluster::of);
    (sums, cluster_rank_sums(clusters))
}

fn product(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

fn count(cases: &[RankedCase], positive: bool) -> u64 {
    cases.iter().map(|case| u64::from(case.positive == positive)).sum()
}

impl Cluster {
    /// From cases with their placements in the place of their keys.
    fn of(cases: &[RankedCase]) -> Self {
        let mut cluster = Self::default();
        for RankedCase { rank_key: placement, positive, .. } in cases {
            let (total, size) = if *positive {
                (&mut cluster.pos_total, &mut cluster.pos_size)
            } else {
                (&mut cluster.neg_total, &mut cluster.neg_size)
            };
            *total += u128::from(placement.unsigned_abs());
            *size += 1;
        }
        cluster
    }
}

fn cluster_rank_sums(clusters: impl Iterator<Item = Cluster>) -> ClusterRankSums {
    let mut sums = ClusterRankSums {
        clusters: 0,
        clusters_pos: 0,
        clusters_neg: 0,
        pos_squares: 0,
        pos_by_size: 0,
        pos_size_squares: 0,
        neg_squares: 0,
        neg_by_size: 0,
        neg_size_squares: 0,
        cross: 0,
        pos_by_neg_size: 0,
        neg_by_pos_size: 0,
        size_cross: 0,
    };
    for cluster in clusters {
        let (pos_size, neg_size) = (u128::from(cluster.pos_size), u128::from(cluster.neg_size));
        sums.clusters += 1;
        sums.clusters_pos += u64::from(cluster.pos_size > 0);
        sums.clusters_neg += u64::from(cluster.neg_size > 0);
        sums.pos_squares += cluster.pos_total * cluster.pos_total;
        sums.pos_by_size += cluster.pos_total * pos_size;
        sums.pos_size_squares += cluster.pos_size * cluster.pos_size;
        sums.neg_squares += cluster.neg_total * cluster.neg_total;
        sums.neg_by_size += cluster.neg_total * neg_size;
        sums.neg_size_squares += cluster.neg_size * cluster.neg_size;
        sums.cross += cluster.pos_total * cluster.neg_total;
        sums.pos_by_neg_size += cluster.pos_total * neg_size;
        sums.neg_by_pos_size += cluster.neg_total * pos_size;
        sums.size_cross += cluster.pos_size * cluster.neg_size;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(rank_key: i64, positive: bool, cluster: u32) -> RankedCase {
        RankedCase { rank_key, positive, cluster }
    }

    #[test]
    fn no_cases_give_empty_sums_that_pass_their_check() {
        let (ranks, clusters) = rank_sums(&[]);
        assert_eq!((ranks.n_pos, ranks.n_neg, clusters.clusters), (0, 0, 0));
        assert_eq!(clusters.check_against(&ranks), Ok(()));
    }

    #[test]
    fn all_tied_is_half_of_the_pairs() {
        let cases: Vec<_> = (0..6).map(|i| case(7, i % 2 == 0, i)).collect();
        let (ranks, _) = rank_sums(&cases);
        assert_eq!(ranks.doubled_u, 9);
        assert_eq!((ranks.pos_squares, ranks.neg_squares), (27, 27));
    }

    #[test]
    fn a_patient_with_both_classes_fills_the_cross_sums() {
        let (ranks, clusters) = rank_sums(&[case(2, true, 5), case(1, false, 5), case(3, true, 8)]);
        assert_eq!(ranks.doubled_u, 4);
        assert_eq!((clusters.clusters, clusters.clusters_pos, clusters.clusters_neg), (2, 2, 1));
        assert_eq!((clusters.cross, clusters.size_cross), (8, 1));
        assert_eq!(clusters.check_against(&ranks), Ok(()));
    }
}
