//! One agent's connection: what it hears and what it is told, without a transport.
//!
//! A site has one running agent. Each connection gets an epoch higher than any before; whatever
//! comes under an older one is stale, so that an agent that was replaced while it slept cannot speak
//! for the site when it wakes.

use std::collections::BTreeSet;

use fedval_ambient::{Problem, Timestamp};
use fedval_study::{RoundId, SiteId};

use crate::port::{
    DispatchRow, InstanceId, NewSession, Phase, RoundRow, SessionOpened, SiteState, StoreError,
};
use crate::{Coordinator, OfferedDispatch, StatusError};

/// How long a session and its leases last without a heartbeat; agents send one every half minute.
pub const SESSION_SECONDS: u32 = 120;
/// A session is extended in the store at most this often: heartbeats of thousands of agents are
/// many, writes that wait for the disk are dear.
const EXTEND_SECONDS: i64 = 45;

/// What an agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It is still there.
    Heartbeat,
    /// What it is doing with a round. Repeated for every round it holds on each new connection.
    Phase(RoundId, Phase),
}

/// What the coordinator does not have, though the site once gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostPart {
    /// The result.
    Result,
    /// The round.
    Round,
}

/// What an agent is told.
#[derive(Debug, Clone)]
pub enum Said {
    /// This connection speaks for the site, under this epoch.
    Welcome(u64),
    /// A study was dispatched to the site.
    Offer(Box<OfferedDispatch>),
    /// The site may work on the round.
    Lease(RoundId),
    /// The round is over.
    Cancel(RoundId),
    /// The coordinator was restored from an older backup.
    Lost(RoundId, LostPart),
}

/// A connection is ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The site was revoked.
    #[error("this call needs the certificate of an enrolled party")]
    NotEnrolled,
    /// Another process speaks for the site.
    #[error("another running agent is connected as this site")]
    HeldByAnother,
    /// A stored document is damaged.
    #[error("a stored document is damaged")]
    Damaged,
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for SessionError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "NOT_ENROLLED",
            Self::HeldByAnother => "AGENT_ALREADY_CONNECTED",
            Self::Damaged => "STORE_DAMAGED",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::NotEnrolled => "ask the coordinator's operator for `fedval site invite`",
                Self::HeldByAnother => {
                    "find the other machine that runs a copy of this agent's folder, and stop it"
                }
                Self::Damaged => "restore the coordinator from a backup",
                Self::Store(_) => "the agent tries again by itself",
            }
            .to_owned(),
        )
    }
}

impl From<StatusError> for SessionError {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::Store(error) => Self::Store(error),
            _ => Self::Damaged,
        }
    }
}

/// One agent's connection.
#[derive(Debug)]
pub struct AgentSession {
    coordinator: Coordinator,
    site: SiteId,
    epoch: u64,
    offered: BTreeSet<RoundId>,
    extended_at: Timestamp,
}

impl Coordinator {
    /// Lets a connection speak for its site, and says what there is to do.
    ///
    /// # Errors
    ///
    /// See [`SessionError`].
    pub async fn session_open(
        &self,
        site: &SiteId,
        instance: InstanceId,
        previous: Option<InstanceId>,
    ) -> Result<(AgentSession, Vec<Said>), SessionError> {
        let now = self.clock.now();
        let ends_at = now.plus_seconds(i64::from(SESSION_SECONDS));
        let session = NewSession { site: site.clone(), instance, previous, now, ends_at };
        let SessionOpened::Granted(epoch) = self.store.session_open(&session).await? else {
            tracing::warn!(%site, "a second agent of a connected site was refused");
            return Err(SessionError::HeldByAnother);
        };
        let mut session = AgentSession {
            coordinator: self.clone(),
            site: site.clone(),
            epoch,
            offered: BTreeSet::new(),
            extended_at: now,
        };
        let mut said = vec![Said::Welcome(epoch)];
        said.extend(session.look().await?);
        Ok((session, said))
    }
}

impl AgentSession {
    /// The connection's epoch.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Looks for what changed: new dispatches, closed rounds, revocation.
    ///
    /// # Errors
    ///
    /// See [`SessionError`].
    pub async fn look(&mut self) -> Result<Vec<Said>, SessionError> {
        self.still_enrolled().await?;
        let offers = self.coordinator.offers_of(&self.site).await?;
        let pending: BTreeSet<RoundId> =
            offers.iter().map(|offer| offer.dispatch.round.clone()).collect();
        let mut said = Vec::new();
        for offer in offers {
            if self.offered.insert(offer.dispatch.round.clone()) {
                said.push(Said::Offer(Box::new(offer)));
            }
        }
        let over: Vec<RoundId> = self.offered.difference(&pending).cloned().collect();
        for round in over {
            self.offered.remove(&round);
            // Answered or closed: only the second is news to the site.
            if self.is_closed(&round).await? {
                said.push(Said::Cancel(round));
            }
        }
        Ok(said)
    }

    /// Hears what the agent says.
    ///
    /// # Errors
    ///
    /// See [`SessionError`].
    pub async fn hear(&mut self, heard: Heard) -> Result<Vec<Said>, SessionError> {
        self.still_enrolled().await?;
        match heard {
            Heard::Heartbeat => self.extend().await.map(|()| Vec::new()),
            Heard::Phase(round, phase) => self.hear_phase(round, phase).await,
        }
    }

    /// Ends the session: another process may speak for the site at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails: the session then runs out by itself.
    pub async fn end(self) -> Result<(), StoreError> {
        self.coordinator.store.session_end(&self.site, self.epoch).await
    }

    async fn still_enrolled(&self) -> Result<(), SessionError> {
        let row = self.coordinator.store.site_find(&self.site).await?;
        let is_enrolled = row.is_some_and(|row| row.state == SiteState::Enrolled);
        if is_enrolled { Ok(()) } else { Err(SessionError::NotEnrolled) }
    }

    async fn is_closed(&self, round: &RoundId) -> Result<bool, StoreError> {
        let row = self.coordinator.store.round_find(round).await?;
        Ok(row.is_some_and(|row| row.closed_at.is_some()))
    }

    async fn extend(&mut self) -> Result<(), SessionError> {
        let now = self.coordinator.clock.now();
        let since = now.unix_millis() - self.extended_at.unix_millis();
        // A clock that went backwards counts as a long time.
        if (0..EXTEND_SECONDS * 1000).contains(&since) {
            return Ok(());
        }
        let ends_at = now.plus_seconds(i64::from(SESSION_SECONDS));
        if !self.coordinator.store.session_extend(&self.site, self.epoch, ends_at).await? {
            return Err(SessionError::HeldByAnother);
        }
        self.extended_at = now;
        Ok(())
    }

    async fn hear_phase(
        &mut self,
        round: RoundId,
        phase: Phase,
    ) -> Result<Vec<Said>, SessionError> {
        let store = &self.coordinator.store;
        let dispatch = store.dispatch_find(&round, &self.site).await?;
        let row = store.round_find(&round).await?;
        let (Some(dispatch), Some(row)) = (dispatch, row) else {
            tracing::warn!(site = %self.site, "a site holds a round that is not known here");
            return Ok(vec![Said::Lost(round, LostPart::Round)]);
        };
        if dispatch.phase != Some(phase) {
            store.dispatch_set_phase(&round, &self.site, phase).await?;
        }
        self.answer_phase(row, &dispatch, phase).await
    }

    async fn answer_phase(
        &self,
        row: RoundRow,
        dispatch: &DispatchRow,
        phase: Phase,
    ) -> Result<Vec<Said>, SessionError> {
        let (store, round) = (&self.coordinator.store, row.round);
        if phase == Phase::Sent {
            if store.result_find(&round, &self.site).await?.is_some() {
                return Ok(Vec::new());
            }
            if row.closed_at.is_some() {
                return Ok(vec![Said::Cancel(round)]);
            }
            let mut said = Vec::new();
            if dispatch.lease_epoch != self.epoch {
                said.extend(self.grant(&round).await?);
            }
            // Whether it is on its way or was lost, the site knows.
            said.push(Said::Lost(round, LostPart::Result));
            return Ok(said);
        }
        if row.closed_at.is_some() {
            return Ok(vec![Said::Cancel(round)]);
        }
        if phase == Phase::Approved { self.grant(&round).await } else { Ok(Vec::new()) }
    }

    /// The lease, or nothing where a later connection has taken over.
    async fn grant(&self, round: &RoundId) -> Result<Vec<Said>, SessionError> {
        let ends_at = self.coordinator.clock.now().plus_seconds(i64::from(SESSION_SECONDS));
        let store = &self.coordinator.store;
        if store.lease_grant(round, &self.site, self.epoch, ends_at).await? {
            return Ok(vec![Said::Lease(round.clone())]);
        }
        Err(SessionError::HeldByAnother)
    }
}
