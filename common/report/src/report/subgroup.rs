//! Performance by category of the protocol's subgroup dictionary.

use fedval_study::{Name, SiteId};
use serde::{Deserialize, Serialize};

use super::{DetectionGroup, Disclosed, Estimable, GroupCondition, Metrics, Syntheses};

/// One category of one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subgroup {
    /// Category.
    pub category: Name,
    /// Dimension.
    pub dimension: Name,
    /// Every site that released a result, in order of ids.
    pub sites: Vec<SubgroupSite>,
    /// Synthesis across the sites that released this category.
    pub synthesis: Syntheses,
}

/// One site's cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubgroupSite {
    /// The site's aggregates in estimates, or the code of the rule that keeps them on site.
    pub performance: Disclosed<SubgroupPerformance>,
    /// The site.
    pub site: SiteId,
}

/// What a report says of one group at one site: who is in it, discrimination and response, or errors.
///
/// A thousand sites times a hundred groups are a hundred thousand of these: what follows from them by
/// division is not repeated, and fields are declared in the order in which they are written: nothing is moved
/// for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubgroupPerformance {
    /// Area under the ROC curve; absent of other tasks than that about one condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auroc: Option<Estimable<SubgroupAuroc>>,
    /// Patients by each of several conditions, in the protocol's order; absent of other tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<GroupCondition>,
    /// Counts of findings; absent of other tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<DetectionGroup>,
    /// Errors of a quantity, or the area of each of several conditions; absent of other tasks.
    #[serde(default, skip_serializing_if = "Metrics::is_empty")]
    pub metrics: Metrics,
    /// Cases, in units of analysis.
    pub n: u64,
    /// Cases without the target condition; absent where there is no one condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_neg: Option<u64>,
    /// Cases with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_pos: Option<u64>,
    /// Distinct patients.
    pub patients: u64,
    /// Response counts, one for each of `study.operating_points` and in their order.
    pub response: Vec<ResponseCounts>,
}

/// Discrimination in one group at one site.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubgroupAuroc {
    /// Confidence limits at the protocol's level.
    pub ci: Estimable<[f64; 2]>,
    /// The estimate.
    pub estimate: f64,
}

/// How cases were called at one operating point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseCounts {
    /// False negatives.
    #[serde(rename = "fn")]
    pub fn_: Disclosed<u64>,
    /// False positives.
    pub fp: Disclosed<u64>,
    /// True negatives.
    pub tn: Disclosed<u64>,
    /// True positives.
    pub tp: Disclosed<u64>,
}
