//! Studies: taking a draft, of a new one or of an amendment, and locking it.

use fedval_ambient::Problem;
use fedval_study::protocol::LockError;
use fedval_study::{LockedProtocol, LogEvent, ProtocolDigest, Sha256Digest, StudyId};
use fedval_trust::{Endorsement, PayloadType, Role, SignatureProblem, SignedDocument};

use crate::Coordinator;
use crate::port::{
    ArtifactError, DraftLocked, DraftStored, DraftVersion, StoreError, StoredArtifact, StudyRow,
};

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
    /// The study is locked, and the draft does not say that it amends it.
    #[error("the study `{study}` is locked and never changes")]
    AlreadyLocked {
        /// The study.
        study: StudyId,
    },
    /// The draft amends another version than the one in force.
    #[error("the draft does not amend the version of `{study}` that is in force")]
    DoesNotFollow {
        /// The study.
        study: StudyId,
    },
    /// A stored protocol is damaged.
    #[error("a stored document is damaged")]
    Damaged,
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
            Self::DoesNotFollow { .. } => "AMENDMENT_OUT_OF_DATE",
            Self::Damaged => "STORE_DAMAGED",
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
            Self::AlreadyLocked { study } => Some(format!(
                "amend it: fedval study amend {study} FILE --reason \"…\"; or give the changed study a new `id`"
            )),
            Self::DoesNotFollow { .. } => {
                Some("run `fedval study amend` again: it reads what is in force".to_owned())
            }
            Self::Damaged => Some("restore the coordinator from a backup".to_owned()),
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
    /// A round is open under the version in force.
    #[error("a round of `{study}` is open under the version of the protocol that is in force")]
    RoundOpen {
        /// The study.
        study: StudyId,
    },
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
            Self::RoundOpen { .. } => "AMENDMENT_ROUND_OPEN",
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
            Self::RoundOpen { study } => {
                Some(format!("close it first: fedval study close {study}"))
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
    /// Takes a draft whose model was uploaded before: of a new study, or of the version that amends the one in
    /// force.
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
        let plan = locked.protocol();
        if (plan.model.digest.0, plan.model.bytes) != (model.digest, model.bytes) {
            return Err(CreateError::ModelDigest);
        }
        let study = &plan.id;
        let follows = self.amended_by(&locked).await?;
        let draft = DraftVersion { version: plan.version, protocol: locked.bytes().to_vec() };
        match self.store.study_put_draft(study, follows, &draft).await? {
            DraftStored::Stored => Ok(locked),
            DraftStored::DoesNotFollow => Err(CreateError::DoesNotFollow { study: study.clone() }),
        }
    }

    /// The version in force that a draft amends; none where the study is new.
    async fn amended_by(&self, draft: &LockedProtocol) -> Result<Option<u32>, CreateError> {
        let plan = draft.protocol();
        let row = self.store.study_find(&plan.id).await?;
        let study = || plan.id.clone();
        match (row.as_ref().and_then(StudyRow::in_force), &plan.amends) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(CreateError::AlreadyLocked { study: study() }),
            (None, Some(_)) => Err(CreateError::DoesNotFollow { study: study() }),
            (Some(in_force), Some(_)) => {
                let before =
                    LockedProtocol::parse(&in_force.protocol).map_err(|_| CreateError::Damaged)?;
                fedval_study::protocol::follows(&before, draft)
                    .then_some(Some(in_force.version))
                    .ok_or_else(|| CreateError::DoesNotFollow { study: study() })
            }
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
        self.log_versions(&row).await?;
        let digest = ProtocolDigest(digest);
        if let Some(in_force) = row.in_force().filter(|locked| locked.digest() == digest) {
            return Ok(LockedProtocol::parse(&in_force.protocol)?);
        }
        let locked = LockedProtocol::parse(row.newest())?;
        if row.draft.is_none() || locked.digest() != digest {
            return Err(LockStudyError::DraftChanged);
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
        match self.store.study_lock(study, &document.bytes, &document.endorsements).await? {
            DraftLocked::Locked => {}
            DraftLocked::DraftChanged => return Err(LockStudyError::DraftChanged),
            DraftLocked::RoundOpen => {
                return Err(LockStudyError::RoundOpen { study: study.clone() });
            }
        }
        let (protocol, model) = (locked.digest(), locked.protocol().model.digest);
        self.log(LogEvent::ProtocolLocked { study: study.clone(), protocol, model }).await?;
        tracing::info!(%study, version = locked.protocol().version, %protocol, "study locked");
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
