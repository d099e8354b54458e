//! The report as a value: what `report.json` holds, and nothing that it does not.

mod disclosure;
mod estimable;
mod identity;
mod reason;
mod scale;
mod site;
mod subgroup;
mod synthesis;
mod verdict;

use std::collections::BTreeMap;

use fedval_study::{Canonical, CanonicalError, MetricId, SiteId};
use serde::{Deserialize, Serialize};

pub use disclosure::{DisclosureSection, WithheldCode, WithheldItem, WithheldWhat};
pub use estimable::Estimable;
pub use identity::{ModelIdentity, OperatingPointLimit, RoundIdentity, Software, StudyIdentity};
pub use reason::Reason;
pub use scale::Scale;
pub use site::{
    Attrition, CalibrationLine, Disclosed, Group, Metric, Metrics, OperatingPointRow, Participants,
    Site, SiteControl, SiteTally,
};
pub use subgroup::{Subgroup, SubgroupSite};
pub use synthesis::{
    Acceptance, Alternative, Excluded, LeaveOneOut, SiteWeight, Syntheses, Synthesis, Warning,
};
pub use verdict::{AgainstLimit, Verdict, VerdictResult, WorstSite, WorstSubgroup};

/// Schema of the report that this version writes.
pub const REPORT_SCHEMA: &str = "fedval.report/1";

/// A cross-site generalization report.
///
/// Every number in it follows from the locked protocol, the round record and the signed site
/// results alone, so that anyone who holds those can make the same bytes again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`REPORT_SCHEMA`].
    pub schema: String,
    /// What made it.
    pub software: Software,
    /// The study.
    pub study: StudyIdentity,
    /// The index test.
    pub model: ModelIdentity,
    /// The round, with every time that the report knows.
    pub round: RoundIdentity,
    /// One verdict for each pre-specified endpoint, in the protocol's order.
    pub verdicts: Vec<Verdict>,
    /// Who was asked and who was analysed.
    pub participants: Participants,
    /// Every site of the round, in order of ids.
    pub sites: Vec<Site>,
    /// Random-effects synthesis across sites.
    pub synthesis: Syntheses,
    /// One entry for each category of each dimension, in the protocol's order.
    pub subgroups: Vec<Subgroup>,
    /// What was withheld, under which rules.
    pub disclosure: DisclosureSection,
    /// What no reader may conclude from this report.
    pub limits: Vec<String>,
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
