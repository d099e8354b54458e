//! Leases: a site may work on a round for a while, and says that it still does.

use fedval_ambient::Timestamp;
use fedval_study::{RoundId, SiteId};

use crate::Coordinator;
use crate::port::{Phase, StoreError};

/// How long a lease lasts without a heartbeat.
pub const LEASE_SECONDS: u32 = 600;

impl Coordinator {
    fn lease_end(&self) -> Timestamp {
        self.clock.now().plus_seconds(i64::from(LEASE_SECONDS))
    }

    /// Records what a site says it is doing; from approval on it holds a lease.
    ///
    /// Returns the epoch of a newly granted lease; a round that was not dispatched to the site has
    /// none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn phase_change(
        &self,
        site: &SiteId,
        round: &RoundId,
        phase: Phase,
    ) -> Result<Option<u64>, StoreError> {
        self.store.dispatch_set_phase(round, site, phase).await?;
        if phase != Phase::Approved {
            return Ok(None);
        }
        let epoch = self.store.lease_grant(round, site, self.lease_end()).await?;
        Ok((epoch > 0).then_some(epoch))
    }

    /// Extends every lease that the site holds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn heartbeat(&self, site: &SiteId) -> Result<(), StoreError> {
        self.store.lease_extend(site, self.lease_end()).await
    }
}
