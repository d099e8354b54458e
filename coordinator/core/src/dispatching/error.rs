//! Why a study is not dispatched, a round not closed, a study's progress not told.

use fedval_ambient::Problem;
use fedval_study::protocol::LockError;
use fedval_study::{CanonicalError, IdError, SiteId, StudyId};

use crate::port::{ArtifactError, StoreError};

/// A study cannot be dispatched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// There is no such study.
    #[error("there is no study `{study}`")]
    NotFound {
        /// The study.
        study: StudyId,
    },
    /// The study is not locked.
    #[error("the study `{study}` is not locked")]
    NotLocked {
        /// The study.
        study: StudyId,
    },
    /// The protocol was amended meanwhile.
    #[error("the protocol of `{study}` was amended meanwhile")]
    Amended {
        /// The study.
        study: StudyId,
    },
    /// A site is unknown, invited only, or revoked.
    #[error("the site `{site}` is not enrolled")]
    SiteNotEnrolled {
        /// The site.
        site: SiteId,
    },
    /// There is no enrolled site at all.
    #[error("no site is enrolled")]
    NoSites,
    /// The stored model is not the one that was locked.
    #[error("the stored model is not the one that was locked")]
    ModelChanged,
    /// The stored protocol is damaged.
    #[error("the stored protocol is damaged")]
    Damaged(#[from] LockError),
    /// The round's identifier is too long.
    #[error("the study's identifier leaves no room for a round number")]
    RoundId(#[from] IdError),
    /// The order has no canonical form.
    #[error("the order has no canonical form")]
    NotCanonical(#[from] CanonicalError),
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
    /// Artifact storage failed.
    #[error("the coordinator cannot read its artifacts")]
    Artifact(#[from] ArtifactError),
}

impl Problem for DispatchError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "STUDY_NOT_FOUND",
            Self::NotLocked { .. } => "STUDY_NOT_LOCKED",
            Self::Amended { .. } => "STUDY_AMENDED",
            Self::SiteNotEnrolled { .. } => "SITE_NOT_ENROLLED",
            Self::NoSites => "NO_SITES",
            Self::ModelChanged => "MODEL_CHANGED",
            Self::Damaged(_) | Self::RoundId(_) | Self::NotCanonical(_) => "STUDY_INVALID",
            Self::Store(_) => "STORE_UNAVAILABLE",
            Self::Artifact(_) => "ARTIFACTS_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "run `fedval study list` to see the studies".to_owned(),
            Self::NotLocked { study } => format!("run `fedval study lock {study}` first"),
            Self::Amended { study } => {
                format!("look at it, then dispatch it: fedval study status {study}")
            }
            Self::SiteNotEnrolled { .. } => {
                "run `fedval site list` to see who is enrolled".to_owned()
            }
            Self::NoSites => {
                "run `fedval site invite NAME` and wait for the site to enrol".to_owned()
            }
            Self::ModelChanged => {
                "restore the artifact folder from a backup: a locked study never changes".to_owned()
            }
            _ => "look at the log of `fedval serve`".to_owned(),
        })
    }
}

/// A round cannot be closed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// There is no open round.
    #[error("the study `{study}` has no open round")]
    NoOpenRound {
        /// The study.
        study: StudyId,
    },
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for CloseError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoOpenRound { .. } => "ROUND_NOT_OPEN",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::NoOpenRound { study } => {
                Some(format!("run `fedval study status {study}` to see its rounds"))
            }
            Self::Store(_) => Some("look at the log of `fedval serve`".to_owned()),
        }
    }
}

/// A study's progress cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// There is no such study.
    #[error("there is no study `{study}`")]
    NotFound {
        /// The study.
        study: StudyId,
    },
    /// A stored document is damaged.
    #[error("a stored document is damaged")]
    Damaged,
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for StatusError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "STUDY_NOT_FOUND",
            Self::Damaged => "STORE_DAMAGED",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some("run `fedval study list` to see the studies".to_owned()),
            Self::Damaged => Some("restore the coordinator from a backup".to_owned()),
            Self::Store(_) => Some("look at the log of `fedval serve`".to_owned()),
        }
    }
}
