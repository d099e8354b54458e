//! The relations that the aggregates of any data keep.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use fedval_stats::grid::GridScore;
use fedval_study::{Canonical, Performance};
use proptest::prelude::*;
use support::{Case, performance, protocol};

/// Images of up to twenty patients, some with several, some of both labels, many of equal score.
fn any_cases() -> impl Strategy<Value = Vec<Case>> {
    let case = (0..20_u32, any::<bool>(), -40..40_i32).prop_map(|(patient, positive, step)| Case {
        sex: "",
        patient,
        positive,
        scanner: "a",
        score: GridScore::from_steps(step * 10_000).unwrap(),
    });
    prop::collection::vec(case, 1..80)
}

/// Changes that no data can explain, each by `delta`, which is 1 up or down where both are.
const CHANGES: [fn(&mut Performance, i64); 17] = [
    // One patient fewer is data too: somebody has images of both labels, and the sums are withheld.
    |p, delta| add(&mut p.patients.total, delta.abs()),
    |p, delta| add(&mut p.patients.with_positive, delta),
    |p, delta| add(&mut p.patients.with_negative, delta),
    |p, delta| add(&mut p.ranks.n_pos, delta),
    |p, delta| add(&mut p.ranks.n_neg, delta),
    |p, delta| add_wide(&mut p.ranks.doubled_u, delta),
    |p, delta| add_wide(&mut p.ranks.pos_squares, delta),
    |p, delta| add_wide(&mut p.ranks.neg_squares, delta),
    |p, delta| add(&mut p.probabilities.n, delta),
    |p, delta| add(&mut p.probabilities.events, delta),
    |p, delta| add_wide(&mut p.probabilities.brier_pico, delta),
    |p, delta| add(&mut p.brier_clusters.clusters, delta),
    |p, delta| add(&mut p.brier_clusters.size, delta),
    |p, delta| add(&mut p.operating_points[0].counts.tp, delta),
    |p, delta| add(&mut p.operating_points[0].counts.fn_, delta),
    |p, delta| add(&mut p.operating_points[1].counts.fp, delta),
    |p, delta| add(&mut p.operating_points[1].counts.tn, delta),
];

/// Adds `delta`; where the count is 0 and would fall below it, adds 1.
fn add(count: &mut u64, delta: i64) {
    *count = count.checked_add_signed(delta).unwrap_or(1);
}

fn add_wide(sum: &mut u128, delta: i64) {
    *sum = sum.checked_add_signed(delta.into()).unwrap_or(1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_aggregates_of_any_data_pass(cases in any_cases()) {
        prop_assert_eq!(performance(&cases, &protocol()).check(), Ok(()));
    }

    #[test]
    fn a_changed_count_fails(
        cases in any_cases(), change in prop::sample::select(CHANGES.to_vec()), up in any::<bool>(),
    ) {
        let mut changed = performance(&cases, &protocol());
        change(&mut changed, if up { 1 } else { -1 });
        prop_assert!(changed.check().is_err());
    }

    #[test]
    fn sums_by_patient_are_there_exactly_where_patients_repeat(cases in any_cases()) {
        let mut changed = performance(&cases, &protocol());
        let other: Vec<Case> = (0..).zip(&cases).map(|(patient, case)| Case { patient, ..*case }).collect();
        let other = performance(&other, &protocol());
        prop_assert!(!other.is_clustered());
        prop_assume!(changed.is_clustered());
        changed.rank_clusters = other.rank_clusters;
        prop_assert!(changed.check().is_err());
    }

    /// Written as declared, nothing is moved for the canonical form.
    #[test]
    fn fields_are_declared_in_the_order_in_which_they_are_written(cases in any_cases()) {
        let performance = performance(&cases, &protocol());
        let declared = serde_json::to_vec(&performance).unwrap();
        prop_assert_eq!(declared, Canonical::new(&performance).unwrap().into_bytes());
    }
}

#[test]
fn hostile_numbers_are_refused_without_overflow() {
    let good = performance(&support::large(), &protocol());
    let changes: [fn(&mut Performance); 8] = [
        |p| p.patients.with_positive = u64::MAX,
        |p| (p.patients.with_positive, p.patients.with_negative) = (u64::MAX, u64::MAX),
        |p| (p.ranks.n_pos, p.ranks.n_neg) = (u64::MAX, u64::MAX),
        |p| p.operating_points[0].counts.tp = u64::MAX,
        |p| p.brier_clusters.total = u128::MAX,
        |p| p.brier_clusters.size = u64::MAX,
        |p| p.probabilities.expected_micro = u64::MAX,
        |p| p.ece_micro = 1_000_001,
    ];
    assert_eq!(good.check(), Ok(()));
    for (index, change) in changes.into_iter().enumerate() {
        let mut hostile = good.clone();
        change(&mut hostile);
        assert!(hostile.check().is_err(), "change {index}");
    }
}
