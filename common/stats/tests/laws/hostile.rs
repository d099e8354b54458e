//! Whatever goes in, nothing panics, and what comes out is a finite number or a reason.

use fedval_stats::aggregate::{
    CrossTable, Edges, Histogram, Moments, TwoByTwo, joint_rank_sums, quantile, rank_sums,
};
use fedval_stats::agreement::{
    MeasurementSums, RatingSums, Weighting, bland_altman, fleiss_kappa, intraclass, kappa,
};
use fedval_stats::control_chart::{
    Baseline, cusum, ewma, funnel_limits, log_likelihood_cusum, p_chart, shewhart_signal,
};
use fedval_stats::decision_curve::net_benefit;
use fedval_stats::detection::{
    BoundingBox, Candidate, Detection, Froc, ImageBoxes, Lesion, average_precision, match_scan,
};
use fedval_stats::fairness::{gap, spread};
use fedval_stats::localisation::Explanation;
use fedval_stats::multiclass::{ClassScores, OneVersusRestSums, hand_till, one_versus_rest};
use fedval_stats::multilabel::{ConditionScores, macro_area};
use fedval_stats::paired::{
    PairedCounts, difference, mcnemar, non_inferiority, tango, wald_difference,
};
use fedval_stats::pooled_roc::{ScoreHistogram, pooled_auroc};
use fedval_stats::proportion::{fisher_exact, newcombe10};
use fedval_stats::robustness::{Flips, severity_slope};
use fedval_stats::shift::{self, Pair};
use fedval_stats::synthesis::{Moderators, SiteEstimates, Test, between_groups, meta_regression};
use fedval_stats::{Interval, NotEstimable, auroc, bivariate, multiplicity};
use ndarray::{Array2, arr1};
use proptest::prelude::*;

/// Every number that a program can hold.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        Just(0.0),
        Just(1.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MAX),
        -2.0..2.0,
    ]
}

fn any_numbers() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(any_number(), 0..12)
}

/// Counts of all sizes, small ones often.
fn any_count() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..20_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn any_table() -> impl Strategy<Value = TwoByTwo> {
    (any_count(), any_count(), any_count(), any_count()).prop_map(|(tp, fn_, fp, tn)| TwoByTwo {
        tp,
        fn_,
        fp,
        tn,
    })
}

fn number(value: Result<f64, NotEstimable>) {
    assert!(value.is_err() || value.unwrap().is_finite(), "{value:?}");
}

fn interval(value: Result<Interval, NotEstimable>) {
    let Ok(interval) = value else { return };
    let numbers = [interval.estimate, interval.lower, interval.upper];
    assert!(numbers.iter().all(|x| x.is_finite()), "{interval:?}");
    assert!(interval.lower <= interval.estimate && interval.estimate <= interval.upper);
}

fn numbers<'n>(values: impl IntoIterator<Item = &'n f64>) {
    assert!(values.into_iter().all(|value| value.is_finite()));
}

proptest! {
    #[test]
    fn two_by_two_tables(one in any_table(), other in any_table(), level in any_number(), t in any_number()) {
        interval(newcombe10((one.tp, one.n_pos()), (other.tp, other.n_pos()), level));
        number(fisher_exact((one.tp, one.n_pos()), (other.tp, other.n_pos())));
        if let Ok(gap) = gap(&one, &other, level) {
            interval(gap.tpr);
            interval(gap.fpr);
            interval(gap.ppv);
            number(gap.tpr_p);
        }
        number(spread(&[one, other]).and_then(|spread| spread.equalised_odds));
        if let Ok(benefit) = net_benefit(&one, t) {
            numbers(&[benefit.net_benefit, benefit.treat_all]);
            number(benefit.standardised);
            number(benefit.interventions_avoided_per_100);
            number(benefit.se);
        }
        if let Ok(point) = p_chart(one.tp, one.n_pos(), t) {
            numbers(&[point.z, point.lower, point.upper]);
        }
        if let Ok((lower, upper)) = funnel_limits(one.n(), t, level) {
            prop_assert!(lower <= upper);
        }
        interval(Flips { n: one.tp, flips: one.fn_ }.rate(level));
        number(Flips { n: one.tp, flips: one.fn_ }.share());
    }

    #[test]
    fn paired_counts(table in any_table(), level in any_number(), margin in any_number()) {
        let TwoByTwo { tp: both, fn_: only_first, fp: only_second, tn: neither } = table;
        let counts = PairedCounts { both, only_first, only_second, neither };
        number(difference(&counts));
        interval(wald_difference(&counts, level));
        interval(tango(&counts, level));
        if let Ok(shown) = non_inferiority(&counts, margin) {
            numbers(&[shown.z, shown.p_one_sided]);
        }
        if let Ok(test) = mcnemar(&counts) {
            numbers(&[test.p, test.exact_p, test.mid_p]);
            number(test.chi_square);
        }
    }

    #[test]
    fn series(values in any_numbers(), centre in any_number(), sd in any_number(), k in any_number()) {
        for adjust in [multiplicity::holm, multiplicity::hochberg, multiplicity::benjamini_hochberg] {
            if let Ok(adjusted) = adjust(&values) {
                prop_assert!(adjusted.iter().all(|p| (0.0..=1.0).contains(p)));
            }
        }
        if let Ok(baseline) = Baseline::new(centre, sd) {
            if let Ok(chart) = cusum(&values, &baseline, k, k) {
                numbers(chart.above.iter().chain(&chart.below));
            }
            if let Ok(chart) = ewma(&values, &baseline, k, k) {
                numbers(chart.average.iter().chain(&chart.lower).chain(&chart.upper));
            }
            let _ = shewhart_signal(&values, &baseline);
        }
        if let Ok(moments) = Moments::of(values.iter().copied()) {
            number(moments.mean());
            number(moments.sd());
            interval(moments.mean_interval(k));
            let _ = bland_altman(&moments);
        }
        number(quantile(&values, k));
        if let Ok(edges) = Edges::new(values.clone()) {
            let histogram = Histogram::of(edges, [centre, sd, k]);
            number(histogram.quantile(k));
        }
        let rows: Vec<(f64, f64)> = values.iter().map(|x| (*x, k)).collect();
        number(severity_slope(&rows));
        let rounds = [(1, 2), (3, 3)];
        if let Ok(sums) = log_likelihood_cusum(&rounds, centre, k) {
            numbers(&sums);
        }
    }

    #[test]
    fn measurements(values in prop::collection::vec(any_number(), 12), level in any_number()) {
        let table = Array2::from_shape_vec((4, 3), values.clone()).unwrap();
        if let Ok(icc) = MeasurementSums::of(&table).and_then(|sums| intraclass(&sums, level)) {
            for part in [icc.one_way, icc.consistency, icc.agreement_of_mean, icc.agreement] {
                number(part);
            }
            number(icc.agreement_lower);
            number(icc.agreement_upper);
        }
        let heat = arr1(&values).into_dyn();
        let mask = arr1(&[true, false].repeat(6)).into_dyn();
        if let Ok(explanation) = Explanation::new(&heat, &mask) {
            let _ = explanation.pointing_hit();
            number(explanation.energy_inside());
            number(explanation.mass_concentration());
            number(explanation.pixel_auroc());
            let _ = explanation.top_overlap(level).map(|top| top.iou());
        }
    }

    #[test]
    fn grades(counts in prop::collection::vec(any_count(), 9), level in any_number()) {
        let grades = CrossTable::new(Array2::from_shape_vec((3, 3), counts.clone()).unwrap()).unwrap();
        for weighting in [Weighting::Unweighted, Weighting::Linear, Weighting::Quadratic] {
            if let Ok(kappa) = kappa(&grades, weighting, level) {
                interval(kappa.kappa);
                number(kappa.se);
                number(kappa.se_null);
            }
        }
        let subjects: Vec<Vec<u64>> = counts.chunks(3).map(<[u64]>::to_vec).collect();
        if let Ok(kappa) = RatingSums::of(&subjects).and_then(|sums| fleiss_kappa(&sums)) {
            numbers(&[kappa.kappa, kappa.se_null, kappa.z, kappa.p]);
        }
    }

    #[test]
    fn distributions(
        one in prop::collection::vec(any_count(), 4),
        other in prop::collection::vec(any_count(), 4),
        floor in any_number(),
    ) {
        if let Ok(pair) = Pair::new(one.clone(), other.clone()) {
            number(shift::population_stability_index(&pair, floor));
            let distances =
                [shift::jensen_shannon_distance(&pair), shift::hellinger(&pair), shift::total_variation(&pair)];
            prop_assert!(distances.iter().all(|d| (0.0..=1.0 + 1e-9).contains(d)));
            prop_assert!((0.0..=1.0 + 1e-9).contains(&shift::kolmogorov_smirnov(&pair).p));
            let _ = shift::chi_square(&pair);
        }
        if let Ok(area) = ScoreHistogram::new(one, other).and_then(|h| pooled_auroc(&h)) {
            prop_assert!(area.lower_bound <= area.mid && area.mid <= area.upper_bound);
            number(area.se);
        }
    }

    #[test]
    fn several_index_tests(
        keys in prop::collection::vec(prop::collection::vec(any::<i64>(), 0..8), 0..4),
        positive in prop::collection::vec(any::<bool>(), 0..8),
    ) {
        let Ok(sums) = joint_rank_sums(&keys, &positive) else { return Ok(()) };
        prop_assert_eq!(sums.check(), Ok(()));
        if let Ok(joint) = auroc::joint_delong(&sums) {
            numbers(&joint.auc);
            numbers(&joint.covariance);
        }
        if let Ok(difference) = auroc::paired_difference(&sums, 0, 1) {
            numbers(&[difference.difference, difference.se]);
        }
    }

    #[test]
    fn classes(class in prop::collection::vec(0..5_usize, 0..12), keys in prop::collection::vec(any::<i64>(), 36)) {
        let rows = class.len();
        let keys = Array2::from_shape_vec((rows, 3), keys[..rows * 3].to_vec()).unwrap();
        let Ok(scores) = ClassScores::new(class, keys) else { return Ok(()) };
        number(hand_till(&scores));
        let areas = one_versus_rest(&OneVersusRestSums::of(&scores)).unwrap();
        areas.auc.iter().for_each(|area| number(*area));
        number(areas.macro_se());
        interval(areas.macro_average(0.95));
    }

    #[test]
    fn conditions(cases in prop::collection::vec(any::<([i64; 3], [Option<bool>; 3])>(), 0..14)) {
        let of = |place: usize| ConditionScores {
            rank_keys: cases.iter().map(|(keys, _)| keys[place]).collect(),
            reference: cases.iter().map(|(_, reference)| reference[place]).collect(),
        };
        let conditions: Vec<ConditionScores> = (0..3).map(of).collect();
        let found = macro_area(&conditions);
        number(found.as_ref().map(|found| found.se).map_err(|reason| *reason));
        let Ok(found) = found else { return Ok(()) };
        prop_assert!((0.0..=1.0).contains(&found.mean));
        // No mean is less certain than what it is of, and the order of patients is nothing.
        let alone = |of: &ConditionScores| macro_area(std::slice::from_ref(of)).map(|one| one.se);
        let single: f64 = conditions.iter().map(|of| alone(of).unwrap()).sum();
        prop_assert!(found.se <= single / 3.0 + 1e-12);
        let reversed = conditions.into_iter().map(|mut of| {
            of.rank_keys.reverse();
            of.reference.reverse();
            of
        });
        let back = macro_area(&reversed.collect::<Vec<_>>()).unwrap();
        prop_assert!((back.se - found.se).abs() < 1e-12 && (back.mean - found.mean).abs() < 1e-12);
    }

    #[test]
    fn findings(places in prop::collection::vec((any_number(), any_number(), any_number()), 0..8), t in any_number()) {
        let candidates: Vec<Candidate> = places
            .iter()
            .map(|(x, y, p)| Candidate { place: [*x, *y, 0.0], probability: *p })
            .collect();
        let lesions: Vec<Lesion> = places
            .iter()
            .map(|(x, y, d)| Lesion { centre: [*y, *x, 0.0], diameter_mm: *d, excluded: *x > 0.0 })
            .collect();
        if let Ok(froc) = match_scan(&lesions, &candidates).and_then(|scan| Froc::of(&[scan])) {
            prop_assert!((0.0..=1.0).contains(&froc.cpm()));
            number(froc.sensitivity_at(t));
        }
        let boxes: Vec<BoundingBox> = places
            .iter()
            .map(|(x, y, size)| BoundingBox { x: *x, y: *y, width: *size, height: *size })
            .collect();
        let detections = boxes.iter().map(|place| Detection { place: *place, score: place.x }).collect();
        let image = ImageBoxes { references: boxes, detections };
        if let Ok(found) = average_precision(&[image], t) {
            numbers(&[found.average_precision, found.recall]);
        }
    }

    #[test]
    fn moderators(
        rows in prop::collection::vec((any_number(), 1e-3..10.0, any_number()), 2..7),
    ) {
        let (yi, rest): (Vec<f64>, Vec<(f64, f64)>) = rows.iter().map(|(y, v, x)| (*y, (*v, *x))).unzip();
        let (vi, x): (Vec<f64>, Vec<f64>) = rest.into_iter().unzip();
        let Ok(sites) = SiteEstimates::new(yi, vi) else { return Ok(()) };
        if let Ok(test) = between_groups(&sites) {
            prop_assert!((0.0..=1.0).contains(&test.p) || !test.q.is_finite());
        }
        let Ok(moderators) = Moderators::new(Array2::from_shape_vec((x.len(), 1), x).unwrap()) else {
            return Ok(());
        };
        for test in [Test::Wald, Test::HartungKnapp, Test::ModifiedHartungKnapp] {
            if let Ok(fit) = meta_regression(&sites, &moderators, test) {
                numbers(fit.coefficients.iter().chain(&fit.se).chain(fit.statistic.iter().flatten()));
                number(fit.qm);
                number(fit.r2);
            }
        }
    }
}

proptest! {
    // Each fit takes thousands of likelihoods.
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn tables_of_sites(tables in prop::collection::vec(
        (0..40_u64, 0..40_u64, 0..40_u64, 0..40_u64)
            .prop_map(|(tp, fn_, fp, tn)| TwoByTwo { tp, fn_, fp, tn }), 0..6,
    )) {
        if let Ok(fit) = bivariate::reitsma(&tables) {
            numbers(fit.mean.iter().chain(fit.covariance.as_flattened()).chain(fit.between.as_flattened()));
            interval(fit.sensitivity(0.95));
            interval(fit.specificity(0.95));
            if let Ok(curve) = fit.hsroc() {
                prop_assert!((0.0..=1.0 + 1e-9).contains(&curve.area()));
            }
        }
        if let Ok(fit) = bivariate::binomial(&tables) {
            numbers(fit.mean.iter().chain(&fit.se).chain(fit.between.as_flattened()));
        }
    }
}

/// What the properties above once found.
#[test]
fn numbers_next_to_their_ends_are_refused_or_stay_finite() {
    let table = TwoByTwo { tp: 5, fn_: 3, fp: 2, tn: 9 };
    let avoided = net_benefit(&table, 1e-310).unwrap().interventions_avoided_per_100;
    assert_eq!(avoided, Err(NotEstimable::InvalidInput));
    // The smallest number above 0 leaves no standard deviation to divide by.
    let point = p_chart(5, 8, 5e-324);
    assert!(point.is_err() || point.unwrap().z.is_finite());
    let far = Baseline::new(f64::MAX, f64::MAX).unwrap();
    assert!(ewma(&[f64::MAX], &far, 0.2, 3.0).is_err());
    let sums = log_likelihood_cusum(&[(1, 2)], 1e-310, 0.5).unwrap();
    assert!(sums[0].is_finite());
}

#[test]
fn ten_million_cases_have_an_auroc() {
    let case = |index: u32| fedval_stats::aggregate::RankedCase {
        rank_key: i64::from(index.wrapping_mul(2_654_435_761) >> 8),
        positive: index.is_multiple_of(3),
        cluster: 0,
    };
    let cases: Vec<_> = (0..10_000_000).map(case).collect();
    let area = auroc::delong(&rank_sums(&cases).0).unwrap();
    assert!((area.auc - 0.5).abs() < 0.01 && area.se > 0.0);
}
