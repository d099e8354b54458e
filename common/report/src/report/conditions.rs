//! What a report of several conditions holds beside metrics.

use fedval_study::Name;
use serde::{Deserialize, Serialize};

use super::{CalibrationLine, Disclosed, Estimable};

/// One condition of a study that has several, with what all sites that released it add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionSummary {
    /// Patients who were not assessed for it.
    pub missing: u64,
    /// Patients without.
    pub n_neg: u64,
    /// Patients who have it.
    pub n_pos: u64,
    /// Its name.
    pub name: Name,
    /// The operating points that are cut-offs of its score.
    pub operating_points: Vec<Name>,
    /// Sites that released it.
    pub sites: u64,
}

/// Patients of one site by one condition; all withheld where the condition is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteCondition {
    /// The fitted logistic recalibration of its score.
    pub calibration_line: Estimable<CalibrationLine>,
    /// Patients who were not assessed for it.
    pub missing: Disclosed<u64>,
    /// Patients without.
    pub n_neg: Disclosed<u64>,
    /// Patients who have it.
    pub n_pos: Disclosed<u64>,
    /// Its name.
    pub name: Name,
}

/// Patients of one group of one site by one condition; all withheld where the condition is withheld there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupCondition {
    /// Patients of the group who were not assessed for it.
    pub missing: Disclosed<u64>,
    /// Patients without.
    pub n_neg: Disclosed<u64>,
    /// Patients who have it.
    pub n_pos: Disclosed<u64>,
    /// Its name.
    pub name: Name,
}
