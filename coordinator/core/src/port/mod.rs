//! What the rules need of a database and of an object store.
//!
//! Methods are named object first, verb second. Every write that two callers may race for says in
//! its return value who won; no caller reads first to find out.

mod artifacts;
mod change;
mod credential;
mod electronic_signature;
mod ledger_mark;
mod log;
mod result;
mod round;
mod session;
mod site;
mod snapshot;
mod study;

use std::error::Error;

use fedval_ambient::Problem;

/// What rows of the port hold.
pub use fedval_trust::{Endorsement, InvitationId, PublicKey};

pub use artifacts::{ArtifactError, ArtifactUpload, Artifacts, StoredArtifact};
pub use change::ChangeStore;
pub use credential::{CredentialRow, CredentialStore, PassHolder, PassRow, Try, TryLimit};
pub use electronic_signature::{SignatureRow, SignatureStore};
pub use ledger_mark::{LedgerMarkRow, LedgerMarkStore};
pub use log::{CosignatureRow, LogStore};
pub use result::{Inserted, ResultStore, StoredResult};
pub use round::{DispatchRow, Phase, RoundRow, RoundStore};
pub use session::{InstanceId, NewSession, SessionOpened, SessionStore};
pub use site::{
    InvitationRow, InvitationState, NewInvitation, PersonRow, SiteRow, SiteState, SiteStore,
};
pub use snapshot::{Snapshot, SnapshotStore};
pub use study::{DraftLocked, DraftStored, DraftVersion, LockedVersion, StudyRow, StudyStore};

/// A failed store operation. `operation` is the method's name and a metric's label.
#[derive(Debug, thiserror::Error)]
#[error("the store failed at {operation}")]
pub struct StoreError {
    /// The port's method.
    pub operation: &'static str,
    /// The driver's error: for the coordinator's own log, never for a caller.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl Problem for StoreError {
    fn code(&self) -> &'static str {
        "STORE_UNAVAILABLE"
    }

    fn remedy(&self) -> Option<String> {
        Some("look at the log of `fedval serve`".to_owned())
    }
}

impl StoreError {
    /// Tags a driver's error with the operation it interrupted.
    pub fn during<E: Into<Box<dyn Error + Send + Sync>>>(
        operation: &'static str,
    ) -> impl Fn(E) -> Self {
        move |source| Self { operation, source: source.into() }
    }
}

/// Everything durable but artifacts.
pub trait Store:
    SiteStore
    + SessionStore
    + StudyStore
    + RoundStore
    + ResultStore
    + ChangeStore
    + LedgerMarkStore
    + LogStore
    + CredentialStore
    + SignatureStore
    + SnapshotStore
    + std::fmt::Debug
{
}

impl<S> Store for S where
    S: SiteStore
        + SessionStore
        + StudyStore
        + RoundStore
        + ResultStore
        + ChangeStore
        + LedgerMarkStore
        + LogStore
        + CredentialStore
        + SignatureStore
        + SnapshotStore
        + std::fmt::Debug
{
}
