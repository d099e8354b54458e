//! What a site has yet to answer, and how far a study is.

use fedval_study::{Canonical, Dispatch, LockedProtocol, RoundId, SiteId, SiteResult, StudyId};
use fedval_trust::Endorsement;

use super::StatusError;
use crate::Coordinator;
use crate::port::{Phase, RoundRow, StudyRow};

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
    /// The protocol in force; of a study that was never locked, its draft.
    pub protocol: LockedProtocol,
    /// Its rounds with their sites.
    pub rounds: Vec<(RoundRow, Vec<Progress>)>,
}

impl Coordinator {
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
            let asked = dispatch.value();
            let study = self.store.study_find(&asked.study).await?.ok_or(StatusError::Damaged)?;
            let protocol = study.version_of(asked.protocol).ok_or(StatusError::Damaged)?;
            offers.push(OfferedDispatch {
                dispatch: dispatch.into_value(),
                endorsement: row.endorsement,
                protocol_endorsements: protocol.endorsements.clone(),
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
        let bytes = row.in_force().map_or_else(|| row.newest(), |locked| &locked.protocol);
        let protocol = LockedProtocol::parse(bytes).map_err(|_| StatusError::Damaged)?;
        let mut rounds = Vec::new();
        for round in self.store.round_list(study).await? {
            let sites = self.round_progress(&round.round).await?;
            rounds.push((round, sites));
        }
        Ok(StudyProgress { row, protocol, rounds })
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
}
