//! AUROC, proportions and calibration.

use fedval_stats::aggregate::{ClusterSums, RankedCase, cluster_sums, rank_sums};
use fedval_stats::calibration::{CalibrationCase, Covariance, ece, fit, ici_loess, mce};
use fedval_stats::grid::GridScore;
use fedval_stats::scale::{Logit, Probability};
use fedval_stats::{Interval, auroc, proportion};
use proptest::prelude::*;

use crate::aggregates::any_cases;

fn covers(interval: &Interval) -> bool {
    let ordered = interval.lower <= interval.estimate && interval.estimate <= interval.upper;
    ordered && interval.lower >= 0.0 && interval.upper <= 1.0
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1.0)
}

fn any_sums() -> impl Strategy<Value = ClusterSums> {
    prop::collection::vec((0..8_u32, 0..=1_u64), 1..40).prop_map(cluster_sums)
}

fn any_rows() -> impl Strategy<Value = Vec<(f64, bool)>> {
    prop::collection::vec((0..=50_u32, any::<bool>()), 1..80)
        .prop_map(|rows| rows.into_iter().map(|(p, y)| (f64::from(p) / 50.0, y)).collect())
}

fn calibration_cases(rows: &[(i32, bool)]) -> Vec<CalibrationCase> {
    rows.iter()
        .zip(0..)
        .map(|(&(logit, event), cluster)| CalibrationCase {
            logit: f64::from(logit) / 4.0,
            event,
            cluster,
        })
        .collect()
}

proptest! {
    /// DeLong's variance from its definition, in floating point, by comparing all pairs.
    #[test]
    fn delong_equals_its_definition(cases in any_cases()) {
        let (ranks, _) = rank_sums(&cases);
        let Ok(got) = auroc::delong(&ranks) else { return Ok(()) };
        let of = |positive: bool| {
            cases.iter().filter(move |c| c.positive == positive).map(|c| c.rank_key as f64)
        };
        let score = |x: f64, y: f64| if x > y { 1.0 } else if x < y { 0.0 } else { 0.5 };
        let (m, n) = (of(true).count() as f64, of(false).count() as f64);
        let v10: Vec<f64> = of(true).map(|x| of(false).map(|y| score(x, y)).sum::<f64>() / n).collect();
        let v01: Vec<f64> = of(false).map(|y| of(true).map(|x| score(x, y)).sum::<f64>() / m).collect();
        let auc = v10.iter().sum::<f64>() / m;
        let spread = |v: &[f64], n: f64| v.iter().map(|v| (v - auc) * (v - auc)).sum::<f64>() / (n - 1.0);
        prop_assert!(close(got.auc, auc));
        prop_assert!(close(got.s10, spread(&v10, m)) && close(got.s01, spread(&v01, n)));
    }

    /// Obuchowski's variance from its definition, in floating point, cluster by cluster.
    #[test]
    fn obuchowski_equals_its_definition(cases in any_cases()) {
        let (ranks, clusters) = rank_sums(&cases);
        let Ok(got) = auroc::cluster_components(&ranks, &clusters) else { return Ok(()) };
        let (m, n) = (ranks.n_pos as f64, ranks.n_neg as f64);
        let auc = auroc::auc_of(&ranks).unwrap();
        let deviation = |case: &RankedCase| {
            let others = cases.iter().filter(|other| other.positive != case.positive);
            let sign = if case.positive { 1.0 } else { -1.0 };
            let wins = others.map(|other| {
                0.5 + 0.5 * sign * ((case.rank_key - other.rank_key).signum() as f64)
            });
            wins.sum::<f64>() / if case.positive { n } else { m } - auc
        };
        let total = |cluster: u32, positive: bool| -> f64 {
            let own = cases.iter().filter(|c| c.cluster == cluster && c.positive == positive);
            own.map(deviation).sum()
        };
        let sum = |f: &dyn Fn(u32) -> f64| (0..12).map(f).sum::<f64>();
        let factor = |clusters: u64| clusters as f64 / (clusters as f64 - 1.0);
        let s10 = factor(clusters.clusters_pos) / m * sum(&|k| total(k, true) * total(k, true));
        let s01 = factor(clusters.clusters_neg) / n * sum(&|k| total(k, false) * total(k, false));
        let s11 = factor(clusters.clusters) * sum(&|k| total(k, true) * total(k, false));
        prop_assert!(close(got.s10, s10) && close(got.s01, s01) && close(got.s11, s11));
        prop_assert!(close(got.variance, s10 / m + s01 / n + 2.0 * s11 / (m * n)));
    }

    #[test]
    fn one_case_a_cluster_reproduces_delong(cases in any_cases()) {
        let alone: Vec<_> = cases
            .iter()
            .zip(0..)
            .map(|(case, cluster)| RankedCase { cluster, ..*case })
            .collect();
        let (ranks, clusters) = rank_sums(&alone);
        let (Ok(plain), Ok(clustered)) =
            (auroc::delong(&ranks), auroc::clustered(&ranks, &clusters)) else { return Ok(()) };
        prop_assert!(close(plain.variance, clustered.variance));
        prop_assert!(close(plain.s10, clustered.s10) && close(plain.s01, clustered.s01));
        prop_assert_eq!(clustered.s11, Some(0.0));
    }

    #[test]
    fn swapping_the_classes_mirrors_the_area_and_keeps_the_variance(cases in any_cases()) {
        let swapped: Vec<_> = cases
            .iter()
            .map(|case| RankedCase { positive: !case.positive, ..*case })
            .collect();
        let ((ranks, clusters), (swapped_ranks, swapped_clusters)) =
            (rank_sums(&cases), rank_sums(&swapped));
        if let (Ok(a), Ok(b)) = (auroc::delong(&ranks), auroc::delong(&swapped_ranks)) {
            prop_assert!(close(a.auc, 1.0 - b.auc) && close(a.variance, b.variance));
        }
        let a = auroc::clustered(&ranks, &clusters);
        let b = auroc::clustered(&swapped_ranks, &swapped_clusters);
        prop_assert_eq!(a.is_ok(), b.is_ok());
        if let (Ok(a), Ok(b)) = (a, b) {
            prop_assert!(close(a.variance, b.variance));
        }
    }

    #[test]
    fn every_area_with_both_classes_has_a_covering_interval(cases in any_cases()) {
        let (ranks, clusters) = rank_sums(&cases);
        prop_assume!(ranks.n_pos > 0 && ranks.n_neg > 0);
        for clusters in [None, Some(&clusters)] {
            for level in [0.5, 0.95, 0.999] {
                let (interval, _) = auroc::interval(&ranks, clusters, level).unwrap();
                prop_assert!(covers(&interval), "{interval:?}");
                prop_assert!(interval.upper > interval.lower);
            }
        }
    }

    #[test]
    fn binomial_intervals_cover_and_mirror(n in 1..2_000_u64, share in 0.0..=1.0_f64) {
        let x = ((n as f64) * share) as u64;
        for interval in [proportion::wilson, proportion::clopper_pearson, proportion::jeffreys] {
            let (hits, misses) = (interval(x, n, 0.95).unwrap(), interval(n - x, n, 0.95).unwrap());
            prop_assert!(covers(&hits));
            prop_assert!((hits.lower - (1.0 - misses.upper)).abs() < 1e-12);
        }
    }

    #[test]
    fn clopper_pearson_contains_wilson_s_centre_and_jeffreys(n in 2..500_u64, share in 0.0..=1.0_f64) {
        let x = ((n as f64) * share) as u64;
        let exact = proportion::clopper_pearson(x, n, 0.95).unwrap();
        let jeffreys = proportion::jeffreys(x, n, 0.95).unwrap();
        prop_assert!(exact.lower <= jeffreys.lower + 1e-12 && jeffreys.upper <= exact.upper + 1e-12);
    }

    #[test]
    fn clustered_intervals_cover(sums in any_sums()) {
        let interval = proportion::clustered_interval(&sums, 0.95).unwrap();
        prop_assert!(covers(&interval), "{interval:?}");
        if let Ok(got) = proportion::clustered(&sums) {
            prop_assert!(close(got.proportion, interval.estimate) && got.variance >= 0.0);
            let (mean, se) = proportion::ratio_mean(&sums, 1.0).unwrap();
            prop_assert!(close(mean, got.proportion) && close(se, got.se));
        }
    }

    #[test]
    fn swapping_outcomes_and_signs_mirrors_the_calibration_line(
        rows in prop::collection::vec((-20..20_i32, any::<bool>()), 4..60),
    ) {
        let mirrored: Vec<_> = rows.iter().map(|&(logit, event)| (-logit, !event)).collect();
        let line = fit(&calibration_cases(&rows), Covariance::ClusterRobust);
        let mirror = fit(&calibration_cases(&mirrored), Covariance::ClusterRobust);
        prop_assert_eq!(line.is_ok(), mirror.is_ok());
        if let (Ok(line), Ok(mirror)) = (line, mirror) {
            // Nearly separated data have slopes in the hundreds: compare on the scale of the error.
            let se = line.covariance[1][1].sqrt().max(1.0);
            prop_assert!((line.slope - mirror.slope).abs() < 1e-7 * se);
            prop_assert!((line.citl + mirror.citl).abs() < 1e-10);
            prop_assert!(line.covariance[0][0] >= 0.0 && line.se_citl > 0.0);
        }
    }

    #[test]
    fn calibration_errors_are_ordered_fractions(rows in any_rows(), bins in 1..30_usize) {
        let (ece, mce) = (ece(&rows, bins).unwrap(), mce(&rows, bins).unwrap());
        prop_assert!(0.0 <= ece && ece <= mce + 1e-12 && mce <= 1.0);
        if let Ok(smooth) = ici_loess(&rows) {
            prop_assert!(0.0 <= smooth.e50 && smooth.e50 <= smooth.e90);
            prop_assert!(smooth.e90 <= smooth.emax && smooth.emax <= 1.0);
            prop_assert!(smooth.ici <= smooth.emax + 1e-12);
        }
    }

    #[test]
    fn the_grid_keeps_order_and_is_idempotent(a in 0.0..=1.0_f64, b in 0.0..=1.0_f64) {
        let at = |p: f64| GridScore::from_probability(Probability::new(p).unwrap());
        prop_assert!((a <= b) <= (at(a) <= at(b)));
        let again = GridScore::from_logit(Logit::new(at(a).logit()).unwrap());
        prop_assert_eq!(again, at(a));
        prop_assert_eq!(GridScore::from_steps(at(a).steps()), Some(at(a)));
        prop_assert!((f64::from(at(a).probability_micro()) / 1e6 - a).abs() < 4e-6);
    }
}
