//! What stayed at the sites, and why.

use std::collections::BTreeMap;

use fedval_study::protocol::Profile;
use fedval_study::summary::FailureReason;
use fedval_study::{Name, PolicyDigest, SiteId};
use serde::{Deserialize, Serialize};

/// The study's disclosure floor and everything that was withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureSection {
    /// Least strict profile that the study allows.
    pub profile: Profile,
    /// Smallest k that the study allows, in patients.
    pub k: u64,
    /// Digest of the policy that each answering site applied.
    pub policy_digests: BTreeMap<SiteId, PolicyDigest>,
    /// Everything that a reader might look for and not find.
    pub withheld: Vec<WithheldItem>,
    /// In which direction the withholding may bias what is shown.
    pub possible_bias: String,
}

/// Something that is not in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithheldItem {
    /// The site.
    pub site: SiteId,
    /// What.
    pub what: WithheldWhat,
    /// The disclosure rule, where one did it.
    pub rule: Option<String>,
    /// The code that stands in its place.
    pub code: WithheldCode,
}

/// What was withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithheldWhat {
    /// Everything that the site has.
    WholeSite,
    /// One category of one dimension.
    Subgroup {
        /// Dimension.
        dimension: Name,
        /// Category.
        category: Name,
    },
    /// One of several conditions, and the mean over all of them.
    Condition {
        /// Its name.
        condition: Name,
    },
    /// One of several conditions in one category of the dimension.
    GroupCondition {
        /// Category.
        category: Name,
        /// Its name.
        condition: Name,
        /// Dimension.
        dimension: Name,
    },
    /// The number of patients whose cases failed for one reason.
    Attrition {
        /// The reason.
        reason: FailureReason,
    },
    /// False positives of the whole cohort, of a study of findings; with them the curve.
    FalsePositives,
    /// The same of groups.
    GroupFalsePositives,
}

impl WithheldWhat {
    /// Whether it is a result of one group of patients.
    #[must_use]
    pub const fn is_of_a_group(&self) -> bool {
        matches!(self, Self::Subgroup { .. } | Self::GroupCondition { .. })
    }
}

/// The code that stands in the place of what was withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WithheldCode {
    /// Suppressed: too few patients, or it would allow such a cell to be computed. Which of the two
    /// stays on site (DC-25).
    S,
    /// The whole cohort is too small.
    #[serde(rename = "INSUFFICIENT")]
    Insufficient,
    /// The site refused.
    #[serde(rename = "REFUSED")]
    Refused,
    /// The evaluation did not finish.
    #[serde(rename = "FAILED")]
    Failed,
    /// Nothing arrived.
    #[serde(rename = "MISSING")]
    Missing,
}

impl WithheldCode {
    /// The code as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::Insufficient => "INSUFFICIENT",
            Self::Refused => "REFUSED",
            Self::Failed => "FAILED",
            Self::Missing => "MISSING",
        }
    }
}
