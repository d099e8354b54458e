//! Reference standard, unit of analysis, operating points, endpoints, disclosure floor.

use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::id::Name;
use crate::metric::MetricId;

/// What the index test is judged against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceStandard {
    /// How it was established, for people.
    pub description: String,
    /// Values of the manifest's label column that mean: has the target condition.
    pub positive: Vec<String>,
    /// Values that mean: has not.
    pub negative: Vec<String>,
}

/// What one row of every table counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One score for each patient, by the combination rule.
    Patient,
    /// Every image, with standard errors clustered by patient.
    Image,
}

/// How several images of one patient become one score (unit *patient*).
///
/// The patient has the target condition where any of the images has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Mean of the probabilities.
    Mean,
    /// Largest probability.
    Maximum,
    /// The first image in the manifest.
    First,
}

/// Unit of analysis and rules of estimation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analysis {
    /// Unit of analysis.
    pub unit: Unit,
    /// Combination rule; present exactly where the unit is the patient.
    pub combine: Option<Combine>,
    /// Share of failed cases above which the evaluation fails, 0 to 1.
    pub failure_limit: f64,
    /// Equal-width bins of the expected calibration error.
    pub ece_bins: u32,
    /// Confidence level of every interval, such as 0.95.
    pub level: f64,
    /// Shares with the target condition, strictly between 0 and 1, at which predictive values are
    /// reported: those of the places where the model is to be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prevalences: Vec<f64>,
}

/// A locked positivity cut-off: a case is called positive where its score is at least `threshold`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Its name.
    pub name: Name,
    /// Probability, strictly between 0 and 1.
    pub threshold: f64,
}

/// On which side of the limit the endpoint is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointDirection {
    /// Met where the whole interval is at or above the limit.
    AtLeast,
    /// Met where the whole interval is at or below the limit.
    AtMost,
}

/// Which interval is held against the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointBasis {
    /// Confidence interval of the pooled mean: does the model hold on average?
    PooledMean,
    /// Prediction interval: does it hold in a hospital it has never seen?
    NewSite,
}

/// A pre-specified endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name.
    pub name: Name,
    /// The metric.
    pub metric: MetricId,
    /// Acceptance limit, on the metric's own scale.
    pub limit: f64,
    /// Side of the limit.
    pub direction: EndpointDirection,
    /// Interval held against the limit.
    pub basis: EndpointBasis,
}

/// A preset of disclosure rules. What each means stands as data in the disclosure crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The rule is on the denominator; response counts are then exact.
    Standard,
    /// Every number is rounded to a grid that one patient cannot move visibly.
    Strict,
    /// Cells of 1 to 10 stay, as the US Centers for Medicare & Medicaid Services ask.
    Cms,
    /// Counts up to 7 stay, the others are rounded to 5, as OpenSAFELY asks.
    OpenSafely,
    /// Threshold 10, and zeros are disclosive, as ACRO asks.
    Acro,
    /// Counts below 5 stay, as OHDSI asks.
    Ohdsi,
    /// Counts carry discrete Gaussian noise.
    Dp,
}

impl Profile {
    /// Every preset, by the name that policies and reports write.
    pub const NAMED: [(&'static str, Self); 7] = [
        ("standard", Self::Standard),
        ("strict", Self::Strict),
        ("cms", Self::Cms),
        ("opensafely", Self::OpenSafely),
        ("acro", Self::Acro),
        ("ohdsi", Self::Ohdsi),
        ("dp", Self::Dp),
    ];

    /// The preset's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Strict => "strict",
            Self::Cms => "cms",
            Self::OpenSafely => "opensafely",
            Self::Acro => "acro",
            Self::Ohdsi => "ohdsi",
            Self::Dp => "dp",
        }
    }
}

/// The least disclosure control of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureFloor {
    /// Least strict profile.
    pub profile: Profile,
    /// Smallest k, in patients.
    #[serde(serialize_with = "exact_u64")]
    pub k: u64,
}
