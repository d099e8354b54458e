//! What a site sends: one result for a round, whatever came of it.

use serde::{Deserialize, Serialize, Serializer};

use crate::canonical::exact_u64;
use crate::classes::ClassPerformance;
use crate::coarse::CoarsePerformance;
use crate::conditions::ConditionPerformance;
use crate::detection::DetectionPerformance;
use crate::digest::{BuildDigest, CohortCommitment, ModelDigest, PolicyDigest, ProtocolDigest};
use crate::id::{Name, RoundId, SiteId, StudyId};
use crate::measures::MeasurePerformance;
use crate::noisy::NoisyPerformance;
use crate::performance::Performance;
use crate::probes::ProbeDigests;
use crate::summary::FailureReason;
use crate::terms::Terms;

/// A value, or the fact that it was suppressed: never zero-filled, never dropped.
///
/// Outside the site every suppressed cell looks alike (DC-25): that a cell fell for the sake of
/// another would say that it holds at least k patients of each label, and by subtraction how few the
/// other holds. The steward's preview says which is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell<T> {
    /// The value.
    Released(T),
    /// No value.
    Suppressed,
}

impl<T> Cell<T> {
    /// The value, if it was released.
    pub const fn released(&self) -> Option<&T> {
        match self {
            Self::Released(value) => Some(value),
            Self::Suppressed => None,
        }
    }
}

/// How many patients had cases without a usable result, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttritionCount {
    /// The reason.
    pub reason: FailureReason,
    /// Distinct patients.
    #[serde(serialize_with = "exact_cell")]
    pub patients: Cell<u64>,
}

/// Writes a count that may be suppressed, refusing one that a JSON reader would round.
pub(crate) fn exact_cell<S: Serializer>(
    cell: &Cell<u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    /// The same cell with its count in exact form.
    #[derive(Serialize)]
    #[serde(transparent)]
    struct Exact(#[serde(serialize_with = "exact_u64")] u64);

    match cell {
        Cell::Released(count) => Cell::Released(Exact(*count)),
        Cell::Suppressed => Cell::Suppressed,
    }
    .serialize(serializer)
}

/// One cell of one table of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubgroupCell<P = Performance> {
    /// Category of the dimension.
    pub category: Name,
    /// Dimension or crossing of the protocol's dictionary.
    pub dimension: Name,
    /// Its performance, or the mark that it was suppressed.
    pub performance: Cell<P>,
}

/// The vetted aggregates of one evaluation, in the form that the terms in force allow. Fields are declared in the
/// order in which they are written: nothing is moved for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release<P = Performance> {
    /// Cases without a usable result.
    pub attrition: Vec<AttritionCount>,
    /// The whole cohort.
    pub overall: P,
    /// Cells of every table, in the protocol's order; that of unlisted attributes is never among
    /// them.
    #[serde(
        deserialize_with = "crate::form::read_tight",
        bound(deserialize = "P: Deserialize<'de>")
    )]
    pub subgroups: Vec<SubgroupCell<P>>,
    /// Disclosure terms in force.
    pub terms: Terms,
}

/// Where an evaluation failed. Nothing finer leaves the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedStage {
    /// The model could not be loaded within its limits.
    ModelLoad,
    /// The site's data could not be read.
    DataSource,
    /// The model could not be run on the cases within its limits.
    Evaluation,
}

/// What came of one dispatch at one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Aggregates in exact counts.
    Released(Box<Release>),
    /// Aggregates of which response counts stay, or that stand on grids.
    ReleasedCoarse(Box<Release<CoarsePerformance>>),
    /// Aggregates with noise.
    ReleasedNoisy(Box<Release<NoisyPerformance>>),
    /// Aggregates of several classes, in exact counts.
    ReleasedClasses(Box<Release<ClassPerformance>>),
    /// Aggregates of several conditions, in exact counts.
    ReleasedConditions(Box<Release<ConditionPerformance>>),
    /// Means and spreads of measures, on grids.
    ReleasedMeasures(Box<Release<MeasurePerformance>>),
    /// Aggregates of findings with a place, in exact counts.
    ReleasedDetection(Box<Release<DetectionPerformance>>),
    /// The cohort's denominators are too small for anything to leave.
    Insufficient,
    /// Policy, ledger, budget or steward refused: the reason stays on site.
    Refused,
    /// The evaluation did not finish.
    Failed(FailedStage),
}

impl Outcome {
    /// The status that reports print.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Released(_)
            | Self::ReleasedCoarse(_)
            | Self::ReleasedNoisy(_)
            | Self::ReleasedClasses(_)
            | Self::ReleasedConditions(_)
            | Self::ReleasedMeasures(_)
            | Self::ReleasedDetection(_) => "released",
            Self::Insufficient => "insufficient",
            Self::Refused => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// The disclosure terms of a release.
    #[must_use]
    pub const fn terms(&self) -> Option<Terms> {
        match self {
            Self::Released(release) => Some(release.terms),
            Self::ReleasedCoarse(release) => Some(release.terms),
            Self::ReleasedNoisy(release) => Some(release.terms),
            Self::ReleasedClasses(release) => Some(release.terms),
            Self::ReleasedConditions(release) => Some(release.terms),
            Self::ReleasedMeasures(release) => Some(release.terms),
            Self::ReleasedDetection(release) => Some(release.terms),
            Self::Insufficient | Self::Refused | Self::Failed(_) => None,
        }
    }

    /// The attrition of a release.
    #[must_use]
    pub fn attrition(&self) -> &[AttritionCount] {
        match self {
            Self::Released(release) => &release.attrition,
            Self::ReleasedCoarse(release) => &release.attrition,
            Self::ReleasedNoisy(release) => &release.attrition,
            Self::ReleasedClasses(release) => &release.attrition,
            Self::ReleasedConditions(release) => &release.attrition,
            Self::ReleasedMeasures(release) => &release.attrition,
            Self::ReleasedDetection(release) => &release.attrition,
            Self::Insufficient | Self::Refused | Self::Failed(_) => &[],
        }
    }
}

/// What a result is about. The lease epoch is not here: approved bytes outlive leases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultHeader {
    /// The study.
    pub study: StudyId,
    /// Digest of the protocol that was run.
    pub protocol: ProtocolDigest,
    /// Digest of the model that was run.
    pub model: ModelDigest,
    /// The round.
    pub round: RoundId,
    /// The site.
    pub site: SiteId,
    /// The cohort; absent where the site never opened one.
    pub cohort: Option<CohortCommitment>,
    /// The site's policy; absent where the site has none that is valid.
    pub policy: Option<PolicyDigest>,
    /// The agent executable.
    pub agent_build: BuildDigest,
    /// Where the scores come from.
    #[serde(default, skip_serializing_if = "ScoreSource::is_model")]
    pub scores: ScoreSource,
    /// What its preprocessing made of the probe images before the first case was read.
    #[serde(default, skip_serializing_if = "ProbeDigests::is_empty")]
    pub preprocessing: ProbeDigests,
}

/// Where a site's scores come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSource {
    /// The protocol's model, run on images during the round.
    #[default]
    Model,
    /// A table of scores that were made elsewhere: nobody can say by what.
    PredictionTable,
}

impl ScoreSource {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    const fn is_model(&self) -> bool {
        matches!(self, Self::Model)
    }
}

/// One site's result for one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteResult {
    /// What it is about.
    pub header: ResultHeader,
    /// What came of it.
    pub outcome: Outcome,
}
