//! Verdicts on the pre-specified endpoints.

use fedval_study::protocol::{EndpointBasis, EndpointDirection};
use fedval_study::{MetricId, Name, SiteId};
use serde::{Deserialize, Serialize};

use super::{Estimable, Reason};

/// What the study says about one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictResult {
    /// The whole interval lies on the accepted side of the limit.
    Met,
    /// The whole interval lies on the other side.
    NotMet,
    /// The interval holds the limit, or there is none.
    Inconclusive,
}

impl VerdictResult {
    /// The verdict of an interval: all of it on one side of the limit, or inconclusive.
    #[must_use]
    pub fn of(interval: &Estimable<[f64; 2]>, direction: EndpointDirection, limit: f64) -> Self {
        let Some([lower, upper]) = interval.value() else { return Self::Inconclusive };
        let (all_accepted, none_accepted) = match direction {
            EndpointDirection::AtLeast => (*lower >= limit, *upper < limit),
            EndpointDirection::AtMost => (*upper <= limit, *lower > limit),
        };
        match (all_accepted, none_accepted) {
            (true, _) => Self::Met,
            (false, true) => Self::NotMet,
            (false, false) => Self::Inconclusive,
        }
    }

    /// The verdict in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// One endpoint held against its acceptance limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The endpoint.
    pub endpoint: Name,
    /// Its metric.
    pub metric: MetricId,
    /// Its limit, on the metric's own scale.
    pub limit: f64,
    /// On which side of the limit it is met.
    pub direction: EndpointDirection,
    /// Which interval is held against the limit.
    pub basis: EndpointBasis,
    /// The verdict.
    pub result: VerdictResult,
    /// Why there is no interval, where there is none.
    pub reason: Option<Reason>,
    /// The pooled mean.
    pub estimate: Estimable<f64>,
    /// The interval that was held against the limit.
    pub interval: Estimable<[f64; 2]>,
    /// Sites behind it.
    pub k: u64,
    /// The probability that a new site meets the limit.
    pub new_site_probability: Estimable<f64>,
    /// The least favourable site.
    pub worst_site: Estimable<WorstSite>,
    /// The least favourable released subgroup of a site.
    pub worst_subgroup: Estimable<WorstSubgroup>,
}

/// An estimate held against a limit by its own confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgainstLimit {
    /// The estimate.
    pub estimate: f64,
    /// Its confidence limits.
    pub ci: Estimable<[f64; 2]>,
    /// On which side of the limit the interval lies; inconclusive where it crosses.
    pub result: VerdictResult,
}

/// The least favourable site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorstSite {
    /// The site.
    pub site: SiteId,
    /// Its value.
    pub value: AgainstLimit,
}

/// The least favourable released subgroup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorstSubgroup {
    /// The site.
    pub site: SiteId,
    /// Dimension.
    pub dimension: Name,
    /// Category.
    pub category: Name,
    /// Its value.
    pub value: AgainstLimit,
}
