//! Differences between groups of patients.

use fedval_study::{MetricId, Name};
use serde::{Deserialize, Serialize};

use super::Estimable;

/// How a category of a dimension differs from the dimension's first, in one metric.
///
/// Differences are formed within each site that released both groups, so that a mix of sites does not
/// pass for a difference, and then synthesised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Dimension.
    pub dimension: Name,
    /// Category.
    pub category: Name,
    /// The category that it is held against.
    pub reference: Name,
    /// The metric, on its own scale.
    pub metric: MetricId,
    /// Sites with a value of both groups.
    pub k: u64,
    /// The gap; or why there is none.
    pub result: Estimable<GapEstimate>,
}

/// The size of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapEstimate {
    /// Category minus reference.
    pub estimate: f64,
    /// Its confidence limits.
    pub ci: [f64; 2],
    /// Its variance between sites.
    pub tau2: f64,
    /// p-value of no gap.
    pub p: Estimable<f64>,
    /// The same, adjusted by Holm over all gaps of the report.
    pub p_holm: Estimable<f64>,
    /// The smallest true gap that such data show in 80 of 100 cases: by the interval's error and distribution, or, in
    /// reports of a revision below 4, by the normal distribution alone.
    pub detectable: f64,
    /// Whether that is small enough for the absence of a finding to mean anything: at most
    /// [`GapEstimate::TELLING`], of a quantity times the largest error that counts.
    pub powered: bool,
}

impl GapEstimate {
    /// A gap of this size, ten percentage points or a tenth of what there is room for, must not go unseen.
    pub const TELLING: f64 = 0.1;
}
