//! A study of one condition made one of three, with patients, for tests of several crates.

#![allow(dead_code, reason = "each test binary uses its own part")]

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{RankedCase, TwoByTwo, cluster_sums, probability_sums, rank_sums};
use fedval_stats::grid::GridScore;
use fedval_stats::multilabel::{ConditionScores, macro_area};
use fedval_stats::scale::Probability;
use fedval_study::condition_groups::{ConditionGroup, cells};
use fedval_study::conditions::ConditionFindings;
use fedval_study::members::Member;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::{
    AttributeSource, Category, Combine, Condition, Dimension, Grouping, OperatingPoint,
    StudyProtocol, Task, Unit,
};
use fedval_study::{Members, OperatingPointCounts, PatientCounts, Performance};

/// The conditions, each with the cut-off of its score, where it has one.
const CONDITIONS: [(&str, Option<(&str, f64)>); 3] = [
    ("effusion", Some(("effusion-call", 0.5))),
    ("mass", None),
    ("nodule", Some(("nodule-call", 0.4))),
];

/// The same study about effusion, mass and nodule, with one endpoint: this metric.
pub(crate) fn three_conditions(mut plan: StudyProtocol, metric: &str) -> StudyProtocol {
    let condition = |(name, point): (&str, Option<(&str, f64)>)| Condition {
        name: name.parse().unwrap(),
        column: name.to_owned(),
        missing: vec!["-1".to_owned()],
        negative: vec!["0".to_owned()],
        operating_points: point.iter().map(|(name, _)| name.parse().unwrap()).collect(),
        positive: vec!["1".to_owned()],
        prevalences: Vec::new(),
    };
    let point = |(_, point): (&str, Option<(&str, f64)>)| {
        let (name, threshold) = point?;
        Some(OperatingPoint { name: name.parse().unwrap(), threshold })
    };
    plan.task = Task::MultiLabel(CONDITIONS.map(condition).into());
    plan.model.output.values = 3;
    plan.model.output.separate = true;
    plan.reference_standard.positive.clear();
    plan.reference_standard.negative.clear();
    plan.analysis.unit = Unit::Patient;
    plan.analysis.combine = Some(Combine::First);
    plan.analysis.prevalences.clear();
    plan.operating_points = CONDITIONS.into_iter().filter_map(point).collect();
    plan.subgroups.clear();
    plan.crossings.clear();
    plan.endpoints.truncate(1);
    plan.endpoints[0].metric = metric.parse().unwrap();
    plan.endpoints[0].limit = 0.6;
    plan
}

/// The same study by scanner, of which there are three.
pub(crate) fn by_scanner(mut plan: StudyProtocol) -> StudyProtocol {
    let category =
        |name: &str| Category { name: name.parse().unwrap(), values: vec![name.to_owned()] };
    plan.subgroups = vec![Dimension {
        name: "scanner".parse().unwrap(),
        source: AttributeSource::Column("scanner".to_owned()),
        grouping: Grouping::Categories(["a", "b", "c"].map(category).into()),
    }];
    plan
}

/// A patient, with one image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patient {
    pub(crate) key: u32,
    /// The place of the scanner; `None` of one that is not listed, and in studies that have no groups.
    pub(crate) group: Option<u16>,
    pub(crate) reference: [Option<bool>; 3],
    pub(crate) scores: [GridScore; 3],
}

/// So many patients from `first` on, of whom `percent` have each condition; no two of them are alike.
pub(crate) fn patients(first: u32, count: u32, percent: [u32; 3]) -> Vec<Patient> {
    let mut state = u64::from(first) + 1;
    let mut roll = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 32).unwrap() % 1000
    };
    let one = |key: u32| {
        let is_there = percent.map(|percent| roll() < 10 * percent);
        let scores = is_there.map(|is_there| {
            let thousandths = 100 + roll() * 6 / 10 + if is_there { 200 } else { 0 };
            GridScore::from_probability(Probability::new(f64::from(thousandths) / 1000.0).unwrap())
        });
        Patient { key, group: None, reference: is_there.map(Some), scores }
    };
    (first..first + count).map(one).collect()
}

/// What a site counts of them.
pub(crate) fn findings(plan: &StudyProtocol, patients: &[Patient]) -> ConditionFindings {
    let scores: Vec<ConditionScores> = (0..3)
        .map(|of| ConditionScores {
            rank_keys: patients.iter().map(|p| i64::from(p.scores[of].steps())).collect(),
            reference: patients.iter().map(|p| p.reference[of]).collect(),
        })
        .collect();
    let groups = u16::try_from(groups(plan)).unwrap();
    let of_group = |group: u16| {
        let own: Vec<Patient> =
            patients.iter().filter(|patient| patient.group == Some(group)).copied().collect();
        ConditionGroup {
            conditions: (0..3).map(|of| performance(plan, of, &own)).collect(),
            patients: own.len() as u64,
        }
    };
    ConditionFindings {
        conditions: (0..3).map(|of| performance(plan, of, patients)).collect(),
        groups: (0..groups).map(of_group).collect(),
        macro_se_nano: macro_area(&scores).ok().as_ref().and_then(ConditionFindings::told),
        patients: patients.len() as u64,
    }
}

/// Categories of the study's dimension.
fn groups(plan: &StudyProtocol) -> usize {
    plan.subgroups.first().map_or(0, |dimension| dimension.category_names().len())
}

/// Of one condition, without a fitted line.
fn performance(plan: &StudyProtocol, of: usize, patients: &[Patient]) -> Option<Performance> {
    let assessed: Vec<(u32, bool, GridScore)> = (0..)
        .zip(patients)
        .filter_map(|(place, p)| Some((place, p.reference[of]?, p.scores[of])))
        .collect();
    if assessed.is_empty() {
        return None;
    }
    let ranked = |(cluster, positive, score): &(u32, bool, GridScore)| RankedCase {
        rank_key: score.steps().into(),
        positive: *positive,
        cluster: *cluster,
    };
    let squared = |(place, positive, score): &(u32, bool, GridScore)| {
        let observed = if *positive { 1_000_000 } else { 0 };
        (*place, u64::from(score.probability_micro().abs_diff(observed)).pow(2))
    };
    let condition = &plan.task.conditions()[of];
    let own = plan.operating_points.iter();
    let own = own.filter(|point| condition.operating_points.contains(&point.name));
    let with = assessed.iter().filter(|(_, positive, _)| *positive).count() as u64;
    let total = assessed.len() as u64;
    Some(Performance {
        brier_clusters: cluster_sums(assessed.iter().map(squared)),
        calibration: CalibrationOutcome::NotEstimable(NotEstimable::Separation),
        ece_micro: 12_345,
        event_clusters: None,
        operating_points: own.map(|point| calls(point, &assessed)).collect(),
        patients: PatientCounts { total, with_negative: total - with, with_positive: with },
        probabilities: probability_sums(
            assessed.iter().map(|(_, positive, score)| (score.probability_micro(), *positive)),
        ),
        rank_clusters: None,
        ranks: rank_sums(&assessed.iter().map(ranked).collect::<Vec<_>>()).0,
    })
}

fn calls(point: &OperatingPoint, assessed: &[(u32, bool, GridScore)]) -> OperatingPointCounts {
    let cut = GridScore::from_probability(Probability::new(point.threshold).unwrap());
    let count = |is_there: bool, is_called: bool| {
        let cell = assessed
            .iter()
            .filter(|(_, positive, score)| *positive == is_there && (*score >= cut) == is_called);
        cell.count() as u64
    };
    OperatingPointCounts {
        counts: TwoByTwo {
            tp: count(true, true),
            fn_: count(true, false),
            fp: count(false, true),
            tn: count(false, false),
        },
        name: point.name.clone(),
        sensitivity_clusters: None,
        specificity_clusters: None,
    }
}

/// Who they are: each under both labels, in a cell of each condition and, where the study has groups, of each by group.
pub(crate) fn members(plan: &StudyProtocol, patients: &[Patient]) -> Members {
    let mut members = Members::default();
    for (place, patient) in (0_u32..).zip(patients) {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&patient.key.to_le_bytes());
        members.patients.push(key);
        members.cases.extend([false, true].map(|positive| Member {
            patient: place,
            case: key,
            positive,
            cells: cells(&patient.reference, patient.group, groups(plan)).into(),
        }));
    }
    members
}
