//! A protocol, and cohorts reduced to aggregates by the functions that sites use.
//!
//! Tests of several crates take this file by its path: their aggregates are real ones.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::{BTreeMap, BTreeSet};

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{
    CalibrationFit, ClusterSums, RankedCase, TwoByTwo, cluster_sums, probability_sums, rank_sums,
};
use fedval_stats::calibration::{CalibrationCase, Covariance, ece, fit};
use fedval_stats::grid::GridScore;
use fedval_stats::scale::{Logit, Probability};
use fedval_study::draft::Draft;
use fedval_study::members::{Member, MemberKey, UNLISTED};
use fedval_study::noisy::edges_micro;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::{OperatingPoint, StudyProtocol, Table, TableKind};
use fedval_study::summary::{
    BinaryFindings, DimensionSummary, FailureReason, Findings, GroupSummary, Histogram, Leaf,
};
use fedval_study::{
    BuildDigest, CohortCommitment, LockedProtocol, Members, Name, OperatingPointCounts,
    PatientCounts, Performance, PolicyDigest, ProbeDigests, ResultHeader, ScoreSource,
    Sha256Digest, SiteSummary,
};

/// The study as its author writes it.
pub(crate) const STUDY: &str = r#"
id = "chest"
title = "Pneumonia on chest radiographs"
target_condition = "pneumonia"

[model]
name = "cnn"
file = "cnn.onnx"
[model.input]
name = "image"
layout = "nchw"
height = 64
width = 64
channels = 1
scaling = "unit"
resize = "refuse"
monochrome1 = "invert"
[model.output]
name = "probability"
scale = "probability"

[reference_standard]
description = "radiologist's report"
positive = ["1"]
negative = ["0"]

[analysis]
unit = "image"

[[operating_points]]
name = "rule-out"
threshold = 0.2
[[operating_points]]
name = "half"
threshold = 0.5

[[subgroups]]
dimension = "scanner"
column = "scanner"
categories = [
    { name = "a", values = ["a"] },
    { name = "b", values = ["b"] },
    { name = "c", values = ["c"] },
]

[[endpoints]]
name = "discrimination"
metric = "auroc"
limit = 0.7

[disclosure]
k = 11
"#;

/// The bytes that stand for a model file.
pub(crate) const MODEL: &[u8] = b"the bytes of a model";

/// The protocol of [`STUDY`] with [`MODEL`].
pub(crate) fn protocol() -> StudyProtocol {
    let draft = Draft::parse(STUDY).expect("the study breaks no rule");
    draft.pin_model(Sha256Digest::of(MODEL), MODEL.len() as u64).expect("the study pins no model")
}

/// The same, locked.
pub(crate) fn locked() -> LockedProtocol {
    LockedProtocol::new(protocol()).expect("the study breaks no rule")
}

/// The header of a result of `site` for the first round.
pub(crate) fn header(locked: &LockedProtocol, site: &str) -> ResultHeader {
    let digest = |text: &str| Sha256Digest::of(format!("{text} of {site}").as_bytes());
    ResultHeader {
        study: locked.protocol().id.clone(),
        protocol: locked.digest(),
        model: locked.protocol().model.digest,
        round: "chest-r1".parse().unwrap(),
        site: site.parse().unwrap(),
        cohort: Some(CohortCommitment(digest("cohort"))),
        policy: Some(PolicyDigest(digest("policy"))),
        agent_build: BuildDigest(digest("agent")),
        scores: ScoreSource::Model,
        preprocessing: ProbeDigests::default(),
    }
}

/// One image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) patient: u32,
    pub(crate) positive: bool,
    /// Category of the protocol's dimension; empty where it is unknown.
    pub(crate) scanner: &'static str,
    /// Category of the dimension `sex`, in protocols that have one.
    pub(crate) sex: &'static str,
    pub(crate) score: GridScore,
}

/// A group of patients that differ in nothing but their scores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) scanner: &'static str,
    pub(crate) positives: u32,
    pub(crate) negatives: u32,
    /// Images of each patient.
    pub(crate) images: u32,
}

/// Patients of one scanner, one image each.
pub(crate) fn group(scanner: &'static str, positives: u32, negatives: u32) -> Group {
    Group { scanner, positives, negatives, images: 1 }
}

/// The cases of `groups`; the same seed gives the same scores.
pub(crate) fn cases(seed: u64, groups: &[Group]) -> Vec<Case> {
    let mut state = seed;
    let mut cases = Vec::new();
    let mut patient = 0;
    for group in groups {
        for index in 0..group.positives + group.negatives {
            let positive = index < group.positives;
            for _ in 0..group.images {
                let logit = logistic(&mut state) + if positive { 1.0 } else { -1.0 };
                let score = GridScore::from_logit(Logit::new(logit).unwrap());
                let (scanner, sex) = (group.scanner, "");
                cases.push(Case { patient, positive, scanner, sex, score });
            }
            patient += 1;
        }
    }
    cases
}

/// A logistic deviate from a linear congruential generator (Knuth's MMIX constants).
fn logistic(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let uniform = (f64::from(u32::try_from(*state >> 32).unwrap()) + 0.5) / 4_294_967_296.0;
    (uniform / (1.0 - uniform)).ln()
}

/// A cohort that is large enough for everything to be released.
pub(crate) fn large() -> Vec<Case> {
    cases(7, &[group("a", 30, 40), group("b", 25, 35), group("c", 20, 30)])
}

/// The exact evidence on `cases`.
pub(crate) fn summary(cases: &[Case], protocol: &StudyProtocol) -> SiteSummary {
    let tables = protocol.tables();
    let dimensions = tables.iter().enumerate().map(|(index, table)| {
        let names = table.categories.iter().enumerate();
        let mut leaves: Vec<Leaf> = names
            .map(|(cell, name)| {
                leaf(Some(name), index, u16::try_from(cell).unwrap(), cases, protocol)
            })
            .collect();
        leaves.push(leaf(None, index, UNLISTED, cases, protocol));
        DimensionSummary { dimension: table.name.clone(), leaves }
    });
    SiteSummary {
        cohort: CohortCommitment(Sha256Digest::of(b"cohort")),
        failures: Vec::new(),
        findings: Findings::Binary(BinaryFindings {
            overall: group_summary(cases, protocol),
            dimensions: dimensions.collect(),
        }),
        members: members(cases, protocol),
    }
}

/// What was counted in a binary study.
pub(crate) fn binary(summary: &SiteSummary) -> &BinaryFindings {
    let Findings::Binary(found) = &summary.findings else { panic!("several classes") };
    found
}

/// The same, to be changed.
pub(crate) fn binary_mut(summary: &mut SiteSummary) -> &mut BinaryFindings {
    let Findings::Binary(found) = &mut summary.findings else { panic!("several classes") };
    found
}

/// Who stands in which cell: the same patient and image have the same key in every cohort.
pub(crate) fn members(cases: &[Case], protocol: &StudyProtocol) -> Members {
    let mut members = Members::default();
    let mut places: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for case in cases {
        let next = u32::try_from(places.len()).unwrap();
        let (place, images) = places.entry(case.patient).or_insert((next, 0));
        *images += 1;
        if *images == 1 {
            members.patients.push(member_key(case.patient, 0));
        }
        members.cases.push(Member {
            patient: *place,
            case: member_key(case.patient, *images),
            positive: case.positive,
            cells: cells_of(case, protocol).into(),
        });
    }
    members
}

/// The case's cell in each table.
fn cells_of(case: &Case, protocol: &StudyProtocol) -> Vec<u16> {
    let tables = protocol.tables();
    let of = |dimension: usize| {
        let value = if tables[dimension].name.as_str() == "sex" { case.sex } else { case.scanner };
        tables[dimension].categories.iter().position(|name| name.as_str() == value)
    };
    let cell = |table: &Table| match table.kind {
        TableKind::OneWay(dimension) => of(dimension),
        TableKind::Crossing { rows, columns } => {
            of(rows).zip(of(columns)).map(|(r, c)| r * tables[columns].categories.len() + c)
        }
    };
    tables.iter().map(|t| cell(t).map_or(UNLISTED, |c| u16::try_from(c).unwrap())).collect()
}

fn member_key(patient: u32, image: u32) -> MemberKey {
    let key = Sha256Digest::of(format!("{patient} {image}").as_bytes());
    std::array::from_fn(|index| key.as_bytes()[index])
}

/// `count` patients whose only failed case failed for `reason`.
pub(crate) fn failed(reason: FailureReason, count: usize) -> Vec<BTreeSet<FailureReason>> {
    vec![BTreeSet::from([reason]); count]
}

fn leaf(
    category: Option<&Name>,
    table: usize,
    cell: u16,
    cases: &[Case],
    protocol: &StudyProtocol,
) -> Leaf {
    let own = |case: &&Case| cells_of(case, protocol)[table] == cell;
    let own: Vec<Case> = cases.iter().filter(own).copied().collect();
    let group = group_summary(&own, protocol);
    Leaf {
        category: category.cloned(),
        patients: group.as_ref().map(|group| group.by_patient.patients).unwrap_or_default(),
        group,
    }
}

/// Both forms of a group, where every patient who repeats does so with every image.
fn group_summary(cases: &[Case], protocol: &StudyProtocol) -> Option<GroupSummary> {
    let by_patient = (!cases.is_empty()).then(|| performance(cases, protocol))?;
    let apart: Vec<Case> =
        (0..).zip(cases).map(|(index, case)| Case { patient: index, ..*case }).collect();
    let by_case = Performance { patients: by_patient.patients, ..performance(&apart, protocol) };
    let mut images: BTreeMap<u32, u32> = BTreeMap::new();
    for case in cases {
        *images.entry(case.patient).or_default() += 1;
    }
    let patients_with_several = images.values().filter(|images| **images > 1).count() as u64;
    let most_cases = images.values().copied().max().unwrap_or(0).into();
    let histogram = histogram(cases, protocol);
    let two_largest_brier_pico = 0;
    Some(GroupSummary {
        patients_with_several,
        most_cases,
        two_largest_brier_pico,
        by_patient,
        by_case,
        histogram,
    })
}

fn histogram(cases: &[Case], protocol: &StudyProtocol) -> Histogram {
    let edges = edges_micro(protocol);
    let empty = vec![0; edges.len()];
    let mut histogram = Histogram { positives: empty.clone(), negatives: empty };
    let mut seen = BTreeSet::new();
    for case in cases.iter().filter(|case| seen.insert(case.patient)) {
        let bin = edges.partition_point(|edge| *edge <= case.score.probability_micro());
        let class = if case.positive { &mut histogram.positives } else { &mut histogram.negatives };
        class[bin.min(edges.len() - 1)] += 1;
    }
    histogram
}

/// The aggregates of `cases`, as a site would send them.
pub(crate) fn performance(cases: &[Case], protocol: &StudyProtocol) -> Performance {
    let ranked: Vec<_> = cases.iter().map(ranked).collect();
    let (ranks, rank_clusters) = rank_sums(&ranked);
    let clustered = rank_clusters.clusters < ranks.n_pos + ranks.n_neg;
    let events = || cluster_sums(cases.iter().map(|c| (c.patient, u64::from(c.positive))));
    let points = protocol.operating_points.iter().map(|p| operating_point(cases, p, clustered));
    Performance {
        patients: PatientCounts {
            total: rank_clusters.clusters,
            with_positive: rank_clusters.clusters_pos,
            with_negative: rank_clusters.clusters_neg,
        },
        ranks,
        rank_clusters: clustered.then(|| Box::new(rank_clusters)),
        operating_points: points.collect(),
        probabilities: probability_sums(
            cases.iter().map(|c| (c.score.probability_micro(), c.positive)),
        ),
        brier_clusters: cluster_sums(cases.iter().map(|c| (c.patient, squared_error(c)))),
        event_clusters: clustered.then(|| Box::new(events())),
        calibration: calibration(cases, clustered),
        ece_micro: ece_micro(cases, protocol.analysis.ece_bins),
    }
}

fn ranked(case: &Case) -> RankedCase {
    let rank_key = case.score.steps().into();
    RankedCase { rank_key, positive: case.positive, cluster: case.patient }
}

fn squared_error(case: &Case) -> u64 {
    let observed: u32 = if case.positive { 1_000_000 } else { 0 };
    u64::from(observed.abs_diff(case.score.probability_micro())).pow(2)
}

fn operating_point(
    cases: &[Case],
    point: &OperatingPoint,
    clustered: bool,
) -> OperatingPointCounts {
    let cut = GridScore::from_probability(Probability::new(point.threshold).unwrap());
    let count = |positive: bool, called: bool| {
        let cell = cases.iter().filter(|c| c.positive == positive && (c.score >= cut) == called);
        cell.count() as u64
    };
    let right = |positive: bool| -> Option<Box<ClusterSums>> {
        let class = cases.iter().filter(|case| case.positive == positive);
        let right = |case: &Case| u64::from((case.score >= cut) == positive);
        clustered.then(|| Box::new(cluster_sums(class.map(|case| (case.patient, right(case))))))
    };
    OperatingPointCounts {
        name: point.name.clone(),
        counts: TwoByTwo {
            tp: count(true, true),
            fn_: count(true, false),
            fp: count(false, true),
            tn: count(false, false),
        },
        sensitivity_clusters: right(true),
        specificity_clusters: right(false),
    }
}

fn calibration(cases: &[Case], clustered: bool) -> CalibrationOutcome {
    let row = |case: &Case| CalibrationCase {
        logit: case.score.logit(),
        event: case.positive,
        cluster: case.patient,
    };
    let covariance = if clustered { Covariance::ClusterRobust } else { Covariance::ModelBased };
    let fitted = fit(&cases.iter().map(row).collect::<Vec<_>>(), covariance);
    let fitted = fitted.and_then(|line| {
        let fit = CalibrationFit::from_estimate(&line).filter(|fit| fit.se_slope_micro < 1_000_000);
        fit.ok_or(NotEstimable::NotConverged)
    });
    match fitted {
        Ok(fit) => CalibrationOutcome::Fit(fit),
        Err(reason @ (NotEstimable::OneClassOnly | NotEstimable::Separation)) => {
            CalibrationOutcome::NotEstimable(reason)
        }
        Err(_) => CalibrationOutcome::NotEstimable(NotEstimable::NotConverged),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lies in 0..=10^6")]
fn ece_micro(cases: &[Case], bins: u32) -> u64 {
    let row = |c: &Case| (f64::from(c.score.probability_micro()) / 1e6, c.positive);
    let rows: Vec<_> = cases.iter().map(row).collect();
    (ece(&rows, usize::try_from(bins).unwrap()).unwrap_or(0.0) * 1e6).round() as u64
}
