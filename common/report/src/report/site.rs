//! What one site contributed.

use std::borrow::Cow;

use fedval_study::protocol::Profile;
use fedval_study::result::FailedStage;
use fedval_study::summary::FailureReason;
use fedval_study::{
    BuildDigest, CohortCommitment, EmptyMasks, Name, PolicyDigest, ResultDigest, ScoreSource,
    Sha256Digest, SiteId, SiteStatus, Terms,
};
use serde::{Deserialize, Serialize};

use super::disclosure::WithheldCode;
use super::{ByMetric, Estimable, SiteClasses, SiteCondition, SiteDetection, SiteMeasure};

/// Metrics of one group of patients, by metric id.
pub type Metrics = ByMetric<Metric>;

/// How many sites ended how, and what the released ones add up to.
///
/// Sums of released leaves only: a site that released nothing adds nothing and is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participants {
    /// Sites by outcome.
    pub sites: SiteTally,
    /// Cases analysed, in units of analysis.
    pub n: u64,
    /// Of these, cases with the target condition; absent where there is no one condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_pos: Option<u64>,
    /// Of these, cases without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_neg: Option<u64>,
    /// Patients analysed; a patient of two sites counts at both.
    pub patients: u64,
}

/// Sites by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteTally {
    /// Sites that the study was dispatched to.
    pub dispatched: u64,
    /// Released aggregates.
    pub released: u64,
    /// Too small for anything to be released.
    pub insufficient: u64,
    /// Refused.
    pub refused: u64,
    /// Did not finish.
    pub failed: u64,
    /// Did not answer.
    pub missing: u64,
}

/// One site of the round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The site.
    pub id: SiteId,
    /// What came of the round there.
    pub status: SiteStatus,
    /// Where it failed, if it failed.
    pub failed_stage: Option<FailedStage>,
    /// When the study was dispatched to it (RFC 3339).
    pub dispatched_at: String,
    /// When its result was recorded.
    pub recorded_at: Option<String>,
    /// How often the model had been dispatched to it before, in any study: its patients are then no unseen
    /// test.
    pub earlier_dispatches: u64,
    /// How often any model had been, in any study of this coordinator; absent of rounds that an earlier release
    /// recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_dispatches_any_model: Option<u64>,
    /// Cases analysed, in units of analysis.
    pub n: Estimable<u64>,
    /// Cases with the target condition.
    pub n_pos: Estimable<u64>,
    /// Cases without.
    pub n_neg: Estimable<u64>,
    /// Distinct patients.
    pub patients: Estimable<u64>,
    /// How patients of several classes were called; absent of other tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<SiteClasses>,
    /// Patients by each of several conditions, in the protocol's order; absent of other tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<SiteCondition>,
    /// Patients in whom a mask is empty; absent of other tasks, and where it was withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_masks: Option<EmptyMasks>,
    /// What was measured of patients, as it was released; absent of other tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<SiteMeasure>,
    /// What was found where; absent of other tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<SiteDetection>,
    /// Whether patients repeat, so that standard errors are clustered by patient.
    pub clustered: Option<bool>,
    /// Patients whose cases had no usable result, by reason.
    pub attrition: Vec<Attrition>,
    /// Performance; empty where nothing was released.
    pub metrics: Metrics,
    /// Response counts at the locked operating points.
    pub operating_points: Vec<OperatingPointRow>,
    /// The fitted logistic recalibration.
    pub calibration_line: Estimable<CalibrationLine>,
    /// Digest of the signed result.
    pub result: Option<ResultDigest>,
    /// The site's commitment to its cohort.
    pub cohort: Option<CohortCommitment>,
    /// The agent executable.
    pub agent_build: Option<BuildDigest>,
    /// Where its scores come from.
    pub scores: Option<ScoreSource>,
    /// One digest for what its preprocessing made of all probe images, which agrees with the protocol; absent where
    /// the result says nothing of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Sha256Digest>,
    /// The disclosure control that the site applied.
    pub disclosure: Option<SiteControl>,
}

/// The disclosure control that a site applied to its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteControl {
    /// Its preset.
    pub profile: Profile,
    /// Smallest denominator, in patients.
    pub k: u64,
    /// The terms in force: field by field the strictest of preset, site and study.
    pub terms: Terms,
    /// Digest of its policy.
    pub policy: PolicyDigest,
}

/// Patients whose cases had no usable result, for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attrition {
    /// The reason.
    pub reason: FailureReason,
    /// Distinct patients.
    pub patients: Disclosed<u64>,
}

/// A value, or `{"withheld":"S"}` in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Disclosed<T> {
    /// No value: a disclosure rule keeps it on site.
    Withheld {
        /// `S` (DC-25).
        withheld: WithheldCode,
    },
    /// The value.
    Released(T),
}

impl<T> Disclosed<T> {
    /// The value, if it was released.
    pub const fn released(&self) -> Option<&T> {
        match self {
            Self::Released(value) => Some(value),
            Self::Withheld { .. } => None,
        }
    }
}

/// One metric of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// The estimate, on the metric's own scale.
    pub estimate: f64,
    /// Its standard error on the same scale.
    pub se: Estimable<f64>,
    /// Confidence limits at the protocol's level.
    pub ci: Estimable<[f64; 2]>,
    /// How the limits were found.
    pub method: Cow<'static, str>,
}

/// Response counts at one operating point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPointRow {
    /// The operating point.
    pub name: Name,
    /// Probability at and above which a case is called positive.
    pub threshold: f64,
    /// True positives.
    pub tp: Disclosed<u64>,
    /// False negatives.
    #[serde(rename = "fn")]
    pub fn_: Disclosed<u64>,
    /// False positives.
    pub fp: Disclosed<u64>,
    /// True negatives.
    pub tn: Disclosed<u64>,
    /// TP / (TP + FN).
    pub sensitivity: Estimable<f64>,
    /// TN / (TN + FP).
    pub specificity: Estimable<f64>,
}

/// `logit P(y = 1) = intercept + slope · logit p`, as the site fitted it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationLine {
    /// Intercept.
    pub intercept: f64,
    /// Slope.
    pub slope: f64,
    /// Covariance matrix of intercept and slope, in this order.
    pub covariance: [[f64; 2]; 2],
}
