//! A study of one condition made one of findings with a place, for tests of several crates.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;

use fedval_study::detection::ScanCounts;
use fedval_study::members::{Member, MemberKey};
use fedval_study::protocol::{
    DetectionPlan, DetectionPoint, Matching, PredictionTables, StudyProtocol, Task, Unit,
};
use fedval_study::{Members, Sha256Digest};

/// The edge of the cut-off, 0.5.
pub(crate) const CUT_OFF: u32 = 5;

/// What the study counts: ten bins, the cut-off `call` at 0.5.
pub(crate) fn detection_plan() -> DetectionPlan {
    DetectionPlan {
        bins: 10,
        matching: Matching::CentreInRadius,
        most_candidates: 20,
        most_lesions: 10,
        point: DetectionPoint { edge: CUT_OFF, name: "call".parse().unwrap() },
    }
}

/// The same study about findings, with one endpoint: lesion sensitivity at the cut-off.
pub(crate) fn of_findings(mut plan: StudyProtocol) -> StudyProtocol {
    plan.task = Task::Detection(detection_plan());
    plan.prediction_tables = PredictionTables::Accept;
    plan.reference_standard.positive.clear();
    plan.reference_standard.negative.clear();
    plan.analysis.unit = Unit::Image;
    plan.analysis.combine = None;
    plan.analysis.prevalences.clear();
    plan.operating_points.clear();
    plan.endpoints.truncate(1);
    plan.endpoints[0].metric = "lesion_sensitivity@call".parse().unwrap();
    plan
}

/// One scan: its patient, its cell in each table, the scores at which its lesions are found (or none), and those of its
/// false positives, all as edges.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) patient: u32,
    pub(crate) cells: Vec<u16>,
    pub(crate) lesions: Vec<Option<u32>>,
    pub(crate) others: Vec<u32>,
}

/// Scans of so many patients, one each, in cells by turns: every second patient has one or two lesions, and findings
/// have scores from all over the grid.
pub(crate) fn scans(patients: std::ops::Range<u32>, cells: &[u16], misses: u32) -> Vec<Scan> {
    let scan = |patient: u32| {
        let luck = patient.wrapping_mul(2_654_435_761) >> 16;
        let lesion = |which: u32| {
            let luck = luck.wrapping_add(which * 7);
            (luck % 10 >= misses).then_some(1 + luck % 9)
        };
        let lesions = match patient % 4 {
            1 => vec![lesion(0)],
            3 => vec![lesion(0), lesion(1)],
            _ => Vec::new(),
        };
        let others = (0..luck % 3).map(|which| (luck / 3 + which * 2) % 8).collect();
        let cells = cells.iter().map(|many| u16::try_from(patient / 4).unwrap() % many).collect();
        Scan { patient, cells, lesions, others }
    };
    patients.map(scan).collect()
}

/// The evidence of scans.
pub(crate) fn evidence(scans: &[Scan]) -> (Members, Vec<ScanCounts>) {
    let mut members = Members::default();
    let mut places: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for scan in scans {
        let next = u32::try_from(places.len()).unwrap();
        let (patient, own) = places.entry(scan.patient).or_insert((next, 0));
        *own += 1;
        if *own == 1 {
            members.patients.push(key(scan.patient, 0));
        }
        members.cases.push(Member {
            patient: *patient,
            case: key(scan.patient, *own),
            positive: !scan.lesions.is_empty(),
            cells: scan.cells.as_slice().into(),
        });
    }
    (members, scans.iter().map(counts).collect())
}

fn counts(scan: &Scan) -> ScanCounts {
    let at_least = |edge: u32, found: &mut dyn Iterator<Item = u32>| {
        u16::try_from(found.filter(|score| *score >= edge).count()).unwrap()
    };
    let edges = 0..detection_plan().bins;
    ScanCounts {
        lesions: u16::try_from(scan.lesions.len()).unwrap(),
        hits: edges
            .clone()
            .map(|edge| at_least(edge, &mut scan.lesions.iter().flatten().copied()))
            .collect(),
        false_positives: edges
            .map(|edge| at_least(edge, &mut scan.others.iter().copied()))
            .collect(),
    }
}

fn key(patient: u32, scan: u32) -> MemberKey {
    let key = Sha256Digest::of(format!("{patient} {scan}").as_bytes());
    std::array::from_fn(|index| key.as_bytes()[index])
}
