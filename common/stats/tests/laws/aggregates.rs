//! Aggregates: the definition they abbreviate, their consistency, their merge laws.

use fedval_stats::aggregate::{
    ClusterSums, ProbabilitySums, RankSums, RankedCase, TwoByTwo, cluster_sums, probability_sums,
    rank_sums,
};
use proptest::prelude::*;

/// Few distinct scores and clusters, so that ties and shared patients are the rule.
pub(crate) fn any_cases() -> impl Strategy<Value = Vec<RankedCase>> {
    let case = (-6..6_i64, any::<bool>(), 0..12_u32)
        .prop_map(|(rank_key, positive, cluster)| RankedCase { rank_key, positive, cluster });
    prop::collection::vec(case, 0..60)
}

fn placement(case: &RankedCase, cases: &[RankedCase]) -> u128 {
    cases
        .iter()
        .filter(|other| other.positive != case.positive)
        .map(|other| {
            let (pos, neg) = if case.positive { (case, other) } else { (other, case) };
            u128::from(pos.rank_key > neg.rank_key) + u128::from(pos.rank_key >= neg.rank_key)
        })
        .sum()
}

fn naive(cases: &[RankedCase]) -> RankSums {
    let of = |positive: bool| -> Vec<u128> {
        let own = cases.iter().filter(|case| case.positive == positive);
        own.map(|case| placement(case, cases)).collect()
    };
    let (pos, neg) = (of(true), of(false));
    let squares = |placements: &[u128]| placements.iter().map(|d| d * d).sum();
    RankSums {
        n_pos: pos.len() as u64,
        n_neg: neg.len() as u64,
        doubled_u: pos.iter().sum(),
        pos_squares: squares(&pos),
        neg_squares: squares(&neg),
    }
}

fn any_table() -> impl Strategy<Value = TwoByTwo> {
    any::<[u64; 4]>().prop_map(|[tp, fn_, fp, tn]| TwoByTwo { tp, fn_, fp, tn })
}

fn any_probability_sums() -> impl Strategy<Value = ProbabilitySums> {
    (any::<[u64; 3]>(), any::<u128>()).prop_map(|([n, events, expected_micro], brier_pico)| {
        ProbabilitySums { n, events, expected_micro, brier_pico }
    })
}

fn any_cluster_sums() -> impl Strategy<Value = ClusterSums> {
    (any::<[u64; 3]>(), any::<[u128; 3]>()).prop_map(|(small, large)| ClusterSums {
        clusters: small[0],
        size: small[1],
        size_squares: small[2],
        total: large[0],
        total_squares: large[1],
        total_by_size: large[2],
    })
}

proptest! {
    #[test]
    fn the_sweep_equals_the_definition(cases in any_cases()) {
        let (ranks, _) = rank_sums(&cases);
        prop_assert_eq!(ranks, naive(&cases));
        prop_assert_eq!(ranks.doubled_u, cases.iter().filter(|c| !c.positive)
            .map(|c| placement(c, &cases)).sum::<u128>());
    }

    #[test]
    fn real_cohorts_pass_every_check(cases in any_cases()) {
        let (ranks, clusters) = rank_sums(&cases);
        prop_assert_eq!(ranks.check(), Ok(()));
        prop_assert_eq!(clusters.check(), Ok(()));
        prop_assert_eq!(clusters.check_against(&ranks), Ok(()));
    }

    #[test]
    fn the_order_of_the_cases_does_not_matter(cases in any_cases()) {
        let reversed: Vec<_> = cases.iter().rev().copied().collect();
        prop_assert_eq!(rank_sums(&cases), rank_sums(&reversed));
    }

    #[test]
    fn swapping_the_classes_mirrors_the_sums(cases in any_cases()) {
        let swapped: Vec<_> = cases
            .iter()
            .map(|case| RankedCase { positive: !case.positive, ..*case })
            .collect();
        let (ranks, mirrored) = (rank_sums(&cases).0, rank_sums(&swapped).0);
        let pairs = 2 * u128::from(ranks.n_pos) * u128::from(ranks.n_neg);
        prop_assert_eq!(mirrored.doubled_u, pairs - ranks.doubled_u);
        prop_assert_eq!((mirrored.n_pos, mirrored.n_neg), (ranks.n_neg, ranks.n_pos));
    }

    #[test]
    fn only_the_order_of_the_scores_matters(cases in any_cases()) {
        let stretched: Vec<_> = cases
            .iter()
            .map(|case| RankedCase { rank_key: case.rank_key.pow(3) * 7 - 5, ..*case })
            .collect();
        prop_assert_eq!(rank_sums(&cases), rank_sums(&stretched));
    }

    #[test]
    fn changing_any_rank_sum_of_a_real_cohort_is_mostly_seen_by_parity(
        cases in any_cases(), which in 0..3_usize,
    ) {
        let mut ranks = rank_sums(&cases).0;
        match which {
            0 => ranks.doubled_u += 1,
            1 => ranks.pos_squares += 1,
            _ => ranks.neg_squares += 1,
        }
        prop_assert!(ranks.check().is_err());
    }

    #[test]
    fn merging_tables_is_associative_and_commutative_with_zero(
        a in any_table(), b in any_table(), c in any_table(),
    ) {
        prop_assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
        prop_assert_eq!(a.merge(b), b.merge(a));
        prop_assert_eq!(a.merge(TwoByTwo::default()), a);
    }

    #[test]
    fn merging_probability_sums_is_associative_and_commutative_with_zero(
        a in any_probability_sums(), b in any_probability_sums(), c in any_probability_sums(),
    ) {
        prop_assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
        prop_assert_eq!(a.merge(b), b.merge(a));
        prop_assert_eq!(a.merge(ProbabilitySums::default()), a);
    }

    #[test]
    fn merging_cluster_sums_is_associative_and_commutative_with_zero(
        a in any_cluster_sums(), b in any_cluster_sums(), c in any_cluster_sums(),
    ) {
        prop_assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
        prop_assert_eq!(a.merge(b), b.merge(a));
        prop_assert_eq!(a.merge(ClusterSums::default()), a);
    }

    #[test]
    fn merging_is_reducing_the_union(
        left in prop::collection::vec((0..20_u32, 0..=1_u64), 0..40),
        right in prop::collection::vec((20..40_u32, 0..=1_u64), 0..40),
    ) {
        let both: Vec<_> = left.iter().chain(&right).copied().collect();
        let merged = cluster_sums(left).merge(cluster_sums(right));
        prop_assert_eq!(merged, cluster_sums(both));
        prop_assert_eq!(merged.check_bounded(1), Ok(()));
    }

    #[test]
    fn merging_probabilities_is_reducing_the_union(
        left in prop::collection::vec((0..=1_000_000_u32, any::<bool>()), 0..40),
        right in prop::collection::vec((0..=1_000_000_u32, any::<bool>()), 0..40),
    ) {
        let both: Vec<_> = left.iter().chain(&right).copied().collect();
        let merged = probability_sums(left).merge(probability_sums(right));
        prop_assert_eq!(merged, probability_sums(both));
        prop_assert_eq!(merged.check(), Ok(()));
    }

    #[test]
    fn brier_sums_of_real_cohorts_pass_their_check(
        rows in prop::collection::vec((0..10_u32, 0..=1_000_000_000_000_u64), 0..40),
    ) {
        prop_assert_eq!(cluster_sums(rows).check_bounded(1_000_000_000_000), Ok(()));
    }
}
