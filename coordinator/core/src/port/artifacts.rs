//! Large immutable byte strings, by digest.

use std::error::Error;
use std::fmt::Debug;

use async_trait::async_trait;
use fedval_ambient::Problem;
use fedval_study::Sha256Digest;

/// Artifact storage failed.
#[derive(Debug, thiserror::Error)]
#[error("artifact storage failed at {operation}")]
pub struct ArtifactError {
    /// What was being done.
    pub operation: &'static str,
    /// The driver's error: for the coordinator's own log, never for a caller.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl Problem for ArtifactError {
    fn code(&self) -> &'static str {
        "ARTIFACTS_UNAVAILABLE"
    }

    fn remedy(&self) -> Option<String> {
        Some("look at the log of `fedval serve`".to_owned())
    }
}

/// An artifact that is stored whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredArtifact {
    /// SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// Its size in bytes.
    pub bytes: u64,
}

/// An artifact on its way in. Dropped before `finish`, it leaves nothing.
#[async_trait]
pub trait ArtifactUpload: Send {
    /// Appends bytes.
    async fn write(&mut self, chunk: Vec<u8>) -> Result<(), ArtifactError>;

    /// Stores what was written, under its digest.
    async fn finish(self: Box<Self>) -> Result<StoredArtifact, ArtifactError>;
}

/// Artifacts.
#[async_trait]
pub trait Artifacts: Debug + Send + Sync {
    /// Begins an upload.
    async fn artifact_begin(&self) -> Result<Box<dyn ArtifactUpload>, ArtifactError>;

    /// The size of an artifact, if it is stored.
    async fn artifact_size(&self, digest: &Sha256Digest) -> Result<Option<u64>, ArtifactError>;

    /// Up to `length` bytes from `offset`.
    async fn artifact_read(
        &self,
        digest: &Sha256Digest,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ArtifactError>;
}
