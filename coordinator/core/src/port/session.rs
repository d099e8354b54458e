//! Sessions: which of a site's connections speaks for it.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_study::{Sha256Digest, SiteId};

use super::StoreError;

/// Random bytes of one agent process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceId(pub Sha256Digest);

/// A connection that asks to speak for its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The site.
    pub site: SiteId,
    /// The process.
    pub instance: InstanceId,
    /// The process that ran before in the same folder.
    pub previous: Option<InstanceId>,
    /// Now.
    pub now: Timestamp,
    /// When the session ends unless it is extended.
    pub ends_at: Timestamp,
}

/// Outcome of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionOpened {
    /// This connection speaks for the site; its epoch is higher than any before.
    Granted(u64),
    /// Another process does, and it is no earlier one of the same folder.
    HeldByAnother,
}

/// Sessions: one row for each site, for good, so that epochs only rise.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Opens a session in one transaction: granted where there is none, where the last one ended or
    /// ran out, or where it belongs to the same or the named previous process. A session that would
    /// last longer from now than a new one was made by a clock that has jumped: it ran out.
    async fn session_open(&self, session: &NewSession) -> Result<SessionOpened, StoreError>;

    /// Extends the session and every lease that the site holds, in one transaction. `false` where
    /// another epoch is current.
    async fn session_extend(
        &self,
        site: &SiteId,
        epoch: u64,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends the session, if this epoch is current.
    async fn session_end(&self, site: &SiteId, epoch: u64) -> Result<(), StoreError>;
}
