//! What sites show on average, of metrics that have no synthesis.

use serde::{Deserialize, Serialize};

use super::{ByMetric, Estimable, Excluded};

/// Means over sites by metric id.
pub type MeansOverSites = ByMetric<MeanOverSites>;

/// The mean over sites of a metric that has no standard error at a site. Each site counts the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanOverSites {
    /// Its confidence limits.
    pub ci: Estimable<[f64; 2]>,
    /// The mean.
    pub estimate: f64,
    /// Sites that released aggregates and have no value.
    pub excluded: Vec<Excluded>,
    /// Sites in the mean.
    pub k: u64,
    /// Where the limits come from.
    pub method: String,
}
