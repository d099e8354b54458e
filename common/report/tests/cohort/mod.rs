//! Synthetic cohorts, reduced by the same functions that sites use.

use fedval_stats::aggregate::{
    CalibrationFit, RankedCase, TwoByTwo, cluster_sums, probability_sums, rank_sums,
};
use fedval_stats::calibration::{CalibrationCase, Covariance, ece, fit};
use fedval_stats::grid::GridScore;
use fedval_stats::scale::{Logit, Probability, expit};
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{OperatingPointCounts, PatientCounts, Performance};

/// One image of one patient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) patient: u32,
    pub(crate) positive: bool,
    pub(crate) female: bool,
    pub(crate) old: bool,
    pub(crate) score: GridScore,
}

/// How a synthetic cohort comes about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) seed: u64,
    pub(crate) patients: u32,
    /// Images of every third patient; the others have one.
    pub(crate) repeats: u32,
    pub(crate) prevalence: f64,
    /// Distance of the classes on the logit scale.
    pub(crate) separation: f64,
    /// Added to every logit: above 0 the model expects too many events.
    pub(crate) shift: f64,
    pub(crate) share_female: f64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            patients: 240,
            repeats: 1,
            prevalence: 0.4,
            separation: 2.2,
            shift: 0.0,
            share_female: 0.5,
        }
    }
}

/// A linear congruential generator (Knuth's MMIX constants): enough to make cases, no more.
struct Generator(u64);

impl Generator {
    fn uniform(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = u32::try_from(self.0 >> 32).unwrap();
        f64::from(bits) / 4_294_967_296.0
    }

    /// Nearly normal: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

impl Recipe {
    pub(crate) fn cases(self) -> Vec<Case> {
        let mut generator = Generator(self.seed);
        let mut cases = Vec::new();
        for patient in 0..self.patients {
            let positive = generator.uniform() < self.prevalence;
            let female = generator.uniform() < self.share_female;
            let old = generator.uniform() < 0.45;
            let centre = if positive { 0.5 } else { -0.5 } * self.separation;
            let own = 0.5 * generator.normal();
            let images = if patient % 3 == 0 { self.repeats } else { 1 };
            for _ in 0..images {
                let logit = centre + own + generator.normal() + self.shift;
                let score = GridScore::from_logit(Logit::new(logit).unwrap());
                cases.push(Case { patient, positive, female, old, score });
            }
        }
        cases
    }
}

/// The aggregates of `cases`, as a site would send them.
pub(crate) fn performance(cases: &[Case], plan: &StudyProtocol) -> Performance {
    let ranked: Vec<_> = cases
        .iter()
        .map(|case| RankedCase {
            rank_key: case.score.steps().into(),
            positive: case.positive,
            cluster: case.patient,
        })
        .collect();
    let (ranks, clusters) = rank_sums(&ranked);
    let clustered = clusters.clusters < ranks.n_pos + ranks.n_neg;
    let micro = |case: &Case| case.score.probability_micro();
    let brier = cases.iter().map(|case| {
        let residual = u64::from(micro(case).abs_diff(if case.positive { 1_000_000 } else { 0 }));
        (case.patient, residual * residual)
    });
    Performance {
        patients: PatientCounts {
            total: clusters.clusters,
            with_positive: clusters.clusters_pos,
            with_negative: clusters.clusters_neg,
        },
        ranks,
        rank_clusters: clustered.then(|| Box::new(clusters)),
        operating_points: plan
            .operating_points
            .iter()
            .map(|point| {
                let cut = GridScore::from_probability(Probability::new(point.threshold).unwrap());
                operating_point(cases, point.name.as_str(), cut, clustered)
            })
            .collect(),
        probabilities: probability_sums(cases.iter().map(|case| (micro(case), case.positive))),
        brier_clusters: cluster_sums(brier),
        event_clusters: clustered.then(|| {
            Box::new(cluster_sums(
                cases.iter().map(|case| (case.patient, u64::from(case.positive))),
            ))
        }),
        calibration: calibration(cases, clustered),
        ece_micro: expected_calibration_error(cases, plan.analysis.ece_bins),
    }
}

fn operating_point(
    cases: &[Case],
    name: &str,
    cut: GridScore,
    clustered: bool,
) -> OperatingPointCounts {
    let of = |positive: bool, called: bool| {
        let matching =
            cases.iter().filter(|c| c.positive == positive && (c.score >= cut) == called);
        u64::try_from(matching.count()).unwrap()
    };
    let sums = |positive: bool| {
        let rows = cases
            .iter()
            .filter(|case| case.positive == positive)
            .map(|case| (case.patient, u64::from((case.score >= cut) == positive)));
        clustered.then(|| Box::new(cluster_sums(rows)))
    };
    OperatingPointCounts {
        name: name.parse().unwrap(),
        counts: TwoByTwo {
            tp: of(true, true),
            fn_: of(true, false),
            fp: of(false, true),
            tn: of(false, false),
        },
        sensitivity_clusters: sums(true),
        specificity_clusters: sums(false),
    }
}

fn calibration(cases: &[Case], clustered: bool) -> CalibrationOutcome {
    let rows: Vec<_> = cases
        .iter()
        .map(|case| CalibrationCase {
            logit: case.score.logit(),
            event: case.positive,
            cluster: case.patient,
        })
        .collect();
    let covariance = if clustered { Covariance::ClusterRobust } else { Covariance::ModelBased };
    match fit(&rows, covariance) {
        Ok(line) => CalibrationOutcome::Fit(CalibrationFit::from_estimate(&line).unwrap()),
        Err(reason) => CalibrationOutcome::NotEstimable(reason),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lies in 0..=10^6")]
fn expected_calibration_error(cases: &[Case], bins: u32) -> u64 {
    let rows: Vec<_> =
        cases.iter().map(|case| (expit(case.score.logit()), case.positive)).collect();
    let bins = usize::try_from(bins).unwrap();
    (ece(&rows, bins).unwrap() * 1e6).round() as u64
}
