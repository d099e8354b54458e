//! A site's result for a round.

use fedval_proto as proto;
use fedval_study::{
    BuildDigest, CohortCommitment, FailedStage, ModelDigest, Outcome, PolicyDigest, ProtocolDigest,
    ResultHeader, ScoreSource, SiteResult,
};

use crate::WireError;
use crate::classes::{classes_from_wire, classes_to_wire};
use crate::coarse::{coarse_from_wire, coarse_to_wire};
use crate::conditions::{conditions_from_wire, conditions_to_wire};
use crate::detection::{detection_from_wire, detection_to_wire};
use crate::measures::{measures_from_wire, measures_to_wire};
use crate::noisy::{noisy_from_wire, noisy_to_wire};
use crate::primitive::{digest, enumeration, id, optional_digest};
use crate::probes::{probes_from_wire, probes_to_wire};
use crate::release::{release_from_wire, release_to_wire};

/// Writes a result for the wire.
#[must_use]
pub fn site_result_to_wire(result: &SiteResult) -> proto::SiteResult {
    use proto::site_result::Outcome as WireOutcome;
    proto::SiteResult {
        header: Some(header_to_wire(&result.header)),
        outcome: Some(match &result.outcome {
            Outcome::Released(release) => WireOutcome::Released(release_to_wire(release)),
            Outcome::ReleasedCoarse(release) => {
                WireOutcome::ReleasedCoarse(coarse_to_wire(release))
            }
            Outcome::ReleasedNoisy(release) => WireOutcome::ReleasedNoisy(noisy_to_wire(release)),
            Outcome::ReleasedClasses(release) => {
                WireOutcome::ReleasedClasses(classes_to_wire(release))
            }
            Outcome::ReleasedConditions(release) => {
                WireOutcome::ReleasedConditions(conditions_to_wire(release))
            }
            Outcome::ReleasedMeasures(release) => {
                WireOutcome::ReleasedMeasures(measures_to_wire(release))
            }
            Outcome::ReleasedDetection(release) => {
                WireOutcome::ReleasedDetection(detection_to_wire(release))
            }
            Outcome::Insufficient => WireOutcome::Insufficient(proto::Insufficient {}),
            Outcome::Refused => WireOutcome::Refused(proto::Refused {}),
            Outcome::Failed(stage) => {
                WireOutcome::Failed(proto::Failed { stage: stage_to_wire(*stage).into() })
            }
        }),
    }
}

/// Reads a result from the wire.
///
/// # Errors
///
/// [`WireError`] names the first field that is absent or out of range.
pub fn site_result_from_wire(result: proto::SiteResult) -> Result<SiteResult, WireError> {
    use proto::site_result::Outcome as WireOutcome;
    let header = header_from_wire(&result.header.ok_or(WireError::missing("header"))?)?;
    let outcome = match result.outcome.ok_or(WireError::missing("outcome"))? {
        WireOutcome::Released(release) => Outcome::Released(Box::new(release_from_wire(release)?)),
        WireOutcome::ReleasedCoarse(release) => {
            Outcome::ReleasedCoarse(Box::new(coarse_from_wire(release)?))
        }
        WireOutcome::ReleasedNoisy(release) => {
            Outcome::ReleasedNoisy(Box::new(noisy_from_wire(release)?))
        }
        WireOutcome::ReleasedClasses(release) => {
            Outcome::ReleasedClasses(Box::new(classes_from_wire(release)?))
        }
        WireOutcome::ReleasedConditions(release) => {
            Outcome::ReleasedConditions(Box::new(conditions_from_wire(release)?))
        }
        WireOutcome::ReleasedMeasures(release) => {
            Outcome::ReleasedMeasures(Box::new(measures_from_wire(release)?))
        }
        WireOutcome::ReleasedDetection(release) => {
            Outcome::ReleasedDetection(Box::new(detection_from_wire(release)?))
        }
        WireOutcome::Insufficient(proto::Insufficient {}) => Outcome::Insufficient,
        WireOutcome::Refused(proto::Refused {}) => Outcome::Refused,
        WireOutcome::Failed(failed) => {
            Outcome::Failed(enumeration("failed.stage", failed.stage, stage_from_wire)?)
        }
    };
    Ok(SiteResult { header, outcome })
}

fn header_to_wire(header: &ResultHeader) -> proto::ResultHeader {
    let optional = |digest: Option<&[u8; 32]>| digest.map(|d| d.to_vec()).unwrap_or_default();
    proto::ResultHeader {
        study: header.study.to_string(),
        protocol: header.protocol.0.as_bytes().to_vec(),
        model: header.model.0.as_bytes().to_vec(),
        round: header.round.to_string(),
        site: header.site.to_string(),
        cohort: optional(header.cohort.as_ref().map(|cohort| cohort.0.as_bytes())),
        policy: optional(header.policy.as_ref().map(|policy| policy.0.as_bytes())),
        agent_build: header.agent_build.0.as_bytes().to_vec(),
        prediction_table: header.scores == ScoreSource::PredictionTable,
        preprocessing: probes_to_wire(&header.preprocessing),
    }
}

fn header_from_wire(header: &proto::ResultHeader) -> Result<ResultHeader, WireError> {
    Ok(ResultHeader {
        study: id("header.study", &header.study)?,
        protocol: ProtocolDigest(digest("header.protocol", &header.protocol)?),
        model: ModelDigest(digest("header.model", &header.model)?),
        round: id("header.round", &header.round)?,
        site: id("header.site", &header.site)?,
        cohort: optional_digest("header.cohort", &header.cohort)?.map(CohortCommitment),
        policy: optional_digest("header.policy", &header.policy)?.map(PolicyDigest),
        agent_build: BuildDigest(digest("header.agent_build", &header.agent_build)?),
        scores: if header.prediction_table {
            ScoreSource::PredictionTable
        } else {
            ScoreSource::Model
        },
        preprocessing: probes_from_wire(&header.preprocessing)?,
    })
}

const fn stage_to_wire(stage: FailedStage) -> proto::FailedStage {
    match stage {
        FailedStage::ModelLoad => proto::FailedStage::ModelLoad,
        FailedStage::DataSource => proto::FailedStage::DataSource,
        FailedStage::Evaluation => proto::FailedStage::Evaluation,
    }
}

fn stage_from_wire(stage: proto::FailedStage) -> Option<FailedStage> {
    match stage {
        proto::FailedStage::Unspecified => None,
        proto::FailedStage::ModelLoad => Some(FailedStage::ModelLoad),
        proto::FailedStage::DataSource => Some(FailedStage::DataSource),
        proto::FailedStage::Evaluation => Some(FailedStage::Evaluation),
    }
}
