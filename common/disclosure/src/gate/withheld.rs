//! Why no aggregate leaves, and what a steward can do about it.

use fedval_study::{CanonicalError, Outcome, Problem};

use crate::rules::dc01_closed_schema;
use crate::rules::dc19_budgets::Exhausted;

/// Why no aggregate leaves.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Withheld {
    /// The cohort is below the minimum.
    #[error("the cohort rests on too few patients of one label or in all")]
    Insufficient,
    /// The result does not fit the protocol.
    #[error("the result does not fit the protocol's schema: {0}")]
    Schema(dc01_closed_schema::SchemaBreach),
    /// A table rests on too few patients.
    #[error("a table rests on too few patients")]
    PerCase,
    /// The protocol groups patients by an attribute that the site's policy does not list.
    #[error(
        "the protocol groups patients by `{attribute}`, which this site's policy does not list"
    )]
    Attribute {
        /// Column or DICOM keyword.
        attribute: String,
    },
    /// Somebody is where the site's policy says that nobody can be.
    #[error("somebody is in `{cell}`, though this site's policy says that nobody can be")]
    NotAbsent {
        /// Table and cell.
        cell: String,
    },
    /// Two patients are nearly all of a sum.
    #[error("two patients make up nine tenths of a sum")]
    Dominated,
    /// The cohort is too near one that was released before.
    #[error(
        "with earlier releases about some of these patients, fewer than k could be singled out"
    )]
    EarlierReleases,
    /// A budget is used up.
    #[error("{0}")]
    Exhausted(#[from] Exhausted),
    /// The result could carry more than the site's budget.
    #[error("the result could carry {bits} bits, but the site's budget is {budget}")]
    Budget {
        /// Upper bound of the result.
        bits: u64,
        /// The site's budget.
        budget: u64,
    },
    /// The study asks for noise, and the site's own policy says nothing of it.
    #[error("the study asks for noisy counts, which this site's policy does not choose")]
    ForeignNoise,
    /// The study is about several classes or conditions, and the policy rounds counts, keeps some back or adds noise.
    #[error(
        "counts of several classes or conditions have no form that this site's policy would let out"
    )]
    ClassesNeedExactCounts,
    /// The study measures patients, and the policy adds noise.
    #[error("means of measures have no form with the noise that this site's policy asks for")]
    MeasuresHaveNoNoise,
    /// The study counts findings, and the policy rounds counts, keeps some back or adds noise.
    #[error("counts of findings have no form that this site's policy would let out")]
    DetectionNeedsExactCounts,
    /// The noise cannot be drawn.
    #[error("the noise of the policy cannot be drawn")]
    Noise,
    /// The result has no canonical form.
    #[error("the result has no canonical form")]
    NotCanonical(#[source] CanonicalError),
}

impl Withheld {
    /// All that the coordinator hears of it.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Insufficient => Outcome::Insufficient,
            _ => Outcome::Refused,
        }
    }
}

impl Problem for Withheld {
    fn code(&self) -> &'static str {
        match self {
            Self::Insufficient => "INSUFFICIENT",
            Self::Schema(_) | Self::NotCanonical(_) | Self::Noise => "RESULT_SCHEMA",
            Self::ForeignNoise => "NOISE_NOT_CHOSEN",
            Self::ClassesNeedExactCounts => "CLASSES_NEED_EXACT_COUNTS",
            Self::MeasuresHaveNoNoise => "MEASURES_HAVE_NO_NOISE",
            Self::DetectionNeedsExactCounts => "DETECTION_NEEDS_EXACT_COUNTS",
            Self::PerCase | Self::Dominated => "RESULT_PER_CASE",
            Self::Attribute { .. } => "SUBGROUP_ATTRIBUTE",
            Self::NotAbsent { .. } => "ABSENT_BUT_THERE",
            Self::EarlierReleases => "EARLIER_RELEASES",
            Self::Exhausted(_) => "RELEASE_BUDGET",
            Self::Budget { .. } => "BIT_BUDGET",
        }
    }

    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Insufficient => {
                "add cases, or leave the round as it is: the report says `insufficient`"
            }
            Self::Budget { .. } => {
                "raise `bit_budget` in policy.toml on purpose and sign it, or keep refusing"
            }
            Self::Attribute { .. } => {
                "add it to `subgroup_attributes` in policy.toml on purpose and sign it, or keep refusing"
            }
            Self::NotAbsent { .. } => {
                "correct the data, or take the entry out of `absent` in policy.toml and sign it"
            }
            Self::ForeignNoise => {
                "set `profile = \"dp\"` or `noise_rho_micro` in policy.toml on purpose and sign it, or \
                 keep refusing"
            }
            Self::ClassesNeedExactCounts | Self::DetectionNeedsExactCounts => {
                "keep refusing, or on purpose let this protocol out exactly once: its digest under \
                 `locked_exact` in policy.toml, and two people then approve it"
            }
            Self::MeasuresHaveNoNoise => {
                "keep refusing, or on purpose let this protocol out without noise: its digest under \
                 `locked_exact` in policy.toml, and two people then approve it"
            }
            Self::EarlierReleases => {
                "run `fedval-agent ledger show` to see what was released; take the same patients as \
                 before, or at least k others of each label"
            }
            Self::Exhausted(_) => {
                "run `fedval-agent ledger show`; raise the budget in policy.toml on purpose and sign \
                 it, or keep refusing"
            }
            _ => "report this to the study's sponsor: agent and protocol disagree",
        };
        Some(text.to_owned())
    }
}
