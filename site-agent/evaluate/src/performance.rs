//! The aggregates of one group of units.

use std::collections::BTreeMap;

use fedval_disclosure::rules::dc01_closed_schema::is_in_range;
use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{
    CalibrationFit, ClusterSums, RankedCase, TwoByTwo, cluster_sums, probability_sums, rank_sums_of,
};
use fedval_stats::calibration::{self, CalibrationCase, Covariance};
use fedval_stats::grid::GridScore;
use fedval_stats::scale::Probability;
use fedval_study::noisy::edges_micro;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::{OperatingPoint, StudyProtocol};
use fedval_study::summary::Histogram;
use fedval_study::{OperatingPointCounts, PatientCounts, Performance};

use crate::unit::AnalysedUnit;

/// Probabilities stand in 10⁻⁶, their squared errors in 10⁻¹².
const MICRO: u64 = 1_000_000;

/// Distinct patients of a group.
pub(crate) fn patient_counts(units: &[&AnalysedUnit]) -> PatientCounts {
    let distinct = |keep: &dyn Fn(&AnalysedUnit) -> bool| {
        let kept = units.iter().filter(|unit| keep(unit));
        let mut patients: Vec<u32> = kept.map(|unit| unit.patient).collect();
        patients.sort_unstable();
        patients.dedup();
        patients.len() as u64
    };
    PatientCounts {
        total: distinct(&|_| true),
        with_positive: distinct(&|unit| unit.positive),
        with_negative: distinct(&|unit| !unit.positive),
    }
}

/// Patients with more than one unit.
pub(crate) fn patients_with_several(units: &[&AnalysedUnit]) -> u64 {
    by_patient(units, |_| 1).values().filter(|units| **units > 1).count() as u64
}

/// Most units of one patient.
pub(crate) fn most_cases(units: &[&AnalysedUnit]) -> u64 {
    by_patient(units, |_| 1).into_values().max().unwrap_or(0)
}

/// The two largest sums of squared errors of one patient, together.
pub(crate) fn two_largest_brier(units: &[&AnalysedUnit]) -> u128 {
    let mut sums: Vec<u64> = by_patient(units, squared_error).into_values().collect();
    sums.sort_unstable();
    sums.iter().rev().take(2).map(|sum| u128::from(*sum)).sum()
}

fn by_patient(units: &[&AnalysedUnit], of: impl Fn(&AnalysedUnit) -> u64) -> BTreeMap<u32, u64> {
    let mut sums: BTreeMap<u32, u64> = BTreeMap::new();
    for unit in units {
        *sums.entry(unit.patient).or_default() += of(unit);
    }
    sums
}

/// Each patient whose first unit of all is here, by its score.
pub(crate) fn histogram(units: &[&AnalysedUnit], protocol: &StudyProtocol) -> Histogram {
    let edges = edges_micro(protocol);
    let empty = vec![0; edges.len()];
    let mut histogram = Histogram { positives: empty.clone(), negatives: empty };
    for unit in units.iter().filter(|unit| unit.is_first) {
        let bin = edges.partition_point(|edge| *edge <= unit.score.probability_micro());
        let bin = bin.min(edges.len().saturating_sub(1));
        let class = if unit.positive { &mut histogram.positives } else { &mut histogram.negatives };
        class[bin] += 1;
    }
    histogram
}

/// What standard errors are clustered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clusters {
    /// Patients, where one has several units.
    Patients,
    /// Nothing: each unit stands for itself.
    Cases,
}

/// The aggregates of a group at all of the protocol's operating points; `None` for an empty one.
pub(crate) fn performance(
    units: &[&AnalysedUnit],
    protocol: &StudyProtocol,
    clusters: Clusters,
) -> Option<Performance> {
    let points: Vec<&OperatingPoint> = protocol.operating_points.iter().collect();
    performance_at(units, &points, protocol.analysis.ece_bins as usize, clusters)
}

/// The same at some of them.
pub(crate) fn performance_at(
    units: &[&AnalysedUnit],
    points: &[&OperatingPoint],
    ece_bins: usize,
    clusters: Clusters,
) -> Option<Performance> {
    if units.is_empty() {
        return None;
    }
    let patients = patient_counts(units);
    let clustered = clusters == Clusters::Patients && patients.total < units.len() as u64;
    let (ranks, rank_clusters) = rank_sums_of(units.iter().map(|unit| ranked(unit)).collect());
    let events = || cluster_sums(units.iter().map(|unit| (unit.patient, u64::from(unit.positive))));
    Some(Performance {
        patients,
        ranks,
        rank_clusters: clustered.then(|| Box::new(rank_clusters)),
        operating_points: points
            .iter()
            .map(|point| operating_point(units, point, clustered))
            .collect(),
        probabilities: probability_sums(
            units.iter().map(|unit| (unit.score.probability_micro(), unit.positive)),
        ),
        brier_clusters: cluster_sums((0..).zip(units).map(|(index, unit)| {
            let cluster = if clustered { unit.patient } else { index };
            (cluster, squared_error(unit))
        })),
        event_clusters: clustered.then(|| Box::new(events())),
        calibration: recalibration(units, clustered),
        ece_micro: ece_micro(units, ece_bins),
    })
}

fn ranked(unit: &AnalysedUnit) -> RankedCase {
    RankedCase {
        rank_key: i64::from(unit.score.steps()),
        positive: unit.positive,
        cluster: unit.patient,
    }
}

fn squared_error(unit: &AnalysedUnit) -> u64 {
    let observed = if unit.positive { MICRO } else { 0 };
    observed.abs_diff(u64::from(unit.score.probability_micro())).pow(2)
}

fn operating_point(
    units: &[&AnalysedUnit],
    point: &OperatingPoint,
    clustered: bool,
) -> OperatingPointCounts {
    let threshold = Probability::new(point.threshold).map(GridScore::from_probability);
    let called = |unit: &AnalysedUnit| threshold.is_ok_and(|threshold| unit.score >= threshold);
    let count = |positive: bool, call: bool| {
        let cell = units.iter().filter(|unit| unit.positive == positive && called(unit) == call);
        cell.count() as u64
    };
    let right = |positive: bool| -> ClusterSums {
        let class = units.iter().filter(|unit| unit.positive == positive);
        cluster_sums(class.map(|unit| (unit.patient, u64::from(called(unit) == positive))))
    };
    OperatingPointCounts {
        name: point.name.clone(),
        counts: TwoByTwo {
            tp: count(true, true),
            fn_: count(true, false),
            fp: count(false, true),
            tn: count(false, false),
        },
        sensitivity_clusters: clustered.then(|| Box::new(right(true))),
        specificity_clusters: clustered.then(|| Box::new(right(false))),
    }
}

fn recalibration(units: &[&AnalysedUnit], clustered: bool) -> CalibrationOutcome {
    let rows: Vec<CalibrationCase> = units
        .iter()
        .map(|unit| CalibrationCase {
            logit: unit.score.logit(),
            event: unit.positive,
            cluster: unit.patient,
        })
        .collect();
    let covariance = if clustered { Covariance::ClusterRobust } else { Covariance::ModelBased };
    let fit = calibration::fit(&rows, covariance).and_then(|estimate| {
        // What the gate does not let out means nothing.
        CalibrationFit::from_estimate(&estimate)
            .filter(is_in_range)
            .ok_or(NotEstimable::NotConverged)
    });
    match fit {
        Ok(fit) => CalibrationOutcome::Fit(fit),
        Err(reason) => CalibrationOutcome::NotEstimable(told(reason)),
    }
}

/// Only the reasons that the contract knows leave the site.
const fn told(reason: NotEstimable) -> NotEstimable {
    match reason {
        NotEstimable::OneClassOnly
        | NotEstimable::Separation
        | NotEstimable::ConstantScore
        | NotEstimable::TooFewClusters => reason,
        _ => NotEstimable::NotConverged,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share between 0 and 1, in millionths"
)]
fn ece_micro(units: &[&AnalysedUnit], bins: usize) -> u64 {
    let rows: Vec<(f64, bool)> = units
        .iter()
        .map(|unit| (f64::from(unit.score.probability_micro()) / 1e6, unit.positive))
        .collect();
    let ece = calibration::ece(&rows, bins).unwrap_or(0.0);
    (ece * 1e6).round() as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fedval_study::Canonical;
    use fedval_study::draft::Draft;
    use proptest::prelude::*;

    use super::*;

    const STUDY: &str = r#"
id = "any"
title = "Any"
target_condition = "any"
[model]
name = "any"
file = "any.onnx"
[model.input]
name = "image"
layout = "nchw"
height = 4
width = 4
channels = 1
scaling = "unit"
resize = "refuse"
monochrome1 = "invert"
[model.output]
name = "score"
scale = "probability"
[reference_standard]
description = "any"
positive = ["1"]
negative = ["0"]
[analysis]
unit = "image"
[[operating_points]]
name = "low"
threshold = 0.01
[[operating_points]]
name = "half"
threshold = 0.5
[[endpoints]]
name = "any"
metric = "auroc"
limit = 0.7
[disclosure]
k = 11
"#;

    fn protocol() -> StudyProtocol {
        let draft = Draft::parse(STUDY).unwrap();
        draft.pin_model(fedval_study::Sha256Digest::of(b"any"), 3).unwrap()
    }

    fn unit(patient: u32, positive: bool, steps: i32) -> AnalysedUnit {
        let score = GridScore::from_steps(steps).unwrap();
        AnalysedUnit { patient, score, categories: 0, is_first: true, positive }
    }

    /// Few patients and few scores, so that ties, repeated patients and single classes abound.
    fn any_units() -> impl Strategy<Value = Vec<AnalysedUnit>> {
        let steps = prop_oneof![-3..3_i32, -1_381_551..=1_381_551_i32];
        let unit = (0..12_u32, any::<bool>(), steps)
            .prop_map(|(patient, positive, steps)| unit(patient, positive, steps));
        prop::collection::vec(unit, 1..60)
    }

    proptest! {
        #[test]
        fn whatever_the_scores_the_aggregates_are_consistent_and_have_a_canonical_form(
            units in any_units(),
        ) {
            let found = performance(&units.iter().collect::<Vec<_>>(), &protocol(), Clusters::Patients).unwrap();
            prop_assert_eq!(found.check(), Ok(()));
            prop_assert!(Canonical::new(found.clone()).is_ok());
            let distinct: BTreeSet<u32> = units.iter().map(|unit| unit.patient).collect();
            prop_assert_eq!(found.is_clustered(), distinct.len() < units.len());
        }

        #[test]
        fn the_order_of_units_does_not_matter(units in any_units()) {
            let reversed: Vec<_> = units.iter().rev().collect();
            let (there, back) = (
                performance(&units.iter().collect::<Vec<_>>(), &protocol(), Clusters::Patients).unwrap(),
                performance(&reversed, &protocol(), Clusters::Patients).unwrap(),
            );
            prop_assert_eq!(there.ranks, back.ranks);
            prop_assert_eq!(there.probabilities, back.probabilities);
            prop_assert_eq!(there.operating_points, back.operating_points);
            prop_assert_eq!(there.brier_clusters, back.brier_clusters);
        }
    }

    #[test]
    fn nobody_has_no_performance() {
        assert_eq!(performance(&[], &protocol(), Clusters::Patients), None);
    }

    #[test]
    fn one_class_says_why_it_has_no_calibration() {
        let units = [unit(0, true, 1), unit(1, true, 2)];
        let found = performance(&units.iter().collect::<Vec<_>>(), &protocol(), Clusters::Patients)
            .unwrap();
        let reason = CalibrationOutcome::NotEstimable(NotEstimable::OneClassOnly);
        assert_eq!(found.calibration, reason);
        assert_eq!(found.operating_points[0].counts.fp, 0);
    }
}
