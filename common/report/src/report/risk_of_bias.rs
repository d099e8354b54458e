//! Risk of bias of each site's data, by the domains of PROBAST+AI.

use fedval_study::SiteId;
use serde::{Deserialize, Serialize};

/// The judgements on one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskOfBias {
    /// The site.
    pub site: SiteId,
    /// One signal or more for each domain, in the order of the domains.
    pub signals: Vec<Signal>,
}

/// What speaks for or against one site in one domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signal {
    /// At most one patient in twenty has no usable result.
    FewWithoutResult,
    /// More than one patient in twenty has no usable result.
    ManyWithoutResult,
    /// How many patients have no usable result stayed at the site.
    UnknownWithoutResult,
    /// Model, input and cut-offs were locked before the first case was read.
    LockedIndexTest,
    /// Whether the reference standard was read blind to the index test is not recorded.
    BlindingNotRecorded,
    /// At least 100 cases of each class.
    EnoughOfEachClass,
    /// Fewer than 100 cases of a class: estimates of one site are unstable.
    FewOfAClass,
    /// At least 100 patients, where they are measured.
    EnoughPatients,
    /// Fewer than 100 patients: estimates of one site are unstable.
    FewPatients,
    /// Patients repeat, and errors allow for it.
    RepeatsAllowedFor,
    /// Patients repeat or may repeat, and errors do not allow for it.
    RepeatsIgnored,
}

/// A domain of PROBAST+AI's evaluation part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Domain {
    /// Participants and data sources.
    Participants,
    /// Predictors: here, the index test and what it is fed.
    IndexTest,
    /// Outcome: here, the reference standard.
    ReferenceStandard,
    /// Analysis.
    Analysis,
}

/// Risk of bias in a domain, as far as this report can judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// Nothing speaks for bias.
    Low,
    /// Not known here.
    Unclear,
    /// Something speaks for bias.
    High,
}

impl Domain {
    /// All domains, in order.
    pub const ALL: [Self; 4] =
        [Self::Participants, Self::IndexTest, Self::ReferenceStandard, Self::Analysis];

    /// The domain in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Participants => "Participants",
            Self::IndexTest => "Index test",
            Self::ReferenceStandard => "Reference standard",
            Self::Analysis => "Analysis",
        }
    }
}

impl Signal {
    /// The domain, the judgement and the words of the signal.
    #[must_use]
    pub const fn means(self) -> (Domain, Judgement, &'static str) {
        use Domain::{Analysis, IndexTest, Participants, ReferenceStandard};
        use Judgement::{High, Low, Unclear};
        match self {
            Self::FewWithoutResult => {
                (Participants, Low, "at most 5 % of patients without a usable result")
            }
            Self::ManyWithoutResult => {
                (Participants, High, "more than 5 % of patients without a usable result")
            }
            Self::UnknownWithoutResult => {
                (Participants, Unclear, "patients without a usable result were withheld")
            }
            Self::LockedIndexTest => {
                (IndexTest, Low, "model, input and cut-offs locked before the first case")
            }
            Self::BlindingNotRecorded => {
                (ReferenceStandard, Unclear, "blinding to the index test is not recorded")
            }
            Self::EnoughOfEachClass => (Analysis, Low, "at least 100 cases of each class"),
            Self::FewOfAClass => (Analysis, High, "fewer than 100 cases of a class"),
            Self::EnoughPatients => (Analysis, Low, "at least 100 patients"),
            Self::FewPatients => (Analysis, High, "fewer than 100 patients"),
            Self::RepeatsAllowedFor => (Analysis, Low, "errors allow for repeated patients"),
            Self::RepeatsIgnored => {
                (Analysis, Unclear, "errors do not allow for patients who may repeat")
            }
        }
    }
}

impl RiskOfBias {
    /// The judgement on one domain: the worst of its signals.
    #[must_use]
    pub fn judgement(&self, domain: Domain) -> Judgement {
        let of_domain = self.signals.iter().map(|signal| signal.means());
        let judgements = of_domain.filter(|(of, ..)| *of == domain).map(|(_, judged, _)| judged);
        judgements.max().unwrap_or(Judgement::Unclear)
    }
}
