//! What the sites say together.

use fedval_study::protocol::EndpointDirection;
use fedval_study::{Name, SiteId};
use serde::{Deserialize, Serialize};

use super::{ByMetric, Estimable, Reason, Scale};

/// Syntheses by metric id.
pub type Syntheses = ByMetric<Synthesis>;

/// Random-effects synthesis of one metric.
///
/// `estimate`, `ci` and `prediction_interval` stand on the metric's own scale; `mu`, `se` and
/// `tau2` on the analysis scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Synthesis {
    /// Sites that contributed.
    pub k: u64,
    /// How.
    pub method: String,
    /// The analysis scale.
    pub scale: Scale,
    /// The pooled mean.
    pub estimate: f64,
    /// Its confidence limits.
    pub ci: Estimable<[f64; 2]>,
    /// Where a new site's own value is expected.
    pub prediction_interval: Estimable<[f64; 2]>,
    /// The pooled mean on the analysis scale.
    pub mu: f64,
    /// Its standard error there.
    pub se: Estimable<f64>,
    /// Between-site variance on the analysis scale.
    pub tau2: f64,
    /// Its confidence limits, by Q-profile.
    pub tau2_ci: Estimable<[f64; 2]>,
    /// Share of the variance that lies between sites: `i2_from_tau2`.
    pub i2: Estimable<f64>,
    /// τ² / (τ² + typical sampling variance).
    pub i2_from_tau2: Estimable<f64>,
    /// (Q − (k − 1)) / Q.
    pub i2_from_q: Estimable<f64>,
    /// Cochran's Q.
    pub q: Estimable<f64>,
    /// Its p-value.
    pub q_p: Estimable<f64>,
    /// The share of each contributing site.
    pub weights: Vec<SiteWeight>,
    /// Sites that released aggregates but could not contribute here.
    pub excluded: Vec<Excluded>,
    /// For each endpoint on this metric: how probably a new site meets its limit.
    pub acceptance: Vec<Acceptance>,
    /// The synthesis without each site in turn.
    pub leave_one_out: Vec<LeaveOneOut>,
    /// How much each site alone moves it, where the method has weights.
    pub influence: Vec<SiteInfluence>,
    /// The same question by another method.
    pub alternatives: Vec<Alternative>,
    /// What a reader must keep in mind.
    pub warnings: Vec<Warning>,
}

/// A site's share of a synthesis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteWeight {
    /// The site.
    pub site: SiteId,
    /// Its share of the sum of weights, 0 to 1.
    pub weight: Estimable<f64>,
}

/// A site without a value for this synthesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// The site.
    pub site: SiteId,
    /// Why.
    pub reason: Reason,
}

/// The probability that a new site meets an acceptance limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The endpoint.
    pub endpoint: Name,
    /// Its limit.
    pub limit: f64,
    /// The side on which it is met.
    pub direction: EndpointDirection,
    /// The probability that a new site's own value lies on that side.
    pub probability: Estimable<f64>,
}

/// The synthesis with one site left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveOneOut {
    /// The site left out.
    pub site: SiteId,
    /// The pooled mean without it.
    pub estimate: Estimable<f64>,
    /// Its confidence limits.
    pub ci: Estimable<[f64; 2]>,
    /// Between-site variance without it.
    pub tau2: Estimable<f64>,
}

/// How much one site moves a synthesis (Viechtbauer and Cheung 2010).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteInfluence {
    /// The site.
    pub site: SiteId,
    /// The measures; or why they do not exist.
    pub measures: Estimable<InfluenceMeasures>,
}

/// Deletion measures, on the analysis scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfluenceMeasures {
    /// Distance from the mean of the others, in standard errors.
    pub studentised_residual: f64,
    /// Change of the mean without the site, in standard errors.
    pub dffits: f64,
    /// Cook's distance.
    pub cooks_distance: f64,
    /// Variance of the mean without the site over that with it.
    pub covariance_ratio: f64,
}

impl InfluenceMeasures {
    /// Whether the site deserves a second look: further from the others than 95 of 100 would be.
    #[must_use]
    pub fn stands_out(&self) -> bool {
        self.studentised_residual.abs() > 1.96
    }
}

/// One method's answer beside the primary one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// The method.
    pub method: String,
    /// The pooled mean.
    pub estimate: Estimable<f64>,
    /// Its confidence limits.
    pub ci: Estimable<[f64; 2]>,
    /// Between-site variance on the analysis scale.
    pub tau2: Estimable<f64>,
    /// Prediction interval.
    pub prediction_interval: Estimable<[f64; 2]>,
}

/// What a reader of a synthesis must keep in mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Warning {
    /// Two sites carry almost no information about the variance between sites.
    TwoSitesCarryAlmostNoInformation,
    /// A prediction interval of three or four sites hangs on a variance that is hardly known.
    PredictionFromFewSites,
    /// A prediction interval of sites that differ moderately holds a new one less often than it says.
    PredictionCoversLess,
    /// A site has few cases of a class among many: its interval holds the truth less often than it says.
    FewOfOneClass,
    /// Each of many small sites is off in the same direction: intervals are too narrow.
    ManySmallSites,
    /// A site released aggregates that this scale cannot use.
    SitesExcluded,
    /// The exact-binomial model counts cases as independent although patients repeat.
    ClusteringIgnored,
}

impl Warning {
    /// The warning in words.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::TwoSitesCarryAlmostNoInformation => {
                "Two sites carry almost no information on how much sites differ; the interval is \
                 shown, not to be relied on."
            }
            Self::PredictionFromFewSites => {
                "With fewer than five sites the variance between sites is hardly known; the \
                 prediction interval is wide for that reason."
            }
            Self::PredictionCoversLess => {
                "Where sites differ moderately, a 95 % prediction interval holds a new site less \
                 often than it says: in simulations of 5 to 30 sites 83 to 96 of 100 times, and 76 \
                 where sites are small."
            }
            Self::FewOfOneClass => {
                "A site has fewer than 30 cases of a class among more than twenty times as many; its \
                 own 95 % interval held the truth in 91 to 93 of 100 simulations."
            }
            Self::ManySmallSites => {
                "Most of these sites have fewer than 30 cases of a class; in simulations of such \
                 sites the 95 % interval of the mean fell to 87 of 100, the prediction interval to 76."
            }
            Self::SitesExcluded => {
                "A site released aggregates that this synthesis cannot use; it was left out, which \
                 may bias the pooled value."
            }
            Self::ClusteringIgnored => {
                "The exact-binomial model takes cases as independent although some patients have \
                 several; its interval is somewhat too narrow."
            }
        }
    }
}
