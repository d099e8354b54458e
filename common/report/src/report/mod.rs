//! The report as a value: what `report.json` holds, and nothing that it does not.

mod classes;
mod conditions;
mod detection;
mod disclosure;
mod estimable;
mod gap;
mod identity;
mod measures;
mod operating_point;
mod over_sites;
mod reason;
mod risk_of_bias;
mod scale;
mod segmentation;
mod site;
mod subgroup;
mod synthesis;
mod verdict;
mod written;

use std::collections::BTreeMap;

use fedval_study::{Canonical, CanonicalError, MetricId, SiteId};
use serde::{Deserialize, Serialize};

pub use classes::{ClassSection, SiteClasses};
pub use conditions::{ConditionSummary, GroupCondition, SiteCondition};
pub use detection::{DetectionGroup, DetectionSection, FrocPoint, FrocValue, SiteDetection};
pub use disclosure::{DisclosureSection, WithheldCode, WithheldItem, WithheldWhat};
pub use estimable::Estimable;
pub use gap::{Gap, GapEstimate};
pub use identity::{
    ModelIdentity, OperatingPointLimit, ProtocolVersion, RoundIdentity, Software, StudyIdentity,
};
pub use measures::{QuantitySection, SiteMeasure};
pub use operating_point::{
    JointSynthesis, NetBenefit, OperatingPointSummary, PredictiveValues, PrevalenceSource,
    SiteNetBenefit, WithLimits,
};
pub use over_sites::{MeanOverSites, MeansOverSites};
pub use reason::Reason;
pub use risk_of_bias::{Domain, Judgement, RiskOfBias, Signal};
pub use scale::Scale;
pub use segmentation::SegmentationSection;
pub use site::{
    Attrition, CalibrationLine, Disclosed, Metric, Metrics, OperatingPointRow, Participants, Site,
    SiteControl, SiteTally,
};
pub use subgroup::{ResponseCounts, Subgroup, SubgroupAuroc, SubgroupPerformance, SubgroupSite};
pub use synthesis::{
    Acceptance, Alternative, Excluded, InfluenceMeasures, LeaveOneOut, SiteInfluence, SiteWeight,
    Syntheses, Synthesis, Warning,
};
pub use verdict::{AgainstLimit, Verdict, VerdictResult, WorstSite, WorstSubgroup};
pub(crate) use written::written;

/// Schema of the report that this version writes.
pub const REPORT_SCHEMA: &str = "fedval.report/1";

/// How this version computes numbers and draws pages. It rises with every change that shows in a package: a
/// golden package of each revision is kept, and `tests/golden.rs` says when one is due.
pub const REPORT_REVISION: u32 = 4;

/// A cross-site generalization report.
///
/// Every number in it follows from the locked protocol, the round record and the signed site
/// results alone, so that anyone who holds those can make the same bytes again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The classes of a task that has several; absent of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<ClassSection>,
    /// The conditions of a task that has several, in the protocol's order; absent of others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionSummary>,
    /// How findings with a place were counted; absent of other tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<DetectionSection>,
    /// What was withheld, under which rules.
    pub disclosure: DisclosureSection,
    /// How the groups of a dimension differ.
    pub gaps: Vec<Gap>,
    /// What no reader may conclude from this report.
    pub limits: Vec<String>,
    /// Of metrics that have no standard error at a site, and so no synthesis; absent of tasks without any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub means_over_sites: MeansOverSites,
    /// The index test.
    pub model: ModelIdentity,
    /// Each locked operating point across sites, in the protocol's order.
    pub operating_points: Vec<OperatingPointSummary>,
    /// Who was asked and who was analysed.
    pub participants: Participants,
    /// The quantity of a regression; absent of other tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<QuantitySection>,
    /// Risk of bias of every site that released results, as far as this report can judge it.
    pub risk_of_bias: Vec<RiskOfBias>,
    /// The round, with every time that the report knows.
    pub round: RoundIdentity,
    /// [`REPORT_SCHEMA`].
    pub schema: String,
    /// How masks were measured, and who has an empty one; absent of other tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segmentation: Option<SegmentationSection>,
    /// Every site of the round, in order of ids.
    pub sites: Vec<Site>,
    /// What made it.
    pub software: Software,
    /// The study.
    pub study: StudyIdentity,
    /// One entry for each category of each dimension, in the protocol's order.
    pub subgroups: Vec<Subgroup>,
    /// Random-effects synthesis across sites.
    pub synthesis: Syntheses,
    /// One verdict for each pre-specified endpoint, in the protocol's order.
    pub verdicts: Vec<Verdict>,
}

impl Report {
    /// The report with the bytes that are signed: `report.json`.
    ///
    /// # Errors
    ///
    /// [`CanonicalError`] if a count is too large to stand in JSON, which no cohort is.
    pub fn canonical(&self) -> Result<Canonical<Self>, CanonicalError> {
        Canonical::new(self.clone())
    }

    /// The entry of one site.
    #[must_use]
    pub fn site(&self, id: &SiteId) -> Option<&Site> {
        self.sites.iter().find(|site| site.id == *id)
    }

    /// The synthesis of one metric, where there is one.
    #[must_use]
    pub fn synthesis_of(&self, metric: &MetricId) -> Option<&Synthesis> {
        self.synthesis.get(metric).and_then(Estimable::value)
    }
}

/// Metrics in the order in which reports show them are found in [`MetricId`]'s own order.
pub(crate) type ByMetric<T> = BTreeMap<MetricId, Estimable<T>>;
