//! What the daemon's work needs of a coordinator: a few calls. The stream is [`super::session`]'s.

use std::path::Path;

use async_trait::async_trait;
use fedval_disclosure::Releasable;
use fedval_egress::{Connection, EgressError, LogExtension};
use fedval_study::{LedgerMark, LogCheckpoint, ResultDigest, Sha256Digest, SiteResult};
use fedval_trust::SecretKey;

/// A way to the coordinator.
#[async_trait]
pub trait Link: std::fmt::Debug + Send + Sync {
    /// Fetches an artifact into a file that appears only when its digest holds.
    async fn download(
        &self,
        digest: &Sha256Digest,
        bytes: u64,
        file: &Path,
    ) -> Result<(), EgressError>;

    /// Hands in a result, and how many entries the ledger has; handing it in again is acknowledged
    /// again.
    async fn submit(
        &self,
        result: &Releasable<SiteResult>,
        key: &SecretKey,
        lease_epoch: u64,
        ledger: &LedgerMark,
    ) -> Result<ResultDigest, EgressError>;

    /// How the coordinator's log went on.
    async fn log_extend(&self, from: u64) -> Result<LogExtension, EgressError>;

    /// Signs a state of the log.
    async fn log_cosign(
        &self,
        checkpoint: LogCheckpoint,
        key: &SecretKey,
    ) -> Result<(), EgressError>;
}

#[async_trait]
impl Link for Connection {
    async fn download(
        &self,
        digest: &Sha256Digest,
        bytes: u64,
        file: &Path,
    ) -> Result<(), EgressError> {
        Self::download(self, digest, bytes, file).await
    }

    async fn submit(
        &self,
        result: &Releasable<SiteResult>,
        key: &SecretKey,
        lease_epoch: u64,
        ledger: &LedgerMark,
    ) -> Result<ResultDigest, EgressError> {
        Self::submit(self, result, key, lease_epoch, ledger).await
    }

    async fn log_extend(&self, from: u64) -> Result<LogExtension, EgressError> {
        Self::log_extend(self, from).await
    }

    async fn log_cosign(
        &self,
        checkpoint: LogCheckpoint,
        key: &SecretKey,
    ) -> Result<(), EgressError> {
        Self::log_cosign(self, checkpoint, key).await
    }
}
