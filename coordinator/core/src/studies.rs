//! Studies: taking a draft, locking it.

use fedval_ambient::Problem;
use fedval_study::protocol::LockError;
use fedval_study::{LockedProtocol, LogEvent, ProtocolDigest, Sha256Digest, StudyId};
use fedval_trust::{Endorsement, PayloadType, Role, SignatureProblem, SignedDocument};

use crate::Coordinator;
use crate::port::{ArtifactError, DraftStored, StoreError, StoredArtifact, StudyState};

/// A draft is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The document is not a protocol.
    #[error("the uploaded document is not a study protocol")]
    NotAProtocol(#[from] LockError),
    /// The uploaded model is not the one that the protocol pins.
    #[error("the uploaded model is not the one that the protocol pins")]
    ModelDigest,
    /// The study is locked.
    #[error("the study `{study}` is locked and never changes")]
    AlreadyLocked {
        /// The study.
        study: StudyId,
    },
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
    /// Artifact storage failed.
    #[error("the coordinator cannot store artifacts")]
    Artifact(#[from] ArtifactError),
}

impl Problem for CreateError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotAProtocol(_) => "STUDY_INVALID",
            Self::ModelDigest => "MODEL_CHANGED",
            Self::AlreadyLocked { .. } => "STUDY_LOCKED",
            Self::Store(_) => "STORE_UNAVAILABLE",
            Self::Artifact(_) => "ARTIFACTS_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::NotAProtocol(_) => {
                Some("run the same release of fedval on both sides".to_owned())
            }
            Self::ModelDigest => Some(
                "the model file changed while it was sent: run `fedval study create` again"
                    .to_owned(),
            ),
            Self::AlreadyLocked { .. } => {
                Some("give the changed study a new `id` in its TOML file".to_owned())
            }
            Self::Store(_) | Self::Artifact(_) => {
                Some("look at the log of `fedval serve`".to_owned())
            }
        }
    }
}

/// A study cannot be locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockStudyError {
    /// There is no such study.
    #[error("there is no study `{study}`")]
    NotFound {
        /// The study.
        study: StudyId,
    },
    /// The sponsor signed other bytes than the ones stored.
    #[error("the draft changed since the sponsor signed it")]
    DraftChanged,
    /// The sponsor's signature does not hold.
    #[error("the sponsor's signature is refused")]
    Sponsor(#[source] SignatureProblem),
    /// The stored draft is no protocol: the store was changed.
    #[error("the stored draft is not a study protocol")]
    NotAProtocol(#[from] LockError),
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for LockStudyError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "STUDY_NOT_FOUND",
            Self::DraftChanged => "DRAFT_CHANGED",
            Self::Sponsor(_) => "SPONSOR_SIGNATURE",
            Self::NotAProtocol(_) => "STUDY_INVALID",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some("run `fedval study list` to see the studies".to_owned()),
            Self::DraftChanged => {
                Some("run `fedval study lock` again to sign the new draft".to_owned())
            }
            Self::Sponsor(_) => {
                Some("lock with the sponsor key that `fedval init` made".to_owned())
            }
            Self::NotAProtocol(_) => Some("run `fedval study create` again".to_owned()),
            Self::Store(_) => Some("look at the log of `fedval serve`".to_owned()),
        }
    }
}

impl Coordinator {
    /// Takes a draft whose model was uploaded before.
    ///
    /// # Errors
    ///
    /// See [`CreateError`].
    pub async fn study_create(
        &self,
        protocol: &[u8],
        model: StoredArtifact,
    ) -> Result<LockedProtocol, CreateError> {
        let locked = LockedProtocol::parse(protocol)?;
        let pinned = &locked.protocol().model;
        if (pinned.digest.0, pinned.bytes) != (model.digest, model.bytes) {
            return Err(CreateError::ModelDigest);
        }
        let study = &locked.protocol().id;
        match self.store.study_put_draft(study, locked.bytes()).await? {
            DraftStored::Stored => Ok(locked),
            DraftStored::AlreadyLocked => Err(CreateError::AlreadyLocked { study: study.clone() }),
        }
    }

    /// Locks a draft under the sponsor's signature and adds the coordinator's.
    ///
    /// Locking the same bytes again succeeds: the study is as the caller wants it.
    ///
    /// # Errors
    ///
    /// See [`LockStudyError`].
    pub async fn study_lock(
        &self,
        study: &StudyId,
        digest: Sha256Digest,
        sponsor: Endorsement,
    ) -> Result<LockedProtocol, LockStudyError> {
        let not_found = || LockStudyError::NotFound { study: study.clone() };
        let row = self.store.study_find(study).await?.ok_or_else(not_found)?;
        let locked = LockedProtocol::parse(&row.protocol)?;
        if locked.digest() != ProtocolDigest(digest) {
            return Err(LockStudyError::DraftChanged);
        }
        if row.state == StudyState::Locked {
            return Ok(locked);
        }
        let mut document = SignedDocument {
            payload_type: PayloadType::Protocol,
            bytes: locked.bytes().to_vec(),
            endorsements: vec![sponsor],
        };
        document
            .verify(&Role::Sponsor, self.root(), self.clock.now())
            .map_err(LockStudyError::Sponsor)?;
        document.endorse(&self.identity.signing_key, &self.identity.signing_certificate);
        // An artifact too: agents fetch protocols by digest, as they fetch models. Before the lock, so
        // that a locked study always has it.
        self.protocol_store(&document.bytes).await?;
        if !self.store.study_lock(study, &document.bytes, &document.endorsements).await? {
            return Err(LockStudyError::DraftChanged);
        }
        let (protocol, model) = (locked.digest(), locked.protocol().model.digest);
        self.log(LogEvent::ProtocolLocked { study: study.clone(), protocol, model }).await?;
        tracing::info!(%study, protocol = %locked.digest(), "study locked");
        Ok(locked)
    }

    async fn protocol_store(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let failed = StoreError::during("artifact_put");
        let mut upload = self.artifacts.artifact_begin().await.map_err(&failed)?;
        upload.write(bytes.to_vec()).await.map_err(&failed)?;
        upload.finish().await.map_err(&failed)?;
        Ok(())
    }
}
