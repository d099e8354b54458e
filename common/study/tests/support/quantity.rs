//! A study of one condition made one of a quantity, and patients of it, for tests of several crates.

#![allow(dead_code, reason = "each test binary uses its own part")]

use fedval_stats::aggregate::Moments;
use fedval_study::members::{Member, UNLISTED};
use fedval_study::protocol::{
    Combine, EndpointBasis, EndpointDirection, Quantity, ScoreScale, StudyProtocol, Task, Unit,
};
use fedval_study::summary::{Findings, MeasureFindings, MeasureGroup, MeasureSums};
use fedval_study::{CohortCommitment, Members, Sha256Digest, SiteSummary};

/// Bone age in months, with errors up to four years.
pub(crate) fn quantity() -> Quantity {
    Quantity {
        grid_micro: 100_000,
        largest_error_micro: 48_000_000,
        lower_micro: 0,
        name: "bone-age".parse().unwrap(),
        unit: "mo".to_owned(),
        upper_micro: 228_000_000,
    }
}

/// The same study about the quantity, with one endpoint: a mean absolute error of at most `limit`.
pub(crate) fn of_a_quantity(mut plan: StudyProtocol, limit: f64) -> StudyProtocol {
    plan.task = Task::Regression(quantity());
    plan.model.output.scale = ScoreScale::Value;
    plan.reference_standard.positive.clear();
    plan.reference_standard.negative.clear();
    plan.analysis.unit = Unit::Patient;
    plan.analysis.combine = Some(Combine::Mean);
    plan.analysis.prevalences.clear();
    plan.operating_points.clear();
    plan.endpoints.truncate(1);
    plan.endpoints[0].metric = "mean_absolute_error".parse().unwrap();
    plan.endpoints[0].limit = limit;
    plan.endpoints[0].direction = EndpointDirection::AtMost;
    plan.endpoints[0].basis = EndpointBasis::PooledMean;
    plan
}

/// A patient with reference and prediction in months, and the cell of each table of the study.
#[derive(Debug, Clone)]
pub(crate) struct Patient {
    pub(crate) key: u32,
    pub(crate) reference: f64,
    pub(crate) prediction: f64,
    pub(crate) cells: Vec<u16>,
}

impl Patient {
    pub(crate) fn error(&self) -> f64 {
        self.prediction - self.reference
    }

    fn middle(&self) -> f64 {
        f64::midpoint(self.prediction, self.reference)
    }
}

/// Uniform numbers of a linear congruential generator (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / 4_294_967_296.0
    }

    /// The sum of three, of mean 0 and standard deviation 1/2.
    fn bell(&mut self) -> f64 {
        self.roll() + self.roll() + self.roll() - 1.5
    }
}

/// Patients with keys from `first` on, whose predictions are off by `bias` and, beside it, by about `spread`. The place
/// of each in a table of one dimension is given by its number from 0.
pub(crate) fn patients(
    (first, count): (u32, u32),
    (bias, spread): (f64, f64),
    cells: impl Fn(u32) -> Vec<u16>,
) -> Vec<Patient> {
    let mut dice = Dice(u64::from(first) * 7_919 + u64::from(count));
    (0..count)
        .map(|number| {
            let reference = 60.0 + 120.0 * dice.roll();
            let prediction = reference + bias + 2.0 * spread * dice.bell();
            Patient { key: first + number, reference, prediction, cells: cells(number) }
        })
        .collect()
}

/// The sums that a site makes of a group; none of nobody.
pub(crate) fn group(patients: &[&Patient]) -> Option<MeasureGroup> {
    let of = |value: &dyn Fn(&Patient) -> f64| {
        let values: Vec<f64> = patients.iter().map(|patient| value(patient)).collect();
        let mut sizes: Vec<u64> = values.iter().map(|v| micro(v.abs())).collect();
        sizes.sort_unstable();
        MeasureSums {
            moments: Moments::of(values).unwrap(),
            two_largest_micro: sizes.iter().rev().take(2).sum(),
            sizes_micro: sizes.iter().map(|size| u128::from(*size)).sum(),
        }
    };
    (!patients.is_empty()).then(|| MeasureGroup {
        patients: patients.len() as u64,
        measures: vec![of(&|p| p.error().abs()), of(&Patient::error), of(&Patient::middle)],
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of months")]
fn micro(size: f64) -> u64 {
    (size * 1e6).round() as u64
}

/// What a site knows of them.
pub(crate) fn summary(plan: &StudyProtocol, patients: &[Patient]) -> SiteSummary {
    let key = |key: u32| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&key.to_le_bytes());
        bytes
    };
    let mut members = Members::default();
    for (place, patient) in (0_u32..).zip(patients) {
        members.patients.push(key(patient.key));
        members.cases.extend([true, false].map(|positive| Member {
            patient: place,
            case: key(patient.key),
            positive,
            cells: patient.cells.as_slice().into(),
        }));
    }
    let all: Vec<&Patient> = patients.iter().collect();
    let in_cell = |table: usize, cell: usize| {
        let is_in = |patient: &&&Patient| {
            patient.cells[table] != UNLISTED && usize::from(patient.cells[table]) == cell
        };
        group(&all.iter().filter(is_in).copied().collect::<Vec<_>>())
    };
    let tables = plan.tables().into_iter().enumerate().map(|(place, table)| {
        (0..table.categories.len()).map(|cell| in_cell(place, cell)).collect()
    });
    SiteSummary {
        cohort: CohortCommitment(Sha256Digest::of(b"cohort")),
        failures: Vec::new(),
        findings: Findings::Measures(MeasureFindings {
            empty_masks: None,
            overall: group(&all),
            tables: tables.collect(),
        }),
        members,
    }
}
