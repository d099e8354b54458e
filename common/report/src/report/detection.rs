//! What a report of findings with a place holds beside metrics.

use serde::{Deserialize, Serialize};

use super::identity::OperatingPointLimit;
use super::{Disclosed, Estimable};

/// How findings were counted, and what all sites found together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionSection {
    /// Equal bins of scores from 0 to 1, whose edges counts stand at.
    pub bins: u32,
    /// Lesions found at the cut-off, over the sites that released results.
    pub hits: u64,
    /// Intersection over union from which a box is found; absent where points lie in a radius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_iou: Option<f64>,
    /// Lesions over the sites that released results.
    pub lesions: u64,
    /// Findings of the model in a scan beyond so many were left out.
    pub most_candidates: u32,
    /// Lesions of a patient beyond so many were excluded.
    pub most_lesions: u32,
    /// The locked cut-off.
    pub point: OperatingPointLimit,
    /// Sites in the sums.
    pub sites: u64,
}

/// What one site found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteDetection {
    /// Counts at the cut-off.
    pub counts: DetectionGroup,
    /// Counts at every score that was shown, from the highest down, the cut-off among them.
    pub curve: Vec<FrocPoint>,
    /// The share of lesions found at so many false positives a scan: straight between shown scores, and beyond the last
    /// one as at it.
    pub froc: Vec<FrocValue>,
    /// Patients with a lesion.
    pub patients_with_lesions: u64,
}

/// Counts of one group at the cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionGroup {
    /// Findings in no lesion.
    pub false_positives: Disclosed<u64>,
    /// Lesions that were found.
    pub hits: u64,
    /// Lesions.
    pub lesions: u64,
    /// Scans.
    pub scans: u64,
}

/// Counts at one score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrocPoint {
    /// Findings in no lesion with that score or a higher one.
    pub false_positives: u64,
    /// Lesions that were found.
    pub hits: u64,
    /// The score.
    pub threshold: f64,
}

/// The curve at one rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrocValue {
    /// False positives a scan.
    pub rate: f64,
    /// Share of lesions found.
    pub sensitivity: Estimable<f64>,
}
