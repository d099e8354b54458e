//! What the rules need of a database and of an object store.
//!
//! Methods are named object first, verb second. Every write that two callers may race for says in
//! its return value who won; no caller reads first to find out.

mod artifacts;
mod result;
mod round;
mod site;
mod study;

use std::error::Error;

use fedval_ambient::Problem;

/// What rows of the port hold.
pub use fedval_trust::{Endorsement, PublicKey};

pub use artifacts::{ArtifactError, ArtifactUpload, Artifacts, StoredArtifact};
pub use result::{Inserted, ResultStore, StoredResult};
pub use round::{DispatchRow, Phase, RoundRow, RoundStore};
pub use site::{OperatorRow, SiteRow, SiteState, SiteStore};
pub use study::{DraftStored, StudyRow, StudyState, StudyStore};

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
pub trait Store: SiteStore + StudyStore + RoundStore + ResultStore + std::fmt::Debug {}

impl<S: SiteStore + StudyStore + RoundStore + ResultStore + std::fmt::Debug> Store for S {}
