//! Rounds: sending a locked study to sites, following it, closing it.

use fedval_ambient::Problem;
use fedval_study::protocol::LockError;
use fedval_study::{
    Canonical, CanonicalError, Dispatch, IdError, LockedProtocol, ProtocolDigest, RoundId, SiteId,
    SiteResult, StudyId,
};
use fedval_trust::{Endorsement, PayloadType, SignedDocument};
use sha2::{Digest as _, Sha256};

use crate::Coordinator;
use crate::port::{
    ArtifactError, DispatchRow, Phase, RoundRow, SiteState, StoreError, StudyRow, StudyState,
};

/// How much of an artifact is read at a time.
const CHUNK_BYTES: u64 = 1 << 20;

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
            Self::SiteNotEnrolled { .. } => "run `fedval site list` to see who is enrolled".to_owned(),
            Self::NoSites => "run `fedval site invite NAME` and wait for the site to enrol".to_owned(),
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

/// A dispatch as it is offered to its site.
#[derive(Debug, Clone)]
pub struct OfferedDispatch {
    /// The order.
    pub dispatch: Dispatch,
    /// The coordinator's signature on it.
    pub endorsement: Endorsement,
    /// The protocol's signatures.
    pub protocol_endorsements: Vec<Endorsement>,
}

/// One site's progress in a round.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The site.
    pub site: SiteId,
    /// Last phase it named.
    pub phase: Option<Phase>,
    /// Its result, if it arrived.
    pub result: Option<SiteResult>,
}

/// A study's progress.
#[derive(Debug, Clone)]
pub struct StudyProgress {
    /// The study.
    pub row: StudyRow,
    /// Digest of its protocol.
    pub digest: ProtocolDigest,
    /// Its rounds with their sites.
    pub rounds: Vec<(RoundRow, Vec<Progress>)>,
}

impl Coordinator {
    /// Dispatches a locked study to `sites`, or to every enrolled site: opens a round, or adds to the
    /// open one. A site that was asked in this round before is not asked again.
    ///
    /// # Errors
    ///
    /// See [`DispatchError`].
    pub async fn study_dispatch(
        &self,
        study: &StudyId,
        sites: &[SiteId],
    ) -> Result<(RoundId, Vec<SiteId>), DispatchError> {
        let not_found = || DispatchError::NotFound { study: study.clone() };
        let row = self.store.study_find(study).await?.ok_or_else(not_found)?;
        if row.state != StudyState::Locked {
            return Err(DispatchError::NotLocked { study: study.clone() });
        }
        let locked = LockedProtocol::parse(&row.protocol)?;
        let sites = self.sites_to_ask(sites).await?;
        self.model_unchanged(&locked).await?;
        let round = self.round_open_or_current(study).await?;
        for site in &sites {
            self.dispatch_to(&locked, &round, site).await?;
        }
        tracing::info!(%study, round = %round.round, sites = sites.len(), "study dispatched");
        Ok((round.round, sites))
    }

    async fn sites_to_ask(&self, wanted: &[SiteId]) -> Result<Vec<SiteId>, DispatchError> {
        let enrolled: Vec<SiteId> = self
            .store
            .site_list()
            .await?
            .into_iter()
            .filter(|row| row.state == SiteState::Enrolled)
            .map(|row| row.site)
            .collect();
        if let Some(site) = wanted.iter().find(|site| !enrolled.contains(site)) {
            return Err(DispatchError::SiteNotEnrolled { site: site.clone() });
        }
        let sites = if wanted.is_empty() { enrolled } else { wanted.to_vec() };
        if sites.is_empty() { Err(DispatchError::NoSites) } else { Ok(sites) }
    }

    /// The artifact folder may have been touched since the study was locked.
    async fn model_unchanged(&self, locked: &LockedProtocol) -> Result<(), DispatchError> {
        let model = &locked.protocol().model;
        if self.artifacts.artifact_size(&model.digest.0).await? != Some(model.bytes) {
            return Err(DispatchError::ModelChanged);
        }
        let mut hash = Sha256::new();
        let mut offset = 0;
        while offset < model.bytes {
            let chunk = self.artifacts.artifact_read(&model.digest.0, offset, CHUNK_BYTES).await?;
            if chunk.is_empty() {
                return Err(DispatchError::ModelChanged);
            }
            offset += chunk.len() as u64;
            hash.update(&chunk);
        }
        let found: [u8; 32] = hash.finalize().into();
        if found == *model.digest.0.as_bytes() { Ok(()) } else { Err(DispatchError::ModelChanged) }
    }

    async fn round_open_or_current(&self, study: &StudyId) -> Result<RoundRow, DispatchError> {
        loop {
            let rounds = self.store.round_list(study).await?;
            if let Some(open) = rounds.iter().find(|round| round.closed_at.is_none()) {
                return Ok(open.clone());
            }
            let number = rounds.last().map_or(1, |round| round.number + 1);
            let round = RoundRow {
                round: RoundId::nth(study, number)?,
                study: study.clone(),
                number,
                opened_at: self.clock.now(),
                closed_at: None,
            };
            // Another dispatch may have opened it meanwhile: then that one is the current round.
            if self.store.round_open(&round).await? {
                return Ok(round);
            }
        }
    }

    async fn dispatch_to(
        &self,
        locked: &LockedProtocol,
        round: &RoundRow,
        site: &SiteId,
    ) -> Result<(), DispatchError> {
        let protocol = locked.protocol();
        let now = self.clock.now();
        let dispatch = Canonical::new(Dispatch {
            study: protocol.id.clone(),
            protocol_version: protocol.version,
            round: round.round.clone(),
            site: site.clone(),
            protocol: locked.digest(),
            protocol_bytes: locked.bytes().len() as u64,
            model: protocol.model.digest,
            model_bytes: protocol.model.bytes,
            issued_at_ms: now.unix_millis(),
            nonce: fedval_study::Sha256Digest::from_bytes(self.entropy.bytes32()),
        })?;
        let signed = SignedDocument::sign(
            PayloadType::Dispatch,
            dispatch.bytes().to_vec(),
            &self.identity.signing_key,
            &self.identity.signing_certificate,
        );
        let endorsement = signed.endorsements.into_iter().next().expect("it was signed just now");
        let row = DispatchRow {
            round: round.round.clone(),
            site: site.clone(),
            dispatch: signed.bytes,
            endorsement,
            dispatched_at: now,
            phase: None,
            lease_epoch: 0,
            lease_ends_at: None,
        };
        self.store.dispatch_insert(&row).await?;
        Ok(())
    }

    /// What a site has yet to answer.
    ///
    /// # Errors
    ///
    /// [`StatusError`] if the store fails or is damaged.
    pub async fn offers_of(&self, site: &SiteId) -> Result<Vec<OfferedDispatch>, StatusError> {
        let mut offers = Vec::new();
        for row in self.store.dispatch_pending(site).await? {
            let dispatch: Canonical<Dispatch> =
                Canonical::parse(&row.dispatch).map_err(|_| StatusError::Damaged)?;
            let study = &dispatch.value().study;
            let study = self.store.study_find(study).await?.ok_or(StatusError::Damaged)?;
            offers.push(OfferedDispatch {
                dispatch: dispatch.into_value(),
                endorsement: row.endorsement,
                protocol_endorsements: study.endorsements,
            });
        }
        Ok(offers)
    }

    /// How far a study is.
    ///
    /// # Errors
    ///
    /// See [`StatusError`].
    pub async fn study_progress(&self, study: &StudyId) -> Result<StudyProgress, StatusError> {
        let not_found = || StatusError::NotFound { study: study.clone() };
        let row = self.store.study_find(study).await?.ok_or_else(not_found)?;
        let locked = LockedProtocol::parse(&row.protocol).map_err(|_| StatusError::Damaged)?;
        let mut rounds = Vec::new();
        for round in self.store.round_list(study).await? {
            let sites = self.round_progress(&round.round).await?;
            rounds.push((round, sites));
        }
        Ok(StudyProgress { row, digest: locked.digest(), rounds })
    }

    async fn round_progress(&self, round: &RoundId) -> Result<Vec<Progress>, StatusError> {
        let results = self.store.result_list(round).await?;
        let mut sites = Vec::new();
        for dispatch in self.store.dispatch_list(round).await? {
            let stored = results.iter().find(|result| result.site == dispatch.site);
            let result = stored
                .map(|stored| Canonical::<SiteResult>::parse(&stored.bytes))
                .transpose()
                .map_err(|_| StatusError::Damaged)?;
            sites.push(Progress {
                site: dispatch.site,
                phase: dispatch.phase,
                result: result.map(Canonical::into_value),
            });
        }
        Ok(sites)
    }

    /// Closes the open round: no further results.
    ///
    /// # Errors
    ///
    /// See [`CloseError`].
    pub async fn study_close(&self, study: &StudyId) -> Result<RoundId, CloseError> {
        let none = || CloseError::NoOpenRound { study: study.clone() };
        let rounds = self.store.round_list(study).await?;
        let open = rounds.into_iter().find(|round| round.closed_at.is_none()).ok_or_else(none)?;
        if !self.store.round_close(&open.round, self.clock.now()).await? {
            return Err(none());
        }
        tracing::info!(%study, round = %open.round, "round closed");
        Ok(open.round)
    }
}
