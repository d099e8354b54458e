//! The rules of the coordinator: who is enrolled, what is dispatched, which results are accepted,
//! what is reported. It knows no transport and no database; both are handed in.

mod acceptance;
mod credentials;
mod dispatching;
mod enrolment;
mod ledger_mark;
mod log;
mod passes;
mod password;
mod people;
pub mod port;
mod renewal;
mod reporting;
mod session;
mod signing;
mod studies;

use std::sync::Arc;

use fedval_ambient::{Clock, Entropy};
use fedval_trust::{Authority, Certificate, SecretKey};
use tokio::sync::Semaphore;

use log::LogTree;

pub use acceptance::{Accepted, SubmitError};
pub use credentials::CredentialError;
pub use dispatching::{
    CloseError, Closed, DispatchError, OfferedDispatch, Progress, StatusError, StudyProgress,
};
pub use enrolment::{EnrolError, Enrolled, Invitation, InviteError, MAX_INVITATION_HOURS};
pub use ledger_mark::MarkKept;
pub use log::{CosignError, LogExtension, MOST_LEAVES};
pub use passes::{MOST_LINK_DAYS, PassSecret, ShareError, Visitor};
pub use password::{LONGEST_PASSWORD, Password, SHORTEST_PASSWORD};
pub use people::PersonError;
pub use port::{Artifacts, Store, StoreError};
pub use renewal::RenewError;
pub use reporting::ReportError;
pub use session::{AgentSession, Heard, LostPart, SESSION_SECONDS, Said, SessionError};
pub use signing::SignError;
pub use studies::{CreateError, LockStudyError};

/// Passwords hashed at once, at 19 MiB each.
const HASHED_AT_ONCE: usize = 2;

/// The keys with which the coordinator certifies and signs.
#[derive(Debug)]
pub struct Identity {
    /// The consortium's root.
    pub authority: Authority,
    /// Signs dispatches, round records and reports.
    pub signing_key: SecretKey,
    /// Proves the signing key.
    pub signing_certificate: Certificate,
}

/// The coordinator's rules over its ports. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Coordinator {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) artifacts: Arc<dyn Artifacts>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) log_tree: Arc<LogTree>,
    pub(crate) hashing: Arc<Semaphore>,
}

impl Coordinator {
    /// Puts the rules over their ports.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        artifacts: Arc<dyn Artifacts>,
        identity: Arc<Identity>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let hashing = Arc::new(Semaphore::new(HASHED_AT_ONCE));
        Self { store, artifacts, identity, clock, entropy, log_tree: Arc::default(), hashing }
    }

    /// The store, for reads that need no rule.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The artifacts, for reads that need no rule.
    #[must_use]
    pub fn artifacts(&self) -> &dyn Artifacts {
        self.artifacts.as_ref()
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The consortium's root certificate.
    #[must_use]
    pub fn root(&self) -> &Certificate {
        self.identity.authority.root()
    }
}
