//! How a study's progress stands on the wire.

use fedval_core::port::{Phase, RoundRow, SiteRow, SiteState, StudyRow};
use fedval_core::{Progress, StudyProgress};
use fedval_proto as proto;
use fedval_study::Outcome;
use fedval_trust::Certificate;

/// The state of a study with these rounds.
pub(crate) fn study_state(study: &StudyRow, rounds: &[RoundRow]) -> proto::StudyState {
    match (study.in_force(), rounds.last()) {
        (None, _) => proto::StudyState::Draft,
        (Some(_), None) => proto::StudyState::Locked,
        (Some(_), Some(round)) if round.closed_at.is_none() => proto::StudyState::Open,
        // Nothing was asked yet under a version that was amended since.
        (Some(locked), Some(round)) if round.protocol_version != locked.version => {
            proto::StudyState::Locked
        }
        (Some(_), Some(_)) => proto::StudyState::Closed,
    }
}

pub(super) fn progress_to_wire(progress: &StudyProgress) -> proto::StudyStatusResponse {
    let rounds: Vec<RoundRow> = progress.rounds.iter().map(|(round, _)| round.clone()).collect();
    let draft = progress.row.in_force().and(progress.row.draft.as_ref());
    proto::StudyStatusResponse {
        study: progress.row.study.to_string(),
        state: study_state(&progress.row, &rounds).into(),
        protocol_digest: progress.protocol.digest().0.as_bytes().to_vec(),
        version: progress.protocol.protocol().version,
        draft_version: draft.map_or(0, |draft| draft.version),
        rounds: progress
            .rounds
            .iter()
            .map(|(round, sites)| proto::RoundStatus {
                round: round.round.to_string(),
                opened_at_ms: round.opened_at.unix_millis(),
                closed_at_ms: round.closed_at.map_or(0, fedval_ambient::Timestamp::unix_millis),
                sites: sites.iter().map(site_progress).collect(),
                deadline_at_ms: round.deadline_at.map_or(0, fedval_ambient::Timestamp::unix_millis),
                version: round.protocol_version,
            })
            .collect(),
    }
}

/// What is told of a site: phases, never counts.
pub(crate) fn site_progress(progress: &Progress) -> proto::SiteProgress {
    // A site whose result is here has sent it, whatever it said last.
    let phase = match progress.result.as_ref().map_or(progress.phase, |_| Some(Phase::Sent)) {
        None => proto::Phase::Unspecified,
        Some(Phase::Queued) => proto::Phase::Queued,
        Some(Phase::Approved) => proto::Phase::Approved,
        Some(Phase::Downloading) => proto::Phase::Downloading,
        Some(Phase::Evaluating) => proto::Phase::Evaluating,
        Some(Phase::AwaitingRelease) => proto::Phase::AwaitingRelease,
        Some(Phase::Sent) => proto::Phase::Sent,
    };
    let outcome = match progress.result.as_ref().map(|result| &result.outcome) {
        None => proto::SiteOutcome::Missing,
        Some(
            Outcome::Released(_)
            | Outcome::ReleasedCoarse(_)
            | Outcome::ReleasedNoisy(_)
            | Outcome::ReleasedClasses(_)
            | Outcome::ReleasedConditions(_)
            | Outcome::ReleasedMeasures(_)
            | Outcome::ReleasedDetection(_),
        ) => proto::SiteOutcome::Released,
        Some(Outcome::Insufficient) => proto::SiteOutcome::Insufficient,
        Some(Outcome::Refused) => proto::SiteOutcome::Refused,
        Some(Outcome::Failed(_)) => proto::SiteOutcome::Failed,
    };
    proto::SiteProgress {
        site: progress.site.to_string(),
        phase: phase.into(),
        outcome: outcome.into(),
    }
}

pub(super) fn site_to_wire(row: &SiteRow) -> proto::SiteEntry {
    let state = match row.state {
        SiteState::Invited => proto::SiteState::Invited,
        SiteState::Enrolled => proto::SiteState::Enrolled,
        SiteState::Revoked => proto::SiteState::Revoked,
    };
    let certificate = row.certificate.as_deref().and_then(|pem| Certificate::from_pem(pem).ok());
    proto::SiteEntry {
        site: row.site.to_string(),
        state: state.into(),
        certificate: certificate
            .map(|certificate| certificate.fingerprint().0.as_bytes().to_vec())
            .unwrap_or_default(),
    }
}
