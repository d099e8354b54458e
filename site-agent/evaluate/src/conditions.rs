//! The aggregates of patients with several conditions, and who they are.

use std::collections::BTreeMap;

use fedval_ingest::Cohort;
use fedval_stats::multilabel::{ConditionScores, macro_area};
use fedval_study::Members;
use fedval_study::conditions::ConditionFindings;
use fedval_study::members::{Member, MemberCells, condition_cell};
use fedval_study::protocol::{Assessed, Condition, OperatingPoint, StudyProtocol};

use crate::category_sets::CategorySets;
use crate::class_unit::ClassImage;
use crate::members::Keys;
use crate::performance::{Clusters, performance_at};
use crate::unit::{AnalysedUnit, ScoreGrid, ScoredImage, units};

/// What a site says of its patients: of each condition what a study of it alone would say of those who were assessed
/// for it.
pub(crate) fn findings(
    protocol: &StudyProtocol,
    images: &[ClassImage],
    patients: &BTreeMap<u32, Assessed>,
    grid: ScoreGrid,
) -> ConditionFindings {
    let conditions = protocol.task.conditions();
    let units: Vec<Vec<AnalysedUnit>> = (0..conditions.len())
        .map(|place| units_of(protocol, place, images, patients, grid))
        .collect();
    let of_condition = |(condition, units): (&Condition, &Vec<AnalysedUnit>)| {
        let points = points_of(protocol, condition);
        let bins = protocol.analysis.ece_bins as usize;
        performance_at(&units.iter().collect::<Vec<_>>(), &points, bins, Clusters::Cases)
    };
    let scores: Vec<ConditionScores> = units.iter().map(|units| ranked(units, patients)).collect();
    let area = macro_area(&scores).ok();
    ConditionFindings {
        conditions: conditions.iter().zip(&units).map(of_condition).collect(),
        macro_se_nano: area.as_ref().and_then(ConditionFindings::told),
        patients: patients.len() as u64,
    }
}

/// The patients who were assessed for the condition at `place`, each with one score.
fn units_of(
    protocol: &StudyProtocol,
    place: usize,
    images: &[ClassImage],
    patients: &BTreeMap<u32, Assessed>,
    grid: ScoreGrid,
) -> Vec<AnalysedUnit> {
    let scored = |image: &ClassImage| {
        let positive = patients.get(&image.patient)?.at(place)?;
        Some(ScoredImage {
            patient: image.patient,
            case: image.case,
            positive,
            score: *image.scores.get(place)?,
            categories: 0,
        })
    };
    let images: Vec<ScoredImage> = images.iter().filter_map(scored).collect();
    let (scale, mut sets) = (protocol.model.output.scale, CategorySets::default());
    units(&images, &protocol.analysis, scale, grid, &mut sets).analysed
}

/// The cut-offs of a condition's score, in the protocol's order.
fn points_of<'p>(protocol: &'p StudyProtocol, condition: &Condition) -> Vec<&'p OperatingPoint> {
    let is_own = |point: &&OperatingPoint| condition.operating_points.contains(&point.name);
    protocol.operating_points.iter().filter(is_own).collect()
}

/// A condition over all patients.
fn ranked(units: &[AnalysedUnit], patients: &BTreeMap<u32, Assessed>) -> ConditionScores {
    let by_patient: BTreeMap<u32, &AnalysedUnit> =
        units.iter().map(|unit| (unit.patient, unit)).collect();
    let mut scores = ConditionScores::default();
    for patient in patients.keys() {
        let unit = by_patient.get(patient);
        scores.reference.push(unit.map(|unit| unit.positive));
        scores.rank_keys.push(unit.map_or(0, |unit| i64::from(unit.score.steps())));
    }
    scores
}

/// Every analysed case under both labels, in a cell of each condition: there, not there, or not assessed. What any other
/// release says of either label of these patients is held against it.
pub(crate) fn members(
    cohort: &Cohort,
    images: &[ClassImage],
    patients: &BTreeMap<u32, Assessed>,
    conditions: usize,
    secret: &[u8; 32],
) -> Members {
    let keys = Keys::of(secret);
    let mut members = Members::default();
    let mut places: BTreeMap<u32, u32> = BTreeMap::new();
    for image in images {
        let (Some(assessed), Some(case_id)) =
            (patients.get(&image.patient), cohort.case_id(image.case as usize))
        else {
            continue;
        };
        let id = cohort.patient_id(image.patient).unwrap_or_default();
        let next = u32::try_from(members.patients.len()).unwrap_or(u32::MAX);
        let patient = *places.entry(image.patient).or_insert(next);
        if patient == next {
            members.patients.push(keys.patient(id));
        }
        let key = keys.case(id, case_id);
        let cells: MemberCells =
            (0..conditions).map(|place| condition_cell(assessed.at(place))).collect();
        members.cases.extend([false, true].map(|positive| Member {
            patient,
            case: key,
            positive,
            cells: cells.clone(),
        }));
    }
    members
}
