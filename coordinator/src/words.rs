//! How commands and pages call what the contract enumerates.

use fedval_proto as proto;

pub(crate) const fn state_word(state: proto::StudyState) -> &'static str {
    match state {
        proto::StudyState::Unspecified => "unknown",
        proto::StudyState::Draft => "draft",
        proto::StudyState::Locked => "locked",
        proto::StudyState::Open => "open",
        proto::StudyState::Closed => "closed",
    }
}

pub(crate) const fn phase_word(phase: proto::Phase) -> &'static str {
    match phase {
        proto::Phase::Unspecified => "not seen yet",
        proto::Phase::Queued => "queued",
        proto::Phase::Approved => "approved",
        proto::Phase::Downloading => "downloading",
        proto::Phase::Evaluating => "evaluating",
        proto::Phase::AwaitingRelease => "awaiting release",
        proto::Phase::Sent => "sent",
    }
}

pub(crate) const fn outcome_word(outcome: proto::SiteOutcome) -> &'static str {
    match outcome {
        proto::SiteOutcome::Unspecified | proto::SiteOutcome::Missing => "missing",
        proto::SiteOutcome::Released => "released",
        proto::SiteOutcome::Insufficient => "insufficient",
        proto::SiteOutcome::Refused => "refused",
        proto::SiteOutcome::Failed => "failed",
    }
}
