//! What a site knows about its own cohort before the gate: exact, and never sent.

use std::collections::BTreeSet;

use fedval_stats::aggregate::Moments;
use fedval_stats::segmentation::PresenceTally;
use serde::{Deserialize, Serialize};

use crate::classes::ClassPerformance;
use crate::conditions::ConditionFindings;
use crate::detection::DetectionFindings;
use crate::digest::CohortCommitment;
use crate::id::Name;
use crate::members::Members;
use crate::performance::{PatientCounts, Performance};

/// Why a case has no usable result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The image could not be decoded.
    Undecodable,
    /// The image's form is not one the protocol or the decoder takes.
    Unsupported,
    /// The image does not have the size the protocol demands.
    WrongSize,
    /// The model's output was not finite or out of range.
    InvalidOutput,
    /// The reference standard is missing.
    NoReference,
    /// Reasons too rare to be shown by themselves.
    Other,
}

impl FailureReason {
    /// The reason as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Unsupported => "unsupported",
            Self::WrongSize => "wrong_size",
            Self::InvalidOutput => "invalid_output",
            Self::NoReference => "no_reference",
            Self::Other => "other",
        }
    }
}

impl FailureReason {
    /// Every reason that a case can fail for, in a fixed order.
    pub const ALL: [Self; 6] = [
        Self::Undecodable,
        Self::Unsupported,
        Self::WrongSize,
        Self::InvalidOutput,
        Self::NoReference,
        Self::Other,
    ];
}

/// One group of patients, counted twice, for the gate to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSummary {
    /// Patients with more than one case in the group.
    pub patients_with_several: u64,
    /// Most cases of one patient.
    pub most_cases: u64,
    /// The two largest sums of squared errors of one patient, together, in 10⁻¹².
    pub two_largest_brier_pico: u128,
    /// With sums by patient: what standard errors of repeated cases need.
    pub by_patient: Performance,
    /// As if cases were independent: no sum says anything about a single patient's cases.
    pub by_case: Performance,
    /// Each patient once, by the first case, in the bins of the noisy histogram.
    pub histogram: Histogram,
}

/// Patients whose first case of all lies in the group, by its score, in the bins of
/// [`crate::noisy::edges_micro`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    /// Patients with the target condition.
    pub positives: Vec<u64>,
    /// Patients without.
    pub negatives: Vec<u64>,
}

/// Performance on one leaf of a subgroup dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The category; `None` gathers cases whose attribute is missing or in no category.
    pub category: Option<Name>,
    /// Distinct patients in the leaf.
    pub patients: PatientCounts,
    /// Aggregates; `None` where the leaf is empty.
    pub group: Option<GroupSummary>,
}

/// All leaves of one table of the protocol, the unlisted one last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DimensionSummary {
    /// The table's name: that of a dimension or a crossing.
    pub dimension: Name,
    /// Its leaves, in the protocol's order.
    pub leaves: Vec<Leaf>,
}

/// What was counted, by the protocol's task.
#[expect(clippy::large_enum_variant, reason = "a site holds one of them at a time")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Findings {
    /// Of cases with and without the target condition.
    Binary(BinaryFindings),
    /// Of patients of several classes; `None` where no case could be evaluated.
    Classes(Option<ClassPerformance>),
    /// Of patients with several conditions.
    Conditions(ConditionFindings),
    /// Measures of patients.
    Measures(MeasureFindings),
    /// Of findings with a place, scan by scan.
    Detection(DetectionFindings),
}

/// What was counted of cases with and without the target condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryFindings {
    /// The whole cohort; `None` where no case could be evaluated.
    pub overall: Option<GroupSummary>,
    /// Each table of the protocol, in its order.
    pub dimensions: Vec<DimensionSummary>,
}

/// Measures over one group of patients, each counted once: exact, for the gate to round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureGroup {
    /// Distinct patients.
    pub patients: u64,
    /// Of each measure of the task, in its order.
    pub measures: Vec<MeasureSums>,
}

/// One measure over a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasureSums {
    /// Over patients, in the measure's unit.
    pub moments: Moments,
    /// The two largest distances from zero together, in 10⁻⁶.
    pub two_largest_micro: u64,
    /// All distances from zero together, in 10⁻⁶.
    pub sizes_micro: u128,
}

/// What was measured of patients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureFindings {
    /// Of a study of masks: patients by which of their masks hold anything. Only those with both are measured.
    pub empty_masks: Option<PresenceTally>,
    /// The whole cohort; `None` where no case could be evaluated.
    pub overall: Option<MeasureGroup>,
    /// For each table of the protocol, in its order, each cell, in its order; `None` of one that is empty. Patients
    /// in no listed cell are in none.
    pub tables: Vec<Vec<Option<MeasureGroup>>>,
}

/// The exact evidence of one evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteSummary {
    /// The cohort it was made on.
    pub cohort: CohortCommitment,
    /// One entry for each distinct patient with a failed case: the reasons among their cases.
    pub failures: Vec<BTreeSet<FailureReason>>,
    /// What was counted.
    pub findings: Findings,
    /// Who stands in which cell.
    pub members: Members,
}
