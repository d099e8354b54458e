//! Rounds: sending a locked study to sites, following it, closing it.

mod closing;
mod error;
mod progress;

use fedval_study::{
    Canonical, Dispatch, LockedProtocol, LogEntry, LogEvent, RoundId, Sha256Digest, SiteId, StudyId,
};
use fedval_trust::{PayloadType, SignedDocument};
use sha2::{Digest as _, Sha256};

pub use closing::Closed;
pub use error::{CloseError, DispatchError, StatusError};
pub use progress::{OfferedDispatch, Progress, StudyProgress};

use crate::Coordinator;
use crate::port::{DispatchRow, RoundRow, SiteState, StoreError};

/// How often a round is tried to be opened while others open and close rounds.
const MOST_TRIES: u32 = 16;

/// How much of an artifact is read at a time.
const CHUNK_BYTES: u64 = 1 << 20;

fn amended(study: &StudyId) -> DispatchError {
    DispatchError::Amended { study: study.clone() }
}

impl Coordinator {
    /// Dispatches a locked study to `sites`, or to every enrolled site: opens a round, or adds to the
    /// open one. A site that was asked in this round before is not asked again. `deadline_hours` other
    /// than 0 sets when sites are overdue; nothing happens by itself then.
    ///
    /// # Errors
    ///
    /// See [`DispatchError`].
    pub async fn study_dispatch(
        &self,
        study: &StudyId,
        sites: &[SiteId],
        deadline_hours: u32,
    ) -> Result<(RoundId, Vec<SiteId>), DispatchError> {
        let not_found = || DispatchError::NotFound { study: study.clone() };
        let row = self.store.study_find(study).await?.ok_or_else(not_found)?;
        let not_locked = || DispatchError::NotLocked { study: study.clone() };
        let in_force = row.in_force().ok_or_else(not_locked)?;
        let locked = LockedProtocol::parse(&in_force.protocol)?;
        let sites = self.sites_to_ask(sites).await?;
        self.model_unchanged(&locked).await?;
        self.log_versions(&row).await?;
        let round = self.round_open_or_current(study, in_force.version).await?;
        if deadline_hours > 0 {
            let deadline_at = self.clock.now().plus_seconds(i64::from(deadline_hours) * 3600);
            self.store.round_set_deadline(&round.round, deadline_at).await?;
        }
        let orders: Vec<DispatchRow> =
            sites.iter().map(|site| self.order(&locked, &round, site)).collect::<Result<_, _>>()?;
        self.store.dispatch_insert(&orders).await?;
        self.log_dispatches(&locked, &orders).await?;
        tracing::info!(%study, round = %round.round, sites = sites.len(), "study dispatched");
        Ok((round.round, sites))
    }

    async fn log_dispatches(
        &self,
        locked: &LockedProtocol,
        orders: &[DispatchRow],
    ) -> Result<(), StoreError> {
        let plan = locked.protocol();
        let entry = |order: &DispatchRow| LogEntry {
            at_ms: order.dispatched_at.unix_millis(),
            event: LogEvent::Dispatched {
                study: plan.id.clone(),
                round: order.round.clone(),
                site: order.site.clone(),
                protocol: locked.digest(),
                model: plan.model.digest,
            },
        };
        // Sites that were asked before stand there already.
        let entries: Vec<LogEntry> = orders.iter().map(entry).collect();
        self.store.log_append(&entries).await.map(|_| ())
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

    async fn round_open_or_current(
        &self,
        study: &StudyId,
        version: u32,
    ) -> Result<RoundRow, DispatchError> {
        for _ in 0..MOST_TRIES {
            let rounds = self.store.round_list(study).await?;
            if let Some(open) = rounds.iter().find(|round| round.closed_at.is_none()) {
                let is_in_force = open.protocol_version == version;
                return if is_in_force { Ok(open.clone()) } else { Err(amended(study)) };
            }
            let number = rounds.last().map_or(1, |round| round.number + 1);
            let round = RoundRow {
                round: RoundId::nth(study, number)?,
                study: study.clone(),
                number,
                protocol_version: version,
                opened_at: self.clock.now(),
                closed_at: None,
                deadline_at: None,
            };
            // Another dispatch may have opened it meanwhile: then that one is the current round.
            if self.store.round_open(&round).await? {
                return Ok(round);
            }
        }
        Err(amended(study))
    }

    /// The signed order for one site.
    fn order(
        &self,
        locked: &LockedProtocol,
        round: &RoundRow,
        site: &SiteId,
    ) -> Result<DispatchRow, DispatchError> {
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
            nonce: Sha256Digest::from_bytes(self.entropy.bytes32()),
        })?;
        let signed = SignedDocument::sign(
            PayloadType::Dispatch,
            dispatch.bytes().to_vec(),
            &self.identity.signing_key,
            &self.identity.signing_certificate,
        );
        let endorsement = signed.endorsements.into_iter().next().expect("it was signed just now");
        Ok(DispatchRow {
            round: round.round.clone(),
            site: site.clone(),
            dispatch: signed.bytes,
            endorsement,
            dispatched_at: now,
            phase: None,
            lease_epoch: 0,
            lease_ends_at: None,
        })
    }
}
