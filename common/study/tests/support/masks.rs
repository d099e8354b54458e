//! A study of one condition made one of masks, and patients of it, for tests of several crates.

#![allow(dead_code, reason = "each test binary uses its own part")]

use fedval_stats::aggregate::Moments;
use fedval_stats::segmentation::PresenceTally;
use fedval_study::members::{Member, MemberCells};
use fedval_study::protocol::{
    Border, Combine, EndpointBasis, EndpointDirection, PredictionTables, Profile, ScoreScale,
    Structure, StudyProtocol, Task, Unit,
};
use fedval_study::summary::{Findings, MeasureFindings, MeasureGroup, MeasureSums};
use fedval_study::{CohortCommitment, Members, Sha256Digest, SiteSummary};

pub(crate) fn structure() -> Structure {
    Structure {
        labels: vec![1],
        other_labels: Vec::new(),
        rois: Vec::new(),
        border: Border::VoxelBorder,
        tolerance_um: 2_000,
        hd95_bound_um: 40_000,
        pixel_spacing_um: None,
    }
}

/// The same study about the structure, with one endpoint: a Dice of at least `limit`.
pub(crate) fn of_masks(mut plan: StudyProtocol, limit: f64) -> StudyProtocol {
    plan.task = Task::Segmentation(structure());
    plan.prediction_tables = PredictionTables::Accept;
    plan.model.output.scale = ScoreScale::Value;
    plan.reference_standard.positive.clear();
    plan.reference_standard.negative.clear();
    plan.analysis.unit = Unit::Patient;
    plan.analysis.combine = Some(Combine::Mean);
    plan.analysis.prevalences.clear();
    plan.operating_points.clear();
    plan.subgroups.clear();
    plan.crossings.clear();
    plan.disclosure.profile = Profile::Standard;
    plan.endpoints.truncate(1);
    plan.endpoints[0].metric = "dice".parse().unwrap();
    plan.endpoints[0].limit = limit;
    plan.endpoints[0].direction = EndpointDirection::AtLeast;
    plan.endpoints[0].basis = EndpointBasis::PooledMean;
    plan
}

/// Dice, HD95 and NSD of patients with both masks: a fixed pattern around a middle.
pub(crate) fn measured(patients: u32, middle: f64) -> Vec<[f64; 3]> {
    let of = |number: u32| {
        let off = f64::from(number * 7 % 11) / 10.0 - 0.5;
        [middle + 0.08 * off, 6.0 - 4.0 * off, middle - 0.1 * off]
    };
    (0..patients).map(of).collect()
}

/// What a site knows of patients with these measures, and of others with an empty mask. Keys begin at `first`.
pub(crate) fn summary(first: u32, measured: &[[f64; 3]], tally: PresenceTally) -> SiteSummary {
    let sums = |place: usize| {
        let values: Vec<f64> = measured.iter().map(|of| of[place]).collect();
        let mut sizes: Vec<u64> = values.iter().copied().map(micro).collect();
        sizes.sort_unstable();
        MeasureSums {
            moments: Moments::of(values).unwrap(),
            two_largest_micro: sizes.iter().rev().take(2).sum(),
            sizes_micro: sizes.iter().map(|size| u128::from(*size)).sum(),
        }
    };
    let overall =
        MeasureGroup { patients: measured.len() as u64, measures: [0, 1, 2].map(sums).into() };
    let others = tally.only_reference + tally.only_predicted + tally.neither;
    let all = u32::try_from(overall.patients + others).unwrap();
    SiteSummary {
        cohort: CohortCommitment(Sha256Digest::of(b"cohort")),
        failures: Vec::new(),
        findings: Findings::Measures(MeasureFindings {
            empty_masks: Some(PresenceTally { both: overall.patients, ..tally }),
            overall: Some(overall),
            tables: Vec::new(),
        }),
        members: members(first, all),
    }
}

fn members(first: u32, patients: u32) -> Members {
    let mut members = Members::default();
    for patient in 0..patients {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&(first + patient).to_le_bytes());
        members.patients.push(key);
        let of = |positive| Member { patient, case: key, positive, cells: MemberCells::default() };
        members.cases.extend([true, false].map(of));
    }
    members
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small size")]
fn micro(size: f64) -> u64 {
    (size * 1e6).round() as u64
}
