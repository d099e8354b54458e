//! A locked operating point across sites.

use fedval_study::{Name, SiteId};
use serde::{Deserialize, Serialize};

use super::Estimable;

/// What the sites say together of one operating point.
///
/// It rests on response counts as they were released. A site that keeps a pair of them back, or that
/// answers with noise, takes no part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPointSummary {
    /// The operating point.
    pub name: Name,
    /// Probability at and above which a case is called positive.
    pub threshold: f64,
    /// Sites with all four counts.
    pub k: u64,
    /// Sensitivity and specificity together.
    pub joint: Estimable<JointSynthesis>,
    /// What acting on the call is worth at each of these sites.
    pub net_benefit: Vec<SiteNetBenefit>,
    /// The same over the sum of their counts.
    pub pooled_net_benefit: Estimable<NetBenefit>,
}

/// Sensitivity and specificity synthesised together, by Reitsma's bivariate model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JointSynthesis {
    /// Sites.
    pub k: u64,
    /// How.
    pub method: String,
    /// Whether one half was added to every count, since one of them is 0.
    pub continuity_corrected: bool,
    /// Mean sensitivity.
    pub sensitivity: WithLimits,
    /// Mean specificity.
    pub specificity: WithLimits,
    /// Correlation over sites of the logits of sensitivity and false-positive rate.
    pub correlation: Estimable<f64>,
    /// Mean logit sensitivity and mean logit false-positive rate.
    pub mean: [f64; 2],
    /// Covariance of the two means.
    pub covariance: [[f64; 2]; 2],
    /// Covariance of the two between sites.
    pub between: [[f64; 2]; 2],
    /// How much likelier a positive call is with the target condition than without.
    pub positive_likelihood_ratio: WithLimits,
    /// How much likelier a negative call is with the target condition than without.
    pub negative_likelihood_ratio: WithLimits,
    /// What a call means where the condition is so frequent.
    pub predictive_values: Vec<PredictiveValues>,
}

/// An estimate with its confidence limits at the protocol's level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithLimits {
    /// The estimate.
    pub estimate: f64,
    /// Its limits.
    pub ci: [f64; 2],
}

/// Predictive values of the mean test at one prevalence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictiveValues {
    /// Share with the target condition.
    pub prevalence: f64,
    /// Who says so.
    pub source: PrevalenceSource,
    /// Share of those called positive who have the condition.
    pub positive: WithLimits,
    /// Share of those called negative who have not.
    pub negative: WithLimits,
}

/// Where a prevalence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrevalenceSource {
    /// The locked protocol states it.
    Protocol,
    /// It is that of the cases that were analysed.
    Observed,
}

/// Net benefit at one site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteNetBenefit {
    /// The site.
    pub site: SiteId,
    /// The net benefit.
    pub value: Estimable<NetBenefit>,
}

/// Net benefit for each case, where the threshold is the probability at which one would act: true
/// positives minus false positives, each worth the odds of the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetBenefit {
    /// Of acting on the call.
    pub estimate: f64,
    /// Its confidence limits.
    pub ci: Estimable<[f64; 2]>,
    /// Of acting on everybody. Acting on nobody is worth 0.
    pub treat_all: f64,
}
