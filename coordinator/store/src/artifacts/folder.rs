//! Artifacts in a folder, by digest.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fedval_core::port::{ArtifactError, ArtifactUpload, Artifacts, StoredArtifact};
use fedval_study::Sha256Digest;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};

use super::{during, incoming_key, key_of, read, size};

/// Artifacts in a local folder.
#[derive(Debug, Clone)]
pub struct FolderArtifacts {
    store: Arc<LocalFileSystem>,
}

impl FolderArtifacts {
    /// Opens a folder that exists.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] if the folder does not exist.
    pub fn open(folder: &Path) -> Result<Self, ArtifactError> {
        let store = LocalFileSystem::new_with_prefix(folder).map_err(during("artifacts_open"))?;
        Ok(Self { store: Arc::new(store.with_fsync(true)) })
    }
}

/// A file that is being written under a temporary name.
struct FolderUpload {
    store: Arc<LocalFileSystem>,
    upload: Box<dyn MultipartUpload>,
    temporary: Key,
    hash: Sha256,
    bytes: u64,
}

#[async_trait]
impl ArtifactUpload for FolderUpload {
    async fn write(&mut self, chunk: Vec<u8>) -> Result<(), ArtifactError> {
        self.hash.update(&chunk);
        self.bytes += chunk.len() as u64;
        self.upload.put_part(chunk.into()).await.map_err(during("artifact_write"))
    }

    async fn finish(mut self: Box<Self>) -> Result<StoredArtifact, ArtifactError> {
        let failed = during::<object_store::Error>("artifact_finish");
        self.upload.complete().await.map_err(&failed)?;
        let digest = Sha256Digest::from_bytes(self.hash.finalize().into());
        // A rename replaces an artifact of the same digest by the same bytes.
        self.store.rename(&self.temporary, &key_of(&digest)).await.map_err(&failed)?;
        Ok(StoredArtifact { digest, bytes: self.bytes })
    }
}

#[async_trait]
impl Artifacts for FolderArtifacts {
    async fn artifact_begin(&self) -> Result<Box<dyn ArtifactUpload>, ArtifactError> {
        let temporary = incoming_key();
        let upload =
            self.store.put_multipart(&temporary).await.map_err(during("artifact_begin"))?;
        Ok(Box::new(FolderUpload {
            store: Arc::clone(&self.store),
            upload,
            temporary,
            hash: Sha256::new(),
            bytes: 0,
        }))
    }

    async fn artifact_size(&self, digest: &Sha256Digest) -> Result<Option<u64>, ArtifactError> {
        size(self.store.as_ref(), digest).await
    }

    async fn artifact_read(
        &self,
        digest: &Sha256Digest,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ArtifactError> {
        read(self.store.as_ref(), digest, offset, length).await
    }
}
