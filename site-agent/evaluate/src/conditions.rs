//! The aggregates of patients with several conditions, and who they are.

use std::collections::BTreeMap;

use fedval_ingest::Cohort;
use fedval_stats::multilabel::{ConditionScores, macro_area};
use fedval_study::condition_groups::{self, ConditionGroup};
use fedval_study::conditions::ConditionFindings;
use fedval_study::members::{Member, MemberCells};
use fedval_study::protocol::{Assessed, Condition, OperatingPoint, StudyProtocol};
use fedval_study::{Members, Performance};

use crate::category_sets::CategorySets;
use crate::class_unit::ClassImage;
use crate::members::Keys;
use crate::performance::{Clusters, performance_at};
use crate::unit::{AnalysedUnit, ScoreGrid, ScoredImage, units};

/// The patients who are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patients<'a> {
    /// What each was assessed for.
    pub(crate) assessed: &'a BTreeMap<u32, Assessed>,
    /// The category of each in the study's one dimension, by its place, where it is known.
    pub(crate) groups: &'a BTreeMap<u32, u16>,
}

impl Patients<'_> {
    fn group(self, patient: u32) -> Option<u16> {
        self.groups.get(&patient).copied()
    }
}

/// What a site says of its patients: of each condition what a study of it alone would say of those who were assessed
/// for it, and the same of each group of them.
pub(crate) fn findings(
    protocol: &StudyProtocol,
    images: &[ClassImage],
    patients: Patients<'_>,
    grid: ScoreGrid,
) -> ConditionFindings {
    let (conditions, assessed) = (protocol.task.conditions(), patients.assessed);
    let units: Vec<Vec<AnalysedUnit>> = (0..conditions.len())
        .map(|place| units_of(protocol, place, images, assessed, grid))
        .collect();
    let counted = |is_in: &dyn Fn(u32) -> bool| -> Vec<Option<Performance>> {
        let of_condition = |(condition, units): (&Condition, &Vec<AnalysedUnit>)| {
            let points = points_of(protocol, condition);
            let bins = protocol.analysis.ece_bins as usize;
            let own: Vec<_> = units.iter().filter(|unit| is_in(unit.patient)).collect();
            performance_at(&own, &points, bins, Clusters::Cases)
        };
        conditions.iter().zip(&units).map(of_condition).collect()
    };
    let of_group = |group: u16| {
        let is_in = |patient: u32| patients.group(patient) == Some(group);
        ConditionGroup {
            conditions: counted(&is_in),
            patients: assessed.keys().filter(|patient| is_in(**patient)).count() as u64,
        }
    };
    let groups = u16::try_from(groups_of(protocol)).unwrap_or(u16::MAX);
    let scores: Vec<ConditionScores> = units.iter().map(|units| ranked(units, assessed)).collect();
    let area = macro_area(&scores).ok();
    ConditionFindings {
        conditions: counted(&|_| true),
        groups: (0..groups).map(of_group).collect(),
        macro_se_nano: area.as_ref().and_then(ConditionFindings::told),
        patients: assessed.len() as u64,
    }
}

/// Categories of the study's one dimension; none where it has no groups.
fn groups_of(protocol: &StudyProtocol) -> usize {
    protocol.subgroups.first().map_or(0, |dimension| dimension.category_names().len())
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

/// Every analysed case under both labels, in a cell of each condition (there, not there, or not assessed), of the study's
/// dimension, and of each condition by it. What any other release says of either label of these patients is held against
/// it.
pub(crate) fn members(
    protocol: &StudyProtocol,
    cohort: &Cohort,
    images: &[ClassImage],
    patients: Patients<'_>,
    secret: &[u8; 32],
) -> Members {
    let keys = Keys::of(secret);
    let (conditions, groups) = (protocol.task.conditions().len(), groups_of(protocol));
    let mut members = Members::default();
    let mut places: BTreeMap<u32, u32> = BTreeMap::new();
    for image in images {
        let (Some(assessed), Some(case_id)) =
            (patients.assessed.get(&image.patient), cohort.case_id(image.case as usize))
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
        let references: Vec<Option<bool>> =
            (0..conditions).map(|place| assessed.at(place)).collect();
        let group = patients.group(image.patient);
        let cells = MemberCells::from(condition_groups::cells(&references, group, groups));
        members.cases.extend([false, true].map(|positive| Member {
            patient,
            case: key,
            positive,
            cells: cells.clone(),
        }));
    }
    members
}
